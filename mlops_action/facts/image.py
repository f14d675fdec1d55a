"""The container image, which nothing inside a container can find out by itself."""

from __future__ import annotations

import re
from pathlib import Path

from mlops_action.facts.interface import Scene
from mlops_action.records import Fact, Uncaptured

VARIABLE = "MLOPS_ACTION_IMAGE"
_REFERENCE = re.compile(r"(?P<name>[\w.:/-]+)@(?P<digest>sha256:[0-9a-f]{64})")
_MARKS = (".dockerenv", "run/.containerenv")
_CONTAINER_GROUP = re.compile(r"docker|kubepods|containerd|libpod|lxc|crio")
_HOW = f"pass it in the variable {VARIABLE} as `name@sha256:<64 hex digits>`, as `docker inspect` shows it"


class ImageFact:
    """Identity is the digest that the caller passes; the same image has it in every registry."""

    def __init__(self, root: Path = Path("/")) -> None:
        """Look for the marks of a container below ``root``."""
        self._root = root

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact."""
        given = scene.context.env.get(VARIABLE, "")
        reference = _REFERENCE.fullmatch(given)
        if reference:
            return Fact(
                "image",
                identity={"container": True, "digest": reference["digest"]},
                locator={"name": reference["name"], "source": VARIABLE},
            )
        if given:
            return Fact("image", uncaptured=(Uncaptured("container image", f"{VARIABLE} names no digest; {_HOW}"),))
        if self._in_container(scene):
            why = f"a container cannot read the digest of its own image; {_HOW}"
            return Fact("image", identity={"container": True}, uncaptured=(Uncaptured("container image", why),))
        return Fact("image", identity={"container": False})

    def _in_container(self, scene: Scene) -> bool:
        if any((self._root / mark).exists() for mark in _MARKS) or "KUBERNETES_SERVICE_HOST" in scene.context.env:
            return True
        try:
            groups = (self._root / "proc/1/cgroup").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
        return _CONTAINER_GROUP.search(groups) is not None
