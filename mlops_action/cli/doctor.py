"""``mlops-action doctor``."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from mlops_action.boundary import guarded
from mlops_action.cli.common import with_options
from mlops_action.config.sources import from_command_line
from mlops_action.context import Context
from mlops_action.errors import ExitCode
from mlops_action.redact import Redactor


@click.command("doctor")
@with_options("doctor")
@click.option("--start", is_flag=True, help="Start each kernel, and wait until it answers.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, start: bool, as_json: bool, **given: Any) -> None:
    """Show what works here and what does not.

    Every kernel, environment, container engine and tool, with what is wrong with it and how to
    mend it. Ends with 4 when something that the configuration needs is broken.
    """
    context = Context.of_process()

    def work() -> int:
        from mlops_action.diagnosis.doctor import doctor_of
        from mlops_action.diagnosis.findings import Health, document, lines

        findings = list(doctor_of(from_command_line(given), context, start=start).findings())
        text = [json.dumps(document(findings), indent=2, ensure_ascii=False)] if as_json else lines(findings)
        redactor = Redactor.from_environment(context.env)
        context.out.writelines(f"{redactor.text(line)}\n" for line in text)
        return ExitCode.ENVIRONMENT if any(each.health is Health.BROKEN for each in findings) else ExitCode.PASSED

    sys.exit(guarded(work, context, sys.stderr))
