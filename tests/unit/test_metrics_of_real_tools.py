"""Files that the tools really wrote, shortened: lm-eval 0.4.13, inspect-ai 0.3.285 and promptfoo 0.123.1.

Models that need no network wrote them (`dummy`, `mockllm/model`, `echo`). Expected is what the tools printed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.files import read_metric_file

RESULTS = Path(__file__).parent / "tool_results"


def refusal(name: str) -> MetricUnreadable:
    with pytest.raises(MetricUnreadable) as caught:
        read_metric_file(RESULTS / name, name)
    return caught.value


@pytest.mark.parametrize(
    ("name", "tool"),
    [("lm-eval-0.4.13-samples.jsonl", "lm-evaluation-harness"), ("promptfoo-0.123.1.jsonl", "promptfoo")],
)
def test_single_tests_line_by_line_are_refused_for_the_last_one_would_speak_for_all(name: str, tool: str) -> None:
    problem = refusal(name)
    assert problem.message == f"each line is one test of {tool}, none is a metric"
    assert problem.origin == f"{name}:1"
