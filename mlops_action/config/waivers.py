"""Read the file of waivers that a policy names, and check what can be checked without a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mlops_action.config.load import Loaded, Reader, draft_of, read_limited
from mlops_action.config.waiver_model import WaiverSpec, WaiversSpec
from mlops_action.config.yaml_source import Located, parse_yaml
from mlops_action.errors import BadValue, FileMissing, MlopsError, Problems, SpecError, UnknownName, nearest
from mlops_action.records import Waiver


def with_waivers(loaded: Loaded, read: Reader = read_limited) -> Loaded:
    """The configuration with the waivers of the file that its policy names.

    Raises:
        Problems: everything that is wrong in the file.
    """
    file = loaded.conduct.waivers_file
    if not file or not loaded.judging:
        return loaded
    if file.startswith("/") or ".." in file.replace("\\", "/").split("/"):
        hint = "name a file inside the folder of mlops.yaml: only there it is reviewed with the change"
        raise Problems(
            [BadValue(f"`{file}` leaves the project folder", origin=loaded.conduct.waivers_named_at, hint=hint)]
        )
    try:
        located = parse_yaml(read(loaded.root / file, file), file)
    except FileMissing as error:
        hint = "the path is relative to the project folder; without waivers, leave the key out"
        raise Problems([FileMissing(error.message, origin=loaded.conduct.waivers_named_at, hint=hint)]) from None
    except MlopsError as error:
        raise Problems([error]) from None
    draft = draft_of(WaiversSpec, located)
    specs = draft.value.waivers if draft.value is not None else ()
    problems = draft.problems or [
        problem for i in range(len(specs)) for problem in _problems(i, specs, loaded, located)
    ]
    if problems:
        raise Problems(problems)
    return replace(loaded, waivers=tuple(_planned(i, spec, located) for i, spec in enumerate(specs)))


def _problems(place: int, specs: tuple[WaiverSpec, ...], loaded: Loaded, located: Located) -> Iterator[MlopsError]:
    spec, where = specs[place], f"/waivers/{place}"
    if spec.gate not in loaded.gates:
        yield UnknownName(
            f"the waiver is for the gate `{spec.gate}`, which does not exist",
            origin=located.origin(f"{where}/gate"),
            hint=nearest(spec.gate, tuple(loaded.gates)),
        )
    elif spec.slice and loaded.gates[spec.gate].slice not in {"", spec.slice}:
        known = loaded.gates[spec.gate].slice
        yield BadValue(
            f"the waiver is for the slice `{spec.slice}`, but its gate judges `{known}`",
            origin=located.origin(f"{where}/slice"),
        )
    if spec.down_to is None and spec.up_to is None:
        yield SpecError(
            f"the waiver for `{spec.gate}` has no bound",
            origin=located.origin(where),
            hint="say how bad the value may become: `down-to: 0.83`, or `up-to: 0.4`",
        )
    if any((each.gate, each.slice) == (spec.gate, spec.slice) for each in specs[:place]):
        yield SpecError(f"there is another waiver for `{spec.gate}` above", origin=located.origin(where))


def _planned(place: int, spec: WaiverSpec, located: Located) -> Waiver:
    where = f"/waivers/{place}"
    lines = [line for pointer, (line, _) in located.places.items() if f"{pointer}/".startswith(f"{where}/")]
    return Waiver(
        gate=spec.gate,
        reason=spec.reason,
        approver=spec.approver,
        expires=spec.expires,
        origin=located.origin(where),
        slice=spec.slice,
        down_to=spec.down_to,
        up_to=spec.up_to,
        last_line=max(lines),
    )
