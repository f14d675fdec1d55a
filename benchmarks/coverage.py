"""Do 95 % intervals cover 95 %, and do tests of 5 % reject 5 %? By seeded simulation, for docs/statistics.md.

python benchmarks/coverage.py                       # prints the tables
python benchmarks/coverage.py --draws 500           # quicker, coarser
python benchmarks/coverage.py --write docs/statistics.md
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from mlops_action.judgement.predictions.decide import corrected, say, tried
from mlops_action.judgement.predictions.trials import Trial
from mlops_action.metrics.predictions.binary import average_precision_interval
from mlops_action.metrics.predictions.binary_metrics import Outcomes, f_beta, outcome_metrics
from mlops_action.metrics.predictions.binary_rows import clustered_precision_at
from mlops_action.metrics.predictions.calibration import Claims, line_influences
from mlops_action.metrics.predictions.differences import difference_of_pairs
from mlops_action.metrics.predictions.multiclass import of_margins
from mlops_action.records import PlannedGate
from mlops_action.statistics import clusters, delong, influence, permutation
from mlops_action.statistics.distributions import binomial_cdf, binomial_pmf, normal_cdf
from mlops_action.statistics.margins import Comparison, compare
from mlops_action.statistics.means import difference_of_independent, mean_of_sums
from mlops_action.statistics.multiplicity import holm
from mlops_action.statistics.paired import Pairs, mcnemar_exact, mcnemar_mid_p, newcombe_paired
from mlops_action.statistics.power import paired_power
from mlops_action.statistics.proportions import clopper_pearson, newcombe, wilson
from mlops_action.statistics.results import Interval
from mlops_action.vocabulary import Outcome, Prove

SEED = 77
BEGIN, END = "<!-- coverage: begin -->", "<!-- coverage: end -->"
SHIFT = 1.5
AREA = normal_cdf(SHIFT / math.sqrt(2))
Draw = Callable[[np.random.Generator], Interval]


@dataclass(frozen=True)
class Case:
    """A method in a setting: what it should cover, and one interval from fresh data."""

    method: str
    setting: str
    truth: float
    draw: Draw


def scored(stream: np.random.Generator, rows: int, shift: float = SHIFT, spread: float = 1.0) -> tuple[Any, Any]:
    """Labels, 5 % of them positive, and normal scores whose area is ``AREA``; positives may spread more."""
    labels = stream.random(rows) < 0.05
    return labels, stream.normal(size=rows) * np.where(labels, spread, 1.0) + shift * labels


def probabilities(stream: np.random.Generator, rows: int) -> tuple[Any, Any]:
    """Calibrated probabilities with 5 % positives."""
    labels, scores = scored(stream, rows)
    return labels, 1 / (1 + np.exp(-(SHIFT * scores - SHIFT**2 / 2 + math.log(0.05 / 0.95))))


def log_losses(stream: np.random.Generator, rows: int) -> Any:
    labels, p = probabilities(stream, rows)
    return -np.log(np.where(labels, p, 1 - p))


def mean(values: Any) -> Any:
    return mean_of_sums(values.size, float(values.sum()), float((values**2).sum()), float((values**3).sum()))


CELLS = np.array([0.90, 0.05, 0.015, 0.035])
"""True negatives, false positives, false negatives, true positives: 5 % positives."""


def outcome(stream: np.random.Generator, rows: int, metric: str) -> Interval:
    counts = Outcomes(*(int(each) for each in stream.multinomial(rows, CELLS)))
    if metric == "f2":
        found = f_beta(counts, 2, str(counts), 0.95)
    else:
        found = outcome_metrics(counts, str(counts), 0.95)[metric]
    return found.interval or Interval(-math.inf, math.inf, 0.95, "")


def true_outcome(metric: str) -> float:
    counts = Outcomes(*(CELLS * 1e9).tolist())
    value = f_beta(counts, 2, "", 0.95) if metric == "f2" else outcome_metrics(counts, "", 0.95)[metric]
    return value.value if value.value is not None else math.nan


def grouped(stream: np.random.Generator, groups: int, size: int = 5) -> tuple[Any, Any]:
    """Cluster numbers, and for each cluster an effect that its rows share."""
    ids = np.repeat(np.arange(groups), size)
    return ids, stream.normal(size=groups)[ids]


def clustered_share(stream: np.random.Generator, groups: int) -> Interval:
    ids, effect = grouped(stream, groups)
    right = (0.8 * effect + 0.6 * stream.normal(size=ids.size) < 1.2816).astype(float)  # 90 %
    rows = clusters.effective_rows(right, ids)
    return wilson(right.mean() * rows, rows)


def clustered_mean(stream: np.random.Generator, groups: int) -> Interval:
    ids, effect = grouped(stream, groups)
    return clusters.mean_of(effect + stream.normal(size=ids.size), clusters=ids).interval()


def clustered_area(stream: np.random.Generator, groups: int) -> Interval:
    ids, effect = grouped(stream, groups)
    labels = stream.random(ids.size) < 0.2
    scores = 0.8 * effect + 0.6 * stream.normal(size=ids.size) + SHIFT * labels
    return delong.auc_of(labels, scores, ids).interval()


def naive_share(stream: np.random.Generator, groups: int) -> Interval:
    ids, effect = grouped(stream, groups)
    right = 0.8 * effect + 0.6 * stream.normal(size=ids.size) < 1.2816
    return wilson(int(right.sum()), right.size)


def paired_table(stream: np.random.Generator, rows: int, drop: float = 0.0, disagreement: float = 0.06) -> Pairs:
    shares = [0.85, (disagreement - drop) / 2, (disagreement + drop) / 2, 0.15 - disagreement]
    return Pairs(*(int(each) for each in stream.multinomial(rows, shares)))


def paired_areas(stream: np.random.Generator, rows: int) -> Interval:
    labels = stream.random(rows) < 0.05
    common = stream.normal(size=rows) + 1.2 * SHIFT * labels
    both = [common + 0.7 * stream.normal(size=rows) for _ in range(2)]
    return delong.auc_difference(labels, *both).interval()


def paired_precisions(stream: np.random.Generator, rows: int, shift: float, other: float) -> Interval:
    """Two models whose errors have a correlation of 0.8."""
    labels = stream.random(rows) < 0.05
    common = math.sqrt(0.8) * stream.normal(size=rows)
    both = [
        influence.average_precision(labels, common + math.sqrt(0.2) * stream.normal(size=rows) + each * labels)
        for each in (shift, other)
    ]
    units = influence.units_among(labels)
    return replace(both[0].minus(both[1]), units=units).mean().interval()


def clustered_precision(stream: np.random.Generator, groups: int) -> Interval:
    ids, effect = grouped(stream, groups)
    labels = stream.random(ids.size) < 0.2
    found = influence.average_precision(labels, 0.8 * effect + 0.6 * stream.normal(size=ids.size) + SHIFT * labels)
    return clustered_precision_at(found, labels, np.ones(ids.size), ids)(0.95)


def paired_classes(stream: np.random.Generator, rows: int) -> Interval:
    """Macro F1 of two models as good as each other, 5 % of the rows of the rarest of three classes."""
    truth = stream.choice(3, rows, p=(0.7, 0.25, 0.05))
    hard = stream.random(rows) < 0.3
    found = []
    for _ in range(2):
        wrong = hard & (stream.random(rows) < 0.6)
        said = np.where(wrong, stream.integers(0, 3, rows), truth)
        members = (np.where(said == truth, truth, -1), 3 + truth, 6 + said)
        found.append(influence.of_counts(of_margins("macro_f1", 3), 9, members))
    units = min(influence.units_among(truth == each) for each in range(3))
    return replace(found[0].minus(found[1]), units=units).mean().interval()


def paired_slopes(stream: np.random.Generator, rows: int) -> Interval:
    """Calibration slopes of two models as good as each other."""
    labels = stream.random(rows) < 0.05
    common = math.sqrt(0.8) * stream.normal(size=rows)
    found = []
    for _ in range(2):
        scores = common + math.sqrt(0.2) * stream.normal(size=rows) + SHIFT * labels
        p = 1 / (1 + np.exp(-(SHIFT * scores - SHIFT**2 / 2 + math.log(0.05 / 0.95))))
        line = line_influences(Claims(labels.astype(float), p, np.ones(rows)))
        if line is None:
            return Interval(-math.inf, math.inf, 0.95, "")
        found.append(line[1])
    return replace(found[0].minus(found[1]), units=influence.units_among(labels)).mean().interval()


def cases(rows: int) -> Iterator[Case]:
    """Every interval at one number of rows; 5 % positives where there are classes."""
    n = f"n = {rows}"
    yield Case(
        "difference of means (Welch)",
        n,
        0.0,
        lambda s: difference_of_independent(mean(log_losses(s, rows)), mean(log_losses(s, rows))).interval(),
    )
    yield Case(
        "Newcombe, independent",
        f"{n}, 5 % and 5 %",
        0.0,
        lambda s: newcombe((int(s.binomial(rows, 0.05)), rows), (int(s.binomial(rows, 0.05)), rows)),
    )
    yield Case(
        "Newcombe, paired", f"{n}, 6 % disagreement", -0.02, lambda s: newcombe_paired(paired_table(s, rows, 0.02))
    )
    for shift in (0.75, SHIFT, 2.3, 3.0):
        truth = normal_cdf(shift / math.sqrt(2))
        setting = f"{n}, true area {truth:.2f}"
        draw: Draw = lambda s, shift=shift: delong.auc_of(*scored(s, rows, shift)).interval()  # noqa: E731
        yield Case("ROC AUC, score with moderated DeLong variance", setting, truth, draw)
    for shift in (SHIFT, 2.3):
        spread_out = shift * math.hypot(1, 1.6) / math.sqrt(2)
        draw = lambda s, shift=spread_out: delong.auc_of(*scored(s, rows, shift, 1.6)).interval()  # noqa: E731
        setting = f"{n}, true area {normal_cdf(shift / math.sqrt(2)):.2f}, positives spread 1.6 times as much"
        yield Case("ROC AUC, score with moderated DeLong variance", setting, normal_cdf(shift / math.sqrt(2)), draw)
    yield Case("ROC AUC, plain DeLong (for comparison)", n, AREA, lambda s: delong.auc_of(*scored(s, rows)).wald())
    yield Case("ROC AUC, paired difference", n, 0.0, lambda s: paired_areas(s, rows))
    for other in (SHIFT, 1.2):
        truth = AVERAGE_PRECISION - _precision(other, 0.05)
        setting = f"{n}, truly {truth:.2f}"
        draw = lambda s, other=other: paired_precisions(s, rows, SHIFT, other)  # noqa: E731
        yield Case("average precision, paired difference", setting, truth, draw)
    yield Case("macro F1 of 3 classes, paired difference", n, 0.0, lambda s: paired_classes(s, rows))
    yield Case("calibration slope, paired difference", n, 0.0, lambda s: paired_slopes(s, rows))
    yield Case("average precision, Boyd", n, AVERAGE_PRECISION, lambda s: ap_interval(s, rows))
    yield Case("log-loss, Hall", n, LOG_LOSS, lambda s: mean(log_losses(s, rows)).interval_for_skewed())
    yield Case("log-loss, plain Student (for comparison)", n, LOG_LOSS, lambda s: mean(log_losses(s, rows)).interval())
    for metric in ("accuracy", "precision", "recall", "specificity", "balanced_accuracy", "f1", "f2", "mcc"):
        yield Case(metric.replace("_", " "), n, true_outcome(metric), lambda s, m=metric: outcome(s, rows, m))
    groups = rows // 5
    g = f"{groups} clusters of 5"
    yield Case("proportion of clustered rows, Wilson of effective rows", g, 0.9, lambda s: clustered_share(s, groups))
    yield Case("the same as if rows were independent (for comparison)", g, 0.9, lambda s: naive_share(s, groups))
    yield Case("mean of clustered rows, sandwich", g, 0.0, lambda s: clustered_mean(s, groups))
    yield Case(
        "ROC AUC of clustered rows, Obuchowski", f"{g}, 20 % positives", AREA, lambda s: clustered_area(s, groups)
    )
    yield Case(
        "average precision of clustered rows, logit",
        f"{g}, 20 % positives",
        _precision(SHIFT, 0.2),
        lambda s: clustered_precision(s, groups),
    )


def ap_interval(stream: np.random.Generator, rows: int) -> Interval:
    from sklearn.metrics import average_precision_score

    labels, scores = scored(stream, rows)
    if not labels.any():
        return Interval(0, 1, 0.95, "")
    return average_precision_interval(float(average_precision_score(labels, scores)), int(labels.sum()), 0.95)


def _precision(shift: float, share: float) -> float:
    """The true average precision, as the area under the precision-recall curve, by quadrature."""
    t = np.linspace(-9, 11, 4001)
    hit, raised = share * np.vectorize(normal_cdf)(shift - t), (1 - share) * np.vectorize(normal_cdf)(-t)
    density = np.exp(-((t - shift) ** 2) / 2) / math.sqrt(2 * math.pi)
    return float(np.trapezoid(hit / (hit + raised) * density, t))


def _log_loss() -> float:
    """The true log-loss of calibrated probabilities, by quadrature."""
    t = np.linspace(-9, 11, 200_001)
    density = np.exp(-((t - SHIFT) ** 2) / 2) / math.sqrt(2 * math.pi)
    other = np.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)
    p = 1 / (1 + np.exp(-(SHIFT * t - SHIFT**2 / 2 + math.log(0.05 / 0.95))))
    return float(np.trapezoid(-0.05 * np.log(p) * density - 0.95 * np.log1p(-p) * other, t))


AVERAGE_PRECISION, LOG_LOSS = _precision(SHIFT, 0.05), _log_loss()


def coverage(case: Case, draws: int) -> float:
    """The share of ``draws`` intervals that hold the truth."""
    stream = np.random.default_rng([SEED, draws])
    held = 0
    for _ in range(draws):
        interval = case.draw(stream)
        held += interval.low <= case.truth <= interval.high
    return held / draws


def exact_coverage(method: Callable[[int, int], Interval], rows: int, share: float) -> float:
    """The coverage of an interval of a proportion, summed over all counts: no simulation."""
    held = 0.0
    for count in range(rows + 1):
        probability = binomial_pmf(count, rows, share)
        if probability > 1e-15:
            interval = method(count, rows)
            held += probability * (interval.low <= share <= interval.high)
    return held


@cache
def worse(won: int, discordant: int) -> float:
    """The one-sided exact p-value of McNemar's test, remembered."""
    return binomial_cdf(won, discordant)


