"""The scripts of a release, run for real: a repository to push to, an engine, and a registry that knows digests."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from container.github_job import ROOT

pytestmark = [pytest.mark.container, pytest.mark.slow]

WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
ENV = {
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
DIGEST = f"sha256:{'5' * 64}"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def call(folder: Path, *command: str | Path, **env: str) -> tuple[int, str]:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**ENV, "HOME": str(folder.parent), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def git(folder: Path, *arguments: str) -> str:
    code, said = call(folder, "git", *arguments)
    assert code == 0, said
    return said.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of this commit, ready to be released, in a clone of a repository that takes tags."""
    folder = tmp_path / "checkout"
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in names.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    log = folder / "CHANGELOG.md"
    log.write_text(log.read_text().replace("## Unreleased", "## 0.1.0"))
    git(tmp_path, "init", "-q", "--bare", "origin")
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        git(folder, *command)
    git(folder, "remote", "add", "origin", str(tmp_path / "origin"))
    git(folder, "push", "-q", "origin", "main")
    return folder


def test_a_commit_that_is_ready_may_become_its_version(checkout: Path) -> None:
    code, said = call(checkout, ".ci/release/check", "0.1.0")
    assert code == 0, said
    assert "may become 0.1.0" in said


@pytest.mark.parametrize(
    ("version", "spoil", "says"),
    [
        ("1.0", "true", "is no version"),
        ("0.1.0; id", "true", "is no version"),
        ("0.2.0", "true", "has another version"),
        ("0.1.0", "sed -i s/0.1.0/Unreleased/ CHANGELOG.md", "has no section"),
        ("0.1.0", "git tag v0.1.0 && git push -q origin v0.1.0", "tags never move"),
        ("0.1.0", "echo x > new.txt", "not clean"),
    ],
)
def test_a_commit_that_is_not_ready_is_refused(checkout: Path, version: str, spoil: str, says: str) -> None:
    call(checkout, "bash", "-c", spoil)
    code, said = call(checkout, ".ci/release/check", version)
    assert code == 1
    assert says in said


def test_the_tag_names_the_image_by_its_digest_and_the_major_version_moves_there(checkout: Path) -> None:
    before = git(checkout, "rev-parse", "HEAD")
    git(checkout, "tag", "v0")
    git(checkout, "push", "-q", "origin", "v0")
    code, said = call(checkout, ".ci/release/tag", "0.1.0", f"registry.example/mlops-action@{DIGEST}")
    assert code == 0, said
    tags = dict(reversed(line.split("\t")) for line in git(checkout, "ls-remote", "--tags", "origin").splitlines())
    assert tags["refs/tags/v0.1.0"] == tags["refs/tags/v0"] != before
    assert git(checkout, "ls-remote", "--heads", "origin", "main").startswith(before)
    action = yaml.safe_load(git(checkout, "show", "v0.1.0:container/action.yml"))
    assert action["runs"]["image"] == f"docker://registry.example/mlops-action:0.1.0@{DIGEST}"
    assert git(checkout, "diff", "--name-only", before, "v0.1.0").split() == ["container/action.yml", "container/image"]
    code, said = call(checkout, "python3", "-m", "mlops_action.generated", "--check")
    assert code == 0, said


def test_a_pre_release_moves_no_major_version_and_a_release_is_never_made_twice(checkout: Path) -> None:
    image = f"registry.example/mlops-action@{DIGEST}"
    assert call(checkout, ".ci/release/tag", "0.1.0rc1", image)[0] == 0
    assert git(checkout, "ls-remote", "--tags", "origin").count("refs/tags/") == 1
    code, said = call(checkout, ".ci/release/tag", "0.1.0rc1", image)
    assert code != 0, said


@pytest.mark.parametrize("image", ["registry.example/mlops-action", "registry.example/mlops-action@sha256:12", "$(id)"])
def test_an_image_without_a_digest_is_never_tagged(checkout: Path, image: str) -> None:
    code, said = call(checkout, ".ci/release/tag", "0.1.0", image)
    assert code == 1
    assert "no image with a digest" in said
    assert git(checkout, "ls-remote", "--tags", "origin") == ""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A real registry on this machine; its address."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("there is no registry: apt-get install docker-registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    storage = {"filesystem": {"rootdirectory": str(tmp_path / "registry")}}
    config = {"version": 0.1, "storage": storage, "http": {"addr": f"127.0.0.1:{port}"}}
    (tmp_path / "registry.json").write_text(json.dumps(config))
    process = subprocess.Popen([program, "serve", tmp_path / "registry.json"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def test_the_image_is_built_and_pushed_and_its_digest_is_that_of_the_registry(
    checkout: Path, registry: str, base_image: str, real_docker: str, tmp_path: Path
) -> None:
    name, output = f"{registry}/mlops-action", tmp_path / "output"
    options = ["--build-arg", f"BASE_IMAGE={base_image}", "--network", "host"]
    home = str(Path.home())
    code, said = call(checkout, ".ci/release/image", name, "0.1.0", *options, GITHUB_OUTPUT=str(output), HOME=home)
    try:
        assert code == 0, said[-3000:]
        request = urllib.request.Request(
            f"http://{registry}/v2/mlops-action/manifests/0.1.0", headers={"Accept": MANIFEST}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            digest = answer.headers["Docker-Content-Digest"]
        assert output.read_text() == f"digest={digest}\n"
        labels = subprocess.run(
            [real_docker, "image", "inspect", "--format", "{{json .Config.Labels}}", f"{name}@{digest}"],
            capture_output=True,
            check=True,
        )
        assert json.loads(labels.stdout)["org.opencontainers.image.revision"] == git(checkout, "rev-parse", "HEAD")
    finally:
        subprocess.run([real_docker, "image", "rm", "--force", f"{name}:0.1.0"], capture_output=True, check=False)


def jobs() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    return found


def test_every_script_of_the_release_is_one_that_these_tests_run() -> None:
    scripts = {
        name
        for job in jobs().values()
        for step in job["steps"]
        for name in re.findall(r"\.ci/release/\w+", step.get("run", ""))
    }
    assert scripts == {str(path.relative_to(ROOT)) for path in (ROOT / ".ci" / "release").iterdir()}


def test_no_job_of_the_release_may_do_more_than_it_must() -> None:
    assert yaml.safe_load(WORKFLOW.read_text())["permissions"] == {}
    writes = {
        name: {key for key, value in job["permissions"].items() if value == "write"} for name, job in jobs().items()
    }
    assert writes == {
        "check": set(),
        "image": {"packages", "id-token", "attestations"},
        "package": {"id-token", "attestations"},
        "tag": {"contents"},
        "publish": {"id-token"},
    }


def test_everything_that_the_release_executes_from_elsewhere_is_pinned_by_its_commit() -> None:
    used = [step["uses"] for job in jobs().values() for step in job["steps"] if "uses" in step]
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each)] == []


def test_the_package_is_built_as_the_release_builds_it(tmp_path: Path) -> None:
    [script] = [step["run"] for step in jobs()["package"]["steps"] if "uv build" in step.get("run", "")]
    command = (
        script.partition(" && ")[2]
        .replace("dist", str(tmp_path))
        .replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    )
    code, said = call(ROOT, "bash", "-c", command, HOME=str(Path.home()))
    assert code == 0, said
    assert {path.suffix for path in tmp_path.iterdir()} >= {".whl", ".gz"}
