"""One gate's verdict in full, from ``verdicts.json`` and, for rows, from the files of predictions."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from mlops_action.codec import load_document
from mlops_action.config.adhoc import load_pipeline
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.errors import ExitCode, MlopsError, UnknownName, nearest
from mlops_action.formats.verdict_text import PARTS, evidence_text, interval_text, waived_text
from mlops_action.gate_plan import plan_gates
from mlops_action.gates.exact import figures, minus
from mlops_action.gates.groups import GROUP_RULES, between
from mlops_action.imports import numpy_for_gates
from mlops_action.metrics.baseline import Baselines
from mlops_action.records import PlannedGate, Verdict, Verdicts
from mlops_action.repository import Repository
from mlops_action.sanitize import inline
from mlops_action.stores.folder import VERDICTS_FILE
from mlops_action.vocabulary import POLICY_GUARD, VERDICTS_SCHEMA, Outcome

_NUMBER = r"([-+0-9.E]+)"
_NEEDED = re.compile(rf"at (least|most) {_NUMBER}|from {_NUMBER} to {_NUMBER}|{_NUMBER}")
_SHOWN_PARTS = 4 * PARTS


def explain(settings: Settings, context: Context, name: str, file: str, most: int) -> ExitCode:
    """Print all that is known of a gate's verdict.

    Args:
        settings: the options.
        context: the world.
        name: the gate.
        file: a ``verdicts.json``; the latest one's by default.
        most: how many rows at most.

    Raises:
        BadDocument: there is no such document.
        UnknownName: no verdict of that name is in it.
    """
    loaded = load_pipeline(settings, context.cwd)
    path = context.cwd / file if file else loaded.root / settings.options.output_dir / VERDICTS_FILE
    verdicts = load_document(Verdicts, path, VERDICTS_SCHEMA)
    found = {each.gate: each for each in verdicts.verdicts}
    if name not in found:
        raise UnknownName(f"no gate `{name}` was judged", origin=path.name, hint=nearest(name, tuple(found)))
    verdict = found[name]
    lines = [*_lines(verdict), *_guard(verdicts), *_parts(verdict)]
    gate = next((each for each in plan_gates(loaded) if each.name == name), None)
    if gate is not None and gate.predictions is not None and gate.baseline:
        repository = Repository(loaded.root, context.env)
        lines += _rows(gate, verdict, Baselines(loaded.root, repository), most)
    context.out.writelines(f"{inline(line)}\n" for line in lines)
    return ExitCode.PASSED


def _lines(verdict: Verdict) -> Iterator[str]:
    about = {
        "why": verdict.message,
        "rule": f"{verdict.rule}, severity {verdict.severity}, at {verdict.origin}",
        "value": _number(verdict.value) + (f", read at {verdict.reading_origin}" if verdict.reading_origin else ""),
        "slice": verdict.slice,
        "limit": verdict.limit,
        "would pass": verdict.needed,
        "distance": distance(verdict),
        "baseline": _baseline(verdict),
        "could not be judged": verdict.undecided,
    }
    if verdict.evidence is not None:
        about["evidence"] = evidence_text(verdict.evidence)
    yield f"Gate {verdict.gate}: {str(verdict.outcome).upper()}"
    yield from (f"  {key + ':':<21}{text}" for key, text in about.items() if text)
    yield from (f"  {'waiver:':<21}{waived_text(use)}" for use in verdict.waivers)
    yield from (f"  {'note:':<21}{note}" for note in verdict.notes)
    if verdict.hint:
        yield f"  {'hint:':<21}{verdict.hint}"


def distance(verdict: Verdict) -> str:
    """How far the value is from what separates passing from failing; empty where that is no number."""
    value, found = verdict.value, _NEEDED.fullmatch(verdict.needed)
    if verdict.rule in GROUP_RULES:
        worst = verdict.parts[0] if verdict.parts else None
        value = between(verdict.rule, worst.value, worst.baseline_value) if worst is not None else None
    if value is None or not value.is_finite() or found is None:
        return ""
    way, bound, low, high, exact = found.groups()
    try:
        if bound:
            spare = minus(value, Decimal(bound)) if way == "least" else minus(Decimal(bound), value)
        elif low:
            spare = min(minus(value, Decimal(low)), minus(Decimal(high), value))
        else:
            spare = -abs(minus(value, Decimal(exact)))
    except ArithmeticError:
        return ""
    size = figures(spare.copy_abs())[0]
    return f"{size} to spare" if spare > 0 else "at the limit" if not spare else f"{size} beyond the limit"


def _number(value: Decimal | None) -> str:
    return "none" if value is None else str(value)


def _baseline(verdict: Verdict) -> str:
    known = verdict.baseline
    if known is None:
        return ""
    return f"{_number(verdict.baseline_value)}, from {known.resolved} ({known.digest}), named {known.locator}"


def _guard(verdicts: Verdicts) -> Iterator[str]:
    guard = verdicts.guard
    if guard is not None and guard.changes:
        yield f"  {'policy:':<21}this change changes it, see `gate explain {POLICY_GUARD}`"


def _parts(verdict: Verdict) -> Iterator[str]:
    if not verdict.parts:
        return
    yield ""
    yield f"Parts, the worst first ({len(verdict.parts)})"
    for part in verdict.parts[:_SHOWN_PARTS]:
        mark = str(part.outcome) if part.counted else "not counted"
        figures_of = [_number(part.value)] if part.value is not None else []
        figures_of += [f"baseline {part.baseline_value}"] if part.baseline_value is not None else []
        figures_of += [f"{interval_text(part.evidence)}, {part.evidence.rows} rows"] if part.evidence else []
        told = "; ".join([*figures_of, part.message] if part.outcome is not Outcome.PASS else figures_of)
        yield f"  {mark:<12}  {part.name or 'all rows'}: {told}"
    if len(verdict.parts) > _SHOWN_PARTS:
        yield f"  … and {len(verdict.parts) - _SHOWN_PARTS} more"


def _rows(gate: PlannedGate, verdict: Verdict, baselines: Baselines, most: int) -> Sequence[str]:
    """The rows that moved most, in the slice that the verdict is about; or why they cannot be shown."""
    numpy_for_gates()
    from mlops_action.judgement.predictions.files import PredictionFiles
    from mlops_action.judgement.predictions.roles import roles_of
    from mlops_action.metrics.predictions.moved import moved_rows

    planned = gate.predictions
    if planned is None or not planned.id:
        return ["", "Rows cannot be compared: the predictions have no `id`"]
    try:
        with tempfile.TemporaryDirectory(prefix="mlops-action-") as folder:
            files = PredictionFiles(baselines, Path(folder))
            inside = files.compared(planned, gate.baseline).masks.get(verdict.slice)
            baseline, _ = baselines.file(gate.baseline, Path(folder))
            found = moved_rows(files.path_of(planned), baseline, roles_of(planned), inside, most)
    except MlopsError as problem:
        return ["", f"Rows cannot be shown: {problem}"]
    if found is None:
        return ["", f"Rows of the task `{planned.task}` are not shown"]
    where = f" in {verdict.slice}" if verdict.slice else ""
    head = ["", f"Rows that got worse most{where}: `{planned.id}`, truth, before, now (worse by)"]
    lines = [f"  {row.id}: {row.truth}, {row.before}, {row.after} ({row.worse_by:.4g})" for row in found]
    return [*head, *(lines or ["  none got worse"])]
