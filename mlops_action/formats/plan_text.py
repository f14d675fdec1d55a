"""A plan for people: exactly what would happen."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlops_action.config.values import duration_text
from mlops_action.records import CellSelection, Json, Plan, PlannedGate, PlannedStep
from mlops_action.redact import MASK, is_secret_name
from mlops_action.sanitize import inline
from mlops_action.structure import exact_number


def plan_lines(plan: Plan, judging: bool) -> list[str]:
    """The plan as lines of text."""
    lines = [f"Plan of {plan.config or 'the options'} in {plan.root}", ""]
    lines.append(f"Steps, in this order ({len(plan.steps)}):")
    for number, step in enumerate(plan.steps, start=1):
        lines += [f"  {number}. {step.name}  ({step.origin})", *(f"       {line}" for line in _step(step))]
    lines += ["", f"Gates ({len(plan.gates)}):" if judging else "Gates: none, on request; the run is not judged"]
    lines += [f"  {line}" for gate in plan.gates for line in _gate(gate)]
    if judging and not plan.gates:
        lines.append("  none: the verdict would be `inconclusive`; add `gates:`, or say `--gates none`")
    lines += ["", f"Results would be written to {plan.output_dir}"]
    if plan.missing:
        lines += ["", f"Missing ({len(plan.missing)}); a run would stop here:", *(f"  {each}" for each in plan.missing)]
    return lines


def _step(step: PlannedStep) -> Iterator[str]:
    if step.notebook:
        yield f"notebook   {inline(step.notebook)}"
    else:
        count = len(step.code.splitlines())
        yield f"snippet    {count} line{'' if count == 1 else 's'}"
    if step.kernel is not None:
        yield f"kernel     {step.kernel.name} ({step.kernel.language}), {inline(step.kernel.argv[0])}"
    if step.cells != CellSelection():
        yield f"cells      {_cells(step.cells)}"
    for each in step.parameters:
        value = MASK if is_secret_name(each.name) else json.dumps(each.value, ensure_ascii=False)
        yield f"parameter  {inline(each.name)} = {inline(value)}  ({inline(each.origin)})"
    if step.needs:
        yield f"needs      {', '.join(step.needs)}"
    yield from _inputs(step)
    for path in step.outputs:
        yield f"output     {inline(path)}"
    for path in step.metrics:
        yield f"metrics    {inline(path)}"
    seconds = step.limits.timeout_seconds
    yield f"time-out   {duration_text(seconds) if seconds else 'none'}"


def _inputs(step: PlannedStep) -> Iterator[str]:
    for state in step.inputs_found:
        yield f"input      {inline(state.path)}  ({state.size} bytes)"
    there = {state.path for state in step.inputs_found}
    for pattern in step.inputs:
        if pattern not in there and not any(char in pattern for char in "*?["):
            yield f"input      {inline(pattern)}  (not there now)"


def _cells(cells: CellSelection) -> str:
    parts = {
        "tagged": cells.tags,
        "not tagged": cells.skip_tags,
        "ids": cells.ids,
        "places": (cells.index,) if cells.index else (),
    }
    return "; ".join(f"{name} {', '.join(values)}" for name, values in parts.items() if values)


def _gate(gate: PlannedGate) -> Iterator[str]:
    limits = ", ".join(f"{name} {_amount(value)}" for name, value in gate.limits.items())
    severity = ", warns only" if gate.severity == "warn" else ""
    yield f"{gate.name}: {inline(gate.metric)} {limits}{severity}  ({inline(gate.origin)})"
    if gate.baseline:
        yield f"     compared with {inline(gate.baseline)}; {gate.direction} is better"


def _amount(value: Json) -> str:
    if isinstance(value, dict):
        parts = [str(value["absolute"])] if "absolute" in value else []
        parts += (
            [f"{(exact_number(value['relative']) * 100).normalize():f}% of the baseline"] if "relative" in value else []
        )
        return " and ".join(parts)
    return " to ".join(map(str, value)) if isinstance(value, list) else str(value)
