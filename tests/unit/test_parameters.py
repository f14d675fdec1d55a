"""Parameters of the steps: where values come from, and what the notebooks say of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_action.config.adhoc import load_pipeline
from mlops_action.config.options import Options
from mlops_action.config.sources import Settings
from mlops_action.errors import KernelMissing, MlopsError, Problems
from mlops_action.formats.plan_text import plan_lines
from mlops_action.plan import Planner
from mlops_action.records import KernelChoice, Plan, PlannedStep

LANGUAGES = {"python3": "python", "ir": "R", "bash": "bash", "scala": "scala"}


class KernelsOfNames:
    """Knows a few kernels and starts none."""

    def find(self, name: str, environment: str = "") -> KernelChoice:
        if name not in LANGUAGES:
            raise KernelMissing(f"there is no kernel `{name}`", hint="install it")
        return KernelChoice(name, "/k", LANGUAGES[name], ("run",))

    async def start(self, launch: Any) -> Any:
        raise AssertionError("a plan starts no kernel")


class Project:
    """A folder with a configuration and notebooks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env: dict[str, str] = {}

    def notebook(self, name: str, source: str | None, kernel: str = "") -> None:
        cells: list[dict[str, Any]] = [{"cell_type": "code", "source": "work()", "metadata": {}, "outputs": []}]
        if source is not None:
            cells.insert(0, {"cell_type": "code", "source": source, "metadata": {"tags": ["parameters"]}})
        metadata = {"kernelspec": {"name": kernel}} if kernel else {}
        raw = {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}
        (self.folder / name).write_text(json.dumps(raw))

    def config(self, text: str) -> None:
        (self.folder / "mlops.yaml").write_text(f"{text}\ngates: none\n")

    def plan(self, **options: Any) -> tuple[Plan, tuple[MlopsError, ...]]:
        origins = {"parameters": "-p", "raw_parameters": "-P"}
        settings = Settings(Options(**options), origins)
        return Planner(load_pipeline(settings, self.folder), settings, KernelsOfNames(), self.env).plan()

    def steps(self, **options: Any) -> dict[str, PlannedStep]:
        plan, problems = self.plan(**options)
        assert problems == ()
        return {step.name: step for step in plan.steps}

    def values(self, step: str = "train", **options: Any) -> dict[str, Any]:
        return {each.name: each.value for each in self.steps(**options)[step].parameters}

    def refused(self, **options: Any) -> list[MlopsError]:
        with pytest.raises(Problems) as told:
            self.plan(**options)
        return list(told.value.problems)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


STEP = "steps:\n  train:\n    notebook: a.ipynb\n"


def test_each_source_wins_over_the_weaker_ones(project: Project) -> None:
    project.notebook("a.ipynb", None)
    (project.folder / "step.yaml").write_text("a: file\nb: file\nc: file\nd: file\ne: file\nf: file\n")
    (project.folder / "run.yaml").write_text("d: run\ne: run\nf: run\n")
    project.config(
        STEP
        + "    parameters-file: step.yaml\n    parameters: {b: step, c: step, d: step, e: step, f: step}\n"
        + "    matrix: {c: [matrix]}\n"
    )
    found = project.values(
        "train-matrix", parameters_file="run.yaml", parameters=("e=typed", "f=typed"), raw_parameters=("f=raw",)
    )
    assert found == {"a": "file", "b": "step", "c": "matrix", "d": "run", "e": "typed", "f": "raw"}


def test_typed_values_are_yaml_and_raw_ones_are_text(project: Project) -> None:
    project.notebook("a.ipynb", None)
    project.config(STEP + "    parameters: {a: 0, b: 0}\n")
    assert project.values(parameters=("a=007",), raw_parameters=("b=007",)) == {"a": 7, "b": "007"}
    assert project.values(parameters=("a=[1, x]",), raw_parameters=("b=${{ x }}",)) == {"a": [1, "x"], "b": "${{ x }}"}


def test_a_parameter_that_only_the_notebook_names_may_be_given(project: Project) -> None:
    project.notebook("a.ipynb", "lr = 0.1")
    project.notebook("b.ipynb", "depth = 1")
    project.config(STEP + "  other:\n    notebook: b.ipynb\n")
    assert project.values(parameters=("lr=0.2",)) == {"lr": 0.2}
    assert project.values("other", parameters=("lr=0.2",)) == {}
    assert project.values(parameters=("train.lr=0.2",)) == {"lr": 0.2}


def test_a_misspelt_parameter_is_told_with_the_nearest_name(project: Project) -> None:
    project.notebook("a.ipynb", "learning_rate = 0.1")
    project.config(STEP + "    parameters:\n      lerning_rate: 0.2\n")
    (error,) = project.refused()
    assert error.slug == "unknown-name"
    assert error.origin == "mlops.yaml:5:7"
    assert "did you mean `learning_rate`?" in error.hint
    assert "unknown-parameters: allow" in error.hint
    project.config(STEP)
    (error,) = project.refused(parameters=("train.learning_rte=1",))
    assert "did you mean `learning_rate`?" in error.hint


