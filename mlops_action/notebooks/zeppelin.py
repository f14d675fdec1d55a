"""Zeppelin notes: each paragraph names its interpreter, so that one note may use several kernels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_action.errors import BadNotebook
from mlops_action.notebooks.cells import KERNEL, MARK, SKIP_TAG, cell_ids, notebook_of
from mlops_action.notebooks.files import json_of
from mlops_action.notebooks.interface import Cell, Outline
from mlops_action.notebooks.zeppelin_results import outputs_of

PARAMETERS = "parameters"
_MARKDOWN = frozenset({"md", "md.markdown", "markdown"})
_SHOWN = frozenset({"html", "angular", "angular.ng", "text"})
"""Interpreters that show their text and run nothing."""
_INTERPRETER = re.compile(r"\s*%(?P<name>\w+(?:\.\w+)*)")
_PROPERTIES = re.compile(r'\((?P<said>(?:"(?:\\.|[^"\\])*"|\\.|[^")\\])*)\)', re.DOTALL)
_KERNEL_PROPERTY = re.compile(r'(?:^|,)\s*kernel\s*=\s*"?([^",)]+)"?')


class Zeppelin:
    """Apache Zeppelin's notes, ``.zpln`` and the older ``note.json``."""

    def kernel_names(self, path: Path, shown_as: str) -> tuple[str, ...]:
        """Interpreters of the paragraphs that run, the note's default one (or the first) first.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not a note.
        """
        return _kernels(_note(path, shown_as), shown_as)

    def outline(self, path: Path, shown_as: str) -> Outline:
        """The paragraphs as cells.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not a note.
        """
        note = _note(path, shown_as)
        kernels = _kernels(note, shown_as)
        return Outline(kernels, "", tuple(_cells(note, kernels[0], shown_as)))

    def read(self, path: Path, shown_as: str) -> Any:
        """Read a note; see ``NotebookReader``.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not a note.
        """
        note = _note(path, shown_as)
        metadata = {"title": note["name"]} if isinstance(note.get("name"), str) else {}
        return notebook_of(_cells(note, _kernels(note, shown_as)[0], shown_as), metadata, shown_as)


def _note(path: Path, shown_as: str) -> dict[str, Any]:
    note = json_of(path, shown_as)
    if "nbformat" in note:
        raise BadNotebook("a Jupyter notebook, not a Zeppelin note", origin=shown_as, hint="let its name end in .ipynb")
    paragraphs = note.get("paragraphs")
    if not isinstance(paragraphs, list) or not all(isinstance(each, dict) for each in paragraphs):
        raise BadNotebook("not a Zeppelin note: it has no list of `paragraphs`", origin=shown_as)
    return note


def split_paragraph(text: str) -> tuple[str, str]:
    """Interpreter and code of a paragraph: ``%spark.pyspark(pool=a) 1 + 1``.

    The interpreter is empty when the paragraph names none. ``%jupyter(kernel=NAME)`` is
    Zeppelin's way to Jupyter's kernels, so it is the kernel ``NAME`` here; other properties
    are for Zeppelin's own servers and say nothing here.

    Raises:
        ValueError: the properties do not end.
    """
    found = _INTERPRETER.match(text)
    if found is None:
        return "", text.strip()
    name, rest, said = found["name"], text[found.end() :], ""
    if rest.startswith("("):
        properties = _PROPERTIES.match(rest)
        if properties is None:
            raise ValueError(f"the properties of `%{name}` do not end with `)`")
        said, rest = properties["said"], rest[properties.end() :]
    kernel = _KERNEL_PROPERTY.search(said) if name == "jupyter" else None
    return kernel[1].strip() if kernel else name, rest.strip()


def _parted(note: dict[str, Any], shown_as: str) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Each paragraph with its interpreter and code."""
    for i, paragraph in enumerate(note["paragraphs"]):
        text = paragraph.get("text")
        try:
            interpreter, code = split_paragraph(text if isinstance(text, str) else "")
        except ValueError as error:
            raise BadNotebook(f"paragraph {i}: {error}", origin=shown_as) from None
        yield paragraph, interpreter, code


def _kernels(note: dict[str, Any], shown_as: str) -> tuple[str, ...]:
    found = [
        name
        for paragraph, name, code in _parted(note, shown_as)
        if code and name not in _MARKDOWN | _SHOWN and _enabled(paragraph)
    ]
    default = note.get("defaultInterpreterGroup")
    default = default if isinstance(default, str) else ""
    main = default if "" in found or not found else found[0]
    return tuple(dict.fromkeys([main, *(name for name in found if name and name != main)]))


def _enabled(paragraph: dict[str, Any]) -> bool:
    config = paragraph.get("config")
    return not isinstance(config, dict) or config.get("enabled") is not False


def _cells(note: dict[str, Any], main: str, shown_as: str) -> list[Cell]:
    ids = cell_ids(paragraph.get("id") for paragraph in note["paragraphs"])
    parted = _parted(note, shown_as)
    return [
        _cell(paragraph, "" if name == main else name, code) | {"id": own}
        for (paragraph, name, code), own in zip(parted, ids, strict=True)
    ]


def _cell(paragraph: dict[str, Any], label: str, code: str) -> Cell:
    """A paragraph as a cell; one with the title ``parameters`` is the cell of parameters."""
    title = paragraph.get("title")
    metadata: dict[str, Any] = {"name": title} if isinstance(title, str) and title else {}
    if label in _MARKDOWN:
        return {"cell_type": "markdown", "source": code, "metadata": metadata}
    if label in _SHOWN:
        return {"cell_type": "raw", "source": code, "metadata": metadata}
    tags = [PARAMETERS] if isinstance(title, str) and title.strip().lower() == PARAMETERS else []
    tags += [] if _enabled(paragraph) else [SKIP_TAG]
    metadata |= {"tags": tags} if tags else {}
    metadata |= {MARK: {KERNEL: label}} if label else {}
    return {
        "cell_type": "code",
        "source": code,
        "metadata": metadata,
        "execution_count": None,
        "outputs": outputs_of(paragraph),
    }
