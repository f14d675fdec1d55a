"""Judges what was measured: by the policy at hand, and a request by its target branch's policy as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mlops_action.config.adhoc import load_pipeline
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.evaluate import evaluate, evaluate_run
from mlops_action.metrics.baseline import Baselines
from mlops_action.records import MetricReading, Plan, RunResult, Verdicts
from mlops_action.repository import Repository
from mlops_action.waivers import NO_WAIVERS, WaiverBook


@dataclass(frozen=True)
class Judge:
    """One judgement.

    Args:
        repository: git around the project.
        baselines: where changes are compared with.
        today: the day, in UTC.
        settings: what was asked for.
        cwd: the working directory.
    """

    repository: Repository
    baselines: Baselines
    today: date
    settings: Settings
    cwd: Path

    @classmethod
    def of(cls, plan: Plan, settings: Settings, context: Context) -> Judge:
        """A judge for the folder of a plan."""
        repository = Repository(Path(plan.root), context.env)
        now = context.now()
        baselines = Baselines(Path(plan.root), repository, now)
        baselines.own.append(Path(plan.root) / plan.output_dir)
        return cls(repository, baselines, now.date(), settings, context.cwd)

    def run(self, plan: Plan, run: RunResult, judging: bool = True) -> Verdicts | None:
        """Judge what a run measured; None when that is not wanted, here nor by the target branch.

        Args:
            plan: holds the policy.
            run: what was measured.
            judging: whether the policy at hand wants a judgement.
        """
        return self._guarded(plan, judging, lambda by: evaluate_run(by.gates, run, self.baselines, self._book(by)))

    def readings(self, plan: Plan, readings: Sequence[MetricReading]) -> Verdicts | None:
        """Judge readings that no run is known of."""
        return self._guarded(plan, True, lambda by: evaluate(by.gates, readings, self.baselines, self._book(by)))

    def _guarded(self, plan: Plan, judging: bool, judge: Callable[[Plan], Verdicts]) -> Verdicts | None:
        own = judge(plan) if judging else None
        if not self.repository.requested_branch():
            return own
        from mlops_action.policy_guard import Guard

        guard = Guard(self.repository, lambda read: load_pipeline(self.settings, self.cwd, read))
        return guard.over(own, plan, judge)

    def _book(self, plan: Plan) -> WaiverBook:
        if not plan.waivers:
            return NO_WAIVERS
        from mlops_action.authorship import Authorship

        return WaiverBook(plan.waivers, self.today, plan.longest_waiver, Authorship(self.repository))
