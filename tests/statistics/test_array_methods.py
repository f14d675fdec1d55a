"""Areas, bootstraps, clusters and permutations against scipy, statsmodels, scikit-learn and R."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special, stats
from sklearn.metrics import roc_auc_score

from mlops_action.statistics import area_score, clusters, delong, permutation, resampling
from mlops_action.statistics.means import Mean
from mlops_action.statistics.seeds import generator

EXACT = 1e-9


def drawn(rows: int, share: float = 0.3, *, digits: int = 2, seed: int = 1) -> tuple[Any, Any, Any]:
    """Labels and the scores of two models, with ties."""
    stream = np.random.default_rng(seed)
    labels = stream.random(rows) < share
    signal = labels + stream.normal(size=rows)
    one, other = (np.round(signal + stream.normal(size=rows), digits) for _ in range(2))
    return labels, one, other


def in_r(code: str, folder: Path, **columns: Any) -> list[float]:
    """What R prints for ``code``, in which the columns are vectors."""
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    for name, values in columns.items():
        np.savetxt(folder / name, np.asarray(values, dtype=float), fmt="%.17g")
    read = "".join(f'{name} <- scan("{name}", quiet=TRUE)\n' for name in columns)
    done = subprocess.run(["Rscript", "-e", f"{read}{code}"], cwd=folder, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return [float(word) for word in done.stdout.split()]


@pytest.mark.parametrize("digits", [0, 1, 12])
def test_the_area_is_scikit_learns_whatever_the_ties(digits: int) -> None:
    labels, scores, _ = drawn(3000, digits=digits)
    assert delong.auc_of(labels, scores).value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_midranks_are_those_of_scipy() -> None:
    _, scores, _ = drawn(500, digits=1)
    assert np.array_equal(delong.midranks(scores), stats.rankdata(scores))


def test_variance_and_degrees_of_freedom_are_brunner_munzels() -> None:
    labels, scores, _ = drawn(80)
    area = delong.auc_of(labels, scores)
    known = stats.brunnermunzel(scores[~labels], scores[labels])
    mean = Mean(area.value - 0.5, area.variance, area.freedom)
    assert mean.differs_from(0).statistic == pytest.approx(known.statistic, rel=EXACT)
    assert mean.differs_from(0).p_value == pytest.approx(known.pvalue, rel=1e-7)


@pytest.mark.parametrize("area", [0.5, 0.62, 0.8, 0.95, 0.99, 0.999])
def test_the_binormal_models_variance_is_owens_integral(area: float) -> None:
    h = stats.norm.ppf(area)
    theirs = area - area**2 - 2 * special.owens_t(h, 1 / np.sqrt(3))
    spread, kurtosis = area_score._shape(area)
    assert spread == pytest.approx(theirs, rel=2e-3)
    placed = stats.norm.cdf(stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000) + np.sqrt(2) * h)
    assert kurtosis == pytest.approx(stats.kurtosis(placed, fisher=False), rel=6e-2)
    assert area_score._shape(1 - area) == pytest.approx((spread, kurtosis))


def test_the_interval_of_an_area_mirrors_when_labels_are_swapped() -> None:
    labels, scores, _ = drawn(300)
    one, other = delong.auc_of(labels, scores).interval(), delong.auc_of(~labels, scores).interval()
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-9)


def test_a_perfect_ranking_of_few_rows_is_not_certain() -> None:
    labels = np.arange(60) < 12
    found = delong.auc_of(labels, labels.astype(float)).interval()
    assert found.high == 1
    assert 0.8 < found.low < 0.99


def test_delongs_variance_interval_and_paired_test_are_those_of_proc(tmp_path: Path) -> None:
    labels, one, other = drawn(400)
    code = (
        "suppressMessages(library(pROC)); a <- roc(y, one, quiet=TRUE, direction='<'); b <- roc(y, other, quiet=TRUE, "
        "direction='<'); t <- roc.test(a, b, method='delong', paired=TRUE); options(digits=17)\n"
        "cat(var(a), ci.auc(a, method='delong'), t$p.value, cov(a, b))"
    )
    variance, low, value, high, p_value, covariance = in_r(code, tmp_path, y=labels, one=one, other=other)
    area, difference = delong.auc_of(labels, one), delong.auc_difference(labels, one, other)
    assert area.variance == pytest.approx(variance, rel=EXACT)
    wald = area.wald()
    assert (wald.low, area.value, wald.high) == pytest.approx((low, value, high), abs=EXACT)
    test = Mean(difference.value, difference.variance, math.inf).differs_from(0)
    assert test.p_value == pytest.approx(p_value, rel=1e-7)
    both = area.variance + delong.auc_of(labels, other).variance - 2 * covariance
    assert difference.variance == pytest.approx(both, rel=EXACT)


def test_the_area_from_sums_is_the_area_from_rows() -> None:
    labels, scores, _ = drawn(300)
    whole, parts = delong.auc_of(labels, scores), delong.components(labels, scores)
    squares = [float(((each - whole.value) ** 2).sum()) for each in (parts.positive, parts.negative)]
    same = delong.auc_of_sums(int(labels.sum()), int((~labels).sum()), whole.value, (squares[0], squares[1]))
    assert same == whole


def test_an_area_without_negatives_is_not_a_number_and_its_interval_says_nothing() -> None:
    area = delong.auc_of(np.ones(5, bool), np.arange(5.0))
    assert math.isnan(area.value)
    assert (area.interval().low, area.interval().high) == (0, 1)


@pytest.mark.parametrize("rows", [2, 3, 10, 100])
def test_a_perfect_area_is_not_certain_and_the_less_so_the_fewer_the_rows(rows: int) -> None:
    area = delong.auc_of(np.repeat([False, True], rows), np.arange(2.0 * rows))
    fewer = delong.auc_of(np.repeat([False, True], rows - 1), np.arange(2.0 * rows - 2))
    assert area.value == 1
    assert fewer.interval().low <= area.interval().low < 1 - 1 / (4 * rows)


def test_every_area_lies_in_its_interval() -> None:
    for seed in range(200):
        labels, scores, _ = drawn(15, 0.5, seed=seed)
        area = delong.auc_of(labels, scores)
        if not math.isnan(area.value):
            assert area.interval().low <= area.value <= area.interval().high or area.value in {0, 1}


def test_clusters_of_one_row_change_nothing_but_the_small_sample_factor() -> None:
    labels, scores, other = drawn(200)
    single = np.arange(200)
    plain, grouped = delong.auc_of(labels, scores), delong.auc_of(labels, scores, single)
    assert grouped.variance == pytest.approx(plain.variance, rel=1e-9)
    paired = delong.auc_difference(labels, scores, other, single)
    assert paired.variance == pytest.approx(delong.auc_difference(labels, scores, other).variance, rel=1e-9)


def test_repeating_every_row_in_its_cluster_does_not_make_the_area_more_certain() -> None:
    labels, scores, _ = drawn(150)
    ids = np.repeat(np.arange(150), 4)
    once, often = delong.auc_of(labels, scores), delong.auc_of(np.repeat(labels, 4), np.repeat(scores, 4), ids)
    assert often.variance == pytest.approx(once.variance, rel=1e-9)


def test_clustered_and_weighted_means_are_those_of_statsmodels() -> None:
    stream = np.random.default_rng(4)
    ids = stream.integers(0, 25, size=300)
    values, weights = stream.exponential(size=300) + ids / 10, stream.uniform(0.1, 3, size=300)
    for model in (sm.OLS(values, np.ones(300)), sm.WLS(values, np.ones(300), weights)):
        known = model.fit(cov_type="cluster", cov_kwds={"groups": ids}, use_t=True)
        ours = clusters.mean_of(values, model.weights * np.ones(300), clusters.codes_of(ids))
        assert ours.value == pytest.approx(known.params[0], rel=EXACT)
        assert ours.variance == pytest.approx(known.bse[0] ** 2, rel=EXACT)
        assert (ours.interval().low, ours.interval().high) == pytest.approx(tuple(known.conf_int()[0]), rel=EXACT)
    robust = sm.WLS(values, np.ones(300), weights).fit(cov_type="HC1")
    assert clusters.mean_of(values, weights).variance == pytest.approx(robust.bse[0] ** 2, rel=EXACT)


def test_repeated_rows_are_worth_as_many_rows_as_there_are_clusters() -> None:
    right = np.random.default_rng(2).random(400) < 0.8
    effect = clusters.design_effect(np.repeat(right, 5).astype(float), np.repeat(np.arange(400), 5))
    assert effect == pytest.approx(5, rel=1e-2)
    rows = clusters.effective_rows(np.repeat(right, 5).astype(float), np.repeat(np.arange(400), 5))
    assert 390 < rows <= 401


def test_one_cluster_is_worth_no_rows_at_all() -> None:
    assert clusters.effective_rows(np.array([0.0, 1.0, 1.0]), np.zeros(3, np.int64)) == 0


def test_clusters_that_are_all_right_count_once_each() -> None:
    assert clusters.design_effect(np.ones(40), np.repeat(np.arange(10), 4)) == pytest.approx(4)


def test_bca_of_rows_is_that_of_scipy_for_the_same_draws() -> None:
    rows = np.random.default_rng(8).lognormal(size=60)
    known = stats.bootstrap(
        (rows,), np.mean, n_resamples=999, method="BCa", rng=np.random.default_rng(3), batch=999
    ).confidence_interval
    how = resampling.Bootstrap(lambda: np.random.default_rng(3), 999)
    found = resampling.rows_interval(60, lambda chosen: float(rows[chosen].mean()), how)
    assert (found.low, found.high) == pytest.approx((known.low, known.high), rel=EXACT)


def test_bca_limits_are_those_of_rs_boot_for_the_same_resamples(tmp_path: Path) -> None:
    stream = np.random.default_rng(9)
    rows = stream.exponential(size=40)
    values = rows[stream.integers(0, 40, size=(1999, 40))].mean(axis=1)
    left_out = np.array([np.delete(rows, each).mean() for each in range(40)])
    code = (
        "suppressMessages(library(boot)); b <- boot(x, function(d, i) mean(d[i]), R=1999); b$t <- matrix(t, ncol=1)\n"
        "L <- mean(x) - left; L <- (length(x) - 1) * (mean(left) - left)\n"
        "options(digits=17); cat(boot.ci(b, type='bca', L=L, t0=mean(x), t=t)$bca[4:5])"
    )
    low, high = in_r(code, tmp_path, x=rows, t=values, left=left_out)
    found = resampling.bca(float(rows.mean()), values, (left_out, np.ones(40)))
    # R interpolates quantiles on the normal scale, numpy on the linear one: neighbours among 1,999 values
    gap = np.diff(np.sort(values))[-100:].max() + np.diff(np.sort(values))[:100].max()
    assert (found.low, found.high) == pytest.approx((low, high), abs=float(gap))


def f1_of(cells: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        return 2 * cells[..., 0] / (2 * cells[..., 0] + cells[..., 1] + cells[..., 2])


def test_drawing_cells_gives_the_interval_of_drawing_rows() -> None:
    counts = np.array([80, 20, 15, 385])
    outcomes = np.repeat(np.arange(4), counts)
    by_cells = resampling.cells_interval(counts, f1_of, resampling.bootstrap_of("cells", resamples=8000))
    by_rows = resampling.rows_interval(
        500,
        lambda chosen: float(f1_of(np.bincount(outcomes[chosen], minlength=4))),
        resampling.bootstrap_of("rows", resamples=8000),
    )
    assert (by_cells.low, by_cells.high) == pytest.approx((by_rows.low, by_rows.high), abs=0.005)


def test_drawing_clusters_of_cells_is_drawing_clusters_of_rows() -> None:
    stream = np.random.default_rng(12)
    ids = np.repeat(np.arange(60), 6)
    outcomes = (stream.integers(0, 4, size=60)[ids] + (stream.random(360) < 0.2)) % 4
    table = np.zeros((60, 4))
    np.add.at(table, (ids, outcomes), 1)
    by_cells = resampling.cells_interval(table, f1_of, resampling.bootstrap_of("cells", resamples=3000))
    by_rows = resampling.clusters_interval(
        ids,
        lambda chosen: float(f1_of(np.bincount(outcomes[chosen], minlength=4))),
        resampling.bootstrap_of("cells", resamples=3000),
    )
    assert (by_cells.low, by_cells.high) == pytest.approx((by_rows.low, by_rows.high), abs=EXACT)


def test_a_statistic_that_is_often_undefined_has_no_interval() -> None:
    found = resampling.cells_interval(np.array([1, 0, 0, 20]), f1_of, resampling.bootstrap_of("f1"))
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_the_same_purpose_always_draws_the_same_numbers_and_another_draws_others() -> None:
    assert generator("f1", "all").integers(1 << 60) == generator("f1", "all").integers(1 << 60)
    assert generator("f1", "all").integers(1 << 60) != generator("f1", "country=NO").integers(1 << 60)


def test_the_exact_permutation_test_is_that_of_scipy() -> None:
    differences = np.array([0.3, -0.1, 0.2, 0.0, 0.5, 0.4, -0.2, 0.1, 0.6, 0.05])
    known = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", alternative="two-sided", n_resamples=np.inf
    )
    assert permutation.sign_flips(differences, generator("p")).p_value == pytest.approx(known.pvalue, abs=EXACT)


def test_random_permutations_agree_with_students_test_on_many_rows() -> None:
    differences = np.random.default_rng(1).normal(0.12, 1, size=300)
    found = permutation.sign_flips(differences, generator("p"))
    assert found.p_value == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.02)


def test_permuting_who_was_right_is_mcnemars_exact_test() -> None:
    differences = np.repeat([1.0, -1.0, 0.0], [60, 42, 300])
    found = permutation.sign_flips(differences, generator("p"))
    assert found.p_value == pytest.approx(stats.binomtest(42, 102).pvalue, abs=0.02)


def test_permutations_of_clusters_flip_whole_clusters() -> None:
    ids = np.repeat(np.arange(10), 50)
    differences = np.repeat(np.random.default_rng(3).normal(0.3, 1, size=10), 50)
    grouped = permutation.sign_flips(differences, generator("p"), ids)
    assert grouped.p_value > 100 * permutation.sign_flips(differences, generator("p")).p_value or grouped.p_value > 0.01
    assert grouped.method == "paired-permutation-exact"


@pytest.mark.parametrize("size", [1e-160, 1e-300, 1e100])
def test_a_mean_of_tiny_or_huge_values_has_the_skewness_of_their_shape(size: float) -> None:
    values = np.array([0.0, 0.0, 1.0, 4.0]) * size
    assert clusters.mean_of(values).skewness == pytest.approx(
        clusters.mean_of(np.array([0.0, 0.0, 1.0, 4.0])).skewness, abs=0.2
    )
