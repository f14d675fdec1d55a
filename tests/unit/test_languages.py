"""Values as source text: data never becomes code, and reads back as it was."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_action.errors import BadValue
from mlops_action.notebooks import KERNEL_LANGUAGES, LANGUAGE_NAMES, LANGUAGES, language_key
from mlops_action.notebooks.assignments import assignments
from mlops_action.registry import load_from

HOSTILE = [
    "",
    "plain",
    "'",
    '"',
    "'''\"\"\"",
    "a\nb",
    "a\r\nb",
    "a\tb",
    "$HOME ${x} $(rm -rf /) `id`",
    "\\",
    "\\'; import os #",
    '"); system("id"); ("',
    "\\u0022; evil",
    "${{ x }}",
    "#{x} %s {0} {x}",
    "ü🚀",
    "\u0085\u2028\u2029",
    "\u2018quoted\u2019 \u201c\u201d",
    "*/ // -- % # ;",
    "]]>",
    "!history",
    "\x07\x1b[0m\x7f",
    "end\\",
]
KEYS = sorted(LANGUAGES)
STRINGS = {
    "r": "escaped",
    "julia": "escaped",
    "javascript": "escaped",
    "typescript": "escaped",
    "scala": "escaped",
    "c#": "escaped",
    "f#": "escaped",
    "python": "python",
    "bash": "shell",
    "matlab": "single",
    "octave": "single",
    "powershell": "single",
}
"""How each language's texts end: this is what the tests below read, knowing nothing else of it."""


def source(key: str, value: Any, name: str = "x") -> str:
    return assignments(load_from(LANGUAGES, key)(), {name: value}, "here").split("\n", 1)[1]


def test_every_language_says_how_its_texts_end() -> None:
    assert set(STRINGS) == set(LANGUAGES)
    assert set(KERNEL_LANGUAGES.values()) | set(LANGUAGE_NAMES.values()) <= set(LANGUAGES)


@pytest.mark.parametrize("key", [key for key in KEYS if STRINGS[key] == "escaped"])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_one_literal_of_plain_ascii(key: str, text: str) -> None:
    written = source(key, text)
    literal = written[written.index('"') :].rstrip(";")
    assert re.fullmatch(r'"(?:[ !#-\[\]-~]|\\[\\"nrt$]|\\u[0-9a-f]{4}|\\U[0-9a-f]{8})*"', literal)
    assert _unescaped(literal) == text


def _unescaped(literal: str) -> str:
    """The text of a literal, by JSON's rules and the two escapes that JSON does not have."""
    plain = literal.replace("\\$", "$") if "\\$" in literal and "\\\\$" not in literal else literal
    plain = re.sub(
        r"(?<!\\)((?:\\\\)*)\\U([0-9a-f]{8})", lambda found: found[1] + json.dumps(chr(int(found[2], 16)))[1:-1], plain
    )
    return str(json.loads(plain))


@pytest.mark.parametrize("key", [key for key in KEYS if STRINGS[key] == "single"])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_in_single_quotes_holds_nothing_that_ends_it(key: str, text: str) -> None:
    written = source(key, text)
    outside = re.sub(r"'(?:[ -&(-~]|'')*'", "T", written)
    assert re.fullmatch(
        r"x = (?:T|\[(?:T|char\(\[[\d ]+\])(?:\)?, (?:T|char\(\[[\d ]+\]))*\)?\]);"
        r"|\$x = (?:T|\(T(?: \+ (?:T|\[char\]::ConvertFromUtf32\(\d+\)))*\))",
        outside,
    ), outside


