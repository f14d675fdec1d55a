"""The ``action.yml`` files, written from the options: no logic in YAML, no expression in a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field
from typing import Any

from mlops_action.config.options import COMMENT, PLAN, action_options, former_names, input_name
from mlops_action.config.outputs import COMMENT_OUTPUTS, OUTPUTS, PLAN_OUTPUTS

HEADER = "# Written by `make gen` from mlops_action/config/options.py: change it there.\n"
DESCRIPTION = "Run notebooks as CI steps, block merges that make a model worse, record how to rebuild it."

SUB_ACTIONS = {
    "run": "Run notebooks as CI steps and judge the gates.",
    "snippet": "Run a snippet in a Jupyter kernel.",
    "gate": "Judge metric files, or an earlier run, by gates.",
    "manifest": "Assemble the manifest again from the files of a run.",
    "plan": "Show what a run would do, and give its parts as a matrix.",
    "merge": "Put the parts of a run together and judge them.",
    "comment": "Keep one comment, or a check run, with the report of a run on a pull request.",
}
"""Folders of the actions that do one thing."""
_OUTPUTS = {PLAN: PLAN_OUTPUTS, COMMENT: COMMENT_OUTPUTS}


def composite_action() -> str:
    """The root action: installs the CLI beside the job's own Python, and runs it in the job."""
    return HEADER + "\n".join(_composite("", DESCRIPTION, action_options())) + "\n"


def sub_action(name: str) -> str:
    """The file ``NAME/action.yml`` of an action that does one thing."""
    return HEADER + "\n".join(_composite(name, SUB_ACTIONS[name], action_options(name))) + "\n"


def _composite(name: str, description: str, options: list[Field[Any]]) -> Iterator[str]:
    """An action whose steps run in the job; ``name`` is that of its folder, empty for the root."""
    scripts = "$GITHUB_ACTION_PATH/../composite" if name else "$GITHUB_ACTION_PATH/composite"
    yield from _head(f"mlops-action {name}".strip(), description, options)
    yield from _outputs("${{ steps.run.outputs.%s }}", _OUTPUTS.get(name, OUTPUTS))
    yield from ("runs:", "  using: composite", "  steps:", "    - name: Install mlops-action", "      shell: bash")
    yield f'      run: bash "{scripts}/install.sh"'
    yield from ("    - name: Run mlops-action", "      id: run", "      shell: bash")
    yield f'      run: bash "{scripts}/run.sh" {name}'.rstrip()
    yield "      env:"
    for own in (each for item in options for each in (input_name(item), *former_names(item))):
        yield f"        INPUT_{own.upper().replace('-', '_')}: ${{{{ inputs.{own} }}}}"


def container_action(released: str = "") -> str:
    """The container action: the same inputs, run in the image.

    Args:
        released: the image as a registry knows it, ``name:version@sha256:…``; without it the action builds the image.
    """
    lines = [
        *_head("mlops-action in its container", f"{DESCRIPTION} Linux runners only.", action_options()),
        *_outputs(None, OUTPUTS),
        "runs:",
        "  using: docker",
        f"  image: {f'docker://{released}' if released else '../Dockerfile'}",
    ]
    return HEADER + "\n".join(lines) + "\n"


def _head(name: str, description: str, options: list[Field[Any]]) -> Iterator[str]:
    yield f"name: {name}"
    yield f"description: {description}"
    yield "author: the mlops-action team"
    yield "branding:"
    yield "  icon: check-circle"
    yield "  color: blue"
    yield "inputs:"
    for item in options:
        yield f"  {input_name(item)}:"
        yield f"    description: {quoted(item.metadata['doc'] + how(item))}"
        yield "    required: false"
        yield f"    default: {quoted(item.metadata.get('input_default') or default_text(item))}"
        for former in former_names(item):
            yield f"  {former}:"
            yield f"    description: {quoted(f'Former name of `{input_name(item)}`.')}"
            yield "    required: false"
            yield f"    deprecationMessage: {quoted(f'say `{input_name(item)}`')}"
            yield '    default: ""'


def _outputs(value: str | None, known: Mapping[str, str]) -> Iterator[str]:
    yield "outputs:"
    for name, doc in known.items():
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
