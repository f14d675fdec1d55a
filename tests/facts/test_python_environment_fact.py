from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops_action.config.model import ManifestSpec
from mlops_action.context import Context
from mlops_action.facts.distributions import Distribution, distributions_on, normalised, record_digest
from mlops_action.facts.interface import Scene
from mlops_action.facts.python_env import PythonEnvironment
from mlops_action.records import Fact, KernelChoice, Plan, PlannedStep
from mlops_action.redact import Redactor


def fact_of(root: Path, *kernels: KernelChoice, **variables: str) -> Fact:
    steps = tuple(PlannedStep(f"s{place}", "", kernel=kernel) for place, kernel in enumerate(kernels))
    context = Context({"PATH": os.environ["PATH"], **variables}, root, io.StringIO(), lambda: datetime.now(UTC))
    return PythonEnvironment().collect(Scene(context, Plan("", ".", "out", steps, ()), ManifestSpec(), Redactor()))


def kernel(command: str, name: str = "python3", language: str = "python") -> KernelChoice:
    return KernelChoice(name, "/kernels", language, (command, "-m", "ipykernel_launcher"))


def install(site: Path, name: str, version: str, *, files: str | None = "", direct_url: object = None) -> Path:
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nVersion: 9 of all\n")
    if files is not None:
        own = f"{folder.name}/METADATA,sha256=meta,10\n{folder.name}/RECORD,,\n{folder.name}/INSTALLER,sha256=pip,4\n"
        (folder / "RECORD").write_text(own + files)
    if direct_url is not None:
        (folder / "direct_url.json").write_text(json.dumps(direct_url))
    return folder


def one(site: Path) -> Distribution:
    (found,) = distributions_on([str(site)])
    return found


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    return tmp_path / "venv"


def site_of(venv: Path) -> Path:
    (site,) = venv.glob("lib/python*/site-packages")
    return site


def test_the_running_interpreter_is_described_as_it_describes_itself(tmp_path: Path) -> None:
    fact = fact_of(tmp_path, kernel(sys.executable))
    (environment,) = fact.identity
    assert environment["implementation"] == sys.implementation.name
    assert environment["version"] == sys.version.split()[0]
    names = [each["name"] for each in environment["distributions"]]
    assert names == sorted(names)
    assert {"pytest", "hypothesis", "ipykernel"} <= set(names)
    assert fact.locator[0]["executable"] == sys.executable


def test_every_distribution_of_a_virtual_environment_is_listed_with_its_digest(venv: Path, tmp_path: Path) -> None:
    install(site_of(venv), "Zeta.One", "1.0", files="zeta.py,sha256=aaa,1\n")
    install(site_of(venv), "alpha", "2.0rc1", files="alpha.py,sha256=bbb,1\n")
    fact = fact_of(tmp_path, kernel(str(venv / "bin/python")))
    (environment,) = fact.identity
    assert [(each["name"], each["version"]) for each in environment["distributions"]] == [
        ("alpha", "2.0rc1"),
        ("zeta-one", "1.0"),
    ]
    assert all(each["record"].startswith("sha256:") for each in environment["distributions"])
    assert fact.uncaptured == ()


def test_an_interpreter_is_asked_once_for_all_its_kernels(tmp_path: Path) -> None:
    command = kernel(sys.executable)
    other = kernel(sys.executable, name="other")
    fact = fact_of(tmp_path, command, other, command, kernel("R", name="ir", language="R"))
    assert [each["kernels"] for each in fact.identity] == [["python3", "other"]]


def test_two_environments_stand_apart_in_the_order_of_the_steps(venv: Path, tmp_path: Path) -> None:
    fact = fact_of(tmp_path, kernel(str(venv / "bin/python"), name="small"), kernel(sys.executable))
    assert [each["kernels"] for each in fact.identity] == [["small"], ["python3"]]
    assert fact.identity[0]["distributions"] == []


def test_a_bare_command_is_looked_up_on_the_path(tmp_path: Path, venv: Path) -> None:
    fact = fact_of(tmp_path, kernel("python3"), PATH=str(venv / "bin"))
    assert fact.locator[0]["executable"] == str(venv / "bin/python3")


