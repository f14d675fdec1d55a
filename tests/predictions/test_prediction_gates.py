"""Gates on files of predictions: value and interval, pairs of models, slices, groups, families."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judging import judged, rows, two, verdict, write
from scipy import stats
from sklearn import metrics as sklearn
from statsmodels.stats.multitest import multipletests

from mlops_action.statistics.paired import Pairs, newcombe_paired
from mlops_action.vocabulary import Outcome


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    two(tmp_path)
    return tmp_path


def area(data: dict[str, Any]) -> float:
    return float(sklearn.roc_auc_score(data["label"], data["score"]))


# --- the value and its interval


def test_a_gate_passes_when_the_whole_interval_is_within_the_limit(folder: Path) -> None:
    found = verdict(folder, "metric: roc_auc, min: 0.8")
    assert found.outcome is Outcome.PASS
    assert float(found.value or 0) == pytest.approx(area(rows(noise=0.3)), abs=1e-12)
    assert found.evidence is not None
    assert (found.evidence.quantity, found.evidence.method, found.evidence.rows) == ("value", "delong-score", 2000)
    assert found.evidence.low is not None
    assert found.evidence.low > 0.8


def test_a_gate_fails_when_the_whole_interval_is_beyond_the_limit(folder: Path) -> None:
    found = verdict(folder, "metric: roc_auc, min: 0.95")
    assert found.outcome is Outcome.FAIL
    assert "the limit is broken" in found.message


def test_an_interval_on_both_sides_of_the_limit_cannot_tell(folder: Path) -> None:
    found = verdict(folder, f"metric: roc_auc, min: {area(rows(noise=0.3)):.3f}")
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "inconclusive")
    assert "rows would tell" in found.hint


def test_the_value_alone_decides_when_nothing_has_to_be_proven(folder: Path) -> None:
    limit = area(rows(noise=0.3))
    assert verdict(folder, f"metric: roc_auc, min: {limit - 0.001}, prove: none").outcome is Outcome.PASS
    assert verdict(folder, f"metric: roc_auc, min: {limit + 0.001}, prove: none").outcome is Outcome.FAIL


def test_a_failure_that_must_be_proven_is_not_said_within_chance(folder: Path) -> None:
    found = verdict(folder, f"metric: roc_auc, min: {area(rows(noise=0.3)) + 0.001}, prove: fail")
    assert found.outcome is Outcome.PASS
    assert "within chance" in found.message


def test_a_higher_confidence_asks_for_more(folder: Path) -> None:
    gate = f"metric: accuracy, min: {0.0}"
    low = [verdict(folder, f"{gate}, confidence: {level}").evidence for level in ("90%", "99.9%")]
    assert all(each is not None for each in low)
    assert low[0].low > low[1].low  # type: ignore[union-attr,operator]


def test_an_interval_of_one_cluster_proves_nothing(tmp_path: Path) -> None:
    write(tmp_path / "new.parquet", rows(user=np.zeros(2000, int)))
    test = "{file: new.parquet, task: binary, score: score, cluster: user}"
    found = verdict(tmp_path, "metric: average_precision, min: 0.1", test)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "its interval says nothing (2,000 rows)" in found.message
    assert verdict(tmp_path, "metric: average_precision, min: 0.1, prove: none", test).outcome is Outcome.PASS


# --- two models on the same rows


def counts(one: dict[str, Any], other: dict[str, Any]) -> tuple[int, int]:
    right = [(data["score"] >= 0.5) == data["label"] for data in (one, other)]
    return int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())


def test_accuracy_is_compared_row_by_row_with_newcombes_interval_and_mcnemars_test(folder: Path) -> None:
    found = verdict(folder, "metric: accuracy, max-drop: 0, prove: fail, confidence: 90%")
    won, lost = counts(rows(noise=0.3), rows())
    assert found.evidence is not None
    assert float(found.evidence.p_value or 0) == pytest.approx(
        stats.binomtest(won, won + lost, 0.5, "less").pvalue, abs=1e-12
    )
    assert found.evidence.test == "mcnemar-worse-exact"
    both = int(
        (((rows(noise=0.3)["score"] >= 0.5) == rows()["label"]) & ((rows()["score"] >= 0.5) == rows()["label"])).sum()
    )
    interval = newcombe_paired(Pairs(both, won, lost, 2000 - both - won - lost), 0.9)
    assert float(found.evidence.low or 0) == pytest.approx(interval.low, abs=1e-12)
    assert found.evidence.method == "newcombe-paired"


@pytest.mark.parametrize(
    ("metric", "method"),
    [
        ("roc_auc", "student"),
        ("log_loss", "student"),
        ("brier", "student"),
        ("recall", "newcombe-paired"),
        ("specificity", "newcombe-paired"),
        ("precision", "bootstrap-bca"),
        ("f1", "bootstrap-bca"),
        ("mcc", "bootstrap-bca"),
        ("balanced_accuracy", "bootstrap-bca"),
        ("average_precision", "student"),
        ("ece", "bootstrap-bca"),
        ("calibration_slope", "student"),
        ("calibration_intercept", "student"),
    ],
)
def test_every_metric_is_compared_with_an_interval_of_the_difference(folder: Path, metric: str, method: str) -> None:
    found = verdict(folder, f"metric: {metric}, direction: higher, max-drop: 0.9", _CALIBRATED)
    assert found.outcome is Outcome.PASS
    assert found.evidence is not None
    assert (found.evidence.quantity, found.evidence.method) == ("difference", method)
    assert found.value is not None
    assert found.baseline_value is not None
    assert float(found.evidence.estimate or 0) == pytest.approx(float(found.value - found.baseline_value), abs=1e-9)
    assert found.evidence.low is not None
    assert found.evidence.high is not None
    assert found.evidence.low < found.evidence.estimate < found.evidence.high  # type: ignore[operator]


_PAIRED = "{file: new.parquet, baseline: old.parquet, task: binary, score: score, id: id}"
_CALIBRATED = "{file: new.parquet, baseline: old.parquet, task: binary, score: score, id: id, calibration: true}"


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "calibration_slope"])
def test_pairs_tell_more_than_two_samples_of_other_rows(folder: Path, metric: str) -> None:
    alone = _CALIBRATED.replace("id: id, ", "")
    gate = f"metric: {metric}, direction: higher, max-drop: 0.9"
    pairs, apart = (verdict(folder, gate, test).evidence for test in (_CALIBRATED, alone))
    assert pairs is not None
    assert apart is not None
    assert pairs.high - pairs.low < (apart.high - apart.low) / 2  # type: ignore[operator]
    assert apart.method == "square-and-add"


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision"])
def test_two_models_that_rank_a_few_rows_perfectly_are_not_proven_to_be_alike(tmp_path: Path, metric: str) -> None:
    label = np.arange(10) < 4
    score, shuffled = np.linspace(0.9, 0.1, 10), [1, 0, 2, 3, 5, 4, 6, 7, 9, 8]
    for name, each in (("new", score), ("old", score[shuffled])):
        write(tmp_path / f"{name}.parquet", {"id": np.arange(10), "label": label.astype(int), "score": each})
    assert verdict(tmp_path, f"metric: {metric}, max-drop: 0.01", _PAIRED).outcome is Outcome.INCONCLUSIVE


def test_a_model_whose_scores_are_only_stretched_has_the_same_area_for_certain(tmp_path: Path) -> None:
    data = rows(300)
    write(tmp_path / "old.parquet", data)
    write(tmp_path / "new.parquet", data | {"score": data["score"] ** 2})
    for metric in ("roc_auc", "average_precision"):
        found = verdict(tmp_path, f"metric: {metric}, max-drop: 0.0001")
        assert (found.outcome, found.evidence and found.evidence.low) == (Outcome.PASS, 0), metric


def test_weighted_rows_of_two_models_are_compared_in_pairs(tmp_path: Path) -> None:
    weight = np.random.default_rng(9).uniform(0.5, 2, 2000)
    for name, noise in (("new", 0.3), ("old", 0.0)):
        write(tmp_path / f"{name}.parquet", rows(noise=noise, weight=weight))
    test = _CALIBRATED.replace("id: id", "id: id, weight: weight")
    for metric in ("roc_auc", "average_precision", "f1", "mcc", "precision", "ece", "calibration_slope"):
        found = verdict(tmp_path, f"metric: {metric}, direction: higher, max-drop: 0.9", test).evidence
        assert found is not None, metric
        assert found.method == ("bootstrap-bca" if metric == "ece" else "student")
        assert found.low < found.estimate < found.high, metric  # type: ignore[operator]


def test_rows_without_ids_are_compared_as_other_rows_and_the_verdict_says_so(folder: Path) -> None:
    found = verdict(
        folder,
        "metric: accuracy, max-drop: 0.5",
        "{file: new.parquet, baseline: old.parquet, task: binary, score: score}",
    )
    assert found.evidence is not None
    assert found.evidence.method == "newcombe-independent"
    assert "no `id`" in found.notes[0]


def test_a_changed_evaluation_set_is_compared_on_the_rows_that_both_hold(tmp_path: Path) -> None:
    place = np.arange(2000)
    write(tmp_path / "old.parquet", rows(), place >= 200)
    write(tmp_path / "new.parquet", rows(noise=0.3), place < 1900)
    found = verdict(tmp_path, "metric: roc_auc, max-drop: 0.5")
    shared = (place >= 200) & (place < 1900)
    old, new = ({name: values[shared] for name, values in rows(noise=noise).items()} for noise in (0.0, 0.3))
    assert float(found.baseline_value or 0) == pytest.approx(area(old), abs=1e-12)
    assert float(found.value or 0) == pytest.approx(area(new), abs=1e-12)
    assert found.notes == (
        "compared on the 1,700 rows that both files hold: the candidate has 1,900, the baseline 1,800",
    )


def test_a_candidate_that_leaves_out_rows_is_not_compared(folder: Path) -> None:
    data = rows(noise=1.0)
    right = (data["score"] >= 0.5) == data["label"]
    write(folder / "new.parquet", data, right)
    found = verdict(folder, "metric: accuracy, max-drop: 0.01")
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "broken")
    assert "of the baseline's 2,000 rows, and 90% are needed" in found.message
    allowed = _PAIRED.replace("id: id", "id: id, min-coverage: 10%")
    assert verdict(folder, "metric: accuracy, max-drop: 0.01", allowed).outcome is Outcome.PASS


def test_the_order_of_rows_does_not_matter(folder: Path) -> None:
    before = verdict(folder, "metric: accuracy, max-drop: 0.01")
    mixed = np.random.default_rng(3).permutation(2000)
    write(folder / "old.parquet", {name: values[mixed] for name, values in rows().items()})
    after = verdict(folder, "metric: accuracy, max-drop: 0.01")
    assert (after.message, after.evidence) == (before.message, before.evidence)


def test_ids_of_another_kind_are_converted_and_what_cannot_be_is_an_error(folder: Path) -> None:
    write(folder / "old.parquet", rows(id=np.arange(2000).astype(str)))
    assert verdict(folder, "metric: accuracy, max-drop: 0.5").outcome is Outcome.PASS
    write(folder / "old.parquet", rows(id=[f"row-{each}" for each in range(2000)]))
    found = verdict(folder, "metric: accuracy, max-drop: 0.5")
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "broken")


def test_other_truths_than_in_the_baseline_are_named(folder: Path) -> None:
    other = rows()
    other["label"] = np.where(np.arange(2000) < 7, 1 - other["label"], other["label"])
    write(folder / "old.parquet", other)
    found = verdict(folder, "metric: accuracy, max-drop: 0.5")
    assert "7 rows have another truth than in the baseline; the candidate's is used" in found.notes


@pytest.mark.parametrize(
    ("data", "keep", "says"),
    [
        (rows(id=np.arange(2000) + 5000), None, "no `id` of the baseline is among the candidate's"),
        (rows(id=np.arange(2000) // 2), None, "more than once"),
        ({"id": [1]}, None, "there is no column `label`"),
    ],
)
def test_a_baseline_that_cannot_be_compared_is_inconclusive(
    folder: Path, data: dict[str, Any], keep: Any, says: str
) -> None:
    write(folder / "old.parquet", data, keep)
    found = verdict(folder, "metric: accuracy, max-drop: 0.5")
    assert found.outcome is Outcome.INCONCLUSIVE
    assert says in found.message


def test_a_baseline_that_is_missing_is_inconclusive(folder: Path) -> None:
    (folder / "old.parquet").unlink()
    found = verdict(folder, "metric: accuracy, max-drop: 0.5")
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "missing")


def test_a_file_is_not_compared_with_itself(folder: Path) -> None:
    found = verdict(folder, "metric: accuracy, max-drop: 0.5, baseline: ./new.parquet")
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "the very file" in found.message


def test_identical_predictions_are_named(folder: Path) -> None:
    (folder / "old.parquet").write_bytes((folder / "new.parquet").read_bytes())
    found = verdict(folder, "metric: roc_auc, max-drop: 0.01")
    assert found.outcome is Outcome.PASS
    assert "identical" in found.notes[0]


def test_an_improvement_that_must_be_proven_needs_the_whole_interval(folder: Path) -> None:
    two(folder, noise=1.0)
    swapped = "{file: old.parquet, baseline: new.parquet, task: binary, score: score, id: id}"
    assert verdict(folder, "metric: roc_auc, min-gain: 0.001", swapped).outcome is Outcome.PASS
    assert verdict(folder, "metric: roc_auc, min-gain: 0.001").outcome is Outcome.FAIL


def test_both_files_and_the_seed_are_recorded(folder: Path) -> None:
    found = verdict(folder, "metric: f1, max-drop: 0.5")
    assert found.reading_digest.startswith("sha256:")
    assert found.baseline is not None
    assert found.baseline.digest.startswith("sha256:")
    assert found.evidence is not None
    assert found.evidence.seed == 20_250_511


def test_a_shift_of_prevalence_is_flagged(tmp_path: Path) -> None:
    everything = rows(4000)
    write(tmp_path / "old.parquet", everything)
    write(tmp_path / "new.parquet", everything, (everything["label"] == 1) | (np.arange(4000) % 3 == 0))
    test = "{file: new.parquet, baseline: old.parquet, task: binary, score: score}"
    assert any(
        "share of positives went from" in note for note in verdict(tmp_path, "metric: f1, max-drop: 0.5", test).notes
    )


# --- slices


def test_each_slice_is_judged_and_the_worst_is_named(folder: Path) -> None:
    bad = rows(noise=0.3)
    bad["score"] = np.where(bad["region"] == "east", 1 - bad["score"], bad["score"])
    write(folder / "new.parquet", bad)
    found = verdict(folder, "metric: accuracy, max-drop: 0.02, slices: all")
    assert found.outcome is Outcome.FAIL
    assert found.message.startswith("3 of 9 slices failed; the worst is region=east")
    assert len(found.parts) == 9
    assert {part.name for part in found.parts if part.outcome is Outcome.FAIL} == {
        "region=east",
        "region=east & kind=a",
        "region=east & kind=b",
    }


def test_p_values_are_corrected_by_holm_over_all_gates_that_block(folder: Path) -> None:
    found = judged(
        folder,
        """
