"""The action's entry: ``INPUT_*`` and the runner's environment instead of a command line."""

from __future__ import annotations

import sys
from dataclasses import replace

from mlops_action.boundary import guarded
from mlops_action.config.sources import from_inputs
from mlops_action.context import Context
from mlops_action.errors import UsageError


def main() -> int:
    """Run the pipeline that the inputs describe; the exit code is returned."""
    context = Context.of_process()
    return guarded(lambda: _run(context), context, sys.stderr)


def _run(context: Context) -> int:
    from mlops_action.pipeline import Pipeline
    from mlops_action.snippet import Snippet

    settings = from_inputs(context.env)
    folder = context.cwd / settings.options.working_directory
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {settings.options.working_directory}", origin=settings.origin("working_directory")
        )
    inside = replace(context, cwd=folder.resolve())
    pipeline, options = Pipeline(settings, inside), settings.options
    if options.session:
        return guarded(Snippet(settings, inside).run, inside, sys.stderr)
    gate_only = options.metrics and not (options.notebooks or options.code or options.steps or options.config)
    return guarded(lambda: pipeline.gate("") if gate_only else pipeline.run(), inside, sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
