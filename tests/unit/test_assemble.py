from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlops_action.assemble import (
    MANIFEST_SCHEMA,
    assemble,
    check_manifest,
    encode_manifest,
    lost_kinds,
    portable,
)
from mlops_action.canonical import canonical_bytes, digest_of, pretty_bytes
from mlops_action.codec import decode, encode
from mlops_action.errors import BadDocument
from mlops_action.records import (
    BaselineIdentity,
    CellSelection,
    Fact,
    Failure,
    FileState,
    GuardReport,
    KernelChoice,
    Manifest,
    MetricReading,
    Plan,
    PlannedGate,
    PlannedParameter,
    PlannedStep,
    RunResult,
    StepLimits,
    StepResult,
    Uncaptured,
    Verdict,
    Verdicts,
    Waiver,
    WaiverUse,
)
from mlops_action.vocabulary import FailureKind, Outcome, StepStatus, WaiverState

PYTHON = KernelChoice("python3", "/k/python3", "python", ("python3", "-m", "ipykernel_launcher"))
SECRET = "s3cr3t-value"


def parameter(name: str, value: Any) -> PlannedParameter:
    return PlannedParameter(name, value, "mlops.yaml:9:5")


RAW = FileState("data/raw.csv", 10, "aa" * 32)
OTHER = FileState("data/other.csv", 11, "bb" * 32)
MODEL = FileState("model/model.bin", 5, "cc" * 32)
PARAMETERS = (parameter("C", 0.5), parameter("features", 30), parameter("api_token", SECRET))
STEPS = (
    PlannedStep(
        "train",
        "mlops.yaml:4:3",
        notebook="notebooks/train.ipynb",
        kernel=PYTHON,
        cells=CellSelection(tags=("b", "a")),
        parameters=PARAMETERS,
        inputs=("data/*.csv",),
        outputs=("model/*",),
    ),
    PlannedStep(
        "evaluate", "mlops.yaml:12:3", code="print(1)", kernel=PYTHON, needs=("train", "a"), metrics=("m.json",)
    ),
)
GATES = (
    PlannedGate("accuracy", "accuracy", "min", {"min": 0.9}, "gates.yaml:2:3"),
    PlannedGate("loss", "loss", "max-drop", {"relative": "0.01"}, "gates.yaml:5:3", "lower", "git::m.json", "warn"),
)
RESULTS = (
    StepResult(
        "train",
        StepStatus.OK,
        started="2026-01-01T00:00:00.000Z",
        seconds=1.5,
        notebook_digest="sha256:" + "11" * 32,
        kernel=PYTHON,
        parameters=PARAMETERS,
        inputs_before=(RAW, OTHER),
        inputs_after=(OTHER, RAW),
        outputs_after=(MODEL,),
    ),
    StepResult(
        "evaluate",
        StepStatus.OK,
        notebook_digest="sha256:" + "22" * 32,
        inputs_before=(MODEL,),
        inputs_after=(MODEL,),
        readings=(
            MetricReading("accuracy", Decimal("0.93"), "m.json#/accuracy", "evaluate"),
            MetricReading("huge", Decimal(2**53 + 1), "m.json#/huge", "evaluate"),
            MetricReading("broken", None, "m.json#/broken", "evaluate"),
        ),
    ),
)
FACTS = (
    Fact("source", {"tree": "abc", "subfolder": ""}, {"commit": "def", "remote": "https://h/r"}, {"dirty": False}),
    Fact("data", [{"path": "d.csv", "size": 1, "sha256": "ee" * 32}]),
    Fact("ci", None, None, {"system": "github"}, (Uncaptured("something", "of a reason"),)),
)
RUN = RunResult(
    "mlops-action/run/v1",
    "0.1.0",
    "2026-01-01T00:00:00.000Z",
    "2026-01-01T00:01:00.000Z",
    Plan("mlops.yaml", "/home/me/project", "out", STEPS, GATES),
    RESULTS,
    FACTS,
    ("PATH", "HOME"),
)
VERDICTS = Verdicts(
    "mlops-action/verdicts/v1",
    "0.1.0",
    Outcome.PASS,
    "all gates passed",
    (
        Verdict(
            "accuracy",
            Outcome.PASS,
            "accuracy",
            "0.93 is at least 0.9",
            "min",
            "block",
            "gates.yaml:2:3",
            value=Decimal("0.93"),
            baseline=BaselineIdentity("git::m.json", "git:abc:m.json", "sha256:00"),
        ),
    ),
)


