"""The results of all shards become those of one run, or an error says what is missing."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlops_action import __version__
from mlops_action.canonical import pretty_bytes
from mlops_action.codec import encode
from mlops_action.config.options import Options
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.errors import ExitCode, MlopsError, Problems, UsageError
from mlops_action.merge import Part, folders_of, merged
from mlops_action.pipeline import Pipeline
from mlops_action.records import Fact, Failure, MetricReading, Plan, PlannedStep, RunResult, StepResult
from mlops_action.shard import part_of
from mlops_action.vocabulary import RUN_SCHEMA, FailureKind, StepStatus

CONFIG = """
steps: {prepare: {code: "1"}, train: {code: "2", needs: [prepare]}, report: {code: "3"}}
gates: {floor: {metric: accuracy, min: 0.9}}
"""
WHOLE = Plan(
    "mlops.yaml",
    "/runner/work",
    "mlops-out",
    (
        PlannedStep("prepare", "mlops.yaml:2:9"),
        PlannedStep("train", "mlops.yaml:2:31", needs=("prepare",)),
        PlannedStep("report", "mlops.yaml:2:70"),
    ),
    gates=(),
)
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def result(name: str, accuracy: str = "0.95") -> StepResult:
    readings = (
        (MetricReading("accuracy", Decimal(accuracy), "metrics.json#/accuracy", name),) if name == "train" else ()
    )
    return StepResult(name, StepStatus.OK, executed=f"notebooks/{name}.ipynb", readings=readings)


def shard(number: int, count: int = 2, whole: Plan = WHOLE, **more: Any) -> RunResult:
    plan = part_of(whole, f"{number}/{count}", "--shard")
    steps = tuple(result(step.name) for step in plan.steps)
    started = f"2026-01-01T00:0{number}:00.000Z"
    return RunResult(RUN_SCHEMA, __version__, started, f"2026-01-01T01:0{number}:00.000Z", plan, steps, **more)


def parts(*runs: RunResult) -> list[Part]:
    return [Part(Path(f"/parts/{i}"), f"part-{i}", run) for i, run in enumerate(runs, start=1)]


def refused(*runs: RunResult) -> list[str]:
    with pytest.raises(Problems) as caught:
        merged(parts(*runs))
    return [str(problem) for problem in caught.value.problems]


def test_merged_shards_are_one_run_in_the_order_of_the_plan() -> None:
    run = merged(parts(shard(2), shard(1)))
    assert [step.name for step in run.steps] == ["prepare", "train", "report"]
    assert run.plan.steps == WHOLE.steps
    assert (run.plan.shard, run.plan.shard_of, run.plan.shard_steps) == ("", "", ())
    assert (run.started, run.finished) == ("2026-01-01T00:01:00.000Z", "2026-01-01T01:02:00.000Z")


def test_the_order_in_which_parts_are_named_makes_no_difference() -> None:
    facts = (Fact("source", identity={"tree": "a"}),)
    one, two = shard(1, facts=facts), shard(2, facts=facts)
    assert encode(merged(parts(one, two))) == encode(merged(parts(two, one)))


def test_empty_shards_are_needed_as_much_as_others() -> None:
    assert [step.name for step in merged(parts(shard(1, 3), shard(2, 3), shard(3, 3))).steps] == [
        "prepare",
        "train",
        "report",
    ]
    assert refused(shard(1, 3), shard(2, 3)) == ["part 3 of 3 is missing"]


def test_missing_parts_are_counted_by_their_numbers() -> None:
    assert refused(shard(2, 4)) == ["parts 1, 3, 4 of 4 are missing"]


def test_a_part_that_is_named_twice_is_refused() -> None:
    assert refused(shard(1), shard(1), shard(2)) == ["part-1, part-2: part 1/2 is there 2 times: part-1, part-2"]


def test_a_run_that_is_no_shard_is_refused() -> None:
    whole = replace(shard(1), plan=WHOLE)
    assert "part-2: this run is not a part of one" in refused(shard(1), whole)


OTHER_STEPS = replace(WHOLE, steps=(*WHOLE.steps, PlannedStep("more", "mlops.yaml:3:1")))


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (shard(2, whole=OTHER_STEPS), "the plan"),
        (replace(shard(2), tool="0.0.1"), "the version of mlops-action"),
        (shard(2, 3), "the number of parts"),
        (shard(2, facts=(Fact("source", identity={"tree": "b"}),)), "the source tree"),
    ],
    ids=["plan", "version", "count", "source"],
)
def test_parts_of_different_runs_are_refused_with_what_differs(other: RunResult, what: str) -> None:
    (said,) = refused(shard(1, facts=(Fact("source", identity={"tree": "a"}),)), other)
    assert said.startswith(f"part-2: {what}")
    assert said.endswith("is another one than in part-1")


def test_a_step_that_no_part_ran_is_refused() -> None:
    assert refused(replace(shard(1), steps=()), shard(2)) == [
        "step `prepare` was run by 0 parts instead of one",
        "step `train` was run by 0 parts instead of one",
    ]


def test_facts_of_all_parts_are_joined_and_contradictions_are_said() -> None:
    def facts(python: str, machine: str) -> tuple[Fact, ...]:
        return (
            Fact("python", identity=[{"kernels": [python]}]),
            Fact("platform", identity={"system": "Linux", "machine": machine}),
            Fact("data"),
        )

    run = merged(parts(shard(1, facts=facts("a", "x86_64")), shard(2, facts=facts("b", "arm64"))))
    python, platform, data = run.facts
    assert python.identity == [{"kernels": ["a"]}, {"kernels": ["b"]}]
    assert platform.identity == {"system": "Linux", "machine": "x86_64"}
    assert [gap.what for gap in platform.uncaptured] == ["fact `platform` of all parts"]
    assert data == Fact("data")


class Folder:
    """A project, with the output folders of its shards beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.out = io.StringIO()
        (root / "mlops.yaml").write_text(CONFIG)

    def put(self, name: str, run: RunResult, notebooks: bool = True) -> str:
        folder = self.root / name
        (folder / "notebooks").mkdir(parents=True)
        (folder / "run.json").write_bytes(pretty_bytes(encode(run)))
        for step in run.steps if notebooks else ():
            (folder / step.executed).write_text(json.dumps(NOTEBOOK | {"metadata": {"step": step.name}}))
        return name

    def merge(self, folders: Sequence[str], **options: Any) -> ExitCode:
        context = Context({}, self.root, self.out, lambda: datetime(2026, 1, 1, tzinfo=UTC))
        return Pipeline(Settings(Options(folders=tuple(folders), **options)), context).merge()

    def read(self, name: str) -> Any:
        return json.loads((self.root / "mlops-out" / name).read_bytes())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_merge_writes_and_judges_what_a_run_would(folder: Folder) -> None:
    assert folder.merge([folder.put("one", shard(1)), folder.put("two", shard(2))]) == ExitCode.PASSED
    assert folder.read("verdicts.json")["outcome"] == "pass"
    assert [step["name"] for step in folder.read("run.json")["steps"]] == ["prepare", "train", "report"]
    assert folder.read("notebooks/train.ipynb")["metadata"]["step"] == "train"
    assert folder.read("manifest.json")["manifest-id"].startswith("sha256:")
    assert (folder.root / "mlops-out/report.md").is_file()


