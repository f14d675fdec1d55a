"""How much memory there is for steps: what the control group allows, or what the machine has left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_AVAILABLE = re.compile(r"^MemAvailable:\s*(\d+) kB$", re.MULTILINE)
_NO_LIMIT = 1 << 60
"""Version 1 of control groups writes a huge number where there is no limit."""

_FILES = {
    "memory.max": ("memory.current", "inactive_file"),
    "memory.limit_in_bytes": ("memory.usage_in_bytes", "total_inactive_file"),
}
"""A group's limit, in versions 2 and 1: the file of its use, and the part of it that is given back at once."""


def available_memory(root: Path = Path("/")) -> int:
    """Bytes that steps may use now; 0 when the system does not say.

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    known = list(_left_in_groups(root))
    found = _AVAILABLE.search(_text(root / "proc/meminfo"))
    if found:
        known.append(int(found.group(1)) * 1024)
    return max(1, min(known)) if known else 0


def _left_in_groups(root: Path) -> Iterator[int]:
    """What is left under the limit of our group and of each above it."""
    for folder in _folders(root):
        for limit_file, (use_file, cache) in _FILES.items():
            limit, used = _number(folder / limit_file), _number(folder / use_file)
            if limit is not None and used is not None and limit < _NO_LIMIT:
                yield limit - used + _reclaimable(folder, cache)


def _folders(root: Path) -> Iterator[Path]:
    """Folders of our control group, from its own to the top; a container sees its own as the top."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers not in {"", "memory"} and "memory" not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("memory" if controllers else "")
        own = top / path.lstrip("/")
        while own != top and top in own.parents:
            yield own
            own = own.parent
        yield top


def _reclaimable(folder: Path, name: str) -> int:
    found = re.search(rf"^{name} (\d+)$", _text(folder / "memory.stat"), re.MULTILINE)
    return int(found.group(1)) if found else 0


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdecimal() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
