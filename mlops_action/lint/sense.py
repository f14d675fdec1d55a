"""Directions that contradict, metrics that nobody measures, and policies that cannot block."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_action.config.rules import DIRECTIONS, by_name
from mlops_action.errors import nearest
from mlops_action.lint.finding import Finding, Policy
from mlops_action.records import PlannedGate

_PATTERN = set("*?[/#")
"""A metric whose name holds one of these may be more than a name."""


def direction_findings(policy: Policy) -> Iterator[Finding]:
    """Gates that want a metric worse, going by its name, or declare it the other way round."""
    for gate in policy.gates:
        known = by_name(gate.metric, DIRECTIONS) if not gate.expression else None
        spec = policy.specs.get(gate.name)
        declared = spec.direction if spec is not None else None
        if known is None or gate.expression:
            continue
        if declared is not None and declared is not known:
            yield Finding(
                f"gate `{gate.name}` says that a {declared} `{gate.metric}` is better; going by its name, {known} is",
                gate.origin,
                "remove `direction`, or give the metric a name that says what it is",
            )
        wants = {"min": "higher", "max": "lower"}.get(gate.rule)
        if wants and wants != (declared or known) and not _also_bounded(gate, policy):
            yield Finding(
                f"gate `{gate.name}` wants `{gate.metric}` to be "
                f"{'at least' if gate.rule == 'min' else 'at most'} so much, but a {declared or known} one is better",
                gate.origin,
                f"write `{'max' if gate.rule == 'min' else 'min'}` if that is what is meant",
            )


def _also_bounded(gate: PlannedGate, policy: Policy) -> bool:
    """Whether another gate bounds the same metric on its other side, so that both make a range."""
    other = {"min": "max", "max": "min"}[gate.rule]
    return any(each.rule == other and each.metric == gate.metric for each in policy.rules)


def metric_findings(policy: Policy) -> Iterator[Finding]:
    """Gates whose metric is in none of the places that are known here."""
    names = tuple(dict.fromkeys(each.name for each in policy.readings))
    if not names:
        return
    for gate in policy.rules:
        several = gate.expression or _PATTERN & set(gate.metric)
        known = gate.metric in names or gate.predictions is not None or several
        if not known and gate.metric:
            hint = nearest(gate.metric, names)
            yield Finding(
                f"gate `{gate.name}`: no metric file, baseline or run that is here has a metric `{gate.metric}`",
                gate.origin,
                hint if len(hint) < 300 else f"{hint[:300]}…",
            )


def severity_findings(policy: Policy) -> Iterator[Finding]:
    """A policy that cannot block whatever it measures."""
    if policy.gates and all(gate.severity != "block" for gate in policy.gates):
        yield Finding(
            "no gate has severity `block`: whatever is measured, the merge is not blocked",
            policy.gates[0].origin,
            "leave out `severity` where a gate should block",
        )


def power_findings(policy: Policy) -> Iterator[Finding]:
    """Gates whose margin is smaller than what the rows of the latest judgement would show."""
    for gate in policy.gates:
        verdict = policy.latest.get(gate.name)
        absolute = gate.limits.get("max-drop", {}).get("absolute") if isinstance(gate.limits, dict) else None
        if verdict is None or gate.rule != "max-drop" or absolute is None:
            continue
        shown = [verdict.evidence] if not verdict.parts else [part.evidence for part in verdict.parts if part.counted]
        sizes = [each.detectable for each in shown if each is not None and each.detectable is not None]
        blind = [size for size in sizes if size > absolute]
        if blind:
            size = f"{float(max(blind)):.2g}"
            where = f" in {len(blind)} of {len(shown)} slices" if verdict.parts else ""
            yield Finding(
                f"gate `{gate.name}` cannot see what it guards: it allows a drop of {absolute}, and rows like those of "
                f"the latest run show a distance of {size} with 80% power{where}",
                gate.origin,
                _more_rows(gate),
            )


def _more_rows(gate: PlannedGate) -> str:
    paired = gate.predictions is not None and gate.predictions.id
    return "judge more rows, or allow more" if paired else "judge more rows, pair them by `id`, or allow more"
