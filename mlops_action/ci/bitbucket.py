"""Bitbucket Pipelines: a plain log; it finds JUnit files in folders named ``test-results``."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_action.ci.plain import PlainLog


class Bitbucket(PlainLog):
    """Knows where the checkout is."""

    def present(self, env: Mapping[str, str]) -> bool:
        """Whether the runner says so."""
        return "BITBUCKET_BUILD_NUMBER" in env

    def workspace(self, env: Mapping[str, str]) -> str:
        """The clone."""
        return env.get("BITBUCKET_CLONE_DIR", "")
