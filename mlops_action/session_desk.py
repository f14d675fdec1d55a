"""What ``mlops-action session`` does: list, stop and export the sessions of a project in a job."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_action.config.adhoc import project_folder
from mlops_action.config.sources import Settings
from mlops_action.config.values import duration_text
from mlops_action.context import Context
from mlops_action.errors import MlopsError, Problems, UsageError
from mlops_action.frozen import frozen
from mlops_action.redact import Redactor
from mlops_action.sanitize import inline
from mlops_action.sessions.found import find_all, keep, named, path_near, stop
from mlops_action.sessions.shelf import Shelf
from mlops_action.stores.folder import FolderStore


@frozen
class SessionDesk:
    """The sessions of one project in one job."""

    settings: Settings
    context: Context

    @cached_property
    def root(self) -> Path:
        """The project folder."""
        return project_folder(self.settings, self.context.cwd)

    @cached_property
    def shelf(self) -> Shelf:
        """Where they are."""
        return Shelf.of(self.root, self.context.env)

    def sessions(self) -> Sequence[dict[str, Any]]:
        """The sessions, by name."""
        return [found.told(self.context.now()) for found in find_all(self.shelf)]

    def table(self) -> list[str]:
        """The sessions as lines for people."""
        rows = [("name", "kernel", "state", "age", "idle", "cells")]
        for each in self.sessions():
            state = each["state"] + (f": {each['how']}" if each["how"] else "")
            age, idle = (duration_text(each[key]) for key in ("age-seconds", "idle-seconds"))
            rows.append((each["name"], inline(each["kernel"]), inline(state), age, idle, str(each["cells"])))
        if len(rows) == 1:
            return ["there is no session in this job"]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

    def stop(self, names: Sequence[str], *, everything: bool) -> list[str]:
        """End sessions, and say where their notebooks are.

        Raises:
            UsageError: it is not clear which.
            UnknownName: there is none of that name.
            Problems: some could not be ended, or their notebooks not be kept.
        """
        if bool(names) == everything:
            raise UsageError("which session?", hint="name it, or give `--all`")
        chosen = find_all(self.shelf) if everything else [named(self.shelf, name) for name in names]
        said, problems = [], []
        for found in chosen:
            root = Path(found.record.root)
            output_dir, secrets = self.settings.options.output_dir, Redactor.from_environment(self.context.env)
            try:
                kept = stop(found, FolderStore(root if root.is_dir() else self.root, output_dir, secrets))
            except MlopsError as error:
                problems.append(error)
                continue
            where = f"; its notebook is {inline(path_near(kept, self.root.resolve()))}" if kept else ""
            how = f" (it had ended before: {inline(found.how)})" if found.how else ""
            said.append(f"session {found.name} is stopped{how}{where}")
        if problems:
            raise Problems(problems)
        return said or ["there is no session in this job"]

    def export(self, name: str, path: Path) -> list[str]:
        """Write a session's notebook.

        Raises:
            UnknownName: there is no such session.
            WriteFailed: no space or no permission.
        """
        found = named(self.shelf, name)
        store = FolderStore(self.context.cwd, ".", Redactor.from_environment(self.context.env))
        return [f"Wrote {inline(path_near(keep(found, store, str(path)), self.context.cwd))}"]
