"""The Markdown report: short enough for every place where it is shown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
import report_sample as sample

from mlops_action.formats.interface import Account
from mlops_action.formats.markdown import MAX_BYTES, Markdown
from mlops_action.formats.markdown_text import Writer, escaped, fenced
from mlops_action.records import CellResult, MetricReading, RunResult
from mlops_action.vocabulary import CellStatus


def text_of(account: Account) -> str:
    ((_, data),) = Markdown().render(account)
    return data.decode()


def sample_run() -> RunResult:
    run = sample.account().run
    assert run is not None
    return run


def test_slow_cells_are_listed_by_their_time() -> None:
    text = text_of(sample.account())
    assert text.index("| train | \\[4\\] Fit the model (fit) | 14s | 28s | 774.4 MiB |") < text.index(
        "Loss curve (curve)"
    )


def test_there_is_no_list_of_slow_cells_when_none_took_a_second() -> None:
    run = sample_run()
    steps = tuple(replace(step, cells=tuple(replace(cell, seconds=0.5) for cell in step.cells)) for step in run.steps)
    assert "Slowest cells" not in text_of(Account(replace(run, steps=steps), None, None))


def test_at_most_ten_slow_cells_are_listed() -> None:
    cells = tuple(CellResult(i, f"c{i}", CellStatus.OK, 2.0 + i) for i in range(30))
    steps = (replace(sample_run().steps[1], cells=cells),)
    text = text_of(Account(replace(sample_run(), steps=steps), None, None))
    assert text.count("(c") == 10
    assert "(c29)" in text


def test_attempts_cache_memory_and_differences_are_told() -> None:
    text = text_of(sample.account())
    for words in ("tried 2 times", "cache: not used: `loans.csv` changed", "581.7 MiB", "text/plain: 300 for 299"):
        assert words in text


@pytest.mark.parametrize("steps", [1, 40, 300])
@pytest.mark.parametrize("letter", ["x", "|", "é", "`", "\n"])
def test_the_report_stays_below_its_limit_and_counts_what_is_left_out(steps: int, letter: str) -> None:
    run = sample_run()
    failed = run.steps[0]
    assert failed.failure is not None
    failure = replace(failed.failure, message=letter * 5000, source=letter * 2000, traceback=letter * 6000)
    readings = tuple(MetricReading(f"m{i}" + letter * 200, Decimal(i), letter * 200) for i in range(50))
    many = tuple(replace(failed, name=f"s{i}", failure=failure, readings=readings) for i in range(steps))
    text = text_of(replace(sample.account(), run=replace(run, steps=many)))
    assert len(text.encode()) <= MAX_BYTES
    assert "more" in text
    assert text.startswith("# ❌ Verdict: fail")


def test_columns_that_no_row_fills_are_left_out() -> None:
    assert Writer(10, 100).table(("a", "b"), ["1", "2"], lambda each: (each, "")) == "| a |\n| --- |\n| 1 |\n| 2 |"


def test_foreign_text_cannot_end_a_row_or_a_block_of_code() -> None:
    assert "\n" not in escaped("a\nb")
    assert escaped("a|b <i>") == "a\\|b \\<i\\>"
    assert fenced("```\nx").startswith("````text\n")
