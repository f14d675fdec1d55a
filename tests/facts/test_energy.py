"""Energy, by the real codecarbon."""

from __future__ import annotations

import sys

import pytest

from mlops_action.facts.energy import Energy
from mlops_action.records import Fact


def test_nothing_is_imported_unless_it_is_wanted() -> None:
    energy = Energy(wanted=False)
    energy.start()
    assert energy.stop() == Fact("energy")


@pytest.mark.slow
def test_energy_is_an_observation_that_says_what_it_rests_on(capfd: pytest.CaptureFixture[str]) -> None:
    energy = Energy(wanted=True)
    energy.start()
    sum(number * number for number in range(2_000_000))
    fact = energy.stop()
    assert fact.identity is None
    assert fact.observation["kwh"] > 0
    assert fact.observation["tool"].startswith("codecarbon ")
    measured = "rapl" in fact.observation["method"]
    assert [gap.what for gap in fact.uncaptured] == ([] if measured else ["exact energy"])
    assert capfd.readouterr().out == ""


def test_a_missing_library_is_told_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    energy = Energy(wanted=True)
    energy.start()
    [gap] = energy.stop().uncaptured
    assert "mlops-action[energy]" in gap.why
