"""The recorded images: had again by digest, and what is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from mlops_action.canonical import Json
from mlops_action.manifests.reproduce.levels import Check, Level
from mlops_action.manifests.reproduce.targets import Boxed, Target, image_of_run
from mlops_action.manifests.reproduce.workplace import TOOL_SOURCES, Workplace, engine_command, uv_command

_LIST = (
    "import json, sys; from mlops_action.facts.distributions import distributions_on; "
    "print(json.dumps([each.identity() for each in distributions_on(json.loads(sys.argv[1]))]))"
)
_TOOL = "mlops-action"


def usable_image(place: Workplace) -> tuple[str, str]:
    """The image of the whole run as the engine here knows it, and why there is none; empty texts without one."""
    recorded = image_of_run(place.document.value)
    return _known(place, recorded) if recorded else ("", "")


def image_checks(place: Workplace, box: Boxed | None = None) -> Iterator[Check]:
    """Whether the image of an environment, or of the whole run, is known by digest and here."""
    recorded = box.image if box else image_of_run(place.document.value)
    what = f"image of environment `{box.environment or 'default'}`" if box else "image of the run"
    why = "" if recorded else f"of `{box.asked if box else 'the image'}` no digest was recorded"
    yield Check(Level.REBUILDABLE, f"the {what} is known by digest", not why, why)
    if recorded:
        _, why = _known(place, recorded)
        yield Check(Level.REBUILT, f"the {what} is the recorded one", not why, why)


def distributions_in(place: Workplace, image: str, target: Target) -> list[Json] | None:
    """The distributions of a recorded interpreter in the image; None when it is not there."""
    program, path = str(target.place.get("executable", "")), json.dumps(target.place.get("path", []))
    if not program.startswith("/"):
        return None
    code, said = place.inside(image, [program, "-B", "-c", _LIST, path], PYTHONPATH=TOOL_SOURCES)
    try:
        listed = json.loads(said.splitlines()[-1]) if code == 0 else None
    except (ValueError, IndexError):
        return None
    return listed if isinstance(listed, list) else None


def tool_in(place: Workplace, image: str) -> tuple[list[str | Path], dict[str, str], str]:
    """The command that runs steps in the image, variables for it, and why there is none."""
    code, _ = place.inside(image, ["sh", "-c", f"command -v {_TOOL}"])
    if code == 0:
        return [_TOOL], {}, ""
    own = place.folder / "tool"
    python = own / "bin" / "python"
    if not python.is_symlink():
        uv = uv_command()
        commands: list[list[str | Path]] = [
            [uv, "venv", "--quiet", "--python", ">=3.11", own],
            [uv, "pip", "install", "--quiet", "--python", python, *_needed()],
        ]
        for command in commands:
            code, said = place.inside(image, command)
            if code:
                return [], {}, f"mlops-action cannot run in the image: {said.strip()}"
    return [python, "-B", "-m", "mlops_action"], {"PYTHONPATH": TOOL_SOURCES}, ""


def _needed() -> list[str]:
    """What this tool needs besides itself."""
    try:
        return [each for each in requires(_TOOL) or () if "extra ==" not in each]
    except PackageNotFoundError:
        return []


def _known(place: Workplace, recorded: str) -> tuple[str, str]:
    """Find an image by digest, or by id where no registry gave it one; it is pulled when it is not here."""
    engine = engine_command(place.env)
    names = [recorded, recorded.partition("@")[2]] if "@" in recorded else [recorded]
    for name in names:
        if name and place.run([engine, "image", "inspect", "--format", "{{.Id}}", name], quiet=True)[0] == 0:
            return name, ""
    if "@" not in recorded:
        return "", f"no image with the id {recorded} is here, and no registry knows one by its id"
    code, said = place.run([engine, "pull", "--quiet", recorded])
    return (recorded, "") if code == 0 else ("", said.strip() or f"{engine} ended with {code}")
