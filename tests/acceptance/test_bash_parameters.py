"""Parameters written for bash, read back by a real bash."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from mlops_action.errors import BadValue
from mlops_action.notebooks.assignments import assignments
from mlops_action.notebooks.languages.bash import Bash

VALUES = {
    "plain": "word",
    "empty": "",
    "spaces": "  a  b ",
    "quotes": """it's "so" `now` $HOME $(touch owned) \\ !""",
    "lines": "one\ntwo\r\n\tthree",
    "unicode": "ü🚀\u2028\x85",
    "dashes": "-n -e",
    "glob": "* ? [a]",
    "number": 7,
    "share": 0.25,
    "flag": True,
    "nothing": None,
}


@pytest.fixture
def bash() -> str:
    found = shutil.which("bash")
    if found is None:
        pytest.skip("no bash here")
    return found


@pytest.mark.parametrize("name", VALUES)
def test_bash_reads_back_the_text_that_was_meant(bash: str, name: str) -> None:
    source = assignments(Bash(), {name: VALUES[name]}, "here") + f'\nprintf %s "${name}"'
    value = VALUES[name]
    meant = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    assert subprocess.run([bash, "-c", source], capture_output=True, check=True).stdout == meant.encode()


def test_bash_reads_back_a_list_item_by_item(bash: str) -> None:
    values = ["a b", "", "c'd", "*", 3]
    source = assignments(Bash(), {"items": values}, "here") + '\nprintf "<%s>" "${items[@]}"'
    said = subprocess.run([bash, "-c", source], capture_output=True, check=True, text=True).stdout
    assert said == "<a b><><c'd><*><3>"


@pytest.mark.parametrize("declared", ["items=(a b c)", "declare -a items; items=(a b c)", "declare -a items=( a b )"])
def test_one_value_replaces_the_whole_array_that_the_notebook_declares(bash: str, declared: str) -> None:
    source = assignments(Bash().after(declared), {"items": "one"}, "here") + '\nprintf "<%s>" "${items[@]}"'
    said = subprocess.run([bash, "-c", f"{declared}\n{source}"], capture_output=True, check=True, text=True).stdout
    assert said == "<one>"


def test_a_variable_that_is_exported_stays_so(bash: str) -> None:
    source = assignments(Bash().after("export rate=1"), {"rate": 2}, "here")
    said = subprocess.run([bash, "-c", f"export rate=1\n{source}\nenv"], capture_output=True, check=True, text=True)
    assert "rate=2" in said.stdout.splitlines()


def test_what_bash_cannot_hold_is_refused() -> None:
    for value in ({"a": 1}, [[1]], "a\0b"):
        with pytest.raises(BadValue):
            assignments(Bash(), {"x": value}, "here")
