"""Environments put elsewhere than their configuration says: another interpreter, another image."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mlops_action.config.model import EnvironmentSpec
from mlops_action.config.place_model import ContainerSpec
from mlops_action.errors import BadValue, UnknownName, nearest

_WISH = re.compile(r"(?:(?P<name>[^=:]*)=)?(?P<kind>python|image):(?P<what>.+)", re.DOTALL)


def placed(specs: Mapping[str, EnvironmentSpec], wishes: Sequence[str], origin: str) -> dict[str, EnvironmentSpec]:
    """The environments, by name, with each wish ``[NAME=]python:PATH`` or ``[NAME=]image:IMAGE`` fulfilled.

    An interpreter is used with the packages that it has; nothing is built for it.

    Raises:
        BadValue: a wish is neither.
        UnknownName: there is no such environment.
    """
    found = dict(specs)
    for wish in wishes:
        parts = _WISH.fullmatch(wish)
        if parts is None:
            raise BadValue(
                f"`{wish}` says no place",
                origin=origin,
                hint="write `python:PATH`, `image:NAME`, or `ENVIRONMENT=image:NAME`",
            )
        name, what = parts["name"] or "", parts["what"]
        if name not in found:
            raise UnknownName(
                f"there is no environment `{name}`", origin=origin, hint=nearest(name, [each for each in found if each])
            )
        bare = replace(found[name], packages=(), gateway=None)
        if parts["kind"] == "python":
            found[name] = replace(bare, python=what, container=None)
        else:
            container = replace(bare.container or ContainerSpec(), image=what)
            found[name] = replace(bare, python="", container=container, warm=False, preload=())
    return found
