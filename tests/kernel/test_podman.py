"""Kernels in containers of a real Podman, through its socket that speaks Docker's protocol."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kernel.bench import Bench, in_container
from kernel.images import image

from mlops_action.config.place_model import ContainerSpec
from mlops_action.vocabulary import FailureKind

pytestmark = [pytest.mark.kernel, pytest.mark.container]

CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
"""
"""A nested machine may not raise limits, and has neither systemd nor a bridge for containers."""
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def podman() -> Iterator[str]:
    """Address of a Podman of our own that holds the image with a kernel."""
    if shutil.which("podman") is None:
        pytest.skip("there is no `podman`")
    tag = image()
    folder = Path(tempfile.mkdtemp(prefix="podman-"))
    socket = folder / "podman.sock"
    address = f"unix://{socket}"
    (folder / "containers.conf").write_text(CONF)
    own = ["podman", "--root", str(folder / "root"), "--runroot", str(folder / "run"), "--storage-driver", "overlay"]
    env = {**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")}
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen([*own, "system", "service", "--time", "0", address], env=env, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not socket.exists():
                assert service.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            with subprocess.Popen(["docker", "save", tag], stdout=subprocess.PIPE) as saved:
                subprocess.run([*own, "load", "--quiet"], env=env, stdin=saved.stdout, check=True)
            yield address
            assert subprocess.check_output([*own, "ps", "--all", "--quiet"], env=env) == b""
        finally:
            service.kill()
            service.wait()
            subprocess.run(["umount", "--quiet", str(folder / "root" / "overlay")], check=False, capture_output=True)
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def made(podman: str, place: Path) -> Callable[..., Bench]:
    def make(**keys: Any) -> Bench:
        project = place / "project"
        spec = ContainerSpec(image=f"localhost/{image()}", **keys)
        return Bench(in_container(project, spec, {**os.environ, "DOCKER_HOST": podman}), project)

    return make


def test_cells_run_errors_are_placed_and_files_belong_to_the_projects_owner(made: Callable[..., Bench]) -> None:
    bench = made()
    os.chown(bench.folder, 1234, 2345)
    story = bench.run("print(6 * 7); open('made.txt', 'w').close()", "x = 1\n1/0")
    assert story.text == "42\n"
    assert story.failure is not None
    assert (story.failure.kind, story.failure.cell, story.failure.line) == (FailureKind.RAISED, 1, 2)
    assert ((bench.folder / "made.txt").stat().st_uid, (bench.folder / "made.txt").stat().st_gid) == (1234, 2345)


def test_a_kernel_without_a_network_answers(made: Callable[..., Bench]) -> None:
    story = made(network=False).run("import os; print(sorted(os.listdir('/sys/class/net')))")
    assert story.text == "['lo']\n"


def test_a_kernel_that_is_killed_or_out_of_time_leaves_no_container(made: Callable[..., Bench]) -> None:
    bench = made()
    died = bench.run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert died.failure is not None
    assert died.failure.kind is FailureKind.KERNEL_DIED
    late = bench.run("import time; print('begun'); time.sleep(600)", seconds=3)
    assert late.failure is not None
    assert late.failure.kind is FailureKind.TIMED_OUT
    assert late.text == "begun\n"
