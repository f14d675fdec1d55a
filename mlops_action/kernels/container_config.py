"""What a container is made with."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from dataclasses import fields
from fnmatch import fnmatchcase
from pathlib import Path
from string import Template
from typing import Any

from mlops_action.config.model import EnvironmentSpec
from mlops_action.config.place_model import ContainerSpec
from mlops_action.frozen import frozen
from mlops_action.kernels.container_engine import Engine
from mlops_action.kernels.container_image import Image
from mlops_action.kernels.container_mounts import Outside, bound, further
from mlops_action.kernels.spawn import MARK, speaks_ipc
from mlops_action.records import KernelChoice
from mlops_action.records.base import Json

BASE = "/mlops-action"
"""Folder of ours in the container."""
HOME = f"{BASE}/home"
SOCKETS = f"{BASE}/sockets"
CONNECTION = f"{BASE}/kernel.json"
HOST_ONLY = (
    *("PATH", "HOME", "SHELL", "TMPDIR", "TEMP", "TMP", "LD_*", "VIRTUAL_ENV", "CONDA_*", "JUPYTER_*"),
    *("PYTHONPATH", "PYTHONHOME", "XDG_*", "R_HOME", "R_LIBS*", "JULIA_*", "NODE_PATH", "JAVA_HOME", "MPLCONFIGDIR"),
    *("CUDA_*", "NVIDIA_*", "SSL_CERT_*", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
"""Variables about places and devices of the host; they mean nothing, or something else, in a container."""
_NOT_RECORDED = {"image", "pull", "mounts", "user", "mount_kernel"}


@frozen
class Site:
    """What all containers of one environment share."""

    environment: EnvironmentSpec
    spec: ContainerSpec
    root: Path
    engine: Engine
    outside: Outside
    image: Image

    @property
    def user(self) -> tuple[int, int]:
        """Numbers of user and group in the container: by default the owner of the project folder."""
        if self.spec.user:
            uid, _, gid = self.spec.user.partition(":")
            return int(uid), int(gid or uid)
        owner = self.root.stat()
        if self.engine.rootless and owner.st_uid == os.geteuid():
            return 0, 0  # a rootless engine's root is the user that runs it
        return owner.st_uid, owner.st_gid

    @property
    def shares_files(self) -> bool:
        """Whether we and the container can both use a folder that is closed to others."""
        uid, _ = self.user
        if self.engine.rootless:
            return uid == 0
        return os.geteuid() in {0, uid}

    def by_socket(self, choice: KernelChoice) -> bool:
        """Whether a kernel is reached over a socket in a folder that both can use, and not over a network."""
        return speaks_ipc(choice) and self.shares_files

    def give(self, path: Path) -> None:
        """Make a file or folder of ours the container's, which we can still use."""
        if self.shares_files and not self.engine.rootless and os.geteuid() == 0:
            os.chown(path, *self.user)

    def settings(self) -> dict[str, Json]:
        """Whatever is not as usual and can be noticed in the container."""
        changed = {
            each.name.replace("_", "-"): getattr(self.spec, each.name)
            for each in fields(self.spec)
            if each.name not in _NOT_RECORDED and getattr(self.spec, each.name) != each.default
        }
        if self.spec.mounts:
            changed["mounts"] = sorted(self.spec.mounts.values())
        return changed


def probe_config(site: Site, sockets: Path, own: Mapping[str, str]) -> dict[str, Any]:
    """What a container is made with that only looks around: no network, no limits, no devices.

    Args:
        site: what all share.
        sockets: the folder of this container's sockets.
        own: its labels.
    """
    return {
        "image": site.image.id,
        "user": ":".join(map(str, site.user)),
        "labels": dict(own),
        **({"healthcheck": {"test": ["NONE"]}} if site.image.checked else {}),
        "host_config": _host_config(site, _mounts(site, sockets)),
    }


def kernel_config(site: Site, sockets: Path, own: Mapping[str, str], lent: Mapping[str, str]) -> dict[str, Any]:
    """What the container of a kernel is made with, but for command, folder and variables.

    Args:
        site: what all share.
        sockets: the folder of this container's sockets.
        own: its labels.
        lent: folders of ours that it may read, and where.
    """
    config = probe_config(site, sockets, own)
    config["host_config"] |= _limits(site)
    config["host_config"]["Mounts"] += bound(
        [(site.outside.path(Path(here)), there, True) for here, there in lent.items()]
    )
    return config


