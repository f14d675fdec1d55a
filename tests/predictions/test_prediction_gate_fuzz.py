"""Whatever two files of predictions hold: verdicts, never a traceback, and never a pass on what cannot be judged."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import judged, rows, write
from pyarrow import csv, feather, parquet

from mlops_action.records import Verdicts
from mlops_action.vocabulary import Outcome

ODD = st.sampled_from([0.0, -0.0, 1.0, 0.5, math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 2.5, -1.0, None])
NUMBER = st.one_of(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), ODD)
ROW = st.tuples(
    st.integers(0, 9),
    st.sampled_from([0, 1, 1, 0, 2]),
    NUMBER,
    NUMBER,
    st.sampled_from(["a", "b", "b"]),
    st.integers(0, 3),
)
TYPES = {"id": pa.int64(), "label": pa.int64(), "score": pa.float64(), "truth": pa.float64(), "g": pa.string()}
TYPES |= {"c": pa.int64()}
FILES = "file: new.parquet, baseline: old.parquet, slices: [g]"
TESTS = {
    "binary": f"{{{FILES}, task: binary, score: score, id: id}}",
    "binary, alone": f"{{{FILES}, task: binary, score: score}}",
    "binary, clustered": f"{{{FILES}, task: binary, score: score, id: id, cluster: c}}",
    "binary, weighted": f"{{{FILES}, task: binary, score: score, id: id, weight: truth}}",
    "binary, calibrated": f"{{{FILES}, task: binary, score: score, id: id, calibration: true}}",
    "binary, calibrated, clustered": f"{{{FILES}, task: binary, score: score, id: id, calibration: true, cluster: c}}",
    "regression": f"{{{FILES}, task: regression, label: truth, prediction: score, id: id}}",
    "regression, clustered": f"{{{FILES}, task: regression, label: truth, prediction: score, id: id, cluster: c}}",
    "multiclass": f"{{{FILES}, task: multiclass, prediction: c, id: id}}",
    "multiclass, weighted": f"{{{FILES}, task: multiclass, prediction: c, id: id, weight: truth}}",
    "multilabel": f"{{{FILES}, task: multilabel, labels: {{x: label, y: c}}, scores: {{x: score, y: truth}}, id: id}}",
    "ranking": f"{{{FILES}, task: ranking, score: score, query: c, id: id}}",
}
METRICS = {
    "binary": ("accuracy", "roc_auc", "f1", "log_loss", "average_precision", "mcc"),
    "regression": ("mae", "rmse", "r2", "mape"),
    "binary, calibrated": ("ece", "calibration_slope", "calibration_intercept"),
    "multiclass": ("accuracy", "macro_f1", "balanced_accuracy", "mcc"),
    "multilabel": ("x/f1", "subset_accuracy", "hamming_loss", "micro_f1", "macro_f1"),
    "ranking": ("ndcg@5", "mrr"),
}
LIMITS = ("range: [-1.0e+300, 1.0e+300]", "max-drop: 0.5", "max-drop: 10%, slices: all", "groups: g, max-gap: 0.5")


def gates(task: str) -> str:
    lines = []
    for metric in METRICS[task]:
        for place, limit in enumerate(LIMITS):
            more = "min-n: 0, min-positives: 0, min-negatives: 0, direction: higher"
            prove = "" if place % 2 else ", prove: none"
            name = f"{metric.replace('@', '-').replace('/', '-')}-{place}"
            lines.append(f"{name}: {{predictions: test, metric: {metric}, {limit}, {more}{prove}}}")
    return "\n".join(lines)


def table(found: list[tuple[object, ...]]) -> pa.Table:
    columns = dict(zip(TYPES, zip(*found, strict=True), strict=True)) if found else dict.fromkeys(TYPES, ())
    return pa.table({name: pa.array(list(columns[name]), kind) for name, kind in TYPES.items()})


def check(verdicts: Verdicts, *, clean: bool) -> None:
    for each in verdicts.verdicts:
        if each.outcome is Outcome.PASS:
            assert clean, each
            assert each.value is not None
            assert each.value.is_finite()
        for evidence in [each.evidence, *(part.evidence for part in each.parts)]:
            if evidence is not None:
                ends = (evidence.low, evidence.high, evidence.p_value, evidence.adjusted)
                assert all(end is None or end.is_finite() for end in ends)
                assert evidence.p_value is None or 0 <= evidence.p_value <= 1


@pytest.mark.parametrize("name", TESTS)
@settings(max_examples=12, deadline=None)
@given(new=st.lists(ROW, max_size=14), old=st.lists(ROW, max_size=14), unique=st.booleans())
def test_any_two_files_give_verdicts(
    name: str, new: list[tuple[object, ...]], old: list[tuple[object, ...]], unique: bool
) -> None:
    if unique:
        new, old = ([(place, *row[1:]) for place, row in enumerate(found)] for found in (new, old))
    needed = {"score", "label"} if name.startswith(("binary", "ranking")) else {"score", "truth"}
    needed = {"label"} if name.startswith("multiclass") else needed
    needed = (
        {"label", "score", "truth"} if name == "multilabel" else needed | ({"truth"} if "weighted" in name else set())
    )
    odd = any(
        row[list(TYPES).index(column)] is None or not math.isfinite(row[list(TYPES).index(column)])  # type: ignore[arg-type]
        for row in new
        for column in needed
    )
    with tempfile.TemporaryDirectory() as folder:
        for file, found in (("new", new), ("old", old)):
            parquet.write_table(table(found), Path(folder) / f"{file}.parquet")
        verdicts = judged(
            Path(folder),
            gates(next(each for each in sorted(METRICS, reverse=True) if name.startswith(each))),
            TESTS[name],
        )
    check(verdicts, clean=bool(new) and not odd)


GATES = """
floor: {predictions: test, metric: accuracy, min: 0.01}
slices: {predictions: test, metric: roc_auc, max-drop: 0.9, slices: all}
rows: {predictions: test, metric: rows, min: 1}
"""


def written(folder: Path, ending: str) -> Path:
    path = folder / f"new{ending}"
    whole = parquet.read_table(write(folder / "old.parquet", rows(300)))
    if ending == ".parquet":
        parquet.write_table(whole, path)
    elif ending == ".arrow":
        feather.write_feather(whole, path, compression="uncompressed")
    elif ending == ".csv":
        csv.write_csv(whole, path)
    else:
        names = whole.column_names
        lines = [pa.scalar(dict(zip(names, row, strict=True))) for row in zip(*whole.to_pydict().values(), strict=True)]
        path.write_text("\n".join(str(each.as_py()).replace("'", '"') for each in lines) + "\n")
    return path


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".arrow", ".jsonl"])
def test_whole_files_of_every_format_pass(tmp_path: Path, ending: str) -> None:
    written(tmp_path, ending)
    test = f"{{file: new{ending}, baseline: old.parquet, task: binary, score: score, id: id, slices: [region]}}"
    assert judged(tmp_path, GATES, test).outcome is Outcome.PASS


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".arrow", ".jsonl"])
@settings(max_examples=25, deadline=None)
@given(share=st.floats(0, 0.999), flipped=st.lists(st.tuples(st.floats(0, 0.9999), st.integers(1, 255)), max_size=3))
def test_cut_and_damaged_files_give_verdicts(ending: str, share: float, flipped: list[tuple[float, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = written(folder, ending)
        data = bytearray(path.read_bytes())
        for place, bits in flipped:
            data[int(place * len(data))] ^= bits
        cut = data[: int(share * len(data))] if not flipped else data
        path.write_bytes(bytes(cut))
        test = f"{{file: new{ending}, baseline: old.parquet, task: binary, score: score, id: id, slices: [region]}}"
        verdicts = judged(folder, GATES, test)
        if ending in {".parquet", ".arrow"} and not flipped:
            assert all(each.outcome is Outcome.INCONCLUSIVE for each in verdicts.verdicts)


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"PAR1", b"id,label,score\n", b"{}\n", b"\xff\xfe1,2"])
@pytest.mark.parametrize("ending", [".parquet", ".csv", ".arrow", ".jsonl", ".pickle", ""])
def test_what_is_no_file_of_predictions_is_inconclusive(tmp_path: Path, data: bytes, ending: str) -> None:
    (tmp_path / f"new{ending}").write_bytes(data)
    write(tmp_path / "old.parquet", rows(300))
    test = f"{{file: new{ending}, baseline: old.parquet, task: binary, score: score, id: id, slices: [region]}}"
    verdicts = judged(tmp_path, GATES, test)
    assert verdicts.outcome is Outcome.INCONCLUSIVE
    assert all(each.outcome is Outcome.INCONCLUSIVE for each in verdicts.verdicts)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("score", ["0.1", "n/a"] * 150),
        ("label", ["yes", "no", "maybe"] * 100),
        ("score", [[0.1]] * 300),
        ("id", [None, *range(299)]),
        ("region", [None] + ["a"] * 299),
    ],
)
def test_columns_of_the_wrong_kind_are_inconclusive(tmp_path: Path, column: str, values: list[object]) -> None:
    write(tmp_path / "new.parquet", rows(300) | {column: values})
    write(tmp_path / "old.parquet", rows(300))
    found = judged(
        tmp_path,
        GATES.replace("rows: {", "#"),
        "{file: new.parquet, baseline: old.parquet, task: binary, score: score, id: id, slices: [region]}",
    )
    assert all(each.outcome is Outcome.INCONCLUSIVE and each.undecided == "broken" for each in found.verdicts)