def test_a_gate_that_fails_on_merged_readings_fails_the_merge(folder: Folder) -> None:
    bad = shard(1)
    bad = replace(bad, steps=tuple(result(step.name, "0.5") for step in bad.steps))
    assert folder.merge([folder.put("one", bad), folder.put("two", shard(2))]) == ExitCode.GATE_FAILED


def test_a_failed_step_of_one_shard_fails_the_merge(folder: Folder) -> None:
    bad = shard(2)
    failure = Failure(FailureKind.RAISED, "it raised")
    bad = replace(bad, steps=tuple(replace(step, status=StepStatus.FAILED, failure=failure) for step in bad.steps))
    assert folder.merge([folder.put("one", shard(1)), folder.put("two", bad)]) == ExitCode.STEP_FAILED
    assert folder.read("verdicts.json")["outcome"] == "inconclusive"


def test_gates_that_were_asked_for_at_the_merge_are_the_ones_that_count(folder: Folder) -> None:
    named = [folder.put("one", shard(1)), folder.put("two", shard(2))]
    assert folder.merge(named, gates="high: {metric: accuracy, min: 0.99}") == ExitCode.GATE_FAILED


def test_run_files_may_be_named_instead_of_their_folders(folder: Folder) -> None:
    named = [f"{folder.put('one', shard(1))}/run.json", f"{folder.put('two', shard(2))}/run.json"]
    assert folder.merge(named) == ExitCode.PASSED


def test_a_folder_without_results_is_named_in_the_error(folder: Folder) -> None:
    with pytest.raises(Problems) as caught:
        folder.merge([folder.put("one", shard(1)), "nowhere"])
    assert "nowhere" in str(caught.value.problems[0])


def test_an_executed_notebook_that_is_missing_is_an_error(folder: Folder) -> None:
    with pytest.raises(MlopsError, match=r"notebooks/prepare\.ipynb cannot be read") as caught:
        folder.merge([folder.put("one", shard(1), notebooks=False), folder.put("two", shard(2))])
    assert caught.value.origin == "one"
    assert not (folder.root / "mlops-out").exists()


def test_the_merge_does_not_replace_the_folders_that_it_reads(folder: Folder) -> None:
    named = [folder.put("mlops-out", shard(1)), folder.put("two", shard(2))]
    with pytest.raises(UsageError, match="would replace those in mlops-out"):
        folder.merge(named)
    assert (folder.root / "mlops-out/run.json").is_file()


def test_a_pattern_names_the_folders_that_it_matches_each_once(tmp_path: Path) -> None:
    for name in ("parts/1", "parts/2", "other"):
        (tmp_path / name).mkdir(parents=True)
    assert folders_of(["parts/*", "parts/1"], tmp_path) == ["parts/1", "parts/2"]
    assert folders_of([f"{tmp_path}/parts/*"], tmp_path) == [f"{tmp_path}/parts/1", f"{tmp_path}/parts/2"]
    for wrong in (["part/*"], []):
        with pytest.raises(UsageError):
            folders_of(wrong, tmp_path)
