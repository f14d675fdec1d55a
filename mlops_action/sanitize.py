"""Text that a notebook printed, made harmless for every CI system's log parser.

The rules are those of the systems' own parsers: GitHub's runner takes ``::command::`` at
the start of a line after a *Unicode* trim and ``##[command]`` anywhere in it, without
regard to case, and a lone carriage return starts a line; Azure reads ``##vso[``, TeamCity
``##teamcity[``, GitLab ``section_start:``/``section_end:``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

GUTTER = "  | "
MAX_LINE = 4000
"""Longest line that is shown, in characters; the rest is counted, not printed."""
HELD = 64 * 1024
"""A line without an end is shown when so many characters of it are there; of what still comes nothing is shown."""

Mask = Callable[[str], str]
"""Takes secrets out of a text. What it finds in a line it finds in a text with that line, too."""

_LINE_ENDS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_]?)")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_COMMANDS = re.compile(r"##(?=\[|vso\[|teamcity\[)|section_(?=start:|end:)", re.IGNORECASE)
_SUSPECT = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
    r"|##|section_(?:start|end):",
    re.IGNORECASE,
)
"""Anything that any rule here would change."""
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def plain(text: str) -> str:
    """Drop terminal escapes, control and direction characters; keep tabs."""
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", _ESCAPES.sub("", text)))


def harmless(line: str) -> str:
    """One line without anything that a CI system could take for a command."""
    return _COMMANDS.sub(lambda found: found.group(0)[:1] + "\\" + found.group(0)[1:], plain(line))


def inline(text: str) -> str:
    """Foreign text (a name, an error message) as part of, never the start of, our own line."""
    return harmless(" ".join(part for part in _LINE_ENDS.split(text) if part.strip()))


def as_it_is(text: str) -> str:
    """No secrets are known."""
    return text


def gutter_lines(text: str, mask: Mask = as_it_is) -> list[str]:
    """Split ``text`` at every line end there is and put each line behind the gutter."""
    return [GUTTER + _shortened(mask(harmless(line))) for line in _LINE_ENDS.split(text)]


def _shortened(line: str) -> str:
    if len(line) <= MAX_LINE:
        return line
    return f"{line[:MAX_LINE]} … ({len(line) - MAX_LINE} more characters)"


class GutterStream:
    """Turns arriving pieces of text into whole gutter lines.

    A carriage return redraws the line, as on a terminal: of a progress bar's redraws in
    one piece only the last is kept. Pieces without a line end are held back until the
    line is complete, up to ``HELD`` characters, so that a secret in two pieces is masked, too:
    before lines are cut, as half of a secret is not known for one.
    """

    def __init__(self, mask: Mask = as_it_is) -> None:
        """Start with nothing held back."""
        self._mask = mask
        self._held = ""
        self._skipped = -1

    def feed(self, text: str) -> list[str]:
        """Take a piece of text; give the lines that it completed."""
        shown: list[str] = []
        if self._skipped >= 0:
            text = self._skip(text, shown)
        *whole, self._held = (self._held + text).split("\n")
        if len(self._held) > HELD:
            whole, self._held, self._skipped = [*whole, self._held], "", 0
        if _is_innocent(whole):
            together = "\n".join(whole)
            mask = as_it_is if self._mask(together) == together else self._mask
            return shown + [GUTTER + _shortened(mask(line)) for line in whole]
        return shown + [each for line in whole for each in gutter_lines(last_redraw(line), self._mask)]

    def close(self) -> list[str]:
        """Give the last line when it had no line end."""
        shown: list[str] = []
        if self._skipped >= 0:
            self._skip("\n", shown)
        held, self._held = self._held, ""
        return shown + (gutter_lines(last_redraw(held), self._mask) if held.strip() else [])

    def _skip(self, text: str, shown: list[str]) -> str:
        """Leave out the rest of a line that was shown in part; what is given is the text after its end."""
        rest, end, after = text.partition("\n")
        self._skipped += len(rest)
        if end:
            if self._skipped:
                shown.append(f"{GUTTER}… ({self._skipped} more characters of this line)")
            self._skipped = -1
        return after


def _is_innocent(lines: list[str]) -> bool:
    """Whether no rule here would change any of the lines: most text is so, and seen to be so by quick looks."""
    text = "".join(lines)
    if text.isprintable() or text.replace("\t", "").isprintable():
        return "##" not in text and "section_" not in text.casefold()
    return not _SUSPECT.search("\n".join(lines))


def last_redraw(line: str) -> str:
    """What a terminal shows of a line that was drawn over itself."""
    drawn = [part for part in line.split("\r") if part]
    return drawn[-1] if drawn else ""
