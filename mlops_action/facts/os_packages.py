"""Packages of the operating system, read from the lists that their managers keep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mlops_action.canonical import digest_of
from mlops_action.facts.interface import Scene
from mlops_action.records import Fact, Uncaptured

_DPKG = re.compile(r"^(Package|Status|Version|Architecture):[ ]?(.*)$", re.MULTILINE)
_APK = re.compile(r"^([PVA]):(.*)$", re.MULTILINE)
_RPM_MARKS = ("var/lib/rpm", "usr/lib/sysimage/rpm")


class OsPackages:
    """Identity is one digest over names and versions; the list is an observation."""

    def __init__(self, root: Path = Path("/")) -> None:
        """Look for the lists below ``root``."""
        self._root = root

    def collect(self, scene: Scene) -> Fact:  # noqa: ARG002  # the system is the same for every scene
        """Collect the fact."""
        for manager, path, read in (("dpkg", "var/lib/dpkg/status", _dpkg), ("apk", "lib/apk/db/installed", _apk)):
            try:
                text = (self._root / path).read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            packages = sorted(read(text))
            identity = {"manager": manager, "count": len(packages), "digest": digest_of(packages)}
            return Fact("os-packages", identity=identity, observation=packages)
        return Fact("os-packages", uncaptured=(Uncaptured("packages of the operating system", self._why()),))

    def _why(self) -> str:
        if any((self._root / mark).exists() for mark in _RPM_MARKS):
            return "lists of RPM are not read yet; give the image's digest, which stands for them"
        return "no list of a package manager that is known was found"


def _dpkg(text: str) -> Iterator[str]:
    for block in text.split("\n\n"):
        fields = dict(_DPKG.findall(block))
        if fields.get("Status", "").endswith(" installed"):
            yield f"{fields.get('Package', '')}={fields.get('Version', '')}:{fields.get('Architecture', '')}"


def _apk(text: str) -> Iterator[str]:
    for block in text.split("\n\n"):
        fields = dict(_APK.findall(block))
        if fields.get("P"):
            yield f"{fields['P']}={fields.get('V', '')}:{fields.get('A', '')}"
