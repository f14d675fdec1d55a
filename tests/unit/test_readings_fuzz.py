"""Any metric file, any gate: a verdict or a refusal in words, and never a pass out of nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlops_action.config.load import policy_from_text
from mlops_action.errors import MlopsError
from mlops_action.evaluate import evaluate
from mlops_action.gate_plan import plan_gates
from mlops_action.metrics import READERS
from mlops_action.metrics.baseline import Baselines
from mlops_action.metrics.files import reader_for
from mlops_action.records import MetricReading, Verdict
from mlops_action.repository import Repository
from mlops_action.vocabulary import Outcome

ODD = ["NaN", "Infinity", "-Infinity", "-0.0", "1e308", "1e400", "4.9e-324", "1e-400", "true", "null", '"0.9"', '"x"']
ODD += ["0", "1", "-1", "0.5", "0.30000000000000004", "9007199254740993", "[]", "{}", "[1, 2]", '{"b": 3}']
NAMES = ["a", "b", "a.b", "f1[macro]", "*", "", "\u0000", "a/b", "#/a", "ä", "\ud800"]
RULES: list[dict[str, Any]] = [
    {"min": 0},
    {"max": 0},
    {"range": [0, 1]},
    {"equals": 0, "tolerance": 1},
    {"equals": 1, "tolerance": "10%"},
    {"max-drop": "10%", "direction": "higher"},
    {"min-gain": 0, "direction": "lower"},
    {"max-gain": {"absolute": 1, "relative": "1%"}, "direction": "higher"},
    {"ratchet": "5%", "direction": "higher", "history": "history.jsonl"},
    *(
        {"history": "history.jsonl", "history-threshold": {"test": test, "lower-boundary": 0.9, "upper-boundary": 0.9}}
        for test in ("percentage", "z-score", "t-test", "log-normal", "iqr", "delta-iqr")
    ),
]
METRICS = ["a", "a.b", "*", "a*", "#/a", "m.json#/a", "f1[macro]", "gone"]
EXPRESSIONS = ["a", "a / b", "a - b", "'a.b' * a", "min(a, b) / max(a, b)", "1 / (a - a)"]

objects = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ODD), max_size=4).map(
    lambda pairs: "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in pairs.items()) + "}"
)
parts = st.builds(
    lambda what, rule, slice_: {**what, **rule, **slice_},
    st.one_of(
        st.sampled_from(METRICS).map(lambda name: {"metric": name}),
        st.sampled_from(EXPRESSIONS).map(lambda text: {"expression": text}),
    ),
    st.sampled_from(RULES),
    st.sampled_from([{}, {}, {"slice": "c=NO"}, {"slice": "c=*"}]),
)
gates = st.one_of(
    parts,
    st.lists(parts, min_size=1, max_size=3).flatmap(
        lambda several: st.sampled_from([{"all": several}, {"any": several}, {"at-least": 1, "of": several}])
    ),
)


def values_of(verdict: Verdict) -> Iterator[Decimal | None]:
    yield verdict.value
    yield from (part.value for part in verdict.parts if part.outcome is Outcome.PASS)


def check(verdict: Verdict) -> None:
    """What holds of any verdict on anything."""
    assert verdict.message
    if verdict.outcome is Outcome.PASS:
        assert not verdict.undecided
        assert all(value is not None and value.is_finite() for value in values_of(verdict)), verdict
    assert (verdict.outcome is Outcome.INCONCLUSIVE) == bool(verdict.undecided)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(candidate=objects, baseline=objects, history=st.lists(objects, max_size=6), gate=gates)
def test_any_numbers_and_any_gate_end_in_a_verdict(
    folder: Path, candidate: str, baseline: str, history: list[str], gate: dict[str, Any]
) -> None:
    (folder / "baseline.json").write_text(baseline)
    (folder / "history.jsonl").write_text("\n".join(history))
    try:
        loaded = policy_from_text(json.dumps({"gates": {"g": gate}}), "gates.yaml", "baseline.json")
        readings = reader_for("m.json", "m.json").read(candidate.encode(), "m.json")
    except MlopsError as refusal:
        said = str(refusal)
        assert said  # a refusal is right as well
        return
    # A repository that nobody is asked of: there is no process in unit tests, and history files hold no commits.
    known = Offline(folder, Repository(folder, {}))
    for verdict in evaluate(plan_gates(loaded), readings, known).verdicts:
        check(verdict)


class Offline(Baselines):
    """Histories without the question which commit is at hand, which is asked of git."""

    def history(self, locator: str) -> Any:
        from mlops_action.metrics.history import read_history
        from mlops_action.records import BaselineIdentity

        data = (self.root / locator).read_bytes()
        try:
            return read_history(data, locator), BaselineIdentity(locator, locator, "sha256:0")
        except MlopsError as error:
            from mlops_action.errors import BaselineUnavailable

            raise BaselineUnavailable(error.message) from None


@pytest.mark.parametrize("ending", sorted({READERS[each]: each for each in READERS}.values()))
@settings(deadline=None, max_examples=60)
@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='{}[]":,.0123456789eE-+naifNI\n\r\t =<>/?!#abc\\u', max_size=120).map(str.encode),
        objects.map(lambda text: text.encode(errors="replace")),
    )
)
@example(data=b'{"a": 1e999999999}')
@example(data=b"PK\x03\x04" + b"\0" * 60)
@example(data=b"<testsuite><testcase time='1e99999999999'/></testsuite>")
@example(data=b"<testsuite><properties><property/></properties></testsuite>")
@example(data=b'a{b="' + b"\\" * 50)
@example(data=b"a = 1\na.b = 2\n")
@example(data=b"a = 99999999-99-99\n")
@example(data=b"x = 0x\n[a]\n[[a]]")
@example(data=b"&a [*a]")
@example(data=b"a: !!python/object:os.system x")
@example(data=b'{"nbformat": 4, "cells": [{"outputs": [{"data": {"application/json": {"a": {"a": 1}, "a.a": 2}}}]}]}')
@example(
    data=b'{"cells": [1, {"outputs": 2}, {"outputs": [3, {"data": 4}]}, {"metadata": {"tags": 1}, "outputs": []}]}'
)
@example(data=b'{"results": {"t": 1}, "versions": 1, "configs": 1, "n-shot": 1}')
@example(data=b'{"version": 2, "status": "success", "eval": {"task": 1, "model": 1}, "results": {"scores": [1, {}]}}')
@example(data=b'{"results": {"stats": {"successes": 1, "failures": 1}, "prompts": [1, {"metrics": {}}]}}')
@example(data=b'{"results": {"stats": {"successes": NaN, "failures": 1, "errors": 1e400}}}')
@example(data=b'{"info": {"run_id": 1, "status": 1}, "data": {"metrics": [{"key": 1}]}}')
@example(data=b'{"mlflow": {"info": {"run_id": 1, "status": 1}, "metrics": {"a": [], "b": [1], "c": [{"step": "x"}]}}}')
@example(data=b'{"schema": "mlops-action/run/v1", "tool": 1, "plan": {"steps": 1}, "steps": [1, {"readings": [1]}]}')
@example(data=b'{"schema": "mlops-action/manifest/v1", "manifest-id": 1, "results": {"metrics": [1]}, "identity": 1}')
def test_any_bytes_are_read_or_refused_with_their_file(ending: str, data: bytes) -> None:
    name = f"m{ending}"
    try:
        readings: list[MetricReading] = reader_for(name, name).read(data, name)
    except MlopsError as refusal:
        origin, said = refusal.origin, refusal.message
        assert origin.startswith(name)  # a refusal is right as well
        assert said
        return
    for reading in readings:
        assert reading.origin.startswith(name)
        assert reading.value is None or isinstance(reading.value, Decimal)
