"""Failures of notebooks and kernels, in words: what happened, where, and what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from mlops_action.kernels.advice import advice_for, death_advice
from mlops_action.kernels.interrupt import Interrupt
from mlops_action.kernels.lines import line_in_cell
from mlops_action.records import Failure, KernelChoice, StepLimits
from mlops_action.sanitize import plain
from mlops_action.vocabulary import FailureKind

SHOWN_SOURCE = 2000
SHOWN_TRACEBACK = 6000
_CLASS = re.compile(r"^<class '([\w.]+)'>$")
"""How xeus-python names an error."""


def raised(error: Any, choice: KernelChoice) -> Failure:
    """A cell raised; ``error`` is nbclient's."""
    name, value = _CLASS.sub(r"\1", plain(str(error.ename))), plain(str(error.evalue))
    said = f"a command ended with exit code {value}" if not name and value.isdecimal() else f"{name}: {value}"
    return Failure(
        FailureKind.RAISED,
        said.strip(": \n")[:SHOWN_SOURCE],
        advice_for(name, value, f"{choice.argv[0]}{_within(choice)}"),
        traceback=plain(error.traceback or ""),
    )


def given_up(status: str) -> Failure:
    """The kernel says neither that the cell ran nor that it failed: ``abort`` when someone interrupted it."""
    said = f"the kernel did not run the cell to its end (status `{plain(status)}`)"
    return Failure(
        FailureKind.RAISED, said, "look for what interrupts the kernel: a signal that the code sends, or a tool"
    )


def left_shell() -> Failure:
    """``exit`` ended the shell that a bash kernel feeds; nobody is told with which code, and its variables are gone."""
    return Failure(
        FailureKind.RAISED,
        "the cell ended its shell (`exit`, or a failing command after `set -e`)",
        "put the commands in brackets: `(set -e; ...; exit 3)`",
    )


def left_kernel() -> Failure:
    """The last cell asked its kernel to end, and the kernel does not say with which code."""
    return Failure(
        FailureKind.RAISED,
        "the cell ended its kernel, which does not tell with which exit code",
        "leave it out: the kernel ends by itself; raise an error where the cell is to fail",
    )


def interrupted(interrupt: Interrupt) -> Failure:
    """A signal stopped the run, or its own time was over."""
    if interrupt.number:
        return Failure(FailureKind.INTERRUPTED, f"the run was interrupted ({interrupt.reason})", "start it again")
    hint = "give the run more time (`timeout:` at the top level)"
    return Failure(FailureKind.TIMED_OUT, interrupt.reason, hint)


def too_long(limits: StepLimits, *, cell_only: bool) -> Failure:
    """The time of the cell or of the step was over."""
    what, key, seconds = (
        ("cell", "cell-timeout", limits.cell_timeout_seconds)
        if cell_only
        else ("step", "timeout", limits.timeout_seconds)
    )
    hint = f"give it more time (`{key}:`), or make the work smaller"
    return Failure(FailureKind.TIMED_OUT, f"the {what} took longer than its {seconds} s", hint)


def died(how: str, printed: str) -> Failure:
    """The kernel's process ended; ``printed`` are its last words."""
    said = plain_lines(printed)[-SHOWN_TRACEBACK:]
    return Failure(FailureKind.KERNEL_DIED, f"the kernel died: {how}", death_advice(how), traceback=said)


def no_start(choice: KernelChoice, why: str, printed: str) -> Failure:
    """The kernel never answered; ``printed`` is what its process said."""
    return Failure(
        FailureKind.KERNEL_START,
        f"kernel `{choice.name}` did not start: {why}",
        f"try its command by hand{_within(choice)}: " + " ".join(choice.argv[:3]),
        traceback=plain_lines(printed)[-SHOWN_TRACEBACK:],
    )


def _within(choice: KernelChoice) -> str:
    image = choice.place.get("image")
    return f" in a container of {image}" if image else ""


def placed(failure: Failure, index: int, cell: Any, counted: int | None = None) -> Failure:
    """Say in which cell it happened, and on which line when the kernel told."""
    traceback = _traceback_of(cell)
    return replace(
        failure,
        cell=index,
        cell_id=cell.get("id", ""),
        line=line_in_cell(traceback, cell, counted),
        source=cell.source[:SHOWN_SOURCE],
        traceback=(traceback or failure.traceback).strip()[-SHOWN_TRACEBACK:],
    )


def _traceback_of(cell: Any) -> str:
    """The kernel's traceback, or empty: some kernels send none and only print."""
    for output in reversed(cell.get("outputs", [])):
        if output["output_type"] == "error":
            return plain("\n".join(output["traceback"]))
    return ""


def plain_lines(text: str) -> str:
    """Foreign text without escapes and controls, its lines kept."""
    return "\n".join(plain(line) for line in text.splitlines()).strip()
