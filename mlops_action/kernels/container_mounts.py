"""Where files of ours are for the engine, which may be outside of the container that we run in."""

from __future__ import annotations

import os
import re
import socket
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_action.errors import EnvironmentProblem
from mlops_action.frozen import frozen

_OWN_FILE = re.compile(r" /\S*?([0-9a-f]{64})/\S*hostname /etc/hostname ")
_GROUP = re.compile(r"([0-9a-f]{64})")
_SIGNS = (Path("/.dockerenv"), Path("/run/.containerenv"))


@frozen
class Outside:
    """How the engine sees our files.

    On a host, as we do. In a container of the same engine, through that container's mounts. In a container of
    another engine (``docker:dind``), as we do, which is checked when a container looks into the folder.
    """

    container: str = ""
    """Id of the container that we run in, when the engine knows it."""
    network: str = ""
    """The network of that container, when it is not the usual one."""
    mounts: tuple[tuple[str, str], ...] = ()
    """Path here and path outside, the longest first."""

    def path(self, here: Path) -> str:
        """The path of a file of ours for the engine.

        Raises:
            EnvironmentProblem: the engine cannot see it.
        """
        if not self.container:
            return str(here)
        for inside, outside in self.mounts:
            if here.is_relative_to(inside):
                return str(PurePosixPath(outside) / here.relative_to(inside))
        raise EnvironmentProblem(
            f"{here} is on no mount of this container, so the engine outside cannot see it",
            hint="mount the project folder into the job's container (`-v /path:/path`); "
            f"mounted here: {', '.join(each for each, _ in self.mounts) or 'nothing'}",
        )

    def sees(self, here: Path) -> bool:
        """Whether the engine can see a file of ours."""
        return not self.container or any(here.is_relative_to(inside) for inside, _ in self.mounts)


def outside(client: Any) -> Outside:
    """Where we are, as the engine of ``client`` knows it."""
    from docker.errors import DockerException

    for name in _own_ids():
        with suppress(DockerException):
            own = client.inspect_container(name)
            if name != socket.gethostname() or own["Config"]["Hostname"] == name:
                return _through(own)
    return Outside()


def _through(own: Mapping[str, Any]) -> Outside:
    mounts = [(each["Destination"], each["Source"]) for each in own["Mounts"] if each.get("Source")]
    network = own["HostConfig"].get("NetworkMode") or ""
    usual = network in {"default", "bridge", "host", "none"} or network.startswith(("container:", "slirp", "pasta"))
    longest = sorted(mounts, key=lambda mount: -len(mount[0]))
    return Outside(own["Id"], "" if usual else network, tuple(longest))


def _own_ids() -> list[str]:
    """What may be the id of our own container; nothing on a host."""
    mounts = _text("/proc/self/mountinfo")
    found = [match[1] for match in _OWN_FILE.finditer(mounts)]
    if not found and not any(sign.exists() for sign in _SIGNS):
        return []
    return list(dict.fromkeys([*found, *_GROUP.findall(_text("/proc/self/cgroup")), socket.gethostname()]))


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def shared_folder(place: Outside, root: Path, env: Mapping[str, str]) -> Path:
    """A new private folder that the engine can see.

    Raises:
        EnvironmentProblem: there is no such place.
    """
    temporary = [Path(tempfile.gettempdir()), *([Path(env["RUNNER_TEMP"])] if env.get("RUNNER_TEMP") else [])]
    for parent in (*temporary, root.parent, root):  # inside of the project it would be seen by git for a while
        if place.sees(parent) and os.access(parent, os.W_OK):
            return Path(tempfile.mkdtemp(prefix="mlops-", dir=parent))
    place.path(root)
    raise EnvironmentProblem(
        "there is no folder for sockets that the engine can see and this user can write to",
        hint="set TMPDIR to a folder that is mounted into this container",
    )


def further(mounts: Mapping[str, str], root: Path, place: Outside) -> list[tuple[str, str, bool]]:
    """Source for the engine, target and whether it is read-only, of the mounts that were asked for.

    Raises:
        EnvironmentProblem: what shall be mounted is not there.
    """
    found = []
    for here, there in mounts.items():
        path = root / Path(here).expanduser()
        if not path.exists():
            raise EnvironmentProblem(f"`{here}` is to be mounted and does not exist", origin=str(path))
        target, options = (there[:-3], there[-2:]) if there.endswith((":rw", ":ro")) else (there, "ro")
        found.append((place.path(Path(os.path.abspath(path))), target, options == "ro"))  # noqa: PTH100  # as it is written
    return found


def bound(sources: Sequence[tuple[str, str, bool]]) -> list[Any]:
    """Mounts as the engine takes them. Unlike ``-v`` they never make a missing folder."""
    from docker.types import Mount

    return [Mount(target, source, type="bind", read_only=read_only) for source, target, read_only in sources]