def identity_of(run: RunResult) -> Any:
    return assemble(run, VERDICTS).identity


def id_of(run: RunResult) -> str:
    return assemble(run, VERDICTS).manifest_id


def with_steps(run: RunResult, change: Callable[[PlannedStep], PlannedStep]) -> RunResult:
    return replace(run, plan=replace(run.plan, steps=tuple(change(step) for step in run.plan.steps)))


def with_results(run: RunResult, change: Callable[[StepResult], StepResult]) -> RunResult:
    return replace(run, steps=tuple(change(result) for result in run.steps))


def with_parameters(run: RunResult, *parameters: PlannedParameter) -> RunResult:
    planned = with_steps(run, lambda step: replace(step, parameters=parameters))
    return with_results(planned, lambda result: replace(result, parameters=parameters))


def test_the_identity_holds_code_data_parameters_and_gates() -> None:
    identity = identity_of(RUN)
    assert identity["format"] == MANIFEST_SCHEMA
    assert identity["source"] == {"tree": "abc", "subfolder": ""}
    assert identity["steps"][0] == {
        "name": "train",
        "notebook-digest": "sha256:" + "11" * 32,
        "kernel": "python3",
        "parameters": {"C": 0.5, "features": 30, "api_token": "***"},
        "parameter-kinds": {},
        "cells": {"tags": ["a", "b"], "skip-tags": [], "ids": [], "index": ""},
        "needs": [],
        "inputs": [{"path": each.path, "sha256": each.sha256} for each in (OTHER, RAW)],
    }
    assert {gate["name"] for gate in identity["gates"]} == {"accuracy", "loss"}
    assert "gates.yaml" not in json.dumps(identity)


def test_the_id_is_the_digest_of_the_identity_alone() -> None:
    manifest = assemble(RUN, VERDICTS)
    assert manifest.manifest_id == digest_of(manifest.identity)


def test_the_same_records_give_the_same_bytes() -> None:
    assert encode_manifest(assemble(RUN, VERDICTS)) == encode_manifest(assemble(RUN, VERDICTS))


def test_the_bytes_of_the_file_are_canonical_and_end_in_a_newline() -> None:
    manifest = assemble(RUN, VERDICTS)
    data = encode_manifest(manifest)
    assert data == canonical_bytes(encode(manifest)) + b"\n"
    assert canonical_bytes(json.loads(data)) + b"\n" == data


def test_a_run_read_back_from_its_file_gives_the_same_manifest() -> None:
    odd = with_parameters(RUN, parameter("whole", 1.0), parameter("text", "1.0"), parameter("nan", math.inf))
    run = decode(RunResult, json.loads(pretty_bytes(encode(odd))), "run.json")
    verdicts = decode(Verdicts, json.loads(pretty_bytes(encode(VERDICTS))), "verdicts.json")
    assert encode_manifest(assemble(run, verdicts)) == encode_manifest(assemble(odd, VERDICTS))


def test_a_manifest_read_back_is_the_same_manifest() -> None:
    manifest = assemble(RUN, VERDICTS)
    assert decode(Manifest, json.loads(encode_manifest(manifest)), "manifest.json") == manifest


@given(st.randoms(use_true_random=False))
def test_a_shuffled_order_of_what_has_no_order_gives_the_same_id(random: Random) -> None:
    def shuffled(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(items, len(items)))

    def shuffled_result(result: StepResult) -> StepResult:
        return replace(
            result,
            inputs_before=shuffled(result.inputs_before),
            parameters=shuffled(result.parameters),
            readings=shuffled(result.readings),
        )

    def shuffled_step(step: PlannedStep) -> PlannedStep:
        return replace(step, cells=replace(step.cells, tags=shuffled(step.cells.tags)), needs=shuffled(step.needs))

    run = with_steps(with_results(RUN, shuffled_result), shuffled_step)
    run = replace(run, facts=shuffled(run.facts), plan=replace(run.plan, gates=shuffled(run.plan.gates)))
    assert id_of(run) == id_of(RUN)


