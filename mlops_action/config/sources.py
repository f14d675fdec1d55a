"""Where option values come from, and which source wins: default < ``INPUT_*`` < command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, field
from typing import Any

from mlops_action.config.options import RUN, Options, action_options, flags_of, former_names, input_name, option_fields
from mlops_action.config.yaml_source import parse_yaml
from mlops_action.errors import BadValue, MlopsError, Problems, UnknownInput, nearest
from mlops_action.frozen import frozen

INPUT_PREFIX = "INPUT_"


@frozen
class Settings:
    """Option values, and for each that was given, by whom."""

    options: Options = field(default_factory=Options)
    origins: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What the user should know of how they were given: names that will go."""

    def origin(self, name: str) -> str:
        """Where the value of the option ``name`` came from."""
        return self.origins.get(name, "default")


def from_command_line(given: Mapping[str, Any]) -> Settings:
    """Settings from click's values; None and empty tuples were not given.

    Raises:
        Problems: values that do not parse.
    """
    known = {item.name: item for item in option_fields()}
    values, origins, problems = {}, {}, []
    for name, value in given.items():
        if value is None or value == () or name not in known:
            continue
        origins[name] = (flags_of(known[name]) or (f"`{name}`",))[-1]
        try:
            values[name] = _parsed(known[name], value)
        except ValueError as error:
            problems.append(BadValue(str(error), origin=origins[name]))
    if problems:
        raise Problems(problems)
    return Settings(Options(**values), origins)


def from_inputs(env: Mapping[str, str], command: str = "") -> Settings:
    """Settings from the ``INPUT_*`` variables of a GitHub action; empty ones were not given.

    Args:
        env: variables of the step.
        command: what the action does; inputs of other actions are as unknown as misspelt ones.

    Raises:
        Problems: unknown inputs (a misspelt gate must not be ignored) and bad values.
    """
    known = _known(command)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    problems: list[MlopsError] = []
    notes: list[str] = []
    for variable, raw in env.items():
        if not variable.upper().startswith(INPUT_PREFIX):
            continue
        item = known.get(_variable(variable[len(INPUT_PREFIX) :]))
        if item is None:
            problems.append(_unknown(variable, command))
        elif raw.strip():
            notes += _former(item, variable)
            try:
                value = _parsed(item, _from_text(item, raw, variable))
                _refuse_other(values.get(item.name, value), value, origins.get(item.name, ""))
                values[item.name], origins[item.name] = value, variable
            except ValueError as error:
                problems.append(BadValue(f"`{input_name(item)}`: {error}", origin=variable))
            except MlopsError as error:
                problems.append(error)
    if problems:
        raise Problems(problems)
    return Settings(Options(**values), origins, tuple(notes))


def _known(command: str) -> dict[str, Field[Any]]:
    """The options of an action by the variables that may hold them."""
    options = action_options("" if command == RUN else command)
    return {_variable(name): item for item in options for name in (input_name(item), *former_names(item))}


def _unknown(variable: str, command: str) -> UnknownInput:
    given = variable[len(INPUT_PREFIX) :].lower()
    elsewhere = [item for item in option_fields() if _variable(input_name(item)) == _variable(given)]
    if elsewhere:
        commands = ", ".join(f"`{name}`" for name in elsewhere[0].metadata["commands"])
        hint = f"it is one of {commands or 'other actions'}"
        return UnknownInput(f"`{given}` is no input of `{command or RUN}`", origin=variable, hint=hint)
    names = [input_name(each) for each in action_options(command)]
    return UnknownInput(f"there is no input `{given}`", origin=variable, hint=nearest(given, names))


def _refuse_other(before: Any, value: Any, origin: str) -> None:
    """An input that is given by two names must say the same."""
    if before != value:
        raise ValueError(f"{origin} says something else")


def _former(item: Field[Any], variable: str) -> list[str]:
    """A word on a name that the input no longer has."""
    given = _variable(variable[len(INPUT_PREFIX) :])
    return [
        f"the input `{name}` is called `{input_name(item)}` now; the former name will go with the next major version"
        for name in former_names(item)
        if _variable(name) == given
    ]


def _variable(name: str) -> str:
    return INPUT_PREFIX + name.upper().replace("-", "_").replace(" ", "_")


def _from_text(item: Field[Any], raw: str, variable: str) -> Any:
    """An input's text as the option's kind: lists are lines, parameters also a YAML mapping."""
    if item.name == "parameters":
        return _parameter_lines(raw, variable)
    if item.default == ():
        return tuple(line.strip() for line in raw.splitlines() if line.strip())
    if isinstance(item.default, bool):
        if raw.strip().lower() not in {"true", "false"}:
            raise ValueError(f"expected `true` or `false`, got `{raw.strip()}`")
        return raw.strip().lower() == "true"
    return raw if item.name in {"code", "gates"} else raw.strip()


def _parameter_lines(raw: str, variable: str) -> tuple[str, ...]:
    lines = [line.strip() for line in raw.splitlines() if line.strip()]
    if all("=" in line.split(":")[0] for line in lines):
        return tuple(lines)
    located = parse_yaml(raw, variable)
    if not isinstance(located.data, dict):
        raise ValueError("expected lines `NAME=VALUE` or a YAML mapping")
    import json

    return tuple(f"{name}={json.dumps(value)}" for name, value in located.data.items())


def _parsed(item: Field[Any], value: Any) -> Any:
    parse = item.metadata.get("parse")
    return parse(value) if parse is not None else value
