"""The contract of every registered fact; a new fact is tested by being registered."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops_action.assemble import assemble, check_manifest, encode_manifest
from mlops_action.canonical import canonical_bytes
from mlops_action.codec import decode, encode
from mlops_action.config.model import ManifestSpec
from mlops_action.context import Context
from mlops_action.errors import EnvironmentProblem
from mlops_action.facts import FACTS
from mlops_action.facts.collect import collect_all
from mlops_action.facts.interface import Scene
from mlops_action.records import (
    Fact,
    KernelChoice,
    Manifest,
    Plan,
    PlannedParameter,
    PlannedStep,
    RunResult,
    StepResult,
    Verdicts,
)
from mlops_action.redact import Redactor
from mlops_action.registry import load
from mlops_action.vocabulary import Outcome, StepStatus

TOKEN = "t0k3n-0f-gr3at-v41u3"
SPEC = ManifestSpec(data=("data/**", "gone/*.csv"), environment_variables=("OMP_NUM_THREADS", "MY_TOKEN", "NOTE"))


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("laws") / "project"
    for name in ("data/b.csv", "data/a.csv", "data/deep/c.csv", "train.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    git(root.parent, "init", "-q", str(root))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    git(root, "remote", "add", "origin", f"https://me:{TOKEN}@example.org/a/b.git")
    (root / "untracked.txt").write_text("not yet added")
    return root


def scene_of(root: Path, **variables: str) -> Scene:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(root.parent),
        "OMP_NUM_THREADS": "2",
        "MY_TOKEN": TOKEN,
        "NOTE": f"see https://me:{TOKEN}@example.org",
        **variables,
    }
    kernel = KernelChoice("python3", f"{root}/kernels/python3", "python", (sys.executable, "-m", "ipykernel_launcher"))
    julia = KernelChoice("julia", f"{root}/kernels/julia", "julia", ("julia", f"--project={root}", f"{root}/kernel.jl"))
    parameters = (PlannedParameter("api_token", TOKEN, "-p"),)
    steps = (
        PlannedStep("train", "mlops.yaml:1:1", kernel=kernel, parameters=parameters, outputs=("model/*",)),
        PlannedStep("report", "mlops.yaml:9:1", kernel=julia),
        PlannedStep("lost", "mlops.yaml:12:1", kernel=None),
    )
    context = Context(env, root, io.StringIO(), lambda: datetime.now(UTC))
    return Scene(context, Plan("mlops.yaml", ".", "out", steps, ()), SPEC, Redactor.from_environment(env))


def collected(name: str, scene: Scene) -> Fact:
    fact = load(FACTS[name])().collect(scene)
    assert isinstance(fact, Fact)
    return fact


CI = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "a/b",
    "GITHUB_RUN_ID": "7",
    "GITHUB_ACTOR": f"https://{TOKEN}@x",
}


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_carries_the_name_that_it_is_registered_under(project: Path, name: str) -> None:
    assert collected(name, scene_of(project)).name == name


@pytest.mark.parametrize("name", FACTS)
def test_a_copy_of_the_project_elsewhere_has_the_same_identity(project: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "somewhere else" / "deeper"
    shutil.copytree(project, copy, symlinks=True)
    for path in sorted(copy.rglob("*"), reverse=True):
        os.utime(path)
    assert collected(name, scene_of(copy)).identity == collected(name, scene_of(project)).identity


@pytest.mark.parametrize("name", FACTS)
def test_the_order_in_which_files_were_made_changes_no_identity(project: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(project, tmp_path / "copy", symlinks=True)
    for path in sorted((tmp_path / "copy/data").rglob("*.csv"), reverse=True):
        text = path.read_text()
        path.unlink()
        path.write_text(text)
    assert collected(name, scene_of(tmp_path / "copy")).identity == collected(name, scene_of(project)).identity


@pytest.mark.parametrize("name", FACTS)
def test_a_ci_system_around_the_run_changes_no_identity(project: Path, name: str) -> None:
    assert collected(name, scene_of(project, **CI)).identity == collected(name, scene_of(project)).identity


@pytest.mark.parametrize("name", FACTS)
def test_results_that_the_plan_declares_change_no_identity(project: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project, copy, symlinks=True)
    (copy / "model").mkdir()
    (copy / "model/model.bin").write_text("new")
    (copy / "out").mkdir()
    (copy / "out/run.json").write_text("{}")
    assert collected(name, scene_of(copy)).identity == collected(name, scene_of(project)).identity


@pytest.mark.parametrize("name", FACTS)
def test_a_planted_token_is_nowhere_in_a_fact(project: Path, name: str) -> None:
    scene = scene_of(project, **CI)
    assert TOKEN not in repr(collected(name, scene))


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_can_be_written_as_canonical_json_and_read_back(project: Path, name: str) -> None:
    fact = collected(name, scene_of(project, **CI))
    written = canonical_bytes(encode(fact))
    assert encode(decode(Fact, json.loads(written), "fact")) == encode(fact)


@pytest.mark.parametrize("name", FACTS)
def test_an_empty_folder_and_an_empty_environment_give_a_fact_and_no_exception(tmp_path: Path, name: str) -> None:
    context = Context({}, tmp_path, io.StringIO(), lambda: datetime.now(UTC))
    scene = Scene(context, Plan("", ".", "out", (), ()), ManifestSpec(), Redactor())
    fact = collected(name, scene)
    assert all(gap.what and gap.why for gap in fact.uncaptured)


def test_all_facts_are_collected_in_the_order_of_the_registry(project: Path) -> None:
    facts = collect_all(scene_of(project))
    assert [fact.name for fact in facts] == list(FACTS)
    assert TOKEN not in repr(facts)


def test_a_planted_token_is_nowhere_in_the_manifest_and_a_copy_has_the_same_id(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "copy", symlinks=True)
    manifests = [manifest_of(scene_of(root, **CI)) for root in (project, tmp_path / "copy")]
    assert manifests[0].manifest_id == manifests[1].manifest_id
    written = encode_manifest(manifests[0])
    assert TOKEN.encode() not in written
    check_manifest(json.loads(written))


def manifest_of(scene: Scene) -> Manifest:
    steps = tuple(
        StepResult(step.name, StepStatus.OK, kernel=step.kernel, parameters=step.parameters)
        for step in scene.plan.steps
    )
    run = RunResult("mlops-action/run/v1", "0", "", "", scene.plan, steps, collect_all(scene), tuple(scene.context.env))
    return assemble(run, Verdicts("mlops-action/verdicts/v1", "0", Outcome.INCONCLUSIVE, "nothing was judged", ()))


class Unlucky:
    """A collector that fails."""

    error: Exception = OSError("disk full")

    def collect(self, scene: Scene) -> Fact:
        raise self.error


class Talkative:
    """A collector that tells a secret in each part."""

    def collect(self, scene: Scene) -> Fact:
        return Fact("talk", {TOKEN: [TOKEN]}, [TOKEN], f"https://u:{TOKEN}@h", ())


@pytest.mark.parametrize("error", [OSError("disk full"), EnvironmentProblem("disk full")])
def test_a_fact_that_fails_becomes_an_entry_and_the_others_are_kept(
    project: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    registered: Mapping[str, str] = {"unlucky": f"{__name__}:Unlucky", "variables": FACTS["variables"]}
    monkeypatch.setattr("mlops_action.facts.collect.FACTS", registered)
    monkeypatch.setattr(Unlucky, "error", error)
    unlucky, variables = collect_all(scene_of(project))
    assert unlucky.identity is None
    assert unlucky.uncaptured[0].why == "it could not be collected: disk full"
    assert variables.identity == {"OMP_NUM_THREADS": "2"}


def test_secrets_that_a_collector_overlooked_are_masked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_action.facts.collect.FACTS", {"talk": f"{__name__}:Talkative"})
    (fact,) = collect_all(scene_of(project))
    assert TOKEN not in repr(fact)
    assert fact.locator == ["***"]


def test_the_project_folder_of_a_scene_follows_the_plan(tmp_path: Path) -> None:
    scene = scene_of(tmp_path)
    assert replace(scene, plan=replace(scene.plan, root="sub")).root == tmp_path / "sub"
    assert replace(scene, plan=replace(scene.plan, root="/abs")).root == Path("/abs")
