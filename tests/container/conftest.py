"""The image, built as a user builds it, and an image of a user's on top of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from container.github_job import EXAMPLE, ROOT, Job
from docker import DockerClient
from docker.errors import DockerException, ImageNotFound

Commands = Callable[..., tuple[int, str]]


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerClient]:
    """A Docker engine that answers."""
    try:
        client = docker.from_env(timeout=600)
        client.ping()
    except DockerException as error:
        pytest.skip(f"no Docker engine answers: {error}")
    if shutil.which("docker") is None:
        pytest.skip("there is no `docker` command")
    yield client
    client.close()


@pytest.fixture(scope="session")
def real_docker_name(engine: DockerClient) -> str:
    """The `docker` command of an engine that answers."""
    return str(shutil.which("docker"))


@pytest.fixture(scope="session")
def base_image(engine: DockerClient) -> str:
    """An image with Python to build upon."""
    name = os.environ.get("MLOPS_ACTION_BASE_IMAGE", "mlops-action-base:bookworm")
    try:
        engine.images.get(name)
    except ImageNotFound:
        pytest.skip(f"there is no image {name}: run `.ci/base-image.sh {name}`")
    return name


@pytest.fixture(scope="session")
def build(engine: DockerClient) -> Iterator[Callable[..., str]]:
    """Build a folder's Dockerfile; the tag is returned, and gone after the session."""
    tags = []

    def built(folder: Path, *options: str) -> str:
        tag = f"mlops-action-test:{uuid.uuid4().hex[:12]}"
        command = ["docker", "build", "--network", "host", "--force-rm", "--tag", tag, *options, str(folder)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 0, done.stdout[-5000:]
        tags.append(tag)
        return tag

    yield built
    for tag in reversed(tags):
        engine.images.remove(tag, force=True)


@pytest.fixture(scope="session")
def image(build: Callable[..., str], base_image: str) -> str:
    """The image of this checkout."""
    return build(ROOT, "--build-arg", f"BASE_IMAGE={base_image}")


@pytest.fixture(scope="session")
def example_image(build: Callable[..., str], image: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image with what the example's notebooks import, made as the README says."""
    folder = tmp_path_factory.mktemp("derived")
    shutil.copy(EXAMPLE / "requirements.txt", folder)
    lines = [f"FROM {image}", "COPY requirements.txt /", "RUN pip install --no-cache-dir -r /requirements.txt"]
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")
    return build(folder)


@pytest.fixture(scope="session")
def container(engine: DockerClient) -> Commands:
    """Run a command in a new container; its exit code and what it printed are returned."""

    def run(image: str, *command: str, **options: object) -> tuple[int, str]:
        made = engine.containers.run(image, list(command), detach=True, network_mode="none", **options)
        try:
            code: int = made.wait()["StatusCode"]
            return code, made.logs().decode()
        finally:
            made.remove(force=True)

    return run


@pytest.fixture(scope="session")
def give(container: Commands, base_image: str) -> Callable[[Path, str], None]:
    """Make everything below a folder somebody else's, root or not."""

    def change(folder: Path, owner: str) -> None:
        code, said = container(base_image, "chown", "-R", owner, "/given", volumes=[f"{folder}:/given"])
        assert code == 0, said

    return change


@pytest.fixture(scope="module")
def pull_request(
    give: Callable[[Path, str], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[tuple[str, str]], Job]]:
    """A job of GitHub Actions whose files belong to the runner's user; ours again in the end."""
    jobs = []

    def made(edit: tuple[str, str]) -> Job:
        job = Job(tmp_path_factory.mktemp("job"), edit)
        jobs.append(job)
        give(job.folder, "1001:123")
        return job

    yield made
    for job in jobs:
        give(job.folder, f"{os.getuid()}:{os.getgid()}")
