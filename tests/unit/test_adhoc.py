"""Notebooks, snippets and gates without an ``mlops.yaml``."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlops_action.config.adhoc import load_pipeline, load_snippet, refuse_adhoc_options
from mlops_action.config.load import Loaded
from mlops_action.config.options import Options
from mlops_action.config.sources import Settings
from mlops_action.errors import ConfigMissing, FileMissing, MlopsError, Problems, UsageError

GATES = "floor: {metric: accuracy, min: 0.9}"


def settings(**options: Any) -> Settings:
    return Settings(Options(**options), {name: f"--{name}" for name in options})


def load(folder: Path, **options: Any) -> Loaded:
    return load_pipeline(settings(**options), folder)


def notebooks(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")


def steps(loaded: Loaded) -> dict[str, str]:
    return {name: step.notebook or step.code for name, step in loaded.spec.steps.items()}


def test_each_notebook_becomes_a_step_named_after_its_file(tmp_path: Path) -> None:
    notebooks(tmp_path, "01 train.ipynb", "nb/evaluate.ipynb")
    loaded = load(tmp_path, notebooks=("01 train.ipynb", "nb/*.ipynb"))
    assert steps(loaded) == {"01-train": "01 train.ipynb", "evaluate": "nb/evaluate.ipynb"}
    assert loaded.root == tmp_path


def test_a_pattern_brings_its_notebooks_in_the_order_of_their_names(tmp_path: Path) -> None:
    notebooks(tmp_path, "b.ipynb", "a.ipynb", "c/d.ipynb")
    assert list(steps(load(tmp_path, notebooks=("**/*.ipynb",)))) == ["a", "b", "d"]


def test_no_notebook_is_lost_when_names_are_alike(tmp_path: Path) -> None:
    files = ("n.ipynb", "a b/n.ipynb", "a-b/n.ipynb", "a_b/n.ipynb")
    notebooks(tmp_path, *files)
    assert sorted(steps(load(tmp_path, notebooks=("**/*.ipynb",))).values()) == sorted(files)


def test_a_notebook_that_two_patterns_match_runs_once(tmp_path: Path) -> None:
    notebooks(tmp_path, "a.ipynb", "b.ipynb")
    loaded = load(tmp_path, notebooks=("b.ipynb", "*.ipynb"))
    assert list(steps(loaded).values()) == ["b.ipynb", "a.ipynb"]


@pytest.mark.parametrize("pattern", ["nb/*.ipynb", "../*.ipynb", "../x.ipynb", "/etc/*.conf", "**x", "a.ipynb/b"])
def test_a_pattern_that_matches_nothing_in_the_project_is_an_error(tmp_path: Path, pattern: str) -> None:
    notebooks(tmp_path, "x.ipynb", "project/a.ipynb")
    with pytest.raises(Problems) as caught:
        load(tmp_path / "project", notebooks=(pattern,))
    [error] = caught.value.problems
    assert isinstance(error, FileMissing)
    assert error.origin == "--notebooks"


def test_an_absolute_path_in_the_project_is_the_relative_one(tmp_path: Path) -> None:
    notebooks(tmp_path, "nb/a.ipynb")
    assert steps(load(tmp_path, notebooks=(str(tmp_path / "nb" / "a.ipynb"),))) == {"a": "nb/a.ipynb"}


def test_a_snippet_runs_after_the_notebooks(tmp_path: Path) -> None:
    notebooks(tmp_path, "a.ipynb")
    assert steps(load(tmp_path, notebooks=("a.ipynb",), code="print(1)")) == {"a": "a.ipynb", "snippet": "print(1)"}


def test_outputs_and_metrics_are_promised_by_the_last_step(tmp_path: Path) -> None:
    notebooks(tmp_path, "a.ipynb", "b.ipynb")
    loaded = load(tmp_path, notebooks=("*.ipynb",), metrics=("m.json",), outputs=("o",), inputs=("i",))
    assert [(step.metrics, step.outputs, step.inputs) for step in loaded.spec.steps.values()] == [
        ((), (), ("i",)),
        (("m.json",), ("o",), ("i",)),
    ]


def test_notebooks_and_a_configuration_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="and one is named"):
        load(tmp_path, code="x", config="mlops.yaml")


@pytest.mark.parametrize("name", ["inputs", "outputs", "metrics"])
def test_options_that_would_be_ignored_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        refuse_adhoc_options(settings(**{name: ("x",)}))
    refuse_adhoc_options(settings(**{name: ("x",), "code": "y"}))


def test_metric_files_need_no_configuration(tmp_path: Path) -> None:
    loaded = load(tmp_path, metrics=("m.json",), gates=GATES)
    assert loaded.gates["floor"].min == Decimal("0.9")
    assert steps(loaded) == {}


def test_without_anything_the_configuration_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigMissing):
        load(tmp_path)


# --- gates and baseline as options


def config(folder: Path, more: str = "") -> Path:
    (folder / "mlops.yaml").write_text("steps: {one: {code: x}}\n" + more)
    return folder


def test_gates_given_as_text_replace_those_of_the_configuration(tmp_path: Path) -> None:
    config(tmp_path, "gates: {old: {metric: a, min: 1}}\n")
    loaded = load(tmp_path, gates=GATES)
    assert list(loaded.gates) == ["floor"]
    assert loaded.gate_origin("floor") == "--gates:1:1"


def test_gates_given_as_a_file_are_placed_in_it(tmp_path: Path) -> None:
    config(tmp_path)
    (tmp_path / "policy.yaml").write_text(f"gates:\n  {GATES}\nbaseline: b.json\n")
    loaded = load(tmp_path, gates="policy.yaml")
    assert loaded.gate_origin("floor") == "policy.yaml:2:3"
    assert loaded.baseline == "b.json"


def test_the_baseline_that_is_given_wins_over_all_others(tmp_path: Path) -> None:
    config(tmp_path, "baseline: a.json\ngates: {d: {metric: accuracy, max-drop: 1}}\n")
    assert load(tmp_path).baseline == "a.json"
    assert load(tmp_path, baseline="c.json").baseline == "c.json"


@pytest.mark.parametrize("where", ["option", "configuration"])
def test_the_word_none_turns_judging_off(tmp_path: Path, where: str) -> None:
    config(tmp_path, "gates: none\n" if where == "configuration" else f"gates: {{{GATES}}}\n")
    loaded = load(tmp_path, **({"gates": " none "} if where == "option" else {}))
    assert not loaded.judging
    assert loaded.gates == {}


def test_gates_as_an_option_turn_judging_on_again(tmp_path: Path) -> None:
    config(tmp_path, "gates: none\n")
    loaded = load(tmp_path, gates=GATES)
    assert loaded.judging
    assert list(loaded.gates) == ["floor"]


def test_a_policy_file_that_is_missing_is_told_with_both_ways_to_give_gates(tmp_path: Path) -> None:
    config(tmp_path)
    with pytest.raises(FileMissing) as caught:
        load(tmp_path, gates="polcy.yaml")
    assert caught.value.origin == "--gates"
    assert "relative to the project folder" in caught.value.hint


@pytest.mark.parametrize("content", [b"gates: {caf\xe9: {}}", b"#" * 2_000_000, b"\x00"])
def test_a_policy_file_that_cannot_be_read_is_an_error_and_no_crash(tmp_path: Path, content: bytes) -> None:
    config(tmp_path)
    (tmp_path / "policy.yaml").write_bytes(content)
    with pytest.raises(MlopsError):
        load(tmp_path, gates="policy.yaml")


# --- snippets


def test_a_snippet_runs_in_the_environments_of_the_configuration_around_it(tmp_path: Path) -> None:
    (tmp_path / "mlops.yaml").write_text("environments:\n  other: {kernel: ir}\nsteps:\n  one: {code: pass}\n")
    (tmp_path / "sub").mkdir()
    loaded = load_snippet(settings(code="1", environment="other"), tmp_path / "sub")
    assert loaded.root == tmp_path
    assert list(loaded.spec.steps) == ["snippet"]
    assert loaded.spec.steps["snippet"].environment == "other"
    assert loaded.spec.environments["other"].kernel == "ir"
    assert not loaded.judging


def test_a_snippet_s_file_is_named_from_the_project_folder_or_read_from_elsewhere(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "sub").mkdir(parents=True)
    (project / "mlops.yaml").write_text("steps:\n  one: {code: pass}\n")
    (project / "sub" / "x.py").write_text("1")
    (tmp_path / "far.py").write_text("2")
    inside = load_snippet(settings(file="x.py"), project / "sub").spec.steps["snippet"]
    outside = load_snippet(settings(file="../../far.py"), project / "sub").spec.steps["snippet"]
    assert (inside.file, inside.code) == ("sub/x.py", "")
    assert (outside.file, outside.code) == ("", "2")
    with pytest.raises(FileMissing):
        load_snippet(settings(file="../../none.py"), project / "sub")


@pytest.mark.parametrize("given", [{}, {"code": "  \n"}, {"code": "1", "file": "x.py"}])
def test_a_snippet_is_code_or_a_file_and_not_both(tmp_path: Path, given: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        load_snippet(settings(**given), tmp_path)
