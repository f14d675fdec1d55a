"""What the tests of kernels share: real backends, one way to run cells, and traces that a kernel may leave."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kernel.images import image

from mlops_action.config.model import EnvironmentSpec
from mlops_action.config.place_model import ContainerSpec
from mlops_action.kernels import BACKENDS
from mlops_action.kernels.environment import kernel_environment
from mlops_action.kernels.execution import Hooks, NotebookRun
from mlops_action.kernels.interface import KernelBackend, Launch, Place
from mlops_action.kernels.interrupt import Interrupt
from mlops_action.kernels.warm import WarmKernels
from mlops_action.records import CellResult, Failure, StepLimits
from mlops_action.registry import load
from mlops_action.vocabulary import CellStatus

MARK = "MLOPS_TEST_MARK"


def host(folder: Path) -> KernelBackend:
    backend: KernelBackend = load(BACKENDS["host"])(Place(EnvironmentSpec(), folder, dict(os.environ)))
    return backend


SHARED = Path(tempfile.mkdtemp(prefix="mlops-test-environments-"))
"""Environments that tests build, once for all of them."""
atexit.register(shutil.rmtree, SHARED, ignore_errors=True)


def packages(folder: Path) -> KernelBackend:
    env = {**os.environ, "MLOPS_ACTION_CACHE": str(SHARED)}
    place = Place(EnvironmentSpec(packages=("six==1.17.0",)), folder, env)
    backend: KernelBackend = load(BACKENDS["packages"])(place)
    backend.prepare(backend.find("python3"), lambda _: None)
    return backend


def warm(folder: Path, *preload: str) -> KernelBackend:
    spec = EnvironmentSpec(warm=True, preload=preload)
    backend: KernelBackend = load(BACKENDS["warm"])(Place(spec, folder, dict(os.environ)))
    return backend


def container(folder: Path) -> KernelBackend:
    return in_container(folder, ContainerSpec(image=image()))


def in_container(folder: Path, spec: ContainerSpec, env: Mapping[str, str] | None = None) -> KernelBackend:
    """Kernels in containers of any kind."""
    place = Place(EnvironmentSpec(container=spec), folder, dict(os.environ if env is None else env))
    backend: KernelBackend = load(BACKENDS["container"])(place)
    return backend


MAKERS: dict[str, Callable[[Path], KernelBackend]] = {
    "container": container,
    "host": host,
    "packages": packages,
    "warm": warm,
}
"""How each backend is made; one that is missing here fails the contract."""


@dataclass
class Story:
    """What became of the cells."""

    notebook: Any
    completed: int
    failure: Failure | None
    pieces: list[str] = field(default_factory=list)
    cells: tuple[CellResult, ...] = ()

    @property
    def text(self) -> str:
        """Everything that the notebook printed, as it arrived."""
        return "".join(self.pieces)

    def outputs(self, cell: int = 0) -> list[str]:
        """Outputs of a cell as ``kind:text``."""
        return [_shown(output) for output in self.notebook.cells[cell].outputs]


def _shown(output: Any) -> str:
    if output["output_type"] == "stream":
        return f"{output['name']}:{output['text']}"
    if output["output_type"] == "error":
        return f"error:{output['ename']}"
    return f"{output['output_type']}:{output['data'].get('text/plain', '')}"


@dataclass(frozen=True)
class Bench:
    """One backend in one scratch folder."""

    backend: KernelBackend
    folder: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    note: Callable[[str], None] = lambda _: None
    """Is told what a backend has to say."""

    def run(
        self,
        *cells: str,
        seconds: int = 0,
        env: Mapping[str, str] | None = None,
        stop: Interrupt | None = None,
        on_text: Callable[[str], None] = lambda _: None,
        kernel: str = "python3",
    ) -> Story:
        """Run cells in a kernel of their own."""
        from nbformat.v4 import new_code_cell, new_notebook

        notebook = new_notebook(cells=[new_code_cell(cell, id=f"c{i}") for i, cell in enumerate(cells)])
        pieces: list[str] = []

        def hear(text: str) -> None:
            pieces.append(text)
            on_text(text)

        given = kernel_environment(os.environ if env is None else env) | {MARK: self.mark}
        choice = self.backend.prepare(self.backend.find(kernel), self.note)
        launch = Launch(choice, self.folder, given)
        limits = StepLimits(timeout_seconds=seconds)
        run = NotebookRun(self.backend, {"": launch}, limits, Hooks(hear), Interrupt() if stop is None else stop)
        ended = asyncio.run(run.run(notebook, range(len(cells))))
        completed = sum(cell.status is CellStatus.OK for cell in ended.cells)
        return Story(notebook, completed, ended.failure, pieces, ended.cells)

    def spares(self) -> list[int]:
        """Processes of kernels that a warm place keeps ready for the next step."""
        if not isinstance(self.backend, WarmKernels):
            return []
        return [each for each in self.backend.processes() if each not in self.backend.servers()]

    def survivors(self, seconds: float = 5) -> list[str]:
        """Processes of this bench that are still there after a grace of ``seconds``, but for the backend's own."""
        deadline = time.monotonic() + seconds
        while (left := list(self._others())) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left

    def _others(self) -> Iterator[str]:
        own = self.backend.processes() if isinstance(self.backend, WarmKernels) else []
        return (each for each in marked_processes(self.mark) if int(each.split()[0]) not in own)


def marked_processes(mark: str) -> Iterator[str]:
    """Command lines of living processes whose environment holds ``mark``."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    yield f"{entry.name} {(entry / 'cmdline').read_bytes().replace(bytes(1), b' ').decode()}"
            except OSError:
                continue


def open_files() -> int:
    """How many files, pipes and sockets our own process holds open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def scratch_files() -> list[Path]:
    """What is in the folder for temporary files."""
    return sorted(Path(tempfile.gettempdir()).iterdir())
