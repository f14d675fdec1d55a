"""Parameters of each step: where each value comes from, and which source wins.

From weak to strong: the step's ``parameters-file``, its ``parameters``, its matrix
combination, ``--parameters-file``, then ``-p`` and ``-P``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_action.config.load import Loaded, read_limited
from mlops_action.config.matrix import Combination
from mlops_action.config.sources import Settings
from mlops_action.config.values import all_finite
from mlops_action.config.yaml_source import Located, parse_yaml
from mlops_action.errors import BadValue, MlopsError, Problems, SecretMissing, UnknownName, WrongType, nearest
from mlops_action.records import PlannedParameter

_REFERENCE = re.compile(r"\$\{\{\s*steps\.(?P<step>[\w.-]+?)\.values\.(?P<value>[\w.-]+)\s*\}\}")

Named = dict[str, PlannedParameter]


@dataclass(frozen=True)
class StepRun:
    """One run of a step: the step's name, and the matrix combination that it is for."""

    step: str
    combination: Combination


@dataclass(frozen=True)
class Parameters:
    """Everything that parameters come from."""

    loaded: Loaded
    settings: Settings
    env: Mapping[str, str]

    def resolve(self, runs: Mapping[str, StepRun]) -> dict[str, tuple[PlannedParameter, ...]]:
        """The parameters of each run, by the run's name.

        Raises:
            Problems: a file that cannot be read, a parameter that no step has, a secret that is
                not set, a reference that cannot be followed, or text that is not ``NAME=VALUE``.
        """
        problems: list[MlopsError] = []
        found: dict[str, Named] = {}
        for name, run in runs.items():
            found[name] = self._configured(run, problems)
        for override in self._overrides(problems):
            problems += self._lay_over(override, found, runs)
        for name, run in runs.items():
            problems += self._unusable(name, run, found[name])
        if problems:
            raise Problems(problems)
        return {name: tuple(values.values()) for name, values in found.items()}

    def _configured(self, run: StepRun, problems: list[MlopsError]) -> Named:
        spec = self.loaded.spec.steps[run.step]
        values: Named = {}
        if spec.parameters_file:
            try:
                values |= _of_file(self.loaded.root / spec.parameters_file, spec.parameters_file)
            except MlopsError as error:
                problems.append(error)
        where = f"/steps/{run.step}"
        values |= {
            key: planned(key, value, self.loaded.origin(f"{where}/parameters/{key}"))
            for key, value in spec.parameters.items()
        }
        origin = self.loaded.origin(f"{where}/matrix")
        return values | {key: planned(key, value, origin) for key, value in run.combination.items()}

    def _overrides(self, problems: list[MlopsError]) -> Iterator[PlannedParameter]:
        """What the command line says, the weakest first; names may begin with a step's."""
        options = self.settings.options
        if options.parameters_file:
            try:
                yield from _of_file(self.loaded.root / options.parameters_file, options.parameters_file).values()
            except MlopsError as error:
                problems.append(error)
        for option, texts in (("parameters", options.parameters), ("raw_parameters", options.raw_parameters)):
            origin = self.settings.origin(option)
            for text in texts:
                try:
                    yield _of_text(text, origin, raw=option == "raw_parameters")
                except MlopsError as error:
                    problems.append(error)

    def _lay_over(
        self, given: PlannedParameter, found: dict[str, Named], runs: Mapping[str, StepRun]
    ) -> list[MlopsError]:
        """Set a value from the command line in the steps that it is for."""
        first, dot, rest = given.name.partition(".")
        for_step = [name for name, run in runs.items() if first in {name, run.step}] if dot else []
        key = rest if for_step else given.name
        targets = for_step or [name for name, values in found.items() if key in values]
        adhoc = not self.loaded.file
        if adhoc and not targets:
            targets = list(found)
        known = sorted({key for values in found.values() for key in values})
        if not targets or (not adhoc and any(key not in found[name] for name in targets)):
            return [
                UnknownName(f"no step has a parameter `{given.name}`", origin=given.origin, hint=nearest(key, known))
            ]
        for name in targets:
            found[name][key] = planned(key, given.value, given.origin)
        return []

    def _unusable(self, name: str, run: StepRun, values: Named) -> Iterator[MlopsError]:
        for each in values.values():
            if not all_finite(each.value):
                yield BadValue(
                    f"parameter `{each.name}` of step `{name}` holds a number that is not finite",
                    origin=each.origin,
                    hint="JSON has no such number, so it could not be recorded: pass a text and convert it in the code",
                )
            if each.secret and not self.env.get(each.secret):
                yield SecretMissing(
                    f"parameter `{each.name}` of step `{name}` is in the environment variable `{each.secret}`, "
                    "which is not set",
                    origin=each.origin,
                    hint="set it in the CI job, from the CI system's store of secrets",
                )
            if each.reference:
                yield from self._unfollowable(run, each)

    def _unfollowable(self, run: StepRun, parameter: PlannedParameter) -> Iterator[MlopsError]:
        step = parameter.reference.split(".values.")[0].removeprefix("steps.")
        steps = self.loaded.spec.steps
        needed = self._needed(run.step)
        if step not in steps:
            yield UnknownName(
                f"`{parameter.reference}`: there is no step `{step}`",
                origin=parameter.origin,
                hint=nearest(step, list(steps)),
            )
        elif step not in needed:
            yield BadValue(
                f"`{parameter.reference}` is not known when `{run.step}` starts",
                origin=parameter.origin,
                hint=f"add `{step}` to its `needs`",
            )
        elif steps[step].matrix.axes or steps[step].matrix.include:
            yield BadValue(
                f"`{parameter.reference}`: step `{step}` runs once for each combination, so it has no one value",
                origin=parameter.origin,
                hint="read the values of all of them from files",
            )

    def _needed(self, step: str) -> set[str]:
        found: set[str] = set()
        left = list(self.loaded.spec.steps[step].needs)
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += self.loaded.spec.steps[name].needs
        return found


def planned(name: str, value: Any, origin: str) -> PlannedParameter:
    """A parameter from its configured value: a plain one, a secret or a reference."""
    if isinstance(value, dict) and set(value) == {"secret"} and isinstance(value["secret"], str):
        return PlannedParameter(name, None, origin, secret=value["secret"])
    found = _REFERENCE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found:
        return PlannedParameter(name, None, origin, reference=f"steps.{found['step']}.values.{found['value']}")
    return PlannedParameter(name, value, origin)


def _of_file(path: Path, shown_as: str) -> Named:
    """Parameters of a YAML or JSON file (JSON is YAML).

    Raises:
        MlopsError: the file is missing, is not YAML, or holds no mapping.
    """
    located: Located = parse_yaml(read_limited(path, shown_as), shown_as)
    if not isinstance(located.data, dict):
        raise WrongType("a file of parameters holds a mapping of names to values", origin=shown_as)
    return {key: planned(key, value, located.origin(f"/{key}")) for key, value in located.data.items()}


def _of_text(text: str, origin: str, *, raw: bool) -> PlannedParameter:
    """A parameter as it is written on the command line.

    Raises:
        MlopsError: not ``NAME=VALUE``, or the value is not YAML.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise BadValue(f"`{text}` is not a parameter", origin=origin, hint="write `NAME=VALUE` or `STEP.NAME=VALUE`")
    if raw:
        return PlannedParameter(name.strip(), value, origin)
    return planned(name.strip(), parse_yaml(value, origin).data if value.strip() else "", origin)
