"""Kernels that are forked from a process that has imported their libraries: no difference, and nothing left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from acceptance.scratch import clean_env, tool
from kernel.bench import SHARED, Bench, host, marked_processes, open_files, warm

from mlops_action.config.model import EnvironmentSpec
from mlops_action.kernels.environment import kernel_environment
from mlops_action.kernels.interface import KernelProcess, Launch, Place
from mlops_action.kernels.warm import WarmKernel, WarmKernels
from mlops_action.vocabulary import FailureKind

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="a process can safely be forked on Linux only"),
]

GRACE_SECONDS = 10
PROBE = """
import atexit, gc, json, locale, logging, os, resource, signal, socket, sys, tempfile, threading, time, warnings
def probe():
    def sockets():
        # By inode: the name of the socket that clients connect to, and whether this end is one that listens.
        with open("/proc/net/unix") as table:
            parts = [line.split() for line in table]
        return {each[6]: (each[7].rpartition("/")[2], each[3] == "00010000") for each in parts if len(each) > 7}
    def target(number):
        try:
            kind, _, inode = os.readlink(f"/proc/self/fd/{number}").partition(":")
        except OSError:
            return None
        name, listens = known.get(inode.strip("[]"), ("", False))
        return f"{name} {'listens' if listens else 'is connected'}" if name else kind.split("/mlops-")[0]
    def files():
        return [found for found in map(target, os.listdir("/proc/self/fd")) if found]
    # The client's five channels connect when they like, and again when they were not answered in time;
    # what is open for a moment only, in another thread, is not what this is about.
    opened, before = [], None
    for _ in range(1000):
        known = sockets()
        now = files()
        connected = {each for each in now if each.endswith("is connected")}
        opened = sorted([*connected, *(each for each in now if each not in connected)])
        if len(connected) == 5 and opened == before:
            break
        before = opened
        time.sleep(0.01)
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return {
        "modules": sorted(sys.modules),
        "environment": dict(os.environ),
        "environment in C": sorted(os.popen("env").read().splitlines()),
        "folder": os.getcwd(),
        "files": opened,
        "inherited": sorted(filter(None, (target(number) for number in range(3)))),
        "threads": sorted((t.name.split("-")[0], t.daemon) for t in threading.enumerate()),
        "tasks": len(os.listdir("/proc/self/task")),
        "signals": {str(number): str(signal.getsignal(number)).split(" at ")[0] for number in signal.valid_signals()},
        "signals in C": [status[name].strip() for name in ("SigBlk", "SigIgn", "SigCgt")],
        "path": sys.path,
        "flags": str(sys.flags),
        "options": sys._xoptions,
        "main": sorted(name for name in vars(sys.modules["__main__"]) if name != "probe"),
        "main is": [type(sys.modules["__main__"]).__name__, getattr(sys.modules["__main__"], "__file__", "none")],
        "arguments": [len(sys.argv), sys.argv[0], len(sys.orig_argv), sys.orig_argv[1]],
        "leads": [os.getpid() == os.getpgid(0), os.getpid() == os.getsid(0), threading.get_native_id() == os.getpid()],
        "umask": status["Umask"].strip(),
        "nice": os.nice(0),
        "limits": [resource.getrlimit(n) for n in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS, resource.RLIMIT_CORE)],
        "collector": [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count() > 0],
        "depth": len(__import__("inspect").stack()),
        "recursion": sys.getrecursionlimit(),
        "switches": sys.getswitchinterval(),
        "hooks": [sys.excepthook.__qualname__, sys.displayhook.__class__.__name__, str(sys.gettrace())],
        "exit functions": atexit._ncallbacks(),
        "loggers": sorted(logging.root.manager.loggerDict),
        "log handlers": [str(type(handler)) for handler in logging.root.handlers],
        "warnings": [str(each) for each in warnings.filters],
        "locale": [str(locale.getlocale()), sys.getfilesystemencoding(), sys.stdout.encoding],
        "temporary": tempfile.gettempdir(),
        "time-out": socket.getdefaulttimeout(),
        "streams": [s.__class__.__name__ for s in (sys.stdin, sys.stdout, sys.__stdin__, sys.__stdout__)],
        "buffers": [sys.__stdout__.line_buffering, sys.__stdout__.write_through, sys.__stdout__.fileno()],
        "loop": type(__import__("asyncio").get_event_loop_policy()).__name__,
        "int digits": sys.get_int_max_str_digits(),
        "parent": os.environ["JPY_PARENT_PID"] == str(os.getppid()),
        "mark": os.environ["MLOPS_ACTION_KERNEL"] in open("/proc/self/environ").read(),
    }
