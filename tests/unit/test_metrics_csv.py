"""CSV metric files: the two layouts, and everything between them that is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.csv_file import CsvFile
from mlops_action.records import MetricReading


def read(text: str) -> list[MetricReading]:
    return CsvFile().read(text.encode(), "m.csv")


def refusal(text: str) -> MetricUnreadable:
    with pytest.raises(MetricUnreadable) as caught:
        read(text)
    return caught.value


def test_the_long_form_has_a_metric_in_each_row() -> None:
    assert read("metric,value\naccuracy,0.95\nloss,1e-3\n") == [
        MetricReading("accuracy", Decimal("0.95"), "m.csv:2"),
        MetricReading("loss", Decimal("0.001"), "m.csv:3"),
    ]


def test_the_long_form_may_tell_slices_apart() -> None:
    readings = read("slice,metric,value\ncountry=NO,recall,0.9\ncountry=SE,recall,0.8\n,recall,0.85\n")
    assert [(reading.slice, reading.value) for reading in readings] == [
        ("country=NO", Decimal("0.9")),
        ("country=SE", Decimal("0.8")),
        ("", Decimal("0.85")),
    ]


def test_the_wide_form_has_one_row_of_values() -> None:
    assert read("accuracy, loss \r\n0.95, .1\r\n") == [
        MetricReading("accuracy", Decimal("0.95"), "m.csv:2"),
        MetricReading("loss", Decimal("0.1"), "m.csv:2"),
    ]


def test_blank_lines_count_but_are_no_rows() -> None:
    assert read("\nmetric,value\n\n,\naccuracy,1\n\n")[0].origin == "m.csv:5"


def test_quoted_cells_may_hold_commas_and_a_quoted_number_is_a_number() -> None:
    readings = read('metric,value\n"a,b","0.5"\nc,"1,5"\n')
    assert [(reading.name, reading.value) for reading in readings] == [("a,b", Decimal("0.5")), ("c", None)]


@pytest.mark.parametrize("cell", ["nan", "NaN", "NAN", "-nan"])
def test_nan_in_any_spelling_is_no_finite_number(cell: str) -> None:
    value = read(f"metric,value\na,{cell}\n")[0].value
    assert value is not None
    assert value.is_nan()


@pytest.mark.parametrize("cell", ["inf", "+Inf", "-infinity"])
def test_infinities_in_any_spelling_stay_infinite(cell: str) -> None:
    value = read(f"metric,value\na,{cell}\n")[0].value
    assert value is not None
    assert value.is_infinite()


@pytest.mark.parametrize("cell", ["0.95%", "1_000", "0x10", "snan", "nan1", "1e", ".", "-", "١", "1 000", "0,95"])
def test_cells_that_only_resemble_numbers_are_text(cell: str) -> None:
    assert read(f'metric,value\na,"{cell}"\n')[0].value is None


def test_more_rows_of_values_are_refused_saying_what_is_accepted() -> None:
    problem = refusal("accuracy,loss\n0.9,0.1\n0.8,0.2\n")
    assert problem.message == "there is more than one row of values"
    assert problem.origin == "m.csv:3"
    assert "metric,value" in problem.hint


def test_a_header_without_values_is_refused() -> None:
    assert refusal("accuracy,loss\n").message == "there is no row of values"


@pytest.mark.parametrize("header", ["metric,value,step", "metric,value,value"])
def test_unknown_columns_beside_metric_and_value_are_refused(header: str) -> None:
    assert "unknown or repeated" in refusal(f"{header}\na,1,2\n").message


@pytest.mark.parametrize("text", ["metric,value\na,1,2\n", "metric,value\na\n", "a,b\n1\n"])
def test_rows_of_another_width_are_refused_with_their_line(text: str) -> None:
    assert refusal(text).origin == "m.csv:2"


def test_a_column_without_a_name_is_refused_naming_the_usual_cause() -> None:
    problem = refusal(",accuracy\n0,0.95\n")
    assert problem.message == "column 1 has no name"
    assert "index=False" in problem.hint


def test_a_repeated_column_is_refused() -> None:
    assert "`a` is there twice" in refusal("a,a\n1,2\n").message


def test_a_repeated_metric_of_one_slice_is_refused() -> None:
    assert "`a` for the slice `x` is there twice" in refusal("metric,value,slice\na,1,x\na,2,x\n").message


def test_a_quote_that_never_ends_is_refused() -> None:
    assert refusal('metric,value\n"a,1\n').message.startswith("not CSV: ")
