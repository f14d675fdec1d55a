"""The command line is made from the one model of options, and its commands are found by their files."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from mlops_action.boundary import guarded
from mlops_action.cli.main import cli, command_names
from mlops_action.config.options import Options, flags_of, input_name, option_fields
from mlops_action.context import Context
from mlops_action.errors import ExitCode, SpecError


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), prog_name="mlops-action")


def test_every_file_of_the_folder_is_a_command_that_help_lists() -> None:
    said = call("--help").output
    assert {"run", "plan", "check", "gate", "manifest"} <= set(command_names())
    assert all(re.search(rf"(?m)^  {name}\s+\S", said) for name in command_names())


@pytest.mark.parametrize("name", command_names())
def test_every_command_has_help_that_documents_each_of_its_options(name: str) -> None:
    found = call(name, "--help")
    assert found.exit_code == 0
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert all(item.help for item in command.params if isinstance(item, click.Option))


@pytest.mark.parametrize("name", command_names())
def test_no_two_options_of_a_command_share_a_flag(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    flags = [flag for item in command.params for flag in item.opts if flag.startswith("-")]
    assert len(flags) == len(set(flags))


def test_every_option_is_documented_by_a_sentence() -> None:
    undocumented = [item.name for item in option_fields() if not item.metadata["doc"].strip().endswith((".", ")"))]
    assert undocumented == []


def test_every_option_of_the_model_is_a_flag_an_argument_or_an_input_only() -> None:
    for item in option_fields():
        if item.metadata.get("action_only"):
            assert flags_of(item) == ()
        else:
            assert item.metadata["commands"]
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", input_name(item))


def test_the_help_tells_the_exit_codes_of_the_one_table() -> None:
    said = " ".join(call("--help").output.split())
    for code in (0, 1, 2, 3, 4, 5, 70):
        assert re.search(rf"\b{code} [a-z]", said)


@pytest.mark.parametrize("arguments", [["no-such-command"], ["run", "--no-such-option"], ["gate", "--metrics"]])
def test_a_wrong_command_line_ends_with_the_code_for_bad_usage(arguments: list[str]) -> None:
    assert call(*arguments).exit_code == ExitCode.USAGE


def test_the_version_is_told_with_the_tool_s_name() -> None:
    assert re.fullmatch(r"mlops-action \d+\.\d+\.\d+\S*\n", call("--version").output)


def test_defaults_of_the_model_are_immutable_and_equal() -> None:
    assert Options() == Options()
    assert hash(Options()) == hash(Options())


# --- the error boundary


class Sink:
    """Takes text."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


def ended(folder: Path, error: BaseException, **env: str) -> tuple[int, str, str]:
    def work() -> int:
        raise error

    out, err = Sink(), Sink()
    context = Context(env, folder, out, Context.of_process().now)  # type: ignore[arg-type]
    return guarded(work, context, err), out.text, err.text  # type: ignore[arg-type]


def test_an_error_of_the_user_is_told_with_place_slug_and_remedy(tmp_path: Path) -> None:
    code, out, err = ended(tmp_path, SpecError("is wrong", origin="mlops.yaml:3:1", hint="mend it"))
    assert (code, out) == (2, "")
    assert err == "error: mlops.yaml:3:1: is wrong [bad-configuration]\n  hint: mend it\n"


def test_an_error_of_the_user_is_an_annotation_on_github(tmp_path: Path) -> None:
    _, out, _ = ended(tmp_path, SpecError("is wrong", origin="mlops.yaml:3:1"), GITHUB_ACTIONS="true")
    assert out.startswith("::error file=mlops.yaml,line=3,title=bad-configuration::is wrong")


@pytest.mark.parametrize("message", ["x\n::error::y", "##[error]x", "a\r::set-output name=b::c"])
def test_foreign_text_in_an_error_is_no_command(tmp_path: Path, message: str) -> None:
    _, out, err = ended(tmp_path, SpecError(message, hint=message), GITHUB_ACTIONS="true")
    lines = re.split(r"[\r\n]+", out + err)
    assert [line for line in lines if line.lstrip().startswith("::")] == [
        line for line in lines if line.startswith("::error title=bad-configuration::")
    ]
    assert "##[" not in out + err


def test_a_secret_in_an_error_is_masked(tmp_path: Path) -> None:
    _, out, err = ended(tmp_path, SpecError("hunter-two"), DB_PASSWORD="hunter-two", GITHUB_ACTIONS="true")
    assert "hunter-two" not in out + err


def test_a_bug_of_ours_leaves_a_report_without_secrets(tmp_path: Path) -> None:
    code, _, err = ended(tmp_path, RuntimeError("oops hunter-two"), DB_PASSWORD="hunter-two")
    assert code == 70
    assert "a bug of mlops-action: RuntimeError: oops ***" in err
    [report] = list(tmp_path.rglob("crash-report.txt"))
    assert "Traceback" in report.read_text()
    assert "hunter-two" not in report.read_text()


def test_an_interrupt_ends_with_the_code_of_its_signal(tmp_path: Path) -> None:
    assert ended(tmp_path, KeyboardInterrupt())[0] == 130
