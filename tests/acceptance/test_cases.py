"""Each folder in ``cases/`` is a test: input files, a command, and what a user must see.

Keys of ``case.yaml``:

| key | meaning |
|---|---|
| ``why`` | the requirement, in one sentence |
| ``command`` | arguments of the tool |
| ``entry: action`` | start the action instead of the command line |
| ``in`` | folder of the project that the command is started in |
| ``first`` | commands that run before and must end with 0, or ``{command, exit}`` |
| ``env`` | further environment variables; ``{project}`` is its folder, ``{work}`` one beside it |
| ``git: true`` | the project is a git repository with one commit |
| ``grow`` | file: bytes that it is filled up to with comment lines |
| ``kernel: true`` | the case starts a kernel |
| ``exit`` | the exit code |
| ``says``/``never`` | texts that the log must/must not hold |
| ``lines_never`` | patterns that no line of the log may match |
| ``nowhere`` | texts that neither the log nor any file of the results may hold |
| ``files``/``absent`` | files that must/must not be there afterwards |
| ``holds`` | file: texts that it must hold |
| ``outputs`` | what the runner reads from ``GITHUB_OUTPUT`` |
| ``at_most_lines`` | longest log |
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from acceptance import github_runner
from acceptance.documents import check_documents
from acceptance.scratch import Ended, clean_env, commit_all, copy_of, tool

CASES = Path(__file__).parent / "cases"
KEYS = {key for row in re.findall(r"(?m)^\| (``.*?) \|", __doc__ or "") for key in re.findall(r"``(\w+)", row)}
"""The keys of the table above."""
OUR_COMMANDS = {"add-mask", "group", "endgroup", "stop-commands", "error", "warning", "notice"}


def read(case: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((case / "case.yaml").read_text("utf-8"))
    assert not set(found) - KEYS, f"{case.name}: unknown keys {set(found) - KEYS}"
    return found


def parameters() -> list[Any]:
    names = sorted(path.parent.name for path in CASES.glob("*/case.yaml"))
    marks = {name: [pytest.mark.kernel] if read(CASES / name).get("kernel") else [] for name in names}
    return [pytest.param(name, marks=marks[name], id=name) for name in names]


@pytest.mark.parametrize("name", parameters())
def test_a_user_meets_what_the_case_promises(name: str, tmp_path: Path) -> None:
    case = read(CASES / name)
    folder, work = copy_of(CASES / name, tmp_path / "project"), tmp_path / "work"
    work.mkdir()
    for file, size in case.get("grow", {}).items():
        grow(folder / file, size)
    if case.get("git"):
        commit_all(folder)
    env = clean_env(tmp_path / "home", {k: placed(v, folder, work) for k, v in case.get("env", {}).items()})
    for before in case.get("first", []):
        step = before if isinstance(before, dict) else {"command": before}
        done = tool(folder, step["command"], env)
        assert done.code == step.get("exit", 0), done.text
    module = "mlops_action.action" if case.get("entry") == "action" else "mlops_action"
    ended = tool(folder / case.get("in", "."), [str(part) for part in case.get("command", [])], env, module)
    check_log(case, ended)
    check_files(case, folder, work)
    check_nowhere(case, ended, [folder / "mlops-out", work])
    check_documents(folder / "mlops-out")


def placed(text: str, folder: Path, work: Path) -> str:
    return str(text).replace("{project}", str(folder)).replace("{work}", str(work))


def grow(path: Path, size: int) -> None:
    line = "# " + "x" * 97 + "\n"
    path.write_text(path.read_text("utf-8") + line * (size // len(line) + 1), "utf-8")


def check_log(case: dict[str, Any], ended: Ended) -> None:
    shown = ended.text[-8000:]
    assert ended.code == case["exit"], shown
    for text in case.get("says", []):
        assert text in ended.text, f"the log does not say {text!r}:\n{shown}"
    for text in case.get("never", []):
        assert text not in ended.text, f"the log says {text!r}:\n{shown}"
    for pattern in case.get("lines_never", []):
        wrong = [line for line in ended.lines if re.search(pattern, line, re.IGNORECASE)]
        assert not wrong, f"lines match {pattern!r}: {wrong[:5]}"
    assert len(ended.lines) <= case.get("at_most_lines", len(ended.lines))
    assert "Traceback (most recent call last)" not in re.sub(r"(?m)^  \| .*$", "", ended.text), shown
    commands = {name for name, _, _ in github_runner.processed(ended.lines)}
    allowed = OUR_COMMANDS if case.get("env", {}).get("GITHUB_ACTIONS") else set()
    assert commands <= allowed, f"the runner would obey {commands - allowed}"


def check_files(case: dict[str, Any], folder: Path, work: Path) -> None:
    for file in case.get("files", []):
        assert (folder / file).is_file(), f"{file} is missing"
    for file in case.get("absent", []):
        assert not (folder / file).exists(), f"{file} is there"
    for file, texts in case.get("holds", {}).items():
        content = (folder / placed(file, folder, work)).read_text("utf-8")
        for text in texts:
            assert text in content, f"{file} does not hold {text!r}:\n{content[:4000]}"
    if "outputs" in case:
        found = github_runner.outputs((work / "output").read_text("utf-8"))
        assert {name: found.get(name) for name in case["outputs"]} == case["outputs"]


def check_nowhere(case: dict[str, Any], ended: Ended, folders: list[Path]) -> None:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    for text in case.get("nowhere", []):
        assert text not in ended.text, f"the log holds {text!r}"
        holding = [path.name for path in files if text.encode() in path.read_bytes()]
        assert not holding, f"{text!r} is in {holding}"
