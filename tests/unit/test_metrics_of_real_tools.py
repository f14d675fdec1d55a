"""Files that the tools really wrote, shortened: lm-eval 0.4.13, inspect-ai 0.3.285 and promptfoo 0.123.1.

Models that need no network wrote them (`dummy`, `mockllm/model`, `echo`). Expected is what the tools printed.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.files import read_metric_file

RESULTS = Path(__file__).parent / "tool_results"
LM_EVAL = {
    "tiny_mc.acc": "0.5000",
    "tiny_mc.acc_stderr": "0.1890",
    "tiny_mc.acc_norm": "0.5000",
    "tiny_mc.acc_norm_stderr": "0.1890",
    "tiny_mc2.acc": "0.1250",
    "tiny_mc2.acc_stderr": "0.1250",
    "tiny_mc2.acc_norm": "0.1250",
    "tiny_mc2.acc_norm_stderr": "0.1250",
    "tiny_gen.exact_match,strict-match": "0.0000",
    "tiny_gen.exact_match_stderr,strict-match": "0.0000",
    "tiny_gen.exact_match,flexible-extract": "0.0000",
    "tiny_gen.exact_match_stderr,flexible-extract": "0.0000",
    "tiny_ppl.word_perplexity": "1.2382",
    "tiny_ppl.bits_per_byte": "0.0967",
    "tiny_group.acc": "0.3125",
    "tiny_group.acc_stderr": "0.1133",
    "tiny_group.acc_norm": "0.3125",
    "tiny_group.acc_norm_stderr": "0.1133",
    "samples.tiny_mc": "8",
    "samples.tiny_mc2": "8",
    "samples.tiny_gen": "8",
    "samples.tiny_ppl": "8",
}
INSPECT = {
    "includes.scored_samples": "6",
    "includes.unscored_samples": "0",
    "includes.accuracy": "0.667",
    "includes.stderr": "0.211",
    "includes.c": "0.667",
    "includes.a/b": "0.667",
    "includes.all": "0.667",
    "includes.std": "0.516",
    "total_samples": "6",
    "completed_samples": "6",
}
ALIKE = "You are a careful assistant who answers each question in one short sentence and … "


def values(name: str) -> dict[tuple[str, str], Decimal | None]:
    return {(each.name, each.slice): each.value for each in read_metric_file(RESULTS / name, name)}


def printed(name: str, digits: int) -> dict[str, str]:
    """What is read, as the tool prints it; counts are printed as they are."""
    found = read_metric_file(RESULTS / name, name)
    assert all(each.value is not None and not each.slice for each in found)
    return {each.name: str(each.value) if "samples" in each.name else f"{each.value:.{digits}f}" for each in found}


def refusal(name: str) -> MetricUnreadable:
    with pytest.raises(MetricUnreadable) as caught:
        read_metric_file(RESULTS / name, name)
    return caught.value


def test_lm_eval_tasks_groups_and_filters_are_read_and_nothing_that_it_does_not_print() -> None:
    assert printed("lm-eval-0.4.13-results.json", 4) == LM_EVAL


def test_a_packed_log_of_inspect_has_the_names_and_numbers_that_it_prints() -> None:
    assert printed("inspect-0.3.285-groups.eval", 3) == INSPECT


def test_two_scorers_of_inspect_that_name_their_scores_alike_are_told_apart() -> None:
    found = printed("inspect-0.3.285-two-judges.json", 3)
    assert {name: value for name, value in found.items() if "samples" not in name} == {
        "judge_a.correct.mean.mean": "1.000",
        "judge_a.correct.max.mean": "1.000",
        "judge_b.correct.mean.mean": "0.000",
        "judge_b.correct.max.mean": "0.000",
    }


def test_promptfoo_gives_the_counts_that_it_prints_and_sums_of_scores() -> None:
    found = values("promptfoo-0.123.1.json")
    assert [found[name, ""] for name in ("successes", "failures", "errors")] == [4, 12, 2]
    assert f"{found['pass_rate', '']:.2%}" == "22.22%"
    loud, broken = "prompt=loud,provider=echo", "prompt=Say {{word}},provider=broken"
    assert [found[f"test{name}Count", broken] for name in ("Pass", "Fail", "Error")] == [0, 2, 1]
    assert {slice_ for _, slice_ in found} == {"", loud, broken, "prompt=Say {{word}},provider=second echo"}
    # One of the two assertions weighs 2, and it passed as the other did: 3 of 3.
    assert [found[f"{name}.tone", loud] for name in ("namedScores", "namedScoreWeights")] == [3, 3]
    assert found["namedScores.length/short", loud] == Decimal("0.6")
    assert (found["meanScores.tone", loud], found["meanScores.length/short", loud]) == (1, Decimal("0.6"))
    assert ("meanScores.combined", loud) not in found  # derived from others: it is the sum of nothing that is counted


def test_prompts_of_promptfoo_that_begin_alike_are_told_apart() -> None:
    found = values("promptfoo-0.123.1-alike.json")
    scores = {slice_: value for (name, slice_), value in found.items() if name == "score"}
    assert scores == {
        f"prompt={ALIKE}f29b5bc1,provider=echo": 1,
        f"prompt={ALIKE}5629de6c,provider=echo": 0,
    }


@pytest.mark.parametrize(
    ("name", "tool"),
    [("lm-eval-0.4.13-samples.jsonl", "lm-evaluation-harness"), ("promptfoo-0.123.1.jsonl", "promptfoo")],
)
def test_single_tests_line_by_line_are_refused_for_the_last_one_would_speak_for_all(name: str, tool: str) -> None:
    problem = refusal(name)
    assert problem.message == f"each line is one test of {tool}, none is a metric"
    assert problem.origin == f"{name}:1"
