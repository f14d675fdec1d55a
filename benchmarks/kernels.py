"""How long a kernel takes from its start to its first result, in each place where kernels run.

Run by hand: ``python benchmarks/kernels.py --rounds 15``. Rounds are interleaved, so that whatever
else the machine does meets everyone alike; ratios are medians of the rounds' ratios.

- *start* is from the call that starts the kernel to the reply to its first cell, with all
  libraries of the client imported. What a place needs once (packages, an image, a fork server)
  is made before and told apart.
- *standard* is ``python -m ipykernel_launcher`` as Jupyter starts it, with our client;
  *jupyter_client* is the same with Jupyter's own start and client.
- The commands are what a user waits for who runs a notebook of one cell.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from cases import CASES
from measure import measured
from nbformat.v4 import new_code_cell, new_notebook
from peers import BUILD, environment, ours_config, prepare

from mlops_action.config.model import EnvironmentSpec
from mlops_action.config.place_model import ContainerSpec
from mlops_action.errors import MlopsError
from mlops_action.kernels import BACKENDS
from mlops_action.kernels.client import CellClient
from mlops_action.kernels.environment import kernel_environment
from mlops_action.kernels.guard import preparation_for
from mlops_action.kernels.host import HostKernels
from mlops_action.kernels.interface import KernelBackend, Launch, Place
from mlops_action.kernels.outputs import OutputBudget
from mlops_action.registry import load_from

SECONDS = 120
STANDARD = "standard"
PAPERMILL = "papermill"
COMMANDS: dict[str, tuple[str, str, str]] = {
    PAPERMILL: ("papermill", "papermill one.ipynb out.ipynb", ""),
    "jupyter execute": ("nbclient", "jupyter execute --inplace one.ipynb", ""),
    "mlops-action run": ("ours", "mlops-action run --gates none", ""),
    "mlops-action run, warm": ("ours", "mlops-action run --gates none", "environment: {warm: true}\n"),
}
"""What one notebook of one cell is run with: whose environment, the command, what is added to our configuration."""

Once = Callable[[], Awaitable[tuple[float, float]]]
"""Starts a kernel, runs a cell and stops it; the seconds to the first result and those of the stop."""


@dataclass(frozen=True)
class Subject:
    """A way to start kernels."""

    name: str
    once: Once
    first: float
    """Seconds that were needed once."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--image", default="", help="image with a kernel, for the container backend")
    parser.add_argument("--packages", default="ipykernel", help="what the packages backend installs, comma-separated")
    parser.add_argument("--preload", default="", help="what the warm backend preloads, comma-separated")
    parser.add_argument("--no-commands", action="store_true", help="leave out the commands of papermill and others")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        subjects, left_out = asyncio.run(everyone(options, Path(folder)))
        starts: dict[str, list[float]] = defaultdict(list)
        stops: dict[str, list[float]] = defaultdict(list)
        walls: dict[str, list[float]] = defaultdict(list)
        commands = {} if options.no_commands else COMMANDS
        prepare({env for env, _, _ in commands.values()})
        for number in range(options.rounds):
            for subject in subjects:
                start, stop = asyncio.run(subject.once())
                starts[subject.name].append(start)
                stops[subject.name].append(stop)
            for name, (env, command, config) in commands.items():
                wall = run_command(env, command, config)
                if number:  # the first round only fills caches
                    walls[name].append(wall)
    report(subjects, starts, stops, walls)
    for line in left_out:
        print(line)
    return 0


async def everyone(options: argparse.Namespace, folder: Path) -> tuple[list[Subject], list[str]]:
    """All that can be measured here, and why the others cannot."""
    specs = {
        "host": EnvironmentSpec(),
        "warm": EnvironmentSpec(warm=True, preload=words(options.preload)),
        "packages": EnvironmentSpec(packages=words(options.packages)),
        "container": EnvironmentSpec(container=ContainerSpec(image=options.image)),
    }
    host = HostKernels(Place(EnvironmentSpec(), folder, dict(os.environ)))
    subjects = [Subject("jupyter_client", lambda: jupyter(folder), 0), Subject(STANDARD, of(Plain(host), folder), 0)]
    left_out = [f"{name}: not registered" for name in specs if name not in BACKENDS]
    if not options.image and "container" in BACKENDS:
        left_out.append("container: no --image")
    for name in [each for each in specs if each in BACKENDS and (each != "container" or options.image)]:
        backend: KernelBackend = load_from(BACKENDS, name)(Place(specs[name], folder, dict(os.environ)))
        once, begun = of(backend, folder), time.perf_counter()
        try:
            await once()
        except MlopsError as error:
            left_out.append(f"{name}: {error.message}")
            continue
        subjects.append(Subject(name, once, time.perf_counter() - begun))
    return subjects, left_out


