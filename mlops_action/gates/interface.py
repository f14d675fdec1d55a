"""The contract of a gate rule."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from mlops_action.records import PlannedGate
from mlops_action.vocabulary import Undecided


@dataclass(frozen=True)
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
