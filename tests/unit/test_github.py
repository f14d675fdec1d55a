"""GitHub: our own commands reach the runner, and no other."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from acceptance import github_runner
from hypothesis import assume, given
from hypothesis import strategies as st

from mlops_action.ci.console import Console
from mlops_action.ci.detect import detect
from mlops_action.ci.generic import Generic
from mlops_action.ci.github import SUMMARY_BYTES, GitHub, outputs_text
from mlops_action.context import Context
from mlops_action.records import Annotation, Emissions
from mlops_action.redact import Redactor

hostile = st.lists(
    st.sampled_from(
        ["::", "\n", "\r", "%0A", "%", ",", "##[error]", "::error::x", "::stop-commands::y", ":", "<<", "="]
    )
    | st.text(max_size=3),
    max_size=8,
).map("".join)


def context(folder: Path, **files: str) -> Context:
    env = {"GITHUB_ACTIONS": "true", **{name: str(folder / file) for name, file in files.items()}}
    return Context(env, folder, io.StringIO(), lambda: datetime.now(UTC))


def publish(folder: Path, emissions: Emissions, limit: int = 10, **files: str) -> list[str]:
    return GitHub().publish(emissions, context(folder, **files), limit)


def emissions(*annotations: Annotation, summary: str = "", outputs: tuple[tuple[str, str], ...] = ()) -> Emissions:
    return Emissions(annotations, summary, outputs, ())


def test_the_runner_is_recognised_by_its_own_variable() -> None:
    assert isinstance(detect({"GITHUB_ACTIONS": "true"}), GitHub)
    assert isinstance(detect({"GITHUB_ACTIONS": "false"}), Generic)
    assert isinstance(detect({}), Generic)


def test_an_annotation_points_at_its_file_and_line(tmp_path: Path) -> None:
    [line] = publish(tmp_path, emissions(Annotation("error", "gate floor", "too\nlow", "m.yaml", 3)))
    assert line == "::error file=m.yaml,line=3,title=gate floor::too%0Alow"


@given(hostile, hostile, hostile)
def test_whatever_an_annotation_holds_it_is_one_command_of_ours(title: str, message: str, path: str) -> None:
    lines = publish(Path("/nowhere"), emissions(Annotation("warning", title, message, path, 3)))
    found = github_runner.processed(part for line in lines for part in line.splitlines())
    assert [name for name, _, _ in found] == ["warning"]
    assert len(lines) == 1
    assert not {"\n", "\r"} & set(lines[0])


@given(hostile, st.lists(hostile, max_size=4))
def test_whatever_a_notebook_prints_in_a_group_the_runner_sees_ours_alone(title: str, pieces: list[str]) -> None:
    out = io.StringIO()
    system = GitHub()
    console = Console(out, system, Redactor(), {})
    console.begin(title)
    for piece in pieces:
        console.foreign(piece)
    console.end()
    console.say("after")
    lines = out.getvalue().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = github_runner.processed(lines)
    assert [name for name, _, _ in found] == ["group", "stop-commands", "endgroup"]
    assert found[1][2] == system.token


def test_two_processes_never_share_the_token_of_their_fences() -> None:
    assert GitHub().token != GitHub().token
    assert len(GitHub().token) >= 32


@given(st.lists(st.tuples(st.sampled_from(["verdict", "report", "x"]), hostile), max_size=4))
def test_the_runner_reads_back_the_outputs_that_were_meant(outputs: list[tuple[str, str]]) -> None:
    assume(not any(set(value) & set("\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029") for _, value in outputs))
    read = github_runner.outputs(outputs_text(tuple(outputs)))
    assert {name: value.rstrip("\n") for name, value in read.items()} == {
        name: value.rstrip("\n") for name, value in dict(outputs).items()
    }


def test_summary_and_outputs_are_appended_to_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "summary").write_text("before\n")
    given = emissions(summary="# ✅\n", outputs=(("verdict", "pass"),))
    assert publish(tmp_path, given, GITHUB_STEP_SUMMARY="summary", GITHUB_OUTPUT="output") == []
    assert (tmp_path / "summary").read_text() == "before\n# ✅\n"
    assert github_runner.outputs((tmp_path / "output").read_text()) == {"verdict": "pass"}


def test_a_summary_that_cannot_be_written_warns_and_changes_nothing_else(tmp_path: Path) -> None:
    lines = publish(
        tmp_path,
        emissions(Annotation("error", "t", "m"), summary="x", outputs=(("verdict", "fail"),)),
        GITHUB_STEP_SUMMARY="no/such/folder",
        GITHUB_OUTPUT="output",
    )
    assert lines[0] == "::error title=t::m"
    assert lines[1].startswith("::warning title=mlops-action::cannot write ")
    assert github_runner.outputs((tmp_path / "output").read_text()) == {"verdict": "fail"}


def test_a_summary_that_is_too_large_is_cut_at_a_line_with_a_count(tmp_path: Path) -> None:
    publish(tmp_path, emissions(summary=("ü" * 500 + "\n") * 2000), GITHUB_STEP_SUMMARY="summary")
    content = (tmp_path / "summary").read_bytes()
    assert len(content) < SUMMARY_BYTES + 200
    assert "more lines are in the report file" in content.decode()


@pytest.mark.parametrize(("limit", "shown"), [(10, 4), (3, 2), (1, 0)])
def test_annotations_beyond_the_limit_are_counted(tmp_path: Path, limit: int, shown: int) -> None:
    lines = publish(tmp_path, emissions(*[Annotation("error", "t", str(i)) for i in range(4)]), limit)
    assert sum(line.startswith("::error title=t::") for line in lines) == shown
    if shown < 4:
        assert lines[-1] == f"::error title=mlops-action::and {4 - shown} more, see the report"


@given(st.lists(hostile.filter(lambda text: len(text.strip()) >= 6 and "##[" not in text), max_size=3))
def test_secrets_are_masked_by_the_runner_before_anything_is_printed(secrets: list[str]) -> None:
    out = io.StringIO()
    console = Console(out, GitHub(), Redactor(secrets), {})
    console.conceal()
    console.begin("train")
    console.end()
    found = github_runner.processed(out.getvalue().split("\n"))
    masks = [data for name, _, data in found if name == "add-mask"]
    assert sorted(_decoded(mask) for mask in masks) == sorted(set(secrets))
    assert [name for name, _, _ in found[: len(masks)]] == ["add-mask"] * len(masks)


def _decoded(data: str) -> str:
    return data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_elsewhere_nothing_but_plain_lines_is_written(tmp_path: Path) -> None:
    system = Generic()
    assert system.open_group("title") == ["", "title"]
    assert system.publish(emissions(Annotation("error", "t", "m"), summary="x"), context(tmp_path), 10) == []