def words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


class Plain:
    """The host's kernels by the very command of their kernelspec, which our launcher changes."""

    def __init__(self, host: HostKernels) -> None:
        self.host = host

    def find(self, name: str) -> Any:
        choice = self.host.find(name)
        return replace(choice, argv=(choice.argv[0], "-q", *choice.argv[1:]))

    def prepare(self, choice: Any, note: Callable[[str], None]) -> Any:
        return self.host.prepare(choice, note)

    def start(self, launch: Launch) -> Any:
        return self.host.start(launch)


def of(backend: KernelBackend | Plain, folder: Path) -> Once:
    """Kernels of a backend; its place is made now."""
    choice = backend.prepare(backend.find("python3"), lambda text: print(text, file=sys.stderr))
    launch = Launch(choice, folder, kernel_environment(os.environ))

    async def once() -> tuple[float, float]:
        notebook = new_notebook(cells=[new_code_cell("print('done')", id="one")])
        begun = time.perf_counter()
        process = backend.start(launch)
        try:
            manager = await process.connect()
            client = CellClient(notebook, manager, OutputBudget(10**6, 10**6), lambda _: None)
            await client.ready(process, SECONDS)
            client.prepare(preparation_for(choice))
            await client.async_execute_cell(notebook.cells[0], 0)
            ended = time.perf_counter()
            client.kc.stop_channels()
        finally:
            await process.stop()
        if notebook.cells[0].outputs[0]["text"] != "done\n":
            raise RuntimeError(str(notebook.cells[0].outputs))
        return ended - begun, time.perf_counter() - ended

    return once


async def jupyter(folder: Path) -> tuple[float, float]:
    """A kernel as jupyter_client starts and asks it."""
    from jupyter_client.manager import start_new_async_kernel

    begun = time.perf_counter()
    manager, client = await start_new_async_kernel(
        kernel_name="python3", cwd=str(folder), env=kernel_environment(os.environ), stderr=subprocess.DEVNULL
    )
    client.execute("print('done')")
    await client.get_shell_msg(timeout=SECONDS)
    ended = time.perf_counter()
    client.stop_channels()
    await manager.shutdown_kernel()
    return ended - begun, time.perf_counter() - ended


def run_command(env: str, command: str, config: str) -> float:
    """Wall seconds of a command that runs the notebook of one cell in a fresh folder."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch) / "work"
        CASES["a"].write(folder)
        if env == "ours":
            (folder / "mlops.yaml").write_text(config + ours_config(["one.ipynb"]))
        result = measured(["sh", "-c", command], folder, environment(env), BUILD / "last.log")
        if result.code:
            raise RuntimeError(f"{command}: exit code {result.code}: {(BUILD / 'last.log').read_text()[-500:]}")
        return result.wall


def report(
    subjects: list[Subject],
    starts: Mapping[str, list[float]],
    stops: Mapping[str, list[float]],
    walls: Mapping[str, list[float]],
) -> None:
    """Medians, how often quicker than the standard start, and the share of papermill's wall time."""
    print(
        f"{'start to first result':26}{'ms':>8}{'least':>8}{'quicker than standard':>24}{'stop ms':>10}{'once ms':>10}"
    )
    for subject in subjects:
        own = starts[subject.name]
        ratio = median(theirs / ours for theirs, ours in zip(starts[STANDARD], own, strict=True))
        shown = f"{1000 * median(own):8.0f}{1000 * min(own):8.0f}{ratio:23.1f}x"
        print(f"    {subject.name:22}{shown}{1000 * median(stops[subject.name]):10.0f}{1000 * subject.first:10.0f}")
    if walls:
        print(f"\n{'one cell, whole command':26}{'s':>8}{'of papermill':>16}")
    for name, own in walls.items():
        ratio = median(ours / theirs for ours, theirs in zip(own, walls[PAPERMILL], strict=True))
        print(f"    {name:22}{median(own):8.2f}{ratio:16.2f}")
    document = {"starts": starts, "stops": stops, "walls": walls, "load": os.getloadavg(), "cpus": os.cpu_count()}
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "kernels.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