@pytest.mark.parametrize("key", [key for key in KEYS if key != "powershell"])
def test_julia_alone_inserts_values_at_a_dollar_so_it_is_escaped_there(key: str) -> None:
    assert ("\\$" in source(key, "$(run)")) is (key == "julia")


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("python", {"a": [1, None, True, 0.5]}, "x = {'a': [1, None, True, 0.5]}"),
        ("python", float("inf"), "x = float('inf')"),
        ("r", {"a b": [1, None, True, 0.5]}, 'x = list("a b" = list(1L, NULL, TRUE, 0.5))'),
        ("r", 2**40, "x = 1099511627776"),
        ("julia", {"a": [1, None, True]}, 'x = Dict("a" => [1, nothing, true])'),
        ("julia", float("-inf"), "x = -Inf"),
        ("javascript", {"a": [1, None, True]}, 'var x = {"a": [1, null, true]};'),
        ("javascript", {"__proto__": 1}, 'var x = {["__proto__"]: 1};'),
        ("javascript", float("nan"), "var x = NaN;"),
        ("bash", ["a b", 1, True], "x=('a b' 1 true)"),
        ("bash", None, "x=''"),
        (
            "scala",
            {"a": [1, 2**40, 2**70]},
            'val x = Map("a" -> Seq(1, 1099511627776L, BigInt("1180591620717411303424")))',
        ),
        ("scala", None, "val x = None"),
        ("scala", "🚀", 'val x = "\\ud83d\\ude80"'),
        ("matlab", {"a": 1}, "x = containers.Map({'a'}, {1}, 'UniformValues', false);"),
        ("matlab", "ü\n", "x = [char([252 10])];"),
        ("octave", "ü\n", "x = [char([195 188 10])];"),
        ("matlab", [1, "a", None], "x = {1, 'a', []};"),
        ("c#", [1, 2], "var @x = new int[] { 1, 2 };"),
        ("c#", [1, 2**40], "var @x = new long[] { 1, 1099511627776L };"),
        ("c#", [1, "a"], 'var @x = new object[] { 1, "a" };'),
        ("c#", None, "object @x = null;"),
        ("c#", {"a": 1}, 'var @x = new System.Collections.Generic.Dictionary<string, object> { ["a"] = 1 };'),
        ("f#", [1, 2], "let ``x`` = [ 1; 2 ]"),
        ("f#", [1, "a"], 'let ``x`` = [ box (1); box ("a") ]'),
        ("f#", {"a": None}, 'let ``x`` = dict [ ("a", box ((null : obj))) ]'),
        ("powershell", {"a": [[1]]}, "$x = [ordered]@{ 'a' = @(,@(,1)) }"),
        ("powershell", "\u2019", "$x = ('' + [char]::ConvertFromUtf32(8217) + '')"),
        ("powershell", False, "$x = $false"),
    ],
)
def test_each_kind_of_value_in_each_language(key: str, value: Any, written: str) -> None:
    assert source(key, value) == written


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", ["a b", "", "1a", "a;b", "a\nb", "a=b", "a.b()", "ä", "a`", "x'"])
def test_a_name_that_is_none_is_refused_in_every_language(key: str, name: str) -> None:
    with pytest.raises(BadValue, match="cannot be the name"):
        source(key, 1, name)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("python", "class"),
        ("r", "function"),
        ("julia", "end"),
        ("javascript", "var"),
        ("scala", "val"),
        ("matlab", "end"),
    ],
)
def test_words_of_the_language_are_refused(key: str, name: str) -> None:
    with pytest.raises(BadValue, match="own"):
        source(key, 1, name)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bash", {"a": 1}),
        ("bash", [[1]]),
        ("bash", "a\0b"),
        ("r", "a\0b"),
        ("r", 2**60),
        ("javascript", 2**53 + 1),
        ("matlab", -(2**60)),
        ("scala", "a\x1ab"),
        ("powershell", {"a": 1, "A": 2}),
        *((key, "\ud800") for key in KEYS if key != "python"),
    ],
)
def test_what_a_language_cannot_hold_exactly_is_refused(key: str, value: Any) -> None:
    with pytest.raises(BadValue, match="parameter `x`"):
        source(key, value)


@pytest.mark.parametrize(
    ("kernel", "language", "key"),
    [
        ("python3", "python", "python"),
        ("ir", "R", "r"),
        ("sparkkernel", "", "scala"),
        ("pysparkkernel", "python", "python"),
        ("sparkrkernel", "", "r"),
        (".net-csharp", "C#", "c#"),
        (".net-fsharp", "F#", "f#"),
        (".net-powershell", "PowerShell", "powershell"),
        ("powershell", "pwsh", "powershell"),
        ("octave", "octave", "octave"),
        ("brainfuck", "Brainfuck", "brainfuck"),
    ],
)
def test_the_kernel_s_name_comes_before_its_language(kernel: str, language: str, key: str) -> None:
    assert language_key(kernel, language) == key


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_python_reads_back_any_value_of_json_s_kinds(value: Any) -> None:
    found: dict[str, Any] = {}
    exec(source("python", value), found)
    assert found["x"] == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_as_javascript_is_also_json(text: str) -> None:
    assert json.loads(source("javascript", text).removeprefix("var x = ").removesuffix(";")) == text


@pytest.mark.parametrize(
    ("key", "line", "found"),
    [
        ("r", 'name <- "a # b"  # who', ("name", "str", '"a # b"', "who")),
        ("r", "learning.rate = 1e-3", ("learning.rate", "float", "1e-3", "")),
        ("r", "n <- 5L # count", ("n", "int", "5L", "count")),
        ("r", "x <- c(1, 2)", ("x", "", "c(1, 2)", "")),
        ("julia", "lr::Float64 = 0.1 # rate", ("lr", "Float64", "0.1", "rate")),
        ("julia", 'const name = "a"', ("name", "str", '"a"', "")),
        ("javascript", 'const url = "http://x"; // where', ("url", "str", '"http://x"', "where")),
        ("typescript", "let n: number | null = null;", ("n", "number | null", "null", "")),
        ("typescript", "export const flag = true;", ("flag", "bool", "true", "")),
        ("bash", 'name="a #b" # who', ("name", "", '"a #b"', "who")),
        ("bash", "export n=5", ("n", "", "5", "")),
    ],
)
def test_assignments_of_a_line_are_read_as_declarations(key: str, line: str, found: tuple[str, ...]) -> None:
    (declared,) = load_from(LANGUAGES, key)().declared(f"# a comment\n{line}\nprint(x)")
    assert (declared.name, declared.type, declared.default, declared.doc) == found


@pytest.mark.parametrize("key", ["scala", "matlab", "octave", "c#", "f#", "powershell"])
def test_a_language_that_is_not_read_declares_nothing_for_sure(key: str) -> None:
    assert load_from(LANGUAGES, key)().declared("x = 1") is None


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("", "var x = 1;"),
        ("x = 5", "var x = 1;"),
        ("var x = 5;", "var x = 1;"),
        ("const x = 5;", "const x = 1;"),
        ("let y = 2\nlet x: number = 5", "let x = 1;"),
        ("export const y = 1, x = 5;", "const x = 1;"),
        ("const {y, x} = defaults;", "const x = 1;"),
        ("const y = 1,\n  x = 5;", "const x = 1;"),
        ("const y = 1\nvar x = 5", "var x = 1;"),
        ("const xy = 1;", "var x = 1;"),
    ],
)
def test_javascript_declares_a_parameter_as_the_notebook_does(declared: str, written: str) -> None:
    language = load_from(LANGUAGES, "javascript")().after(declared)
    assert assignments(language, {"x": 1}, "here").splitlines()[1] == written
