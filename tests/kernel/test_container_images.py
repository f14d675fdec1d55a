"""Images and engines: found, pulled, and exactly recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel.bench import in_container
from kernel.images import docker, image
from kernel.registry import Registry, registry

from mlops_action.config.place_model import ContainerSpec
from mlops_action.errors import EngineUnreachable, ImageUnavailable
from mlops_action.kernels.container_engine import reach
from mlops_action.kernels.container_image import Progress, resolved

pytestmark = [pytest.mark.kernel, pytest.mark.container]


@pytest.fixture
def served() -> Iterator[Registry]:
    """A registry with a small image."""
    image()  # skips without an engine
    made = docker(
        "build",
        "-t",
        "mlops-action-test-small:1",
        "-",
        given="FROM scratch\nLABEL a=b\nCOPY --from=mlops-action-base:bookworm /etc/os-release /x\n",
    )
    assert made.returncode == 0, made.stderr
    with registry("mlops-action-test-small:1") as registered:
        yield registered
        for name in (f"{registered.address}/small:1", f"{registered.address}/small@{registered.digest}"):
            docker("rmi", "--force", name)
    docker("rmi", "--force", "mlops-action-test-small:1")


def test_a_tag_is_pulled_and_its_digest_recorded(served: Registry) -> None:
    docker("rmi", "--force", "mlops-action-test-small:1")
    told: list[str] = []
    client = reach(os.environ).client()
    found = resolved(client, ContainerSpec(image=f"{served.address}/small:1"), told.append)
    again = resolved(client, ContainerSpec(image=f"{served.address}/small@{served.digest}", pull=False), told.append)
    client.close()
    assert found.record == {
        "image": f"{served.address}/small:1",
        "platform": "linux/amd64",
        "digest": f"{served.address}/small@{served.digest}",
    }
    assert again.record["digest"] == found.record["digest"]
    assert told[0] == f"pulling image {served.address}/small:1"
    assert told[-1].startswith(f"pulled image {served.address}/small:1 in ")


def test_an_image_that_may_not_be_pulled_is_an_error(served: Registry) -> None:
    client = reach(os.environ).client()
    with pytest.raises(ImageUnavailable, match="`pull: false` says not to pull it"):
        resolved(client, ContainerSpec(image=f"{served.address}/small:1", pull=False), print)
    with pytest.raises(ImageUnavailable, match=r"cannot be pulled: .*manifest unknown") as told:
        resolved(client, ContainerSpec(image=f"{served.address}/small:refused"), print)
    with pytest.raises(ImageUnavailable, match=r"`No Such Name` is no image: .*invalid reference format"):
        resolved(client, ContainerSpec(image="No Such Name"), print)
    client.close()
    assert "docker login" in told.value.hint


def test_the_progress_of_a_pull_is_told_every_few_seconds() -> None:
    now = [0.0]
    progress = Progress(lambda: now[0])
    assert progress.line({"id": "a", "status": "Pulling fs layer"}) == ""
    progress.line({"id": "b", "status": "Downloading", "progressDetail": {"current": 1024**2, "total": 4 * 1024**2}})
    now[0] = 6
    assert progress.line({"id": "a", "status": "Already exists"}) == "1 of 2 layers, 1.0 MiB of 4.0 MiB"
    assert progress.line({"id": "b", "status": "Pull complete"}) == ""


# The engine


def test_an_engine_that_does_not_answer_is_told_with_what_was_tried(place: Path) -> None:
    socket = place / "no.sock"
    backend = in_container(place / "project", ContainerSpec(image="x"), {"DOCKER_HOST": f"unix://{socket}"})
    with pytest.raises(EngineUnreachable, match="no such socket") as told:
        backend.prepare(backend.find("python3"), lambda _: None)
    assert str(socket) in told.value.message
    socket.touch()
    with pytest.raises(EngineUnreachable, match="refused"):
        reach({"DOCKER_HOST": f"unix://{socket}"})


def test_podmans_socket_is_tried_where_docker_has_none(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image()
    (place / "run" / "podman").mkdir(parents=True)
    (place / "run" / "podman" / "podman.sock").symlink_to("/var/run/docker.sock")
    monkeypatch.setattr("mlops_action.kernels.container_engine.DOCKER_SOCKET", str(place / "none"))
    assert reach({"XDG_RUNTIME_DIR": str(place / "run")}).address == f"unix://{place}/run/podman/podman.sock"
