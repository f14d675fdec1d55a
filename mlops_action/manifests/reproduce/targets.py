"""Which interpreters and images a run was done with, and where each is had again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from mlops_action.canonical import Json
from mlops_action.formats.recorded import part
from mlops_action.frozen import frozen
from mlops_action.manifests.reproduce.workplace import Workplace

DEFAULT_KERNEL = "python3"


@frozen
class Target:
    """One recorded interpreter."""

    number: int
    interpreter: Json
    """From the manifest's identity."""
    place: Json
    """From its locator."""
    venv: Path
    """Where it is built again."""
    named: str = ""
    """An interpreter that the user names instead."""
    boxed: bool = False
    """Whether the whole run was in an image, which may hold it."""

    @property
    def labels(self) -> list[str]:
        """Its kernels, those of further environments with the environment's name before a slash."""
        return [str(each) for each in self.interpreter.get("kernels", ())]

    @property
    def version(self) -> str:
        """Of Python."""
        return str(self.interpreter.get("version", ""))

    @property
    def own(self) -> Path:
        """The interpreter of the rebuilt environment, there or not."""
        return self.venv / "bin" / "python"

    @property
    def built(self) -> bool:
        """Whether it was built; it may be a link that only a container can follow."""
        return not self.named and self.own.is_symlink()

    @property
    def python(self) -> Path:
        """The interpreter to use: the one that was named, or built, or where the image of the run has it."""
        if self.named:
            return Path(self.named)
        kept = self.boxed and not self.built
        return Path(self.place["executable"]) if kept and self.place.get("executable") else self.own

    @property
    def title(self) -> str:
        """For people."""
        return ", ".join(self.labels) or DEFAULT_KERNEL


@frozen
class Boxed:
    """One environment whose kernels ran in containers of an image."""

    environment: str
    image: str
    """`name@sha256:...` or the image's id; empty when neither was recorded."""
    asked: str
    """What the configuration called it."""


def targets(place: Workplace) -> list[Target]:
    """The recorded interpreters in the order of the manifest."""
    value = place.document.value
    pairs = zip_longest(part(value, "identity", "python") or (), part(value, "locator", "python") or ())
    return [
        Target(
            number,
            identity,
            where or {},
            place.folder / ("venv" if number == 0 else f"venv-{number + 1}"),
            place.wishes.python,
            bool(image_of_run(value)),
        )
        for number, (identity, where) in enumerate(pairs)
        if identity is not None
    ]


def boxed(manifest: Json) -> list[Boxed]:
    """The environments of containers, each once."""
    found: dict[str, Boxed] = {}
    for kernel in part(manifest, "identity", "kernels") or ():
        if kernel.get("where") == "container":
            place = kernel.get("place") or {}
            image = str(place.get("digest") or place.get("id") or "")
            name = environment_of(str(kernel.get("kernel", "")))
            found.setdefault(name, Boxed(name, image, str(place.get("image", ""))))
    return list(found.values())


def far_kernels(manifest: Json) -> list[str]:
    """Kernels that ran on another machine."""
    kernels = part(manifest, "identity", "kernels") or ()
    return sorted({str(each.get("kernel", "")) for each in kernels if each.get("where") == "gateway"})


def image_of_run(manifest: Json) -> str:
    """The image that the whole run was in, `name@sha256:...`; empty when there was none or it is not known."""
    digest = part(manifest, "identity", "image").get("digest", "")
    name = part(manifest, "locator", "image").get("name", "")
    return f"{name}@{digest}" if digest and name else str(digest)


def environment_of(label: str) -> str:
    """The environment that a kernel belongs to; empty for the usual one."""
    return label.rpartition("/")[0]


def place_options(found: list[Target], boxes: list[Boxed]) -> Iterator[str]:
    """What ``run --place`` is told: the main interpreter of each environment, and each image."""
    for name, target in main_targets(found).items():
        yield f"{name}={_PYTHON}{target.python}" if name else f"{_PYTHON}{target.python}"
    for box in boxes:
        yield f"{box.environment}=image:{box.image}" if box.environment else f"image:{box.image}"


_PYTHON = "python:"


def main_targets(found: list[Target]) -> dict[str, Target]:
    """The interpreter of each environment that ``python3`` stands for, else its first one."""
    main: dict[str, Target] = {}
    for target in found:
        for label in target.labels:
            name = environment_of(label)
            if name not in main or label.rpartition("/")[2] == DEFAULT_KERNEL:
                main[name] = target
    return main
