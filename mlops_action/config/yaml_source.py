"""YAML text to plain data with the place of every value; nothing in it is executed.

YAML 1.2's core rules decide what a plain scalar is, not PyYAML's 1.1 rules: ``1e-3`` is a
number, ``no`` and ``12:30`` are text.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import Any

import yaml

from mlops_action.errors import MlopsError, YamlError
from mlops_action.frozen import frozen
from mlops_action.structure import WrittenFloat

MAX_BYTES = 1_048_576
MAX_NODES = 100_000
MAX_DEPTH = 60
MAX_DIGITS = 1000
_TAGS = "tag:yaml.org,2002:"
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


@frozen
class Located:
    """Plain data, and for each JSON pointer the place that it came from."""

    data: Any
    file: str
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def origin(self, pointer: str) -> str:
        """``file:line:column`` of the value at ``pointer``, or of the nearest thing around it."""
        while pointer and pointer not in self.places:
            pointer = pointer.rpartition("/")[0]
        if pointer not in self.places:
            return self.file
        line, column = self.places[pointer]
        return f"{self.file}:{line}:{column}"


class _CoreLoader(yaml.SafeLoader):
    """Resolves plain scalars by the core schema of YAML 1.2, and stops early in a file that is absurdly long."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # typed by the base class
    composed = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose one node and count it."""
        self.composed += 1
        if self.composed > MAX_NODES:
            raise yaml.YAMLError(f"it holds more than {MAX_NODES} values")
        return super().compose_node(parent, index)


for _tag, _pattern, _starts in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("merge", r"<<", "<"),
):
    _CoreLoader.add_implicit_resolver(f"{_TAGS}{_tag}", re.compile(f"(?:{_pattern})$"), list(_starts))


def parse_yaml(text: bytes | str, file: str) -> Located:
    """Read one YAML document.

    Raises:
        YamlError: over a mebibyte, not UTF-8, not YAML, more than one document, a repeated
            key, a foreign tag, or aliases that expand to more than 100,000 values.
    """
    raw = text.encode() if isinstance(text, str) else text
    if len(raw) > MAX_BYTES:
        raise YamlError(f"the file has {len(raw)} bytes; at most {MAX_BYTES} are read", origin=file)
    try:
        node = _CoreLoader(raw.decode("utf-8-sig")).get_single_node()
    except UnicodeDecodeError as error:
        raise YamlError(f"not UTF-8 text: {error.reason} at byte {error.start}", origin=file) from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, file) from None
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:  # some bad escapes and directives
        raise YamlError(f"not readable as YAML: {error}", origin=file) from None
    if node is None:
        return Located({}, file)
    walk = _Walk(file)
    data = walk.value(node, "", 0)
    return Located(data, file, walk.places)


def _syntax_error(error: yaml.MarkedYAMLError, file: str) -> MlopsError:
    mark = error.problem_mark or error.context_mark
    origin = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
    said = " ".join(part for part in (error.context, error.problem) if part)
    hint = "indent with spaces; quote a text that holds `: `, ` #` or starts with `{`, `[`, `*`, `&`, `%` or `@`"
    return YamlError(f"not YAML: {said}", origin=origin, hint=hint)


class _Walk:
    """Turns a node graph into plain data with a budget, so that aliases cannot blow it up."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[str, tuple[int, int]] = {}
        self.left = MAX_NODES
        self.scalars = yaml.constructor.SafeConstructor()

    def refuse(self, node: yaml.Node, message: str, hint: str = "") -> YamlError:
        mark = node.start_mark
        return YamlError(message, origin=f"{self.file}:{mark.line + 1}:{mark.column + 1}", hint=hint)

    def value(self, node: yaml.Node, pointer: str, depth: int) -> Any:
        self.left -= 1
        if self.left < 0:
            raise self.refuse(node, f"the file expands to more than {MAX_NODES} values", "use fewer aliases")
        if depth > MAX_DEPTH:
            raise self.refuse(node, f"nested more than {MAX_DEPTH} deep", "an alias must not contain itself")
        self.places.setdefault(pointer, (node.start_mark.line + 1, node.start_mark.column + 1))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, pointer, depth)
        if isinstance(node, yaml.SequenceNode):
            self.only(node, "seq")
            return [self.value(item, f"{pointer}/{i}", depth + 1) for i, item in enumerate(node.value)]
        return self.scalar(node)

    def mapping(self, node: yaml.MappingNode, pointer: str, depth: int) -> dict[str, Any]:
        self.only(node, "map")
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.refuse(key_node, "a key must be a text")
            if key_node.tag.endswith(":merge"):
                raise self.refuse(key_node, "merge keys (`<<`) are not supported", "repeat the keys")
            name = str(key_node.value)
            if name in built:
                line = self.places[f"{pointer}/{name}"][0]
                raise self.refuse(key_node, f"the key `{name}` is here twice (first in line {line})")
            mark = key_node.start_mark
            self.places[f"{pointer}/{name}"] = (mark.line + 1, mark.column + 1)
            built[name] = self.value(value_node, f"{pointer}/{name}", depth + 1)
        return built

    def only(self, node: yaml.Node, kind: str) -> None:
        if node.tag != _TAGS + kind:
            raise self.refuse(
                node, f"the tag `{node.tag}` is not allowed", "write plain text, numbers, lists and mappings"
            )

    def scalar(self, node: yaml.Node) -> Any:
        kind = node.tag.removeprefix(_TAGS)
        text = str(node.value)
        if kind == "str":
            if _NO_TEXT.search(text):
                raise self.refuse(node, "a text must not hold NUL or half of a character")
            return text
        if kind not in {"int", "float", "bool", "null"}:
            self.only(node, "str")
        try:
            return self.plain_scalar(kind, text, node)
        except (ValueError, KeyError):
            raise self.refuse(node, f"`{text[:40]}` does not fit its tag `!!{kind}`") from None

    def plain_scalar(self, kind: str, text: str, node: yaml.Node) -> Any:
        if kind == "int":
            base = {"0x": 16, "0o": 8}.get(text[:2], 10)
            if len(text) > MAX_DIGITS:
                raise self.refuse(node, f"a number of more than {MAX_DIGITS} digits")
            return int(text, base)
        if kind == "float" and not text.lower().endswith(("inf", "nan")):
            number = WrittenFloat(text)
            number.written = text
            return number
        return getattr(self.scalars, f"construct_yaml_{kind}")(node)
