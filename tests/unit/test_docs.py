"""Docs include examples by reference: the text between the fences is the file."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from mlops_action.cli.main import command_names

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
INCLUDED = re.compile(r"<!-- include: (?P<path>\S+) -->\n```(?P<kind>\w+)\n(?P<text>.*?)```\n", re.DOTALL)


def with_includes(page: str) -> str:
    def fill(found: re.Match[str]) -> str:
        text = (ROOT / found["path"]).read_text()
        return f"<!-- include: {found['path']} -->\n```{found['kind']}\n{text}```\n"

    return INCLUDED.sub(fill, page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_included_examples_are_the_files_themselves(page: Path) -> None:
    assert page.read_text() == with_includes(page.read_text())


def test_every_example_is_included_into_the_docs_by_reference() -> None:
    included = {path for page in PAGES for path, _, _ in INCLUDED.findall(page.read_text())}
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "workflows-examples").iterdir()} <= included


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_readme_or_reference_mentions_every_command() -> None:
    text = "".join(page.read_text() for page in PAGES)
    assert not [name for name in command_names() if f"mlops-action {name}" not in text and f"`{name}`" not in text]


if __name__ == "__main__":  # python tests/unit/test_docs.py: fill the includes
    for path in PAGES:
        path.write_text(with_includes(path.read_text()))
    sys.exit(0)
