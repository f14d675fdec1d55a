"""Lazy registries: a name and where its adapter lies, loaded when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any


def load(entry: str) -> Any:
    """The object that ``"package.module:Name"`` stands for."""
    module, _, name = entry.partition(":")
    return getattr(import_module(module), name)


def load_from(entries: Mapping[str, str], name: str) -> Any:
    """The adapter registered under ``name``.

    Raises:
        KeyError: there is none; callers check first and name the known ones.
    """
    return load(entries[name])
