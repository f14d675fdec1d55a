"""Environments that were built: where they lie, which of them are whole, and which go.

``environments/KEY/`` is a virtual environment, ``environments/KEY.lock`` its lock. A virtual
environment cannot be moved, so it is built in its place, by the one process that holds the
lock alone, and is used only when ``complete.json`` is in it, which is written last. Whoever
uses it holds the lock together with others until it ends.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from mlops_action.canonical import Json, pretty_bytes, sha256_bytes
from mlops_action.files import make_folder, write_whole
from mlops_action.frozen import frozen
from mlops_action.kernels import locks
from mlops_action.kernels.usage import PROC

FORMAT = 1
"""Part of every key; a new one makes everything built before unused."""
MOST_DAYS = 30
"""An environment that was not used for so long is removed."""
MOST_BYTES = 20 * 1024**3
"""When all together are larger, those that were not used for longest are removed."""
GRACE_SECONDS = 3600
"""One that was used so recently is never removed for its size."""
PRUNE_SECONDS = 86400
"""How often is looked for what can go."""
_COMPLETE = "complete.json"
_held: dict[Path, int] = {}
"""Locks of environments that this process uses; the system lets go of them when it ends."""


@frozen
class Environment:
    """One environment, built or not."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def beside(self) -> Path:
        """Where ipykernel is when the packages themselves do not hold it."""
        return self.folder / "kernel"

    @property
    def lock(self) -> Path:
        """Who holds this file builds it, or uses it."""
        return self.folder.with_name(self.folder.name + ".lock")

    def packages(self) -> list[Path]:
        """Its folders of packages."""
        return sorted(self.folder.glob("lib/*/site-packages"))

    def whole(self) -> bool:
        """Whether it was built to its end, and nothing was installed into it or removed since."""
        told = self.told()
        return bool(told) and told.get("listing") == self._listing() and self.python.exists()

    def told(self) -> dict[str, Json]:
        """What was noted when it was complete; empty when it is not."""
        try:
            value = json.loads((self.folder / _COMPLETE).read_bytes())
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def complete(self, noted: dict[str, Json]) -> None:
        """From now on it may be used.

        Raises:
            WriteFailed: no space or no permission.
        """
        size = sum(_sizes(self.folder))
        write_whole(self.folder / _COMPLETE, pretty_bytes({**noted, "bytes": size, "listing": self._listing()}))

    def used(self) -> None:
        """It is not pruned for a while."""
        with suppress(OSError):
            os.utime(self.folder / _COMPLETE)

    def last_used(self) -> float:
        """When that was; 0 for one that is not complete."""
        try:
            return (self.folder / _COMPLETE).stat().st_mtime
        except OSError:
            return 0.0

    def remove(self) -> None:
        """Remove it, first of all what says that it may be used."""
        with suppress(OSError):
            (self.folder / _COMPLETE).unlink()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _listing(self) -> str:
        """Names and versions of what is installed: package managers name a folder by both."""
        names = [name for folder in self.packages() for name in os.listdir(folder)]  # noqa: PTH208  # at each start
        return sha256_bytes("\n".join(sorted({*names} - {"__pycache__"})).encode(errors="surrogateescape"))


class EnvironmentCache:
    """All environments of one folder."""

    def __init__(self, folder: Path, owner: tuple[int, int] | None = None) -> None:
        """Keep them in ``folder``, which is made for the first of them."""
        self.folder = folder
        self.owner = owner

    def at(self, key: str) -> Environment:
        """The environment of that key, whether it is there or not."""
        return Environment(self.folder / key)

    def hold(self, environment: Environment) -> bool:
        """Use it until this process ends, when it is whole; False when it must be built."""
        if environment.folder in _held:
            return environment.folder.exists()
        if not environment.whole():
            return False
        held = locks.share(environment.lock)
        if held is None:
            return False
        if not environment.whole():  # it was removed before we held it
            os.close(held)
            return False
        _held[environment.folder] = held
        environment.used()
        return True

    def build(
        self, environment: Environment, make: Callable[[int], dict[str, Json]], waiting: Callable[[], None]
    ) -> None:
        """Have it built by ``make``, unless another process has done so meanwhile, and use it.

        Args:
            environment: the one.
            make: builds it into its folder and returns what is to be noted; gets the descriptor
                of the lock, for programs that may outlive us.
            waiting: is called when another process builds or uses it.

        Raises:
            MlopsError: ``make`` could not.
        """
        self._make_folder()
        held = locks.take(environment.lock, waiting)
        try:
            if not environment.whole():
                environment.remove()
                try:
                    environment.complete(make(held))
                    self._give_to_owner(environment)
                except BaseException:
                    environment.remove()
                    raise
            environment.used()
        except BaseException:
            os.close(held)
            raise
        locks.let_in(held)
        _held[environment.folder] = held

    def prune(self, most_bytes: int = MOST_BYTES, most_days: float = MOST_DAYS) -> list[str]:
        """Remove what was not used for long and what is too much, but nothing that is used; their keys are returned."""
        now, size, gone = time.time(), 0, []
        for environment in sorted(self.all(), key=Environment.last_used, reverse=True):
            age = now - environment.last_used()
            size += int(environment.told().get("bytes", 0))
            if age < GRACE_SECONDS or (age < most_days * 86400 and size <= most_bytes):
                continue
            if self._remove_unused(environment):
                gone.append(environment.folder.name)
        with suppress(OSError):
            (self.folder / ".pruned").touch()
        return gone

    def prune_now_and_then(self) -> None:
        """Prune when that was not done for a day."""
        try:
            due = time.time() - (self.folder / ".pruned").stat().st_mtime > PRUNE_SECONDS
        except OSError:
            due = True
        if due:
            self.prune()

    def all(self) -> list[Environment]:
        """Everything that is there, half-built ones included."""
        with suppress(OSError):
            return [Environment(each) for each in self.folder.iterdir() if each.is_dir()]
        return []

    def _remove_unused(self, environment: Environment) -> bool:
        held = locks.take_free(environment.lock)
        if held is None:
            return False
        try:
            if is_used(environment.folder):
                environment.used()
                return False
            environment.remove()
            with suppress(OSError):
                environment.lock.unlink()
            return True
        finally:
            os.close(held)

    def _make_folder(self) -> None:
        mark = self.folder.parent / ".gitignore"
        if not mark.exists():
            write_whole(mark, b"*\n", self.owner)
        make_folder(self.folder, self.owner)

    def _give_to_owner(self, environment: Environment) -> None:
        """To whom the checkout belongs, who must be able to remove it. The files were copied, not linked."""
        if self.owner is None:
            return
        os.chown(environment.lock, *self.owner)
        for folder, folders, names in os.walk(environment.folder):
            for each in (".", *folders, *names):
                with suppress(OSError):
                    os.chown(Path(folder) / each, *self.owner, follow_symlinks=False)


def is_used(folder: Path) -> bool:
    """Whether a process that can be seen runs in that environment: a kernel may outlive the command that started it."""
    needle = os.fsencode(f"{folder}")
    with suppress(OSError):
        for pid in os.listdir(PROC):  # noqa: PTH208
            if pid.isdecimal() and any(needle in text for text in _texts(Path(PROC, pid))):
                return True
    return False


def _texts(process: Path) -> Iterator[bytes]:
    for name in ("cmdline", "environ"):
        with suppress(OSError):
            yield (process / name).read_bytes()


def _sizes(folder: Path) -> Iterator[int]:
    for at, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                yield (Path(at) / name).lstat().st_size
