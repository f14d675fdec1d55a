"""The steps run again, and what they gave compared with the record."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from mlops_action.canonical import Json
from mlops_action.config.values import Amount, amount
from mlops_action.errors import BadDocument
from mlops_action.files import write_whole
from mlops_action.formats.recorded import executed_notebooks, outputs_of, part
from mlops_action.manifests.read import read_manifest
from mlops_action.manifests.reproduce.images import tool_in, usable_image
from mlops_action.manifests.reproduce.levels import Check, Level
from mlops_action.manifests.reproduce.targets import boxed, main_targets, place_options, targets
from mlops_action.manifests.reproduce.workplace import Workplace
from mlops_action.redact import MASK

_OWN: list[str | Path] = [sys.executable, "-m", "mlops_action"]
_RAN = {0, 1, 5}
"""Exit codes of a run whose steps all ran: the gates may say what they want here."""
_TAIL = 300
LOG_FILE = "run.log"


def rerun(place: Workplace) -> Iterator[Check]:
    """Run the steps in the clone with the rebuilt environment."""
    if not part(place.document.value, "locator", "config"):
        why = "the steps were named on the command line, not in mlops.yaml"
        yield Check(Level.TOLERANCE, "the steps run to their end", ok=False, why=why)
        return
    image, why = usable_image(place)
    command, variables, lost = tool_in(place, image) if image else (_OWN, {}, why)
    if lost:
        yield Check(Level.TOLERANCE, "the steps run to their end", ok=False, why=lost)
        return
    command = [*command, "run", "--no-cache", *_where(place)]
    for name, value in _parameters(place.document.value):
        command += ["-p", f"{name}={json.dumps(value)}"]
    if image:
        code, said = place.inside(image, command, place.project, **variables)
    else:
        code, said = place.run(command, place.project)
    write_whole(place.folder / LOG_FILE, said.encode())
    tail = " ".join(said.strip()[-_TAIL:].split())
    why = (
        ""
        if code in _RAN
        else f"the run ended with {code}; {place.folder / LOG_FILE} holds what it said, at last: {tail}"
    )
    yield Check(Level.TOLERANCE, "the steps run to their end", not why, why)


def _where(place: Workplace) -> list[str | Path]:
    """Where kernels run: the plain option that every release knows, where it says enough."""
    found, boxes = targets(place), boxed(place.document.value)
    places = [each.get("where") for each in part(place.document.value, "identity", "kernels") or ()]
    if place.wishes.python or (set(main_targets(found)) == {""} and not boxes and set(places) <= {"host", "", None}):
        return ["--python", next(iter(main_targets(found).values())).python.absolute()] if found else []
    return [word for each in place_options(found, boxes) for word in ("--place", each)]


def _parameters(manifest: Json) -> Iterator[tuple[str, Json]]:
    """Recorded values, with the kinds that JSON lost; secrets come from the environment as they did."""
    for step in part(manifest, "identity", "steps") or ():
        kinds = step.get("parameter-kinds", {})
        for name, value in step["parameters"].items():
            if value != MASK:
                yield f"{step['name']}.{name}", _as(value, kinds.get(f"/{name}", ""))


def _as(value: Json, kind: str) -> Json:
    if kind == "float":
        return float(value)
    return int(value) if kind == "integer" else value


def compare(place: Workplace) -> Iterator[Check]:
    """Outputs bit for bit, metrics within the recorded tolerances."""
    folder = part(place.document.value, "locator", "output-dir") or "mlops-out"
    try:
        now = read_manifest(place.project / str(folder)).whole
    except BadDocument as error:
        yield Check(Level.TOLERANCE, "the run left a manifest", ok=False, why=str(error))
        return
    before = place.document.whole
    yield from _metrics(before, now)
    here = {each.path: each.sha256 for each in outputs_of(now)}
    for each in outputs_of(before):
        found = here.get(each.path, "nothing")
        same = found == each.sha256
        yield Check(Level.BITS, f"output `{each.path}`", same, "" if same else f"{found}, recorded {each.sha256}")
    cells = {each.path for each in executed_notebooks(before)}
    if not outputs_of(before) and not cells:
        yield Check(Level.BITS, "there is an output to compare", ok=False, why="the run wrote no declared output")


def _metrics(before: Json, now: Json) -> Iterator[Check]:
    old, new = _readings(before), _readings(now)
    tolerances = part(before, "observation", "tolerances")
    for name, value in sorted(old.items()):
        allowed = amount(tolerances[name]) if name in tolerances else Amount(absolute=Decimal(0))
        why = "" if name in new and within(value, new[name], allowed) else f"{new.get(name)}, recorded {value}"
        yield Check(Level.TOLERANCE, f"metric `{name}`", not why, why)
    if not old:
        yield Check(Level.TOLERANCE, "there is a metric to compare", ok=False, why="the run recorded none")


def _readings(manifest: Json) -> dict[str, Json]:
    readings = part(manifest, "results", "metrics") or ()
    return {each["name"] + (f" ({each['slice']})" if each.get("slice") else ""): each["value"] for each in readings}


def within(recorded: Json, found: Json, allowed: Amount) -> bool:
    """Whether a value is as near to the recorded one as is allowed; NaN is near to nothing, not even itself."""
    try:
        one, two = Decimal(str(recorded)), Decimal(str(found))
        distance = abs(one - two)
    except InvalidOperation:
        return False
    if not distance.is_finite():
        return False
    near = allowed.absolute is None or distance <= allowed.absolute
    return near and (allowed.relative is None or distance <= allowed.relative * abs(one))