@pytest.mark.parametrize(
    "change",
    [
        lambda run: replace(run, started="2027-01-01T00:00:00.000Z", finished="2027-01-01T01:00:00.000Z"),
        lambda run: replace(run, tool="9.9.9", environment=()),
        lambda run: replace(run, plan=replace(run.plan, root="/elsewhere", output_dir="other", config="x.yaml")),
        lambda run: with_steps(
            run, lambda step: replace(step, origin="elsewhere:1:1", limits=StepLimits(timeout_seconds=7))
        ),
        lambda run: with_results(run, lambda result: replace(result, seconds=99.0, executed="a.ipynb", readings=())),
        lambda run: with_results(run, lambda result: replace(result, outputs_before=(RAW,))),
        lambda run: replace(run, facts=tuple(replace(f, locator="x", observation="y") for f in run.facts)),
        lambda run: replace(
            run, plan=replace(run.plan, gates=tuple(replace(g, origin="elsewhere") for g in run.plan.gates))
        ),
    ],
)
def test_times_places_and_results_leave_the_id_alone(change: Callable[[RunResult], RunResult]) -> None:
    assert id_of(change(RUN)) == id_of(RUN)


@pytest.mark.parametrize(
    "change",
    [
        lambda run: replace(run, facts=run.facts[1:]),
        lambda run: replace(run, plan=replace(run.plan, gates=run.plan.gates[1:])),
        lambda run: replace(
            run, plan=replace(run.plan, gates=tuple(replace(g, severity="warn") for g in run.plan.gates))
        ),
        lambda run: with_steps(run, lambda step: replace(step, cells=CellSelection(index="0"))),
        lambda run: with_steps(run, lambda step: replace(step, needs=("other",))),
        lambda run: with_results(run, lambda result: replace(result, notebook_digest="sha256:00")),
        lambda run: with_results(run, lambda result: replace(result, kernel=replace(PYTHON, name="other"))),
        lambda run: replace(run, plan=replace(run.plan, steps=run.plan.steps[::-1])),
        lambda run: with_parameters(run, parameter("C", 0.25)),
    ],
)
def test_another_code_kernel_gate_or_order_is_another_id(change: Callable[[RunResult], RunResult]) -> None:
    assert id_of(change(RUN)) != id_of(RUN)


@given(st.integers(0, 63), st.sampled_from("0123456789abcdef"))
def test_one_other_digit_in_the_digest_of_an_input_is_another_id(place: int, digit: str) -> None:
    sha = RAW.sha256[:place] + digit + RAW.sha256[place + 1 :]
    run = with_results(RUN, lambda result: replace(result, inputs_before=(replace(RAW, sha256=sha), OTHER)))
    base = with_results(RUN, lambda result: replace(result, inputs_before=(RAW, OTHER)))
    assert (id_of(run) == id_of(base)) == (sha == RAW.sha256)


def json_values(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=5,
    )


