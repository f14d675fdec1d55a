"""Imports only go downwards, and what the package imports it declares."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "mlops_action"
LEVELS = {
    0: "vocabulary records errors structure codec canonical redact sanitize files frozen context imports leaving "
    "registry __init__",
    1: "config repository digests dirhash hashing portable source_date",
    2: "notebooks kernels metrics statistics gates facts formats ci executors stores",
    3: "plan parameters selections signatures inspection gate_plan workshop step_notebook step_results step_run "
    "execute judgement evaluate judging policy_guard lint gate_explain assemble manifests report progress "
    "announce ending cache_key step_cache merge repeat shard scaffold generated diagnosis sessions chronicle "
    "file_lists beside",
    4: "pipeline wiring boundary snippet session_desk comment_desk",
    5: "cli action entrypoint __main__",
}
LEVEL_OF = {room: level for level, rooms in LEVELS.items() for room in rooms.split()}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "mlops_action")


def name_of(path: Path) -> str:
    relative = path.relative_to(ROOT).with_suffix("")
    return ".".join(part for part in relative.parts if part != "__init__")


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_module_imports_only_from_its_own_level_or_below(path: Path) -> None:
    own = room_of(name_of(path))
    assert own in LEVEL_OF, f"`{own}` has no level: add it to LEVELS"
    above = [
        other
        for other in imported(path)
        if other.startswith("mlops_action.") and LEVEL_OF.get(room_of(other), 0) > LEVEL_OF[own]
    ]
    assert not above


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MODULES = {"yaml": "pyyaml", "pil": "pillow", "markdown_it": "markdown_it_py"}


def names_in(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", text, maxsplit=1)[0].replace("-", "_").lower() for text in requirements}


def third_party(modules: Iterator[str]) -> set[str]:
    names = {module.split(".")[0] for module in modules} - {*sys.stdlib_module_names, "mlops_action", "__future__"}
    return {MODULES.get(name.lower(), name.lower()) for name in names}


def test_every_third_party_import_is_a_declared_dependency() -> None:
    declared = names_in(PROJECT["dependencies"])
    extras = set().union(*(names_in(each) for each in PROJECT["optional-dependencies"].values()))
    used = third_party(module for path in FILES for module in imported(path))
    assert used <= declared | extras
    assert declared <= used


def test_an_optional_dependency_is_only_imported_where_it_is_used() -> None:
    extras = set().union(*(names_in(each) for each in PROJECT["optional-dependencies"].values()))
    needed = names_in(PROJECT["dependencies"])
    assert not third_party(module for path in FILES for module in _top_level_imports(path)) & (extras - needed)


def test_the_graph_of_imports_has_no_cycle() -> None:
    graph = {name_of(path): set(_top_level_imports(path)) for path in FILES}
    known = {name: {other for other in others if other in graph and other != name} for name, others in graph.items()}
    from graphlib import TopologicalSorter

    TopologicalSorter(known).prepare()


def _top_level_imports(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
