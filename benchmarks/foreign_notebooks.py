"""Other projects' notebooks through mlops-action, papermill and nbclient: same outcome, same outputs?

Run by hand: ``python benchmarks/foreign_notebooks.py``. Source distributions that ship
notebooks are fetched with pip into ``.build/foreign/``; nothing of them is kept in the
repository. All three tools run each notebook with the same kernel, in a fresh copy of its
folder. Outputs in which papermill and nbclient differ from each other (random numbers,
times) do not count. Every difference that is left is explained in ``docs/notebooks.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from measure import measured

from mlops_action.notebooks.compare import differences
from mlops_action.notebooks.parameters import strip_injected
from mlops_action.records import Comparison

ROOT = Path(__file__).parents[1]
BUILD = ROOT / ".build" / "foreign"
ENV = BUILD / "env"
ORACLE = Path(__file__).parent / "nbclient_oracle.py"
SECONDS = 60
IN_TOOLS = ("papermill", "nbclient", "nbmake", "nbval", "nbconvert")
"""Projects whose own test notebooks are run."""
IN_THE_WILD = ("seaborn", "emcee", "corner", "great-tables", "lmfit", "tqdm")
LIBRARIES = ["matplotlib", "pandas", "scipy", "h5py", "ipywidgets", "polars", "sympy"]
SOURCE: dict[str, str] = {}
"""Where our own code is taken from, when it is not this checkout."""
LEFT_OUT = ("load_dataset(", "multiprocessing", "parallel")
"""Sources with one of these need the network or many minutes."""
NEED_HELP = ("Interrupt", "Autokill", "keyboard_interrupt", "Parallel Execute A", "Parallel Execute B")
"""Notebooks that only end with the time-out, the partner or the signal that their test gives them."""
TOOLS = ("ours", "papermill", "nbclient")


@dataclass
class Outcome:
    """What became of one notebook in one tool."""

    status: str
    """``ok``, ``failed`` with the source of the cell that failed, or ``refused`` before the first cell."""
    cell: str = ""
    said: str = ""
    notebook: Any = None
    seconds: float = 0.0


@dataclass
class Row:
    """One notebook in all tools."""

    name: str
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only notebooks whose path holds this text")
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--source", default="", help="folder with another state of mlops_action to run")
    options = parser.parse_args()
    SOURCE.update({"PYTHONPATH": options.source} if options.source else {})
    prepare()
    chosen = [path for path in notebooks() if options.only in str(path)][: options.limit]
    differing = 0
    print(f"{'notebook':62}" + "".join(f"{tool:>20}" for tool in TOOLS))
    for path in chosen:
        row = compared(path)
        print(f"{row.name[-60:]:62}" + "".join(f"{_short(row.outcomes[tool]):>20}" for tool in TOOLS), flush=True)
        for note in row.notes:
            print(f"    {note}", flush=True)
        differing += bool(row.notes)
    print(f"\n{len(chosen)} notebooks, {differing} with differences")
    return 0


def _short(outcome: Outcome) -> str:
    return f"{outcome.status} {outcome.seconds:.1f}s"


def prepare() -> None:
    """One environment with all tools, and the notebooks."""
    packages = BUILD / "sdists"
    packages.mkdir(parents=True, exist_ok=True)
    if not (ENV / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENV], check=True)
        libraries = [*LIBRARIES, *IN_THE_WILD, *IN_TOOLS]
        pip = [ENV / "bin" / "python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *libraries], check=True)
        (ENV / "ready").touch()
    ours = [ENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--editable", f"{ROOT}[kernel,images]"]
    subprocess.run(ours, check=True)  # each time: what we need may have changed
    for package in (*IN_TOOLS, *IN_THE_WILD):
        if not list(packages.glob(f"{package.replace('-', '?')}-*.tar.gz")):
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-binary", ":all:", "--no-deps"]
            subprocess.run([*pip, package], cwd=packages, check=True)
    for archive in sorted(packages.glob("*.tar.gz")):
        if not (packages / "x" / archive.name.removesuffix(".tar.gz")).exists():
            with tarfile.open(archive) as tar:
                tar.extractall(packages / "x", filter="data")


def notebooks() -> Iterator[Path]:
    """Notebooks of the tools' own tests, then those of the wild that need neither network nor patience."""
    folder = BUILD / "sdists" / "x"
    for package in (*IN_TOOLS, *IN_THE_WILD):
        for path in sorted(folder.glob(f"{package.replace('-', '?')}-*/**/*.ipynb")):
            known = package in IN_TOOLS and path.stem not in NEED_HELP
            if known or (package in IN_THE_WILD and not any(each in path.read_text() for each in LEFT_OUT)):
                yield path


