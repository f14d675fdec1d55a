"""A plan is divided in the same way everywhere, and nothing that belongs together is torn apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_action.config.adhoc import load_pipeline
from mlops_action.config.options import Options
from mlops_action.config.sources import Settings
from mlops_action.errors import BadValue
from mlops_action.kernels.interface import KernelProcess, Launch
from mlops_action.plan import Planner
from mlops_action.records import FileState, KernelChoice, Plan, PlannedParameter, PlannedStep
from mlops_action.shard import part_of, shard_numbers


def step(name: str, *needs: str, **more: Any) -> PlannedStep:
    return PlannedStep(name, "mlops.yaml:1:1", needs=needs, **more)


def plan(*steps: PlannedStep) -> Plan:
    return Plan("mlops.yaml", "/project", "mlops-out", steps, gates=())


def names(part: Plan) -> list[str]:
    return [each.name for each in part.steps]


CHAINS = plan(step("a"), step("b", "a"), step("c", "b"), step("x"), step("y", "x"), step("z"))


def test_steps_that_need_each_other_stay_together() -> None:
    assert names(part_of(CHAINS, "1/2", "--shard")) == ["a", "b", "c"]
    assert names(part_of(CHAINS, "2/2", "--shard")) == ["x", "y", "z"]


def test_steps_that_share_a_file_stay_together() -> None:
    shared = plan(step("write", outputs=("data/*.csv",)), step("free"), step("read", inputs=("data/x.csv",)))
    assert names(part_of(shared, "1/2", "--shard")) == ["write", "read"]
    assert names(part_of(shared, "2/2", "--shard")) == ["free"]


def test_more_parts_than_chains_leave_some_parts_empty() -> None:
    assert [names(part_of(CHAINS, f"{i}/5", "--shard")) for i in range(1, 6)] == [
        ["a", "b", "c"],
        ["x", "y"],
        ["z"],
        [],
        [],
    ]


def test_a_part_knows_the_whole_that_it_belongs_to() -> None:
    first, second = part_of(CHAINS, "1/2", "--shard"), part_of(CHAINS, " 2 / 2 ", "--shard")
    assert (first.shard, second.shard) == ("1/2", "2/2")
    assert first.shard_steps == second.shard_steps == ("a", "b", "c", "x", "y", "z")
    assert first.shard_of == second.shard_of
    assert first.shard_of.startswith("sha256:")


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    count = draw(st.integers(0, 12))
    needs = [draw(st.sets(st.integers(0, i - 1), max_size=2)) if i else set() for i in range(count)]
    return plan(*(step(f"s{i}", *(f"s{each}" for each in sorted(needs[i]))) for i in range(count)))


@given(plans(), st.integers(1, 6))
def test_the_parts_are_the_whole_and_no_need_crosses_them(whole: Plan, count: int) -> None:
    parts = [part_of(whole, f"{i}/{count}", "--shard") for i in range(1, count + 1)]
    assert sorted(name for part in parts for name in names(part)) == sorted(names(whole))
    for part in parts:
        assert all(set(each.needs) <= set(names(part)) for each in part.steps)
        assert names(part) == [name for name in names(whole) if name in names(part)]
    assert parts == [part_of(whole, f"{i}/{count}", "--shard") for i in range(1, count + 1)]


HERE = KernelChoice("python3", "/opt/venv/share", "python", ("/opt/venv/bin/python",))
THERE = KernelChoice("python3", "/home/ci/share", "python", ("/home/ci/bin/python",))


def test_where_things_happen_to_lie_does_not_make_another_plan() -> None:
    here = plan(step("a", kernel=HERE, inputs_found=(FileState("x", 1),)))
    there = replace(plan(step("a", kernel=THERE)), root="/elsewhere", output_dir="out-2")
    assert part_of(here, "1/2", "--shard").shard_of == part_of(there, "1/2", "--shard").shard_of


@pytest.mark.parametrize(
    "other",
    [
        plan(step("a", parameters=(PlannedParameter("C", 2, "-p"),))),
        plan(step("a", code="print()")),
        plan(step("a"), step("b")),
        replace(plan(step("a")), environment={"X": "1"}),
    ],
    ids=["parameter", "code", "steps", "environment"],
)
def test_another_piece_of_work_makes_another_plan(other: Plan) -> None:
    whole = plan(step("a", parameters=(PlannedParameter("C", 1, "-p"),)))
    assert part_of(whole, "1/2", "--shard").shard_of != part_of(other, "1/2", "--shard").shard_of


def test_the_value_of_a_secret_does_not_show_in_the_plans_name() -> None:
    first, second = (plan(step("a", parameters=(PlannedParameter("api_key", v, "-p"),))) for v in ("one", "two"))
    assert part_of(first, "1/1", "--shard").shard_of == part_of(second, "1/1", "--shard").shard_of


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0/3", "there is no part 0 of 3"),
        ("4/3", "there is no part 4 of 3"),
        ("1/0", "there is no part 1 of 0"),
        ("first", "expected a part such as `2/3`, got `first`"),
        ("1-3", "expected a part such as `2/3`"),
        ("-1/3", "expected a part such as `2/3`"),
        ("1/3/5", "expected a part such as `2/3`"),
        ("١/٣", "expected a part such as `2/3`"),
    ],
)
def test_a_part_that_does_not_exist_is_an_error_with_its_origin(text: str, said: str) -> None:
    with pytest.raises(BadValue, match=said) as caught:
        shard_numbers(text, "INPUT_SHARD")
    assert caught.value.origin == "INPUT_SHARD"
    assert "`1/3`, `2/3` and `3/3`" in caught.value.hint


class OneKernel:
    """A place with a single kernel, in which nothing is started."""

    def find(self, name: str, environment: str = "") -> KernelChoice:
        return HERE

    async def start(self, launch: Launch) -> KernelProcess:
        raise NotImplementedError


def test_the_option_gives_the_plan_of_the_part_alone(tmp_path: Path) -> None:
    (tmp_path / "mlops.yaml").write_text("steps: {a: {code: '1'}, b: {code: '2', needs: [a]}, c: {code: '3'}}\n")
    settings = Settings(Options(shard="2/2"), {"shard": "--shard"})
    loaded = load_pipeline(settings, tmp_path)
    made, problems = Planner(loaded, settings, OneKernel(), {}).plan()
    assert not problems
    assert (names(made), made.shard, set(made.shard_steps)) == (["c"], "2/2", {"a", "b", "c"})
