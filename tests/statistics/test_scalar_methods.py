"""Proportions, pairs, multiplicity, means and power against scipy, statsmodels and published figures."""

from __future__ import annotations

import math
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from mlops_action.statistics import distributions, margins, means, multiplicity, paired, power, proportions
from mlops_action.statistics.margins import Comparison
from mlops_action.statistics.paired import Pairs
from mlops_action.statistics.results import Interval

EXACT = 1e-9
COUNTS = [(0, 1), (1, 1), (0, 20), (3, 20), (20, 20), (10, 200), (199, 200), (512_345, 1_000_000), (3, 10_000_000)]
PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_core_statistics_need_neither_numpy_nor_scipy() -> None:
    code = (
        "import sys; sys.modules.update(numpy=None, scipy=None, pyarrow=None)\n"
        "from mlops_action.statistics import proportions, paired, means, margins, multiplicity, power\n"
        "proportions.wilson(1, 2), power.detectable_paired(6, 100)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("successes", "rows"), COUNTS)
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
@pytest.mark.parametrize(("ours", "name"), [(proportions.wilson, "wilson"), (proportions.clopper_pearson, "beta")])
def test_intervals_of_a_proportion_are_those_of_statsmodels(
    successes: int, rows: int, level: float, ours: object, name: str
) -> None:
    found = ours(successes, rows, level)  # type: ignore[operator]
    low, high = proportion_confint(successes, rows, alpha=1 - level, method=name)
    assert found.low == pytest.approx(float(np.nan_to_num(low)), abs=EXACT, rel=EXACT)
    assert found.high == pytest.approx(float(np.nan_to_num(high, nan=1.0)), abs=EXACT, rel=EXACT)


@pytest.mark.parametrize(("successes", "rows"), COUNTS)
def test_intervals_of_a_proportion_are_those_of_scipy(successes: int, rows: int) -> None:
    for ours, name in ((proportions.wilson, "wilson"), (proportions.clopper_pearson, "exact")):
        known = stats.binomtest(successes, rows).proportion_ci(0.95, name)
        found = ours(successes, rows)
        assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=EXACT, rel=EXACT)


def test_nothing_is_known_about_a_proportion_of_no_rows() -> None:
    assert proportions.wilson(0, 0).low == 0
    assert proportions.wilson(0, 0).high == 1
    assert proportions.clopper_pearson(0, 0).high == 1


@pytest.mark.parametrize("counts", [(2, 1), (-1, 5), (math.nan, 5), (1, math.inf)])
def test_a_count_that_is_no_count_is_refused(counts: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="not a proportion"):
        proportions.wilson(*counts)


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (9, 10, 3, 10), (0, 10, 0, 20), (10, 10, 0, 20), (7, 34, 1, 34)])
def test_newcombes_difference_is_that_of_statsmodels(counts: tuple[int, int, int, int]) -> None:
    known = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    found = proportions.newcombe(counts[:2], counts[2:])
    assert (found.low, found.high) == pytest.approx(known, abs=EXACT)


PUBLISHED_PAIRS = [
    # Bentur et al. 2009, as printed by Fagerland, Lydersen & Laake 2014 (Stat Med 33:2850), and an example of
    # Newcombe 1998, both to 3 digits
    (Pairs(1, 1, 7, 12), (-0.507, -0.026)),
    (Pairs(20, 12, 2, 16), (0.056, 0.329)),
]


@pytest.mark.parametrize(("pairs", "printed"), PUBLISHED_PAIRS)
def test_newcombes_paired_interval_is_the_published_one(pairs: Pairs, printed: tuple[float, float]) -> None:
    found = paired.newcombe_paired(pairs)
    assert (round(found.low, 3), round(found.high, 3)) == printed


def derived_again(pairs: Pairs) -> tuple[float, float]:
    """Method 10 from rows and geometry: the reaches of two Wilson intervals at an angle whose cosine is phi.

    Wilson's are statsmodels', phi is the correlation of the expanded rows, and the side opposite the angle is the
    length of a difference of complex numbers: none of the code under test is used.
    """
    counts = (int(pairs.both), int(pairs.candidate), int(pairs.baseline), int(pairs.neither))
    rows = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], counts, axis=0)
    n, shares, deviations = len(rows), rows.mean(axis=0), rows.std(axis=0)
    phi = 0.0
    if deviations.min() > 0:
        covariance = float(((rows[:, 0] - shares[0]) * (rows[:, 1] - shares[1])).mean())
        # The excess a·d - b·c is n² times the covariance; from a positive one n/2 is taken, at most all of it.
        covariance = max(0.0, covariance - 1 / (2 * n)) if covariance > 0 else covariance
        phi = covariance / float(deviations.prod())
    (low, high), (other_low, other_high) = (proportion_confint(int(r.sum()), n, method="wilson") for r in rows.T)
    angle = np.exp(1j * np.arccos(np.clip(phi, -1, 1)))
    down = abs((shares[0] - low) - (other_high - shares[1]) * angle)
    up = abs((high - shares[0]) - (shares[1] - other_low) * angle)
    difference = float(shares[0] - shares[1])
    return max(-1.0, difference - down), min(1.0, difference + up)


