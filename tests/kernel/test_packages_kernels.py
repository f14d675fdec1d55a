"""Environments that are built from packages, with real uv and real pip."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kernel.bench import SHARED, Bench

from mlops_action.config.model import EnvironmentSpec, ManifestSpec
from mlops_action.context import Context
from mlops_action.errors import KernelMissing, PackagesFailed, ToolMissing
from mlops_action.facts.interface import Scene
from mlops_action.facts.python_env import PythonEnvironment
from mlops_action.kernels.builders import find_uv
from mlops_action.kernels.environments import EnvironmentCache
from mlops_action.kernels.host import HostKernels
from mlops_action.kernels.interface import Place
from mlops_action.kernels.packages import PackagesKernels
from mlops_action.records import Plan, PlannedStep
from mlops_action.redact import Redactor

pytestmark = pytest.mark.kernel

OLD = ("decorator==5.1.0", "traitlets==5.9.0")
DAY = 86400
BACKEND = """
import os, time, zipfile
def get_requires_for_build_wheel(config_settings=None):
    return []
def build_wheel(folder, config_settings=None, metadata_directory=None):
    open("build/begun", "w").close()
    while not os.path.exists("build/go"):
        time.sleep(0.05)
    if os.path.exists("build/fail"):
        raise RuntimeError("::error::no wheel today, password hunter2secret")
    name = "slow-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("slow.py", "value = 42")
        wheel.writestr("slow-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: slow\\nVersion: 1.0\\n")
        wheel.writestr("slow-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("slow-1.0.dist-info/RECORD", "")
    return name
"""
PREPARE = """
import os, sys
from pathlib import Path
from mlops_action.config.model import EnvironmentSpec
from mlops_action.kernels.interface import Place
from mlops_action.kernels.packages import PackagesKernels
kernels = PackagesKernels(Place(EnvironmentSpec(packages=tuple(sys.argv[1:])), Path.cwd(), dict(os.environ)))
kernels.prepare(kernels.find("python3"), lambda line: print(line, flush=True))
print("whole", kernels.environment.whole(), flush=True)
"""


def made(folder: Path, *packages: str, uv: Sequence[str] | None = None, cache: Path = SHARED) -> PackagesKernels:
    env = {**os.environ, "MLOPS_ACTION_CACHE": str(cache)}
    return PackagesKernels(Place(EnvironmentSpec(packages=packages), folder, env), uv)


def prepared(kernels: PackagesKernels) -> list[str]:
    said: list[str] = []
    kernels.prepare(kernels.find("python3"), said.append)
    return said


def preparing(folder: Path, *packages: str) -> subprocess.Popen[str]:
    """Another process that prepares the same."""
    env = {**os.environ, "MLOPS_ACTION_CACHE": str(folder / "cache")}
    command = [sys.executable, "-c", PREPARE, *packages]
    return subprocess.Popen(command, cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def slow_package(folder: Path) -> Path:
    """A package whose build does not end before there is a file ``build/go`` in its folder; it needs nothing else."""
    package = folder / "slow"
    (package / "build").mkdir(parents=True)
    (package / "backend.py").write_text(BACKEND)
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "slow"\nversion = "1.0"\n'
    )
    (folder / "all.txt").write_text("./slow\n")
    return package


def wait_for(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "project").mkdir()
    yield tmp_path / "project"
    for each in (tmp_path / "project").glob("slow"):
        (each / "build" / "go").touch()  # lets everything end that still waits for it


@pytest.mark.parametrize("uv", [None, ()], ids=["uv", "pip"])
def test_old_pins_of_what_ipykernel_needs_stay_the_ones_that_are_imported(
    project: Path, uv: Sequence[str] | None
) -> None:
    kernels = made(project, *OLD, uv=uv, cache=SHARED / ("uv" if uv is None else "pip"))
    prepared(kernels)
    story = Bench(kernels, project).run(
        "import decorator, traitlets, sys, IPython, ipykernel\n"
        "print(decorator.__version__, traitlets.__version__)\n"
        "for each in (decorator, traitlets, ipykernel): print(each.__file__)\n"
        "import subprocess\n"
        "print(subprocess.run(['python', '-c', 'import ipykernel'], capture_output=True).returncode)"
    )
    assert story.failure is None, story.text
    environment = kernels.environment
    versions, *files, alone = story.text.splitlines()
    assert versions == "5.1.0 5.9.0"
    assert [Path(each).is_relative_to(environment.packages()[0]) for each in files] == [True, True, False]
    assert Path(files[2]).is_relative_to(environment.beside)
    assert alone == "1"  # ipykernel is the kernel's alone


def test_an_environment_with_an_ipykernel_of_its_own_uses_that(project: Path) -> None:
    kernels = made(project, "ipykernel==7.1.0")
    prepared(kernels)
    story = Bench(kernels, project).run("import ipykernel; print(ipykernel.__version__, ipykernel.__file__)")
    version, file = story.text.split()
    assert version == "7.1.0"
    assert Path(file).is_relative_to(kernels.environment.packages()[0])
    assert not kernels.environment.beside.exists()


def test_programs_that_a_notebook_starts_are_those_of_its_environment(project: Path) -> None:
    kernels = made(project, "six==1.17.0")
    prepared(kernels)
    story = Bench(kernels, project).run("!python -c 'import six, sys; print(six.__version__, sys.prefix)'")
    assert story.text.split() == ["1.17.0", str(kernels.environment.folder)]


def test_pip_in_a_notebook_says_where_packages_belong(project: Path) -> None:
    kernels = made(project, "six==1.17.0")
    prepared(kernels)
    story = Bench(kernels, project).run("!pip install six")
    assert story.failure is not None
    assert "add what the notebook needs to `packages`" in story.text


def test_what_is_installed_for_the_kernel_alone_is_listed_apart_from_the_packages(project: Path) -> None:
    kernels = made(project, "six==1.17.0")
    prepared(kernels)
    step = PlannedStep("s", "", kernel=kernels.find("python3"))
    context = Context(dict(os.environ), project, io.StringIO(), lambda: datetime.now(UTC))
    fact = PythonEnvironment().collect(Scene(context, Plan("", ".", "out", (step,), ()), ManifestSpec(), Redactor()))
    (seen,) = fact.identity
    assert [(each["name"], each["version"]) for each in seen["distributions"]] == [("six", "1.17.0")]
    assert {"ipykernel", "ipython", "traitlets"} < {each["name"] for each in seen["beside"]}
    assert "six" not in {each["name"] for each in seen["beside"]}


def test_three_processes_at_once_build_an_environment_once(project: Path) -> None:
    others = [preparing(project, "six==1.16.0") for _ in range(3)]
    said = [other.communicate(timeout=120)[0] for other in others]
    assert [other.returncode for other in others] == [0, 0, 0], said
    assert sum("Building the environment" in text for text in said) == 1
    assert all("whole True" in text for text in said)


def test_a_cache_hit_takes_less_than_a_tenth_of_a_second(project: Path) -> None:
    prepared(made(project, "six==1.17.0"))
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        assert prepared(made(project, "six==1.17.0")) == []
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.1


def test_a_build_that_was_killed_leaves_nothing_that_is_used(project: Path) -> None:
    package = slow_package(project)
    (package / "pyproject.toml").touch()
    first = preparing(project, "all.txt")
    wait_for((package / "build" / "begun").exists)
    first.kill()
    first.wait()
    (folder,) = (each for each in (project / "cache" / "environments").iterdir() if each.is_dir())
    assert not EnvironmentCache(folder.parent).at(folder.name).whole()
    second = preparing(project, "all.txt")
    assert second.stdout is not None
    # The installer of the killed process still works there, so nobody else does.
    assert "Waiting for another process" in second.stdout.readline()
    (package / "build" / "go").touch()
    said, _ = second.communicate(timeout=120)
    assert second.returncode == 0, said
    assert "Building the environment" in said
    assert "whole True" in said


def test_a_build_that_is_terminated_ends_with_all_that_it_started(project: Path) -> None:
    package = slow_package(project)
    (project / "mlops.yaml").write_text("environment: {packages: all.txt}\nsteps: {a: {code: '1'}}\ngates: none\n")
    env = {**os.environ, "MLOPS_ACTION_CACHE": str(project / "cache"), "MLOPS_TEST_MARK": project.parent.name}
    run = subprocess.Popen([sys.executable, "-m", "mlops_action", "run"], cwd=project, env=env)
    wait_for((package / "build" / "begun").exists)
    run.send_signal(signal.SIGTERM)
    assert run.wait(30) == 143
    assert [each for each in (project / "cache" / "environments").iterdir() if each.is_dir()] == []
    wait_for(lambda: not _running_in(package), 10)


def _running_in(folder: Path) -> list[str]:
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                found += [each.name] if (each / "cwd").readlink().is_relative_to(folder) else []
            except OSError:
                continue
    return found


@pytest.mark.parametrize("uv", [None, ()], ids=["uv", "pip"])
def test_a_failed_build_is_told_in_the_words_of_the_builder_and_leaves_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, uv: Sequence[str] | None
) -> None:
    package = slow_package(project)
    (package / "build" / "go").touch()
    (package / "build" / "fail").touch()
    monkeypatch.setenv("DB_PASSWORD", "hunter2secret")
    kernels = made(project, "all.txt", uv=uv, cache=project / "cache")
    said: list[str] = []
    with pytest.raises(PackagesFailed) as caught:
        kernels.prepare(kernels.find("python3"), said.append)
    words = "\n".join(said)
    assert "no wheel today" in words
    assert "hunter2secret" not in words + str(caught.value)
    assert not [line for line in words.split("\n") if line.lstrip().startswith("::")]
    assert " install " in caught.value.message
    assert "all.txt" in caught.value.message
    assert caught.value.hint
    assert not kernels.environment.folder.exists()


def test_a_version_that_does_not_exist_is_told_with_a_remedy(project: Path) -> None:
    with pytest.raises(PackagesFailed, match=r"six==1\.0\.999") as caught:
        prepared(made(project, "six==1.0.999", cache=project / "cache"))
    assert caught.value.hint == "correct the requirements"


def test_an_environment_that_something_was_installed_into_is_built_again(project: Path) -> None:
    kernels = made(project, "six==1.17.0", cache=project / "cache")
    held = preparing(project, "six==1.17.0")
    held.communicate(timeout=120)
    assert kernels.state(kernels.find("python3")) == "cached"
    (kernels.environment.packages()[0] / "extra-1.0.dist-info").mkdir()
    assert kernels.state(kernels.find("python3")) == "would be built"
    assert "Building the environment" in prepared(kernels)[0]
    assert not (kernels.environment.packages()[0] / "extra-1.0.dist-info").exists()


def test_environments_that_nobody_used_for_long_are_pruned_and_those_in_use_are_not(project: Path) -> None:
    keys = {}
    for version in ("1.15.0", "1.16.0", "1.17.0"):
        preparing(project, f"six=={version}").communicate(timeout=120)
        kernels = made(project, f"six=={version}", cache=project / "cache")
        keys[version] = kernels.environment
    cache = EnvironmentCache(project / "cache" / "environments")
    (cache.folder / "abandoned").mkdir()
    for environment in keys.values():
        os.utime(environment.folder / "complete.json", (time.time() - 40 * DAY,) * 2)
    keys["1.17.0"].used()
    command = [str(keys["1.16.0"].python), "-c", "import time; print('up', flush=True); time.sleep(60)"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert running.stdout is not None
    assert running.stdout.readline() == b"up\n"
    try:
        gone = cache.prune()
    finally:
        running.kill()
        running.communicate()
    assert sorted(gone) == sorted([keys["1.15.0"].folder.name, "abandoned"])
    assert keys["1.16.0"].whole()
    assert keys["1.17.0"].whole()
    for environment in keys.values():
        if environment.folder.exists():
            os.utime(environment.folder / "complete.json", (time.time() - 2 * DAY,) * 2)
    assert len(cache.prune(most_bytes=1)) == 2
    assert cache.all() == []


@pytest.mark.parametrize("named", ["pyproject.toml", "uv.lock", "pylock.toml", "requirements.txt"])
def test_packages_are_read_from_every_kind_of_file(project: Path, named: str) -> None:
    uv = find_uv(os.environ)
    (project / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["six==1.16.0"]\n'
    )
    (project / "requirements.txt").write_text("-r more.txt\n")
    (project / "more.txt").write_text("six==1.16.0  # the old one\n")
    if named in {"uv.lock", "pylock.toml"}:
        subprocess.run([*uv, "lock", "--quiet"], cwd=project, check=True)
        export = [*uv, "export", "--quiet", "--no-emit-project", "--format", "pylock.toml", "-o", "pylock.toml"]
        subprocess.run(export, cwd=project, check=True)
    if named != "uv.lock":
        (project / "uv.lock").unlink(missing_ok=True)
    kernels = made(project, named)
    prepared(kernels)
    assert [each.name for each in kernels.environment.packages()[0].glob("*.dist-info")] == ["six-1.16.0.dist-info"]
    if named in {"uv.lock", "pylock.toml"}:
        without = made(project, named, uv=(), cache=project / "cache")
        with pytest.raises(ToolMissing, match="installed with uv"):
            prepared(without)
        assert not without.environment.folder.exists()


def host(project: Path, python: Path) -> HostKernels:
    return HostKernels(Place(EnvironmentSpec(python=str(python)), project, dict(os.environ)))


def test_an_existing_environment_needs_no_kernelspec(project: Path) -> None:
    uv = find_uv(os.environ)
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, str(project / "venv")], check=True)
    python = project / "venv" / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "-q", "--python", str(python), "ipykernel", "six"], check=True)
    shutil.rmtree(project / "venv" / "share")
    story = Bench(host(project, python), project).run("import six, sys; print(sys.prefix)\n!echo $VIRTUAL_ENV")
    assert story.text.split() == [str(project / "venv")] * 2


def test_an_existing_environment_without_ipykernel_is_told_with_the_command_that_installs_it(project: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(project / "venv")], check=True)
    python = project / "venv" / "bin" / "python"
    with pytest.raises(KernelMissing, match="has no ipykernel") as caught:
        host(project, python).find("python3")
    assert caught.value.hint == f"`uv pip install --python {python} ipykernel`"
    (project / "venv" / "conda-meta").mkdir()
    with pytest.raises(KernelMissing) as caught:
        host(project, python).find("python3")
    assert caught.value.hint == f"`conda install -y -p {project / 'venv'} ipykernel`"
