"""Kernels that are started before they are asked for, with real kernels."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_action.config.model import EnvironmentSpec
from mlops_action.errors import KernelStartFailed
from mlops_action.kernels.ahead import KernelsAhead
from mlops_action.kernels.environment import kernel_environment
from mlops_action.kernels.host import HostKernels
from mlops_action.kernels.interface import KernelProcess, Launch, Place

pytestmark = pytest.mark.kernel


@pytest.fixture
def backend(tmp_path: Path) -> HostKernels:
    return HostKernels(Place(EnvironmentSpec(), tmp_path, dict(os.environ)))


@pytest.fixture
def launch(backend: HostKernels, tmp_path: Path) -> Launch:
    return Launch(backend.find("python3"), tmp_path, kernel_environment(os.environ))


@pytest.fixture
def given() -> Iterator[list[KernelProcess]]:
    """Kernels that the test took; they are stopped when it ends."""
    kernels: list[KernelProcess] = []
    yield kernels
    for kernel in kernels:
        asyncio.run(kernel.stop())


def alive(pid: int | None) -> bool:
    return Path(f"/proc/{pid}").exists()


def waiting(kernels: KernelsAhead) -> list[int | None]:
    return [process.pid for _, process in kernels._begun]


def test_a_kernel_that_was_begun_is_given_to_who_asks_and_the_next_is_begun(
    backend: HostKernels, launch: Launch, given: list[KernelProcess]
) -> None:
    kernels = KernelsAhead(backend, [launch] * 3, ahead=1)
    for left in (1, 1, 0):
        begun = waiting(kernels)
        given.append(kernels.start(launch))
        assert given[-1].pid == begun[0]
        assert len(waiting(kernels)) == left
    kernels.close()
    assert len({kernel.pid for kernel in given}) == 3


def test_kernels_that_nobody_asks_for_are_stopped_even_from_inside_a_loop(backend: HostKernels, launch: Launch) -> None:
    kernels = KernelsAhead(backend, [launch] * 2, ahead=2)
    begun = waiting(kernels)
    assert all(alive(pid) for pid in begun)

    async def close() -> None:
        kernels.close()

    asyncio.run(close())
    assert [alive(pid) for pid in begun] == [False, False]


def test_another_launch_gets_a_kernel_of_its_own(
    backend: HostKernels, launch: Launch, given: list[KernelProcess]
) -> None:
    kernels = KernelsAhead(backend, [launch], ahead=1)
    begun = waiting(kernels)
    given.append(kernels.start(replace(launch, env={**launch.env, "OTHER": "1"})))
    assert given[0].pid not in begun
    kernels.close()


def test_a_kernel_is_not_given_when_packages_were_installed_since_it_was_begun(
    launch: Launch, given: list[KernelProcess], tmp_path: Path
) -> None:
    interpreter = tmp_path / "env" / "bin" / "python"
    packages = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    interpreter.parent.mkdir()
    interpreter.symlink_to(launch.choice.argv[0])
    backend = HostKernels(Place(EnvironmentSpec(), tmp_path, {}))
    own = replace(launch, choice=replace(launch.choice, argv=(str(interpreter), *launch.choice.argv[1:])))
    kernels = KernelsAhead(backend, [own], ahead=1)
    begun = waiting(kernels)
    (packages / "new_package").mkdir()
    given.append(kernels.start(own))
    assert given[0].pid not in begun
    assert not alive(begun[0])
    kernels.close()


def test_a_kernel_that_cannot_start_is_told_of_when_it_is_asked_for(backend: HostKernels, launch: Launch) -> None:
    broken = replace(launch, choice=replace(launch.choice, argv=("/nowhere/python", "-m", "ipykernel_launcher")))
    kernels = KernelsAhead(backend, [broken], ahead=1)
    with pytest.raises(KernelStartFailed, match="could not be started"):
        kernels.start(broken)
    kernels.close()
