"""Gates on regression, multiclass and multilabel predictions, and on rows with clusters and weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from judging import rows, verdict, write
from scipy import stats
from sklearn import metrics as sklearn

from mlops_action.metrics.predictions.measure import measure
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.vocabulary import Outcome, Task

REGRESSION = "{file: new.parquet, baseline: old.parquet, task: regression, prediction: said, id: id, slices: [half]}"
CLASSES = ("cat", "dog", "eel")
MULTICLASS = (
    "{file: new.parquet, baseline: old.parquet, task: multiclass, id: id, scores: {cat: p0, dog: p1, eel: p2}, "
    "slices: [half]}"
)


def numbers(noise: float) -> dict[str, Any]:
    stream = np.random.default_rng(4)
    truth = stream.normal(10, 3, 900)
    said = truth + stream.normal(0, 1, 900) + np.random.default_rng(5).normal(0, noise, 900)
    return {"id": np.arange(900), "label": truth, "said": said, "half": np.where(np.arange(900) < 450, "a", "b")}


def classes(noise: float) -> dict[str, Any]:
    stream = np.random.default_rng(6)
    truth = stream.integers(0, 3, 900)
    odds = 1.5 * np.eye(3)[truth] + stream.normal(size=(900, 3)) + np.random.default_rng(7).normal(0, noise, (900, 3))
    p = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    label = np.array(CLASSES)[truth]
    columns = {f"p{place}": p[:, place] for place in range(3)}
    return {"id": np.arange(900), "label": label, "half": np.where(np.arange(900) < 450, "a", "b"), **columns}


def both(folder: Path, make: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    new, old = make(0.5), make(0.01)
    write(folder / "new.parquet", new)
    write(folder / "old.parquet", old)
    return new, old


def interval(folder: Path, metric: str, test: str, more: str = "") -> tuple[float, float, float]:
    evidence = verdict(folder, f"metric: {metric}, direction: lower, max-drop: 1000, {more}", test).evidence
    assert evidence is not None
    return tuple(float(each or 0) for each in (evidence.estimate, evidence.low, evidence.high))  # type: ignore[return-value]


def spread(difference: Callable[[Any], float], draws: int) -> float:
    """The standard deviation of a difference over resamples of the 900 rows."""
    stream = np.random.default_rng(8)
    return float(np.std([difference(stream.integers(0, 900, 900)) for _ in range(draws)]))


@pytest.mark.parametrize("metric", ["mae", "mse", "bias", "mape", "quantile_loss"])
def test_mean_losses_of_regression_are_compared_by_the_paired_t_interval(tmp_path: Path, metric: str) -> None:
    new, old = both(tmp_path, numbers)
    loss = {
        "mae": lambda e, y: np.abs(e),
        "mse": lambda e, y: e * e,
        "bias": lambda e, y: e,
        "mape": lambda e, y: np.abs(e / y),
        "quantile_loss": lambda e, y: np.abs(e) / 2,
    }[metric]
    one, other = (loss(data["said"] - data["label"], data["label"]) for data in (new, old))
    theirs = stats.ttest_rel(one, other)
    ours = interval(tmp_path, metric, REGRESSION)
    assert ours[1:] == pytest.approx(tuple(theirs.confidence_interval(0.95)), abs=1e-9)


@pytest.mark.parametrize("metric", ["rmse", "r2", "explained_variance"])
def test_what_is_no_mean_is_compared_by_its_linear_approximation(tmp_path: Path, metric: str) -> None:
    new, old = both(tmp_path, numbers)
    judge = {
        "rmse": sklearn.root_mean_squared_error,
        "r2": sklearn.r2_score,
        "explained_variance": sklearn.explained_variance_score,
    }[metric]

    def difference(chosen: Any) -> float:
        one, other = (judge(data["label"][chosen], data["said"][chosen]) for data in (new, old))
        return float(one - other)

    estimate, low, high = interval(tmp_path, metric, REGRESSION)
    assert estimate == pytest.approx(difference(np.arange(900)), abs=1e-9)
    assert (high - low) / (2 * 1.963) == pytest.approx(spread(difference, 400), rel=0.12)


def test_multiclass_accuracy_and_losses_are_compared_row_by_row(tmp_path: Path) -> None:
    new, old = both(tmp_path, classes)
    place = {name: number for number, name in enumerate(CLASSES)}
    truth = np.array([place[each] for each in new["label"]])
    scores = [np.stack([data[f"p{each}"] for each in range(3)], axis=1) for data in (new, old)]
    right = [each.argmax(axis=1) == truth for each in scores]
    estimate, *_ = interval(tmp_path, "accuracy", MULTICLASS)
    assert estimate == pytest.approx(float(right[0].mean() - right[1].mean()), abs=1e-12)
    losses = [-np.log(each[np.arange(900), truth]) for each in scores]
    theirs = stats.ttest_rel(*losses).confidence_interval(0.95)
    assert interval(tmp_path, "log_loss", MULTICLASS)[1:] == pytest.approx(tuple(theirs), abs=1e-9)
    found = verdict(tmp_path, "metric: accuracy, max-drop: 0, prove: fail, slices: [half]", MULTICLASS)
    assert found.evidence is not None
    assert found.evidence.test == "mcnemar-worse-exact"
    assert verdict(tmp_path, "metric: macro_f1, max-drop: 0.5", MULTICLASS).outcome is Outcome.PASS


def test_each_label_of_a_multilabel_task_is_compared_row_by_row(tmp_path: Path) -> None:
    for name, noise in (("new", 0.3), ("old", 0.0)):
        data = rows(noise=noise)
        write(tmp_path / f"{name}.parquet", {"id": data["id"], "urgent": data["label"], "score": data["score"]})
    test = (
        "{file: new.parquet, baseline: old.parquet, task: multilabel, id: id, labels: {urgent: urgent}, "
        "scores: {urgent: score}}"
    )
    found = verdict(tmp_path, "metric: urgent/roc_auc, direction: higher, max-drop: 0.5", test)
    assert (found.outcome, found.evidence and found.evidence.method) == (Outcome.PASS, "student")


@pytest.mark.parametrize("metric", ["balanced_accuracy", "macro_f1", "macro_precision", "macro_recall", "mcc"])
def test_what_is_over_the_classes_is_compared_row_by_row(tmp_path: Path, metric: str) -> None:
    new, old = both(tmp_path, classes)
    judge = {
        "balanced_accuracy": sklearn.balanced_accuracy_score,
        "macro_f1": lambda y, said: sklearn.f1_score(y, said, average="macro"),
        "macro_precision": lambda y, said: sklearn.precision_score(y, said, average="macro"),
        "macro_recall": lambda y, said: sklearn.recall_score(y, said, average="macro"),
        "mcc": sklearn.matthews_corrcoef,
    }[metric]
    said = [
        np.array(CLASSES)[np.stack([data[f"p{each}"] for each in range(3)], axis=1).argmax(axis=1)]
        for data in (new, old)
    ]

    def difference(chosen: Any) -> float:
        one, other = (judge(new["label"][chosen], each[chosen]) for each in said)
        return float(one - other)

    estimate, low, high = interval(tmp_path, metric, MULTICLASS)
    assert estimate == pytest.approx(difference(np.arange(900)), abs=1e-9)
    assert (high - low) / (2 * 1.97) == pytest.approx(spread(difference, 200), rel=0.15)


def test_a_class_that_only_the_baseline_predicts_is_one_of_its_classes(tmp_path: Path) -> None:
    label = np.array(["cat", "dog"] * 50)
    write(tmp_path / "new.parquet", {"id": np.arange(100), "label": label, "said": label})
    write(
        tmp_path / "old.parquet", {"id": np.arange(100), "label": label, "said": np.where(label == "cat", "cat", "eel")}
    )
    test = "{file: new.parquet, baseline: old.parquet, task: multiclass, prediction: said, id: id}"
    found = verdict(tmp_path, "metric: macro_f1, max-drop: 0", test)
    assert float(found.baseline_value or 0) == pytest.approx(1 / 3)
    assert found.evidence is not None
    assert float(found.evidence.estimate or 0) == pytest.approx(2 / 3)


@pytest.mark.parametrize("metric", ["subset_accuracy", "hamming_loss", "micro_f1", "macro_f1"])
def test_all_labels_of_a_multilabel_task_are_compared_row_by_row(tmp_path: Path, metric: str) -> None:
    labels = [rows(seed=seed) for seed in (1, 2, 3)]
    for name, noise in (("new", 0.4), ("old", 0.0)):
        said = [rows(noise=noise, seed=seed)["score"] for seed in (1, 2, 3)]
        columns = {f"p{place}": each for place, each in enumerate(said)}
        columns |= {f"y{place}": each["label"] for place, each in enumerate(labels)}
        write(tmp_path / f"{name}.parquet", {"id": np.arange(2000), **columns})
    test = (
        "{file: new.parquet, baseline: old.parquet, task: multilabel, id: id, labels: {a: y0, b: y1, c: y2}, "
        "scores: {a: p0, b: p1, c: p2}}"
    )
    pairs = verdict(tmp_path, f"metric: {metric}, direction: higher, max-drop: 0.5", test)
    apart = verdict(tmp_path, f"metric: {metric}, direction: higher, max-drop: 0.5", test.replace("id: id, ", ""))
    assert pairs.evidence is not None
    assert apart.evidence is not None
    assert pairs.evidence.low is not None
    assert pairs.evidence.high - pairs.evidence.low < apart.evidence.high - apart.evidence.low  # type: ignore[operator]
    expected = float(pairs.value or 0) - float(pairs.baseline_value or 0)
    assert float(pairs.evidence.estimate or 0) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("metric", ["mrr", "ndcg@5", "map@10"])
def test_rankings_are_compared_query_by_query(tmp_path: Path, metric: str) -> None:
    stream = np.random.default_rng(4)
    label = stream.integers(0, 3, 900)
    signal = label / 3 + stream.normal(size=900)
    values = []
    for name, noise in (("new", 0.5), ("old", 0.0)):
        score = signal + noise * np.random.default_rng(5).normal(size=900)
        data = {"id": np.arange(900), "label": label, "score": score, "query": np.arange(900) // 9}
        write(tmp_path / f"{name}.parquet", data)
        alone = (write(tmp_path / "one.parquet", data, data["query"] == query) for query in range(100))
        found = (measure(path, Roles(Task.RANKING, "label", "score", query="query"))[0].metrics for path in alone)
        values.append([each[metric].value for each in found if each[metric].value is not None])
    test = "{file: new.parquet, baseline: old.parquet, task: ranking, query: query, score: score, id: id}"
    theirs = stats.ttest_rel(*values)
    assert interval(tmp_path, metric, test)[1:] == pytest.approx(tuple(theirs.confidence_interval(0.95)), abs=1e-9)
    found = verdict(tmp_path, f"metric: {metric}, max-drop: 0, prove: fail", test).evidence
    assert found is not None
    assert "permutation" in found.test
    assert float(found.p_value or 0) == pytest.approx(theirs.pvalue / 2, rel=0.3, abs=0.005)


# --- clusters and weights


def test_the_variance_of_clustered_losses_is_that_of_statsmodels(tmp_path: Path) -> None:
    new, _ = both(tmp_path, numbers)
    user = np.arange(900) // 5
    write(tmp_path / "new.parquet", new | {"user": user})
    test = "{file: new.parquet, task: regression, prediction: said, cluster: user}"
    evidence = verdict(tmp_path, "metric: mae, max: 100", test).evidence
    loss = np.abs(new["said"] - new["label"])
    fitted = sm.OLS(loss, np.ones(900)).fit(cov_type="cluster", cov_kwds={"groups": user}, use_t=True)
    assert evidence is not None
    assert (float(evidence.low or 0), float(evidence.high or 0)) == pytest.approx(tuple(fitted.conf_int()[0]), rel=1e-9)


@pytest.mark.parametrize("metric", ["accuracy", "recall", "roc_auc", "average_precision", "f1", "log_loss"])
def test_rows_that_repeat_each_other_do_not_count_twice(tmp_path: Path, metric: str) -> None:
    alone = "{file: NAME.parquet, baseline: old-NAME.parquet, task: binary, score: score, id: id, cluster: user}"
    for name, times in (("once", 1), ("thrice", 3)):
        for kind, noise in (("", 0.3), ("old-", 0.0)):
            data = {key: np.repeat(values, times) for key, values in rows(800, noise=noise).items()}
            data |= {"user": data["id"], "id": np.arange(800 * times)}
            write(tmp_path / f"{kind}{name}.parquet", data)
    widths = {}
    for name in ("once", "thrice"):
        for limit in ("min: -100", "max-drop: 100, direction: higher"):
            found = verdict(tmp_path, f"metric: {metric}, {limit}", alone.replace("NAME", name)).evidence
            assert found is not None
            widths[name, limit[:3]] = float((found.high or 0) - (found.low or 0))
    for limit in ("min", "max"):
        assert widths["thrice", limit] == pytest.approx(widths["once", limit], rel=0.06)


def test_weighted_multiclass_and_regression_metrics_are_scikit_learns(tmp_path: Path) -> None:
    weight = np.random.default_rng(9).uniform(0.5, 2, 900)
    data, truth = classes(0.5), numbers(0.5)
    write(tmp_path / "new.parquet", data | {"weight": weight})
    test = MULTICLASS.replace("baseline: old.parquet, ", "").replace("id: id", "weight: weight")
    said = np.array(CLASSES)[np.stack([data[f"p{each}"] for each in range(3)], axis=1).argmax(axis=1)]
    for metric, theirs in (
        ("accuracy", sklearn.accuracy_score(data["label"], said, sample_weight=weight)),
        ("macro_f1", sklearn.f1_score(data["label"], said, average="macro", sample_weight=weight)),
        ("mcc", sklearn.matthews_corrcoef(data["label"], said, sample_weight=weight)),
    ):
        assert float(verdict(tmp_path, f"metric: {metric}, min: 0", test).value or 0) == pytest.approx(theirs, abs=1e-9)
    write(tmp_path / "new.parquet", truth | {"weight": weight})
    test = "{file: new.parquet, task: regression, prediction: said, weight: weight}"
    for metric, theirs in (
        ("mae", sklearn.mean_absolute_error(truth["label"], truth["said"], sample_weight=weight)),
        ("r2", sklearn.r2_score(truth["label"], truth["said"], sample_weight=weight)),
        ("rmse", sklearn.root_mean_squared_error(truth["label"], truth["said"], sample_weight=weight)),
    ):
        assert float(verdict(tmp_path, f"metric: {metric}, max: 99", test).value or 0) == pytest.approx(
            theirs, abs=1e-9
        )
