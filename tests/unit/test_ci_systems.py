"""What holds for every CI system: our own commands reach it, and no other."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from acceptance import github_runner
from ci_stories import ATTACK, STORIES, steady, told

from mlops_action.ci import CI_SYSTEMS
from mlops_action.ci.azure import Azure
from mlops_action.ci.console import Console
from mlops_action.ci.detect import detect
from mlops_action.ci.gitlab import GitLab
from mlops_action.ci.interface import CiSystem
from mlops_action.ci.tekton import Tekton
from mlops_action.redact import Redactor
from mlops_action.registry import load

GOLDENS = Path(__file__).parent / "goldens" / "ci"
MARKS = {
    "github": {"GITHUB_ACTIONS": "true"},
    "gitlab": {"GITLAB_CI": "true"},
    "jenkins": {"JENKINS_URL": "https://jenkins.example.org/"},
    "azure": {"TF_BUILD": "True"},
    "buildkite": {"BUILDKITE": "true"},
    "circleci": {"CIRCLECI": "true"},
    "bitbucket": {"BITBUCKET_BUILD_NUMBER": "3"},
    "tekton": {"TEKTON_RESULTS": "/tekton/results"},
    "generic": {},
}
"""The variables by which each system is known."""
OWN = {
    "github": r"::(group|endgroup|stop-commands|error|warning|[0-9a-f]{32})\b",
    "gitlab": r"section_(start|end):",
    "azure": r"##\[(group|endgroup)\]|##vso\[task\.(logissue|setvariable|uploadsummary)",
    "buildkite": r"^--- ",
}
"""The commands that we give ourselves."""
ANY_COMMAND = re.compile(
    r"^\s*::|##\[(?!\s)|##vso\[|##teamcity\[|section_(?:start|end):|^(?:---|\+\+\+|~~~|\^\^\^) ", re.IGNORECASE
)


def system(name: str) -> CiSystem:
    made: CiSystem = load(CI_SYSTEMS[name])()
    return made


@pytest.mark.parametrize("name", CI_SYSTEMS)
def test_each_system_is_known_by_its_own_variables(name: str) -> None:
    assert MARKS[name].keys() is not None, "a new system must say how it is known"
    assert type(detect(MARKS[name])) is type(system(name))


@pytest.mark.parametrize("name", CI_SYSTEMS)
def test_the_log_of_each_story_is_the_golden_one(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = ""
    for story in STORIES:
        folder = tmp_path / story.replace(" ", "-")
        folder.mkdir()
        (folder / "results").mkdir()
        env = {"TEKTON_RESULTS": str(folder / "results"), "PATH": str(folder)}
        text += f"==== {story}\n{steady(told(system(name), story, folder, env), folder)}\n"
    golden = GOLDENS / f"{name}.txt"
    if request.config.getoption("--write-goldens"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("name", CI_SYSTEMS)
@pytest.mark.parametrize("story", STORIES)
def test_no_line_of_a_notebook_is_a_command_of_any_system(name: str, story: str, tmp_path: Path) -> None:
    own = re.compile(OWN.get(name, r"(?!)"))
    for line in re.split(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]", told(system(name), story, tmp_path)):
        plain = line.replace("\x1b[0K", "")
        assert not ANY_COMMAND.search(plain) or own.match(plain), line


@pytest.mark.parametrize("name", sorted(set(CI_SYSTEMS) - {"github", "azure"}))
def test_the_hostile_log_means_nothing_to_github_s_runner_either(name: str, tmp_path: Path) -> None:
    text = told(system(name), "hostile notebook", tmp_path)
    assert github_runner.processed(re.split(r"\r\n|\r|\n", text)) == []


def test_every_attack_of_the_hostile_story_is_a_command_when_it_is_not_made_harmless() -> None:
    found = github_runner.processed(re.split(r"\r\n|\r|\n|\u2028", ATTACK))
    assert {"error", "set-output", "group"} <= {command for command, _, _ in found}


def test_azure_gets_the_verdict_as_an_output_variable(tmp_path: Path) -> None:
    text = told(Azure(), "all green", tmp_path)
    assert "##vso[task.setvariable variable=verdict;isOutput=true]pass" in text.splitlines()


def test_gitlab_gets_links_to_the_reports_of_the_job(tmp_path: Path) -> None:
    told(GitLab(), "all green", tmp_path)
    links = json.loads((tmp_path / "mlops-out" / "gitlab-annotations.json").read_text())
    [report, manifest] = [each["external_link"] for each in links["mlops-action"]]
    assert report == {
        "label": "Report",
        "url": "https://git.example.org/a/b/-/jobs/7/artifacts/file/mlops-out/report.html",
    }
    assert manifest["url"].endswith("/mlops-out/manifest.json")


def test_tekton_gets_the_verdict_and_the_manifest_as_results(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    told(Tekton(), "gate failed", tmp_path, {"TEKTON_RESULTS": str(tmp_path / "results")})
    assert (tmp_path / "results" / "verdict").read_text() == "fail"
    assert (tmp_path / "results" / "manifest-id").read_text().startswith("sha256:")


def test_a_folder_of_results_that_cannot_be_written_is_said_and_changes_nothing(tmp_path: Path) -> None:
    text = told(Tekton(), "all green", tmp_path, {"TEKTON_RESULTS": str(tmp_path / "nowhere")})
    assert "cannot write" in text
    assert "Verdict: PASS" in text


def test_systems_that_mask_secrets_are_told_them_and_others_print_none(tmp_path: Path) -> None:
    for name in CI_SYSTEMS:
        out = io.StringIO()
        console = Console(out, system(name), Redactor(["hunter2 & more"]), {})
        console.conceal()
        told_so = {"github": "::add-mask::hunter2 & more\n", "azure": "##vso[task.setsecret]hunter2 & more\n"}
        assert out.getvalue() == told_so.get(name, ""), name