print(json.dumps(probe()))
"""
EACH_ITS_OWN = ("MLOPS_ACTION_KERNEL", "JPY_PARENT_PID", "MLOPS_TEST_MARK")
"""Variables that differ between any two kernels."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(warm(tmp_path), tmp_path)


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What two kernels of each kind say of themselves, the first of a server among them."""
    folder = tmp_path_factory.mktemp("probes")
    benches = {"host": Bench(host(folder), folder), "warm": Bench(warm(folder), folder)}
    return {name: [probed(each), probed(each)] for name, each in benches.items()}


def probed(bench: Bench) -> dict[str, Any]:
    said = json.loads(bench.run(PROBE).text)
    for name in EACH_ITS_OWN:
        said["environment"].pop(name)
    said["environment in C"] = [line for line in said["environment in C"] if not line.startswith(EACH_ITS_OWN)]
    return dict(said)


def of(bench: Bench) -> WarmKernels:
    assert isinstance(bench.backend, WarmKernels)
    return bench.backend


def forked(bench: Bench) -> list[int]:
    """Processes of the fork servers, of which there must be one."""
    assert len(of(bench).servers()) == 1
    return of(bench).servers()


def parent(bench: Bench) -> int:
    """The parent of a kernel, which tells whether it was forked."""
    return int(bench.run("import os; print(os.getppid())").text)


def test_nothing_that_a_kernel_can_ask_tells_a_warm_one_from_a_fresh_one(
    probes: dict[str, list[dict[str, Any]]],
) -> None:
    fresh, *others = probes["host"] + probes["warm"]
    for kernel in others:
        assert {name: (kernel[name], fresh[name]) for name in fresh if kernel[name] != fresh[name]} == {}
        assert kernel.keys() == fresh.keys()


def test_a_warm_kernel_is_forked_by_a_server_that_serves_all_alike(bench: Bench) -> None:
    assert [parent(bench), parent(bench)] == forked(bench) * 2


def test_a_launch_that_is_asked_for_again_has_a_spare_kernel_that_the_next_step_is_given(bench: Bench) -> None:
    numbers = [(bench.spares(), bench.run("import os; print(os.getpid())").text.strip()) for _ in range(3)]
    assert [len(before) for before, _ in numbers] == [0, 0, 1]
    ((spare,), given) = numbers[-1]
    assert given == str(spare)
    assert len(bench.spares()) == 1
    assert bench.run("import os; print(os.getpid())", env={"PATH": os.environ["PATH"]}).text.strip() != str(spare)
    assert bench.survivors() == []


def test_a_spare_kernel_that_has_ended_is_not_given_to_anybody(bench: Bench) -> None:
    bench.run("print(1)")
    bench.run("print(1)")
    wait_for(bench.spares)
    (spare,) = bench.spares()
    os.kill(spare, signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{spare}").exists())
    assert bench.run("print(2)").text == "2\n"
    assert bench.survivors() == []


def test_random_numbers_of_two_warm_kernels_differ_unless_seeded(tmp_path: Path) -> None:
    bench = Bench(warm(tmp_path, "random", "uuid", "secrets", "tempfile"), tmp_path)
    code = (
        "import random, uuid, secrets, tempfile, os, ssl\n"
        "print([random.random(), str(uuid.uuid1()), str(uuid.uuid4()), secrets.token_hex(), tempfile.mktemp(), "
        "os.urandom(4), ssl.RAND_bytes(4), random.SystemRandom().random()])"
    )
    first, second = (eval(bench.run(code).text) for _ in range(2))
    assert len({parent(bench), *forked(bench)}) == 1
    assert [a == b for a, b in zip(first, second, strict=True)] == [False] * 8
    seeded = "import random\nrandom.seed(0)\nprint(random.random())"
    assert bench.run(seeded).text == bench.run(seeded).text == Bench(host(tmp_path), tmp_path).run(seeded).text


def test_numpy_can_be_preloaded_with_its_own_random_state_and_all_its_threads(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    bench = Bench(warm(tmp_path, "numpy"), tmp_path)
    drawn = "import numpy\nprint(numpy.random.rand(), numpy.random.default_rng().random())"
    assert bench.run(drawn).text != bench.run(drawn).text
    assert parent(bench) == forked(bench)[0]
    seeded = "import numpy\nnumpy.random.seed(0)\nprint(numpy.random.rand(3).tobytes().hex())"
    work = "a = numpy.ones((600, 600))\nprint((a @ a).sum())\nimport os\nprint(len(os.listdir('/proc/self/task')))"
    fresh = Bench(host(tmp_path), tmp_path)
    assert bench.run(seeded, work).text == fresh.run(seeded, work).text


POOL = "import multiprocessing\nwith multiprocessing.get_context('{}').Pool(2) as p:\n    print(p.map(abs, [-1, -2]))"
EXECUTOR = "from concurrent.futures import {0}\nwith {0}(2) as pool:\n    print(list(pool.map(abs, [-1, -2])))"
WORK = {
    "fork pool": POOL.format("fork"),
    "spawn pool": POOL.format("spawn"),
    "forkserver pool": POOL.format("forkserver"),
    "process executor": EXECUTOR.format("ProcessPoolExecutor"),
    "threads": EXECUTOR.format("ThreadPoolExecutor"),
    "asyncio": "import asyncio\nasync def f():\n    await asyncio.sleep(0.01)\n    return [1, 2]\nprint(await f())",
    "subprocess": "import subprocess\nprint(subprocess.check_output(['echo', '[1, 2]'], text=True).strip())",
    "fork": "import os\nif os.fork() == 0: os._exit(3)\nprint([1, 2] if os.wait()[1] == 3 << 8 else '')",
    "shell": "!echo '[1, 2]'",
    "cell magic": "%%bash\necho '[1, 2]'",
    "sqlite": "import sqlite3\nprint(list(sqlite3.connect(':memory:').execute('select 1, 2').fetchone()))",
}


@pytest.mark.parametrize("code", WORK.values(), ids=WORK)
def test_processes_threads_and_loops_work_in_a_warm_kernel(bench: Bench, code: str) -> None:
    story = bench.run("x = 1", code)
    assert story.failure is None
    assert [part.strip() for part in story.text.splitlines()] == ["[1, 2]"]
    assert bench.survivors() == []


def test_what_an_earlier_step_changed_is_not_seen_by_a_later_one(bench: Bench) -> None:
    bench.run(
        "import os, heapq, builtins, sys, signal\n"
        "heapq.heappop = lambda *_: 'patched'\n"
        "builtins.patched = True\n"
        "os.environ['LEFT'] = '1'; os.chdir('/'); os.umask(0o777); os.nice(1)\n"
        "sys.path.insert(0, '/left'); signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "left = 1"
    )
    seen = bench.run(
        "import os, heapq, builtins, sys, signal\n"
        "print(heapq.heappop([1]), hasattr(builtins, 'patched'), 'LEFT' in os.environ, os.getcwd(), oct(os.umask(0)), "
        "'/left' in sys.path, signal.getsignal(signal.SIGTERM), 'left' in globals(), os.nice(0))"
    )
    usual = f"1 False False {bench.folder} {oct(current_umask())} False Handlers.SIG_DFL False {os.nice(0)}\n"
    assert seen.text in {usual, usual.replace("Handlers.SIG_DFL", "0")}


def test_packages_are_warm_too_and_ipykernel_beside_them_is_not_seen(tmp_path: Path) -> None:
    place = Place(
        EnvironmentSpec(warm=True, packages=("six==1.17.0",), preload=("six",)),
        tmp_path,
        {**os.environ, "MLOPS_ACTION_CACHE": str(SHARED)},
    )
    bench = Bench(WarmKernels(place), tmp_path)
    bench.backend.prepare(bench.backend.find("python3"), lambda _: None)
    code = "import os, sys\nprint('six' in sys.modules, 'MLOPS_ACTION_BESIDE' in os.environ)\nprint(sys.prefix)"
    seen = bench.run(code).text.splitlines()
    assert seen[0] == "True False"
    assert str(SHARED) in seen[1]
    assert parent(bench) == forked(bench)[0]


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_functions_registered_for_the_end_run_in_the_kernel_that_registered_them(bench: Bench) -> None:
    bench.run(
        "import atexit, os\natexit.register(lambda: open('ends', 'a').write(f'{os.getpid()}\\n'))\nprint(os.getpid())"
    )
    assert len((bench.folder / "ends").read_text().splitlines()) == 1
    bench.run("print(1)")
    assert len((bench.folder / "ends").read_text().splitlines()) == 1


def test_a_kernel_that_is_killed_does_not_hurt_the_next_or_its_neighbour(bench: Bench) -> None:
    stories: dict[str, Any] = {}

    def neighbour() -> None:
        stories["neighbour"] = bench.run("import time; time.sleep(2.5); print('well')")

    thread = threading.Thread(target=neighbour)
    bench.run("print(1)")
    thread.start()
    died = bench.run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    thread.join()
    assert died.failure is not None
    assert "SIGKILL" in died.failure.message
    assert stories["neighbour"].text == "well\n"
    assert bench.run("print('next')").text == "next\n"
    forked(bench)


def test_a_process_that_leaves_the_group_without_a_program_of_its_own_ends_with_the_kernel(bench: Bench) -> None:
    away = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(600)\n    os._exit(0)"
    )
    bench.run("print(1)")
    assert bench.run(away, "import os\nprint(os.wait()[1])").text == "0\n"
    assert bench.survivors(1) == []
    assert bench.run("print(1)").text == "1\n"


def test_a_kernel_whose_server_is_killed_is_told_and_the_next_has_another(bench: Bench) -> None:
    lost = bench.run("import os, signal, time; os.kill(os.getppid(), signal.SIGKILL); time.sleep(60)")
    assert lost.failure is not None
    assert lost.failure.kind is FailureKind.KERNEL_DIED
    assert "the process that it was forked from has ended" in lost.failure.message
    assert bench.run("print('next')").text == "next\n"
    assert bench.survivors() == []


def test_kernels_of_other_variables_have_a_server_of_their_own(bench: Bench) -> None:
    code = "import os; print(os.environ.get('COLOR'), os.environ['MLOPS_TEST_MARK'])"
    plain = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    assert bench.run(code, env=plain | {"LANG": "C.UTF-8"}).text == f"None {bench.mark}\n"
    assert bench.run(code, env=plain | {"LANG": "C"}).text == f"None {bench.mark}\n"
    assert len(of(bench).servers()) == 2


def test_a_server_is_not_used_any_more_when_a_package_was_installed(bench: Bench, tmp_path: Path) -> None:
    interpreter = tmp_path / "env" / "bin" / "python"
    packages = tmp_path / "env" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    packages.mkdir(parents=True)
    interpreter.parent.mkdir()
    interpreter.symlink_to(sys.executable)
    choice = bench.backend.find("python3")
    launch = Launch(
        replace(choice, argv=(str(interpreter), *choice.argv[1:])),
        tmp_path,
        kernel_environment(os.environ) | {"PYTHONPATH": str(Path(pytest.__file__).parents[1])},
    )
    first = bench.backend.start(launch)
    assert not first.stale()
    (packages / "new_package").mkdir()
    assert first.stale()
    second = bench.backend.start(launch)
    assert len(of(bench).servers()) == 2
    stop(first)
    third = bench.backend.start(launch)
    assert len(of(bench).servers()) == 1
    stop(second, third)


def test_a_preloaded_module_of_the_project_is_imported_anew_when_it_has_changed(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text("import deeper\nVALUE = 1\n")
    (tmp_path / "deeper.py").write_text("VALUE = 1\n")
    bench = Bench(warm(tmp_path, "helpers"), tmp_path)
    code = "import sys; print('helpers' in sys.modules); import helpers; print(helpers.VALUE, helpers.deeper.VALUE)"
    assert bench.run(code).text == "True\n1 1\n"
    (tmp_path / "deeper.py").write_text("VALUE = 'changed'\n")
    assert bench.run(code).text == "True\n1 changed\n"


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(99,), name='w', daemon=True).start()", "w"),
        ("import socket\nserver = socket.create_server(('127.0.0.1', 0))", "files are open: socket"),
        ("log = open('held.log', 'w')", "held.log"),
        ("raise RuntimeError('broken')", "cannot be imported: RuntimeError: broken"),
        ("import os\nos._exit(7)", "ended while it imported"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit"),
    ],
    ids=["a thread", "a socket", "a file", "an error", "an end", "an exit"],
)
def test_kernels_are_started_the_usual_way_where_forking_is_unsafe(tmp_path: Path, module: str, why: str) -> None:
    (tmp_path / "unsafe.py").write_text(module + "\n")
    said: list[str] = []
    bench = Bench(warm(tmp_path, "unsafe"), tmp_path, note=said.append)
    for _ in range(2):
        assert parent(bench) == os.getpid()
    assert len(said) == 1
    assert said[0].startswith("warm: kernels are started the usual way: ")
    assert why in said[0]
    assert bench.survivors() == []


def test_a_kernel_that_is_not_a_standard_one_is_started_the_usual_way(bench: Bench) -> None:
    said: list[str] = []
    choice = bench.backend.prepare(bench.backend.find("python3"), said.append)
    other = replace(choice, argv=(choice.argv[0], "-q", *choice.argv[1:]))
    kernel = bench.backend.start(Launch(other, bench.folder, kernel_environment(os.environ)))
    stop(kernel)
    assert not isinstance(kernel, WarmKernel)
    assert said == [
        "warm: kernels are started the usual way: `python3` is not started by `python -m ipykernel_launcher`"
    ]


def stop(*kernels: KernelProcess) -> None:
    async def all_of_them() -> None:
        await asyncio.gather(*(kernel.stop() for kernel in kernels))

    asyncio.run(all_of_them())


def test_starting_does_not_wait_and_a_kernel_that_nobody_wants_is_never_left(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(4)\n")
    bench = Bench(warm(tmp_path, "slow"), tmp_path)
    launch = Launch(bench.backend.find("python3"), bench.folder, kernel_environment(os.environ) | {"M": bench.mark})
    begun = time.monotonic()
    kernels = [bench.backend.start(launch) for _ in range(3)]
    stop(*kernels)
    assert time.monotonic() - begun < 2
    assert [kernel.ended_by() != "" for kernel in kernels] == [True] * 3
    assert bench.survivors() == []


def test_kernels_of_many_threads_are_all_served(bench: Bench) -> None:
    texts: list[str] = []
    threads = [threading.Thread(target=lambda i=i: texts.append(bench.run(f"print({i} ** 2)").text)) for i in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts) == ["0\n", "1\n", "16\n", "4\n", "9\n"]
    forked(bench)


def test_the_server_ends_with_its_backend_and_leaves_no_file_open(tmp_path: Path) -> None:
    before = open_files()
    bench = Bench(warm(tmp_path), tmp_path)
    bench.run("print(1)")
    (server,) = forked(bench)
    del bench
    __import__("gc").collect()
    assert not Path(f"/proc/{server}").exists()
    assert open_files() <= before


CONFIG = """\
environment: {{warm: true, preload: [{preload}]}}
steps:
  sleeps:
    code: |
      import subprocess, time
      child = subprocess.Popen(["sleep", "600"])
      print("begun", flush=True)
      time.sleep(600)
