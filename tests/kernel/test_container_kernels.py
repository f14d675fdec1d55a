"""Kernels in containers, beyond the contract that all backends keep."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kernel.bench import Bench, Story, in_container
from kernel.images import BARE, BASH_KERNEL, EMPTY, KERNEL, TCP_KERNEL, containers, docker, image

from mlops_action.config.place_model import ContainerSpec, MountKernel
from mlops_action.errors import EnvironmentProblem, KernelMissing
from mlops_action.vocabulary import FailureKind

pytestmark = [pytest.mark.kernel, pytest.mark.container]

SECRETS = {"GITHUB_TOKEN": "t0", "ACTIONS_RUNTIME_TOKEN": "t1", "CI_JOB_TOKEN": "t2", "AWS_SECRET_ACCESS_KEY": "t3"}


@pytest.fixture
def made(place: Path) -> Callable[..., Bench]:
    """A bench whose containers are made as asked."""

    def make(lines: str = KERNEL, **keys: Any) -> Bench:
        spec = ContainerSpec(image=image(lines), **keys)
        return Bench(in_container(place / "project", spec), place / "project")

    return make


# Limits


def test_a_kernel_beyond_its_memory_limit_is_told_from_a_crash(made: Callable[..., Bench]) -> None:
    story = made(memory=200 * 1024**2).run("x = 1", "data = bytearray(600 * 1024**2)")
    assert story.failure is not None
    assert story.failure.kind is FailureKind.KERNEL_DIED
    assert "it ran out of memory: the container's limit is 200.0 MiB" in story.failure.message
    assert "memory:" in story.failure.hint
    assert story.failure.cell == 1


def test_shared_memory_and_processors_are_what_was_asked_for(made: Callable[..., Bench]) -> None:
    bench = made(shared_memory=128 * 1024**2, cpus=0.5)
    story = bench.run(
        "import os, time\n"
        "size = os.statvfs('/dev/shm'); print(size.f_blocks * size.f_frsize)\n"
        "wall, cpu = time.monotonic(), time.process_time()\n"
        "while time.monotonic() - wall < 2: pass\n"
        "print(0.2 < (time.process_time() - cpu) / 2 < 0.7)"
    )
    assert story.text == f"{128 * 1024**2}\nTrue\n"


def test_gpus_that_the_engine_cannot_give_are_told_with_a_remedy(made: Callable[..., Bench]) -> None:
    if "nvidia" in docker("info", "--format", "{{.Runtimes}}").stdout:
        pytest.skip("this engine has GPUs")
    story = made(gpus="all").run("print(1)")
    assert story.failure is not None
    assert story.failure.kind is FailureKind.KERNEL_START
    assert "toolkit" in story.failure.hint


# Files


def test_files_come_back_owned_by_the_owner_of_the_project(made: Callable[..., Bench]) -> None:
    bench = made()
    os.chown(bench.folder, 1234, 2345)
    story = bench.run(
        "import os, pathlib, getpass\n"
        "open('made.txt', 'w').write('x'); os.mkdir('folder')\n"
        "(pathlib.Path.home() / 'cache').write_text('x')\n"
        "print(os.getuid(), os.getgid(), getpass.getuser(), pathlib.Path.home())"
    )
    assert story.text == "1234 2345 kernel /mlops-action/home\n"
    for name in ("made.txt", "folder"):
        found = (bench.folder / name).stat()
        assert (found.st_uid, found.st_gid) == (1234, 2345)


def test_the_user_that_was_asked_for_runs_the_kernel(made: Callable[..., Bench]) -> None:
    assert made(user="4321:1").run("import os; print(os.getuid(), os.getgid())").text == "4321 1\n"


def test_a_read_only_project_cannot_be_changed_by_a_notebook(made: Callable[..., Bench]) -> None:
    bench = made(workspace="ro")
    (bench.folder / "data.txt").write_text("here")
    story = bench.run("print(open('data.txt').read())", "open('made.txt', 'w')")
    assert story.text.startswith("here\n")
    assert story.failure is not None
    assert "Read-only file system" in story.failure.message
    assert not (bench.folder / "made.txt").exists()


def test_further_mounts_are_read_only_unless_asked_otherwise(made: Callable[..., Bench], place: Path) -> None:
    for name in ("in", "out"):
        (place / name).mkdir()
    (place / "in" / "x").write_text("data")
    bench = made(mounts={str(place / "in"): "/data", "../out": "/out:rw"})
    story = bench.run("print(open('/data/x').read()); open('/out/y', 'w').write('1')", "open('/data/z', 'w')")
    assert story.completed == 1
    assert story.text.startswith("data\n")
    assert (place / "out" / "y").read_text() == "1"
    assert story.failure is not None
    assert "Read-only" in story.failure.message


def test_a_mount_of_nothing_is_an_error_and_no_new_folder(made: Callable[..., Bench], place: Path) -> None:
    bench = made(mounts={str(place / "missing"): "/data"})
    with pytest.raises(EnvironmentProblem, match="does not exist"):
        bench.run("print(1)")
    assert not (place / "missing").exists()


def test_a_project_with_a_foreign_name_is_where_it_is(place: Path) -> None:
    folder = place / "proyecto ñandú 数据, 'x'"
    folder.mkdir()
    story = Bench(in_container(folder, ContainerSpec(image=image())), folder).run(
        "import os\nprint(os.getcwd())\n_ = open('größe.txt', 'w').write('é')"
    )
    assert story.text == f"{folder}\n"
    assert (folder / "größe.txt").read_text() == "é"


# What it sees


def test_a_container_without_network_has_only_itself(made: Callable[..., Bench]) -> None:
    assert made(network=False).run("import os; print(os.listdir('/sys/class/net'))").text == "['lo']\n"


def test_no_port_is_published_and_the_engine_is_out_of_reach(made: Callable[..., Bench], place: Path) -> None:
    seen: list[str] = []

    def look(_: str) -> None:
        found = [line.split()[0] for line in containers(place)]
        seen.append(docker("inspect", "--format", "{{.NetworkSettings.Ports}}", *found).stdout.strip())

    story = made().run(
        "import os, time; print(os.path.exists('/var/run/docker.sock'), flush=True); time.sleep(1)", on_text=look
    )
    assert story.text == "False\n"
    assert seen == ["map[]"]


def test_variables_of_the_host_stay_there_and_the_image_keeps_its_own(made: Callable[..., Bench]) -> None:
    env = {"PATH": "/host", "HOME": "/host", "LD_LIBRARY_PATH": "/host", "VIRTUAL_ENV": "/host", "TMPDIR": "/host"}
    env |= {"CONDA_PREFIX": "/host", "JUPYTER_PATH": "/host", "SSL_CERT_FILE": "/host", "TZ": "UTC", **SECRETS}
    story = made().run("import os\nfor name, value in sorted(os.environ.items()): print(name, value)", env=env)
    assert story.failure is None
    assert "/host" not in story.text
    assert "TZ UTC\n" in story.text
    assert "PATH /opt/k/bin:" in story.text
    assert [name for name in SECRETS if name in story.text] == []


def test_cells_are_metered_where_the_process_can_be_seen(made: Callable[..., Bench]) -> None:
    story = made().run("x = bytearray(200 * 1024**2)")
    assert story.cells[0].cpu_seconds is not None
    assert 200 * 1024**2 < (story.cells[0].peak_memory or 0) < 500 * 1024**2


# Other kernels


def test_a_kernel_that_knows_no_unix_sockets_is_reached_at_its_own_address(
    made: Callable[..., Bench], place: Path
) -> None:
    story = made(TCP_KERNEL).run("print(6 * 7)", kernel="other")
    assert story.outputs() == ["stdout:42\n"]


def test_a_kernel_that_needs_a_network_is_refused_without_one(made: Callable[..., Bench]) -> None:
    bench = made(TCP_KERNEL, network=False)
    with pytest.raises(EnvironmentProblem, match="over a network only"):
        bench.backend.prepare(bench.backend.find("other"), lambda _: None)


def test_a_bash_kernel_runs_and_is_interrupted_too(made: Callable[..., Bench]) -> None:
    story = made(BASH_KERNEL, network=False).run("echo begun; id -u", "sleep 600", seconds=8, kernel="bash")
    assert story.outputs() == [f"stdout:begun\n{os.getuid()}\n"]
    assert story.failure is not None
    assert story.failure.kind is FailureKind.TIMED_OUT


def test_an_interrupt_reaches_what_a_cell_has_started(made: Callable[..., Bench], place: Path) -> None:
    story = made().run("import subprocess\nsubprocess.run(['sleep', '600'])", seconds=6)
    assert story.failure is not None
    assert story.failure.kind is FailureKind.TIMED_OUT
    assert "KeyboardInterrupt" in str(story.outputs())


# An image without a kernel


def test_an_image_without_a_kernel_is_told_with_the_lines_to_add(made: Callable[..., Bench], place: Path) -> None:
    with pytest.raises(KernelMissing) as told:
        made(BARE).run("print(1)")
    assert "has no Jupyter kernel `python3`: it has none" in told.value.message
    assert "RUN python3 -m venv --system-site-packages /opt/kernel" in told.value.hint
    assert "mount-kernel: ipykernel" in told.value.hint
    lines = [line for line in told.value.hint.splitlines() if line.startswith(("RUN", "ENV"))]
    mended = made("RUN apt-get --version >/dev/null\n" + "\n".join(lines))
    assert mended.run("print(42)").text == "42\n"


def test_an_image_without_python_is_told_with_the_lines_to_add(made: Callable[..., Bench]) -> None:
    with pytest.raises(KernelMissing) as told:
        made(EMPTY).run("print(1)")
    assert "RUN apt-get update && apt-get install" in told.value.hint
    assert "mount-kernel" not in told.value.hint


def test_a_kernel_that_the_image_lacks_is_told_with_those_it_has(made: Callable[..., Bench]) -> None:
    bench = made()
    with pytest.raises(KernelMissing, match="has no Jupyter kernel `ir`: it has `python3`") as told:
        bench.backend.prepare(bench.backend.find("ir"), lambda _: None)
    assert "r-cran-irkernel" in told.value.hint


def test_our_own_ipykernel_is_mounted_read_only_when_asked_for(made: Callable[..., Bench]) -> None:
    bench = made(BARE, mount_kernel=MountKernel.IPYKERNEL)
    story = bench.run(
        "import sys, ipykernel, os\nprint(sys.executable, ipykernel.__file__)\n"
        "print(os.access(os.path.realpath(os.path.dirname(ipykernel.__file__)), os.W_OK))",
        "import click",
        "print(",
    )
    assert story.text.startswith("/usr/bin/python3 /mlops-action/kernel/ipykernel/__init__.py\nFalse\n")
    assert story.failure is not None
    assert story.failure.message == "ModuleNotFoundError: No module named 'click'"
    choice = bench.backend.prepare(bench.backend.find("python3"), lambda _: None)
    assert str(choice.place["mounted-kernel"]).startswith("ipykernel 7")


def test_our_own_ipykernel_is_not_mounted_into_another_python(made: Callable[..., Bench]) -> None:
    with pytest.raises(KernelMissing, match=r"cannot be mounted into image .*: it has no Python"):
        made(EMPTY, mount_kernel=MountKernel.IPYKERNEL).run("print(1)")


# Several at once, and much


def test_three_kernels_start_at_once_and_stay_apart(made: Callable[..., Bench]) -> None:
    bench = made()
    stories: dict[int, Story] = {}

    def run(number: int) -> None:
        stories[number] = bench.run(f"x = {number}", "import socket; print(x, socket.gethostname())")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [stories[number].failure for number in range(3)] == [None] * 3
    assert [stories[number].text.split()[0] for number in range(3)] == ["0", "1", "2"]
    assert len({story.text.split()[1] for story in stories.values()}) == 3


def test_five_megabytes_of_output_arrive_whole_and_soon(made: Callable[..., Bench]) -> None:
    begun = time.monotonic()
    story = made().run("print('x' * 5_000_000)", "from IPython.display import HTML\nHTML('y' * 5_000_000)")
    assert story.failure is None
    assert len(story.text) > 5_000_000
    assert len(story.notebook.cells[1].outputs[0]["data"]["text/html"]) == 5_000_000
    assert time.monotonic() - begun < 30


def test_what_is_printed_past_jupyter_is_kept_for_a_kernel_that_dies(made: Callable[..., Bench]) -> None:
    story = made().run("import os, time\nos.write(2, b'last words\\n'); time.sleep(0.2); os._exit(7)")
    assert story.failure is not None
    assert "exit code 7" in story.failure.message
    assert "last words" in story.failure.traceback
