"""Whose a container is: written on it when it is made, so that those of dead owners can be removed."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlops_action.kernels.spawn import PORTS

LABEL = "mlops-action."
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def labels(mark: str, container: str = "", folder: Path | None = None) -> dict[str, str]:
    """What a container of ours carries.

    Args:
        mark: its name among ours.
        container: id of the container that we run in.
        folder: with its sockets.
    """
    own = {
        "mark": mark,
        "pid": str(os.getpid()),
        "started": _started(os.getpid()),
        "boot": _read(_BOOT),
        "namespace": _namespace(),
        "host": socket.gethostname(),
        "container": container,
        "folder": str(folder or ""),
    }
    return {LABEL + name: value for name, value in own.items()}


def reap(client: Any, container: str = "") -> int:
    """Remove containers whose owner is dead; the number of them.

    Args:
        client: of the engine.
        container: id of the container that we run in.
    """
    from docker.errors import DockerException

    removed = 0
    with suppress(DockerException):
        for each in client.containers(all=True, filters={"label": f"{LABEL}mark"}):
            said = each.get("Labels") or {}
            if not _dead(client, {name.removeprefix(LABEL): value for name, value in said.items()}, container):
                continue
            with suppress(DockerException):
                client.remove_container(each["Id"], force=True, v=True)
                removed += 1
            clear(said.get(f"{LABEL}folder", ""))
    return removed


def clear(folder: str) -> None:
    """Remove a folder of sockets, and nothing else should the name mean something else."""
    path = Path(folder)
    if path.name.startswith("mlops-") and path.is_absolute():
        for number in range(1, len(PORTS) + 1):
            with suppress(OSError):
                (path / f"k-{number}").unlink()
        with suppress(OSError):
            (path / "seen").unlink()
        with suppress(OSError):
            path.rmdir()


def _dead(client: Any, said: Mapping[str, str], container: str) -> bool:
    """Whether the owner is certainly gone; one on another machine is taken to live."""
    if said.get("container") and said["container"] != container:
        return not _runs(client, said["container"])
    if not said.get("container") and said.get("host") != socket.gethostname():
        return False
    if said.get("boot") != _read(_BOOT):
        return True
    return said.get("namespace") == _namespace() and said.get("started") != _started(int(said.get("pid") or 0))


def _runs(client: Any, container: str) -> bool:
    from docker.errors import NotFound

    try:
        return bool(client.inspect_container(container)["State"]["Running"])
    except NotFound:
        return False


def _started(pid: int) -> str:
    """When a process was started, in ticks since the machine was; empty when there is none."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] != "Z" else ""


def _namespace() -> str:
    """In which numbers of processes are counted."""
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115  # it is no path
    return ""


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
