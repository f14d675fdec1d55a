"""Whatever a notebook prints, no log parser takes it for a command."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops_action.sanitize import GUTTER, MAX_LINE, GutterStream, gutter_lines, harmless, inline, plain

PIECES = (
    *("::", "##[", "##vso[", "##teamcity[", "section_start:", "section_end:", "error", "set-output name=x::", "\r"),
    *("\n", "\r\n", "\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1b[0m", "\x1b]0;t\x07", "#"),
    *("\x1b", "\ufeff", "\u200b", "\u3000", "\xa0", "\t", " ", "\x00", "\u202e", "\ud800", "ß", "İ", "ſection_ſtart:"),
    *("[", "vso[", ":", "\x9b", "\x07", "\x08", "##V\u200bSO[", "#\u200b#[", "#\x1b[0m#[", "sect\x00ion_start:"),
)
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)
BROKEN = re.compile(r"##\[|##vso\[|##teamcity\[|section_(?:start|end):", re.IGNORECASE)
EVERY_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def stripped(line: str) -> str:
    """Without white space, format and control characters at the start: stricter than any parser's trim."""
    return line.lstrip().lstrip("".join(map(chr, (*range(33), 127, 0xFEFF, 0x200B, 0x200C, 0x200D, 0x2060))))


def check(lines: list[str]) -> None:
    for line in lines:
        assert line.startswith(GUTTER)
        assert EVERY_LINE_END.search(line) is None
        assert not stripped(line).startswith(("::", "##["))
        assert BROKEN.search(line) is None
        assert BROKEN.search(unicodedata.normalize("NFC", line)) is None
        assert "\x1b" not in line
        line.encode()


@given(hostile)
@example("#\x1b[0m#[error]x")
@example("\u2028::error::x")
@settings(max_examples=500, deadline=None)
def test_no_line_behind_the_gutter_is_a_command(text: str) -> None:
    check(gutter_lines(text))


@given(st.lists(hostile, max_size=6))
@settings(max_examples=300, deadline=None)
def test_no_line_of_a_stream_is_a_command_however_it_is_cut(pieces: list[str]) -> None:
    stream = GutterStream()
    check([line for piece in pieces for line in stream.feed(piece)] + stream.close())


@given(hostile)
def test_foreign_text_inside_our_own_line_stays_one_line(text: str) -> None:
    said = inline(text)
    assert EVERY_LINE_END.search(said) is None
    assert BROKEN.search(said) is None


@given(hostile)
def test_making_text_harmless_twice_changes_nothing_more(text: str) -> None:
    assert harmless(harmless(text)) == harmless(text)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"]), max_size=50))
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    if BROKEN.search(text) is None:
        assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("##[error]x", "#\\#[error]x"),
        ("##VSO[task]", "#\\#VSO[task]"),
        ("a\tb", "a\tb"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("a\x08\x07b", "ab"),
        ("ok \ud83d", "ok \ufffd"),
        ("section_start:1:x", "s\\ection_start:1:x"),
    ],
)
def test_dangerous_parts_are_broken_and_the_rest_kept(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_every_kind_of_line_end_starts_a_line_behind_the_gutter() -> None:
    assert gutter_lines("a\rb\nc\r\nd\u2028e\x85f") == [f"{GUTTER}{char}" for char in "abcdef"]


def test_a_long_line_is_cut_and_its_rest_counted() -> None:
    [line] = gutter_lines("x" * (MAX_LINE + 7))
    assert line == GUTTER + "x" * MAX_LINE + " … (7 more characters)"


def test_of_a_redrawn_line_only_the_last_state_is_kept() -> None:
    stream = GutterStream()
    assert stream.feed("\r10%\r50%\r100%\n") == [f"{GUTTER}100%"]


def test_a_line_that_comes_in_pieces_is_shown_once() -> None:
    stream = GutterStream()
    assert stream.feed("he") == []
    assert stream.feed("llo\nwor") == [f"{GUTTER}hello"]
    assert stream.close() == [f"{GUTTER}wor"]
    assert stream.close() == []


def test_a_line_without_an_end_is_not_held_back_for_ever() -> None:
    stream = GutterStream()
    assert sum(len(stream.feed("x" * 1000)) for _ in range(20)) > 0


def test_empty_lines_are_kept_where_they_were() -> None:
    assert GutterStream().feed("a\n\nb\n") == [f"{GUTTER}a", GUTTER, f"{GUTTER}b"]


@pytest.mark.parametrize(
    "text", ["x" * 3_000_000, "\r" * 300_000, "##[" * 300_000, "\x1b]" * 300_000, "\x1b[" * 300_000]
)
def test_megabytes_of_text_are_made_harmless_in_bounded_time(text: str) -> None:
    begun = time.process_time()
    stream = GutterStream()
    stream.feed(text)
    stream.close()
    gutter_lines(text)
    assert time.process_time() - begun < 10
