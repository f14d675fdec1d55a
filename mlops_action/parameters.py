"""Parameters of each step: where each value comes from, and which source wins.

From weak to strong: the step's ``parameters-file``, its ``parameters``, its matrix
combination, ``--parameters-file``, then ``-p`` and ``-P``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from mlops_action.config.load import Loaded, read_limited
from mlops_action.config.matrix import Combination
from mlops_action.config.sources import Settings
from mlops_action.config.step_model import UnknownParameters
from mlops_action.config.values import all_finite
from mlops_action.config.yaml_source import Located, parse_yaml
from mlops_action.errors import BadValue, MlopsError, Problems, SecretMissing, UnknownName, WrongType, nearest
from mlops_action.frozen import frozen
from mlops_action.notebooks.declared import parameter_problems
from mlops_action.records import PlannedParameter
from mlops_action.signatures import Signature

_REFERENCE = re.compile(r"\$\{\{\s*steps\.(?P<step>[\w.-]+?)\.values\.(?P<value>[\w.-]+)\s*\}\}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Named = dict[str, PlannedParameter]


@frozen
class StepRun:
    """One run of a step: the step's name, and the matrix combination that it is for."""

    step: str
    combination: Combination


@frozen
class Parameters:
    """Everything that parameters come from."""

    loaded: Loaded
    settings: Settings
    env: Mapping[str, str]
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    """What the notebook of each step declares."""

    def resolve(self, runs: Mapping[str, StepRun]) -> dict[str, tuple[PlannedParameter, ...]]:
        """The parameters of each run, by the run's name.

        Raises:
            Problems: a file that cannot be read, a parameter that no step has, a secret that is
                not set, a reference that cannot be followed, text that is not ``NAME=VALUE``, or what the
                notebook does not declare, or declares with another type.
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
            told = {(type(each), each.message, each.origin): each for each in problems}  # runs of a matrix share most
            raise Problems(list(told.values()))
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
        given = [(key, value, f"{where}/parameters/{key}") for key, value in spec.parameters.items()]
        given += [(key, value, f"{where}/matrix/{key}") for key, value in run.combination.items()]
        for key, value, pointer in given:
            try:
                values[key] = planned(key, value, self.loaded.origin(pointer))
            except MlopsError as error:
                problems.append(error)
        return values

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
        has = {name: set(values) | self._declared(runs[name].step) for name, values in found.items()}
        targets = for_step or self._takers(key, has, runs)
        adhoc = not self.loaded.file
        if not targets or (not adhoc and any(key not in has[name] for name in targets)):
            known = sorted(set().union(*has.values()))
            said = f"no step has a parameter `{given.name}`"
            return [UnknownName(said, origin=given.origin, hint=nearest(key, known))]
        for name in targets:
            found[name][key] = replace(given, name=key)
        return []

    def _takers(self, key: str, has: Mapping[str, set[str]], runs: Mapping[str, StepRun]) -> list[str]:
        """The runs that a value without a step's name is for: those that have it.

        Without a configuration it is for those of which nobody knows what they have.
        """
        takers = [name for name, names in has.items() if key in names]
        if takers or self.loaded.file:
            return takers
        return [name for name in has if self.signatures.get(runs[name].step) is None] or list(has)

    def _declared(self, step: str) -> set[str]:
        return {each.name for each in self.signatures.get(step) or ()}

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
        spec, signature = self.loaded.spec.steps[run.step], self.signatures.get(run.step)
        if signature is not None and spec.unknown_parameters is UnknownParameters.REFUSE:
            yield from parameter_problems(values.values(), signature, spec.notebook)

    def _unfollowable(self, run: StepRun, parameter: PlannedParameter) -> Iterator[MlopsError]:
        step = parameter.reference.removeprefix("steps.").partition(".values.")[0]
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
    """A parameter from its configured value: a plain one, a secret or a reference.

    Raises:
        BadValue: a secret or reference that is not written as one, or within another value.
    """
    if isinstance(value, dict) and set(value) == {"secret"}:
        if not isinstance(value["secret"], str) or not _VARIABLE.fullmatch(value["secret"]):
            raise BadValue(
                f"parameter `{name}`: `secret` is the name of an environment variable",
                origin=origin,
                hint="write `{secret: MY_API_KEY}`",
            )
        return PlannedParameter(name, None, origin, secret=value["secret"])
    found = _REFERENCE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found:
        return PlannedParameter(name, None, origin, reference=f"steps.{found['step']}.values.{found['value']}")
    if _holds_more(value, inside=False):
        raise BadValue(
            f"parameter `{name}` holds a secret or reference that would not be replaced",
            origin=origin,
            hint="they stand alone as a parameter's value: `{secret: NAME}` or `${{ steps.STEP.values.NAME }}`; "
            f"pass a text that only looks like one with `-P {name}=TEXT`",
        )
    return PlannedParameter(name, value, origin)


def _holds_more(value: Any, *, inside: bool) -> bool:
    """Whether there is a secret or a reference somewhere within a value."""
    if isinstance(value, str):
        return "${{" in value
    if isinstance(value, dict):
        secret = inside and set(value) == {"secret"}
        return secret or any(_holds_more(each, inside=True) for each in value.values())
    return isinstance(value, list) and any(_holds_more(each, inside=True) for each in value)


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
