"""Facts that follow what the project declares: kernels, data, variables."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_action.config.model import ManifestSpec
from mlops_action.context import Context
from mlops_action.facts.data import DeclaredData
from mlops_action.facts.interface import Scene
from mlops_action.facts.kernel_specs import KernelSpecs, portable
from mlops_action.facts.variables import Variables
from mlops_action.records import Fact, KernelChoice, Plan, PlannedStep
from mlops_action.redact import Redactor


def scene_of(root: Path, spec: ManifestSpec | None = None, *steps: PlannedStep, **variables: str) -> Scene:
    context = Context(variables, root, io.StringIO(), lambda: datetime.now(UTC))
    plan = Plan("", ".", "out", steps, ())
    return Scene(context, plan, spec or ManifestSpec(), Redactor.from_environment(variables))


def kernels_of(root: Path, *kernels: KernelChoice | None) -> Fact:
    steps = [PlannedStep(f"s{place}", "", kernel=kernel) for place, kernel in enumerate(kernels)]
    return KernelSpecs().collect(scene_of(root, None, *steps))


def test_each_step_has_its_kernel_with_the_interpreter_by_plain_name(tmp_path: Path) -> None:
    argv = (str(tmp_path / ".venv/bin/python3"), "-m", "ipykernel_launcher", "-f", "{connection_file}")
    fact = kernels_of(tmp_path, KernelChoice("python3", "/share/kernels/python3", "python", argv))
    assert fact.identity == [
        {
            "step": "s0",
            "kernel": "python3",
            "where": "host",
            "place": {},
            "language": "python",
            "argv": ["python3", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        }
    ]
    assert fact.locator == [{"step": "s0", "spec-dir": "/share/kernels/python3", "argv": list(argv)}]
    assert fact.uncaptured == ()


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("/usr/lib/R/bin/R", "R"),
        ("C:\\Tools\\R\\R.exe", "R.exe"),
        ("--project=/project/julia", "--project=julia"),
        ("--project=/project", "--project=."),
        ("/project/kernels/k.jl", "kernels/k.jl"),
        ("--project=@.", "--project=@."),
        ("IRkernel::main()", "IRkernel::main()"),
        ("{connection_file}", "{connection_file}"),
        ("/", "/"),
        ("", ""),
    ],
)
def test_an_argument_loses_the_place_of_this_machine_only(argument: str, expected: str) -> None:
    assert portable(argument, Path("/project")) == expected


def test_packages_of_other_languages_are_told_missing_once_for_each_kernel(tmp_path: Path) -> None:
    julia = KernelChoice("julia", "/k/julia", "julia", ("julia",))
    fact = kernels_of(tmp_path, julia, julia, KernelChoice("py", "/k/py", "Python", ("python",)))
    assert [gap.what for gap in fact.uncaptured] == ["packages of kernel `julia`"]


def test_a_missing_kernel_and_one_without_a_command_are_no_exception(tmp_path: Path) -> None:
    fact = kernels_of(tmp_path, None, KernelChoice("odd", "/k/odd", "python", ()))
    assert [gap.what for gap in fact.uncaptured] == ["kernel of step `s0`"]
    assert [entry["argv"] for entry in fact.identity] == [[]]


def data_of(root: Path, *patterns: str) -> Fact:
    return DeclaredData().collect(scene_of(root, ManifestSpec(data=patterns)))


def test_declared_data_is_recorded_by_size_and_digest_in_path_order(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("bb")
    (tmp_path / "a.csv").write_text("a")
    assert data_of(tmp_path, "b.csv", "*.csv").identity == [
        {"path": "a.csv", "size": 1, "sha256": hashlib.sha256(b"a").hexdigest()},
        {"path": "b.csv", "size": 2, "sha256": hashlib.sha256(b"bb").hexdigest()},
    ]


def test_data_that_is_declared_and_not_there_is_told_missing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a")
    (tmp_path / "out.csv").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.csv")
    fact = data_of(tmp_path, "*.csv", "raw/*.parquet", "../up.csv")
    assert [entry["path"] for entry in fact.identity] == ["a.csv"]
    assert [(gap.what, gap.why) for gap in fact.uncaptured] == [
        ("data `raw/*.parquet`", "no file matches"),
        ("data `../up.csv`", "it leads out of the project folder"),
        ("data `out.csv`", "it leads out of the project folder"),
        ("data `pipe.csv`", "it is a device, pipe or socket"),
    ]


def test_a_hidden_file_in_a_declared_folder_is_told_missing_and_recorded_when_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "data/.cache").mkdir(parents=True)
    for name in ("a.csv", ".labels", ".gitkeep", ".cache/x"):
        (tmp_path / "data" / name).write_text(name)
    fact = data_of(tmp_path, "data")
    assert [entry["path"] for entry in fact.identity] == ["data/a.csv"]
    assert [gap.what for gap in fact.uncaptured] == ["data `data/.cache`", "data `data/.labels`"]
    assert [entry["path"] for entry in data_of(tmp_path, "data/.labels").identity] == ["data/.labels"]


def test_data_that_cannot_be_read_is_told_and_the_rest_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlops_action.facts import data

    whole = data.states_of

    def locked(root: Path, names: Sequence[str], cache: object) -> list[object]:
        states = whole(root, names)
        return [
            PermissionError(13, "Permission denied") if n == "a.csv" else s for n, s in zip(names, states, strict=True)
        ]

    (tmp_path / "a.csv").write_text("a")
    (tmp_path / "b.csv").write_text("b")
    monkeypatch.setattr(data, "states_of", locked)
    fact = data_of(tmp_path, "*.csv")
    assert [entry["path"] for entry in fact.identity] == ["b.csv"]
    assert [gap.why for gap in fact.uncaptured] == ["it cannot be read: Permission denied"]


def test_a_project_that_declares_no_data_has_no_data_in_its_identity(tmp_path: Path) -> None:
    assert data_of(tmp_path) == Fact("data")


@given(st.binary(min_size=1, max_size=200), st.data())
def test_one_changed_byte_in_the_data_is_another_identity(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, draw: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("bytes")
    (root / "data.bin").write_bytes(content)
    before = data_of(root, "data.bin").identity
    place = draw.draw(st.integers(0, len(content) - 1))
    other = (content[place] + draw.draw(st.integers(1, 255))) % 256
    (root / "data.bin").write_bytes(content[:place] + bytes([other]) + content[place + 1 :])
    assert data_of(root, "data.bin").identity != before


def variables_of(*names: str, **variables: str) -> Fact:
    return Variables().collect(scene_of(Path(), ManifestSpec(environment_variables=names), **variables))


def test_only_named_variables_are_recorded_and_unset_ones_as_null() -> None:
    fact = variables_of("OMP_NUM_THREADS", "LANG", OMP_NUM_THREADS="4", OTHER="unseen", LANG="C")
    assert fact.identity == {"LANG": "C", "OMP_NUM_THREADS": "4"}
    assert variables_of("UNSET").identity == {"UNSET": None}
    assert variables_of(OTHER="unseen").identity is None


@pytest.mark.parametrize("name", ["API_KEY", "DB_PASSWORD", "GH_TOKEN", "SENTRY_DSN"])
def test_a_variable_that_sounds_secret_leaves_only_its_name(name: str) -> None:
    fact = variables_of(name, **{name: "s3cr3t-value"})
    assert fact.identity is None
    assert fact.uncaptured[0].what == f"variable `{name}`"
    assert "s3cr3t" not in repr(fact)


@pytest.mark.parametrize("value", ["prefix s3cr3t-value suffix", "https://me:pw@host/"])
def test_a_secret_inside_a_harmless_variable_is_not_recorded(value: str) -> None:
    fact = variables_of("NOTE", NOTE=value, MY_TOKEN="s3cr3t-value")
    assert fact.identity is None
    assert [gap.what for gap in fact.uncaptured] == ["variable `NOTE`"]