def blocked(stream: np.random.Generator, drop: float = 0.0, *, slices: int = 21, rows: int = 1000) -> dict[str, bool]:
    """Which rules block one merge: slices of ``rows`` rows, 6 % disagreement, ``drop`` in the first slice."""
    tables = [paired_table(stream, rows, drop if not place else 0.0) for place in range(slices)]
    p_values = [worse(int(t.candidate), int(t.candidate + t.baseline)) for t in tables]
    return {
        "naive": min(t.difference for t in tables) < -0.01,
        "uncorrected": min(p_values) <= 0.05,
        "holm": min(holm(p_values)) <= 0.05,
        "first": holm(p_values)[0] <= 0.05,
    }


def gated(stream: np.random.Generator, limit: float, level: float, *, drop: float = 0.0, rows: int = 1000) -> bool:
    """Whether a gate over 21 slices blocks: the judging code itself, on drawn tables of who was right.

    ``max-drop: limit``, ``slices: all``, ``prove: fail`` (the default there), ``confidence: level``.
    """
    gate = PlannedGate(
        "slices",
        "accuracy",
        "max-drop",
        {"max-drop": {"absolute": limit}},
        "",
        direction="higher",
        slices=("s",),
        prove=Prove.FAIL,
        confidence=Decimal(str(level)),
    )
    trials = []
    for place in range(21):
        table = paired_table(stream, rows, drop if not place else 0.0)
        quantity = difference_of_pairs(table, int(table.rows))
        ours, theirs = table.both + table.candidate, table.both + table.baseline
        values = (Decimal(repr(right / table.rows)) for right in (ours, theirs))
        trials.append(tried(gate, Trial(f"s={place}", rows, *values, quantity=quantity, kind="difference")))
    said = [say(each, correction) for each, correction in zip(trials, corrected(trials), strict=True)]
    return any(each.outcome is not Outcome.PASS for each in said)


