"""A pipeline without ``mlops.yaml``: notebooks, a snippet and gates named by options."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count
from pathlib import Path

from mlops_action.config.load import (
    NO_GATES,
    Loaded,
    Reader,
    find_config,
    load_config,
    policy_from_text,
    read_limited,
)
from mlops_action.config.model import PipelineSpec
from mlops_action.config.sources import Settings
from mlops_action.config.step_model import StepSpec
from mlops_action.config.waivers import with_waivers
from mlops_action.errors import (
    ConfigMissing,
    FileMissing,
    MlopsError,
    Problems,
    UnknownName,
    UsageError,
    nearest,
)
from mlops_action.structure import key_of

SNIPPET = "snippet"
_NOT_IN_SESSIONS = ("steps", "notebooks", "metrics", "inputs", "outputs", "gates", "baseline", "shard", "dry_run")


def load_pipeline(settings: Settings, cwd: Path, read: Reader = read_limited) -> Loaded:
    """The configuration that the settings ask for, with their gates and baseline laid over it.

    Raises:
        ConfigMissing: nothing was named and there is no ``mlops.yaml``.
        Problems: everything that is wrong in it.
    """
    options = settings.options
    adhoc = bool(options.notebooks or options.code or options.file)
    loaded = _from_options(settings, cwd) if adhoc else _from_file(settings, cwd, read)
    return with_waivers(_with_gates(loaded, settings, read), read)


def _from_file(settings: Settings, cwd: Path, read: Reader = read_limited) -> Loaded:
    options = settings.options
    try:
        path = cwd / options.config if options.config else find_config(cwd)
    except ConfigMissing:
        if options.metrics:  # metric files and gates are enough to judge
            return Loaded(PipelineSpec(), cwd)
        raise
    relative = options.config and not Path(options.config).is_absolute()
    shown = options.config if relative else path.name  # no folder of this machine
    return load_config(path, shown, options.baseline, read)


def refuse_adhoc_options(settings: Settings) -> None:
    """Options that describe notebooks without a configuration must not be ignored with one.

    Raises:
        UsageError: such an option was given, and no notebook or code.
    """
    options = settings.options
    if options.notebooks or options.code or options.file:
        return
    for name in ("inputs", "outputs", "metrics"):
        if getattr(options, name):
            raise UsageError(
                f"`{name}` is for a pipeline without mlops.yaml, and no notebook or code is named",
                origin=settings.origin(name),
                hint=f"name `{name}` in mlops.yaml, under the step",
            )


def _with_gates(loaded: Loaded, settings: Settings, read: Reader) -> Loaded:
    """Lay the options ``gates`` and ``baseline`` over a configuration."""
    options = settings.options
    if options.gates.strip() == NO_GATES or (not options.gates and loaded.spec.gates == NO_GATES):
        return replace(loaded, gates={}, judging=False)
    baseline = options.baseline or loaded.baseline
    if options.gates:
        text, origin = options.gates, settings.origin("gates")
        if "\n" not in text and ":" not in text:
            try:
                policy = policy_from_text(read(loaded.root / text, text), text, baseline, loaded.predictions)
            except FileMissing:
                hint = (
                    "the path is relative to the project folder; or give gates as YAML: `NAME: {metric: M, min: 0.9}`"
                )
                raise FileMissing(f"there is no policy file {text}", origin=origin, hint=hint) from None
        else:
            policy = policy_from_text(text, origin, baseline, loaded.predictions)
        loaded = replace(
            loaded,
            gates=policy.gates,
            gate_origin=policy.gate_origin,
            baseline=policy.baseline,
            predictions=policy.predictions,
            conduct=policy.conduct,
        )
    return replace(loaded, baseline=options.baseline or loaded.baseline)


def _from_options(settings: Settings, cwd: Path) -> Loaded:
    options = settings.options
    if options.config:
        raise UsageError(
            "notebooks and code are for a pipeline without a configuration, and one is named",
            origin=settings.origin("config"),
            hint="leave out one of them; a configuration lists its notebooks under `steps`",
        )
    steps: dict[str, StepSpec] = {}
    problems: list[MlopsError] = []
    for pattern in options.notebooks:
        found = _matching(pattern, cwd)
        if not found:
            problems.append(
                FileMissing(f"no notebook matches `{pattern}` in {cwd}", origin=settings.origin("notebooks"))
            )
        for path in found:
            relative = path.relative_to(cwd).as_posix()
            if relative not in {step.notebook for step in steps.values()}:  # two patterns may match it
                steps[_step_name(relative, steps)] = StepSpec(notebook=relative, inputs=options.inputs)
    if problems:
        raise Problems(problems)
    if options.code or options.file:
        steps[SNIPPET] = replace(_snippet(settings, cwd, cwd), inputs=options.inputs)
    last = next(reversed(steps))
    steps[last] = replace(steps[last], outputs=options.outputs, metrics=options.metrics)
    return Loaded(
        PipelineSpec(steps=steps),
        cwd,
        origin=lambda pointer: settings.origin("code" if pointer.startswith("/steps/snippet") else "notebooks"),
    )


def load_snippet(settings: Settings, cwd: Path) -> Loaded:
    """A snippet as the only step, unjudged, in the environments of the configuration that there may be.

    Raises:
        UsageError: there is nothing to run, or an unknown environment is named.
        Problems: everything that is wrong in the configuration.
    """
    options = settings.options
    around = _around(settings, cwd)
    known = around.spec.environments
    if options.environment and options.environment not in known:
        raise UnknownName(
            f"there is no environment `{options.environment}`",
            origin=settings.origin("environment"),
            hint=nearest(options.environment, list(known)) or "name it under `environments` in mlops.yaml",
        )
    step = replace(_snippet(settings, cwd, around.root), environment=options.environment)
    spec = PipelineSpec(environment=around.spec.environment, environments=known, steps={SNIPPET: step})
    return Loaded(
        spec, around.root, origin=lambda _: settings.origin("file" if options.file else "code"), judging=False
    )


def project_folder(settings: Settings, cwd: Path) -> Path:
    """The folder of the configuration, or the working directory where there is none."""
    if settings.options.config:
        return (cwd / settings.options.config).parent
    try:
        return find_config(cwd).parent
    except ConfigMissing:
        return cwd


def _around(settings: Settings, cwd: Path) -> Loaded:
    """The configuration that a snippet runs beside; an empty one where there is none."""
    try:
        return _from_file(settings, cwd)
    except ConfigMissing:
        return Loaded(PipelineSpec(), cwd)


def _snippet(settings: Settings, cwd: Path, root: Path) -> StepSpec:
    """The step of the options ``code`` and ``file``."""
    options = settings.options
    if bool(options.code.strip()) == bool(options.file):
        said = "`code` and `file` exclude each other" if options.file else "there is no code to run"
        hint = "give `--code TEXT`, `--file FILE`, or `-` and the code on standard input"
        raise UsageError(said, origin=settings.origin("file" if options.file else "code"), hint=hint)
    path = (cwd / options.file).resolve()
    if not options.file or path.is_relative_to(root.resolve()):
        return StepSpec(code=options.code, file=path.relative_to(root.resolve()).as_posix() if options.file else "")
    try:
        return StepSpec(code=read_limited(path, options.file).decode())
    except UnicodeDecodeError:
        raise UsageError(f"{options.file} is not UTF-8 text", origin=settings.origin("file")) from None


def refuse_beside_session(settings: Settings) -> None:
    """Options of the action that a snippet in a session does not look at must not be ignored.

    Raises:
        UsageError: such an option was given.
    """
    for name in _NOT_IN_SESSIONS:
        if getattr(settings.options, name):
            raise UsageError(
                f"`{key_of(name)}` does not go together with `session`: a session runs a snippet and judges nothing",
                origin=settings.origin(name),
                hint="let the snippet write a metric file, and judge it in a step without `session`",
            )


def _matching(pattern: str, cwd: Path) -> list[Path]:
    """Files below ``cwd`` that a relative or absolute pattern matches, sorted."""
    if Path(pattern).is_absolute():
        if not Path(pattern).is_relative_to(cwd):
            return []
        pattern = str(Path(pattern).relative_to(cwd))
    if ".." in Path(pattern).parts:
        return []
    try:
        return sorted(path for path in cwd.glob(pattern) if path.is_file())
    except (ValueError, NotImplementedError):  # what pathlib takes for no pattern
        return []


def _step_name(path: str, taken: dict[str, StepSpec]) -> str:
    """``notebooks/01 train.ipynb`` becomes ``01-train``; a second one of that name gets its folder."""
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(path).stem).strip("-.") or "notebook"
    if stem in taken:
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", path).strip("-.")
    numbered = (f"{stem}-{i}" for i in count(2))
    return stem if stem not in taken else next(name for name in numbered if name not in taken)
