"""Judges what was measured: by the policy at hand, and a change by its target branch's policy as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mlops_action.authorship import Authorship
from mlops_action.evaluate import evaluate, evaluate_run
from mlops_action.metrics.baseline import Baselines
from mlops_action.records import MetricReading, Plan, RunResult, Verdicts
from mlops_action.repository import Repository
from mlops_action.waivers import WaiverBook


@dataclass(frozen=True)
class Judge:
    """One judgement.

    Args:
        repository: git around the project.
        baselines: where changes are compared with.
        today: the day, in UTC.
    """

    repository: Repository
    baselines: Baselines
    today: date

    def run(self, plan: Plan, run: RunResult) -> Verdicts:
        """Judge what a run measured."""
        return evaluate_run(plan.gates, run, self.baselines, self._book(plan))

    def readings(self, plan: Plan, readings: Sequence[MetricReading]) -> Verdicts:
        """Judge readings that no run is known of."""
        return evaluate(plan.gates, readings, self.baselines, self._book(plan))

    def _book(self, plan: Plan) -> WaiverBook:
        written = Authorship(self.repository)
        return WaiverBook(plan.waivers, self.today, plan.longest_waiver, written)