def test_a_number_for_a_text_is_told_with_the_way_to_give_text(project: Project) -> None:
    project.notebook("a.ipynb", "name = 'x'")
    project.config(STEP)
    (error,) = project.refused(parameters=("name=007",))
    assert error.slug == "bad-value"
    assert error.origin == "-p"
    assert "`str`" in error.message
    assert "`-P name=" in error.hint
    assert project.values(raw_parameters=("name=007",)) == {"name": "007"}


def test_a_whole_number_is_a_float_but_a_float_is_no_whole_number(project: Project) -> None:
    project.notebook("a.ipynb", "lr = 0.1\nn = 3")
    project.config(STEP)
    assert project.values(parameters=("lr=1", "n=4")) == {"lr": 1, "n": 4}
    (error,) = project.refused(parameters=("n=0.5",))
    assert "`int`" in error.message


def test_what_is_allowed_is_not_compared(project: Project) -> None:
    project.notebook("a.ipynb", "name = 'x'")
    project.config(STEP + "    unknown-parameters: allow\n    parameters: {name: 7, other: 1}\n")
    assert project.values() == {"name": 7, "other": 1}


def test_snippets_files_and_notebooks_without_the_cell_take_any(project: Project) -> None:
    project.notebook("a.ipynb", None)
    (project.folder / "x.R").write_text("1")
    project.config(
        STEP
        + "    parameters: {x: 1}\n  code:\n    code: print(x)\n    parameters: {x: 1}\n"
        + "  file:\n    file: x.R\n    parameters: {x: 1}\n"
    )
    assert project.values("train") == project.values("code") == project.values("file") == {"x": 1}


def test_the_step_s_kernel_says_in_which_language_the_cell_is(project: Project) -> None:
    project.notebook("a.ipynb", "name <- 'x' # who")
    project.config(STEP + "    kernel: ir\n    parameters: {name: 7}\n")
    (error,) = project.refused()
    assert "`str`" in error.message
    project.config(STEP + "    kernel: scala\n    parameters: {name: 7}\n")
    assert project.values() == {"name": 7}


def test_without_a_configuration_a_parameter_goes_to_the_notebooks_that_have_it(project: Project) -> None:
    project.notebook("a.ipynb", "lr = 0.1")
    project.notebook("b.ipynb", "depth = 1")
    project.notebook("c.ipynb", None)
    notebooks = ("a.ipynb", "b.ipynb", "c.ipynb")
    steps = project.steps(notebooks=notebooks, parameters=("lr=0.2",))
    assert [len(step.parameters) for step in steps.values()] == [1, 0, 0]
    steps = project.steps(notebooks=notebooks, parameters=("other=0.2",))
    assert [len(step.parameters) for step in steps.values()] == [0, 0, 1]
    (error,) = project.refused(notebooks=("a.ipynb",), parameters=("lrr=0.2",))
    assert "did you mean `lr`?" in error.hint


def test_a_step_that_needs_a_matrix_needs_all_its_runs(project: Project) -> None:
    project.notebook("a.ipynb", None)
    project.config(
        STEP + "    matrix: {m: [a/b, a b]}\n  train-a_b:\n    code: '1'\n  after:\n    code: '2'\n    needs: [train]\n"
    )
    steps = project.steps()
    assert sorted(steps) == ["after", "train-a_b", "train-a_b-2", "train-a_b-3"]
    assert steps["after"].needs == ("train-a_b-2", "train-a_b-3")
    assert [steps[name].variant for name in steps["after"].needs] == ["m=a/b", "m=a b"]
    assert sorted(project.steps(steps=("after",))) == ["after", "train-a_b-2", "train-a_b-3"]


def test_one_mistake_of_a_matrix_step_is_told_once(project: Project) -> None:
    project.notebook("a.ipynb", "m = 1", kernel="none")
    project.config(STEP + "    matrix: {m: [1, 2]}\n    parameters: {typo: 1}\n")
    assert [error.slug for error in project.plan(steps=())[1]] == ["kernel-missing"]
    project.notebook("a.ipynb", "m = 1", kernel="python3")
    assert [error.slug for error in project.refused()] == ["unknown-name"]


def test_a_secret_is_named_in_the_plan_and_its_value_is_not(project: Project) -> None:
    project.notebook("a.ipynb", "key = ''\nother = 1")
    project.config(STEP + "    parameters:\n      key: {secret: MY_KEY}\n")
    (error,) = project.refused()
    assert error.slug == "secret-missing"
    assert error.origin == "mlops.yaml:5:7"
    project.env = {"MY_KEY": "hunter22"}
    plan, problems = project.plan()
    text = "\n".join(plan_lines(plan, judging=False))
    assert problems == ()
    assert "environment variable MY_KEY" in text
    assert "hunter22" not in text + repr(plan)


