"""CircleCI: a plain log; ``store_test_results`` reads ``junit.xml``, ``store_artifacts`` keeps the rest."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_action.ci.plain import PlainLog


class CircleCi(PlainLog):
    """Recognised by its own variable."""

    def present(self, env: Mapping[str, str]) -> bool:
        """Whether the runner says so."""
        return env.get("CIRCLECI") == "true"
