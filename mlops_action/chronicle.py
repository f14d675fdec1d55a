"""Adds a run to a history file; the same run is added once."""

from __future__ import annotations

from pathlib import Path

from mlops_action.codec import load_document
from mlops_action.context import Context
from mlops_action.errors import EnvironmentProblem, ExitCode, NothingToJudge
from mlops_action.files import write_whole
from mlops_action.metrics.files import limited_bytes
from mlops_action.metrics.history import MAX_BYTES, history_line, read_history
from mlops_action.records import RunResult, Verdicts
from mlops_action.repository import Repository
from mlops_action.vocabulary import RUN_SCHEMA, VERDICTS_SCHEMA, Outcome

VERDICTS_FILE = "verdicts.json"


def add_to_history(context: Context, history_file: str, run_file: str, *, any_outcome: bool) -> ExitCode:
    """Append the readings of a run to a history.

    Raises:
        BadDocument: the run or its verdicts cannot be read.
        NothingToJudge: its gates did not pass, or it measured nothing.
        MetricUnreadable: the file that is there is no history.
        WriteFailed: the file cannot be written.
    """
    run = load_document(RunResult, context.cwd / run_file, RUN_SCHEMA)
    outcome = _outcome((context.cwd / run_file).parent / VERDICTS_FILE, any_outcome=any_outcome)
    readings = [reading for step in run.steps for reading in step.readings]
    commit = Repository(context.cwd, context.env).attempt("rev-parse", "--verify", "--quiet", "HEAD")
    line = history_line(run.finished, commit, outcome, readings)
    [added] = read_history(line, history_file)
    if not added.readings:
        raise NothingToJudge("the run measured nothing that a history could keep", origin=run_file)
    path = context.cwd / history_file
    before = _before(path, history_file)
    known = read_history(before, history_file)
    if any((each.time, each.commit) == (added.time, added.commit) for each in known):
        context.out.write(f"{history_file} has this run already ({len(known)} runs)\n")
        return ExitCode.PASSED
    gap = b"" if not before or before.endswith(b"\n") else b"\n"
    write_whole(path, before + gap + line)
    context.out.write(f"Added {len(added.readings)} metrics to {history_file} ({len(known) + 1} runs)\n")
    return ExitCode.PASSED


def _outcome(path: Path, *, any_outcome: bool) -> str:
    if any_outcome and not path.is_file():
        return ""
    outcome = load_document(Verdicts, path, VERDICTS_SCHEMA).outcome
    if outcome not in {Outcome.PASS, Outcome.WARN} and not any_outcome:
        raise NothingToJudge(
            f"the run's verdict is `{outcome}`: a history holds what was accepted",
            origin=path.name,
            hint="add it all the same with `--any-outcome`",
        )
    return str(outcome)


def _before(path: Path, shown_as: str) -> bytes:
    try:
        return limited_bytes(path, MAX_BYTES)
    except FileNotFoundError:
        return b""
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(f"{shown_as} cannot be read: {error}", origin=shown_as) from error
