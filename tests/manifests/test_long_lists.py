"""Steps with very many files: a manifest that stays small, and lists beside it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from manifest_project import findings, project, record, written, wrong

from mlops_action.assemble import assemble, check_manifest, encode_manifest
from mlops_action.beside import files_beside
from mlops_action.codec import encode
from mlops_action.file_lists import MOST_LISTED
from mlops_action.formats.intoto import subjects
from mlops_action.formats.recorded import outputs_of
from mlops_action.manifests.findings import Is
from mlops_action.manifests.read import read_manifest
from mlops_action.records import FileState, Plan, PlannedStep, RunResult, StepResult
from mlops_action.vocabulary import RUN_SCHEMA, StepStatus

COUNT = MOST_LISTED + 200


def run_of(files: list[FileState], inputs: list[FileState] | None = None) -> RunResult:
    step = PlannedStep("split", "", outputs=("parts/*",))
    result = StepResult("split", StepStatus.OK, inputs_before=tuple(inputs or ()), outputs_after=tuple(files))
    plan = Plan("mlops.yaml", ".", "mlops-out", (step,), ())
    return RunResult(RUN_SCHEMA, "0.1.0", "2026-01-02T03:04:05.000Z", "2026-01-02T03:05:05.000Z", plan, (result,))


def state(number: int) -> FileState:
    return FileState(f"parts/{number:06}.bin", 7, hashlib.sha256(str(number).encode()).hexdigest())


def test_a_hundred_thousand_files_make_a_manifest_that_stores_of_attestations_take() -> None:
    run = run_of([state(number) for number in range(100_000)], [state(number) for number in range(100_000)])
    manifest = assemble(run, None)
    data = encode_manifest(manifest)
    assert len(data) < 100_000  # all the inputs are said to have changed, for the step did not look again
    assert [gap.what for gap in manifest.completeness if gap.what.startswith("99900 more inputs")]
    check_manifest(json.loads(data))
    beside = dict(files_beside(manifest, run))
    assert set(beside) >= {"lists/split.inputs.sha256", "lists/split.outputs-after.sha256", "manifest.intoto.json"}
    assert len(json.loads(beside["manifest.intoto.json"])["subject"]) <= 1024


def test_one_other_byte_in_one_of_many_inputs_is_another_id() -> None:
    files = [state(number) for number in range(COUNT)]
    other = [*files[:-1], FileState(files[-1].path, 7, "0" * 64)]
    assert assemble(run_of([], files), None).manifest_id != assemble(run_of([], other), None).manifest_id
    assert assemble(run_of([], files), None).manifest_id == assemble(run_of([], files[::-1]), None).manifest_id


def test_the_digest_of_a_list_is_that_of_the_coreutils(tmp_path: Path) -> None:
    names = [f"f{number}.txt" for number in range(COUNT)]
    written(tmp_path, {name: name for name in names})
    listed = [FileState(n, len(n), hashlib.sha256(n.encode()).hexdigest()) for n in names]
    value = encode(assemble(run_of(listed), None))
    command = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0r sha256sum | sha256sum"
    said = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, check=True, text=True).stdout
    assert value["results"]["steps"][0]["outputs-after"]["dirHash"] == said.split()[0]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = project(tmp_path / "project")
    many = {f"model/part-{number:05}.bin": f"weights {number}" for number in range(COUNT)}
    record(root, results={**many, "metrics.json": "{}"})
    return root


def test_each_of_many_outputs_is_verified_by_name(root: Path) -> None:
    assert read_manifest(root / "mlops-out").value["results"]["steps"][0]["outputs-after"]["files"] == COUNT + 1
    assert wrong(root) == set()
    (root / "model/part-00007.bin").write_text("weights ?")
    (root / "model/part-00008.bin").unlink()
    assert wrong(root) == {
        ("output", "model/part-00007.bin", "altered"),
        ("output", "model/part-00008.bin", "missing"),
    }


def test_a_changed_or_missing_list_is_named(root: Path) -> None:
    path = root / "mlops-out/lists/train.outputs-after.sha256"
    path.write_bytes(path.read_bytes().replace(b"part-00001", b"part-0000x"))
    assert ("list of files", "lists/train.outputs-after.sha256", "altered") in wrong(root)
    path.unlink()
    assert any(each.kind == "list of files" and each.state is Is.ALTERED for each in findings(root))


def test_subjects_of_many_outputs_are_their_digest_and_what_has_a_name(root: Path) -> None:
    document = read_manifest(root / "mlops-out")
    found: dict[str, Any] = {each["name"]: each["digest"] for each in subjects(document.value)}
    assert list(found["outputs of train/"]) == ["dirHash"]
    assert "mlops-out/notebooks/train.ipynb" in found
    assert len(outputs_of(document.whole)) == COUNT + 1


def test_the_subjects_are_beside_the_manifest_as_sha256sum_takes_them(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    record(root)
    command = ["sha256sum", "--check", "--strict", "mlops-out/subjects.sha256"]
    env = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "model/model.joblib: OK" in done.stdout
