"""A step is taken from the cache only while nothing that it is made of changed, and never on a guess."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from mlops_action.assemble import assemble
from mlops_action.cache_key import Made
from mlops_action.context import Context
from mlops_action.digests import file_states
from mlops_action.executors.local import LocalExecutor
from mlops_action.kernels.interface import KernelBackend
from mlops_action.kernels.interrupt import Interrupt
from mlops_action.records import (
    CellSelection,
    Fact,
    KernelChoice,
    MetricReading,
    Plan,
    PlannedParameter,
    PlannedStep,
    RunResult,
    StepResult,
    Uncaptured,
)
from mlops_action.redact import Redactor
from mlops_action.step_cache import StepCache, prune
from mlops_action.stores.cache import CacheStore, Damaged
from mlops_action.stores.folder import FolderStore
from mlops_action.vocabulary import RUN_SCHEMA, StepStatus
from mlops_action.workshop import RunLog, Workshop

SECRET = "hunter2-hunter2"
PACKAGE = {"name": "numpy", "version": "2.0", "record": "sha256:aa"}
PYTHON = {"kernels": ["python3"], "implementation": "cpython", "version": "3.12.1", "distributions": [PACKAGE]}
FACTS = {
    "source": Fact("source", identity={"tree": "abc"}),
    "python": Fact("python", identity=[PYTHON]),
    "platform": Fact("platform", identity={"system": "Linux", "machine": "x86_64"}),
    "image": Fact("image", identity={"container": False}),
}


class Project:
    """A project with one step, and what its notebook would do."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "data").mkdir()
        (root / "data/train.csv").write_text("1,2\n")
        self.kernel = KernelChoice("python3", str(root / "k"), "python", ("/venv/bin/python",))
        self.step = PlannedStep(
            "train",
            "mlops.yaml:1:1",
            code="fit()",
            kernel=self.kernel,
            inputs=("data/*.csv",),
            outputs=("model/*",),
            metrics=("metrics.json",),
            cache=True,
        )
        self.facts = dict(FACTS)
        self.environment = {"PATH": "/bin", "OMP_NUM_THREADS": "1"}
        self.env: dict[str, str] = {}
        self.code = "fit()"
        self.tags: list[str] = []
        self.parameters: tuple[PlannedParameter, ...] = (PlannedParameter("lr", 0.1, "mlops.yaml:2:1"),)
        self.runs = 0
        self.day = 1
        self.model = b"weights"

    @property
    def plan(self) -> Plan:
        return Plan("mlops.yaml", str(self.root), "mlops-out", (self.step,), gates=())

    @property
    def workshop(self) -> Workshop:
        redactor = Redactor([SECRET])
        return Workshop(
            context=Context(self.env, self.root, io.StringIO(), lambda: datetime(2026, 1, self.day, tzinfo=UTC)),
            kernels=cast("KernelBackend", None),
            executor=LocalExecutor(),
            store=FolderStore(self.root, "mlops-out", redactor),
            log=cast("RunLog", None),
            redactor=redactor,
            interrupt=Interrupt(),
            environments={"": self.environment},
            facts=tuple(self.facts.values()),
        )

    @property
    def cache(self) -> CacheStore:
        return CacheStore(self.root / ".mlops-cache")

    def run(self) -> StepResult:
        """What `step_run` does with the cache."""
        cell = {"source": self.code, "metadata": {"tags": self.tags}}
        inputs = file_states(self.root, self.step.inputs)
        result = StepResult("train", StepStatus.FAILED, parameters=self.parameters, inputs_before=inputs)
        cache = StepCache(self.plan, self.step, self.workshop)
        found = cache.lookup(Made(self.step, result, {"cells": [cell]}, [0]))
        if found is not None:
            return found
        result = self._execute(result)
        return replace(result, cached=cache.keep(result))

    def _execute(self, result: StepResult) -> StepResult:
        self.runs += 1
        (self.root / "model").mkdir(exist_ok=True)
        (self.root / "model/m.bin").write_bytes(self.model)
        (self.root / "metrics.json").write_text('{"accuracy": 0.95}')
        self.workshop.store.write_text("notebooks/train.ipynb", json.dumps({"run": self.runs}))
        return replace(
            result,
            status=StepStatus.OK,
            executed="notebooks/train.ipynb",
            inputs_after=file_states(self.root, self.step.inputs),
            outputs_after=file_states(self.root, (*self.step.outputs, *self.step.metrics)),
            readings=(MetricReading("accuracy", Decimal("0.95"), "metrics.json#/accuracy", "train"),),
            values={"accuracy": 0.95},
        )

    def wipe(self) -> None:
        """As in a fresh checkout."""
        for path in (*self.root.glob("model/*"), self.root / "metrics.json", *self.root.glob("mlops-out/notebooks/*")):
            path.unlink()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_an_unchanged_step_is_not_run_again_and_leaves_the_same(project: Project) -> None:
    first = project.run()
    project.wipe()
    project.day = 9
    second = project.run()
    assert project.runs == 1
    assert first.cached == "miss: nothing is kept of this step"
    assert second.cached == "hit: nothing changed since 2026-01-01T00:00:00Z"
    assert (project.root / "model/m.bin").read_bytes() == b"weights"
    assert (project.root / "metrics.json").read_text() == '{"accuracy": 0.95}'
    assert json.loads((project.root / "mlops-out/notebooks/train.ipynb").read_text()) == {"run": 1}
    assert (second.readings, second.values, second.status) == (first.readings, first.values, StepStatus.OK)
    assert second.outputs_after == first.outputs_after


