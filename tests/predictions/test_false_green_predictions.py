"""Attempts to get a pass out of predictions that show nothing. None of these may end green."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from mlops_action.config.options import Options
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.errors import ExitCode, MlopsError
from mlops_action.pipeline import Pipeline

Row = dict[str, Any]
COLUMNS = ("id", "y", "s", "p", "c", "w")


def model(good: bool, rows: int = 200) -> list[Row]:
    chance = random.Random(3)
    found = []
    for i in range(rows):
        score = (0.9 if i % 2 else 0.1) if good else chance.random()
        found.append(
            {"id": i, "y": i % 2, "s": score, "p": int(score >= 0.5), "c": "NO" if i % 4 < 2 else "SE", "w": 1}
        )
    return found


def table(rows: list[Row]) -> str:
    return "\n".join([",".join(COLUMNS), *(",".join(str(row[name]) for name in COLUMNS) for row in rows)]) + "\n"


GOOD, BAD = table(model(True)), table(model(False))
FLOOR = "{metric: accuracy, predictions: t, min: 0.9, prove: none}"
DROP = "{metric: accuracy, predictions: t, max-drop: 0.01, prove: none}"
SOFT = "on-missing: warn, on-undefined: warn, on-inconclusive: warn"


def ends(folder: Path, gate: str, keys: str = "label: y, score: s", **files: str) -> tuple[int, str]:
    """The exit code of `gate`; ``p`` is the candidate's file and ``q`` the baseline's."""
    (folder / "mlops.yaml").write_text(
        f"predictions: {{t: {{file: p.csv, task: binary, {keys}}}}}\ngates: {{g: {gate}}}\n"
    )
    (folder / "m.json").write_text("{}")
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    out = StringIO()
    context = Context({"PATH": "/usr/bin:/bin"}, folder, out, lambda: datetime(2026, 11, 29, tzinfo=UTC))
    try:
        return Pipeline(Settings(Options(metrics=("m.json",))), context).gate(""), out.getvalue()
    except MlopsError as error:
        return error.exit_code, str(error)


def test_the_same_project_with_a_good_model_is_green(tmp_path: Path) -> None:
    assert ends(tmp_path, FLOOR, p=GOOD)[0] == ExitCode.PASSED
    assert ends(tmp_path, DROP, "label: y, score: s, id: id, baseline: q.csv", p=GOOD, q=BAD)[0] == ExitCode.PASSED


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("label: y, score: s", ""),
        ("label: y, score: s", "id,y,s,p,c,w\n"),
        ("label: y, score: s", table(model(True, 1))),
        ("label: y, score: s", GOOD.replace("0.9", "nan", 1)),
        ("label: y, score: s", GOOD.replace("\n1,1,", "\n1,2,")),
        ("label: y, score: s", GOOD.replace("\n1,1,", "\n1,,")),
        ("label: y, score: s, positive: 'yes'", GOOD),
        ("label: y, prediction: p, positive: 'yes'", BAD),
        ("label: y, score: s, weight: w", table([{**row, "w": 0} for row in model(False)])),
        ("label: y, score: s, weight: w", table([{**row, "w": -1} for row in model(False)])),
        ("label: yy, score: s", GOOD),
        ("label: y, score: y2", GOOD),
        ("label: y, score: s", BAD),
    ],
)
def test_rows_that_show_nothing_are_not_green(tmp_path: Path, keys: str, text: str) -> None:
    for gate in (FLOOR, f"{FLOOR[:-1]}, {SOFT}}}"):
        code, said = ends(tmp_path, gate, keys, p=text)
        assert code not in {ExitCode.PASSED, ExitCode.BUG}, said


@pytest.mark.parametrize(
    "gate",
    [
        "{metric: acuracy, predictions: t, min: 0}",
        "{metric: accuracy, predictions: t, slice: c=XX, min: 0}",
        "{metric: accuracy, predictions: t, slices: [c], min: 0, min-n: 1000, small-slices: name}",
        "{metric: accuracy, predictions: t, slices: [w2], min: 0}",
        "{metric: accuracy, predictions: u, min: 0}",
        "{metric: accuracy, predictions: t, groups: w, max-gap: 1}",
        "{metric: accuracy, predictions: t, max-drop: 1}",
        "{metric: accuracy, predictions: t, max-drop: 1, baseline: p.csv}",
        "{metric: accuracy, predictions: t, max-drop: 1, baseline: missing.csv}",
    ],
)
def test_a_gate_that_judges_no_rows_is_not_green(tmp_path: Path, gate: str) -> None:
    for words in ("", f", {SOFT}"):
        code, said = ends(tmp_path, f"{gate[:-1]}{words}}}", "label: y, score: s, slices: [c, w]", p=GOOD)
        assert code not in {ExitCode.PASSED, ExitCode.BUG}, said


def shifted(rows: list[Row], by: int) -> str:
    return table([{**row, "id": row["id"] + by} for row in rows])


@pytest.mark.parametrize(
    ("candidate", "baseline"),
    [
        (BAD, GOOD),
        (GOOD, shifted(model(True), 1000)),
        (GOOD, shifted(model(True), 197)),
        (GOOD + GOOD.split("\n", 1)[1], GOOD),
        (GOOD, GOOD + GOOD.split("\n", 1)[1]),
        (table([row for row in model(False) if row["p"] == row["y"]]), GOOD),
        (GOOD, "id,y,s,p,c,w\n"),
        (GOOD, "nothing\n1\n"),
    ],
    ids=[
        "worse",
        "no row shared",
        "three rows shared",
        "twice",
        "baseline twice",
        "easy rows",
        "empty",
        "another file",
    ],
)
@pytest.mark.parametrize("prove", ["none", "fail", "pass"])
def test_a_comparison_that_shows_nothing_is_not_green(
    tmp_path: Path, candidate: str, baseline: str, prove: str
) -> None:
    gate = f"{{metric: accuracy, predictions: t, max-drop: 0.01, prove: {prove}}}"
    keys = "label: y, score: s, id: id, baseline: q.csv"
    code, said = ends(tmp_path, gate, keys, p=candidate, q=baseline)
    assert code not in {ExitCode.PASSED, ExitCode.BUG}, said


def test_a_slice_that_is_gone_is_not_green(tmp_path: Path) -> None:
    gate = "{metric: accuracy, predictions: t, slices: [c], max-drop: 0.5}"
    rest = table([row for row in model(True) if row["c"] == "NO"])
    code, said = ends(tmp_path, gate, "label: y, score: s, id: id, slices: [c], baseline: q.csv", p=rest, q=GOOD)
    assert code == ExitCode.INCONCLUSIVE, said