@pytest.mark.parametrize("seed", range(60))
def test_newcombes_paired_interval_is_the_same_derived_again(seed: int) -> None:
    stream = np.random.default_rng(seed)
    shares = stream.dirichlet([3, 0.6, 0.6, 1.5])
    pairs = Pairs(*(int(each) for each in stream.multinomial(int(stream.integers(2, 3000)), shares)))
    found = paired.newcombe_paired(pairs)
    assert (found.low, found.high) == pytest.approx(derived_again(pairs), abs=1e-10)


def test_swapping_the_models_mirrors_the_paired_interval() -> None:
    one, other = paired.newcombe_paired(Pairs(80, 9, 4, 7)), paired.newcombe_paired(Pairs(80, 4, 9, 7))
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (1, 0), (5, 5), (3, 12), (40, 20), (480, 530), (2, 4000)])
def test_mcnemars_tests_are_those_of_statsmodels_and_scipy(won: int, lost: int) -> None:
    pairs = Pairs(100, won, lost, 10)
    exact = mcnemar([[100, won], [lost, 10]], exact=True).pvalue
    assert paired.mcnemar_exact(pairs).p_value == pytest.approx(exact, rel=EXACT)
    mid = min(1.0, exact - stats.binom.pmf(min(won, lost), won + lost, 0.5)) if won != lost else None
    if mid is not None:
        assert paired.mcnemar_mid_p(pairs).p_value == pytest.approx(mid, rel=1e-8)
    worse = stats.binomtest(won, won + lost, alternative="less").pvalue if won + lost else 1.0
    assert paired.mcnemar_worse(pairs).p_value == pytest.approx(worse, rel=EXACT)


def test_mcnemars_exact_test_refuses_counts_that_are_not_whole() -> None:
    with pytest.raises(ValueError, match="whole counts"):
        paired.mcnemar_exact(Pairs(10, 1.5, 2, 10))


@given(PROBABILITIES)
def test_adjusted_p_values_are_those_of_statsmodels_and_scipy(p_values: list[float]) -> None:
    assert multiplicity.holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=EXACT)
    known = stats.false_discovery_control(p_values, method="bh")
    assert multiplicity.benjamini_hochberg(p_values) == pytest.approx(known, abs=EXACT)


@pytest.mark.parametrize("bad", [math.nan, -0.1, 1.1])
def test_what_is_no_p_value_is_refused_and_not_passed_over(bad: float) -> None:
    with pytest.raises(ValueError, match="not a p-value"):
        multiplicity.holm([0.01, bad])


@pytest.mark.parametrize(
    ("a", "b"), [(0.5, 0.5), (1, 3), (20, 1), (500, 480), (0.5, 2e5), (1e6, 3e6), (3, 1e7), (15.9, 16.1)]
)
def test_the_beta_distribution_is_that_of_scipy(a: float, b: float) -> None:
    for probability in (1e-12, 1e-6, 0.025, 0.5, 0.975, 0.999999):
        x = float(stats.beta.ppf(probability, a, b))
        assert distributions.beta_quantile(probability, a, b) == pytest.approx(x, rel=1e-10)
        assert distributions.beta_cdf(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 3.7, 9, 100, 999, 1001, 12345.6, 1e9, math.inf])
def test_students_distribution_is_that_of_scipy(freedom: float) -> None:
    for probability in (1e-4, 0.01, 0.3, 0.5, 0.8, 0.975, 0.9999):
        value = float(stats.t.ppf(probability, freedom))
        assert distributions.student_quantile(probability, freedom) == pytest.approx(value, rel=1e-9, abs=1e-9)
        assert distributions.student_cdf(value, freedom) == pytest.approx(probability, rel=1e-7)


def test_the_mean_from_sums_is_that_of_scipy() -> None:
    rows = [random.Random(3).lognormvariate(0, 1) for _ in range(3)] + [1e6, 1e6 + 1]
    origin = 1e6
    shifted = [row - origin for row in rows]
    mean = means.mean_of_sums(len(rows), sum(shifted), sum(x * x for x in shifted), sum(x**3 for x in shifted), origin)
    known = stats.ttest_1samp(rows, 0).confidence_interval(0.95)
    assert (mean.interval().low, mean.interval().high) == pytest.approx(known, rel=1e-9)
    assert mean.skewness == pytest.approx(stats.skew(rows), rel=1e-9)


def test_tests_of_a_mean_are_those_of_scipy() -> None:
    rows = np.random.default_rng(5).exponential(size=40)
    mean = means.mean_of_sums(40, float(rows.sum()), float((rows**2).sum()))
    assert mean.differs_from(1.2).p_value == pytest.approx(stats.ttest_1samp(rows, 1.2).pvalue, rel=1e-9)
    greater = stats.ttest_1samp(rows, 0.8, alternative="greater").pvalue
    assert mean.greater_than(0.8).p_value == pytest.approx(greater, rel=1e-9)