def test_packages_in_the_home_folder_count_where_the_kernel_sees_them(tmp_path: Path, venv: Path) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    install(tmp_path / f"home/.local/lib/{version}/site-packages", "homemade", "1.0", files="h.py,sha256=a,1\n")
    base = os.path.realpath(sys.executable)
    (outside,) = fact_of(tmp_path, kernel(base), HOME=str(tmp_path / "home")).identity
    (inside,) = fact_of(tmp_path, kernel(str(venv / "bin/python")), HOME=str(tmp_path / "home")).identity
    assert "homemade" in [each["name"] for each in outside["distributions"]]
    assert "homemade" not in [each["name"] for each in inside["distributions"]]


def test_variables_of_the_caller_do_not_reach_the_interpreter(tmp_path: Path) -> None:
    install(tmp_path / "injected", "injected", "1.0")
    (environment,) = fact_of(tmp_path, kernel(sys.executable), PYTHONPATH=str(tmp_path / "injected")).identity
    assert "injected" not in [each["name"] for each in environment["distributions"]]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 3", "the interpreter ended with 3"),
        ("echo no json", "the interpreter cannot be asked"),
        ("true", "the interpreter cannot be asked"),
        ("echo 7", "the interpreter ended with 0"),
    ],
)
def test_an_interpreter_that_does_not_answer_is_an_entry(tmp_path: Path, script: str, why: str) -> None:
    (tmp_path / "python3").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "python3").chmod(0o755)
    fact = fact_of(tmp_path, kernel(str(tmp_path / "python3")))
    assert fact.identity is None
    assert fact.uncaptured[0].what == "packages of kernel `python3`"
    assert fact.uncaptured[0].why.startswith(why)


def test_an_interpreter_that_hangs_is_an_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\nexec sleep 30\n")
    (tmp_path / "python3").chmod(0o755)
    monkeypatch.setattr("mlops_action.facts.python_env.TIMEOUT_SECONDS", 0.2)
    assert "said nothing" in fact_of(tmp_path, kernel(str(tmp_path / "python3"))).uncaptured[0].why


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("/opt/bin/xpython", "its command `xpython` is not a Python interpreter"),
        ("docker", "its command `docker` is not a Python interpreter"),
        ("python9.9", "there is no `python9.9` on PATH"),
        ("/gone/python3", "the interpreter cannot be asked"),
    ],
)
def test_a_command_that_cannot_be_asked_is_an_entry_and_is_not_run(tmp_path: Path, command: str, why: str) -> None:
    fact = fact_of(tmp_path, kernel(command))
    assert fact.identity is None
    assert fact.uncaptured[0].why.startswith(why)


def test_what_startup_files_print_does_not_disturb_the_answer(venv: Path, tmp_path: Path) -> None:
    (site_of(venv) / "noise.pth").write_text("import sys; sys.stdout.write('noise without line end')\n")
    assert fact_of(tmp_path, kernel(str(venv / "bin/python"))).identity is not None


def test_an_editable_install_is_the_same_wherever_its_folder_lies(tmp_path: Path) -> None:
    for place in ("one", "two"):
        source = {"url": f"file:///home/{place}/lib", "dir_info": {"editable": True}}
        install(tmp_path / place, "lib", "1.0", files=f"_lib.pth,sha256={place},1\n", direct_url=source)
    first, second = one(tmp_path / "one"), one(tmp_path / "two")
    assert first.identity() == second.identity() == {"name": "lib", "version": "1.0", "editable": True}
    assert first.url == "file:///home/one/lib"


def test_an_install_from_a_repository_keeps_its_commit_and_loses_its_user(tmp_path: Path) -> None:
    source = {"url": "https://u:s3cr3t@host/lib.git", "vcs_info": {"vcs": "git", "commit_id": "abc123"}}
    install(tmp_path, "lib", "1.0", files="lib.py,sha256=a,1\n", direct_url=source)
    found = one(tmp_path)
    assert found.identity()["commit"] == "abc123"
    assert found.url == "https://host/lib.git"
    assert not found.local


