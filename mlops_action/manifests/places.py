"""Where a project and the results of its latest run are."""

from __future__ import annotations

from pathlib import Path

from mlops_action.config.load import find_config
from mlops_action.config.options import DEFAULT_OUTPUT_DIR
from mlops_action.errors import BadValue, ConfigMissing
from mlops_action.frozen import frozen


@frozen
class Project:
    """The project folder that a manifest's paths are relative to."""

    root: Path

    @property
    def latest(self) -> Path:
        """The folder of the latest run."""
        return self.root / DEFAULT_OUTPUT_DIR


def project_of(cwd: Path, named: str) -> Project:
    """The folder that was named, else the one with ``mlops.yaml``, else the working directory.

    Raises:
        BadValue: what was named is no folder.
    """
    if named:
        if not (cwd / named).is_dir():
            raise BadValue(f"`{named}` is no folder", origin="--root")
        return Project(cwd / named)
    try:
        return Project(find_config(cwd).parent)
    except ConfigMissing:
        return Project(cwd)
