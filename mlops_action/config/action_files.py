"""The ``action.yml`` files, written from the options: no logic in YAML, no expression in a script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field
from typing import Any

from mlops_action.config.options import OUTPUTS, input_name, option_fields

HEADER = "# Written by `make gen` from mlops_action/config/options.py: change it there.\n"
DESCRIPTION = "Run notebooks as CI steps, block merges that make a model worse, record how to rebuild it."


def composite_action() -> str:
    """The root action: installs the CLI beside the job's own Python, and runs it in the job."""
    lines = [
        *_head("mlops-action", DESCRIPTION),
        *_outputs("${{ steps.run.outputs.%s }}"),
        "runs:",
        "  using: composite",
        "  steps:",
        "    - name: Install mlops-action",
        "      shell: bash",
        '      run: bash "$GITHUB_ACTION_PATH/composite/install.sh"',
        "    - name: Run mlops-action",
        "      id: run",
        "      shell: bash",
        '      run: bash "$GITHUB_ACTION_PATH/composite/run.sh"',
        "      env:",
    ]
    for item in option_fields():
        name = input_name(item)
        lines.append(f"        INPUT_{name.upper().replace('-', '_')}: ${{{{ inputs.{name} }}}}")
    return HEADER + "\n".join(lines) + "\n"


def container_action() -> str:
    """The container action: the same inputs, run in the image."""
    lines = [
        *_head("mlops-action in its container", f"{DESCRIPTION} Linux runners only."),
        *_outputs(None),
        "runs:",
        "  using: docker",
        "  image: ../Dockerfile",
    ]
    return HEADER + "\n".join(lines) + "\n"


def _head(name: str, description: str) -> Iterator[str]:
    yield f"name: {name}"
    yield f"description: {description}"
    yield "author: the mlops-action team"
    yield "branding:"
    yield "  icon: check-circle"
    yield "  color: blue"
    yield "inputs:"
    for item in option_fields():
        yield f"  {input_name(item)}:"
        yield f"    description: {quoted(item.metadata['doc'] + how(item))}"
        yield "    required: false"
        yield f"    default: {quoted(default_text(item))}"


def _outputs(value: str | None) -> Iterator[str]:
    yield "outputs:"
    for name, doc in OUTPUTS.items():
        yield f"  {name}:"
        yield f"    description: {quoted(doc)}"
        if value is not None:
            yield f"    value: {value % name}"


def how(item: Field[Any]) -> str:
    """How several values are written in one input."""
    if item.name == "parameters":
        return " One a line, or a YAML mapping."
    return " One a line." if item.default == () else ""


def default_text(item: Field[Any]) -> str:
    """The default of an option as an action input; empty where there is none."""
    if isinstance(item.default, bool):
        return "true" if item.default else "false"
    return str(item.default) if item.default not in ((), 0, "") else ""


def quoted(text: str) -> str:
    """Text as a YAML string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
