"""The tools that are compared: how each is installed, and the command a user would type."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / ".build" / "bench"
OURS_NOTEBOOKS = "mlops-out/notebooks/*.ipynb"
OURS_STEP = """\
  {name}:
    notebook: {notebook}
    max-output: 64MiB
    max-notebook-output: 64MiB
"""


@dataclass(frozen=True)
class Peer:
    """One tool with its options."""

    name: str
    env: str
    """Name of its virtual environment."""
    command: Callable[[list[str]], str]
    """Shell command that runs the notebooks of the working directory."""
    executed: str
    """Pattern of the notebooks that it leaves; empty when it leaves none."""
    cases: str = "abcd"
    config: Callable[[list[str]], str] | None = None
    """Text of our configuration for the notebooks; None for the others' tools."""


def _ours(jobs: int) -> Callable[[list[str]], str]:
    return lambda _: f"mlops-action run --gates none --jobs {jobs}"


def ours_config(names: list[str]) -> str:
    """A step for each notebook, which may print as much as it likes."""
    return "steps:\n" + "".join(OURS_STEP.format(name=Path(name).stem, notebook=name) for name in names)


def _warm(names: list[str]) -> str:
    return f"environment: {{warm: true}}\n{ours_config(names)}"


def _papermill(names: list[str]) -> str:
    return "set -e; mkdir out; " + "; ".join(f"papermill {name} out/{name}" for name in names)


REQUIREMENTS = {
    "ours": ["--editable", f"{ROOT}[kernel]"],
    "papermill": ["papermill", "ipykernel"],
    "nbclient": ["nbclient", "ipykernel"],
    "nbconvert": ["nbconvert", "ipykernel"],
    "nbmake": ["nbmake", "pytest-xdist", "ipykernel"],
}
PEERS = (
    Peer("papermill", "papermill", _papermill, "out/*.ipynb"),
    Peer("ours", "ours", _ours(1), OURS_NOTEBOOKS, config=ours_config),
    Peer("ours --jobs 2", "ours", _ours(2), OURS_NOTEBOOKS, cases="d", config=ours_config),
    Peer("ours, warm", "ours", _ours(1), OURS_NOTEBOOKS, cases="d", config=_warm),
    Peer("ours, warm --jobs 2", "ours", _ours(2), OURS_NOTEBOOKS, cases="d", config=_warm),
    Peer("jupyter execute", "nbclient", lambda names: f"jupyter execute --inplace {shlex.join(names)}", "*.ipynb"),
    Peer(
        "nbconvert",
        "nbconvert",
        lambda names: f"jupyter nbconvert --execute --to notebook --output-dir out {shlex.join(names)}",
        "out/*.ipynb",
    ),
    Peer("nbmake", "nbmake", lambda names: f"pytest -q --nbmake {shlex.join(names)}", ""),
    Peer("nbmake -n2", "nbmake", lambda names: f"pytest -q --nbmake -n2 {shlex.join(names)}", "", cases="d"),
)


def prepare(envs: set[str]) -> dict[str, str]:
    """Make the virtual environments that are missing; the versions that are installed are returned."""
    versions = {}
    for env in sorted(envs):
        folder = BUILD / f"env-{env}"
        marker = folder / ".requirements"
        wanted = "\n".join(REQUIREMENTS[env])
        if env == "ours":  # what we need may have changed
            wanted += (ROOT / "pyproject.toml").read_text()
        if not marker.exists() or marker.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            install(folder, REQUIREMENTS[env])
            marker.write_text(wanted)
        versions[env] = _versions(folder)
    return versions


def install(folder: Path, requirements: list[str]) -> None:
    """Make a virtual environment with these packages, compiled."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    python = str(folder / "bin" / "python")
    pip = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    subprocess.run([*pip, "--quiet", *requirements], check=True)
    subprocess.run([python, "-m", "compileall", "-q", folder / "lib"], check=False)


def _versions(folder: Path) -> str:
    names = ["papermill", "nbclient", "nbconvert", "nbmake", "ipykernel", "jupyter_client"]
    code = (
        "import importlib.metadata as m\n"
        f"found = {{d.name.replace('-', '_').lower(): d.version for d in m.distributions()}}\n"
        f"print(', '.join(f'{{n}} {{found[n]}}' for n in {names} if n in found))"
    )
    return subprocess.run(
        [folder / "bin" / "python", "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def environment(env: str, source: str = "") -> dict[str, str]:
    """The same small environment for every tool, with a home of its own; ``source`` is where our code is."""
    home = BUILD / "home"
    home.mkdir(parents=True, exist_ok=True)
    folder = BUILD / f"env-{env}"
    return {
        "PATH": f"{folder / 'bin'}{os.pathsep}/usr/local/bin:/usr/bin:/bin",
        "VIRTUAL_ENV": str(folder),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "JUPYTER_PLATFORM_DIRS": "1",
    } | ({"PYTHONPATH": source} if source and env == "ours" else {})