def test_a_step_without_cache_neither_reads_nor_writes_one(project: Project) -> None:
    project.step = replace(project.step, cache=False)
    assert project.run().cached == ""
    assert project.run().cached == ""
    assert project.runs == 2
    assert not project.cache.folder.exists()


def new_input(project: Project) -> None:
    (project.root / "data/more.csv").write_text("3")


def other_input(project: Project) -> None:
    (project.root / "data/train.csv").write_text("9,9\n")


def other_packages(project: Project) -> None:
    identity = [{**PYTHON, "distributions": [{**PACKAGE, "version": "2.1"}]}]
    project.facts["python"] = Fact("python", identity=identity)


def other_kernel_spec(project: Project) -> None:
    project.step = replace(project.step, kernel=replace(project.kernel, env={"OMP_NUM_THREADS": "4"}))


CHANGES: dict[str, Callable[[Project], Any]] = {
    "input data/train.csv changed": other_input,
    "input data/more.csv is new": new_input,
    "the packages of kernel python3 changed": other_packages,
    "kernel python3 changed": other_kernel_spec,
    "the code changed": lambda p: setattr(p, "code", "fit(2)"),
    "the code changed ": lambda p: setattr(p, "tags", ["raises-exception"]),
    "parameter lr changed": lambda p: setattr(p, "parameters", (PlannedParameter("lr", 0.2, "-p"),)),
    "parameter lr changed ": lambda p: setattr(p, "parameters", (PlannedParameter("lr", "0.1", "-p"),)),
    "parameter lr is gone": lambda p: setattr(p, "parameters", ()),
    "environment variable OMP_NUM_THREADS changed": lambda p: p.environment.update(OMP_NUM_THREADS="2"),
    "environment variable MODE is new": lambda p: p.environment.update(MODE="fast"),
    "the choice of cells changed": lambda p: setattr(p, "step", replace(p.step, cells=CellSelection(tags=("a",)))),
    "the list of outputs or metrics changed": lambda p: setattr(p, "step", replace(p.step, outputs=("model/m.bin",))),
    "a setting of the step changed": lambda p: setattr(p, "step", replace(p.step, allow_errors=True)),
    "the kind of machine changed": lambda p: p.facts.update(platform=Fact("platform", identity={"machine": "arm64"})),
    "the container image changed": lambda p: p.facts.update(image=Fact("image", identity={"container": True})),
}


@pytest.mark.parametrize("said", CHANGES)
def test_whatever_changes_the_step_is_run_again_with_the_reason(project: Project, said: str) -> None:
    project.run()
    CHANGES[said](project)
    assert project.run().cached == f"miss: {said.strip()}"
    assert project.runs == 2


def test_where_the_kernel_finds_its_programs_makes_no_difference(project: Project) -> None:
    project.run()
    project.environment.update(PATH="/elsewhere", HOME="/root", TERM="dumb")
    assert project.run().cached.startswith("hit:")


def test_an_image_stands_for_the_packages_of_every_kernel_in_it(project: Project) -> None:
    def use(image: str) -> None:
        place: dict[str, Any] = {"image": "train:1", "id": image}
        kernel = replace(project.kernel, name="ir", language="R", where="container", place=place)
        project.step = replace(project.step, kernel=kernel)

    use("sha256:aa")
    project.run()
    assert project.run().cached.startswith("hit:")
    use("sha256:bb")
    assert project.run().cached == "miss: kernel ir changed"