def test_what_no_index_can_give_back_is_told(venv: Path, tmp_path: Path) -> None:
    install(site_of(venv), "wheelhouse", "1.0", files="w.py,sha256=a,1\n", direct_url={"url": "file:///tmp/w.whl"})
    install(site_of(venv), "unlisted", "1.0", files=None)
    install(site_of(venv), "broken", "1.0", files="b.py,sha256=a,1\n", direct_url=["not", "a", "mapping"])
    fact = fact_of(tmp_path, kernel(str(venv / "bin/python")))
    assert [gap.what for gap in fact.uncaptured] == [
        "distributions `wheelhouse` of kernel `python3`",
        "content of distributions `unlisted` of kernel `python3`",
    ]
    assert fact.locator[0]["origins"] == {"broken": "unreadable direct_url.json", "wheelhouse": "file:///tmp/w.whl"}


def test_the_digest_of_a_distribution_is_that_of_its_wheel_whoever_installed_it() -> None:
    pip = (
        "../../../bin/tool,sha256=shebang,200\n"
        "tool/__init__.py,sha256=aaa,1\n"
        "tool/__pycache__/__init__.cpython-311.pyc,,\n"
        "tool-1.0.dist-info/INSTALLER,sha256=pip,4\n"
        "tool-1.0.dist-info/REQUESTED,sha256=empty,0\n"
        "tool-1.0.dist-info/METADATA,sha256=meta,9\n"
        "tool-1.0.dist-info/RECORD,,\n"
    )
    uv = (
        "tool-1.0.dist-info/METADATA,sha256=meta,9\r\n"
        "tool-1.0.dist-info/RECORD,,\r\n"
        "tool-1.0.dist-info/INSTALLER,sha256=uv,2\r\n"
        "tool-1.0.dist-info/uv_cache.json,sha256=c,2\r\n"
        "tool-1.0.dist-info/direct_url.json,sha256=d,2\r\n"
        "/home/me/.local/bin/tool,sha256=other,100\r\n"
        "tool/__init__.py,sha256=aaa,1\r\n"
    )
    assert record_digest(pip) == record_digest(uv) != ""
    assert record_digest(pip.replace("aaa", "aab")) != record_digest(pip)


@pytest.mark.parametrize("record", ["", "\n", "one-column\n", '"' + "x" * 200_000 + '",sha256=a,1\n'])
def test_a_list_of_files_that_says_nothing_gives_no_digest(record: str) -> None:
    assert record_digest(record) == ""


def test_the_first_distribution_of_a_name_on_the_path_counts(tmp_path: Path) -> None:
    install(tmp_path / "first", "Same_Name", "1.0")
    install(tmp_path / "second", "same-name", "2.0")
    (found,) = distributions_on([str(tmp_path / "first"), str(tmp_path / "second"), str(tmp_path / "gone")])
    assert (found.name, found.version) == ("same-name", "1.0")


def test_leftovers_and_folders_without_metadata_are_no_distributions(tmp_path: Path) -> None:
    install(tmp_path, "kept", "1.0")
    (tmp_path / "~ept-0.9.dist-info").mkdir()
    (tmp_path / "~ept-0.9.dist-info/METADATA").write_text("Name: kept\nVersion: 0.9\n")
    (tmp_path / "empty-1.0.dist-info").mkdir()
    assert one(tmp_path).version == "1.0"


def test_older_forms_of_metadata_are_read_as_well(tmp_path: Path) -> None:
    (tmp_path / "folder.egg-info").mkdir()
    (tmp_path / "folder.egg-info/PKG-INFO").write_text("Metadata-Version: 1.0\r\nName: folder\r\nVersion: 1\r\n\r\n")
    (tmp_path / "plain-2.egg-info").write_text("Metadata-Version: 1.0\nName: plain\nVersion: 2\n")
    found = distributions_on([str(tmp_path)])
    assert [(each.name, each.version) for each in found] == [("folder", "1"), ("plain", "2")]


@pytest.mark.parametrize(("name", "expected"), [("Foo.Bar__baz", "foo-bar-baz"), ("a-._b", "a-b"), ("x", "x")])
def test_names_are_spelt_as_the_index_spells_them(name: str, expected: str) -> None:
    assert normalised(name) == expected


def test_two_hundred_and_fifty_distributions_take_no_noticeable_time(tmp_path: Path) -> None:
    files = "".join(f"pkg/module_{number}.py,sha256={number:043d},100\n" for number in range(130))
    for number in range(250):
        install(tmp_path, f"package-{number}", "1.0", files=files)
    started = time.process_time()
    assert len(distributions_on([str(tmp_path)])) == 250
    assert time.process_time() - started < 0.3
