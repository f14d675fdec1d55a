"""The CI/CD components of GitLab, written from the options: values reach the CLI as variables, never as shell text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field
from typing import Any

from mlops_action import __version__
from mlops_action.config.action_files import default_text, how, quoted
from mlops_action.config.options import GATE, MANIFEST, RUN, input_name, option_fields

HEADER = "# Written by `make gen` from mlops_action/config/options.py: change it there.\n"
NOT_HERE = {"summary", "annotations", "working_directory", "parts"}
"""Options of GitHub's job page; folders are chosen by `before-script`."""
COMPONENTS = {"run": RUN, "gate": GATE, "manifest": MANIFEST}
"""Commands of the components by name."""
REPORTS = {
    "junit": "junit.xml",
    "metrics": "metrics.txt",
    "codequality": "codequality.json",
    "dotenv": "verdict.env",
    "annotations": "gitlab-annotations.json",
}


def component(name: str) -> str:
    """The file ``templates/NAME.yml`` of the component."""
    options = [item for item in option_fields() if _is_for(item, COMPONENTS[name])]
    lines = ["spec:", "  inputs:", *_job_inputs(name), *(line for item in options for line in _input(item))]
    lines += ["---", '"$[[ inputs.job-name ]]":', "  stage: $[[ inputs.stage ]]", "  image: $[[ inputs.image ]]"]
    lines += ["  variables:", '    GIT_DEPTH: "0" # baselines are read from the commit that the branch started from']
    for item in options:
        written = input_name(item)
        lines.append(f"    INPUT_{written.upper().replace('-', '_')}:")
        lines += [f"      value: $[[ inputs.{written} ]]", "      expand: false"]
    lines += ["  before_script:", "    - $[[ inputs.before-script ]]"]
    lines += ["  script:", f"    - mlops-action inputs {name}", *_artifacts(reports=name != "manifest")]
    return HEADER + "\n".join(lines) + "\n"


def _is_for(item: Field[Any], command: str) -> bool:
    return command in item.metadata["commands"] and item.name not in NOT_HERE


def _job_inputs(name: str) -> Iterator[str]:
    inputs = {
        "job-name": ("Name of the job.", f"mlops-{name}"),
        "stage": ("Stage of the job.", "test"),
        "image": ("Image with mlops-action and the kernels.", f"mlops-action/mlops-action:{__version__}"),
        "before-script": ("Command that installs what the notebooks need: `pip install -r requirements.txt`.", "true"),
    }
    for key, (doc, default) in inputs.items():
        yield from (f"    {key}:", f"      description: {quoted(doc)}", f"      default: {quoted(default)}")


def _input(item: Field[Any]) -> Iterator[str]:
    yield f"    {input_name(item)}:"
    yield f"      description: {quoted(item.metadata['doc'] + how(item))}"
    yield f"      default: {quoted(default_text(item))}"


def _artifacts(*, reports: bool) -> Iterator[str]:
    yield from ("  artifacts:", "    when: always", "    paths:", "      - $[[ inputs.output-dir ]]/")
    if reports:
        yield "    reports:"
        for kind, file in REPORTS.items():
            yield f"      {kind}: $[[ inputs.output-dir ]]/{file}"
