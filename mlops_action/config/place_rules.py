"""What the places where kernels run must hold beyond the types of their values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from mlops_action.config.model import EnvironmentSpec, PipelineSpec
from mlops_action.config.yaml_source import Located
from mlops_action.errors import BadValue, MlopsError, SpecError, UnknownName, nearest

_USER = re.compile(r"\d+(:\d+)?")
_ALONE = ("container", "gateway")
"""Places that bring everything with them."""


def place_problems(spec: PipelineSpec, located: Located, flawed: Collection[str] = ()) -> list[MlopsError]:
    """Everything that is wrong about the environments and about who names them."""
    problems: list[MlopsError] = []
    named = {f"/environments/{name}": each for name, each in spec.environments.items()}
    for where, environment in {"/environment": spec.environment, **named}.items():
        if where not in flawed:
            problems += [
                type(error)(error.message, origin=located.origin(where + error.origin), hint=error.hint)
                for error in _problems(environment)
            ]
    for name, step in spec.steps.items():
        if step.environment and step.environment not in spec.environments:
            problems.append(
                UnknownName(
                    f"step `{name}` runs in environment `{step.environment}`, which does not exist",
                    origin=located.origin(f"/steps/{name}/environment"),
                    hint=nearest(step.environment, list(spec.environments)),
                )
            )
    return problems


def _problems(spec: EnvironmentSpec) -> Iterator[MlopsError]:
    """Problems of one environment, with the pointer inside it as origin."""
    given = [key for key in ("packages", "container", "gateway", "python", "warm") if getattr(spec, key)]
    for alone in _ALONE:
        others = [f"`{key}`" for key in given if key != alone]
        if alone in given and others:
            yield SpecError(
                f"`{alone}` does not go together with {' and '.join(others)}",
                origin=f"/{alone}",
                hint="a kernel runs in one place: make another one under `environments`, and name it in the step",
            )
    if spec.preload and not spec.warm:
        yield SpecError("`preload` is for warm starts", origin="/preload", hint="add `warm: true`")
    yield from _container_problems(spec)
    yield from _gateway_problems(spec)


def _gateway_problems(spec: EnvironmentSpec) -> Iterator[MlopsError]:
    if spec.gateway is None:
        return
    if not spec.gateway.url.startswith(("http://", "https://")):
        yield BadValue("a gateway needs a `url` that begins with http:// or https://", origin="/gateway")
    for key, names in (("set", spec.set), ("pass", spec.pass_)):
        lost = [name for name in names if not name.startswith("KERNEL_")]
        if lost:
            yield BadValue(
                f"`{lost[0]}` does not reach a kernel on a gateway",
                origin=f"/{key}",
                hint="gateways hand over names that begin with `KERNEL_` alone; pass other values as parameters",
            )


def _container_problems(spec: EnvironmentSpec) -> Iterator[MlopsError]:
    if spec.container is None:
        return
    if not spec.container.image:
        yield SpecError("a container needs an `image`", origin="/container")
    if spec.container.workspace not in {"rw", "ro"}:
        yield BadValue(f"`{spec.container.workspace}` is neither `rw` nor `ro`", origin="/container/workspace")
    if spec.container.user and not _USER.fullmatch(spec.container.user):
        yield BadValue(
            f"`{spec.container.user}` is no user by number",
            origin="/container/user",
            hint="write `1000` or `1000:1000`: names mean something else in each image",
        )
    for here, there in spec.container.mounts.items():
        if not there.startswith("/"):
            yield BadValue(f"`{here}` is mounted at `{there}`, which is no absolute path", origin="/container/mounts")
