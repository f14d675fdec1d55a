"""Reaching a container engine: Docker, or Podman through its Docker-compatible socket."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from mlops_action.errors import EngineUnreachable, ToolMissing
from mlops_action.frozen import frozen

INSTALL = 'python -m pip install "mlops-action[container]"'
DOCKER_SOCKET = "/var/run/docker.sock"
ANSWER_SECONDS = 60
GREET_SECONDS = 10


@frozen
class Engine:
    """An engine that has answered."""

    address: str
    settings: Mapping[str, Any] = field(repr=False)
    """What its clients are made with."""
    rootless: bool
    """Whether its root is the user that runs it."""
    remapped: bool
    """Whether users in its containers are others outside."""

    def client(self) -> Any:
        """A client of its own, to be closed; asks the engine nothing."""
        import docker

        return docker.APIClient(**self.settings)


def reach(env: Mapping[str, str]) -> Engine:
    """The engine of ``DOCKER_HOST``, else the first that answers at a usual place.

    Raises:
        ToolMissing: the package that speaks to engines is not installed.
        EngineUnreachable: none answers; the message says what was tried.
    """
    try:
        import docker
        from docker.errors import DockerException
    except ImportError:
        raise ToolMissing(
            "kernels in containers need the package `docker`, which is not installed", hint=f"`{INSTALL}`"
        ) from None
    tried = []
    for settings in _candidates(env):
        address = settings["base_url"]
        if reason := _absent(address):
            tried.append(f"{address} ({reason})")
            continue
        try:
            client = docker.APIClient(**settings, timeout=GREET_SECONDS)
            try:
                info = client.info()
                version = client.api_version
            finally:
                client.close()
        except (DockerException, OSError) as error:
            tried.append(f"{address} ({_reason(error)})")
            continue
        said = {part for option in info.get("SecurityOptions") or [] for part in str(option).split(",")}
        rootless = "name=rootless" in said or bool(info.get("Rootless"))  # Docker, Podman
        made = {**settings, "version": version, "timeout": ANSWER_SECONDS}
        return Engine(address, made, rootless=rootless, remapped="name=userns" in said)
    raise EngineUnreachable(
        f"no container engine answers; tried {', '.join(tried)}",
        hint="start Docker or Podman, let this user use its socket, or set DOCKER_HOST to its address; "
        "in a job container, mount the host's socket at /var/run/docker.sock",
    )


def _candidates(env: Mapping[str, str]) -> list[dict[str, Any]]:
    """Settings of clients, the preferred first; what ``DOCKER_HOST`` names is the only one."""
    if env.get("DOCKER_HOST"):
        from docker.utils import kwargs_from_env

        found: dict[str, Any] = {**kwargs_from_env(environment=dict(env))}
        return [{**found, "use_ssh_client": True} if found["base_url"].startswith("ssh://") else found]
    runtime = env.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    sockets = (
        DOCKER_SOCKET,
        f"{runtime}/docker.sock",
        f"{runtime}/podman/podman.sock",
        "/run/podman/podman.sock",
    )
    return [{"base_url": f"unix://{socket}"} for socket in sockets]


def _absent(address: str) -> str:
    """Why a socket cannot be used, as far as its file tells."""
    if not address.startswith("unix://"):
        return ""
    socket = Path(address.removeprefix("unix://"))
    try:
        return "" if socket.exists() else "no such socket"
    except OSError as error:
        return _reason(error)


def _reason(error: BaseException) -> str:
    """The innermost reason, in a few words: the libraries wrap it three times."""
    inner = error
    while (deeper := inner.__cause__ or inner.__context__) is not None:
        inner = deeper
    return inner.strerror or str(inner) if isinstance(inner, OSError) else str(error)[:200]


def explained(error: BaseException) -> str:
    """What the engine said, without the address of the request."""
    said = getattr(error, "explanation", None) or str(error)
    return (said.decode(errors="replace") if isinstance(said, bytes) else str(said)).strip()
