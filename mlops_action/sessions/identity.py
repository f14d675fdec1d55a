"""Which job a session belongs to, and which CI step runs a cell."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops_action.errors import UsageError

JOB_VARIABLES = (
    "GITHUB_RUN_ID",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_JOB",
    "RUNNER_NAME",
    "CI_SERVER_URL",
    "CI_JOB_ID",
    "BUILD_TAG",
    "BUILD_URL",
    "NODE_NAME",
    "BUILDKITE_JOB_ID",
    "CIRCLE_WORKFLOW_JOB_ID",
    "SYSTEM_JOBID",
)
"""What is the same in all steps of one job, and in no other job."""
STEP_VARIABLES = ("GITHUB_ACTION", "STAGE_NAME", "CI_JOB_NAME", "BUILDKITE_LABEL", "SYSTEM_JOBDISPLAYNAME")
"""What tells the steps of a job apart."""
CLEANUP_VARIABLES = (
    "RUNNER_TRACKING_ID",
    "JENKINS_NODE_COOKIE",
    "JENKINS_SERVER_COOKIE",
    "HUDSON_SERVER_COOKIE",
    "BUILD_ID",
    "BUILD_NUMBER",
    "BUILD_TAG",
    "JOB_NAME",
    "VSTS_PROCESS_LOOKUP_ID",
)
"""By these GitHub's runner, Jenkins and Azure find the processes that a job has left behind."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


def job_of(env: Mapping[str, str]) -> str:
    """A text that is the same in all steps of a job; empty outside of CI."""
    return "\n".join(f"{name}={env[name]}" for name in JOB_VARIABLES if env.get(name))


def step_of(env: Mapping[str, str], label: str = "") -> str:
    """What the CI system calls the present step, unless ``label`` says it; may be empty."""
    return label or next((env[name] for name in STEP_VARIABLES if env.get(name)), "")


def checked_name(name: str) -> str:
    """The name of a session, which is also a file's.

    Raises:
        UsageError: it cannot be one.
    """
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f"`{name}` cannot be the name of a session",
            origin="--session",
            hint="at most 40 letters, digits, `_`, `.` and `-`, the first a letter or digit",
        )
    return name
