"""``mlops.yaml`` and policy files: found, read and checked, with one error for each problem."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mlops_action.config.load import Loaded, find_config, load_config, policy_from_text, read_limited
from mlops_action.config.values import version_or_path
from mlops_action.config.yaml_source import MAX_BYTES, parse_yaml
from mlops_action.errors import ConfigMissing, FileMissing, MlopsError, NeedsCycle, Problems, UnknownKey

STEP = "steps:\n  one: {code: x}\n"


def load(folder: Path, text: str) -> Loaded:
    (folder / "mlops.yaml").write_text(text)
    return load_config(folder / "mlops.yaml")


def problems(folder: Path, text: str) -> list[str]:
    try:
        load(folder, text)
    except Problems as found:
        return [str(each) for each in found.problems]
    except MlopsError as error:
        return [str(error)]
    return []


def test_the_configuration_is_found_in_the_folder_and_above_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "mlops.yaml").write_text(STEP)
    assert find_config(tmp_path / "a" / "b") == tmp_path / "mlops.yaml"
    (tmp_path / "a" / "mlops.yaml").write_text(STEP)
    assert find_config(tmp_path / "a" / "b") == tmp_path / "a" / "mlops.yaml"


def test_a_folder_of_that_name_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "mlops.yaml").mkdir()
    with pytest.raises(ConfigMissing) as caught:
        find_config(tmp_path)
    assert "mlops-action init" in caught.value.hint


def test_gates_in_the_configuration_are_read_exactly(tmp_path: Path) -> None:
    loaded = load(tmp_path, STEP + "gates:\n  floor: {metric: accuracy, min: 0.1}\n")
    assert loaded.gates["floor"].min == Decimal("0.1")
    assert loaded.gate_origin("floor") == "mlops.yaml:4:3"
    assert loaded.judging


def test_gates_in_a_policy_file_are_placed_in_that_file(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "gates.yaml").write_text("baseline: b.json\ngates:\n  floor: {metric: accuracy, min: 0.9}\n")
    loaded = load(tmp_path, STEP + "gates: p/gates.yaml\n")
    assert loaded.gate_origin("floor") == "p/gates.yaml:3:3"
    assert loaded.baseline == "b.json"


def test_the_baseline_of_the_configuration_wins_over_that_of_the_policy(tmp_path: Path) -> None:
    (tmp_path / "gates.yaml").write_text("baseline: b.json\ngates: {floor: {metric: accuracy, min: 0.9}}\n")
    assert load(tmp_path, STEP + "baseline: a.json\ngates: gates.yaml\n").baseline == "a.json"


def test_the_word_none_in_place_of_gates_is_no_file(tmp_path: Path) -> None:
    assert load(tmp_path, STEP + "gates: none\n").gates == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", []),
        (STEP + "gate: {}", ["mlops.yaml:3:1: unknown key `gate`"]),
        ("steps: {one: {code: x, kernl: ir}}", ["mlops.yaml:1:24: unknown key `kernl` in `steps.one`"]),
        ("steps: {one: {code: 7}}", ["mlops.yaml:1:15: `steps.one.code`: expected text, got a whole number (`7`)"]),
        ("steps: [a]", ["mlops.yaml:1:1: `steps`: expected a mapping, got a list"]),
        ("[a]", ["mlops.yaml:1:1: expected a mapping, got a list"]),
        ("text", ["mlops.yaml:1:1: expected a mapping, got text"]),
        ("version: 2\n" + STEP, ["mlops.yaml:1:1: this version reads format 1, not 2"]),
        (STEP + "gates: {a: {metric: m}}", ["mlops.yaml:3:9: gate `a` must have exactly one rule, found none"]),
        (STEP + "gates: {a: {min: 1}}", ["mlops.yaml:3:9: gate `a` has neither a `metric` nor an `expression`"]),
        (
            STEP + "gates: {a: {metric: m, min: .nan}}",
            ["mlops.yaml:3:24: `gates.a.min`: expected a finite number"],
        ),
        (
            STEP + "gates: {a: {metric: m, range: [2, 1]}}",
            ["mlops.yaml:3:24: `gates.a.range`: the range is empty: 2 is above 1"],
        ),
        (
            STEP + "gates: {a: {metric: m, min: 1, tolerance: 1}}",
            ["mlops.yaml:3:9: gate `a`: `tolerance` belongs to `equals`, not to `min`"],
        ),
        (
            STEP + "gates: {a: {metric: m, equals: 0, tolerance: 1%}}",
            ["mlops.yaml:3:9: gate `a`: a share of 0 is not a tolerance"],
        ),
        (
            STEP + "gates: {a: {metric: accuracy, max-drop: -1, baseline: b}}",
            ["mlops.yaml:3:31: `gates.a.max-drop`: expected a number that is not negative"],
        ),
        (
            STEP + "gates: {a: {metric: m, min: 1, severity: warning}}",
            ["mlops.yaml:3:32: `gates.a.severity`: expected one of `block`, `warn`, `info`, got text (`warning`)"],
        ),
        ("steps: {a b: {code: x}}", ["mlops.yaml:1:9: `a b` is not a step name"]),
        ("steps: {a: {code: x, outputs: /etc/x}}", ["mlops.yaml:1:9: `/etc/x` leaves the project folder"]),
        (
            "steps: {a: {code: x, timeout: 0}}",
            ["mlops.yaml:1:22: `steps.a.timeout`: a duration must be longer than 0; leave it out for no limit"],
        ),
        (
            "environment: {set: {A: 1}}\n" + STEP,
            ["mlops.yaml:1:21: `environment.set.A`: expected text, got a whole number (`1`)"],
        ),
    ],
)
def test_each_mistake_is_one_error_with_its_place(tmp_path: Path, text: str, said: list[str]) -> None:
    assert problems(tmp_path, text) == said


def test_mistakes_in_the_configuration_and_in_the_policy_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "gates.yaml").write_text("gates: {a: {metric: m, mix: 1}}\n")
    said = problems(tmp_path, "steps: {one: {cod: x}}\ngates: gates.yaml\n")
    assert [line.split(":")[0] for line in said] == ["mlops.yaml", "gates.yaml"]


def test_a_misspelt_key_is_not_reported_a_second_time_for_what_it_lacks(tmp_path: Path) -> None:
    assert problems(tmp_path, "steps: {one: {cod: x}}\n") == ["mlops.yaml:1:15: unknown key `cod` in `steps.one`"]


def test_a_misspelt_key_gets_the_nearest_known_one(tmp_path: Path) -> None:
    with pytest.raises(Problems) as caught:
        load(tmp_path, STEP + "gats: {}\n")
    [error] = caught.value.problems
    assert isinstance(error, UnknownKey)
    assert error.hint == "did you mean `gates`?"


def test_a_circle_of_needs_is_shown_with_its_steps(tmp_path: Path) -> None:
    with pytest.raises(Problems) as caught:
        load(tmp_path, "steps:\n  a: {code: x, needs: b}\n  b: {code: x, needs: a}\n  c: {code: x}\n")
    [error] = caught.value.problems
    assert isinstance(error, NeedsCycle)
    assert set(error.message.split(": ")[1].split(" → ")) == {"a", "b"}


@pytest.mark.parametrize("text", ["gates: {}", "gates: {floor: {metric: m}}", "gate: {}", "[]", "a: b: c"])
def test_a_bad_policy_never_becomes_no_policy(tmp_path: Path, text: str) -> None:
    (tmp_path / "gates.yaml").write_text(text)
    assert problems(tmp_path, STEP + "gates: gates.yaml\n") != []


def test_a_policy_file_that_is_missing_is_told_where_it_is_named(tmp_path: Path) -> None:
    [said] = problems(tmp_path, STEP + "gates: gates.yaml\n")
    assert said.startswith("mlops.yaml:3:")
    assert "gates.yaml" in said


@pytest.mark.parametrize(
    "text", ["floor: {metric: accuracy, min: 0.9}", "gates:\n  floor: {metric: accuracy, min: 0.9}"]
)
def test_gates_as_text_are_a_policy_or_a_bare_mapping(text: str) -> None:
    loaded = policy_from_text(text, "INPUT_GATES")
    assert loaded.gates["floor"].min == Decimal("0.9")
    assert loaded.gate_origin("floor").startswith("INPUT_GATES:")


@pytest.mark.parametrize("text", ["", "text", "[]", "{}", "gates: {}"])
def test_gates_as_text_without_a_gate_are_refused(text: str) -> None:
    with pytest.raises(Problems):
        policy_from_text(text, "INPUT_GATES")


def test_no_more_of_a_file_is_read_than_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"#" * (MAX_BYTES + 100))
    assert len(read_limited(tmp_path / "large", "large")) == MAX_BYTES + 1


@pytest.mark.parametrize("name", ["missing", "folder", "missing/deep"])
def test_what_is_no_file_cannot_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileMissing, match=name):
        read_limited(tmp_path / name, name)


def test_a_version_without_quotes_is_taken_as_it_was_written() -> None:
    assert version_or_path(parse_yaml("a: 3.10", "x").data["a"]) == "3.10"
    assert [version_or_path(value) for value in ("3.10", 3, ".venv/bin/python")] == ["3.10", "3", ".venv/bin/python"]
    for wrong in (True, None, ["3.10"]):
        with pytest.raises(ValueError, match="a version such as"):
            version_or_path(wrong)
