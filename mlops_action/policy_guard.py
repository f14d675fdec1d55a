"""A change that changes its own policy is judged by its target branch's policy as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from os import path as paths
from pathlib import Path
from typing import Any

from mlops_action import __version__
from mlops_action.codec import encode
from mlops_action.config.load import Loaded, Reader
from mlops_action.config.waiver_model import PolicyGuard
from mlops_action.errors import ConfigMissing, FileMissing, GitRefused, MlopsError, Problems
from mlops_action.frozen import frozen
from mlops_action.gate_plan import planned_policy
from mlops_action.judgement.waivers import allowed_text
from mlops_action.records import GuardReport, Part, Plan, PlannedGate, Verdict, Verdicts, Waiver
from mlops_action.repository import Repository
from mlops_action.vocabulary import POLICY_GUARD, VERDICTS_SCHEMA, Outcome

SHALLOW = (
    "let the checkout hold the target branch: `fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` for GitLab CI; "
    "or say `policy-guard: off`"
)
_FIRST = "let a change of the policy alone be merged first, or say `policy-guard: warn` in the target branch's policy"
_WORST_FIRST = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN, Outcome.PASS)


@frozen
class Guard:
    """Knows how to find the target branch's policy.

    Args:
        repository: git around the project.
        load: reads the configuration through a reader.
    """

    repository: Repository
    load: Callable[[Reader], Loaded]

    def over(self, own: Verdicts | None, plan: Plan, judge: Callable[[Plan], Verdicts]) -> Verdicts | None:
        """The verdicts, made no better than the target branch's policy makes them.

        Args:
            own: by the change's own policy; None when it wants no judgement.
            plan: holds that policy.
            judge: judges by the policy that another plan holds.
        """
        at = _AtCommit(self.repository)
        branch = self.repository.requested_branch()
        try:
            base = self.load(at.read)
        except FileMissing:  # the target branch has no policy: this change brings the first
            return own
        except MlopsError as problem:
            named = plan.config or not isinstance(problem, ConfigMissing)  # else the options alone hold a policy
            if plan.policy_guard == PolicyGuard.OFF or not named:
                return own
            return _added(own, *_unreadable(plan, branch, at.commit, problem))
        theirs = replace(plan, **planned_policy(base))
        mode = base.conduct.guard or PolicyGuard.BLOCK
        changes = tuple(_changes(theirs, plan)) if own is not None else ("nothing is judged any more",)
        if not base.judging or not base.gates or not changes or mode is PolicyGuard.OFF:
            return own
        said = judge(theirs)
        report = GuardReport(branch, at.commit, str(mode), said.outcome, said.reason, changes)
        return _added(own, report, _verdict(report, plan, said))


def _added(own: Verdicts | None, report: GuardReport, verdict: Verdict) -> Verdicts:
    """The worse of both, and why."""
    said = f"{verdict.message[:1].upper()}{verdict.message[1:].rstrip('.')}."
    passed = verdict.outcome is Outcome.INFO
    if own is None:
        outcome = report.outcome if passed else verdict.outcome
        return Verdicts(
            VERDICTS_SCHEMA, __version__, outcome, f"Nothing is judged here. {said}", (verdict,), (), report
        )
    worst = next((each for each in _WORST_FIRST if each in {own.outcome, verdict.outcome}), own.outcome)
    reason = own.reason if passed else f"{own.reason} {said}"
    return replace(own, outcome=worst, reason=reason, verdicts=(*own.verdicts, verdict), guard=report)


def _verdict(report: GuardReport, plan: Plan, said: Verdicts) -> Verdict:
    passed = said.outcome in {Outcome.PASS, Outcome.WARN}
    outcome = Outcome.INFO if passed else Outcome.WARN if report.mode == PolicyGuard.WARN else said.outcome
    place = f"`{report.branch}` ({report.commit[:12]})"
    message = f"this change changes the policy; by that of {place} the verdict is {said.outcome}: {said.reason}"
    worse = [each for each in said.verdicts if each.outcome in {Outcome.FAIL, Outcome.INCONCLUSIVE}]
    return Verdict(
        gate=POLICY_GUARD,
        outcome=outcome,
        metric="",
        message=message,
        rule=POLICY_GUARD,
        severity="info" if passed else report.mode,
        origin=plan.config,
        hint="" if passed else _FIRST,
        parts=tuple(Part(each.gate, each.outcome, each.message, each.value) for each in worse),
        notes=report.changes,
    )


def _unreadable(plan: Plan, branch: str, commit: str, problem: MlopsError) -> tuple[GuardReport, Verdict]:
    """Nobody can tell: a warning, unless the policy at hand insists."""
    first = problem.problems[0] if isinstance(problem, Problems) else problem
    message = f"nobody can tell whether this change passes the policy of `{branch}`: {first}"
    insists = plan.policy_guard == PolicyGuard.BLOCK
    outcome = Outcome.INCONCLUSIVE if insists else Outcome.WARN
    hint = SHALLOW if isinstance(first, GitRefused) else "mend the policy of the target branch"
    severity = "block" if insists else "warn"
    verdict = Verdict(POLICY_GUARD, outcome, "", message, POLICY_GUARD, severity, plan.config, hint=hint)
    return GuardReport(branch, commit, severity, Outcome.INCONCLUSIVE, message), verdict


class _AtCommit:
    """Reads files as the target branch has them; asks for its commit when the first one is read."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.commit = ""

    def read(self, path: Path, shown_as: str) -> bytes:
        """The reader's contract.

        Raises:
            FileMissing: it is not in that commit.
            GitRefused: the commit is not in this clone.
        """
        self.commit = self.commit or self._repository.policy_commit()
        relative = paths.relpath(path, self._repository.root)
        try:
            return self._repository.file_at(self.commit, Path(relative).as_posix())
        except GitRefused as refusal:
            if refusal.about_a_missing_file:
                raise FileMissing(f"there is no file {shown_as}", origin=shown_as) from None
            raise


