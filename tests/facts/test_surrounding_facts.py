"""Facts about what surrounds the run: machine, container, CI system."""

from __future__ import annotations

import io
import platform
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops_action.config.model import ManifestSpec
from mlops_action.context import Context
from mlops_action.facts.ci_run import CiRun
from mlops_action.facts.image import ImageFact
from mlops_action.facts.interface import Scene
from mlops_action.facts.platform_info import PlatformFact
from mlops_action.records import Fact, Plan
from mlops_action.redact import Redactor

DIGEST = "sha256:" + "0123456789abcdef" * 4


def scene_of(**variables: str) -> Scene:
    context = Context(variables, Path(), io.StringIO(), lambda: datetime.now(UTC))
    return Scene(context, Plan("", ".", "out", (), ()), ManifestSpec(), Redactor.from_environment(variables))


def image_of(root: Path, **variables: str) -> Fact:
    return ImageFact(root).collect(scene_of(**variables))


def test_system_and_processor_kind_identify_the_platform() -> None:
    assert PlatformFact().collect(scene_of()).identity == {
        "system": platform.system(),
        "machine": platform.machine(),
    }


def test_processor_and_memory_are_observed_in_plain_units(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor : 0\nmodel name\t: Example CPU @ 3 GHz\nmodel name\t: Other\n")
    (tmp_path / "meminfo").write_text("MemTotal:       2048 kB\nMemFree:  1 kB\n")
    seen = PlatformFact(tmp_path).collect(scene_of()).observation
    assert (seen["cpu"], seen["memory-bytes"]) == ("Example CPU @ 3 GHz", 2048 * 1024)
    assert seen["cpu-count"] >= 1


def test_what_the_machine_does_not_tell_is_null(tmp_path: Path) -> None:
    seen = PlatformFact(tmp_path).collect(scene_of()).observation
    assert (seen["cpu"], seen["memory-bytes"]) == (None, None)


def test_the_name_of_the_machine_is_not_recorded() -> None:
    observed = PlatformFact().collect(scene_of(HOSTNAME=socket.gethostname()))
    assert socket.gethostname() not in [*observed.observation.values(), *observed.identity.values()]


def test_the_digest_of_the_image_identifies_it_in_every_registry(tmp_path: Path) -> None:
    one = image_of(tmp_path, MLOPS_ACTION_IMAGE=f"images.example.org/a/b:1.0@{DIGEST}")
    two = image_of(tmp_path, MLOPS_ACTION_IMAGE=f"localhost:5000/mirror@{DIGEST}")
    assert one.identity == two.identity == {"container": True, "digest": DIGEST}
    assert one.locator == {"name": "images.example.org/a/b:1.0", "source": "MLOPS_ACTION_IMAGE"}
    assert one.uncaptured == ()


@pytest.mark.parametrize(
    "value", ["python:3.11", "python@sha256:abc", f"user:pw@reg/a@{DIGEST}", f"a@{DIGEST.upper()}", f"a@{DIGEST}\n"]
)
def test_an_image_without_a_proper_digest_is_not_believed_nor_repeated(tmp_path: Path, value: str) -> None:
    fact = image_of(tmp_path, MLOPS_ACTION_IMAGE=value)
    assert fact.identity is None
    assert value not in repr(fact)
    assert "name@sha256:" in fact.uncaptured[0].why


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
def test_a_container_without_a_given_digest_says_how_to_give_it(tmp_path: Path, mark: str) -> None:
    (tmp_path / mark).parent.mkdir(exist_ok=True)
    (tmp_path / mark).touch()
    fact = image_of(tmp_path)
    assert fact.identity == {"container": True}
    assert "MLOPS_ACTION_IMAGE" in fact.uncaptured[0].why


@pytest.mark.parametrize(
    ("groups", "inside"),
    [
        ("12:cpu:/docker/abc\n", True),
        ("0::/kubepods/burstable/pod1\n", True),
        ("0::/init.scope\n", False),
        ("0::/\n", False),
    ],
)
def test_control_groups_tell_a_container_from_a_host(tmp_path: Path, groups: str, inside: bool) -> None:
    (tmp_path / "proc/1").mkdir(parents=True)
    (tmp_path / "proc/1/cgroup").write_text(groups)
    assert image_of(tmp_path).identity == {"container": inside}


def test_a_host_is_no_container_and_misses_nothing(tmp_path: Path) -> None:
    assert image_of(tmp_path) == Fact("image", {"container": False})


def test_outside_ci_there_is_nothing_to_claim() -> None:
    assert CiRun().collect(scene_of(HOME="/root")) == Fact("ci")


SYSTEMS = {
    "github": {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_RUN_ID": "7",
        "GITHUB_ACTOR": "ada",
        "GITHUB_SHA": "abc",
        "GITHUB_REF": "refs/pull/3/merge",
        "GITHUB_HEAD_REF": "",
    },
    "gitlab": {
        "GITLAB_CI": "true",
        "CI_JOB_URL": "https://gitlab.com/a/b/-/jobs/7",
        "GITLAB_USER_LOGIN": "ada",
        "CI_COMMIT_SHA": "abc",
        "CI_COMMIT_REF_NAME": "refs/pull/3/merge",
    },
    "jenkins": {
        "JENKINS_URL": "https://ci.example.org/",
        "BUILD_URL": "https://ci.example.org/job/b/7/",
        "CHANGE_AUTHOR": "ada",
        "GIT_COMMIT": "abc",
        "BRANCH_NAME": "refs/pull/3/merge",
    },
    "azure": {
        "TF_BUILD": "True",
        "SYSTEM_COLLECTIONURI": "https://dev.example.org/team/",
        "SYSTEM_TEAMPROJECT": "b",
        "BUILD_BUILDID": "7",
        "BUILD_REQUESTEDFOR": "ada",
        "BUILD_SOURCEVERSION": "abc",
        "BUILD_SOURCEBRANCH": "refs/pull/3/merge",
    },
    "buildkite": {
        "BUILDKITE": "true",
        "BUILDKITE_BUILD_URL": "https://bk.example.org/a/b/builds/7",
        "BUILDKITE_BUILD_CREATOR": "ada",
        "BUILDKITE_COMMIT": "abc",
        "BUILDKITE_BRANCH": "refs/pull/3/merge",
    },
    "circleci": {
        "CIRCLECI": "true",
        "CIRCLE_BUILD_URL": "https://circle.example.org/gh/a/b/7",
        "CIRCLE_USERNAME": "ada",
        "CIRCLE_SHA1": "abc",
        "CIRCLE_BRANCH": "refs/pull/3/merge",
    },
    "bitbucket": {
        "BITBUCKET_BUILD_NUMBER": "7",
        "BITBUCKET_GIT_HTTP_ORIGIN": "https://bb.example.org/a/b",
        "BITBUCKET_STEP_TRIGGERER_UUID": "ada",
        "BITBUCKET_COMMIT": "abc",
        "BITBUCKET_BRANCH": "refs/pull/3/merge",
    },
}
URLS = {
    "github": "https://github.com/a/b/actions/runs/7",
    "gitlab": "https://gitlab.com/a/b/-/jobs/7",
    "jenkins": "https://ci.example.org/job/b/7/",
    "azure": "https://dev.example.org/team/b/_build/results?buildId=7",
    "buildkite": "https://bk.example.org/a/b/builds/7",
    "circleci": "https://circle.example.org/gh/a/b/7",
    "bitbucket": "https://bb.example.org/a/b/pipelines/results/7",
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_claims_of_a_ci_system_stand_with_the_variables_they_come_from(system: str) -> None:
    fact = CiRun().collect(scene_of(**SYSTEMS[system]))
    assert (fact.identity, fact.locator) == (None, None)
    assert fact.observation["system"] == system
    claims = fact.observation["claims"]
    assert set(claims) == {"run-url", "actor", "sha", "ref"}
    assert claims["run-url"]["value"] == URLS[system]
    assert [claims[key]["value"] for key in ("actor", "sha", "ref")] == ["ada", "abc", "refs/pull/3/merge"]
    for claim in claims.values():
        assert set(claim["source"].split(", ")) <= set(SYSTEMS[system])


def test_the_source_of_a_composed_claim_names_all_its_variables() -> None:
    claims = CiRun().collect(scene_of(**SYSTEMS["github"])).observation["claims"]
    assert claims["run-url"]["source"] == "GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID"


def test_a_secret_in_a_claim_is_masked() -> None:
    variables = {"JENKINS_URL": "x", "BUILD_URL": "https://me:pw123456@ci/job/", "JOB_NAME": "s3cr3t-value"}
    claims = CiRun().collect(scene_of(**variables, A_TOKEN="s3cr3t-value")).observation["claims"]
    assert claims["run-url"]["value"] == "https://ci/job/"
    assert claims["job"]["value"] == "***"
