"""What the log says while a run goes on, and at its end."""

from __future__ import annotations

from collections.abc import Sized

from mlops_action.ci.console import Console
from mlops_action.config.values import duration_text
from mlops_action.formats.interface import Account
from mlops_action.records import Manifest, Plan, PlannedStep, RunResult, StepResult, Verdict, Verdicts
from mlops_action.sanitize import gutter_lines, inline
from mlops_action.vocabulary import Outcome, StepStatus

_ORDER = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN, Outcome.PASS)


class ProgressLog:
    """Tells a run's story, one line for each event."""

    def __init__(self, console: Console, count: int) -> None:
        """Tell of ``count`` steps on ``console``."""
        self.console = console
        self.count = count
        self.number = 0

    def started(self, step: PlannedStep) -> StepProgress:
        """Open the step's part of the log."""
        self.number += 1
        what = step.notebook or step.file or "snippet"
        kernel = step.kernel.name if step.kernel else "no kernel"
        self.console.begin(f"[{self.number}/{self.count}] {step.name}: {inline(what)} ({kernel})")
        return StepProgress(self.console)


class StepProgress:
    """Tells what happens in one step."""

    def __init__(self, console: Console) -> None:
        """Tell it on ``console``."""
        self.console = console

    def text(self, text: str) -> None:
        """Text that the notebook printed."""
        self.console.foreign(text)

    def cell(self, number: int, count: int, title: str) -> None:
        """It comes to another cell; the log of a step need not say so."""

    def note(self, line: str) -> None:
        """A line of ours in between."""
        self.console.foreign(f"{line}\n")

    def finished(self, result: StepResult) -> None:
        """Close the step's part and say how it ended, outside of it."""
        self.console.end()
        console, failure = self.console, result.failure
        cells = f", {result.cells_run} of {result.cells_total} cells" if result.cells_total > 1 else ""
        if failure is None:
            console.say(f"      {console.paint('ok', 'ok')} in {duration_text(result.seconds)}{cells}")
            return
        where = f" in cell {failure.cell} (id {inline(failure.cell_id)})" if failure.cell is not None else ""
        line = f", line {failure.line}" if failure.line else ""
        console.say(f"      {console.paint(str(result.status), 'failed')}{where}{line}: {inline(failure.message)}")
        for part in (failure.source, failure.traceback):
            if part:
                console.say(*gutter_lines(part))
        if failure.hint:
            console.say(f"      hint: {inline(failure.hint)}")


def say_plan(console: Console, plan: Plan) -> None:
    """One line on what is about to be done."""
    where = plan.config or "no mlops.yaml"
    console.say(f"{inline(where)}: {counted(plan.steps, 'step')}, {counted(plan.gates, 'gate')}")


def say_verdicts(console: Console, verdicts: Verdicts) -> None:
    """The gates, the worst first, and the verdict."""
    width = max((len(each.gate) for each in verdicts.verdicts), default=0)
    console.say("", "Gates")
    if not verdicts.verdicts:
        console.say("  none: add `gates:` to judge by, or say `--gates none` to run without judging")
    for each in sorted(verdicts.verdicts, key=lambda each: _ORDER.index(each.outcome)):
        _say_verdict(console, each, width)
    outcome = str(verdicts.outcome)
    console.say("", f"Verdict: {console.paint(outcome.upper(), outcome)}. {inline(verdicts.reason)}")


def _say_verdict(console: Console, verdict: Verdict, width: int) -> None:
    outcome = str(verdict.outcome)
    mark = console.paint(f"{outcome.upper():<12}", outcome)
    console.say(f"  {mark}  {inline(verdict.gate):<{width}}  {inline(verdict.message)}")
    if verdict.outcome is Outcome.PASS:
        return
    indent = " " * (18 + width)
    if verdict.needed:
        console.say(f"{indent}would pass: {inline(verdict.needed)}")
    if verdict.hint:
        console.say(f"{indent}hint: {inline(verdict.hint)}")
    if verdict.baseline is not None:
        console.say(f"{indent}baseline: {inline(verdict.baseline.resolved)}")
    console.say(f"{indent}rule: {inline(verdict.origin)}")


def say_end(console: Console, account: Account, folder: str) -> None:
    """Where the results are."""
    if account.verdicts is None and account.run is not None:
        console.say("", f"{_steps_line(account.run)}; nothing was judged")
    made = {"manifest.json": account.manifest, "verdicts.json": account.verdicts, "run.json": account.run}
    names = ["report.md", "junit.xml", *(name for name, record in made.items() if record is not None)]
    console.say("", f"Results in {inline(folder)}: {', '.join(names)}")
    if account.manifest is not None:
        _say_manifest(console, account.manifest)


def _say_manifest(console: Console, manifest: Manifest) -> None:
    console.say(f"Manifest {manifest.manifest_id}")
    if manifest.completeness:
        what = "; ".join(inline(each.what) for each in manifest.completeness[:4])
        more = f"; and {len(manifest.completeness) - 4} more" if len(manifest.completeness) > 4 else ""
        console.say(console.paint(f"  not captured: {what}{more} (the reasons are in the report)", "dim"))


def _steps_line(run: RunResult) -> str:
    ok = sum(step.status is StepStatus.OK for step in run.steps)
    return f"{ok} of {counted(run.steps, 'step')} ran well"


def counted(things: Sized, word: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"
