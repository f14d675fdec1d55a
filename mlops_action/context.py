"""The world as an argument: environment, working directory, clock and output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from mlops_action.frozen import frozen


@frozen
class Context:
    """Everything that a stage may know of the process that it runs in."""

    env: Mapping[str, str]
    cwd: Path
    out: TextIO
    now: Callable[[], datetime]

    @classmethod
    def of_process(cls) -> Context:
        """The real world. Called once, at the top."""
        return cls(dict(os.environ), Path.cwd(), sys.stdout, lambda: datetime.now(UTC))

    def timestamp(self) -> str:
        """The present moment as RFC 3339 in UTC, to the millisecond."""
        return written(self.now())


def written(moment: datetime) -> str:
    """A moment in UTC as RFC 3339, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
