"""What holds for every report format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import report_sample as sample

from mlops_action.formats import REPORTS
from mlops_action.formats.interface import BINARY_SUFFIXES, Account
from mlops_action.registry import load

GOLDENS = Path(__file__).parent / "goldens"
FORMATS = [pytest.param(load(entry)(), id=name) for name, entry in REPORTS.items()]
NOTHING = Account(None, None, None)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_account_gives_the_same_bytes(form: Any) -> None:
    assert form.render(sample.account()) == form.render(sample.account())


@pytest.mark.parametrize("form", FORMATS)
def test_the_failed_step_its_place_and_its_error_are_told(form: Any) -> None:
    text = b"\n".join(data for name, data in form.render(sample.account()) if not name.endswith(BINARY_SUFFIXES))
    for word in (b"train", b"fit", b"ValueError: regularisation must be positive", b"Traceback"):
        assert word in text


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("part", ["run", "verdicts", "manifest", "notebooks"])
def test_a_part_that_was_not_made_is_left_out(form: Any, part: str) -> None:
    whole = sample.account()
    assert form.render(replace(whole, **{part: {} if part == "notebooks" else None}))
    assert form.render(replace(NOTHING, **{part: getattr(whole, part)}))


@pytest.mark.parametrize("form", FORMATS)
def test_names_stay_in_the_output_folder_and_are_there_once(form: Any) -> None:
    names = [name for name, _ in form.render(sample.account())]
    assert len({name.lower() for name in names}) == len(names)
    assert not [name for name in names if name.startswith("/") or ".." in PurePosixPath(name).parts]


@pytest.mark.parametrize("form", FORMATS)
def test_files_that_are_not_images_are_utf_8_without_control_characters(form: Any) -> None:
    for name, data in form.render(sample.account()):
        if not name.endswith(BINARY_SUFFIXES):
            assert not [char for char in data.decode() if ord(char) < 32 and char not in "\n\t"]
            assert "\u202e" not in data.decode()


@pytest.mark.parametrize("form", FORMATS)
def test_lone_surrogates_from_a_notebook_do_no_harm(form: Any) -> None:
    account = sample.account()
    assert account.run is not None
    steps = tuple(replace(step, cached="\ud800 odd") for step in account.run.steps)
    assert form.render(replace(account, run=replace(account.run, steps=steps)))


@pytest.mark.parametrize("name", ["markdown", "junit"])
def test_the_report_is_the_golden_one(name: str, request: pytest.FixtureRequest) -> None:
    ((file, data),) = load(REPORTS[name])().render(sample.account())
    golden = GOLDENS / file
    if request.config.getoption("--write-goldens"):
        golden.write_bytes(data)
    assert data == golden.read_bytes()
