"""Kernels in containers: a container of its own for each, reached over sockets in a private folder."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mlops_action.config.place_model import ContainerSpec, MountKernel
from mlops_action.errors import EnvironmentProblem, KernelMissing, KernelStartFailed
from mlops_action.kernels.container_config import SOCKETS, Site, probe_config
from mlops_action.kernels.container_engine import explained, reach
from mlops_action.kernels.container_image import resolved
from mlops_action.kernels.container_ipykernel import Loan, lent, loan_for
from mlops_action.kernels.container_mounts import outside, shared_folder
from mlops_action.kernels.container_owner import clear, labels, reap
from mlops_action.kernels.container_probe import Contents, looked_into
from mlops_action.kernels.container_process import ContainerKernel
from mlops_action.kernels.interface import Launch, Place
from mlops_action.kernels.spawn import IPC_KERNELS
from mlops_action.records import KernelChoice

_LANGUAGES = {"python3": "python", "python": "python", "ir": "R", "bash": "bash", "javascript": "javascript"}
"""Of kernels by their usual names, for a plan; the image says it exactly."""
_LENT = "mounted-kernel"


class ContainerKernels:
    """Backend for kernels in containers of one image."""

    def __init__(self, place: Place) -> None:
        """Nothing is asked of the engine yet."""
        self.place = place
        self.spec = place.spec.container or ContainerSpec()
        self._lock = threading.Lock()
        self._known: tuple[Site, Contents] | None = None

    def find(self, name: str) -> KernelChoice:
        """The kernel of that name, which is looked for in the image when its place is made."""
        language = _LANGUAGES.get(name.lower(), "")
        return KernelChoice(name=name, spec_dir="", language=language, argv=(), place={"image": self.spec.image})

    def prepare(self, choice: KernelChoice, note: Callable[[str], None]) -> KernelChoice:
        """Pull the image where that is needed, and find the kernel in it.

        Raises:
            EnvironmentProblem: no engine answers, the image cannot be had, or has no such kernel.
        """
        site, contents = self._look(note)
        found, loan = self._kernel(choice.name, contents)
        if why := _unreachable(site, found):
            raise EnvironmentProblem(
                f"kernel `{choice.name}` can be reached over a network only, and {why}",
                hint=f"without one, these kernels work: {', '.join(IPC_KERNELS)}, run by our own user",
            )
        place = {**site.image.record, **site.settings()} | ({_LENT: f"ipykernel {loan.version}"} if loan else {})
        return replace(found, name=choice.name, environment=choice.environment, where=choice.where, place=place)

    def start(self, launch: Launch) -> ContainerKernel:
        """Begin to start a kernel; its container is made in the background.

        Raises:
            KernelStartFailed: it cannot be.
        """
        try:
            choice = launch.choice if launch.choice.argv else self.prepare(launch.choice, lambda _: None)
            site, contents = self._look(lambda _: None)
            loan = loan_for(contents.python, self.spec.image) if _LENT in choice.place else None
            return ContainerKernel(site, replace(launch, choice=choice), loan)
        except (EnvironmentProblem, OSError) as error:
            raise KernelStartFailed(str(error), hint=getattr(error, "hint", "")) from error

    def _kernel(self, name: str, contents: Contents) -> tuple[KernelChoice, Loan | None]:
        try:
            return contents.kernel(name, self.spec.image), None
        except KernelMissing:
            if self.spec.mount_kernel is not MountKernel.IPYKERNEL or name != "python3":
                raise
            loan = loan_for(contents.python, self.spec.image)
            return lent(contents.python), loan

    def _look(self, note: Callable[[str], None]) -> tuple[Site, Contents]:
        """The engine and the image, and what is in it; asked for once."""
        with self._lock:
            if self._known is None:
                self._known = self._asked(note)
            return self._known

    def _asked(self, note: Callable[[str], None]) -> tuple[Site, Contents]:
        if sys.platform != "linux":
            raise EnvironmentProblem(
                "kernels in containers need Linux", hint="elsewhere, run mlops-action itself in a container"
            )
        engine = reach(self.place.env)
        from docker.errors import DockerException

        client = engine.client()
        try:
            around = outside(client)
            reap(client, around.container)
            image = resolved(client, self.spec, note)
            site = Site(self.place.spec, self.spec, self.place.root, engine, around, image)
            return site, self._contents(client, site)
        except (DockerException, OSError) as error:
            raise EnvironmentProblem(f"the engine at {engine.address} refused: {explained(error)}") from error
        finally:
            client.close()

    def _contents(self, client: Any, site: Site) -> Contents:
        folder, word = shared_folder(site.outside, site.root, self.place.env), uuid.uuid4().hex
        try:
            (folder / "seen").write_text(f"{word}\n")
            for path in (folder / "seen", folder):
                site.give(path)
            config = probe_config(site, folder, labels(folder.name, site.outside.container, folder))
            contents = looked_into(client, config, word, SOCKETS)
        finally:
            clear(str(folder))
        if site.shares_files and contents.seen != word:
            raise EnvironmentProblem(
                f"the engine at {site.engine.address} does not see the files of this machine",
                hint="use an engine of this machine, or one whose machine has the same folders at the same paths",
            )
        return contents


def _unreachable(site: Site, choice: KernelChoice) -> str:
    """Why a kernel cannot be reached; empty when it can."""
    if site.by_socket(choice):
        return ""
    if not site.spec.network:
        return "`network: false` leaves it none"
    return "that of a rootless engine is closed to us" if site.engine.rootless else ""
