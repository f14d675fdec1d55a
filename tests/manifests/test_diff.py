"""What changed between two runs, said in words."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from acceptance.scratch import clean_env, tool
from hypothesis import given
from hypothesis import strategies as st
from manifest_project import project, record

from mlops_action.canonical import canonical_bytes, digest_of
from mlops_action.manifests.diff import differences
from mlops_action.manifests.explain import explanation

FIRST = json.loads((Path(__file__).parent / "released" / "v1-first.json").read_bytes())


def changed(*keys: Any, to: Any) -> Any:
    manifest = copy.deepcopy(FIRST)
    place = manifest
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    manifest["manifest-id"] = digest_of(manifest["identity"])
    return manifest


def distribution(**values: Any) -> Any:
    listed = copy.deepcopy(FIRST["identity"]["python"][0]["distributions"])
    listed[0] |= values
    return listed


@pytest.mark.parametrize(
    ("keys", "to", "kind", "words"),
    [
        (("identity", "source", "tree"), "f" * 40, "code", "source tree changed"),
        (("identity", "steps", 1, "notebook-digest"), "sha256:1", "code", "code of step train changed"),
        (("identity", "steps", 1, "parameters", "C"), 3, "parameters", "parameter train.C changed from 2 to 3"),
        (("identity", "steps", 1, "parameters", "new"), 3, "parameters", "parameter train.new was added: 3"),
        (("identity", "python", 0, "version"), "3.13.1", "packages", "changed from 3.11.7 to 3.13.1"),
        (("identity", "python", 0, "distributions"), distribution(version="9"), "packages", "went from"),
        (("identity", "python", 0, "distributions"), distribution(record="sha256:1"), "packages", "another build"),
        (("identity", "python", 0, "distributions"), [], "packages", "was removed"),
        (("identity", "gates", 1, "limits", "min"), 0.5, "gates", "(min 0.93) to min of recall_malignant (min 0.5)"),
        (("observation", "platform", "cpu"), "Other", "hardware", "platform cpu changed from AMD EPYC to Other"),
        (("results", "metrics", 0, "value"), 0.5, "metrics", "metric accuracy fell by 0.482456"),
        (("results", "metrics", 0, "value"), "NaN", "metrics", "metric accuracy changed from 0.982456 to NaN"),
        (("results", "verdicts", "verdicts", 0, "outcome"), "fail", "gates", "changed from pass to fail"),
        (("results", "steps", 1, "outputs-after", 0, "sha256"), "0" * 64, "outputs", "output model/model.joblib"),
        (("observation", "os-packages"), ["libc6=2.36-9:amd64"], "packages", "package libc6 (amd64) was added: 2.36-9"),
        (("identity", "conda"), [[{"name": "r", "version": "4"}]], "packages", "conda package r was added: 4"),
        (("identity", "data"), [{"path": "x.csv", "size": 1, "sha256": "0" * 64}], "data", "data file x.csv was added"),
    ],
)
def test_a_change_is_said_in_words_under_its_kind(keys: tuple[Any, ...], to: Any, kind: str, words: str) -> None:
    found = differences(FIRST, changed(*keys, to=to))
    assert {each.kind for each in found} == {kind}
    assert any(words in each.words for each in found), [each.words for each in found]


def test_a_manifest_does_not_differ_from_itself() -> None:
    assert differences(FIRST, FIRST) == []


def test_times_and_hosts_are_no_change() -> None:
    assert differences(FIRST, changed("observation", "started", to="2027-01-01T00:00:00Z")) == []


@given(st.sampled_from(["tree", "subfolder"]), st.text(max_size=5), st.text(max_size=5))
def test_whatever_is_added_is_removed_in_the_other_direction(name: str, one: str, two: str) -> None:
    sides = [
        changed("identity", "steps", 1, "parameters", {name: value}.popitem()[0], to=value) for value in (one, two)
    ]
    there, back = differences(*sides), differences(*reversed(sides))
    assert [(each.what, each.before, each.after) for each in there] == [
        (each.what, each.after, each.before) for each in back
    ]


def test_the_explanation_tells_code_data_outcome_gaps_and_the_model_card() -> None:
    said = explanation(FIRST)
    source = FIRST["locator"]["source"]["commit"]
    for text in (source, "model/model.joblib", "0.982456", "## For the model card", "container image", "was met"):
        assert text in said


def test_the_explanation_has_no_jargon_of_the_format() -> None:
    prose = explanation(FIRST).partition("## What this record does not know")[0].lower()
    for word in ("locator", "identity", "canonical", "rfc 8785", "predicate", "dist-info"):
        assert word not in prose


def test_text_from_a_manifest_cannot_make_markup() -> None:
    said = explanation(changed("results", "metrics", 0, "name", to="<script>alert(1)</script>"))
    assert "<script>" not in said


def test_the_commands_compare_and_explain_folders_of_runs(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    record(root)
    (tmp_path / "other.json").write_bytes(canonical_bytes(FIRST) + b"\n")
    env = clean_env(tmp_path / "home")
    assert tool(root, ["manifest", "diff", "mlops-out", "mlops-out"], env).text.startswith(
        "0 changes, the same identity"
    )
    ended = tool(root, ["manifest", "diff", "mlops-out", "../other.json", "--exit-code"], env)
    assert ended.code == 1
    assert "source tree changed" in ended.text
    as_json = json.loads(tool(root, ["manifest", "diff", "mlops-out", "../other.json", "--json"], env).text)
    assert as_json["after"] == FIRST["manifest-id"]
    assert tool(root, ["manifest", "explain"], env).text.startswith("# What happened in this run")


def test_a_damaged_manifest_is_not_compared(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(canonical_bytes(FIRST | {"manifest-id": "sha256:0"}) + b"\n")
    ended = tool(tmp_path, ["manifest", "diff", "a.json", "a.json"], clean_env(tmp_path / "home"))
    assert ended.code == 2
    assert "manifest-id" in ended.text
