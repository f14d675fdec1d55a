"""Metric files: the reader is chosen by the file's ending."""

from __future__ import annotations

import os
from pathlib import Path, PurePath

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics import READERS
from mlops_action.metrics.collect import MAX_BYTES
from mlops_action.metrics.interface import MetricReader
from mlops_action.records import MetricReading
from mlops_action.registry import load_from


def read_metric_file(path: Path, shown_as: str) -> list[MetricReading]:
    """Read all metrics of a file.

    Args:
        path: the file.
        shown_as: its name in origins and messages.

    Raises:
        MetricUnreadable: it is missing, of an unknown ending, or not in its format.
    """
    reader = reader_for(path.name, shown_as)
    try:
        data = limited_bytes(path)
    except FileNotFoundError:
        raise MetricUnreadable(
            "there is no such metric file",
            origin=shown_as,
            hint="let a step write it, or correct its name; paths are relative to the project folder",
        ) from None
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise MetricUnreadable(
            f"cannot read the metric file: {cause}", origin=shown_as, hint="name a metric file that can be read"
        ) from error
    return reader.read(data, shown_as)


def metric_paths(name: str, root: Path) -> list[str] | None:
    """The files below ``root`` that match a pattern, sorted; None for a name that is no pattern or is there as is."""
    if not any(sign in name for sign in "*?[") or os.path.exists(root / name):  # noqa: PTH110  # it is never raised at
        return None
    from mlops_action.digests import find_files  # only where there is a pattern

    found, _ = find_files(root, [name])
    return sorted(path.relative_to(root).as_posix() for path in found)


def limited_bytes(path: Path, most: int = MAX_BYTES) -> bytes:
    """Contents of a regular file, cut where it is too large (``most`` bytes) for a reader anyway.

    Raises:
        OSError: it cannot be read, or is no file; a pipe is not waited for.
        ValueError: the path holds a null byte.
    """
    if path.exists() and not path.is_file():
        raise OSError("it is not a file")
    with path.open("rb") as handle:
        return handle.read(most + 1)


def reader_for(name: str, shown_as: str) -> MetricReader:
    """The reader for a file of this name.

    Raises:
        MetricUnreadable: the ending is not known; the message names those that are.
    """
    ending = PurePath(name).suffix.lower()
    if ending not in READERS:
        known = ", ".join(f"`{each}`" for each in READERS)
        found = f"ends in `{ending}`" if ending else "has no ending"
        raise MetricUnreadable(f"{shown_as} {found}; metric files end in {known}", origin=shown_as)
    reader: MetricReader = load_from(READERS, ending)()
    return reader
