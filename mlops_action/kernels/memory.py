"""Whether the system's out-of-memory killer was at work, as the control group tells."""

from __future__ import annotations

from pathlib import Path

from mlops_action.config.values import size_text

CGROUPS = Path("/sys/fs/cgroup")


class OomWatch:
    """Counts the kills of this process's control group from its creation on."""

    def __init__(self, root: Path = CGROUPS) -> None:
        """Remember the present count."""
        self.root = root
        self._before = self._count()

    def verdict(self) -> str:
        """Words on a kill since the start; empty when none was counted or none can be."""
        now = self._count()
        if now is None or self._before is None or now <= self._before:
            return ""
        limit = self._limit()
        return "it ran out of memory" + (f": the limit here is {size_text(limit)}" if limit else "")

    def _count(self) -> int | None:
        for name in ("memory.events", "memory/memory.oom_control"):
            try:
                lines = (self.root / name).read_text().splitlines()
            except OSError:
                continue
            for line in lines:
                key, _, value = line.partition(" ")
                if key == "oom_kill":
                    return int(value)
        return None

    def _limit(self) -> int | None:
        for name in ("memory.max", "memory/memory.limit_in_bytes"):
            try:
                text = (self.root / name).read_text().strip()
            except OSError:
                continue
            if text.isdecimal() and int(text) < 1 << 60:
                return int(text)
        return None
