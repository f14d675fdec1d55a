"""Find, read and check ``mlops.yaml`` and policy files; one error for each problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from mlops_action.config.gate_rules import gate_problems
from mlops_action.config.model import PipelineSpec
from mlops_action.config.place_rules import place_problems
from mlops_action.config.policy_model import GateSpec, PolicySpec
from mlops_action.config.predictions_model import PredictionsSpec
from mlops_action.config.predictions_rules import predictions_problems
from mlops_action.config.rules import step_problems
from mlops_action.config.waiver_model import LONGEST_WAIVER, PolicyGuard
from mlops_action.config.yaml_source import MAX_BYTES, Located, parse_yaml
from mlops_action.errors import (
    ConfigMissing,
    FileMissing,
    MlopsError,
    Problems,
    SpecError,
    UnknownKey,
    WrongType,
    nearest,
)
from mlops_action.frozen import frozen
from mlops_action.records import Waiver
from mlops_action.structure import LEFT_OUT, Misfit, Structurer

CONFIG_NAME = "mlops.yaml"
NO_GATES = "none"
"""In place of gates: run, but do not judge."""
R = TypeVar("R")


Reader = Callable[[Path, str], bytes]
"""Reads a file that messages call by the second argument."""


@frozen
class Conduct:
    """How a policy is kept: its file of waivers, and what changes of itself do."""

    waivers_file: str = ""
    waivers_named_at: str = ""
    longest_waiver: int = LONGEST_WAIVER
    guard: PolicyGuard | None = None


@frozen
class Loaded:
    """A checked configuration: where it lies, what it says, and where each value stands."""

    spec: PipelineSpec
    root: Path
    file: str = ""
    origin: Callable[[str], str] = field(default=lambda _: "")
    gates: dict[str, GateSpec] = field(default_factory=dict)
    gate_origin: Callable[[str], str] = field(default=lambda _: "")
    baseline: str = ""
    judging: bool = True
    predictions: dict[str, PredictionsSpec] = field(default_factory=dict)
    conduct: Conduct = field(default_factory=Conduct)
    waivers: tuple[Waiver, ...] = ()


@frozen
class Draft(Generic[R]):
    """A record as far as it could be built, and what was wrong with it.

    ``flawed`` names the steps and gates (``/steps/train``) that misfits were found in;
    what they lack is not reported a second time.
    """

    value: R | None
    located: Located
    problems: list[MlopsError]
    flawed: frozenset[str] = frozenset()


def find_config(start: Path) -> Path:
    """Look for ``mlops.yaml`` in ``start`` and upwards.

    Raises:
        ConfigMissing: there is none up to the root of the file system.
    """
    for folder in (start, *start.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder / CONFIG_NAME
    raise ConfigMissing(
        f"no {CONFIG_NAME} in {start} or above it",
        hint="write one with `mlops-action init`, name one with `--config FILE`, "
        "or run a notebook without one: `mlops-action run --notebook FILE.ipynb`",
    )


def load_config(path: Path, shown_as: str = "", baseline: str = "", read: Reader | None = None) -> Loaded:
    """Read a configuration and the policy file that it names.

    Args:
        path: the file.
        shown_as: its name in messages; the file's own name by default.
        baseline: what to compare with instead of the baseline that the file names.
        read: how to read the files; from the disk by default.

    Raises:
        Problems: everything that is wrong in it, each with its place.
    """
    file, read = shown_as or path.name, read or read_limited
    draft = draft_of(PipelineSpec, parse_yaml(read(path, file), file))
    spec, located = draft.value, draft.located
    if spec is None:
        raise Problems(draft.problems)
    if spec.version != 1:
        draft.problems.append(
            SpecError(f"this version reads format 1, not {spec.version}", origin=located.origin("/version"))
        )
    draft.problems.extend(step_problems(spec, located, draft.flawed))
    draft.problems.extend(place_problems(spec, located, draft.flawed))
    loaded = Loaded(spec=spec, root=path.parent, file=file, origin=located.origin)
    gates_in = _gates_draft(draft, spec, path, read)
    policy = gates_in.value
    gates = policy.gates if policy and isinstance(policy.gates, dict) else {}
    baseline = baseline or spec.baseline or (policy.baseline if policy else "")
    problems = [*draft.problems, *(gates_in.problems if gates_in is not draft else ())]
    problems += gate_problems(gates, baseline, gates_in.located, gates_in.flawed)
    predictions = {**spec.predictions, **(policy.predictions if policy else {})}
    problems += predictions_problems(gates, predictions, gates_in.located, gates_in.flawed)
    if problems:
        raise Problems(problems)
    loaded = _with_gates(loaded, gates, baseline, gates_in.located)
    return replace(loaded, predictions=predictions, conduct=_conduct(gates_in, draft))


def _conduct(*drafts: Draft[Any]) -> Conduct:
    """How the policy is kept: as the first of the drafts says that says it."""
    specs = [draft.value for draft in drafts if draft.value is not None]
    file, named_at = next(
        (
            (each.value.waivers, each.located.origin("/waivers"))
            for each in drafts
            if each.value is not None and each.value.waivers
        ),
        ("", ""),
    )
    longest = next((spec.longest_waiver for spec in specs if spec.longest_waiver), LONGEST_WAIVER)
    guard = next((spec.policy_guard for spec in specs if spec.policy_guard is not None), None)
    return Conduct(file, named_at, longest, guard)


def _gates_draft(draft: Draft[PipelineSpec], spec: PipelineSpec, path: Path, read: Reader) -> Draft[Any]:
    """The configuration itself, or the policy file that it names."""
    if not isinstance(spec.gates, str) or spec.gates == NO_GATES:
        return draft
    return _policy_file(path.parent / spec.gates, spec.gates, draft.located.origin("/gates"), read)


def _with_gates(loaded: Loaded, gates: dict[str, GateSpec], baseline: str, located: Located) -> Loaded:
    return replace(loaded, gates=gates, baseline=baseline, gate_origin=lambda name: located.origin(f"/gates/{name}"))


def _policy_file(path: Path, file: str, named_at: str, read: Reader) -> Draft[PolicySpec]:
    try:
        located = parse_yaml(read(path, file), file)
    except FileMissing as error:
        missing = FileMissing(error.message, origin=named_at, hint="`gates` is a mapping of gates or a policy file")
        return Draft(None, Located({}, file), [missing])
    except MlopsError as error:
        return Draft(None, Located({}, file), [error])
    return _policy_draft(located)


def _policy_draft(located: Located) -> Draft[PolicySpec]:
    draft = draft_of(PolicySpec, located)
    if draft.value is not None and not draft.value.gates and not draft.problems:
        draft.problems.append(SpecError("the policy holds no gate", origin=located.origin("/gates")))
    return draft


def policy_from_text(
    text: bytes | str, file: str, baseline: str = "", predictions: Mapping[str, PredictionsSpec] | None = None
) -> Loaded:
    """Gates given as text (an action input): a policy, or a bare mapping of gates.

    Args:
        text: the YAML text.
        file: its name in messages.
        baseline: the baseline where the policy names none.
        predictions: files of predictions that are known besides those that the policy names.

    Raises:
        Problems: everything that is wrong in it.
    """
    located = parse_yaml(text, file)
    if isinstance(located.data, dict) and "gates" not in located.data:
        places = {f"/gates{pointer}": place for pointer, place in located.places.items()}
        located = Located({"gates": located.data}, file, places)
    draft = _policy_draft(located)
    if draft.value is not None:
        baseline = draft.value.baseline or baseline
        draft.problems.extend(gate_problems(draft.value.gates, baseline, located, draft.flawed))
        known = {**(predictions or {}), **draft.value.predictions}
        draft.problems.extend(predictions_problems(draft.value.gates, known, located, draft.flawed))
    if draft.problems or draft.value is None:
        raise Problems(draft.problems)
    loaded = Loaded(PipelineSpec(), Path(), file, predictions=known, conduct=_conduct(draft))
    return _with_gates(loaded, draft.value.gates, baseline, located)


def read_limited(path: Path, shown_as: str) -> bytes:
    """Read a configuration file, but not one that is absurdly large.

    Raises:
        FileMissing: it is not there or not a file.
        SpecError: it cannot be read or is too large.
    """
    try:
        with path.open("rb") as handle:
            return handle.read(MAX_BYTES + 1)
    except (FileNotFoundError, IsADirectoryError):
        raise FileMissing(f"there is no file {shown_as}", origin=shown_as) from None
    except OSError as error:
        raise SpecError(f"cannot read {shown_as}: {error.strerror}", origin=shown_as) from error


def draft_of(record: type[R], located: Located) -> Draft[R]:
    """Build ``record`` from located data; misfits become errors with their place."""
    structurer = Structurer()
    built = structurer.read(record, located.data, "")
    flawed = {"/".join(misfit.pointer.split("/")[:3]) for misfit in structurer.misfits}
    problems = [_error_of(misfit, located) for misfit in structurer.misfits]
    return Draft(None if built is LEFT_OUT else built, located, problems, frozenset(flawed))


def _error_of(misfit: Misfit, located: Located) -> MlopsError:
    origin = located.origin(misfit.pointer)
    name: Any = misfit.pointer.strip("/").replace("/", ".")
    if misfit.unknown:
        around = misfit.pointer.rpartition("/")[0].strip("/").replace("/", ".")
        inside = f" in `{around}`" if around else ""
        return UnknownKey(
            f"unknown key `{misfit.unknown}`{inside}", origin=origin, hint=nearest(misfit.unknown, misfit.known)
        )
    return WrongType(f"`{name}`: {misfit.message}" if name else misfit.message, origin=origin)
