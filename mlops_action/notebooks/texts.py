"""Notebooks as texts, read by jupytext: scripts with cells, Markdown, R Markdown, Quarto, MyST."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mlops_action.config.yaml_source import parse_yaml
from mlops_action.errors import MlopsError, ToolMissing
from mlops_action.notebooks.cells import KERNEL, MARK, cell_ids, invalid, notebook_of
from mlops_action.notebooks.files import source_of
from mlops_action.notebooks.interface import Cell, Outline
from mlops_action.notebooks.text_options import with_options

KERNEL_OF_SCRIPT = {
    ".py": "",
    ".R": "ir",
    ".r": "ir",
    ".jl": "julia",
    ".js": "javascript",
    ".ts": "typescript",
    ".sh": "bash",
}
"""Kernel of a script that names none; empty is the default kernel."""
_FENCE = re.compile(r"^(?:```+|~~~+)\s*\{?(?:code-cell\s+)?\.?([A-Za-z][\w+-]*)", re.MULTILINE)
_EXECUTED_FENCE = re.compile(r"^(?:```+|~~~+)\s*\{(?:code-cell\s+)?\.?([A-Za-z][\w+-]*)", re.MULTILINE)
_HEADER = re.compile(r"\A(?:#?!.*\n)?(?:\s*\n)*---[ \t]*\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"^(?:#'?|//)[ \t]?", re.MULTILINE)
_MAGIC = re.compile(r"%%(\w+)[ \t]*\n")
LANGUAGES_OF_FENCES = frozenset({"python", "r", "julia", "bash", "sh", "javascript", "typescript", "js", "ts", "scala"})
PYTHON = "python3"
LABELS = {"python": PYTHON, "r": "ir", "sh": "bash", "js": "javascript", "ts": "typescript"}
"""Kernels of languages whose kernel has another name."""


class JupytextText:
    """Every text that jupytext pairs with notebooks."""

    def kernel_names(self, path: Path, shown_as: str) -> tuple[str, ...]:
        """The kernel that the header names, else that of the language; further ones of R Markdown's chunks.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not UTF-8 text.
            ToolMissing: jupytext is not installed.
        """
        _need_jupytext(shown_as)
        return _kernels(source_of(path, shown_as), path.suffix)

    def outline(self, path: Path, shown_as: str) -> Outline:
        """The cells as plain data.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: jupytext cannot read it.
            ToolMissing: jupytext is not installed.
        """
        notebook = self.read(path, shown_as)
        spec = notebook["metadata"].get("kernelspec", {})
        language = spec.get("language") or notebook["metadata"].get("jupytext", {}).get("main_language", "")
        return Outline(self.kernel_names(path, shown_as), str(language), tuple(map(dict, notebook["cells"])))

    def read(self, path: Path, shown_as: str) -> Any:
        """Read a text; see ``NotebookReader``.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: jupytext cannot read it.
            ToolMissing: jupytext is not installed.
        """
        _need_jupytext(shown_as)
        import jupytext

        text = source_of(path, shown_as)
        ending = ".Rmd" if path.suffix == ".qmd" else path.suffix  # Quarto's own reader is a program of its own
        try:
            found = jupytext.reads(text, {"extension": ending})
        except Exception as error:  # whatever jupytext and nbformat make of a bad file
            raise invalid(error, shown_as) from error
        kernels = _kernels(text, path.suffix)
        cells = [_cell(dict(cell), kernels) for cell in found["cells"]]
        for cell, own in zip(cells, cell_ids(cell["metadata"].pop("id", None) for cell in cells), strict=True):
            cell["id"] = own
        return notebook_of(cells, found["metadata"], shown_as)


def _need_jupytext(shown_as: str) -> None:
    if find_spec("jupytext") is None:
        raise ToolMissing(
            f"{shown_as} is a notebook as text, and jupytext, which reads those, is not installed",
            origin=shown_as,
            hint='`python -m pip install "mlops-action[texts]"`; or run a script without cells as `file`',
        )


def header_of(text: str) -> dict[str, Any]:
    """The YAML header of a text; whatever is none counts as empty."""
    found = _HEADER.match(text) or _HEADER.match(_COMMENT.sub("", text[:65_536]))
    try:
        data = parse_yaml(found[1], "header").data if found else {}
    except MlopsError:
        return {}
    return data if isinstance(data, dict) else {}


def _named(text: str) -> tuple[str, str]:
    """Kernel and language that the header names."""
    header = header_of(text)
    jupyter = header.get("jupyter")
    if isinstance(jupyter, str):
        return jupyter, ""
    spec = (jupyter if isinstance(jupyter, dict) else header).get("kernelspec")
    found = spec if isinstance(spec, dict) else {}
    return str(found.get("name") or ""), str(found.get("language") or "")


def _kernels(text: str, ending: str) -> tuple[str, ...]:
    """The kernel named or guessed, and those of chunks in other languages.

    Python's kernel runs those itself, by magics, and so may one whose language is not told.
    """
    named, language = _named(text)
    if ending in KERNEL_OF_SCRIPT:
        return (named or KERNEL_OF_SCRIPT[ending],)
    fence = _FENCE if ending == ".md" else _EXECUTED_FENCE
    known = [each.lower() for each in fence.findall(text) if each.lower() in LANGUAGES_OF_FENCES]
    labels = Counter(LABELS.get(each, each) for each in known)
    usual = max(labels, key=lambda label: (labels[label], label == PYTHON), default=PYTHON)  # as jupytext decides
    main = named or ("" if usual == PYTHON else usual)
    own = LABELS.get(language.lower(), language.lower()) or (main if main in labels else PYTHON)
    return (main, *(label for label in labels if own not in {PYTHON, label}))


def _cell(cell: Cell, kernels: Sequence[str]) -> Cell:
    """A cell without what jupytext needs to write it again.

    A chunk of another language, which jupytext turns into a magic, is for that language's kernel
    where there is one.
    """
    metadata = {key: value for key, value in cell["metadata"].items() if key != "lines_to_next_cell"}
    cell |= {"metadata": metadata}
    if cell["cell_type"] != "code":
        return cell
    found = _MAGIC.match(cell["source"])
    label = LABELS.get(found[1].lower(), found[1].lower()) if found else ""
    if found and label in kernels[1:]:
        cell["source"] = cell["source"][found.end() :]
        metadata[MARK] = {KERNEL: label}
    return with_options(cell)
