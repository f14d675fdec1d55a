"""The error boundary: whatever happens becomes a message for people and an exit code for CI."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from mlops_action import __version__
from mlops_action.ci.detect import detect
from mlops_action.config.options import DEFAULT_OUTPUT_DIR
from mlops_action.context import Context
from mlops_action.errors import ExitCode, MlopsError, Problems
from mlops_action.files import write_whole
from mlops_action.records import Annotation, Emissions
from mlops_action.redact import Redactor
from mlops_action.sanitize import inline
from mlops_action.vocabulary import Outcome


class Terminated(BaseException):
    """SIGTERM arrived while no step was running."""


def guarded(work: Callable[[], int], context: Context, err: TextIO) -> int:
    """Run ``work``; the process's exit code is returned, never an exception.

    Args:
        work: the command.
        context: the world that it runs in.
        err: where errors are told.
    """
    with suppress(ValueError):
        signal.signal(signal.SIGTERM, _on_sigterm)
    redactor = Redactor.from_environment(context.env)
    try:
        return int(work())
    except MlopsError as error:
        _tell(error, context, err, redactor)
        return int(error.exit_code)
    except KeyboardInterrupt:
        err.write("interrupted\n")
        return int(ExitCode.INTERRUPTED)
    except Terminated:
        err.write("terminated\n")
        return int(ExitCode.TERMINATED)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115  # the reader has gone: let the exit flush nowhere
        return int(ExitCode.ENVIRONMENT)
    except Exception as error:  # noqa: BLE001  # the last boundary: a bug must end with code 70 and a report
        err.write(redactor.text(_crash(error, context)))
        return int(ExitCode.BUG)


def _on_sigterm(*_: object) -> None:
    raise Terminated


def _tell(error: MlopsError, context: Context, err: TextIO, redactor: Redactor) -> None:
    """Each problem with its place and remedy, in the log and where the CI system shows it."""
    problems = error.problems if isinstance(error, Problems) else (error,)
    for problem in problems:
        err.write(redactor.text(f"error: {inline(str(problem))} [{problem.slug}]") + "\n")
        if problem.hint:
            err.write(redactor.text(f"  hint: {inline(problem.hint)}") + "\n")
    err.flush()
    annotations = tuple(_annotation(problem, context, redactor) for problem in problems)
    summary = redactor.text(_summary(problems))
    emissions = Emissions(annotations, summary, (("verdict", str(Outcome.INCONCLUSIVE)),), ())
    for line in detect(context.env).publish(emissions, context, 10):
        context.out.write(line + "\n")
    context.out.flush()


def _summary(problems: Sequence[MlopsError]) -> str:
    from mlops_action.formats.markdown_text import escaped

    lines = ["# ❌ mlops-action could not run", ""]
    for each in problems:
        hint = f"  \n  {escaped(each.hint)}" if each.hint else ""
        lines.append(f"- **{each.slug}** {escaped(str(each))}{hint}")
    return "\n".join(lines) + "\n"


def _annotation(problem: MlopsError, context: Context, redactor: Redactor) -> Annotation:
    path, _, rest = problem.origin.partition(":")
    line = rest.partition(":")[0]
    placed = line.isdigit()
    message = problem.message if placed or not problem.origin else f"{problem.origin}: {problem.message}"
    text = f"{message}\n{problem.hint}" if problem.hint else message
    if not placed:
        return Annotation("error", problem.slug, redactor.text(text))
    return Annotation("error", problem.slug, redactor.text(text), _in_checkout(path, context), int(line))


def _in_checkout(path: str, context: Context) -> str:
    """A path as GitHub knows it: relative to the checkout, wherever we work in it."""
    places = (folder / path for folder in (context.cwd, *context.cwd.parents))  # the project may be above us
    workspace = context.env.get("GITHUB_WORKSPACE", "")
    whole = next((place for place in places if place.exists()), context.cwd / path)
    return whole.relative_to(workspace).as_posix() if workspace and whole.is_relative_to(workspace) else path


def _crash(error: Exception, context: Context) -> str:
    """Write a crash report beside the results, and say where it is."""
    import platform  # only for a bug

    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    report = "".join(
        (
            f"mlops-action {__version__}, Python {platform.python_version()}, {system}\n\n",
            *traceback.format_exception(error),
        )
    )
    path = context.cwd / DEFAULT_OUTPUT_DIR / "crash-report.txt"
    said = f"error: a bug of mlops-action: {type(error).__name__}: {inline(str(error))}\n"
    try:
        write_whole(path, Redactor.from_environment(context.env).text(report).encode())
    except MlopsError:
        return said + report
    return said + f"  the report is in {_near(path, context.cwd)}; please open an issue with it\n"


def _near(path: Path, cwd: Path) -> str:
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)
