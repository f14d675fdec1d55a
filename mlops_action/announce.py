"""What the log says before a run, and at its end."""

from __future__ import annotations

from collections.abc import Sized

from mlops_action.ci.console import Console
from mlops_action.formats.interface import Account
from mlops_action.formats.verdict_text import details
from mlops_action.records import Manifest, Plan, RunResult, Verdict, Verdicts
from mlops_action.sanitize import inline
from mlops_action.vocabulary import Outcome, StepStatus

_ORDER = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN, Outcome.INFO, Outcome.PASS)


def say_plan(console: Console, plan: Plan) -> None:
    """One line on what is about to be done."""
    where = inline(plan.config or "no mlops.yaml")
    if not plan.shard:
        console.say(f"{where}: {counted(plan.steps, 'step')}, {counted(plan.gates, 'gate')}")
        return
    part = f"{len(plan.steps)} of {counted(plan.shard_steps, 'step')}"
    console.say(f"{where}: part {plan.shard}, {part}; the gates are judged by `mlops-action merge`")
    if not plan.steps:
        console.say("  this part is empty: there are fewer independent chains of steps than parts")


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
    indent = " " * (18 + width)
    if verdict.outcome is Outcome.PASS:
        for line in details(verdict, parts=False):
            console.say(f"{indent}{inline(line)}")
        return
    if verdict.needed:
        console.say(f"{indent}would pass: {inline(verdict.needed)}")
    for line in details(verdict):
        console.say(f"{indent}{inline(line)}")
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
    names = ["report.html", "report.md", "junit.xml", *(name for name, record in made.items() if record is not None)]
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
