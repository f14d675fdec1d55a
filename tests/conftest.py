"""What all tests share: the guard of the unit tests, real parts, and no silent skips in CI."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UNIT = Path(__file__).parent / "unit"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-goldens", action="store_true", help="write golden files again; review the difference")


@pytest.fixture(autouse=True)
def _unit_tests_touch_nothing_outside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that starts a process or opens a socket is in the wrong folder."""
    if UNIT not in Path(request.node.path).parents:
        return

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a unit test must not start processes or open sockets")

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    monkeypatch.setattr(socket, "socket", refuse)


@pytest.fixture
def real_docker() -> str:
    """A Docker client whose engine answers."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], capture_output=True, check=False).returncode:
        pytest.skip("no Docker engine answers")
    return docker


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    """In CI every real part must be there: a skipped test is a failed one."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("MLOPS_ACTION_ALL_PARTS") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
