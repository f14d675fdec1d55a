"""The contract of a gate rule."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from mlops_action.frozen import frozen
from mlops_action.records import PlannedGate
from mlops_action.vocabulary import Undecided


@frozen
class Judgement:
    """What a rule says of finite numbers: None when it cannot tell, and ``undecided`` says why."""

    passed: bool | None
    message: str
    limit: str
    needed: str = ""
    undecided: Undecided = Undecided.UNDEFINED


class Rule(Protocol):
    """Judges one finite candidate value, exactly.

    Laws, tested for every rule: limits are inclusive; the comparison is exact, on the
    decimals as they were written; what is undefined (a share of a zero baseline) is None,
    never a pass; the message holds all figures that the decision was made from.
    """

    needs_baseline: bool

    def judge(self, gate: PlannedGate, value: Decimal, baseline: Decimal | None) -> Judgement:
        """Judge ``value``; ``baseline`` is finite, and None exactly when the rule needs none."""


class HistoryRule(Protocol):
    """Judges one finite candidate value by those of earlier runs, the oldest first.

    Laws, tested for every such rule: those of ``Rule``; too few values, and values that leave open how much is usual,
    are None, never a pass.
    """

    def judge(self, gate: PlannedGate, value: Decimal, past: Sequence[Decimal]) -> Judgement:
        """Judge ``value``; all values are finite."""

    def reference(self, gate: PlannedGate, past: Sequence[Decimal]) -> Decimal | None:
        """The one value of ``past`` that the rule compares with, or None when it looks at all of them."""
