"""A run done again from its manifest: each stage, and the level with what failed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import sys
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from acceptance.scratch import clean_env, commit_all, tool
from hypothesis import given
from hypothesis import strategies as st
from manifest_project import git, project, record, written

from mlops_action.config.values import Amount
from mlops_action.errors import BadValue
from mlops_action.facts.distributions import distributions_on
from mlops_action.manifests.read import read_manifest
from mlops_action.manifests.reproduce.levels import Check, Level, level_of
from mlops_action.manifests.reproduce.rerun import within
from mlops_action.manifests.reproduce.stages import STAGES, reproduce
from mlops_action.manifests.reproduce.workplace import Wishes, Workplace
from mlops_action.records import Fact


def place(root: Path, tmp_path: Path, **wishes: Any) -> Workplace:
    folder = tmp_path / "again"
    folder.mkdir(exist_ok=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    return Workplace(read_manifest(root / "mlops-out"), folder, env, Wishes(**{"source": str(root), **wishes}))


def failed(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.ok]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = project(tmp_path / "project")
    written(root, {"src/model.py": "uncommitted\n", "src/new.py": "new\n"})
    record(root)
    return root


def test_source_and_patch_lead_to_the_recorded_tree_in_a_fresh_clone(root: Path, tmp_path: Path) -> None:
    where = place(root, tmp_path)
    assert failed(reproduce(where, ["record", "source"])) == []
    assert (where.project / "src/new.py").read_text() == "new\n"


def test_data_outside_the_repository_is_brought_from_a_folder_and_checked(root: Path, tmp_path: Path) -> None:
    assert failed(reproduce(place(root, tmp_path), ["source", "data"])) == [
        "the input `raw/big.csv` is the recorded one"
    ]
    where = place(root, tmp_path, data=root)
    assert failed(reproduce(where, ["source", "data"])) == []
    assert (where.project / "raw/big.csv").read_bytes() == (root / "raw/big.csv").read_bytes()


def test_data_that_is_not_what_was_recorded_is_not_taken(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "raw", tmp_path / "other/raw")
    (tmp_path / "other/raw/big.csv").write_text("another")
    where = place(root, tmp_path, data=tmp_path / "other")
    assert failed(reproduce(where, ["source", "data"])) == ["the input `raw/big.csv` is the recorded one"]
    assert not (where.project / "raw/big.csv").exists()


def test_a_commit_that_is_gone_is_a_failed_check_and_stops_what_needs_it(root: Path, tmp_path: Path) -> None:
    other = project(tmp_path / "other")
    shutil.rmtree(other / ".git")
    commit_all(other, "another")
    checks = reproduce(place(root, tmp_path, source=str(other)))
    assert "the source is fetched" in failed(checks)
    assert level_of(checks) is Level.RECORDED


def test_the_merge_commit_of_a_pull_request_is_fetched_by_its_ref(root: Path, tmp_path: Path) -> None:
    git(root, "checkout", "-q", "--detach")
    git(root, "commit", "-q", "--allow-empty", "-m", "merge")
    git(root, "update-ref", "refs/pull/7/merge", "HEAD")
    record(root)
    git(root, "checkout", "-q", "-f", "main")  # no branch has the commit
    git(root, "config", "uploadpack.allowAnySHA1InWant", "false")
    where = place(root, tmp_path, source=root.as_uri())
    assert where.document.part("locator", "source")["refs"] == ["refs/pull/7/merge"]
    assert failed(reproduce(where, ["record", "source"])) == []


def test_a_damaged_manifest_reaches_no_level(root: Path, tmp_path: Path) -> None:
    path = root / "mlops-out/manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"accuracy"', b'"accuracx"', 1))
    assert level_of(reproduce(place(root, tmp_path), ["record"])) is Level.NOTHING


def test_stages_that_were_done_are_not_done_again(root: Path, tmp_path: Path) -> None:
    reproduce(place(root, tmp_path), ["record", "source"])
    mark = tmp_path / "again/source/mark"
    mark.write_text("still here")
    said: list[str] = []
    where = place(root, tmp_path)
    reproduce(Workplace(where.document, where.folder, where.env, where.wishes, said.append))
    assert mark.exists()
    assert "source: done before" in said


def test_a_folder_is_for_one_manifest_only(root: Path, tmp_path: Path) -> None:
    reproduce(place(root, tmp_path), ["record"])
    (root / "data/a.csv").write_text("changed")
    record(root)
    with pytest.raises(BadValue, match="another manifest"):
        reproduce(place(root, tmp_path), ["record"])


def test_a_subfolder_that_leads_out_is_refused(root: Path, tmp_path: Path) -> None:
    where = place(root, tmp_path)
    where.document.value["identity"]["source"]["subfolder"] = "../.."
    with pytest.raises(BadValue, match="leads out"):
        _ = where.project


# --- levels and tolerances


@given(st.lists(st.tuples(st.sampled_from(list(Level)[1:]), st.booleans())))
def test_a_level_is_reached_only_when_nothing_below_it_failed(pairs: list[tuple[Level, bool]]) -> None:
    checks = [Check(level, "x", ok) for level, ok in pairs]
    reached = level_of(checks)
    assert all(check.ok for check in checks if check.level <= reached)
    assert {level for level in list(Level)[1:] if level <= reached} <= {check.level for check in checks}


@pytest.mark.parametrize(
    ("recorded", "found", "allowed", "near"),
    [
        (0.5, 0.5, Amount(Decimal(0)), True),
        (0.1, 0.1000001, Amount(Decimal(0)), False),
        (0.5, 0.51, Amount(Decimal("0.01")), True),
        (100, 101, Amount(relative=Decimal("0.01")), True),
        (100, 102, Amount(relative=Decimal("0.01")), False),
        (100, 101, Amount(Decimal("0.5"), Decimal("0.01")), False),
        ("NaN", "NaN", Amount(Decimal(1)), False),
        (1, "Infinity", Amount(Decimal(1)), False),
        (1, None, Amount(Decimal(1)), False),
        ("123456789012345678901", "123456789012345678902", Amount(Decimal(0)), False),
    ],
)
def test_a_metric_is_near_enough_only_within_its_tolerance(recorded: Any, found: Any, allowed: Any, near: bool) -> None:
    assert within(recorded, found, allowed) is near


# --- the environment


def wheel(folder: Path) -> tuple[Path, list[Any]]:
    """A wheel made by hand, and what an environment with it looks like to the manifest."""
    folder.mkdir()
    name = "tiny-1.0.dist-info"
    files = {"tiny.py": "x = 1\n", f"{name}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n\n"}
    files[f"{name}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}"
        for path, text in files.items()
    ]
    files[f"{name}/RECORD"] = "\n".join([*rows, f"{name}/RECORD,,"]) + "\n"
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in files.items():
            archive.writestr(inner, text)
    written(folder / "site", files)
    return path, [each.identity() for each in distributions_on([str(folder / "site")])]


@pytest.mark.slow
@pytest.mark.parametrize("tampered", [False, True])
def test_uv_rebuilds_the_environment_and_each_package_is_compared(tmp_path: Path, tampered: bool) -> None:
    root = project(tmp_path / "project")
    path, listed = wheel(tmp_path / "wheels")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    wheels = f'wheels = [{{url = "{path.as_uri()}", hash = "sha256:{digest}"}}]'
    lock = f'[[package]]\nname = "tiny"\nversion = "1.0"\n{wheels}\n'
    written(root, {"uv.lock": lock})
    commit_all(root, "lock")
    if tampered:
        listed[0]["record"] = "sha256:" + "0" * 64
    version = ".".join(map(str, sys.version_info[:3]))
    python = {"kernels": ["python3"], "implementation": "cpython", "version": version, "distributions": listed}
    record(root, facts=("source",), more=(Fact("python", identity=[python], locator=[{"origins": {}}]),))
    checks = reproduce(place(root, tmp_path), ["source", "environment"])
    expected = ["package tiny"] if tampered else []
    assert failed(checks) == expected, [check.why for check in checks]


# --- the whole


CONFIG = """\
steps:
  train:
    code: |
      import json, random
      random.seed(seed)
      json.dump({"score": random.random() + C}, open("metrics.json", "w"))
      open("model.bin", "w").write(str(random.random()))
    parameters: {seed: 7, C: 1.0}
    inputs: data/*.csv
    outputs: model.bin
    metrics: metrics.json
gates:
  floor: {metric: score, min: 0}
"""


@pytest.mark.kernel
@pytest.mark.slow
def test_a_run_is_done_again_from_its_manifest_to_the_same_bits(tmp_path: Path) -> None:
    root, env = tmp_path / "project", clean_env(tmp_path / "home")
    written(root, {"mlops.yaml": CONFIG, "data/a.csv": "1\n", ".gitignore": "mlops-out/\nmodel.bin\nmetrics.json\n"})
    commit_all(root)
    written(root, {"notes.txt": "not committed\n"})
    done = tool(root, ["run", "-p", "C=2.0"], env)
    assert done.code == 0, done.text
    arguments = ["manifest", "reproduce", str(root / "mlops-out"), "--source", str(root), "--python", sys.executable]
    done = tool(tmp_path, [*arguments, "--json"], env, seconds=300)
    said = json.loads(done.text)
    wrong = {(check["level"], check["name"]) for check in said["checks"] if not check["ok"]}
    assert not [name for level, name in wrong if level in {0, 1, 4, 5}], said
    assert {"metric `score`", "output `model.bin`"} <= {check["name"] for check in said["checks"] if check["ok"]}
    assert (tmp_path / "reproduction/source/notes.txt").exists()


@pytest.mark.kernel
@pytest.mark.slow
def test_a_run_that_gives_other_results_is_named_by_metric_and_output(tmp_path: Path) -> None:
    root, env = tmp_path / "project", clean_env(tmp_path / "home")
    config = CONFIG.replace("random.seed(seed)", "")
    written(root, {"mlops.yaml": config, "data/a.csv": "1\n", ".gitignore": "mlops-out/\nmodel.bin\nmetrics.json\n"})
    commit_all(root)
    assert tool(root, ["run"], env).code == 0
    arguments = ["manifest", "reproduce", str(root / "mlops-out"), "--source", str(root), "--python", sys.executable]
    done = tool(tmp_path, arguments, env, seconds=300)
    assert done.code == 1
    assert "failed  re-run within tolerance: metric `score`" in done.text
    assert "failed  bit-identical: output `model.bin`" in done.text


def test_the_stages_of_the_command_are_those_that_there_are() -> None:
    from mlops_action.cli.manifest_commands.reproduce import STAGES as OFFERED

    assert tuple(STAGES) == OFFERED