@pytest.mark.parametrize(
    "value",
    ["{secret: 7}", "{secret: 'a b'}", "[{secret: X}]", "{a: {secret: X}}", "'${{ steps.a.value.x }}'", "['${{ x }}']"],
)
def test_a_secret_or_reference_that_would_not_be_replaced_is_refused(project: Project, value: str) -> None:
    project.notebook("a.ipynb", None)
    project.config(STEP + f"    parameters:\n      key: {value}\n")
    (error,) = project.refused()
    assert error.slug == "bad-value"
    assert error.origin == "mlops.yaml:5:7"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("steps.prepar.values.x", "there is no step"),
        ("steps.loose.values.x", "is not known when"),
        ("steps.many.values.x", "once for each combination"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_told_with_its_place(
    project: Project, reference: str, said: str
) -> None:
    project.config(
        "steps:\n  prepare: {code: '1'}\n  loose: {code: '1'}\n  many: {code: '1', matrix: {a: [1]}}\n"
        f"  train:\n    code: '1'\n    needs: [prepare, many]\n    parameters:\n      x: ${{{{ {reference} }}}}\n"
    )
    (error,) = project.refused()
    assert said in error.message
    assert error.origin == "mlops.yaml:9:7"


def test_secrets_and_references_may_be_given_on_the_command_line(project: Project) -> None:
    project.config(
        "steps:\n  prepare: {code: '1'}\n  train: {code: '1', needs: [prepare], parameters: {x: 1, y: 1, z: 1}}\n"
    )
    project.env = {"MY_KEY": "hunter22"}
    reference = "${{ steps.prepare.values.a }}"
    given = ("x={secret: MY_KEY}", f"y={reference}")
    found = project.steps(parameters=given, raw_parameters=(f"z={reference}",))["train"].parameters
    assert [(each.secret, each.reference, each.value) for each in found] == [
        ("MY_KEY", "", None),
        ("", "steps.prepare.values.a", None),
        ("", "", reference),
    ]


def test_a_reference_through_several_needs_is_followed_and_shown(project: Project) -> None:
    project.config(
        "steps:\n  prepare: {code: '1'}\n  middle: {code: '1', needs: [prepare]}\n"
        "  train:\n    code: '1'\n    needs: [middle]\n    parameters:\n      x: ${{ steps.prepare.values.a.b }}\n"
    )
    plan, _ = project.plan()
    assert plan.steps[-1].parameters[0].reference == "steps.prepare.values.a.b"
    assert "${{ steps.prepare.values.a.b }}" in "\n".join(plan_lines(plan, judging=False))


def test_a_bad_file_of_parameters_is_told_and_so_is_the_rest(project: Project) -> None:
    project.notebook("a.ipynb", "x = 1")
    (project.folder / "bad.yaml").write_text("- 1\n")
    project.config(STEP + "    parameters-file: bad.yaml\n    parameters: {y: 1}\n")
    assert [error.slug for error in project.refused()] == ["wrong-type", "unknown-name"]


def test_a_note_s_kernels_come_from_its_interpreters(project: Project) -> None:
    paragraphs = [{"text": "%sh ls"}, {"text": "%sql select 1"}, {"text": "%r 1"}]
    (project.folder / "n.zpln").write_text(json.dumps({"paragraphs": paragraphs}))
    config = "environment: {kernel: python3%s}\nsteps:\n  train:\n    notebook: n.zpln\n"
    project.config(config % "")
    _, problems = project.plan()
    assert [error.slug for error in problems] == ["kernel-missing"]
    assert "`%sql` in n.zpln" in problems[0].message
    assert "environment: interpreters:" in problems[0].hint
    project.config(config % ", interpreters: {sql: scala, sh: ir}")
    step = project.steps()["train"]
    assert step.kernel is not None
    assert step.kernel.name == "ir", "the kernel of all steps does not replace what a note names"
    assert {label: kernel.name for label, kernel in step.interpreters.items()} == {"sql": "scala", "r": "ir"}


def test_the_plan_for_people_shows_what_is_set(project: Project) -> None:
    project.notebook("a.ipynb", None)
    (project.folder / "x.R").write_text("1")
    project.config(
        STEP + "    cells: {names: [fit], headings: [Training], matching: '^model'}\n"
        "    retry: {on: [kernel-died], times: 2}\n    cell-timeout: 5m\n    max-output: 1MiB\n    memory: 2GiB\n"
        "    allow-errors: true\n    deterministic: true\n    cache: true\n    compare: {}\n"
        "    unknown-parameters: allow\n"
        "  file:\n    file: x.R\n    kernel: ir\n    matrix: {depth: [3]}\n"
    )
    plan, _ = project.plan()
    text = "\n".join(plan_lines(plan, judging=False))
    for shown in (
        "named fit; under Training; matching ^model",
        "up to 2 times more after kernel-died",
        "5m00s for a cell",
        "at most 1.0 MiB of a cell",
        "2.0 GiB must be free",
        "cells that raise do not end it",
        "file       x.R",
        "for        depth=3",
        "of other types, are allowed",
        "compare ",
        "cache ",
        "without times",
    ):
        assert shown in text, shown
