"""The same steps run several times: what of them is not the same each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlops_action.records import Comparison, Repetition, RunResult, StepResult, Unsteady
from mlops_action.sanitize import inline

Run = tuple[RunResult, Path]
"""A run, and the folder with its executed notebooks."""


def repeated(times: int, once: Callable[[str], Run], folder: str, say: Callable[..., None]) -> RunResult:
    """Run ``times`` times; the last run, whose results go to ``folder``, says what differed from it."""
    with TemporaryDirectory(prefix="mlops-action-") as kept:
        others = []
        for number in range(1, times):
            say("", f"Run {number} of {times}")
            others.append(once(f"{kept}/{number}"))
        say("", f"Run {times} of {times}")
        run, where = once(folder)
        found = repetition((run, where), others)
    say("", *map(inline, repetition_lines(found)))
    return replace(run, repetition=found)


def repetition(recorded: Run, others: Sequence[Run]) -> Repetition:
    """What differs between the recorded run and the others; each thing is named once."""
    found: dict[tuple[str, str, str], Unsteady] = {}
    for other in others:
        for each in _differences(recorded, other):
            found.setdefault((each.step, each.kind, each.what), each)
    return Repetition(len(others) + 1, tuple(found[key] for key in sorted(found)))


def repetition_lines(found: Repetition) -> Iterator[str]:
    """What to say of it."""
    if not found.unsteady:
        yield f"Deterministic: {found.runs} runs gave the same cells, outputs and metrics"
        return
    yield f"Not deterministic: {len(found.unsteady)} things differ between {found.runs} runs"
    for each in found.unsteady:
        yield f"  step {each.step}: {each.kind} {each.what} ({each.why})"


def _differences(recorded: Run, other: Run) -> Iterator[Unsteady]:
    again = {step.name: step for step in other[0].steps}
    for step in recorded[0].steps:
        beside = again.get(step.name)
        if beside is None or beside.status != step.status:
            yield Unsteady(step.name, "end", "status", f"{step.status}, then {beside.status if beside else 'nothing'}")
            continue
        yield from _mapped(step.name, "output", _outputs(step), _outputs(beside))
        yield from _mapped(step.name, "metric", _metrics(step), _metrics(beside))
        yield from _cells(step, recorded[1], other[1])


def _outputs(step: StepResult) -> dict[str, str]:
    return {state.path: state.sha256 for state in step.outputs_after}


def _metrics(step: StepResult) -> dict[str, str]:
    return {
        reading.name + (f" ({reading.slice})" if reading.slice else ""): str(reading.value) for reading in step.readings
    }


def _mapped(step: str, kind: str, one: Mapping[str, str], two: Mapping[str, str]) -> Iterator[Unsteady]:
    for name in sorted(one.keys() | two.keys()):
        pair = one.get(name, "nothing"), two.get(name, "nothing")
        if pair[0] != pair[1]:
            yield Unsteady(step, kind, name, f"{pair[0][:40]}, another time {pair[1][:40]}")


def _cells(step: StepResult, one: Path, two: Path) -> Iterator[Unsteady]:
    from mlops_action.notebooks.compare import differences

    notebooks = [_notebook(folder / step.executed) for folder in (one, two)] if step.executed else []
    if not notebooks or None in notebooks:
        return
    chosen = [place for place, cell in enumerate(notebooks[1]["cells"]) if cell["cell_type"] == "code"]
    for each in differences(notebooks[0], notebooks[1], chosen, Comparison()):
        yield Unsteady(step.name, "cell", f"{each.cell}", each.what)


def _notebook(path: Path) -> Any:
    """An executed notebook with the outputs of every cell, or None."""
    import nbformat

    try:
        return nbformat.reads(path.read_text("utf-8"), as_version=4)
    except (OSError, ValueError, nbformat.ValidationError):
        return None