def compared(path: Path) -> Row:
    """Run a notebook in all tools, and note what is not the same."""
    row = Row(str(path.relative_to(BUILD / "sdists" / "x")))
    for tool in TOOLS:
        with tempfile.TemporaryDirectory(prefix="foreign-") as folder:
            place = Path(folder) / "work"
            shutil.copytree(path.parent, place)
            row.outcomes[tool] = RUNNERS[tool](place, path.name)
    ours, papermill, nbclient = (row.outcomes[tool] for tool in TOOLS)
    if len({(outcome.status, outcome.cell.strip()) for outcome in (ours, papermill, nbclient)}) > 1:
        for tool in TOOLS:
            outcome = row.outcomes[tool]
            row.notes.append(f"{tool}: {outcome.status}: {outcome.said[:150]!r} in {outcome.cell[:60]!r}")
    row.notes += output_notes(ours.notebook, papermill.notebook, nbclient.notebook)
    return row


def output_notes(ours: Any, papermill: Any, nbclient: Any) -> Iterator[str]:
    """Where our outputs differ from nbclient's, unless papermill's do so as well."""
    if ours is None or nbclient is None:
        return
    noisy = {each.cell for each in _differences(nbclient, papermill)} if papermill is not None else set()
    for each in _differences(nbclient, ours):
        if each.cell not in noisy:
            yield f"cell {each.cell}: {each.what}: nbclient {each.expected[:70]!r}, ours {each.found[:70]!r}"


def _differences(expected: Any, found: Any) -> Any:
    """By place among the cells that both read from the source."""
    for notebook in (expected, found):
        strip_injected(notebook)
        notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
        for place, cell in enumerate(notebook.cells):
            cell["id"] = f"place-{place}"
    return differences(expected, found, range(len(found.cells)), Comparison(ignore=(r"0x[0-9a-f]{6,}",)))


def _run(place: Path, command: list[str]) -> tuple[float, int, str]:
    env = {"PATH": f"{ENV / 'bin'}{os.pathsep}{os.defpath}", "HOME": str(place.parent), "LANG": "C.UTF-8"}
    env |= SOURCE if command[0] == "mlops-action" else {}
    log = place.parent / "log"
    result = measured(["timeout", "-k", "5", str(SECONDS), *command], place, env, log)
    return result.wall, result.code, log.read_text(errors="replace")


def _kernel(place: Path, name: str) -> str:
    """``python3`` for Python notebooks, whatever their kernel was called where they were written."""
    metadata = json.loads((place / name).read_text()).get("metadata", {})
    spec = metadata.get("kernelspec", {})
    language = spec.get("language") or metadata.get("language_info", {}).get("name") or "python"
    return "python3" if language == "python" else str(spec.get("name"))


def _ours(place: Path, name: str) -> Outcome:
    command = ["mlops-action", "run", "--notebook", name, "--gates", "none", "--kernel", _kernel(place, name)]
    seconds, code, said = _run(place, command)
    out = place / "mlops-out"
    executed = sorted(out.glob("notebooks/*.ipynb"))
    if not (out / "run.json").exists() or not executed:
        return Outcome("refused" if code in {2, 3, 4} else f"code {code}", said=said[-300:], seconds=seconds)
    notebook = nbformat.read(executed[0], as_version=4)
    failure = json.loads((out / "run.json").read_text())["steps"][0].get("failure")
    if code == 0 and not failure:
        return Outcome("ok", notebook=notebook, seconds=seconds)
    source = (failure or {}).get("source") or ""
    return Outcome("failed", source[:500], (failure or {}).get("message") or said[-300:], notebook, seconds)


def _papermill(place: Path, name: str) -> Outcome:
    output = place.parent / "papermill.ipynb"
    seconds, code, said = _run(place, ["papermill", "-k", _kernel(place, name), "--no-progress-bar", name, str(output)])
    if not output.exists():
        return Outcome("refused", said=said[-300:], seconds=seconds)
    notebook = nbformat.read(output, as_version=4)
    if code == 0:
        return Outcome("ok", notebook=notebook, seconds=seconds)
    failed = [cell.source for cell in notebook.cells if cell.metadata.get("papermill", {}).get("exception")]
    if not failed and "No such kernel" in said:
        return Outcome("refused", said=said[-300:], seconds=seconds)
    return Outcome("failed", "".join(failed[:1])[:500], said.strip()[-300:], notebook, seconds)


def _nbclient(place: Path, name: str) -> Outcome:
    output = place.parent / "nbclient.ipynb"
    python = str(ENV / "bin" / "python")
    seconds, code, said = _run(place, [python, str(ORACLE), name, str(output), _kernel(place, name)])
    if code == 2 or not output.exists():
        return Outcome("refused", said=said[-300:], seconds=seconds)
    notebook = nbformat.read(output, as_version=4)
    if code == 0:
        return Outcome("ok", notebook=notebook, seconds=seconds)
    cell = notebook.metadata.get("oracle_cell", -1)
    source = notebook.cells[cell].source if cell >= 0 else ""
    return Outcome("failed", source[:500], said.strip()[-300:], notebook, seconds)


RUNNERS = {"ours": _ours, "papermill": _papermill, "nbclient": _nbclient}


if __name__ == "__main__":
    sys.exit(main())