def exact_power(drop: float, alpha: float, rows: int, disagreement: float = 0.06) -> float:
    """The power of the one-sided exact test, summed over all tables: what theory allows, without approximation."""
    lost = (disagreement + drop) / 2 / disagreement
    found = 0.0
    for discordant in range(1, rows + 1):
        weight = binomial_pmf(discordant, rows, disagreement)
        if weight < 1e-12:
            continue
        critical = -1
        while worse(critical + 1, discordant) <= alpha:
            critical += 1
        found += weight * binomial_cdf(critical, discordant, 1 - lost)
    return found


def sizes(draws: int) -> Iterator[tuple[str, str, float]]:
    """How often tests of 5 % reject when there is nothing to find."""
    for rows in (200, 1000):
        stream = np.random.default_rng([SEED, rows])
        tables = [paired_table(stream, rows) for _ in range(draws)]
        n = f"n = {rows}, 6 % disagreement"
        yield "McNemar, exact", n, float(np.mean([mcnemar_exact(t).p_value <= 0.05 for t in tables]))
        yield "McNemar, mid-p", n, float(np.mean([mcnemar_mid_p(t).p_value <= 0.05 for t in tables]))
        lost = [paired_table(stream, rows, 0.02) for _ in range(draws)]
        good = {Comparison.BETTER, Comparison.NOT_WORSE}
        passed = float(np.mean([compare(newcombe_paired(t), 0.02) in good for t in lost]))
        yield "not worse by 2 points (2.5 %), truly worse by 2 points", n, passed
    stream = np.random.default_rng(SEED)
    flips = [
        permutation.sign_flips(stream.normal(size=60) ** 3, stream, permutations=499).p_value for _ in range(draws)
    ]
    yield "paired permutation", "n = 60, heavy tails", float(np.mean([p <= 0.05 for p in flips]))
    areas = [paired_test(stream, 200) for _ in range(draws)]
    yield "paired DeLong", "n = 200, 5 % positives", float(np.mean([p <= 0.05 for p in areas]))


