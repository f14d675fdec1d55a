"""``init``: look through the repository, write what is missing, say what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mlops_action.config.load import CONFIG_NAME
from mlops_action.context import Context
from mlops_action.errors import UsageError
from mlops_action.files import write_whole
from mlops_action.repository import Repository
from mlops_action.scaffold import TEMPLATES
from mlops_action.scaffold.files import config_text, workflow
from mlops_action.scaffold.survey import Survey, survey

_TRACES = {".gitlab-ci.yml": "gitlab", "Jenkinsfile": "jenkins", ".github": "github"}


def initialise(context: Context, system: str | None, force: bool) -> list[str]:
    """Write ``mlops.yaml`` and the workflow; lines for the user are returned.

    Raises:
        UsageError: a file is there already, and ``force`` was not given; nothing is written then.
    """
    root = context.cwd
    top = Path(Repository(root, context.env).attempt("rev-parse", "--show-toplevel") or root)
    chosen = system or next((name for trace, name in _TRACES.items() if (top / trace).exists()), "github")
    found = survey(root)
    texts = {root / CONFIG_NAME: config_text(found)}
    if chosen in TEMPLATES:
        texts[top / TEMPLATES[chosen][1]] = workflow(chosen, found.requirements, _below(root, top))
    if not force:
        _refuse_to_replace(texts, root)
    for path, text in texts.items():
        write_whole(path, text.encode())
    written = [f"wrote {_near(path, root)}" for path in texts]
    return [
        *_found_lines(found),
        *written,
        "next: `mlops-action plan` shows what would run; `mlops-action run` runs it",
    ]


def _below(root: Path, top: Path) -> str:
    """The project folder relative to the checkout, or empty."""
    return root.relative_to(top).as_posix() if root != top and root.is_relative_to(top) else ""


def _refuse_to_replace(paths: Iterable[Path], root: Path) -> None:
    there = ", ".join(_near(path, root) for path in paths if path.exists())
    if there:
        hint = "give `--force` to replace, or `--ci none` to write mlops.yaml alone"
        raise UsageError(f"there already: {there}", hint=hint)


def _found_lines(found: Survey) -> list[str]:
    count = len(found.notebooks)
    lines = [
        f"found {count} notebook{'' if count == 1 else 's'}" + (f", {found.requirements}" if found.requirements else "")
    ]
    if found.metrics_file:
        lines.append(f"found {found.metrics_file}: its values are the first limits, look them over")
    elif count:
        lines.append("found no metric file: nothing is judged yet, see the end of mlops.yaml")
    return lines


def _near(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
