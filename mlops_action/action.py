"""The action's entry: ``INPUT_*`` and the runner's environment instead of a command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_action.boundary import guarded
from mlops_action.ci.detect import detect
from mlops_action.config.sources import Settings, from_inputs
from mlops_action.context import Context
from mlops_action.errors import UsageError
from mlops_action.files import hand_over
from mlops_action.imports import lighten
from mlops_action.leaving import exit_with
from mlops_action.records import Annotation, Emissions

if TYPE_CHECKING:
    from mlops_action.pipeline import Pipeline

COMMANDS = ("run", "snippet", "gate", "manifest", "plan", "merge", "comment")
"""What the inputs can be for; without one, metric files alone are judged, and anything else is run."""


def main(arguments: Sequence[str] = ()) -> int:
    """Do what the inputs describe; the exit code is returned."""
    lighten()
    context = Context.of_process()
    try:
        return guarded(lambda: done(context, *arguments[:1]), context, sys.stderr)
    finally:
        hand_over(context.cwd)  # in a container we are root in somebody else's checkout


def done(context: Context, command: str = "") -> int:
    """Do ``command`` with the inputs in the environment of ``context``.

    Raises:
        MlopsError: the inputs make no sense.
    """
    from mlops_action.comment_desk import CommentDesk
    from mlops_action.pipeline import Pipeline
    from mlops_action.snippet import Snippet

    settings = from_inputs(context.env, command)
    _say_notes(settings, context)
    folder = context.cwd / settings.options.working_directory
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {settings.options.working_directory}", origin=settings.origin("working_directory")
        )
    inside = replace(context, cwd=folder.resolve())
    if command == "comment":
        return guarded(CommentDesk(settings, inside).run, inside, sys.stderr)
    if command == "snippet" or settings.options.session:
        return guarded(Snippet(settings, inside).run, inside, sys.stderr)
    pipeline = Pipeline(settings, inside)
    return guarded(lambda: _do(pipeline, command or _meant(settings)), inside, sys.stderr)


def _say_notes(settings: Settings, context: Context) -> None:
    """Former names of inputs, where people look: as warnings of the CI system, or else in the log."""
    notes = tuple(Annotation("warning", "former name", note) for note in settings.notes)
    lines = detect(context.env).publish(Emissions(notes, "", (), ()), context, len(notes)) if notes else []
    context.out.writelines(f"{line}\n" for line in lines or [f"note: {note}" for note in settings.notes])


def _meant(settings: Settings) -> str:
    options = settings.options
    runs = options.notebooks or options.code or options.steps or options.config
    return "gate" if options.metrics and not runs else "run"


def _do(pipeline: Pipeline, command: str) -> int:
    if command == "gate":
        return pipeline.gate("")
    if command == "manifest":
        return pipeline.manifest("", "")
    if command == "merge":
        return pipeline.merge()
    return pipeline.plan() if command == "plan" else pipeline.run()


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
