"""Jenkins: a plain log; it reads ``junit.xml`` and the reports from the archived output folder."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_action.ci.plain import PlainLog


class Jenkins(PlainLog):
    """Knows where the checkout is."""

    def present(self, env: Mapping[str, str]) -> bool:
        """Whether the controller says so."""
        return bool(env.get("JENKINS_URL") or (env.get("BUILD_TAG", "").startswith("jenkins-") and "WORKSPACE" in env))

    def workspace(self, env: Mapping[str, str]) -> str:
        """The job's checkout."""
        return env.get("WORKSPACE", "")
