"""Baselines and histories that the change itself can edit."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_action.lint.finding import Finding, Policy

_OWN = ("git:HEAD:", "git:@:")


def place_findings(policy: Policy) -> Iterator[Finding]:
    """Gates whose bar is in the change that they judge."""
    for gate in policy.rules:
        for what, locator in (("baseline", gate.baseline), ("history", gate.history)):
            own = locator.startswith(_OWN) or locator in policy.tracked
            if locator and own:
                path = locator.partition(":")[2].partition(":")[2] if locator.startswith("git:") else locator
                yield Finding(
                    f"gate `{gate.name}`: its {what} `{locator}` is part of the change, which can lower its own bar",
                    gate.origin,
                    f"write `git::{path}`: the file as it was where the change began",
                )
