"""Lint of the policy in ``check``: collects what is known here, and says what lint finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from mlops_action.ci.console import Console
from mlops_action.codec import load_document
from mlops_action.config.load import Loaded
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.errors import MlopsError, PolicyLint, Problems
from mlops_action.gate_plan import planned_policy
from mlops_action.judgement.waivers import WaiverBook
from mlops_action.lint.finding import Finding, Policy
from mlops_action.lint.limits import limit_findings
from mlops_action.lint.pairs import pair_findings
from mlops_action.lint.places import place_findings
from mlops_action.lint.sense import (
    direction_findings,
    metric_findings,
    power_findings,
    severity_findings,
)
from mlops_action.metrics.baseline import Baselines
from mlops_action.metrics.files import metric_paths, read_metric_file
from mlops_action.records import Annotation, Emissions, MetricReading, PlannedGate, RunResult, Verdict, Verdicts
from mlops_action.report import place_of
from mlops_action.repository import Repository
from mlops_action.sanitize import inline
from mlops_action.stores.folder import RUN_FILE, VERDICTS_FILE
from mlops_action.vocabulary import RUN_SCHEMA, VERDICTS_SCHEMA

_ELSEWHERE = ("runs:", "models:")
"""Baselines that are on a server, which ``check`` does not ask."""
_KINDS = (
    limit_findings,
    pair_findings,
    direction_findings,
    metric_findings,
    severity_findings,
    place_findings,
    power_findings,
)


def check_policy(loaded: Loaded, settings: Settings, context: Context, console: Console, strict: bool) -> None:
    """Say what lint finds.

    Raises:
        Problems: what is certain; with ``strict`` everything.
    """
    told, problems = refused(lint(loaded, settings, context), strict)
    tell(told, console, context)
    if problems:
        raise Problems(problems)


def lint(loaded: Loaded, settings: Settings, context: Context) -> list[Finding]:
    """Everything about a policy that its author will hardly have meant, what is certain first."""
    results = loaded.root / settings.options.output_dir
    repository = Repository(loaded.root, context.env)
    baselines = Baselines(loaded.root, repository)
    planned = planned_policy(loaded)
    gates: tuple[PlannedGate, ...] = planned["gates"]
    rules = Policy(gates, loaded.gates).rules
    places = {place for gate in rules for place in (gate.baseline, gate.history) if place and ":" not in place}
    tracked = frozenset(place for place in places if repository.attempt("ls-files", "--error-unmatch", "--", place))
    known = tuple(_known(loaded, rules, results, baselines))
    policy = Policy(gates, loaded.gates, known, _latest(results), tracked)
    found = [finding for kind in _KINDS for finding in kind(policy)]
    book = WaiverBook(loaded.waivers, context.now().date(), loaded.conduct.longest_waiver)
    found += [Finding(verdict.message, verdict.origin, verdict.hint, certain=True) for verdict in book.ended_verdicts()]
    return sorted(found, key=lambda each: not each.certain)


def tell(findings: Sequence[Finding], console: Console, context: Context) -> None:
    """Say what was found, in the log and where the CI system shows it."""
    for each in findings:
        console.say(f"warning: {inline(f'{each.origin}: {each.message}')}")
        console.say(*([f"  hint: {inline(each.hint)}"] if each.hint else []))
    annotations = tuple(_annotation(each) for each in findings)
    console.say(*console.system.publish(Emissions(annotations, "", (), ()), context, 10))


def refused(findings: Sequence[Finding], strict: bool) -> tuple[list[Finding], list[MlopsError]]:
    """What is only told, and what is an error: a finding that is certain; all that are ``strict``."""
    wrong = [each for each in findings if each.certain or strict]
    told = [each for each in findings if each not in wrong]
    return told, [PolicyLint(each.message, origin=each.origin, hint=each.hint) for each in wrong]


def _annotation(finding: Finding) -> Annotation:
    path, line = place_of(finding.origin)
    message = f"{finding.message}\n{finding.hint}" if finding.hint else finding.message
    return Annotation("warning", "policy", message, path, line)


def _known(
    loaded: Loaded, gates: tuple[PlannedGate, ...], results: Path, baselines: Baselines
) -> Iterator[MetricReading]:
    """Readings that are here already; what cannot be read now is none of lint's business."""
    here = [gate.baseline for gate in gates if gate.predictions is None and not gate.baseline.startswith(_ELSEWHERE)]
    for locator in dict.fromkeys(filter(None, here)):
        with suppress(MlopsError):
            yield from baselines.read(locator)[0]
    for name in dict.fromkeys(name for step in loaded.spec.steps.values() for name in step.metrics):
        with suppress(MlopsError):
            for path in metric_paths(name, loaded.root) or [name]:
                yield from read_metric_file(loaded.root / path, path)
    with suppress(MlopsError):
        run = load_document(RunResult, results / RUN_FILE, RUN_SCHEMA)
        yield from (reading for step in run.steps for reading in step.readings)


def _latest(results: Path) -> dict[str, Verdict]:
    with suppress(MlopsError):
        return {each.gate: each for each in load_document(Verdicts, results / VERDICTS_FILE, VERDICTS_SCHEMA).verdicts}
    return {}
