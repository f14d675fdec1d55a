"""Judges what was measured: by the policy at hand, and a request by its target branch's policy as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from mlops_action.config.adhoc import load_pipeline
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.evaluate import evaluate, evaluate_run
from mlops_action.frozen import frozen
from mlops_action.judgement.waivers import NO_WAIVERS, WaiverBook
from mlops_action.metrics.baseline import Baselines
from mlops_action.records import MetricReading, Plan, RunResult, Verdicts
from mlops_action.repository import Repository
from mlops_action.vocabulary import Outcome


@frozen
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

    def earlier(self, plan: Plan, run: RunResult, folder: Path) -> Verdicts | None:
        """Judge an earlier run whose results are in ``folder``; in a request, one of another commit never passes."""
        self.baselines.own.append(folder)
        verdicts, made = self.run(plan, run), _source(run)
        here = self.repository.attempt("rev-parse", "HEAD", "HEAD^{tree}").split()
        if verdicts is None or not made or not here or set(made) & set(here):
            return verdicts
        reason = f"{verdicts.reason} But the run is of commit {made[0][:12]}, and this is {here[0][:12]}."
        blocks = self.repository.requested_branch() and verdicts.outcome is not Outcome.FAIL
        return replace(verdicts, reason=reason, outcome=Outcome.INCONCLUSIVE if blocks else verdicts.outcome)

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
        from mlops_action.judgement.authorship import Authorship

        return WaiverBook(plan.waivers, self.today, plan.longest_waiver, Authorship(self.repository))


def _source(run: RunResult) -> list[str]:
    """The commit that a run was made from, and the tree of its files; empty when that is not known."""
    known = next((fact for fact in run.facts if fact.name == "source"), None)
    parts = ((known.locator, "commit"), (known.identity, "tree")) if known is not None else ()
    return [part[key] for part, key in parts if isinstance(part, dict) and part.get(key)]