def test_going_back_to_an_earlier_state_is_a_hit(project: Project) -> None:
    project.run()
    other_input(project)
    project.run()
    (project.root / "data/train.csv").write_text("1,2\n")
    assert project.run().cached.startswith("hit:")
    assert project.runs == 2


BARE = {"name": "local", "version": "1", "editable": True}
REFUSALS: dict[str, Callable[[Project], Any]] = {
    "parameter `db` is a secret": lambda p: setattr(
        p, "parameters", (PlannedParameter("db", None, "mlops.yaml:2:1", secret="DB"),)
    ),
    "parameter `api_key` is a secret": lambda p: setattr(p, "parameters", (PlannedParameter("api_key", "x", "-p"),)),
    "the notebook may see the secret variable `DB_PASSWORD`": lambda p: p.environment.update(DB_PASSWORD="x"),
    "the value of a secret is in its code or parameters": lambda p: setattr(p, "code", f"login('{SECRET}')"),
    "the packages of kernel `python3` are not known": lambda p: p.facts.update(python=Fact("python")),
    "what the packages local hold is not known": lambda p: p.facts.update(
        python=Fact("python", identity=[{**PYTHON, "distributions": [PACKAGE, BARE]}])
    ),
    "the state of the source is not known (git refused: no)": lambda p: p.facts.update(
        source=Fact("source", uncaptured=(Uncaptured("source tree", "git refused: no"),))
    ),
    "the packages of the R kernel `ir` are not known": lambda p: setattr(
        p, "step", replace(p.step, kernel=replace(p.kernel, name="ir", language="R"))
    ),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_what_is_secret_or_unknown_keeps_a_step_out_of_the_cache(project: Project, why: str) -> None:
    REFUSALS[why](project)
    assert project.run().cached == f"not used: {why}"
    assert project.run().cached == f"not used: {why}"
    assert project.runs == 2
    assert not project.cache.folder.exists()


def test_our_own_package_in_a_checkout_does_not_count_as_unknown(project: Project) -> None:
    own = {"name": "mlops-action", "version": "0", "editable": True}
    project.facts["python"] = Fact("python", identity=[{**PYTHON, "distributions": [PACKAGE, own]}])
    project.run()
    assert project.run().cached.startswith("hit:")


def test_outputs_that_hold_a_secret_are_not_kept(project: Project) -> None:
    project.model = SECRET.encode()
    assert "could not be kept" in project.run().cached
    assert not list(project.cache.folder.rglob("*.json"))
    assert project.run().cached.startswith("miss: nothing is kept")


def test_a_step_that_changes_its_own_input_is_not_kept(project: Project) -> None:
    project.step = replace(project.step, inputs=("model/*",))
    (project.root / "model").mkdir()
    (project.root / "model/m.bin").write_bytes(b"old")
    assert project.run().cached.endswith("not kept: an input changed while it ran")


def blob_of(project: Project, data: bytes) -> Path:
    return next(path for path in project.cache.folder.glob("blobs/*/*") if path.read_bytes() == data)


@pytest.mark.parametrize("damage", [lambda p: p.write_bytes(b"WEIGHTS"), lambda p: p.unlink()], ids=["changed", "gone"])
def test_a_damaged_output_is_a_miss_with_a_note_and_mends_itself(
    project: Project, damage: Callable[[Path], None]
) -> None:
    project.run()
    project.wipe()
    damage(blob_of(project, b"weights"))
    assert project.run().cached.startswith("miss: what was kept cannot be used: a content is ")
    assert project.runs == 2
    assert project.run().cached.startswith("hit:")


@pytest.mark.parametrize(
    "text", ["", "[1, 2", "[]", "{}", '{"result": 1, "files": [], "notebook": "x"}', '{"result": {}, "files": 7}']
)
def test_an_entry_that_makes_no_sense_is_a_miss(project: Project, text: str) -> None:
    project.run()
    (entry,) = project.cache.folder.glob("entries/*/*.json")
    entry.write_text(text)
    assert project.run().cached.startswith("miss: what was kept cannot be used: ")
    assert project.run().cached.startswith("hit:")


@pytest.mark.parametrize("path", ["../outside", "/tmp/outside", "mlops.yaml", "model/../../x"])
def test_an_entry_cannot_write_where_the_step_writes_nothing(project: Project, path: str) -> None:
    project.run()
    (file,) = project.cache.folder.glob("entries/*/*.json")
    entry = json.loads(file.read_bytes())
    entry["files"][0]["path"] = path
    file.write_text(json.dumps(entry))
    assert "is no output of the step" in project.run().cached
    assert project.runs == 2


def test_an_output_folder_that_became_a_link_is_not_written_through(project: Project, tmp_path: Path) -> None:
    project.run()
    project.wipe()
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (project.root / "model").rmdir()
    (project.root / "model").symlink_to(outside)
    assert "is no output of the step" in StepCacheProbe(project).reason()
    assert not list(outside.iterdir())


class StepCacheProbe:
    """Looks a step up without running it."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def reason(self) -> str:
        project = self.project
        inputs = file_states(project.root, project.step.inputs)
        result = StepResult("train", StepStatus.FAILED, parameters=project.parameters, inputs_before=inputs)
        cache = StepCache(project.plan, project.step, project.workshop)
        cell = {"source": project.code, "metadata": {"tags": project.tags}}
        assert cache.lookup(Made(project.step, result, {"cells": [cell]}, [0])) is None
        return cache.reason


def test_programs_among_the_outputs_stay_programs(project: Project) -> None:
    project.run()
    (project.root / "model/m.bin").chmod(0o755)
    (project.root / "data/train.csv").write_text("5")
    os.chmod(project.root / "model/m.bin", 0o755)  # noqa: PTH101
    project.run()
    project.wipe()
    assert project.run().cached.startswith("hit:")
    assert os.access(project.root / "model/m.bin", os.X_OK)


def test_the_cache_lies_where_the_environment_says_and_git_ignores_it(project: Project, tmp_path: Path) -> None:
    project.env["MLOPS_ACTION_CACHE"] = str(tmp_path / "shared")
    project.run()
    assert (tmp_path / "shared/.gitignore").read_text() == "*\n"
    assert not project.cache.folder.exists()


def test_the_manifest_says_which_step_was_taken_from_the_cache(project: Project) -> None:
    project.run()
    result = project.run()
    run = RunResult(RUN_SCHEMA, "1", "2026", "2026", project.plan, (result,))
    (observed,) = assemble(run, None).observation["steps"]
    assert observed["cached"].startswith("hit: nothing changed since")


def store_with(folder: Path, *sizes: int) -> CacheStore:
    """An entry for each size; the first was used longest ago."""
    store = CacheStore(folder)
    now = time.time() - 7200
    for i, size in enumerate(sizes):
        digest = store.put_blob(bytes([i]) * size)
        store.put_entry("step", f"key{i}", {"notebook": digest, "files": [], "stored": str(i)})
        for path in (store._blob_path(digest), store._entry_path("step", f"key{i}")):
            os.utime(path, (now + i, now + i))
    return store


def test_what_was_used_longest_ago_goes_first_when_there_is_too_much(tmp_path: Path) -> None:
    store = store_with(tmp_path, 100, 100, 100)
    assert store.entry("step", "key0") is not None  # now it was used last
    store.prune(most_bytes=250)
    assert [store.entry("step", f"key{i}") is not None for i in range(3)] == [True, False, True]
    assert len(list(tmp_path.glob("blobs/*/*"))) == 2


def test_what_was_not_used_for_long_is_removed(tmp_path: Path) -> None:
    store = store_with(tmp_path, 10)
    store.prune(most_days=30)
    assert store.entry("step", "key0") is not None
    path = store._entry_path("step", "key0")
    os.utime(path, (0, 0))
    store.prune(most_days=30)
    assert not list(tmp_path.glob("*/*/*"))


def test_contents_that_another_run_is_about_to_name_are_left(tmp_path: Path) -> None:
    store = CacheStore(tmp_path)
    digest = store.put_blob(b"just written, its entry comes next")
    store.prune(most_bytes=0)
    assert store.blob(digest)
    with pytest.raises(Damaged):
        store.blob("00" * 32)


def test_pruning_follows_only_runs_that_use_the_cache(project: Project) -> None:
    project.run()
    for path in project.cache.folder.rglob("*.*"):
        os.utime(path, (0, 0))
    project.step = replace(project.step, cache=False)
    prune(project.plan, project.workshop)
    assert list(project.cache.folder.glob("entries/*/*"))
    project.step = replace(project.step, cache=True)
    prune(project.plan, project.workshop)
    assert not list(project.cache.folder.glob("entries/*/*"))
