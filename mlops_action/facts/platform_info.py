"""The machine: what a result may depend on, without its name."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path

from mlops_action.facts.interface import Scene
from mlops_action.records import Fact, Json

_MODEL = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)
_MEMORY = re.compile(r"^MemTotal:\s*(\d+) kB$", re.MULTILINE)


class PlatformFact:
    """Operating system and processor kind are identity; the exact machine is an observation."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        """Read processor and memory below ``proc``."""
        self._proc = proc

    def collect(self, scene: Scene) -> Fact:  # noqa: ARG002  # the machine is the same for every scene
        """Collect the fact; what the system does not tell is null."""
        memory = _first(_MEMORY, self._proc / "meminfo")
        return Fact(
            "platform",
            identity={"system": platform.system(), "machine": platform.machine()},
            observation={
                "kernel": platform.release(),
                "os": _os_release().get("PRETTY_NAME"),
                "cpu": _first(_MODEL, self._proc / "cpuinfo"),
                "cpu-count": _usable_processors(),
                "memory-bytes": int(memory) * 1024 if memory else None,
            },
        )


def _usable_processors() -> Json:
    """Processors that this process may use, which a container or a runner can limit."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count()


def _os_release() -> Mapping[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _first(pattern: re.Pattern[str], path: Path) -> str | None:
    try:
        found = pattern.search(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return found.group(1).strip() if found else None