def test_the_difference_of_independent_means_is_welchs() -> None:
    random_numbers = np.random.default_rng(6)
    one, other = random_numbers.normal(size=30), random_numbers.normal(1, 3, size=12)
    both = [means.mean_of_sums(x.size, float(x.sum()), float((x * x).sum())) for x in (one, other)]
    difference = means.difference_of_independent(*both)
    known = stats.ttest_ind(one, other, equal_var=False)
    assert difference.differs_from().p_value == pytest.approx(known.pvalue, rel=1e-9)
    low, high = known.confidence_interval()
    assert (difference.interval().low, difference.interval().high) == pytest.approx((low, high), rel=1e-9)


def test_a_mean_of_one_row_has_an_interval_without_ends() -> None:
    interval = means.mean_of_sums(1, 5.0, 25.0).interval()
    assert (interval.low, interval.high) == (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("low", "high", "margin", "said"),
    [
        (0.01, 0.03, 0.02, Comparison.BETTER),
        (-0.01, 0.03, 0.02, Comparison.NOT_WORSE),
        (-0.02, 0.03, 0.02, Comparison.CANNOT_TELL),
        (-0.05, -0.01, 0.02, Comparison.CANNOT_TELL),
        (-0.05, -0.03, 0.02, Comparison.WORSE),
        (-0.015, -0.01, 0.02, Comparison.NOT_WORSE),
        (-math.inf, math.inf, 0.02, Comparison.CANNOT_TELL),
        (math.nan, math.nan, 0.02, Comparison.CANNOT_TELL),
        (-1.0, 1.0, 0.0, Comparison.CANNOT_TELL),
    ],
)
def test_an_interval_and_a_margin_say_what_can_be_told(
    low: float, high: float, margin: float, said: Comparison
) -> None:
    assert margins.compare(Interval(low, high, 0.95, ""), margin) is said


@pytest.mark.parametrize("margin", [-0.1, math.nan])
def test_a_margin_that_is_none_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="margin"):
        margins.compare(Interval(0, 1, 0.95, ""), margin)


def test_inverting_students_interval_gives_students_p_value() -> None:
    mean = means.mean_of_sums(50, 10.0, 40.0)
    for limit in (0.0, 0.2, 0.3, -0.4):
        assert margins.p_value_above(limit, mean.interval) == pytest.approx(mean.greater_than(limit).p_value, rel=1e-7)
        below = 1 - mean.greater_than(limit).p_value
        assert margins.p_value_below(limit, mean.interval) == pytest.approx(below, rel=1e-7)


def test_the_sample_size_of_mcnemars_test_is_connors() -> None:
    assert math.ceil(power.rows_for_paired(0.06, 0.01, alpha=0.05)) == 3708


@given(st.floats(0.01, 0.5), st.integers(50, 100_000))
def test_what_is_detectable_is_found_with_the_promised_power(share: float, rows: int) -> None:
    difference = power.detectable_paired(share * rows, rows)
    if math.isfinite(difference):
        assert power.paired_power(share, difference, rows) == pytest.approx(0.8, abs=1e-6)


def test_the_power_of_two_proportions_is_that_of_statsmodels() -> None:
    from statsmodels.stats.proportion import power_proportions_2indep

    drop = power.detectable_drop(0.9, 1500, 1500)
    known = power_proportions_2indep(-drop, 0.9, 1500, alpha=0.025, alternative="smaller", return_results=False)
    assert float(known) == pytest.approx(0.8, abs=2e-3)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_too_few_rows_detect_nothing_at_all(rows: int) -> None:
    assert math.isinf(power.detectable_paired(0, rows))
    assert math.isinf(power.detectable_from(0.9, 0))
    assert math.isinf(power.detectable_drop(0.9, rows, 0))


def test_a_limit_at_the_very_estimate_has_a_p_value_of_one_half() -> None:
    def steps(level: float) -> Interval:  # as of a bootstrap with few different values
        reach = round(2 * level, 1)
        return Interval(-reach, reach, proportions.wilson(1, 2, level).level, "steps")

    assert margins.p_value_below(0.0, steps) == pytest.approx(0.5, abs=0.05)
    assert margins.p_value_above(0.0, steps) == pytest.approx(0.5, abs=0.05)
    assert 0 < margins.p_value_below(1.0, steps) < 0.5


def test_what_has_no_end_has_none_in_a_difference_either() -> None:
    endless, known = Interval(-math.inf, math.inf, 0.95, "student"), Interval(0.0, 1.0, 0.95, "wilson")
    for first, second in (((0.5, endless), (0.5, known)), ((0.5, known), (0.5, endless)), ((0.5, endless),) * 2):
        found = proportions.mover(first, second, 0.95, "difference")
        assert (found.low, found.high) == (-math.inf, math.inf)
