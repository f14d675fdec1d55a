"""What GitHub's runner would do with a log: its rules for commands, and its output file format.

Written from the runner's ``ActionCommand.cs`` and ``ActionCommandManager.cs``: ``::name::`` counts
at the start of a line after a Unicode trim, ``##[name]`` anywhere in it, names without regard
to case; after ``stop-commands`` only the token's own line counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

COMMANDS = [
    "group",
    "endgroup",
    "error",
    "warning",
    "notice",
    "debug",
    "stop-commands",
    "set-output",
    "save-state",
    "set-env",
    "add-path",
    "add-mask",
    "echo",
    "add-matcher",
    "remove-matcher",
    "internal-set-repo-path",
    "command",
    "section",
    "warning",
]
_SECOND = re.compile(r"::([^\s:]+)(?: ([^:]*))?::(.*)", re.DOTALL)
_FIRST = re.compile(r"##\[([^\]\s;]+)(?:[ ;]([^\]]*))?\](.*)", re.DOTALL)


def processed(lines: Iterable[str]) -> list[tuple[str, str, str]]:
    """The commands that count, as ``(name, properties, data)``."""
    found: list[tuple[str, str, str]] = []
    token = ""
    for line in lines:
        for name, properties, data in _commands_in(line):
            if token:
                token = "" if name == token.lower() else token
            elif name == "stop-commands":
                token = data
                found.append((name, properties, data))
            elif name in COMMANDS:
                found.append((name, properties, data))
    if token:
        found.append(("never-resumed", "", token))
    return found


def _commands_in(line: str) -> Iterable[tuple[str, str, str]]:
    for match in (_SECOND.match(line.lstrip()), _FIRST.search(line)):
        if match:
            yield match[1].lower(), match[2] or "", match[3]


def outputs(text: str) -> dict[str, str]:
    """A ``GITHUB_OUTPUT`` file as the runner reads it; a later value replaces an earlier one."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, mark, delimiter = line.partition("<<")
        if not mark:
            name, _, found_value = line.partition("=")
            found[name] = found_value
            continue
        value: list[str] = []
        for inner in lines:
            if inner == delimiter:
                break
            value.append(inner)
        found[name] = "\n".join(value)
    return found
