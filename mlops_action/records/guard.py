"""A change judged by its target branch's policy."""

from __future__ import annotations

from mlops_action.frozen import frozen
from mlops_action.records.base import documented
from mlops_action.vocabulary import Outcome


@frozen
class GuardReport:
    """What the target branch's policy says of a change that changes the policy."""

    branch: str = documented("The target branch.")
    commit: str = documented("Commit that its policy was read from; empty when there was none to read.")
    mode: str = documented("`block` or `warn`.")
    outcome: Outcome = documented("The verdict by that policy; `inconclusive` when it could not be read.")
    reason: str = documented("Why, in one sentence.")
    changes: tuple[str, ...] = documented("What the change changes in the policy.", default=())
