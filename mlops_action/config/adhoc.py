"""A pipeline without ``mlops.yaml``: notebooks, a snippet and gates named by options."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count
from pathlib import Path

from mlops_action.config.load import (
    NO_GATES,
    Loaded,
    find_config,
    load_config,
    policy_from_text,
    read_limited,
)
from mlops_action.config.model import PipelineSpec
from mlops_action.config.sources import Settings
from mlops_action.config.step_model import StepSpec
from mlops_action.errors import ConfigMissing, FileMissing, MlopsError, Problems, UsageError


def load_pipeline(settings: Settings, cwd: Path) -> Loaded:
    """The configuration that the settings ask for, with their gates and baseline laid over it.

    Raises:
        ConfigMissing: nothing was named and there is no ``mlops.yaml``.
        Problems: everything that is wrong in it.
    """
    options = settings.options
    adhoc = bool(options.notebooks or options.code)
    loaded = _from_options(settings, cwd) if adhoc else _from_file(settings, cwd)
    return _with_gates(loaded, settings)


def _from_file(settings: Settings, cwd: Path) -> Loaded:
    options = settings.options
    try:
        path = cwd / options.config if options.config else find_config(cwd)
    except ConfigMissing:
        if options.metrics:  # metric files and gates are enough to judge
            return Loaded(PipelineSpec(), cwd)
        raise
    relative = options.config and not Path(options.config).is_absolute()
    shown = options.config if relative else path.name  # no folder of this machine
    return load_config(path, shown, options.baseline)


def refuse_adhoc_options(settings: Settings) -> None:
    """Options that describe notebooks without a configuration must not be ignored with one.

    Raises:
        UsageError: such an option was given, and no notebook or code.
    """
    options = settings.options
    if options.notebooks or options.code:
        return
    for name in ("inputs", "outputs", "metrics"):
        if getattr(options, name):
            raise UsageError(
                f"`{name}` is for a pipeline without mlops.yaml, and no notebook or code is named",
                origin=settings.origin(name),
                hint=f"name `{name}` in mlops.yaml, under the step",
            )


def _with_gates(loaded: Loaded, settings: Settings) -> Loaded:
    """Lay the options ``gates`` and ``baseline`` over a configuration."""
    options = settings.options
    if options.gates.strip() == NO_GATES or (not options.gates and loaded.spec.gates == NO_GATES):
        return replace(loaded, gates={}, judging=False)
    baseline = options.baseline or loaded.baseline
    if options.gates:
        text, origin = options.gates, settings.origin("gates")
        if "\n" not in text and ":" not in text:
            try:
                policy = policy_from_text(read_limited(loaded.root / text, text), text, baseline)
            except FileMissing:
                hint = (
                    "the path is relative to the project folder; or give gates as YAML: `NAME: {metric: M, min: 0.9}`"
                )
                raise FileMissing(f"there is no policy file {text}", origin=origin, hint=hint) from None
        else:
            policy = policy_from_text(text, origin, baseline)
        loaded = replace(loaded, gates=policy.gates, gate_origin=policy.gate_origin, baseline=policy.baseline)
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
    if options.code:
        steps["snippet"] = StepSpec(code=options.code, inputs=options.inputs)
    last = next(reversed(steps))
    steps[last] = replace(steps[last], outputs=options.outputs, metrics=options.metrics)
    return Loaded(
        PipelineSpec(steps=steps),
        cwd,
        origin=lambda pointer: settings.origin("code" if pointer.startswith("/steps/snippet") else "notebooks"),
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
