"""A part of a plan: the steps that one of several CI jobs runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mlops_action.canonical import digest_of
from mlops_action.codec import encode
from mlops_action.errors import BadValue
from mlops_action.executors.ordering import chains
from mlops_action.portable import masked, portable
from mlops_action.records import FileState, Json, KernelChoice, Plan, PlannedStep

PARTS_FILE, CHILD_FILE = "parts.json", "gitlab-parts.yml"
_NOTATION = re.compile(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", re.ASCII)


def shard_numbers(text: str, origin: str) -> tuple[int, int]:
    """``(2, 3)`` from ``2/3``.

    Raises:
        BadValue: another notation, or not one of 1 to N.
    """
    found = _NOTATION.fullmatch(text)
    hint = "write `1/3`, `2/3` and `3/3` for three parts"
    if found is None:
        raise BadValue(f"expected a part such as `2/3`, got `{text}`", origin=origin, hint=hint)
    number, count = int(found[1]), int(found[2])
    if not count or not 1 <= number <= count:
        raise BadValue(f"there is no part {number} of {count}: they are counted from 1", origin=origin, hint=hint)
    return number, count


def plan_outputs(plan: Plan, parts: int) -> tuple[tuple[str, str], ...]:
    """What later CI jobs need of a plan: the names of its steps and, for ``parts`` above 0, a matrix of its parts.

    There are never more parts than chains of steps, so that none is empty.
    """
    outputs = {"steps": json.dumps([step.name for step in plan.steps])}
    if parts:
        count = max(1, min(parts, len(chains(plan.steps))))
        # The number stands alone as well: names of artifacts hold no slash.
        rows = [{"shard": f"{number}/{count}", "part": str(number)} for number in range(1, count + 1)]
        outputs["matrix"] = json.dumps({"include": rows})
    return tuple(outputs.items())


def parts_files(outputs: Mapping[str, str]) -> tuple[tuple[str, bytes], ...]:
    """The matrix of parts as files, for CI systems that read their jobs from one.

    GitLab's is for a child pipeline that has a hidden job ``.part``: YAML is a superset of JSON.
    """
    if "matrix" not in outputs:
        return ()
    matrix = json.loads(outputs["matrix"])
    jobs = {
        "part": {
            "extends": ".part",
            "parallel": {"matrix": [{"MLOPS_SHARD": [row["shard"] for row in matrix["include"]]}]},
        }
    }
    return tuple(
        (name, (json.dumps(data) + "\n").encode()) for name, data in ((PARTS_FILE, matrix), (CHILD_FILE, jobs))
    )


def part_of(plan: Plan, text: str, origin: str) -> Plan:
    """The part ``text`` (``2/3``) of a plan; empty when there are fewer chains of steps than parts.

    The same plan is divided in the same way everywhere. Steps that need each other, or that
    share files, stay together; the largest chains are dealt out first, each to the part that
    has the fewest steps.

    Raises:
        BadValue: ``text`` names no part.
    """
    number, count = shard_numbers(text, origin)
    mine = set(_dealt(chains(plan.steps), count)[number - 1])
    return replace(
        plan,
        steps=tuple(step for step in plan.steps if step.name in mine),
        shard=f"{number}/{count}",
        shard_of=digest_of(portable(_identity(plan))),
        shard_steps=tuple(step.name for step in plan.steps),
    )


def _dealt(groups: Sequence[list[str]], count: int) -> list[list[str]]:
    parts: list[list[str]] = [[] for _ in range(count)]
    for group in sorted(groups, key=len, reverse=True):  # a stable sort: equal ones stay in the order of the plan
        min(parts, key=len).extend(group)
    return parts


def _identity(plan: Plan) -> Json:
    """What every part must agree on: the work, not where its files happen to lie."""
    return {
        "steps": [_step_identity(step) for step in plan.steps],
        "gates": [encode(replace(gate, origin="")) for gate in plan.gates],
        "environment": {name: masked(name, value) for name, value in plan.environment.items()},
        "environments": {
            name: {variable: masked(variable, value) for variable, value in variables.items()}
            for name, variables in plan.environments.items()
        },
        "timeout": plan.timeout_seconds,
    }


def _step_identity(step: PlannedStep) -> Json:
    """A step without places of this machine. Sizes of inputs stay out: an earlier step may write them."""
    nothing: tuple[FileState, ...] = ()
    bare = replace(
        step,
        origin="",
        inputs_found=nothing,
        kernel=step.kernel and _bare(step.kernel),
        interpreters={name: _bare(kernel) for name, kernel in step.interpreters.items()},
        parameters=tuple(
            replace(each, origin="", value=masked(each.name, encode(each.value))) for each in step.parameters
        ),
    )
    return encode(bare)


def _bare(kernel: KernelChoice) -> KernelChoice:
    return KernelChoice(kernel.name, "", kernel.language, (), environment=kernel.environment)
