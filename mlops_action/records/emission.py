"""What people and the CI system are given."""

from __future__ import annotations

from mlops_action.frozen import frozen
from mlops_action.records.base import documented


@frozen
class Annotation:
    """A message for people that points at a file."""

    level: str = documented("`error`, `warning` or `notice`.")
    title: str = documented("A few words.")
    message: str = documented("The message.")
    path: str = documented("File relative to the repository, or empty.", default="")
    line: int | None = documented("Line, counted from 1.", default=None)
    accepted: str = documented("Why it is accepted all the same, where a waiver says so.", default="")


@frozen
class Emissions:
    """What the CI system and people are given at the end."""

    annotations: tuple[Annotation, ...] = documented("Messages, worst first.")
    summary: str = documented("Markdown.")
    outputs: tuple[tuple[str, str], ...] = documented("Names and values for later CI steps.")
    files: tuple[tuple[str, bytes], ...] = documented("Files for the output folder, by name.")
