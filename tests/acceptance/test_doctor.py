"""``mlops-action doctor``, as a user and as a script see it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from acceptance.scratch import Ended, clean_env, tool

CONFIG = """\
environment: {packages: requirements.txt}
environments:
  plain: {kernel: python3}
steps:
  one: {code: "1", environment: plain}
gates: none
"""


def kernelspec(home: Path, name: str, **spec: Any) -> None:
    path = home / ".local" / "share" / "jupyter" / "kernels" / name / "kernel.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"argv": [sys.executable], "language": "x", "display_name": name, **spec}))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mlops.yaml").write_text(CONFIG)
    (folder / "requirements.txt").write_text("six==1.17.0\n")
    return folder


def doctor(project: Path, *arguments: str, **env: str) -> Ended:
    return tool(project, ["doctor", *arguments], clean_env(project.parent / "home", env))


def said(project: Path, *arguments: str, exit_code: int = 0, **env: str) -> dict[str, Any]:
    done = doctor(project, "--json", *arguments, **env)
    assert done.code == exit_code, done.text
    found: dict[str, Any] = json.loads(done.text)
    return found


def one(found: dict[str, Any], group: str, name: str) -> dict[str, Any]:
    (each,) = (each for each in found[group] if each["name"] == name)
    assert isinstance(each, dict)
    return each


def test_everything_that_is_needed_is_shown_and_nothing_is_broken(project: Path) -> None:
    found = said(project)
    assert found["ok"] is True
    assert one(found, "kernels", "python3")["language"] == "python"
    default = one(found, "environments", "(default)")
    assert (default["kind"], default["state"], default["needed"]) == ("packages", "would be built", False)
    assert one(found, "environments", "plain")["needed"] is True
    assert one(found, "tools", "git")["version"].startswith("git version")
    assert {each["name"] for each in found["machine"]} == {
        "mlops-action",
        "CI system",
        "project folder",
        "temporary files",
        "memory",
    }
    assert not (project / ".mlops-cache").exists()


def test_a_kernel_whose_command_is_gone_is_a_warning_while_no_step_needs_it(project: Path) -> None:
    kernelspec(project.parent / "home", "lost", argv=["/none/lost-kernel", "{connection_file}"])
    lost = one(said(project), "kernels", "lost")
    assert (lost["health"], lost["problem"]) == ("warning", "its command `/none/lost-kernel` does not exist")
    assert lost["remedy"].startswith("install the kernel again")


def test_a_kernel_whose_command_is_gone_is_broken_when_a_step_needs_it(project: Path) -> None:
    kernelspec(project.parent / "home", "lost", argv=["/none/lost-kernel", "{connection_file}"])
    (project / "mlops.yaml").write_text("steps:\n  one: {code: '1', kernel: lost}\ngates: none\n")
    found = said(project, exit_code=4)
    assert found["ok"] is False
    assert one(found, "kernels", "lost")["health"] == "broken"


def test_a_missing_file_of_packages_is_told_once_with_its_place_and_remedy(project: Path) -> None:
    (project / "requirements.txt").unlink()
    (project / "mlops.yaml").write_text(CONFIG.replace(", environment: plain", ""))
    done = doctor(project)
    assert done.code == 4
    assert done.text.count("`requirements.txt` cannot be read") == 1
    assert "mlops.yaml:1:" in done.text
    assert "remedy: correct the path" in done.text
    assert "1 thing that the configuration needs is broken" in done.text


def test_a_configuration_with_mistakes_does_not_keep_the_rest_from_being_shown(project: Path) -> None:
    (project / "mlops.yaml").write_text("stepz: {}\n")
    done = doctor(project)
    assert done.code == 4
    assert "unknown key `stepz`" in done.text
    assert "python3" in done.text


def test_without_a_configuration_nothing_is_needed(project: Path) -> None:
    (project / "mlops.yaml").unlink()
    done = doctor(project)
    assert done.code == 0
    assert "Nothing that is needed is broken" in done.text


def test_names_and_words_of_others_cannot_steer_the_ci_system(project: Path) -> None:
    bad = "\n::error::no\n##[error]no"
    kernelspec(project.parent / "home", "evil", display_name=bad, argv=[f"/none{bad}"])
    done = doctor(project, GITHUB_ACTIONS="true")
    assert "evil" in done.text
    assert not [line for line in done.lines if line.strip().startswith("::") or "##[" in line]


def test_an_engine_that_does_not_answer_is_told_with_a_remedy(project: Path) -> None:
    engine = project.parent / "bin" / "podman"
    engine.parent.mkdir()
    engine.write_text("#!/bin/sh\necho 'cannot connect to the socket' >&2\nexit 125\n")
    engine.chmod(0o755)
    found = said(project, PATH=f"{engine.parent}:/usr/bin:/bin")
    podman = one(found, "container engine", "podman")
    assert podman["problem"] == "it cannot be reached: cannot connect to the socket"
    assert "DOCKER_HOST" in podman["remedy"]


@pytest.mark.kernel
def test_start_tells_of_each_kernel_whether_it_answers(project: Path) -> None:
    home = project.parent / "home"
    kernelspec(home, "mute", argv=[sys.executable, "-c", "raise SystemExit(3)", "{connection_file}"])
    found = said(project, "--start")
    assert one(found, "kernels", "python3")["answered-in"] > 0
    assert "`mute` did not start: its process ended with exit code 3" in one(found, "kernels", "mute")["problem"]
    assert one(found, "environments", "(default)")["state"] == "would be built"


@pytest.mark.kernel
def test_plan_and_doctor_tell_which_environment_is_cached(project: Path) -> None:
    (project / "mlops.yaml").write_text(CONFIG.replace(", environment: plain", ""))
    index = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "PIP_", "SSL_", "HTTP"))}
    index.setdefault("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
    env = clean_env(project.parent / "home", index)
    assert "interpreter" in tool(project, ["plan"], env).text
    assert "(would be built)" in tool(project, ["plan"], env).text
    ran = tool(project, ["run"], env)
    assert ran.code == 0, ran.text
    assert "Building the environment of requirements.txt" in ran.text
    assert "(cached)" in tool(project, ["plan"], env).text
    again = tool(project, ["run"], env)
    assert (again.code, "Building" in again.text) == (0, False)
    assert one(said(project, "--start", **index), "environments", "(default)")["answered-in"] > 0
    manifest = json.loads((project / "mlops-out" / "manifest.json").read_bytes())
    assert "six" in json.dumps(manifest)
    assert '"where": "packages"' in json.dumps(manifest)
