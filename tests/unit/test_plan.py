"""Spec to plan: steps ordered, names resolved, everything that is missing found before a kernel starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_action.config.adhoc import load_pipeline
from mlops_action.config.options import Options
from mlops_action.config.sources import Settings
from mlops_action.errors import KernelMissing, MlopsError, Problems, UsageError
from mlops_action.formats.plan_text import plan_lines
from mlops_action.plan import Planner
from mlops_action.records import KernelChoice, Plan


class FewKernels:
    """Knows two kernels and starts none."""

    def find(self, name: str, environment: str = "") -> KernelChoice:
        if name not in {"python3", "ir"}:
            raise KernelMissing(f"there is no Jupyter kernel `{name}`", hint="known: `python3`, `ir`")
        return KernelChoice(name, f"/kernels/{name}", "python" if name == "python3" else "R", (f"/bin/{name}", "-f"))

    async def start(self, launch: Any) -> Any:
        raise AssertionError("a plan starts no kernel")


def plan(folder: Path, text: str, **options: Any) -> tuple[Plan, list[str]]:
    (folder / "mlops.yaml").write_text(text)
    settings = Settings(Options(**options), {name: f"--{name}" for name in options})
    made, problems = Planner(load_pipeline(settings, folder), settings, FewKernels(), {}).plan()
    return made, [str(each) for each in problems]


def names(made: Plan) -> list[str]:
    return [step.name for step in made.steps]


def notebook(folder: Path, name: str, kernel: str = "") -> None:
    metadata = {"kernelspec": {"name": kernel}} if kernel else {}
    (folder / name).write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": []}))


def test_steps_are_ordered_so_that_needs_come_first(tmp_path: Path) -> None:
    made, problems = plan(tmp_path, "steps:\n  c: {code: x, needs: b}\n  a: {code: x}\n  b: {code: x, needs: a}\n")
    assert names(made) == ["a", "b", "c"]
    assert problems == []


def test_a_step_that_is_asked_for_brings_those_that_it_needs_and_no_other(tmp_path: Path) -> None:
    text = "steps:\n  a: {code: x}\n  b: {code: x, needs: a}\n  c: {code: x, needs: b}\n  d: {code: x}\n"
    assert names(plan(tmp_path, text, steps=("b",))[0]) == ["a", "b"]


graphs = st.integers(1, 7).flatmap(
    lambda count: st.lists(
        st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] < pair[1]),
        max_size=12,
    ).map(lambda edges: (count, edges))
)


@given(graph=graphs)
@settings(max_examples=60, deadline=None)
def test_in_every_graph_each_step_comes_after_its_needs(
    tmp_path_factory: pytest.TempPathFactory, graph: tuple[int, list[tuple[int, int]]]
) -> None:
    count, edges = graph
    steps = {f"s{i}": {"code": "x", "needs": sorted({f"s{a}" for a, b in edges if b == i})} for i in range(count)}
    made, _ = plan(tmp_path_factory.mktemp("graph"), json.dumps({"steps": dict(reversed(steps.items()))}))
    place = {name: i for i, name in enumerate(names(made))}
    assert sorted(place) == sorted(steps)
    assert all(place[f"s{a}"] < place[f"s{b}"] for a, b in edges)


def test_an_unknown_step_gets_the_nearest_known_one(tmp_path: Path) -> None:
    with pytest.raises(Problems) as caught:
        plan(tmp_path, "steps: {train: {code: x}}", steps=("trian", "zzz"))
    assert [str(error) for error in caught.value.problems] == [
        "--steps: there is no step `trian`",
        "--steps: there is no step `zzz`",
    ]
    assert caught.value.problems[0].hint == "did you mean `train`?"


def test_nothing_to_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no step to run"):
        plan(tmp_path, "gates: {a: {metric: m, min: 1}}")


@pytest.mark.parametrize(
    ("step", "environment", "option", "own", "chosen"),
    [
        ("ir", "python3", "python3", "python3", "ir"),
        ("", "ir", "", "python3", "ir"),
        ("", "python3", "ir", "python3", "ir"),
        ("", "", "", "ir", "ir"),
        ("", "", "", "", "python3"),
    ],
)
def test_the_kernel_is_the_step_s_else_the_option_s_else_the_environment_s_else_the_notebook_s(
    tmp_path: Path, step: str, environment: str, option: str, own: str, chosen: str
) -> None:
    notebook(tmp_path, "a.ipynb", own)
    text = f"environment: {{kernel: '{environment}'}}\nsteps: {{one: {{notebook: a.ipynb, kernel: '{step}'}}}}\n"
    made, problems = plan(tmp_path, text, kernel=option)
    assert problems == []
    assert made.steps[0].kernel is not None
    assert made.steps[0].kernel.name == chosen


def test_everything_that_is_missing_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    text = (
        "steps:\n"
        "  a: {notebook: gone.ipynb}\n"
        "  b: {code: x, kernel: julia}\n"
        "  c: {code: x, inputs: [gone.csv, there.csv]}\n"
    )
    (tmp_path / "there.csv").write_text("x")
    made, problems = plan(tmp_path, text)
    assert [problem.split(": ")[0] for problem in problems] == ["mlops.yaml:2:7", "mlops.yaml:3:16", "mlops.yaml:4:25"]
    assert made.missing == tuple(problems)
    assert made.steps[0].kernel is None


def test_an_input_that_an_earlier_step_promises_is_not_missing(tmp_path: Path) -> None:
    text = (
        "steps:\n"
        "  a: {code: x, outputs: [data/, model.bin], metrics: m.json}\n"
        "  b: {code: x, needs: a, inputs: [data/train.csv, '*.bin', m.json]}\n"
    )
    assert plan(tmp_path, text)[1] == []


def test_an_input_that_only_a_later_step_writes_is_missing(tmp_path: Path) -> None:
    text = "steps:\n  a: {code: x, inputs: [m.json]}\n  b: {code: x, needs: a, outputs: [m.json]}\n"
    assert len(plan(tmp_path, text)[1]) == 1


def test_inputs_that_exist_are_listed_with_their_sizes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("12345")
    made, _ = plan(tmp_path, "steps: {one: {code: x, inputs: '*.csv'}}")
    assert [(state.path, state.size) for state in made.steps[0].inputs_found] == [("a.csv", 5)]


def test_each_parameter_remembers_where_its_value_came_from(tmp_path: Path) -> None:
    text = "steps:\n  one:\n    code: x\n    parameters: {rate: 0.1, seed: 7}\n"
    made, _ = plan(tmp_path, text, parameters=("rate=[1, 2]",))
    assert [(each.name, each.value, each.origin) for each in made.steps[0].parameters] == [
        ("rate", [1, 2], "--parameters"),
        ("seed", 7, "mlops.yaml:4:29"),
    ]


def test_a_parameter_may_be_for_one_step_alone(tmp_path: Path) -> None:
    text = "steps:\n  a: {code: x, parameters: {rate: 1}}\n  b: {code: x, parameters: {rate: 1}}\n"
    made, _ = plan(tmp_path, text, parameters=("b.rate=2",))
    assert [step.parameters[0].value for step in made.steps] == [1, 2]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("rat=1", "no step has a parameter `rat`"),
        ("a.rat=1", "no step has a parameter `a.rat`"),
        ("rate", "`rate` is not a parameter"),
        ("=1", "`=1` is not a parameter"),
        ("rate={", "not YAML"),
        ("rate=.inf", "is not finite"),
        ("rate=!!python/name:os.system", "is not allowed"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(tmp_path: Path, given: str, said: str) -> None:
    with pytest.raises(MlopsError) as caught:
        plan(tmp_path, "steps:\n  a: {code: x, parameters: {rate: 1}}\n", parameters=(given,))
    errors = caught.value.problems if isinstance(caught.value, Problems) else [caught.value]
    assert said in str(errors[0])


def test_gates_of_the_plan_have_their_rule_and_direction_made_explicit(tmp_path: Path) -> None:
    text = (
        "steps: {one: {code: x}}\nbaseline: b.json\ngates:\n"
        "  a: {metric: val_loss, max-drop: {absolute: 0.1, relative: 5%}, severity: warn}\n"
        "  b: {metric: m, range: [1, 2], slice: x=1}\n"
    )
    first, second = plan(tmp_path, text)[0].gates
    assert (first.rule, first.direction, first.baseline, first.severity) == ("max-drop", "lower", "b.json", "warn")
    assert first.limits == {"max-drop": {"absolute": 0.1, "relative": 0.05}}
    assert (second.rule, second.limits, second.slice, second.baseline) == ("range", {"range": [1, 2]}, "x=1", "")


def test_the_printed_plan_never_shows_a_secret_parameter(tmp_path: Path) -> None:
    text = "steps: {one: {code: x, parameters: {db_password: hunter-two}}}"
    made, _ = plan(tmp_path, text)
    assert "hunter-two" not in "\n".join(plan_lines(made, judging=True))


def test_the_printed_plan_says_when_nothing_would_be_judged(tmp_path: Path) -> None:
    made, _ = plan(tmp_path, "steps: {one: {code: x}}")
    assert any("the verdict would be `inconclusive`" in line for line in plan_lines(made, judging=True))
    assert any("none, on request" in line for line in plan_lines(made, judging=False))