def paired_test(stream: np.random.Generator, rows: int) -> float:
    labels = stream.random(rows) < 0.05
    common = stream.normal(size=rows) + SHIFT * labels
    both = [common + 0.7 * stream.normal(size=rows) for _ in range(2)]
    return delong.auc_difference(labels, *both).differs_from(0).p_value


def tables(draws: int) -> Iterator[str]:
    """All tables, line by line."""
    margin = 196 * math.sqrt(0.95 * 0.05 / draws)
    yield f"{draws:,} draws for each line: ± {margin:.1f} points. The first six lines are exact, by enumeration."
    yield "\n| interval of 95 % | setting | covers |\n|---|---|---|"
    for name, method in (("Wilson", wilson), ("Clopper-Pearson", clopper_pearson)):
        for rows in (200, 1000, 10_000):
            found = [exact_coverage(method, rows, share) for share in np.linspace(0.04, 0.06, 9)]
            setting = f"n = {rows:,}, shares of 4 % to 6 %"
            yield f"| {name} | {setting} | {np.mean(found):.1%} ({min(found):.1%} to {max(found):.1%}) |"
    for rows in (200, 1000):
        for case in cases(rows):
            yield f"| {case.method} | {case.setting} | {coverage(case, draws):.1%} |"
    yield "\n| test of 5 % | setting | rejects |\n|---|---|---|"
    for name, setting, share in sizes(draws):
        yield f"| {name} | {setting} | {share:.1%} |"
    yield "\n| 21 slices of 1,000 rows, 6 % disagreement: rule | equal models blocked |\n|---|---|"
    stream = np.random.default_rng(SEED)
    equal = [blocked(stream) for _ in range(draws)]
    for rule, name in (
        ("naive", "no slice drops by more than 1 point"),
        ("uncorrected", "McNemar's one-sided test at 5 % in each slice"),
        ("holm", "the same, Holm over the slices"),
    ):
        yield f"| {name} | {np.mean([each[rule] for each in equal]):.1%} |"
    yield "\n| a slice worse by 2 points is found by | power | exact theory | Connor's formula |\n|---|---|---|---|"
    for rows in (1000, 2000, 5000):
        found = np.mean([blocked(stream, 0.02, rows=rows)["first"] for _ in range(draws)])
        alpha = 0.05 / 21
        exact, connor = exact_power(0.02, alpha, rows), paired_power(0.06, 0.02, rows, alpha)
        yield f"| Holm over 21 slices of {rows:,} rows | {found:.1%} | {exact:.1%} | {connor:.1%} |"


def gate_table(draws: int) -> Iterator[str]:
    """How often the gate itself blocks, with nothing lost, and with 2 points lost in one of the slices."""
    yield "\n| gate over 21 slices | rows each | blocks equal models | and 2 points less in one slice |"
    yield "|---|---|---|---|"
    for limit, level in ((0.0, 0.95), (0.0, 0.9), (0.01, 0.95)):
        for rows in (1000, 5000):
            stream = np.random.default_rng([SEED, rows])
            equal = np.mean([gated(stream, limit, level, rows=rows) for _ in range(draws)])
            worse_by_two = np.mean([gated(stream, limit, level, drop=0.02, rows=rows) for _ in range(draws)])
            yield f"| `max-drop: {limit:g}`, `confidence: {level:.0%}` | {rows:,} | {equal:.1%} | {worse_by_two:.1%} |"


def main() -> None:
    """Print the tables, or write them between the marks of a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    lines = []
    for line in chain(tables(given.draws), gate_table(max(100, given.draws // 8))):
        print(line, flush=True)
        lines.append(line)
    if given.write:
        page = given.write.read_text()
        before, _, rest = page.partition(BEGIN)
        after = rest.partition(END)[2]
        given.write.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