def _mounts(site: Site, sockets: Path) -> list[tuple[str, str, bool]]:
    """Source for the engine, target, and whether it is read-only."""
    return [
        (site.outside.path(site.root), str(site.root), site.spec.workspace == "ro"),
        (site.outside.path(sockets), SOCKETS, False),
        *further(site.spec.mounts, site.root, site.outside),
    ]


def _host_config(site: Site, mounts: list[tuple[str, str, bool]]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "Init": True,  # passes signals on, and collects orphans
        "LogConfig": {"Type": "none", "Config": {}},  # what is printed goes to us, and fills no disk
        "SecurityOpt": ["label=disable"],  # SELinux would refuse the mounts
        "Mounts": bound(mounts),
        "NetworkMode": "none",
    }
    if site.engine.remapped:
        config["UsernsMode"] = "host"
    return config


def _limits(site: Site) -> dict[str, Any]:
    """The network, devices and limits that were asked for."""
    spec = site.spec
    limits: dict[str, Any] = {"NetworkMode": (site.outside.network or "default") if spec.network else "none"}
    if spec.memory:
        limits |= {"Memory": spec.memory, "MemorySwap": spec.memory}  # no swap: it shall be told, not slow
    if spec.shared_memory:
        limits["ShmSize"] = spec.shared_memory
    if spec.cpus:
        limits["NanoCpus"] = int(spec.cpus * 1_000_000_000)
    if spec.gpus:
        limits["DeviceRequests"] = [_gpus(spec.gpus)]
    return limits


def _gpus(asked: str) -> dict[str, Any]:
    request: dict[str, Any] = {"Driver": "", "Capabilities": [["gpu"]], "Options": {}}
    if asked == "all" or asked.isdecimal():
        return request | {"Count": -1 if asked == "all" else int(asked)}
    return request | {"DeviceIDs": [each.strip() for each in asked.split(",")]}


def variables(site: Site, choice: KernelChoice, env: Mapping[str, str], mark: str) -> dict[str, str]:
    """What the container sees besides its image's variables.

    Those of ``env`` that are about the host's places stay away, unless the configuration names them, and the
    image's own win over harmless ones of the host.
    """
    named = {*site.environment.set, *site.environment.pass_}
    given = {
        name: value
        for name, value in env.items()
        if name in named or not (name in site.image.env or _about_host(name, site.spec.gpus))
    }
    seen = {**site.image.env, "HOME": HOME, **given}
    own = {name: Template(value).safe_substitute(seen) for name, value in choice.env.items()}
    somebody = {"USER": "kernel", "LOGNAME": "kernel"}  # the user's number has no name in most images
    # ipykernel: its parent is the init, which is not to be watched
    return {**somebody, "HOME": HOME, **given, **own, MARK: mark, "TINI_KILL_PROCESS_GROUP": "1", "JPY_PARENT_PID": "1"}


def _about_host(name: str, gpus: str) -> bool:
    if name == "CUDA_VISIBLE_DEVICES" and gpus == "all":
        return False
    return any(fnmatchcase(name, pattern) for pattern in HOST_ONLY)


def archive(site: Site, connection: bytes, links: Mapping[str, str]) -> bytes:
    """Files of ours for a container, as a tar: a home, the connection file, and links.

    Both belong to the container's user alone; they are in the container and go with it.
    """
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for path in (BASE, *sorted({target.rpartition("/")[0] for target in links})):
            tar.addfile(_member(path, tarfile.DIRTYPE, 0o755, (0, 0)))
        tar.addfile(_member(HOME, tarfile.DIRTYPE, 0o700, site.user))
        file = _member(CONNECTION, tarfile.REGTYPE, 0o600, site.user)
        file.size = len(connection)
        tar.addfile(file, io.BytesIO(connection))
        for path, target in links.items():
            link = _member(path, tarfile.SYMTYPE, 0o777, (0, 0))
            link.linkname = target
            tar.addfile(link)
    return made.getvalue()


def _member(path: str, kind: bytes, mode: int, owner: tuple[int, int]) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path.lstrip("/"))
    member.type, member.mode = kind, mode
    member.uid, member.gid = owner
    return member
