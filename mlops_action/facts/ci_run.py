"""What the CI system says of its run. These are claims of the job, not proof."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from mlops_action.digests import readable
from mlops_action.facts.interface import Scene
from mlops_action.frozen import frozen
from mlops_action.records import Fact


@frozen
class System:
    """One CI system: the variable that gives it away, and the variables of each claim."""

    name: str
    mark: str
    claims: Mapping[str, tuple[str, ...]]
    """Several variables are the parts of an address, joined by slashes."""


SYSTEMS = (
    System(
        "github",
        "GITHUB_ACTIONS",
        {
            "run-url": ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "=actions/runs", "GITHUB_RUN_ID"),
            "actor": ("GITHUB_ACTOR",),
            "event": ("GITHUB_EVENT_NAME",),
            "sha": ("GITHUB_SHA",),
            "ref": ("GITHUB_REF",),
            "attempt": ("GITHUB_RUN_ATTEMPT",),
            "job": ("GITHUB_JOB",),
            "workflow": ("GITHUB_WORKFLOW_REF",),
            "source-branch": ("GITHUB_HEAD_REF",),
            "target-branch": ("GITHUB_BASE_REF",),
        },
    ),
    System(
        "gitlab",
        "GITLAB_CI",
        {
            "run-url": ("CI_JOB_URL",),
            "actor": ("GITLAB_USER_LOGIN",),
            "event": ("CI_PIPELINE_SOURCE",),
            "sha": ("CI_COMMIT_SHA",),
            "ref": ("CI_COMMIT_REF_NAME",),
            "job": ("CI_JOB_NAME",),
            "workflow": ("CI_PIPELINE_URL",),
            "image": ("CI_JOB_IMAGE",),
            "source-branch": ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",),
            "target-branch": ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME",),
        },
    ),
    System(
        "jenkins",
        "JENKINS_URL",
        {
            "run-url": ("BUILD_URL",),
            "actor": ("CHANGE_AUTHOR",),
            "sha": ("GIT_COMMIT",),
            "ref": ("BRANCH_NAME",),
            "attempt": ("BUILD_NUMBER",),
            "job": ("JOB_NAME",),
            "source-branch": ("CHANGE_BRANCH",),
            "target-branch": ("CHANGE_TARGET",),
        },
    ),
    System(
        "azure",
        "TF_BUILD",
        {
            "run-url": (
                "SYSTEM_COLLECTIONURI",
                "SYSTEM_TEAMPROJECT",
                "=_build/results?buildId=",
                "BUILD_BUILDID",
            ),
            "actor": ("BUILD_REQUESTEDFOR",),
            "event": ("BUILD_REASON",),
            "sha": ("BUILD_SOURCEVERSION",),
            "ref": ("BUILD_SOURCEBRANCH",),
            "attempt": ("SYSTEM_JOBATTEMPT",),
            "job": ("SYSTEM_JOBNAME",),
            "workflow": ("BUILD_DEFINITIONNAME",),
            "source-branch": ("SYSTEM_PULLREQUEST_SOURCEBRANCH",),
            "target-branch": ("SYSTEM_PULLREQUEST_TARGETBRANCH",),
        },
    ),
    System(
        "buildkite",
        "BUILDKITE",
        {
            "run-url": ("BUILDKITE_BUILD_URL",),
            "actor": ("BUILDKITE_BUILD_CREATOR",),
            "event": ("BUILDKITE_SOURCE",),
            "sha": ("BUILDKITE_COMMIT",),
            "ref": ("BUILDKITE_BRANCH",),
            "attempt": ("BUILDKITE_RETRY_COUNT",),
            "job": ("BUILDKITE_LABEL",),
            "workflow": ("BUILDKITE_PIPELINE_SLUG",),
            "target-branch": ("BUILDKITE_PULL_REQUEST_BASE_BRANCH",),
        },
    ),
    System(
        "circleci",
        "CIRCLECI",
        {
            "run-url": ("CIRCLE_BUILD_URL",),
            "actor": ("CIRCLE_USERNAME",),
            "sha": ("CIRCLE_SHA1",),
            "ref": ("CIRCLE_BRANCH",),
            "job": ("CIRCLE_JOB",),
            "workflow": ("CIRCLE_WORKFLOW_ID",),
        },
    ),
    System(
        "bitbucket",
        "BITBUCKET_BUILD_NUMBER",
        {
            "run-url": ("BITBUCKET_GIT_HTTP_ORIGIN", "=pipelines/results", "BITBUCKET_BUILD_NUMBER"),
            "actor": ("BITBUCKET_STEP_TRIGGERER_UUID",),
            "sha": ("BITBUCKET_COMMIT",),
            "ref": ("BITBUCKET_BRANCH",),
            "job": ("BITBUCKET_STEP_UUID",),
            "workflow": ("BITBUCKET_PIPELINE_UUID",),
            "target-branch": ("BITBUCKET_PR_DESTINATION_BRANCH",),
        },
    ),
)


class CiRun:
    """Observation only: the same inputs are the same run in every CI system and in none."""

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact: each claim with the variables that it comes from."""
        env = scene.context.env
        system = next((each for each in SYSTEMS if env.get(each.mark)), None)
        if system is None:
            return Fact("ci")
        claims = {
            claim: {"value": scene.redactor.text(readable(_joined(parts, env))), "source": ", ".join(_variables(parts))}
            for claim, parts in system.claims.items()
            if all(env.get(name) for name in _variables(parts))
        }
        claims |= {claim: {"value": value, "source": "event"} for claim, value in _of_event(env).items()}
        return Fact("ci", observation={"system": system.name, "claims": claims})


def _of_event(env: Mapping[str, str]) -> dict[str, str]:
    """What GitHub's event file says of a pull request: its commits, which the merge commit hides."""
    try:
        event = json.loads(Path(env.get("GITHUB_EVENT_PATH", "")).read_bytes())
        pull = event["pull_request"]
        said = {"pull-request": pull["number"], "head-sha": pull["head"]["sha"], "base-sha": pull["base"]["sha"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {claim: str(value) for claim, value in said.items() if re.fullmatch(r"[0-9a-f]{1,64}", str(value))}


def _variables(parts: tuple[str, ...]) -> list[str]:
    return [part for part in parts if not part.startswith("=")]


def _joined(parts: tuple[str, ...], env: Mapping[str, str]) -> str:
    """The value of a claim; a part that starts with ``=`` stands for itself."""
    *before, last = [part[1:] if part.startswith("=") else env[part] for part in parts]
    return "".join(each if each.endswith(("/", "=")) else f"{each}/" for each in before) + last