def exact(value: Any) -> Any:
    """Equal exactly for values that a notebook could not tell apart (but for the sign of zero)."""
    if isinstance(value, dict):
        return ("dict", sorted((key, exact(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("list", [exact(item) for item in value])
    return (type(value).__name__, repr(value + 0 if isinstance(value, float) else value))


@given(json_values(st.text(max_size=3)), json_values(st.text(max_size=3)))
@example(1, 1.0)
@example(1, True)
@example(2**53, str(2**53))
@example(2**53, float(2**53))
@example(math.nan, "nan")
@example([1.0, 2], [1, 2.0])
@example({"a": 1.0}, {"a": 1})
@example({"a": None, "b": None}, {"b": None, "a": None})
def test_parameters_that_differ_in_value_or_kind_give_different_ids(one: Any, two: Any) -> None:
    ids = [id_of(with_parameters(RUN, parameter("p", value))) for value in (one, two)]
    assert (ids[0] == ids[1]) == (exact(one) == exact(two))


@pytest.mark.parametrize(
    ("value", "written", "kinds"),
    [
        (1, 1, {}),
        (1.0, 1.0, {"/p": "float"}),
        (True, True, {}),
        (2**53 - 1, 2**53 - 1, {}),
        (2**53, "9007199254740992", {"/p": "integer"}),
        (-(2**70), str(-(2**70)), {"/p": "integer"}),
        (math.nan, "nan", {"/p": "float"}),
        ([0.5, {"a/b": 2.0}], [0.5, {"a/b": 2.0}], {"/p/1/a~1b": "float"}),
        ("\ud800", "\\ud800", {}),
    ],
)
def test_values_that_canonical_json_cannot_hold_travel_as_text(value: Any, written: Any, kinds: dict[str, str]) -> None:
    step = identity_of(with_parameters(RUN, parameter("p", value)))["steps"][0]
    assert step["parameters"] == {"p": written}
    assert step["parameter-kinds"] == kinds
    encode_manifest(assemble(with_parameters(RUN, parameter("p", value)), VERDICTS))


@given(json_values(st.text(st.characters(exclude_categories=()), max_size=5)))
def test_every_portable_value_has_canonical_bytes(value: Any) -> None:
    canonical_bytes(portable(value))
    canonical_bytes(lost_kinds(value))


def test_a_file_that_an_earlier_step_wrote_is_named_by_that_step() -> None:
    assert identity_of(RUN)["steps"][1]["inputs"] == [{"path": "model/model.bin", "from": "train"}]
    assert assemble(RUN, VERDICTS).results["steps"][1]["inputs"] == [encode(MODEL)]
    other = replace(MODEL, sha256="dd" * 32)
    rerun = replace(
        RUN, steps=(replace(RESULTS[0], outputs_after=(other,)), replace(RESULTS[1], inputs_before=(other,)))
    )
    assert id_of(rerun) == id_of(RUN)


def test_a_metric_file_that_a_later_step_reads_is_named_by_its_step() -> None:
    metric = FileState("m.json", 3, "ff" * 32)
    last = PlannedStep("report", "mlops.yaml:20:3", kernel=PYTHON)
    run = replace(
        RUN,
        plan=replace(RUN.plan, steps=(*STEPS, last)),
        steps=(*RESULTS, StepResult("report", StepStatus.OK, inputs_before=(metric,), inputs_after=(metric,))),
    )
    assert identity_of(run)["steps"][2]["inputs"] == [{"path": "m.json", "from": "evaluate"}]


def test_an_input_of_the_step_that_overwrites_it_stays_an_input() -> None:
    result = replace(RESULTS[0], inputs_before=(MODEL,), inputs_after=(MODEL,))
    run = replace(RUN, steps=(result, RESULTS[1]))
    assert identity_of(run)["steps"][0]["inputs"] == [{"path": MODEL.path, "sha256": MODEL.sha256}]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_token", SECRET),
        ("dbPassword", [SECRET]),
        ("settings", {"db": {"password": SECRET}}),
        ("accounts", [{"auth-token": SECRET}]),
    ],
)
def test_a_secret_parameter_leaves_a_mask_an_entry_and_no_digest(name: str, value: Any) -> None:
    run = with_parameters(RUN, parameter(name, value))
    manifest = assemble(run, VERDICTS)
    other = json.loads(json.dumps(value).replace(SECRET, "another"))
    assert SECRET.encode() not in encode_manifest(manifest)
    assert f"parameter `{name}` of step `train`" in [gap.what for gap in manifest.completeness]
    assert manifest.manifest_id == id_of(with_parameters(RUN, parameter(name, other)))


def test_parameters_that_hold_no_secret_are_not_reported_as_one() -> None:
    run = with_parameters(RUN, parameter("a", math.nan), parameter("b", (1, 2)), parameter("c", {"d": [1.0]}))
    assert [gap for gap in assemble(run, VERDICTS).completeness if "parameter" in gap.what] == []


def test_inputs_that_changed_during_the_run_are_listed_and_warned_about() -> None:
    changed = replace(RAW, sha256="00" * 32)
    run = with_results(RUN, lambda r: replace(r, inputs_after=(changed,)) if r.name == "train" else r)
    manifest = assemble(run, VERDICTS)
    assert manifest.observation["inputs-changed-during-run"] == [
        {"step": "train", "path": "data/other.csv"},
        {"step": "train", "path": "data/raw.csv"},
    ]
    assert "input `data/raw.csv` of step `train`" in [gap.what for gap in manifest.completeness]
    assert manifest.manifest_id == id_of(RUN)
    assert assemble(RUN, VERDICTS).observation["inputs-changed-during-run"] == []


def test_a_step_that_broke_off_before_looking_again_has_no_changed_inputs() -> None:
    failure = Failure(FailureKind.RAISED, f"boom {SECRET}")
    result = replace(RESULTS[0], status=StepStatus.FAILED, inputs_after=(), failure=failure)
    manifest = assemble(replace(RUN, steps=(result, RESULTS[1])), VERDICTS)
    assert manifest.observation["inputs-changed-during-run"] == []
    assert manifest.results["steps"][0]["failure"] == "raised"
    assert SECRET.encode() not in encode_manifest(manifest)


def test_what_was_not_run_and_not_judged_is_told_missing() -> None:
    failed = replace(RESULTS[0], status=StepStatus.FAILED)
    manifest = assemble(replace(RUN, steps=(failed,)), replace(VERDICTS, verdicts=(), outcome=Outcome.INCONCLUSIVE))
    gaps = {gap.what: gap.why for gap in manifest.completeness}
    assert gaps["results of step `train`"] == "it ended with `failed`"
    assert gaps["results of step `evaluate`"] == "it was not run"
    assert gaps["code of step `evaluate`"] == "it was never read"
    assert gaps["verdicts"] == "no gate was judged"
    assert gaps["something"] == "of a reason"


def test_a_run_without_gates_has_no_verdicts_and_says_so() -> None:
    manifest = assemble(RUN, None)
    assert manifest.results["verdicts"] is None
    assert Uncaptured("verdicts", "no gate was judged") in manifest.completeness
    assert manifest.manifest_id == id_of(RUN)


def test_each_missing_thing_is_told_once_in_a_fixed_order() -> None:
    gaps = (Uncaptured("z", "1"), Uncaptured("a", "2"))
    run = replace(RUN, facts=(Fact("x", uncaptured=gaps), Fact("y", uncaptured=gaps[::-1])))
    found = [gap for gap in assemble(run, VERDICTS).completeness if gap in gaps]
    assert found == [gaps[1], gaps[0]]


def test_results_hold_status_outputs_metrics_and_verdicts() -> None:
    results = assemble(RUN, VERDICTS).results
    assert results["steps"][0]["status"] == "ok"
    assert results["steps"][0]["outputs-after"] == [encode(MODEL)]
    assert [reading["value"] for reading in results["metrics"]] == [0.93, "9007199254740993", None]
    assert results["verdicts"]["outcome"] == "pass"
    assert results["verdicts"]["verdicts"][0]["baseline"]["digest"] == "sha256:00"


def test_results_hold_the_waivers_and_what_the_target_branch_s_policy_said() -> None:
    use = WaiverUse(
        Waiver("loss", "harder set", "Kari", "2026-12-31", "w.yaml:2:5"), WaiverState.USED, "Ola", ("look",)
    )
    guard = GuardReport("main", "abc", "block", Outcome.FAIL, "1 gate: 1 failed.", ("gate `a` is gone",))
    verdict = replace(VERDICTS.verdicts[0], outcome=Outcome.WARN, waivers=(use,))
    manifest = assemble(RUN, replace(VERDICTS, verdicts=(verdict,), waivers=(use,), guard=guard))
    said = manifest.results["verdicts"]
    assert said["waivers"][0]["waiver"]["approver"] == "Kari"
    assert said["verdicts"][0]["waivers"][0]["flags"] == ["look"]
    assert said["guard"]["changes"] == ["gate `a` is gone"]
    check_manifest(encode(manifest))


def test_a_key_of_a_gate_that_came_later_and_is_left_out_leaves_the_id_alone() -> None:
    keys = identity_of(RUN)["gates"][0].keys()
    assert keys == {"name", "metric", "rule", "limits", "direction", "baseline", "severity", "slice"}
    softer = replace(RUN, plan=replace(RUN.plan, gates=tuple(replace(g, on_missing="warn") for g in RUN.plan.gates)))
    assert id_of(softer) != id_of(RUN)


def test_times_and_claims_are_observations_and_places_are_locators() -> None:
    manifest = assemble(RUN, VERDICTS)
    assert manifest.observation["ci"] == {"system": "github"}
    assert manifest.observation["started"] == RUN.started
    assert manifest.observation["environment-variables"] == ["HOME", "PATH"]
    assert manifest.locator["source"]["commit"] == "def"
    assert manifest.locator["notebooks"] == {"train": "notebooks/train.ipynb"}
    assert b"/home/me" not in encode_manifest(manifest)


def checked(change: Callable[[Any], None]) -> None:
    data = json.loads(encode_manifest(assemble(RUN, VERDICTS)))
    change(data)
    check_manifest(data)


def test_our_own_manifest_passes_its_check() -> None:
    checked(lambda data: None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.pop("identity"), "identity"),
        (lambda data: data.update(extra=1), "extra"),
        (lambda data: data["completeness"].append({"what": 1, "why": "x"}), "/completeness/"),
        (lambda data: data.update(schema="mlops-action/manifest/v0"), "/schema"),
        (lambda data: data["identity"].update(format="other"), "/manifest-id"),
        (lambda data: data["identity"].update(format=2**60), "/identity"),
    ],
)
def test_a_manifest_that_was_tampered_with_is_refused(change: Callable[[Any], None], message: str) -> None:
    with pytest.raises(BadDocument, match=message):
        checked(change)
