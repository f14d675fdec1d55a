"""The Jupyter kernel of each step, and the command that starts it."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from mlops_action.facts.interface import Scene
from mlops_action.records import Fact, PlannedStep, Uncaptured

_LISTED = {"python", "r"}
_OPTION = re.compile(r"(?P<name>--?[\w-]+=)(?P<value>.*)", re.DOTALL)


class KernelSpecs:
    """Identity is the command without the places where its files happen to lie."""

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact, step by step."""
        chosen = [(step, step.kernel) for step in scene.plan.steps if step.kernel]
        foreign = {kernel.label: kernel.language for _, kernel in chosen if kernel.language.lower() not in _LISTED}
        return Fact(
            "kernels",
            identity=[
                {
                    "step": step.name,
                    "kernel": kernel.label,
                    "where": kernel.where,
                    "place": kernel.place,
                    "language": kernel.language,
                    "argv": _command(kernel.argv, scene.root),
                }
                for step, kernel in chosen
            ],
            locator=[
                {"step": step.name, "spec-dir": kernel.spec_dir, "argv": list(kernel.argv)} for step, kernel in chosen
            ],
            uncaptured=(
                *(_missing(step) for step in scene.plan.steps if step.kernel is None),
                *(
                    Uncaptured(
                        f"packages of kernel `{name}`",
                        f"only packages of Python and R are listed, not of `{language}`",
                    )
                    for name, language in sorted(foreign.items())
                ),
            ),
        )


def portable(argument: str, root: Path) -> str:
    """An argument without the place of this machine: relative to the project, else only the last part."""
    option = _OPTION.fullmatch(argument)
    if option:
        return option["name"] + portable(option["value"], root)
    for flavour in (PurePosixPath, PureWindowsPath):
        path = flavour(argument)
        if path.is_absolute():
            inside = path.is_relative_to(flavour(root))
            return path.relative_to(flavour(root)).as_posix() if inside else path.name or argument
    return argument


def _command(argv: tuple[str, ...], root: Path) -> list[str]:
    """The interpreter by its plain name, even when it is in the project's own virtual environment."""
    return [PureWindowsPath(argv[0]).name, *(portable(argument, root) for argument in argv[1:])] if argv else []


def _missing(step: PlannedStep) -> Uncaptured:
    return Uncaptured(f"kernel of step `{step.name}`", "it is not installed here")
