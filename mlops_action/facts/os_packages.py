"""Packages of the operating system, read from the lists that their managers keep."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlops_action.canonical import digest_of
from mlops_action.facts.interface import Scene
from mlops_action.records import Fact, Uncaptured

_DPKG = re.compile(r"^(Package|Status|Version|Architecture):[ ]?(.*)$", re.MULTILINE)
_APK = re.compile(r"^([PVA]):(.*)$", re.MULTILINE)
_RPM_FORM = "%{NAME}=%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}:%{ARCH}\\n"
_TIMEOUT_SECONDS = 60
_RPM_MARKS = ("var/lib/rpm", "usr/lib/sysimage/rpm")


class OsPackages:
    """Identity is one digest over names and versions; the list is an observation."""

    def __init__(self, root: Path = Path("/")) -> None:
        """Look for the lists below ``root``."""
        self._root = root

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact."""
        for manager, path, read in (("dpkg", "var/lib/dpkg/status", _dpkg), ("apk", "lib/apk/db/installed", _apk)):
            try:
                text = (self._root / path).read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            return _listed(manager, sorted(read(text)))
        why = "no list of a package manager that is known was found"
        database = next((mark for mark in _RPM_MARKS if (self._root / mark).is_dir()), "")
        if database:
            packages, why = _rpm(self._root, database, scene.context.env)
            if packages:
                return _listed("rpm", packages)
        return Fact("os-packages", uncaptured=(Uncaptured("packages of the operating system", why),))


def _listed(manager: str, packages: list[str]) -> Fact:
    identity = {"manager": manager, "count": len(packages), "digest": digest_of(packages)}
    return Fact("os-packages", identity=identity, observation=packages)


def _rpm(root: Path, database: str, env: Mapping[str, str]) -> tuple[list[str], str]:
    """The packages as ``rpm`` lists them, and why it does not: its databases have had several forms."""
    program = shutil.which("rpm", path=env.get("PATH"))
    if program is None:
        return [], "there is a database of RPM, and no `rpm` that would read it; the image's digest stands for it"
    place = [] if root == Path("/") else [f"--root={root}"]
    command = [program, *place, f"--dbpath=/{database}", "-qa", f"--queryformat={_RPM_FORM}"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_TIMEOUT_SECONDS, env=dict(env)
        )
    except (OSError, subprocess.TimeoutExpired):
        return [], "`rpm` did not answer"
    lines = sorted(line for line in done.stdout.decode(errors="replace").splitlines() if "=" in line)
    said = done.stderr.decode(errors="replace").strip().splitlines()
    why = f"`rpm` ended with {done.returncode}: {said[-1]}" if said else "`rpm` knows of no package"
    return (lines, "") if done.returncode == 0 and lines else ([], why)


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