one: {predictions: test, metric: accuracy, max-drop: 0, slices: [region]}
two: {predictions: test, metric: recall, max-drop: 0, slices: [region]}
three: {predictions: test, metric: specificity, max-drop: 0, slices: [region], severity: warn}
""",
    ).verdicts
    evidence = [part.evidence for each in found for part in each.parts]
    blocking = [each for each in evidence if each is not None and each.correction == "holm"]
    assert [each.family for each in blocking] == [6] * 6
    adjusted = multipletests([float(each.p_value or 0) for each in blocking], method="holm")[1]
    assert [float(each.adjusted or 0) for each in blocking] == pytest.approx(adjusted)
    others = [each for each in evidence if each is not None and each.correction == "benjamini-hochberg"]
    adjusted = multipletests([float(each.p_value or 0) for each in others], method="fdr_bh")[1]
    assert [float(each.adjusted or 0) for each in others] == pytest.approx(adjusted)


def test_a_slice_with_too_few_rows_is_inconclusive_or_only_named(folder: Path) -> None:
    place = np.arange(2000)
    new = rows(region=np.where(place < 12, "tiny", rows()["region"]))
    for name in ("old", "new"):
        write(folder / f"{name}.parquet", new)
    gate = "metric: accuracy, max-drop: 0.2, slices: [region]"
    found = verdict(folder, gate)
    assert (found.outcome, found.undecided, found.slice) == (Outcome.INCONCLUSIVE, "inconclusive", "region=tiny")
    assert "12 rows (30 are needed)" in found.message
    named = verdict(folder, f"{gate}, small-slices: name")
    assert named.outcome is Outcome.PASS
    assert [(part.name, part.counted) for part in named.parts if not part.counted] == [("region=tiny", False)]
    assert verdict(folder, f"{gate}, min-n: 10").outcome is Outcome.PASS


def test_slices_that_are_all_too_small_are_no_pass(folder: Path) -> None:
    gate = "metric: accuracy, min: 0, slices: all, min-n: 5000, small-slices: name"
    found = verdict(folder, gate)
    assert (found.outcome, found.message) == (Outcome.INCONCLUSIVE, "no slice is large enough to be judged")


def test_an_interval_that_says_nothing_is_no_pass_where_failures_must_be_proven(folder: Path) -> None:
    data = rows(noise=3.0)
    write(folder / "new.parquet", data | {"user": np.zeros(2000, int)})
    test = _PAIRED.replace("id: id", "id: id, cluster: user, slices: [region]")
    for limit in ("max-drop: 0.001", "min: 0.99"):
        found = verdict(folder, f"metric: accuracy, {limit}, slices: all", test)
        assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "inconclusive")
        assert "says nothing" in found.message


def test_one_group_is_not_fair(folder: Path) -> None:
    write(folder / "new.parquet", rows(region=["north"] * 2000))
    found = verdict(folder, "metric: recall, groups: region, max-gap: 1")
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "missing")


def test_too_few_of_a_class_are_too_few_for_what_depends_on_it(folder: Path) -> None:
    few = rows(label=(np.arange(2000) < 4).astype(int))
    write(folder / "new.parquet", few)
    assert "4 positives (10 are needed)" in verdict(folder, "metric: roc_auc, min: 0.1").message
    assert "positives" not in verdict(folder, "metric: accuracy, min: 0.1").message


def test_slices_that_are_gone_make_it_inconclusive_and_new_ones_are_named(folder: Path) -> None:
    region = rows()["region"]
    write(folder / "new.parquet", rows(noise=0.3, region=np.where(region == "east", "west", region)))
    gate = "metric: accuracy, max-drop: 0.2, slices: [region]"
    found = verdict(folder, gate)
    said = {part.name: (part.outcome, part.counted, part.message) for part in found.parts}
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "missing")
    assert said["region=east"][2].startswith("it is gone: the baseline has 666 rows")
    assert said["region=west"][:2] == (Outcome.INCONCLUSIVE, False)
    assert "it is new" in said["region=west"][2]


def test_expected_slices_that_are_not_there_make_it_inconclusive(folder: Path) -> None:
    test = "{file: new.parquet, task: binary, score: score, slices: [region], expected: {region: [north, south, west]}}"
    found = verdict(folder, "metric: accuracy, min: 0.1, slices: [region]", test)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "no row with the expected value `west`" in found.message
    assert found.notes == ("`region` has values that are not `expected`: east",)


def test_a_slice_that_does_not_exist_is_missing(folder: Path) -> None:
    found = verdict(folder, "metric: accuracy, min: 0.1, slice: region=nort")
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "missing")
    assert "region=north" in found.hint


def test_one_slice_can_be_judged_alone(folder: Path) -> None:
    found = verdict(folder, "metric: accuracy, min: 0.5, slice: region=north & kind=a")
    assert found.outcome is Outcome.PASS
    assert found.evidence is not None
    assert found.evidence.rows == 334


def test_an_undefined_metric_is_not_0(folder: Path) -> None:
    write(folder / "new.parquet", rows(label=np.zeros(2000, int)))
    found = verdict(folder, "metric: recall, max: 0.5, min-positives: 0")
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "undefined")
    assert "positives: 0" in found.message


# --- groups


def test_a_gap_between_groups_is_judged_with_its_interval(folder: Path) -> None:
    found = verdict(folder, "metric: recall, groups: region, max-gap: 0.5")
    assert found.outcome is Outcome.PASS
    assert len(found.parts) == 3
    assert {part.evidence.quantity for part in found.parts if part.evidence} == {"gap"}
    assert verdict(folder, "metric: recall, groups: region, max-gap: 0.01").outcome is Outcome.INCONCLUSIVE


def test_a_group_without_positives_is_undefined_and_not_equal(folder: Path) -> None:
    data = rows()
    write(folder / "new.parquet", data | {"label": np.where(data["region"] == "east", 0, data["label"])})
    found = verdict(folder, "metric: recall, groups: region, max-gap: 1, min-positives: 0")
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "undefined")


def test_a_ratio_of_groups_is_that_of_the_smaller_to_the_larger(folder: Path) -> None:
    data = rows()
    said = data["score"] >= 0.5
    rates = sorted(float(said[data["region"] == name].mean()) for name in ("north", "south", "east"))
    write(folder / "new.parquet", data)
    found = verdict(folder, "metric: selection_rate, groups: region, min-ratio: 0.5")
    assert found.outcome is Outcome.PASS
    least = min(float(part.evidence.estimate or 0) for part in found.parts if part.evidence)
    assert least == pytest.approx(rates[0] / rates[-1])


def test_the_four_fifths_rule_fails_when_it_is_proven_broken(folder: Path) -> None:
    data = rows()
    write(
        folder / "new.parquet", data | {"score": np.where(data["region"] == "east", data["score"] / 3, data["score"])}
    )
    found = verdict(folder, "metric: selection_rate, groups: region, min-ratio: 0.8")
    assert found.outcome is Outcome.FAIL
    assert "region=east" in found.slice


# --- the file itself


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("rows", 2000),
        ("null_share", 0.01),
        ("null_share.score", 0.01),
        ("null_share.label", 0),
        ("repeated_ids", 3),
        ("join_coverage", 1 - 3 / 2000),
        ("new_share", 0),
    ],
)
def test_counts_of_the_file_are_judged_as_they_are(folder: Path, metric: str, value: float) -> None:
    data = rows()
    data["score"] = np.where(np.arange(2000) < 20, np.nan, data["score"])
    data["id"] = np.where(np.arange(2000) < 3, 500, data["id"])
    write(folder / "new.parquet", data)
    found = verdict(folder, f"metric: {metric}, range: [{value - 1e-9}, {value + 1e-9}]")
    assert (found.outcome, float(found.value or 0)) == (Outcome.PASS, pytest.approx(value, abs=1e-12))
    assert found.evidence is None
    assert verdict(folder, f"metric: {metric}, min: {value + 0.001}").outcome is Outcome.FAIL


def test_a_column_that_is_not_there_has_no_share_of_holes(folder: Path) -> None:
    found = verdict(folder, "metric: null_share.scor, max: 0")
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "undefined")
    assert "null_share.score" in found.hint
