"""``docs/reference.md`` and ``docs/errors.md``, written from the models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from typing import Any, get_args

from mlops_action.config.model import PipelineSpec
from mlops_action.config.options import flags_of, former_names, input_name, option_fields
from mlops_action.config.outputs import COMMENT_OUTPUTS, OUTPUTS, PLAN_OUTPUTS
from mlops_action.config.policy_model import PolicySpec
from mlops_action.config.waiver_model import WaiverSpec, WaiversSpec
from mlops_action.errors import ExitCode, all_errors
from mlops_action.structure import hints_of, is_required, key_of

NOTE = "<!-- Written by `make gen`; change the models in mlops_action/, not this file. -->\n"


def reference() -> str:
    """All keys of ``mlops.yaml``, all options and inputs, all outputs."""
    lines = [NOTE, "# Reference", "", "## `mlops.yaml`", ""]
    lines += _record(PipelineSpec, "")
    lines += ["", "## Policy file", "", "`gates: gates.yaml` names a file with these keys.", ""]
    lines += _table(PolicySpec, "")
    lines += ["", "## File of waivers", "", "`waivers: waivers.yaml` names a file with these keys.", ""]
    lines += [*_table(WaiversSpec, ""), "", *_table(WaiverSpec, "waivers.N.")]
    lines += ["", "## Options and inputs", "", *_options()]
    lines += ["", "## Outputs of the action", "", "| output | what it is |", "|---|---|"]
    lines += [f"| `{name}` | {doc} |" for name, doc in OUTPUTS.items()]
    lines += [f"| `{name}` (of `plan`) | {doc} |" for name, doc in PLAN_OUTPUTS.items()]
    lines += [f"| `{name}` (of `comment`) | {doc} |" for name, doc in COMMENT_OUTPUTS.items()]
    lines += ["", "## Exit codes", "", "See [errors.md](errors.md)."]
    return "\n".join(lines) + "\n"


def _record(record: type, path: str) -> Iterator[str]:
    yield f"{(record.__doc__ or '').strip()}"
    yield ""
    yield from _table(record, path)
    for item in fields(record):
        inner = _inner_record(hints_of(record)[item.name])
        if inner is not None:
            where = path + key_of(item.name) + (".NAME" if "dict" in str(hints_of(record)[item.name]) else "")
            yield f"\n### `{where}`\n"
            yield from _record(inner, f"{where}.")


def _table(record: type, path: str) -> Iterator[str]:
    yield "| key | what it says | example |"
    yield "|---|---|---|"
    for item in fields(record):
        needed = " **Required.**" if is_required(item) else ""
        yield f"| `{path}{key_of(item.name)}` | {_cell(item.metadata['doc'])}{needed} | {_example(item)} |"


def _inner_record(hint: Any) -> type | None:
    if is_dataclass(hint) and isinstance(hint, type):
        return hint if hint.__name__.endswith("Spec") else None
    return next((found for arm in get_args(hint) if (found := _inner_record(arm)) is not None), None)


def _options() -> Iterator[str]:
    yield "| input of the action | on the command line | commands | what it says |"
    yield "|---|---|---|---|"
    for item in option_fields():
        flags = ", ".join(f"`{flag}`" for flag in flags_of(item))
        shown = flags or ("" if item.metadata.get("action_only") else f"`{item.metadata['metavar']}`")
        commands = ", ".join(f"`{name}`" for name in item.metadata["commands"])
        former = "".join(f" Formerly `{name}`." for name in former_names(item))
        yield f"| `{input_name(item)}` | {shown} | {commands} | {_cell(item.metadata['doc'])}{former} |"


def _example(item: Field[Any]) -> str:
    example = item.metadata.get("example")
    return "" if example is None else f"`{_cell(json.dumps(example) if not isinstance(example, str) else example)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def errors_page() -> str:
    """The exit codes, and every error with what it means."""
    lines = [NOTE, "# Exit codes and errors", "", "| code | name | meaning |", "|---|---|---|"]
    lines += [f"| {int(code)} | {code.name.lower().replace('_', '-')} | {code.doc} |" for code in ExitCode]
    lines += ["", "Each error names its place and says how to mend it; its slug is a heading here.", ""]
    for error in all_errors():
        if error.slug in {"", "problems"}:
            continue
        lines += [f"## {error.slug}", "", f"{(error.__doc__ or '').strip()} Exit code {int(error.exit_code)}.", ""]
    return "\n".join(lines).rstrip() + "\n"
