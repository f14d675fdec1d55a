"""Lending an image our own ipykernel: it and what it needs, read-only, behind the image's own packages."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_action.errors import KernelMissing, ToolMissing
from mlops_action.frozen import frozen
from mlops_action.records import KernelChoice

PACKAGES = "/mlops-action/packages"
"""Where our packages are mounted, in the container."""
LENT = "/mlops-action/kernel"
"""Links to those of them that ipykernel needs."""
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_NOT_NEEDED = {"debugpy"}
"""The kernel is started without it."""


@frozen
class Loan:
    """What is lent."""

    version: str
    """Of ipykernel."""
    folder: Path
    """Our packages."""
    names: tuple[str, ...]
    """Files and folders in it that are needed."""

    def links(self) -> dict[str, str]:
        """Links for the container, and where they lead."""
        return {f"{LENT}/{name}": f"{PACKAGES}/{name}" for name in self.names}


def loan_for(python: Mapping[str, Any], image: str) -> Loan:
    """What ``python`` of an image needs.

    Raises:
        KernelMissing: its Python cannot use our packages, or there is none.
        ToolMissing: there is no ipykernel beside us.
    """
    own = sysconfig.get_config_var("EXT_SUFFIX")
    if python.get("abi") != own:
        said = f"Python {python['version']} ({python['abi']})" if python else "no Python"
        ours = sysconfig.get_python_version()
        raise KernelMissing(
            f"ipykernel cannot be mounted into image `{image}`: it has {said}, and ours is for Python {ours} ({own})",
            hint="install ipykernel in the image, or run mlops-action with the same version of Python",
        )
    try:
        kernel = distribution("ipykernel")
    except PackageNotFoundError:
        raise ToolMissing(
            "`mount-kernel: ipykernel` needs ipykernel beside mlops-action, and it is not installed",
            hint='`python -m pip install "mlops-action[kernel]"`',
        ) from None
    folder = Path(str(kernel.locate_file(""))).resolve()
    names = {name for each in _closure(kernel) for name in _tops(each, folder)}
    return Loan(kernel.version, folder, tuple(sorted(names)))


def lent(python: Mapping[str, Any]) -> KernelChoice:
    """The kernel that an image without one has then."""
    return KernelChoice(
        name="python3",
        spec_dir="",
        language="python",
        argv=(python["path"], "-m", "ipykernel_launcher", "-f", "{connection_file}"),
        display_name="Python 3 (ipykernel of mlops-action)",
    )


def borrowing(argv: list[str]) -> list[str]:
    """The command of a kernel that finds what is lent, after everything of the image."""
    if argv[1:2] != ["-c"]:
        return argv
    return [*argv[:2], f"import sys\nsys.path.append({LENT!r})\n{argv[2]}", *argv[3:]]


def _closure(root: Distribution) -> Iterator[Distribution]:
    """A distribution and all that it requires here."""
    waiting, known = [root], set()
    while waiting:
        each = waiting.pop()
        name = each.metadata["Name"].lower().replace("_", "-")
        if name in known:
            continue
        known.add(name)
        yield each
        for requirement in each.requires or ():
            found = _NAME.match(requirement)
            if found and "extra ==" not in requirement and found[0].lower() not in _NOT_NEEDED:
                try:
                    waiting.append(distribution(found[0]))
                except PackageNotFoundError:
                    continue  # for another system or version


def _tops(each: Distribution, folder: Path) -> Iterator[str]:
    """Names in ``folder`` that a distribution's files are in."""
    for file in each.files or ():
        top = PurePosixPath(file).parts[0]
        if top not in {"..", "__pycache__"} and (folder / top).exists():
            yield top
