"""Packages that conda installed beside the kernels, other languages' among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from mlops_action.canonical import Json
from mlops_action.facts.interface import Scene
from mlops_action.facts.urls import bare_url
from mlops_action.records import Fact


class CondaPackages:
    """Identity is name, version, build and digest of each package; the addresses are locators."""

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact; nothing when no kernel lives in a conda environment."""
        folders = sorted({folder for folder in _folders(scene) if folder.is_dir()})
        found = [list(_packages(folder)) for folder in folders]
        if not found:
            return Fact("conda")
        return Fact(
            "conda",
            identity=[[_identity(each) for each in packages] for packages in found],
            locator=[{_name(each): bare_url(str(each.get("url", ""))) for each in packages} for packages in found],
        )


def _folders(scene: Scene) -> Iterator[Path]:
    for step in scene.plan.steps:
        if step.kernel and step.kernel.argv and "/" in step.kernel.argv[0] and step.kernel.where in {"", "host"}:
            yield (scene.root / step.kernel.argv[0]).parent.parent / "conda-meta"


def _packages(folder: Path) -> Iterator[Json]:
    for path in sorted(folder.glob("*.json")):
        try:
            value = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(value, dict) and value.get("name"):
            yield value


def _name(package: Json) -> str:
    return str(package["name"])


def _identity(package: Json) -> Json:
    keys = ("name", "version", "build", "sha256", "md5")
    return {key: str(package[key]) for key in keys if package.get(key)}
