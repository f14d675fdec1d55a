"""What lint finds, and what it may know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from mlops_action.config.policy_model import GateSpec
from mlops_action.frozen import frozen
from mlops_action.records import MetricReading, PlannedGate, Verdict


@frozen
class Finding:
    """Something about a gate that its author will hardly have meant.

    Args:
        message: what, in one sentence.
        origin: where the gate is declared.
        hint: what to do about it.
        certain: whether no reading could make it right.
    """

    message: str
    origin: str
    hint: str = ""
    certain: bool = False


@frozen
class Policy:
    """What lint looks at.

    Args:
        gates: as planned.
        specs: as written, by name.
        readings: metrics of baselines, of metric files that are here, and of the latest run.
        latest: verdicts of the latest judgement here, by gate.
        tracked: baselines and histories that are files of the repository.
    """

    gates: tuple[PlannedGate, ...]
    specs: Mapping[str, GateSpec]
    readings: tuple[MetricReading, ...] = ()
    latest: Mapping[str, Verdict] = field(default_factory=dict)
    tracked: frozenset[str] = frozenset()

    @property
    def rules(self) -> tuple[PlannedGate, ...]:
        """Every single rule: the gates, and in place of combinations what they combine."""
        return tuple(part for gate in self.gates for part in (gate.combined or (gate,)))
