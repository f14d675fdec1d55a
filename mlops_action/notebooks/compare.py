"""Outputs of a run beside those that the notebook has saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice, zip_longest
from typing import Any

from mlops_action.kernels.outputs import collapse_redraws
from mlops_action.notebooks.compare_images import compare_images
from mlops_action.notebooks.compare_texts import Mismatch, ValueComparer
from mlops_action.notebooks.parameters import INJECTED_TAG
from mlops_action.notebooks.select import tags_of
from mlops_action.records import Comparison, Difference
from mlops_action.sanitize import inline

SKIP_TAGS = frozenset({"mlops-skip-compare", "nbval-ignore-output", "nbval-skip"})
SKIP_COMMENTS = frozenset({"NBVAL_IGNORE_OUTPUT", "NBVAL_SKIP", "PYTEST_VALIDATE_IGNORE_OUTPUT"})
MOST_PER_CELL = 5
SHOWN = 200
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass
class _Outputs:
    """Outputs of one cell by kind, as far as they count."""

    streams: dict[str, str] = field(default_factory=dict)
    shown: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)


def differences(saved: Any, run: Any, chosen: Sequence[int], how: Comparison) -> tuple[Difference, ...]:
    """What the cells at ``chosen`` of the executed notebook gave that is not in the saved one, and the other way.

    Cells are paired by id, else by their place among the code cells. Injected parameters do
    not count, nor do counts, tracebacks, and the metadata of outputs.

    Args:
        saved: the notebook as it was read, with its outputs.
        run: the notebook as it was executed, to its end.
        chosen: places in ``run`` of the cells that ran.
        how: what may differ.

    Raises:
        BadValue: a pattern to ignore is no regular expression.
    """
    comparer = _Comparer(how)
    partners = _partners(saved, run)
    found: list[Difference] = []
    for place in chosen:
        cell = run["cells"][place]
        if not comparer.skips(cell):
            before = partners[place]["outputs"] if place in partners else []
            found += _cell_differences(comparer.cell(before, cell["outputs"]), place, cell)
    return tuple(found)


def _partners(saved: Any, run: Any) -> dict[int, Any]:
    """The saved cell for each place of the executed notebook that has one."""
    ours, theirs = _code_cells(run), _code_cells(saved)
    by_id = {cell["id"]: cell for _, cell in theirs if cell.get("id")}
    partners = {place: by_id[cell["id"]] for place, cell in ours if cell.get("id") in by_id}
    taken = {cell["id"] for cell in partners.values()}
    for (place, _), (_, cell) in zip(ours, theirs, strict=False):
        if place not in partners and cell.get("id") not in taken:
            partners[place] = cell
    return partners


def _code_cells(notebook: Any) -> list[tuple[int, Any]]:
    cells = enumerate(notebook["cells"])
    return [(i, cell) for i, cell in cells if cell["cell_type"] == "code" and INJECTED_TAG not in tags_of(cell)]


def _cell_differences(mismatches: Iterator[Mismatch], place: int, cell: Any) -> list[Difference]:
    """As records, the first few of them."""
    first = list(islice(mismatches, MOST_PER_CELL))
    more = sum(1 for _ in mismatches)
    if more:
        first.append(Mismatch(f"and {more} more", "", ""))
    return [
        Difference(place, cell.get("id", ""), _short(each.where), _short(each.expected), _short(each.found))
        for each in first
    ]


def _short(text: str) -> str:
    line = inline(text[: 4 * SHOWN])
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


class _Comparer:
    """Compares the outputs of one cell after the other."""

    def __init__(self, how: Comparison) -> None:
        self.values = ValueComparer(how)
        self.images = how.images
        self.skip_tags = SKIP_TAGS | set(how.skip_tags)
        self.ignored = how.ignore_outputs

    def skips(self, cell: Any) -> bool:
        """Whether the cell says that its outputs do not count."""
        tags = set(tags_of(cell))
        lines = (line.strip() for line in cell["source"].splitlines())
        said = {line.lstrip("#").strip() for line in lines if line.startswith("#")}
        return INJECTED_TAG in tags or bool(tags & self.skip_tags) or bool(said & SKIP_COMMENTS)

    def cell(self, saved: Sequence[Any], run: Sequence[Any]) -> Iterator[Mismatch]:
        """Everything that differs between the outputs of a cell."""
        before, after = self._sorted(saved), self._sorted(run)
        for name in sorted({*before.streams, *after.streams}, reverse=True):
            yield from self._stream(name, before.streams.get(name), after.streams.get(name))
        for number, pair in enumerate(zip_longest(before.shown, after.shown), start=1):
            yield from self._shown(f"output {number}", *pair)
        for error in zip_longest(before.errors, after.errors):
            yield from self._error(*error)

    def _sorted(self, outputs: Sequence[Any]) -> _Outputs:
        """Outputs by kind, without those that do not count."""
        parts: dict[str, list[str]] = {}
        result = _Outputs()
        for output in outputs:
            kind = output["output_type"]
            if kind == "stream":
                parts.setdefault(output.get("name", "stdout"), []).append(_text(output["text"]))
            elif not self._ignores(kind) and kind == "error":
                result.errors.append((str(output.get("ename", "")), str(output.get("evalue", ""))))
            elif not self._ignores(kind):
                data = {mime: value for mime, value in output.get("data", {}).items() if not self._ignores(mime)}
                if data or not output.get("data"):
                    result.shown.append((kind, data))
        texts = {name: collapse_redraws("".join(part)) for name, part in parts.items() if not self._ignores(name)}
        result.streams = {name: text for name, text in texts.items() if self.values.blanked(text)}
        return result

    def _ignores(self, kind: str) -> bool:
        return any(fnmatchcase(kind, pattern) for pattern in self.ignored)

    def _stream(self, name: str, saved: str | None, run: str | None) -> Iterator[Mismatch]:
        if saved is None or run is None:
            yield _one_sided(name, saved, run)
        elif mismatch := self.values.texts(saved, run):
            yield _named(name, mismatch)

    def _shown(
        self, name: str, saved: tuple[str, dict[str, Any]] | None, run: tuple[str, dict[str, Any]] | None
    ) -> Iterator[Mismatch]:
        if saved is None or run is None:
            yield _one_sided(name, saved and _summary(saved), run and _summary(run))
            return
        if saved[0] != run[0]:
            yield Mismatch(f"{name} is of another kind", saved[0], run[0])
            return
        for mime in sorted({*saved[1], *run[1]}):
            if mime not in saved[1] or mime not in run[1]:
                one, other = (_text(side[1][mime]) if mime in side[1] else None for side in (saved, run))
                yield _one_sided(f"{name} ({mime})", one, other)
            elif mismatch := self._mime(mime, saved[1][mime], run[1][mime]):
                yield _named(f"{name} ({mime})", mismatch)

    def _mime(self, mime: str, saved: Any, run: Any) -> Mismatch | None:
        if mime == "application/json" or mime.endswith("+json"):
            without = {"model_id"} if mime == _WIDGET_VIEW else set()
            return self.values.values(_without(saved, without), _without(run, without))
        if mime.startswith("image/") and mime != "image/svg+xml":
            return compare_images(_text(saved), _text(run), self.images)
        return self.values.texts(_text(saved), _text(run))

    def _error(self, saved: tuple[str, str] | None, run: tuple[str, str] | None) -> Iterator[Mismatch]:
        if saved is None or run is None:
            yield _one_sided("error", saved and ": ".join(saved), run and ": ".join(run))
        elif saved[0] != run[0]:
            yield Mismatch("another error", ": ".join(saved), ": ".join(run))
        elif mismatch := self.values.texts(saved[1], run[1]):
            yield _named(f"error {run[0]}", mismatch)


def _named(name: str, mismatch: Mismatch) -> Mismatch:
    return Mismatch(f"{name}: {mismatch.where}", mismatch.expected, mismatch.found)


def _one_sided(name: str, saved: str | None, run: str | None) -> Mismatch:
    return Mismatch(f"{name} is {'missing' if run is None else 'new'}", saved or "", run or "")


def _summary(shown: tuple[str, dict[str, Any]]) -> str:
    kind, data = shown
    return _text(data["text/plain"]) if "text/plain" in data else f"{kind} with {', '.join(sorted(data)) or 'nothing'}"


def _text(value: Any) -> str:
    """A text that may be saved as a list of lines; anything else as its JSON."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else repr(value)


def _without(value: Any, keys: set[str]) -> Any:
    return {key: item for key, item in value.items() if key not in keys} if isinstance(value, dict) else value
