"""Writes all generated files: ``python -m mlops_action.generated [--check]``."""

from __future__ import annotations

import sys
from pathlib import Path

from mlops_action.canonical import pretty_bytes
from mlops_action.config.action_files import SUB_ACTIONS, composite_action, container_action, sub_action
from mlops_action.config.generate import schema_of
from mlops_action.config.gitlab_files import COMPONENTS, component
from mlops_action.config.model import PipelineSpec
from mlops_action.config.policy_model import PolicySpec
from mlops_action.config.reference import errors_page, reference
from mlops_action.config.waiver_model import WaiversSpec
from mlops_action.records import Manifest, Plan, RunResult, Verdicts
from mlops_action.scaffold import EXAMPLES
from mlops_action.scaffold.files import workflow

SCHEMAS = {
    "mlops.schema.json": (PipelineSpec, "mlops.yaml"),
    "policy.schema.json": (PolicySpec, "policy file of mlops-action"),
    "waivers.schema.json": (WaiversSpec, "file of waivers of mlops-action"),
    "plan.schema.json": (Plan, "plan of mlops-action"),
    "run.schema.json": (RunResult, "run.json of mlops-action"),
    "verdicts.schema.json": (Verdicts, "verdicts.json of mlops-action"),
    "manifest.schema.json": (Manifest, "manifest.json of mlops-action"),
}


RELEASED = Path("container", "image")
"""Written by a release, on its own commit: the image that the container action runs."""


def generated_files(root: Path = Path()) -> dict[str, bytes]:
    """Every generated file by its path in the repository at ``root``."""
    released = (root / RELEASED).read_text().strip() if (root / RELEASED).is_file() else ""
    files = {f"schemas/{name}": pretty_bytes(schema_of(record, title)) for name, (record, title) in SCHEMAS.items()}
    texts = {
        "action.yml": composite_action(),
        "container/action.yml": container_action(released),
        **{f"{name}/action.yml": sub_action(name) for name in SUB_ACTIONS},
        **{f"templates/{name}.yml": component(name) for name in COMPONENTS},
        "docs/reference.md": reference(),
        "docs/errors.md": errors_page(),
    }
    texts |= {f"workflows-examples/{name}": workflow(system) for system, name in EXAMPLES.items()}
    return files | {path: text.encode() for path, text in texts.items()}


def drifted(root: Path) -> list[str]:
    """Paths whose file differs from what would be written."""
    return [
        path
        for path, data in generated_files(root).items()
        if not (root / path).is_file() or (root / path).read_bytes() != data
    ]


def main(arguments: list[str]) -> int:
    """Write the files below the working directory, or with ``--check`` say which differ."""
    if arguments == ["--check"]:
        changed = drifted(Path())
        sys.stdout.writelines(f"{path} is out of date: run `make gen`\n" for path in changed)
        return 1 if changed else 0
    for path, data in generated_files().items():
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
