"""Whatever a notebook prints, no log parser takes it for a command."""

from __future__ import annotations

import re
import time
import unicodedata
from itertools import pairwise

import pytest
from acceptance import github_runner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops_action.redact import Redactor
from mlops_action.sanitize import GUTTER, HELD, MAX_LINE, GutterStream, gutter_lines, harmless, inline, plain

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
    assert sum(len(stream.feed("x" * 1000)) for _ in range(70)) == 1
    assert stream.feed("y" * 500) == []
    said = stream.feed("z\nnext\n")
    assert said == [f"{GUTTER}… (4501 more characters of this line)", f"{GUTTER}next"]
    assert stream.close() == []


def test_empty_lines_are_kept_where_they_were() -> None:
    assert GutterStream().feed("a\n\nb\n") == [f"{GUTTER}a", GUTTER, f"{GUTTER}b"]


SECRET = "hunter2-of-the-job"


@pytest.mark.parametrize("before", ["", "x" * (MAX_LINE - 9), "x" * (HELD - 9), "x" * (HELD + 5), "a\n##[b]"])
@pytest.mark.parametrize("cut", [1, 9, len(SECRET) - 1])
def test_a_secret_in_two_pieces_is_shown_in_none(before: str, cut: int) -> None:
    stream = GutterStream(Redactor([SECRET]).text)
    said = [*stream.feed(before + SECRET[:cut]), *stream.feed(SECRET[cut:] + " and more\nnext"), *stream.close()]
    assert said[-1] == f"{GUTTER}next"
    assert not any(SECRET[:9] in line or SECRET[9:] in line for line in said)


def test_a_secret_with_escapes_in_it_is_masked_as_it_is_shown() -> None:
    stream = GutterStream(Redactor([SECRET]).text)
    assert stream.feed(f"{SECRET[:4]}\x1b[0m\u200b{SECRET[4:]}\n") == [f"{GUTTER}***"]


@pytest.mark.parametrize(
    "code", [0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]
)
def test_no_direction_or_invisible_mark_is_left(code: int) -> None:
    assert plain(f"a{chr(code)}b") == "ab"


@pytest.mark.parametrize(
    "escape",
    [
        *("\x1b[31m", "\x1b[2J", "\x1b[1;1H", "\x1b[?25l", "\x1b[38;2;1;2;3m", "\x1b(B", "\x1bc", "\x9b31m"),
        *("\x1b]0;title\x07", "\x1b]2;title\x1b\\", "\x1b]8;;https://example.org\x07", "\x1b]8;;\x1b\\"),
        *("\x1b]52;c;aGk=\x07", "\x1bP1$r\x1b\\", "\x1b_Ga=T\x1b\\", "\x1b^x\x1b\\"),
    ],
)
def test_no_escape_of_a_terminal_is_left_whatever_it_would_do(escape: str) -> None:
    [line] = gutter_lines(f"before{escape}after")
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in line)
    assert line.startswith(f"{GUTTER}before")
    assert line.endswith("after")


@pytest.mark.parametrize(
    "space", ["", " ", "\t", "\xa0", "\u1680", "\u2003", "\u202f", "\u205f", "\u3000", "\x85", "\u2028"]
)
@pytest.mark.parametrize(
    "command", ["::error::x", "::Set-Output name=a::b", "##[error]x", "##[Group]", "##VSO[task.x]y"]
)
def test_no_space_that_a_runner_trims_lets_a_command_through(space: str, command: str) -> None:
    for line in gutter_lines(f"{space}{command}\r{space}{command}"):
        assert github_runner.processed([line]) == []
        assert not BROKEN.search(line)


def test_bytes_that_are_no_text_are_shown_as_such_and_change_nothing_else() -> None:
    text = b"ok \xff\xfe ##[error] \xf0\x28 \xed\xa0\x80".decode(errors="replace")
    check(gutter_lines(text))
    check(gutter_lines(b"\x80::error::x".decode(errors="surrogateescape")))


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_line_of_twenty_megabytes_is_cut_and_counted_in_bounded_time_and_memory(end: str) -> None:
    begun = time.process_time()
    stream = GutterStream(Redactor([SECRET]).text)
    said = [line for _ in range(320) for line in stream.feed("::error::" + "x" * 65_527)]
    said += [*stream.feed(end), *stream.close()]
    assert [len(line) < MAX_LINE + 100 for line in said] == [True, True]
    assert said[1] == f"{GUTTER}… ({318 * 65_536} more characters of this line)"
    assert len(gutter_lines("y" * 20_000_000)[0]) < MAX_LINE + 100
    assert time.process_time() - begun < 10


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


@given(st.lists(st.sampled_from(["token=", "--", "://", "a" * 7, SECRET, SECRET[:4], "ghp_" + "a" * 36, "u:p@h", " "])))
def test_a_text_at_once_is_masked_as_each_of_its_lines(words: list[str]) -> None:
    mask = Redactor([SECRET]).text
    lines = [word + other for word, other in pairwise(words)]
    alone = [GUTTER + mask(line) for line in lines]
    shown = GutterStream(mask).feed("".join(f"{line}\n" for line in lines))
    assert shown == alone