def _changes(theirs: Plan, ours: Plan) -> Iterator[str]:
    """What is different, in words: what the target branch has, then what the change has."""
    old, new = _by_name(theirs), _by_name(ours)
    for name in dict.fromkeys((*old, *new)):
        if name not in new:
            yield f"gate `{name}` is gone"
        elif name not in old:
            yield f"gate `{name}` is new"
        elif old[name] != new[name]:
            yield f"gate `{name}`: {', '.join(_keys(old[name], new[name]))}"
    before, after = ({_bare(each) for each in plan.waivers} for plan in (theirs, ours))
    yield from sorted(f"{_named(each)} is new" for each in after - before)
    yield from sorted(f"{_named(each)} is gone" for each in before - after)
    for key in ("longest_waiver", "policy_guard"):
        one, other = getattr(theirs, key), getattr(ours, key)
        if one != other:
            yield f"`{key.replace('_', '-')}`: {_shown(one)} → {_shown(other)}"


def _by_name(plan: Plan) -> dict[str, dict[str, Any]]:
    return {gate.name: dict(_flat("", _without_place(gate))) for gate in plan.gates}


def _without_place(gate: PlannedGate) -> dict[str, Any]:
    return {key: value for key, value in encode(gate).items() if key != "origin"}


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(f"{path}.{key}" if path else key, inner)
    else:
        yield path.removeprefix("limits."), value


def _keys(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            yield f"{key} {_shown(old.get(key))} → {_shown(new.get(key))}"


def _shown(value: Any) -> str:
    return "(none)" if value in (None, "", [], {}) else str(value)


def _bare(waiver: Waiver) -> Waiver:
    return replace(waiver, origin="", last_line=0)


def _named(waiver: Waiver) -> str:
    only = f" for {waiver.slice}" if waiver.slice else ""
    return f"the waiver of `{waiver.gate}`{only} by {waiver.approver} until {waiver.expires}, {allowed_text(waiver)},"
