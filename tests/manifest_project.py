"""A project in git whose run is on record, without a kernel: the records are made from the files that lie there."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops_action.assemble import assemble, encode_manifest
from mlops_action.beside import files_beside
from mlops_action.canonical import sha256_file
from mlops_action.codec import encode
from mlops_action.config.model import ManifestSpec
from mlops_action.context import Context
from mlops_action.digests import file_states
from mlops_action.facts import FACTS
from mlops_action.facts.interface import Scene
from mlops_action.manifests.findings import Finding, is_wrong
from mlops_action.manifests.read import read_manifest
from mlops_action.manifests.verify import Place, verify
from mlops_action.records import (
    Fact,
    KernelChoice,
    MetricReading,
    Plan,
    PlannedGate,
    PlannedParameter,
    PlannedStep,
    RunResult,
    StepResult,
    Verdict,
    Verdicts,
)
from mlops_action.redact import Redactor
from mlops_action.registry import load
from mlops_action.repository import Repository
from mlops_action.vocabulary import RUN_SCHEMA, VERDICTS_SCHEMA, Outcome, StepStatus

FILES = {
    "mlops.yaml": "version: 1\n",
    "train.ipynb": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\n',
    "src/model.py": "def fit():\n    return 1\n",
    "data/a.csv": "a,b\n1,2\n",
    "data/b.csv": "a,b\n3,4\n",
    "raw/big.csv": "x\n" * 100,
    ".gitignore": "mlops-out/\nmodel/\nmetrics.json\nraw/\n",
}
RESULTS = {"model/model.joblib": "weights", "metrics.json": '{"accuracy": 0.95}'}
FACTS_USED = ("source", "data", "platform", "image")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, env=env, check=True, capture_output=True)
    return done.stdout.decode().strip()


def written(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def project(folder: Path) -> Path:
    """A repository with one commit, and the results of a run beside it."""
    folder.mkdir(parents=True)
    written(folder, FILES)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def steps(python: str = sys.executable) -> tuple[PlannedStep, ...]:
    kernel = KernelChoice("python3", "", "python", (python, "-m", "ipykernel_launcher"))
    return (
        PlannedStep(
            "train",
            "mlops.yaml:3:3",
            notebook="train.ipynb",
            kernel=kernel,
            parameters=(PlannedParameter("C", 1.0, "mlops.yaml:5:7"), PlannedParameter("seed", 7, "mlops.yaml:6:7")),
            inputs=("data/*.csv",),
            outputs=("model/*",),
            metrics=("metrics.json",),
        ),
    )


GATES = (PlannedGate("floor", "accuracy", "min", {"min": 0.9}, "mlops.yaml:9:3"),)


def record(folder: Path, facts: tuple[str, ...] = FACTS_USED, **changes: Any) -> Path:
    """Write what a run of the project would have left, and return its folder."""
    out = folder / "mlops-out"
    (out / "notebooks").mkdir(parents=True, exist_ok=True)
    planned = changes.pop("steps", steps())
    plan = Plan("mlops.yaml", str(folder), "mlops-out", planned, GATES)
    collected = (*collect(folder, plan, facts), *changes.pop("more", ()))
    (out / "notebooks" / "train.ipynb").write_text("executed")
    written(folder, changes.pop("results", RESULTS))
    step = planned[0]
    result = StepResult(
        "train",
        StepStatus.OK,
        notebook_digest="sha256:" + "ab" * 32,
        source=file_states(folder, (step.notebook,))[0],
        kernel=step.kernel,
        parameters=step.parameters,
        inputs_before=file_states(folder, step.inputs),
        inputs_after=file_states(folder, step.inputs),
        outputs_after=file_states(folder, (*step.outputs, *step.metrics)),
        executed="notebooks/train.ipynb",
        executed_sha256=sha256_file(out / "notebooks" / "train.ipynb"),
        readings=(MetricReading("accuracy", changes.pop("accuracy", 0.95), "metrics.json#/accuracy", "train"),),
        seconds=1.0,
    )
    run = RunResult(
        RUN_SCHEMA, "0.1.0", "2026-01-02T03:04:05.000Z", "2026-01-02T03:05:05.000Z", plan, (result,), collected
    )
    run = replace(run, **changes)
    manifest = assemble(run, verdicts())
    (out / "manifest.json").write_bytes(encode_manifest(manifest))
    for name, data in files_beside(manifest, run):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_bytes(data)
    return out


def collect(folder: Path, plan: Plan, names: tuple[str, ...]) -> tuple[Fact, ...]:
    """The named facts of the project as it is."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder.parent)}
    context = Context(env, folder, io.StringIO(), lambda: datetime(2026, 1, 2, tzinfo=UTC))

    def keep(name: str, data: bytes) -> str:
        (folder / "mlops-out" / name).parent.mkdir(exist_ok=True)
        (folder / "mlops-out" / name).write_bytes(data)
        return name

    scene = Scene(context, plan, ManifestSpec(data=("raw/*.csv",)), Redactor(), keep)
    return tuple(load(FACTS[name])().collect(scene) for name in names)


def verdicts() -> Verdicts:
    """Everything passed."""
    said = Verdict("floor", Outcome.PASS, "accuracy", "accuracy 0.95 is at least 0.9", "min", "block", "mlops.yaml:9:3")
    return Verdicts(VERDICTS_SCHEMA, "0.1.0", Outcome.PASS, "1 gate: 1 passed.", (said,))


def as_json(manifest: Any) -> Any:
    """A record as JSON."""
    return encode(manifest)


def findings(root: Path, packages: bool = False) -> list[Finding]:
    repository = Repository(root, {"PATH": os.environ["PATH"]})
    return verify(read_manifest(root / "mlops-out"), Place(root, repository, packages=packages))


def wrong(root: Path, packages: bool = False) -> set[tuple[str, str, str]]:
    found = findings(root, packages)
    return {(each.kind, each.what, str(each.state)) for each in found if is_wrong([each])}
