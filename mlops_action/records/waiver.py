"""Waivers, and what became of them."""

from __future__ import annotations

from mlops_action.frozen import frozen
from mlops_action.records.base import Number, documented
from mlops_action.vocabulary import WaiverState


@frozen
class Waiver:
    """A permission for one gate to fail."""

    gate: str = documented("Name of the gate.")
    reason: str = documented("Why it may fail.")
    approver: str = documented("Who allows it.")
    expires: str = documented("Last day on which it holds (UTC).")
    origin: str = documented("Where it is written.")
    slice: str = documented("The only slice that may fail; empty for all that the gate judges.", default="")
    down_to: Number | None = documented("Lowest value that is allowed.", default=None)
    up_to: Number | None = documented("Highest value that is allowed.", default=None)
    last_line: int = documented("Last line of it in its file; 0 when that is not known.", default=0)


@frozen
class WaiverUse:
    """A waiver, and what became of it."""

    waiver: Waiver = documented("The waiver.")
    state: WaiverState = documented("`used`, `unused`, or why it does not hold: `expired`, `unbounded`, `orphaned`.")
    author: str = documented("Who wrote it, as git tells; empty when that is not known.", default="")
    flags: tuple[str, ...] = documented("What a reviewer should look at.", default=())
