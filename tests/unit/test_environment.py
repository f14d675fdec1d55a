"""What a kernel sees of the environment, and where kernels are found."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_action.errors import KernelMissing
from mlops_action.kernels.environment import NEVER, kernel_environment
from mlops_action.kernels.specs import KernelFinder
from mlops_action.redact import is_secret_name

CI = {
    "PATH": "/bin",
    "HOME": "/root",
    "LC_ALL": "C",
    "GITHUB_OUTPUT": "o",
    "GITHUB_ENV": "e",
    "GITHUB_STEP_SUMMARY": "s",
    "GITHUB_TOKEN": "t",
    "GITHUB_SHA": "abc",
    "ACTIONS_RUNTIME_TOKEN": "t",
    "INPUT_GATES": "none",
    "DB_PASSWORD": "p",
    "MLFLOW_URI": "u",
    "MLFLOW_TOKEN": "t",
}


def test_only_harmless_variables_reach_a_kernel() -> None:
    assert kernel_environment(CI) == {"PATH": "/bin", "HOME": "/root", "LC_ALL": "C"}


def test_a_variable_is_passed_when_it_is_named() -> None:
    assert kernel_environment(CI, ["GITHUB_SHA"])["GITHUB_SHA"] == "abc"


def test_a_star_stands_for_any_ending_but_never_for_a_secret() -> None:
    seen = kernel_environment(CI, ["MLFLOW_*"])
    assert "MLFLOW_URI" in seen
    assert "MLFLOW_TOKEN" not in seen


def test_a_secret_is_passed_when_it_is_spelled_out() -> None:
    assert kernel_environment(CI, ["DB_PASSWORD"])["DB_PASSWORD"] == "p"


@pytest.mark.parametrize("name", ["GITHUB_OUTPUT", "GITHUB_ENV", "ACTIONS_RUNTIME_TOKEN", "INPUT_GATES"])
def test_command_files_and_runtime_tokens_are_never_passed(name: str) -> None:
    assert name not in kernel_environment(CI, [name, "*"])


def test_variables_that_are_set_win_over_those_that_are_passed() -> None:
    assert kernel_environment(CI, (), {"HOME": "/x", "SEED": "7"}) == {
        "PATH": "/bin",
        "HOME": "/x",
        "LC_ALL": "C",
        "SEED": "7",
    }


known = [*CI, "X_KEY", "Y", *(name.replace("*", "X") for name in NEVER)]
names = st.sampled_from(known) | st.text(min_size=1, max_size=5)


@given(st.dictionaries(names, st.text(max_size=3)), st.lists(names | st.just("*"), max_size=4))
def test_a_kernel_never_sees_more_than_its_environment_and_never_what_is_forbidden(
    env: dict[str, str], allowed: list[str]
) -> None:
    seen = kernel_environment(env, allowed)
    assert seen.items() <= env.items()
    assert not any(name.startswith(("ACTIONS_", "INPUT_")) for name in seen)
    assert all(name in allowed for name in seen if is_secret_name(name))


# --- finding kernels


def spec(folder: Path, name: str, content: str | None = None, **more: object) -> Path:
    path = folder / "kernels" / name / "kernel.json"
    path.parent.mkdir(parents=True)
    whole = {"argv": ["prog", "{connection_file}"], "language": "python", "display_name": "Shown", **more}
    path.write_text(json.dumps(whole) if content is None else content)
    return path


def finder(tmp_path: Path, **more: str) -> KernelFinder:
    env = {"HOME": str(tmp_path / "home"), "JUPYTER_PATH": str(tmp_path / "jupyter"), "PATH": ""}
    return KernelFinder(env, tmp_path, **more)


def test_a_kernel_is_found_by_its_file_on_the_jupyter_path(tmp_path: Path) -> None:
    path = spec(tmp_path / "jupyter", "mine")
    found = finder(tmp_path).find("mine")
    assert (found.name, found.spec_dir, found.language) == ("mine", str(path.parent), "python")
    assert (found.argv, found.display_name) == (("prog", "{connection_file}"), "Shown")


def test_a_missing_kernel_is_told_with_the_nearest_one_that_there_is(tmp_path: Path) -> None:
    spec(tmp_path / "jupyter", "julia-1.11")
    with pytest.raises(KernelMissing) as caught:
        finder(tmp_path).find("julia-1.10")
    assert "there is no Jupyter kernel `julia-1.10`" in caught.value.message
    assert str(tmp_path / "jupyter" / "kernels") in caught.value.message
    assert "did you mean `julia-1.11`?" in caught.value.hint


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"argv": 3}', "null"])
def test_a_broken_kernelspec_is_told_with_its_file(tmp_path: Path, content: str) -> None:
    path = spec(tmp_path / "jupyter", "mine", content)
    with pytest.raises(KernelMissing) as caught:
        finder(tmp_path).find("mine")
    assert caught.value.origin == str(path)
    assert "broken" in caught.value.message


def test_the_interpreter_that_is_asked_for_comes_first(tmp_path: Path) -> None:
    for prefix in ("one", "two"):
        python = tmp_path / prefix / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text("")
        spec(tmp_path / prefix / "share" / "jupyter", "mine", argv=["python", "-m", "x"])
    found = finder(tmp_path, python="two/bin/python").find("mine")
    assert found.argv[0] == str(tmp_path / "two" / "bin" / "python")


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(KernelMissing, match="there is no Python interpreter `nope/python`"):
        finder(tmp_path, python="nope/python").find("python3")


def test_the_kernel_of_our_own_environment_is_found_without_any_setting(tmp_path: Path) -> None:
    own = Path(sys.prefix) / "share" / "jupyter" / "kernels" / "python3"
    if not own.is_dir():
        pytest.skip("ipykernel is not installed here")
    found = finder(tmp_path).find("python3")
    assert found.spec_dir == str(own)
    assert Path(found.argv[0]).exists()


def test_names_of_kernels_are_found_without_regard_to_case(tmp_path: Path) -> None:
    spec(tmp_path / "jupyter", "ir")
    assert finder(tmp_path).find("IR").spec_dir.endswith("/ir")
    assert "ir" in finder(tmp_path).names()