gates:
  floor: {{metric: accuracy, min: 0.9}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "tmp").mkdir()
    yield folder
    for process in marked_processes(str(tmp_path / "home")):
        os.kill(int(process.split()[0]), signal.SIGKILL)


def start_tool(folder: Path, preload: str = "") -> subprocess.Popen[bytes]:
    (folder / "mlops.yaml").write_text(CONFIG.format(preload=preload))
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "mlops_action", "run"],
            cwd=folder,
            env=clean_env(folder.parent / "home", {"TMPDIR": str(folder.parent / "tmp")}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def wait_for(sign: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not sign():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_neither_kernel_nor_server_outlives_a_tool_that_was_killed(project: Path) -> None:
    process = start_tool(project)
    mark = str(project.parent / "home")
    wait_for(lambda: "  | begun" in (project / "log").read_text())
    assert len(list(marked_processes(mark))) >= 3
    process.kill()
    process.wait()
    wait_for(lambda: not list(marked_processes(mark)), GRACE_SECONDS)
    assert list((project.parent / "tmp").iterdir()) == []


def test_a_server_that_is_still_importing_ends_with_a_tool_that_was_killed(project: Path) -> None:
    (project / "slow.py").write_text("import time\nopen('importing', 'w').close()\ntime.sleep(600)\n")
    process = start_tool(project, "slow")
    wait_for((project / "importing").exists)
    process.kill()
    process.wait()
    wait_for(lambda: not list(marked_processes(str(project.parent / "home"))), GRACE_SECONDS)


def test_nothing_is_left_the_moment_that_the_tool_has_ended(project: Path) -> None:
    process = start_tool(project)
    wait_for(lambda: "  | begun" in (project / "log").read_text())
    process.terminate()
    assert process.wait(30) == 143
    assert list(marked_processes(str(project.parent / "home"))) == []


def test_a_run_with_warm_kernels_meters_its_cells_and_says_where_they_ran(project: Path) -> None:
    (project / "mlops.yaml").write_text("environment: {warm: true}\nsteps:\n  one: {code: print(40 + 2)}\n")
    done = tool(project, ["run", "--gates", "none"], clean_env(project.parent / "home"))
    assert done.code == 0, done.text
    run = json.loads((project / "mlops-out" / "run.json").read_text())
    (cell,) = run["steps"][0]["cells"]
    assert cell["cpu-seconds"] is not None
    assert cell["peak-memory"] > 1_000_000
    assert "warm: kernels are started the usual way" not in done.text


def test_a_home_that_cannot_be_written_to_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    backend = WarmKernels(Place(EnvironmentSpec(warm=True), tmp_path, dict(os.environ)))
    bench = Bench(backend, tmp_path)
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    story = bench.run("import os; print(os.path.isdir(os.environ['IPYTHONDIR']))", env=env)
    assert story.text == "True\n"
    del bench, backend
    __import__("gc").collect()
    assert list((tmp_path / "tmp").iterdir()) == []
