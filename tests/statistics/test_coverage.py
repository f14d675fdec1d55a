"""Intervals cover and tests keep their size, by short seeded simulations; the long one is benchmarks/coverage.py."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_action.statistics.proportions import clopper_pearson, wilson

PAGE = Path(__file__).parents[2] / "benchmarks" / "coverage.py"
DRAWS = 300
SURE = 4 * np.sqrt(0.95 * 0.05 / DRAWS)
"""Four standard errors of a share of 95 % over the draws."""


def simulation() -> Any:
    spec = importlib.util.spec_from_file_location("simulated_coverage", PAGE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SIMULATION = simulation()
JUDGED = [case for rows in (200, 1000) for case in SIMULATION.cases(rows) if "comparison" not in case.method]


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: f"{case.method}, {case.setting}")
def test_a_95_percent_interval_covers_95_percent(case: Any) -> None:
    assert SIMULATION.coverage(case, DRAWS) > 0.94 - SURE


def test_wilsons_interval_covers_95_percent_on_average_over_shares() -> None:
    for rows in (200, 1000):
        found = [SIMULATION.exact_coverage(wilson, rows, share) for share in np.linspace(0.04, 0.06, 9)]
        assert 0.945 < np.mean(found) < 0.955


def test_the_exact_interval_never_covers_less_than_it_says() -> None:
    for share in np.linspace(0.01, 0.5, 15):
        assert SIMULATION.exact_coverage(clopper_pearson, 200, float(share)) >= 0.95


def test_21_slices_of_equal_models_are_blocked_at_most_one_time_in_twenty() -> None:
    stream = np.random.default_rng(1)
    merges = [SIMULATION.blocked(stream) for _ in range(DRAWS)]
    assert np.mean([each["holm"] for each in merges]) < 0.05
    assert np.mean([each["naive"] for each in merges]) > 0.7


def test_a_gate_over_21_slices_of_equal_models_blocks_at_most_one_time_in_twenty() -> None:
    stream = np.random.default_rng(3)
    assert np.mean([SIMULATION.gated(stream, 0.0, 0.9) for _ in range(100)]) <= 0.06


def test_a_gate_over_21_slices_finds_one_that_is_worse_by_two_points_with_the_power_of_theory() -> None:
    stream, theory = np.random.default_rng(4), SIMULATION.exact_power(0.02, 0.05 / 21, 2000)
    found = np.mean([SIMULATION.gated(stream, 0.0, 0.9, drop=0.02, rows=2000) for _ in range(100)])
    assert found == pytest.approx(theory, abs=4 * np.sqrt(theory * (1 - theory) / 100))


def test_a_slice_that_is_worse_by_two_points_is_found_with_the_power_of_theory() -> None:
    stream = np.random.default_rng(2)
    found = np.mean([SIMULATION.blocked(stream, 0.02, rows=2000)["first"] for _ in range(DRAWS)])
    theory = SIMULATION.exact_power(0.02, 0.05 / 21, 2000)
    assert found == pytest.approx(theory, abs=4 * np.sqrt(theory * (1 - theory) / DRAWS))


def test_no_test_rejects_more_often_than_it_says() -> None:
    for name, setting, share in SIMULATION.sizes(DRAWS):
        assert share < 0.05 + SURE, (name, setting)
