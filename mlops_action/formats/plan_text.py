"""A plan for people: exactly what would happen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from mlops_action.config.values import duration_text, size_text
from mlops_action.formats.verdict_text import bounds_text
from mlops_action.records import (
    CellSelection,
    Json,
    KernelChoice,
    Plan,
    PlannedGate,
    PlannedParameter,
    PlannedStep,
    StepLimits,
    Waiver,
)
from mlops_action.redact import MASK, is_secret_name
from mlops_action.sanitize import inline
from mlops_action.structure import exact_number


def plan_lines(plan: Plan, judging: bool, states: Mapping[str, str] | None = None) -> list[str]:
    """The plan as lines of text.

    Args:
        plan: what would happen.
        judging: whether gates would be judged.
        states: what is there already of the places of kernels, by the kernels' labels.
    """
    lines = [f"Plan of {plan.config or 'the options'} in {plan.root}", ""]
    lines.append(f"Steps, in this order ({len(plan.steps)}):")
    for number, step in enumerate(plan.steps, start=1):
        lines += [
            f"  {number}. {step.name}  ({step.origin})",
            *(f"       {line}" for line in _step(step, states or {})),
        ]
    lines += ["", f"Gates ({len(plan.gates)}):" if judging else "Gates: none, on request; the run is not judged"]
    lines += [f"  {line}" for gate in plan.gates for line in _gate(gate)]
    lines += [f"  {_waiver(waiver)}" for waiver in plan.waivers]
    if judging and not plan.gates:
        lines.append("  none: the verdict would be `inconclusive`; add `gates:`, or say `--gates none`")
    lines += ["", f"Results would be written to {plan.output_dir}"]
    if plan.missing:
        lines += ["", f"Missing ({len(plan.missing)}); a run would stop here:", *(f"  {each}" for each in plan.missing)]
    return lines


def _step(step: PlannedStep, states: Mapping[str, str]) -> Iterator[str]:
    yield _source(step)
    if step.variant:
        yield f"for        {inline(step.variant)}"
    if step.kernel is not None:
        yield f"kernel     {_kernel(step.kernel)}"
        yield from _place(step.kernel, states.get(step.kernel.label, ""))
    for label, kernel in step.interpreters.items():
        yield f"kernel     {_kernel(kernel)}, for `{inline(label)}`"
    if step.cells != CellSelection():
        yield f"cells      {inline(_cells(step.cells))}"
    for each in step.parameters:
        yield f"parameter  {inline(each.name)} = {inline(_value(each))}  ({inline(each.origin)})"
    if not step.strict_parameters:
        yield "parameter  others than the notebook's own, and of other types, are allowed"
    if step.needs:
        yield f"needs      {', '.join(step.needs)}"
    yield from _inputs(step)
    for path in step.outputs:
        yield f"output     {inline(path)}"
    for path in step.metrics:
        yield f"metrics    {inline(path)}"
    yield from _limits(step.limits)
    yield from _manner(step)


def _source(step: PlannedStep) -> str:
    if step.notebook:
        return f"notebook   {inline(step.notebook)}"
    if step.file:
        return f"file       {inline(step.file)}"
    count = len(step.code.splitlines())
    return f"snippet    {count} line{'' if count == 1 else 's'}"


def _kernel(kernel: KernelChoice) -> str:
    program = f", {inline(kernel.argv[0])}" if kernel.argv else ""
    language = f" ({inline(kernel.language)})" if kernel.language else ""
    return f"{inline(kernel.name)}{language}{program}"


def _place(kernel: KernelChoice, state: str) -> Iterator[str]:
    """What its place is made from, and whether it is there."""
    if kernel.where != "host":
        parts = [f"{key} {_part(value)}" for key, value in kernel.place.items()]
        yield f"in         {kernel.where}: {inline(', '.join(parts))}" + (f"  ({inline(state)})" if state else "")


def _part(value: Json) -> str:
    """A digest by its beginning; a list by its entries."""
    if isinstance(value, str):
        return f"{value[:19]}…" if value.startswith("sha256:") else value
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else json.dumps(value, ensure_ascii=False)


def _value(parameter: PlannedParameter) -> str:
    """A parameter's value, or where it will come from; never a secret's."""
    if parameter.secret:
        return f"{MASK} from the environment variable {parameter.secret}"
    if parameter.reference:
        return f"${{{{ {parameter.reference} }}}}, which an earlier step records"
    return MASK if is_secret_name(parameter.name) else json.dumps(parameter.value, ensure_ascii=False)


def _limits(limits: StepLimits) -> Iterator[str]:
    """The time-out always, the rest where it was set."""
    seconds, usual = limits.timeout_seconds, StepLimits()
    yield f"time-out   {duration_text(seconds) if seconds else 'none'}"
    if limits.cell_timeout_seconds:
        yield f"time-out   {duration_text(limits.cell_timeout_seconds)} for a cell"
    if limits.start_timeout_seconds != usual.start_timeout_seconds:
        yield f"time-out   {duration_text(limits.start_timeout_seconds)} for the kernel's start"
    if limits.max_output != usual.max_output:
        yield f"output     at most {size_text(limits.max_output)} of a cell"
    if limits.max_notebook_output != usual.max_notebook_output:
        yield f"output     at most {size_text(limits.max_notebook_output)} of all cells"
    if limits.memory:
        yield f"memory     {size_text(limits.memory)} must be free for it"


def _manner(step: PlannedStep) -> Iterator[str]:
    """How it runs, where that is not as usual."""
    if step.retry.on:
        times = "once more" if step.retry.times == 1 else f"up to {step.retry.times} times more"
        yield f"retry      {times} after {', '.join(step.retry.on)}"
    if step.allow_errors:
        yield "errors     cells that raise do not end it"
    if step.compare is not None:
        yield "compare    its outputs with those saved in the notebook"
    if step.deterministic:
        yield "written    without times"
    if step.cache:
        yield "cache      not run again while nothing changed"


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
        "named": cells.names,
        "under": cells.headings,
        "matching": (cells.matching,) if cells.matching else (),
        "places": (cells.index,) if cells.index else (),
    }
    return "; ".join(f"{name} {', '.join(values)}" for name, values in parts.items() if values)


def _gate(gate: PlannedGate) -> Iterator[str]:
    limits = ", ".join(f"{name} {_amount(value)}" for name, value in gate.limits.items())
    severity = {"warn": ", warns only", "info": ", informs only"}.get(gate.severity, "")
    yield f"{gate.name}: {inline(gate.metric)} {limits}{severity}  ({inline(gate.origin)})"
    if gate.baseline:
        yield f"     compared with {inline(gate.baseline)}; {gate.direction} is better"


def _waiver(waiver: Waiver) -> str:
    only = f" for {inline(waiver.slice)}" if waiver.slice else ""
    said = f"waiver of {inline(waiver.gate)}{only} until {waiver.expires}, {bounds_text(waiver)}"
    return f"{said}  ({inline(waiver.origin)})"


def _amount(value: Json) -> str:
    if isinstance(value, dict):
        parts = [str(value["absolute"])] if "absolute" in value else []
        parts += (
            [f"{(exact_number(value['relative']) * 100).normalize():f}% of the baseline"] if "relative" in value else []
        )
        return " and ".join(parts)
    return " to ".join(map(str, value)) if isinstance(value, list) else str(value)
