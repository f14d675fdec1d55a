"""The image of a container: there, or pulled; which one exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlops_action.config.place_model import ContainerSpec
from mlops_action.config.values import size_text
from mlops_action.errors import ImageUnavailable
from mlops_action.frozen import frozen
from mlops_action.kernels.container_engine import explained
from mlops_action.records.base import Json

PROGRESS_SECONDS = 5.0
_NO_REGISTRY = "localhost/"
"""Podman's name for what was built here."""
LOCAL = "it was built on this machine, or loaded: no registry has given it a digest"


@frozen
class Image:
    """An image that the engine has."""

    id: str
    record: Mapping[str, Json]
    """What a manifest says of it."""
    env: Mapping[str, str]
    """Variables that it sets."""
    checked: bool = False
    """Whether it wants its health to be looked at."""


def resolved(client: Any, spec: ContainerSpec, note: Callable[[str], None]) -> Image:
    """The image that ``spec`` names; it is pulled when it is not there.

    Raises:
        ImageUnavailable: it is not there, and may or can not be pulled.
    """
    from docker.errors import APIError, ImageNotFound

    try:
        found = client.inspect_image(spec.image)
    except ImageNotFound:
        if not spec.pull:
            raise ImageUnavailable(
                f"image `{spec.image}` is not on this machine, and `pull: false` says not to pull it",
                hint=f"`docker pull {spec.image}` before, or allow it with `pull: true`",
            ) from None
        _pull(client, spec.image, note)
        found = client.inspect_image(spec.image)
    except APIError as error:
        raise ImageUnavailable(f"`{spec.image}` is no image: {explained(error)}", hint="check its name") from None
    config = found.get("Config") or {}
    env = dict(each.partition("=")[::2] for each in config.get("Env") or [])
    return Image(_sha(found["Id"]), _record(spec.image, found), env, bool(config.get("Healthcheck")))


def _record(asked: str, found: Mapping[str, Any]) -> dict[str, Json]:
    parts = (found.get("Os"), found.get("Architecture"), found.get("Variant"))
    record: dict[str, Json] = {"image": asked, "platform": "/".join(part for part in parts if part)}
    digest = _digest(asked, found.get("RepoDigests") or [])
    if digest:
        return record | {"digest": digest}
    return record | {"id": _sha(found["Id"]), "why-no-digest": LOCAL}


def _sha(number: str) -> str:
    """An id as Docker writes it; Podman leaves out how it was made."""
    return number if ":" in number else f"sha256:{number}"


def _digest(asked: str, digests: Iterable[str]) -> str:
    """``name@sha256:...`` of the repository that was asked for, else of any, or empty."""
    repository = _repository(asked)
    if "@" in asked:
        return f"{repository}@{asked.partition('@')[2]}"
    known = sorted(each for each in digests if not each.startswith(_NO_REGISTRY))
    same = [each for each in known if _alike(each.partition("@")[0], repository)]
    return next(iter([*same, *known]), "")


def _repository(asked: str) -> str:
    """An image's name without tag and digest."""
    name = asked.partition("@")[0]
    host, slash, last = name.rpartition("/")
    return host + slash + last.partition(":")[0]


def _alike(one: str, other: str) -> bool:
    """Whether two names of one image may be of the same repository: engines leave out the usual registry."""
    return f"/{one}".endswith(f"/{other}") or f"/{other}".endswith(f"/{one}")


def _pull(client: Any, image: str, note: Callable[[str], None]) -> None:
    from docker.errors import DockerException

    note(f"pulling image {image}")
    begun = time.monotonic()
    name, _, digest = image.partition("@")
    tag = digest or (name.rpartition("/")[2].partition(":")[2] or "latest")
    try:
        progress = Progress()
        for event in client.pull(_repository(image), tag=tag, stream=True, decode=True):
            if event.get("error"):
                raise _not_pulled(image, str(event["error"]))
            if line := progress.line(event):
                note(f"pulling image {image}: {line}")
    except (DockerException, OSError) as error:
        raise _not_pulled(image, explained(error)) from None
    note(f"pulled image {image} in {time.monotonic() - begun:.0f} s")


def _not_pulled(image: str, why: str) -> ImageUnavailable:
    return ImageUnavailable(
        f"image `{image}` is not on this machine and cannot be pulled: {why}",
        hint="check its name; log in to its registry before (`docker login`); or build it in a step before this one",
    )


class Progress:
    """Layers of a pull, told every few seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing was told yet."""
        self.clock = clock
        self.told = clock()
        self.layers: dict[str, tuple[int, int]] = {}
        self.done: set[str] = set()

    def line(self, event: Mapping[str, Any]) -> str:
        """Take in what the engine said; the line to tell, mostly empty."""
        layer, status = str(event.get("id") or ""), str(event.get("status") or "")
        detail = event.get("progressDetail") or {}
        if status == "Downloading" and detail.get("total"):
            self.layers[layer] = (int(detail.get("current") or 0), int(detail["total"]))
        elif status == "Pulling fs layer":
            self.layers.setdefault(layer, (0, 0))
        elif status in {"Download complete", "Pull complete", "Already exists"}:
            self.layers[layer] = (self.layers.get(layer, (0, 0))[1],) * 2
            self.done |= {layer} if status != "Download complete" else set()
        if self.clock() - self.told < PROGRESS_SECONDS:
            return ""
        self.told = self.clock()
        here, whole = (sum(each[i] for each in self.layers.values()) for i in (0, 1))
        return f"{len(self.done)} of {len(self.layers)} layers, {size_text(here)} of {size_text(whole)}"
