"""The keys of a file of waivers, and those of a policy that are about waivers and the policy itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from mlops_action.config.keys import NUMBER_SCHEMA, key
from mlops_action.config.values import finite, positive
from mlops_action.frozen import frozen

LONGEST_WAIVER = 90


class PolicyGuard(StrEnum):
    """What happens when a change does not pass the policy of its target branch."""

    BLOCK = "block"
    WARN = "warn"
    OFF = "off"


def day(value: Any) -> str:
    """A day, ``2026-12-31``.

    Raises:
        ValueError: another notation, or no day of the calendar.
    """
    written = value if isinstance(value, str) else ""
    try:
        known = date.fromisoformat(written).isoformat()
    except ValueError:
        known = ""
    if not written or known != written:
        raise ValueError("expected a day such as `2026-12-31`")
    return written


def said(value: Any) -> str:
    """A text that says something.

    Raises:
        ValueError: it is empty, or no text.
    """
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a text that is not empty")
    return value.strip()


@frozen
class WaiverSpec:
    """A recorded, expiring permission for one gate to fail, down or up to a bound."""

    gate: str = key("Name of the gate.", "no-worse-ranking")
    reason: str = key("Why it may fail.", "The new test set is harder, see #123.", parse=said)
    approver: str = key("Who allows it.", "kari@example.org", parse=said)
    expires: str = key("Last day on which it holds (UTC).", "2026-12-31", parse=day)
    slice: str = key("The only slice that may fail; all that the gate judges by default.", "country=NO", default="")
    down_to: Decimal | None = key(
        "Lowest value that is allowed (inclusive). A waiver needs a bound on the side where its gate fails.",
        0.83,
        default=None,
        parse=finite,
        schema=NUMBER_SCHEMA,
    )
    up_to: Decimal | None = key(
        "Highest value that is allowed (inclusive).", 0.4, default=None, parse=finite, schema=NUMBER_SCHEMA
    )


@frozen
class WaiversSpec:
    """A file of waivers."""

    waivers: tuple[WaiverSpec, ...] = key("The waivers.")


def waivers_key() -> Any:
    """The key ``waivers`` of a policy."""
    return key("File of waivers: recorded, expiring permissions for gates to fail.", "waivers.yaml", default="")


def longest_waiver_key() -> Any:
    """The key ``longest-waiver`` of a policy; 0 is left out."""
    return key(
        f"Most days that a waiver may still have to run; {LONGEST_WAIVER} by default.",
        30,
        default=0,
        parse=positive,
        schema={"type": "integer", "minimum": 1},
    )


def policy_guard_key() -> Any:
    """The key ``policy-guard`` of a policy; None is left out."""
    return key(
        "For pull and merge requests, which are judged by the target branch's policy as well: `block` when they do "
        "not pass it (default), `warn`, or `off`. The target branch's own word counts.",
        "warn",
        default=None,
    )
