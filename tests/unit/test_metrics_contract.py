"""What every metric reader keeps, whatever its format. A new reader adds its sample file below."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics import READERS
from mlops_action.metrics.collect import MAX_BYTES, MAX_READINGS
from mlops_action.metrics.interface import MetricReader
from mlops_action.metrics.notebook_values import VALUES_MIME
from mlops_action.records import MetricReading
from mlops_action.registry import load_from

EXACT = [
    "0",
    "-0.0",
    "0.95",
    "0.1000000000000000055511151231257827",
    "123456789012345678901234567890",
    "9007199254740993",
    "1e308",
    "1E+400",
    "-4.9e-324",
    "1e-300",
    "9" * 900,
]
NOT_FINITE = {"NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity"}


def json_of(numbers: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": {value}' for name, value in numbers.items()) + "}"


def csv_of(numbers: Mapping[str, str]) -> str:
    return "metric,value\n" + "".join(f"{name},{value}\n" for name, value in numbers.items())


def yaml_of(numbers: Mapping[str, str]) -> str:
    spelt = {"NaN": ".nan", "Infinity": ".inf", "-Infinity": "-.inf"}
    return "".join(f'"{name}": {spelt.get(value, value)}\n' for name, value in numbers.items())


def toml_of(numbers: Mapping[str, str]) -> str:
    spelt = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}
    return "".join(f'"{name}" = {spelt.get(value, value)}\n' for name, value in numbers.items())


def lines_of(numbers: Mapping[str, str]) -> str:
    return "".join(f'{{"metric": "{name}", "value": {value}}}\n' for name, value in numbers.items())


def junit_of(numbers: Mapping[str, str]) -> str:
    written = "\n".join(f'<property name="{name}" value="{value}"/>' for name, value in numbers.items())
    return f'<?xml version="1.0"?><testsuite name="">\n<properties>\n{written}\n</properties></testsuite>'


def openmetrics_of(numbers: Mapping[str, str]) -> str:
    spelt = {"Infinity": "+Inf", "-Infinity": "-Inf"}
    return "# TYPE score gauge\n" + "".join(f"{name} {spelt.get(value, value)}\n" for name, value in numbers.items())


def notebook_of(numbers: Mapping[str, str]) -> str:
    def cell(i: int, inside: str) -> str:
        outputs = f'{{"output_type": "display_data", "data": {{"{VALUES_MIME}": {{{inside}}}}}}}'
        return f'{{"cell_type": "code", "id": "c{i}", "source": "", "outputs": [{outputs}]}}'

    pairs = [f'"{name}": {value}' for name, value in numbers.items()]
    together = [", ".join(pairs)] if len(pairs) in {2, MAX_READINGS + 1} else pairs
    return f'{{"nbformat": 4, "cells": [{", ".join(cell(i, inside) for i, inside in enumerate(together))}]}}'


def eval_of(numbers: Mapping[str, str]) -> bytes:
    metrics = ", ".join(f'"{name}": {{"name": "x", "value": {value}}}' for name, value in numbers.items())
    scores = f'[{{"name": "s", "scorer": "s", "metrics": {{{metrics}}}}}]'
    head = '"version": 2, "status": "success", "eval": {"task": "t", "model": "m"}'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", f'{{{head}, "results": {{"scores": {scores}}}}}')
    return packed.getvalue()


WRITERS: dict[str, Callable[[Mapping[str, str]], str | bytes]] = {
    ".json": json_of,
    ".csv": csv_of,
    ".yaml": yaml_of,
    ".toml": toml_of,
    ".jsonl": lines_of,
    ".xml": junit_of,
    ".prom": openmetrics_of,
    ".ipynb": notebook_of,
    ".eval": eval_of,
}
ENDINGS = list(WRITERS)
"""One ending for each reader."""
NO_NUMBERS = ['"0.95"', '"high"', "null", "true", '"NaN"', '""']
TEXTS = {
    ".json": NO_NUMBERS,
    ".csv": ["high", "", "95%", "true", "NA", "1_0"],
    ".yaml": [*NO_NUMBERS[:4], '"NaN"', "1_000", "2024-01-01", "~", "0.95 %"],
    ".toml": ['"0.95"', '"high"', "true", '""', "1979-05-27", "07:32:00"],
    ".jsonl": NO_NUMBERS,
    ".xml": ["high", "", "95%", "true", "1_0", "0x1", "٣"],
    ".prom": ["high", "95%", "true", "1_0", "0x1", "٣"],
    ".ipynb": NO_NUMBERS,
    ".eval": NO_NUMBERS,
}


def read(ending: str, data: str | bytes) -> list[MetricReading]:
    reader: MetricReader = load_from(READERS, ending)()
    found = reader.read(data.encode() if isinstance(data, str) else data, f"m{ending}")
    # Counts that the reader makes itself are told by tests of their own.
    own = [replace(each, name=each.name.removeprefix("s.")) for each in found if not each.name.startswith("tests.")]
    return own if ending == ".eval" else [each for each in found if not each.name.startswith("tests.")]


def test_every_reader_has_a_writer_here() -> None:
    assert {READERS[ending] for ending in ENDINGS} == set(READERS.values())


def bytes_of(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def written(ending: str, numbers: Mapping[str, str]) -> list[MetricReading]:
    return read(ending, WRITERS[ending](numbers))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("text", EXACT)
def test_numbers_are_read_exactly_as_they_are_written(ending: str, text: str) -> None:
    [reading] = written(ending, {"score": text})
    assert isinstance(reading.value, Decimal)
    assert reading.value.as_tuple() == Decimal(text).as_tuple()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("text", NOT_FINITE)
def test_values_that_are_not_finite_are_read_as_such(ending: str, text: str) -> None:
    [reading] = written(ending, {"score": text})
    assert str(reading.value) == NOT_FINITE[text]


@pytest.mark.parametrize(("ending", "text"), [(ending, text) for ending in ENDINGS for text in TEXTS[ending]])
def test_what_is_no_number_is_a_reading_without_a_value(ending: str, text: str) -> None:
    [reading] = written(ending, {"score": text})
    assert (reading.name, reading.value) == ("score", None)


@pytest.mark.parametrize("ending", ENDINGS)
def test_readings_keep_the_order_and_the_place_of_the_file(ending: str) -> None:
    readings = written(ending, {"b": "2", "a": "1", "c": "3"})
    assert [reading.name for reading in readings] == ["b", "a", "c"]
    assert all(reading.origin.startswith(f"m{ending}") and reading.origin != f"m{ending}" for reading in readings)
    assert len({reading.origin for reading in readings}) == 3


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("text", ["9" * 1001, "1e10001", "1e-10001", "-1e99999999999999999999", "1e999999999"])
def test_absurd_numbers_are_refused_with_their_place(ending: str, text: str) -> None:
    with pytest.raises(MetricUnreadable, match="too long or too large") as caught:
        written(ending, {"score": text})
    assert caught.value.origin != f"m{ending}"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf", b"\xff\xfe{\x00", b"\x00"])
def test_files_without_text_are_refused_with_their_name(ending: str, data: bytes) -> None:
    with pytest.raises(MetricUnreadable) as caught:
        read(ending, data)
    assert caught.value.origin.startswith(f"m{ending}")


@pytest.mark.parametrize("ending", [ending for ending in ENDINGS if ending != ".eval"])
def test_a_byte_order_mark_is_not_part_of_a_name(ending: str) -> None:
    data = b"\xef\xbb\xbf" + bytes_of(WRITERS[ending]({"score": "1"}))
    assert [reading.name for reading in read(ending, data)] == ["score"]


@pytest.mark.parametrize("ending", [ending for ending in ENDINGS if ending != ".eval"])
def test_the_same_name_twice_is_refused(ending: str) -> None:
    sample = bytes_of(WRITERS[ending]({"first": "1", "second": "2"})).replace(b"second", b"first")
    with pytest.raises(MetricUnreadable, match="twice"):
        read(ending, sample)


@pytest.mark.parametrize("ending", ENDINGS)
def test_absurdly_large_files_are_refused_unread(ending: str) -> None:
    with pytest.raises(MetricUnreadable, match="bytes"):
        read(ending, b" " * (MAX_BYTES + 1))


@pytest.mark.parametrize("ending", ENDINGS)
def test_absurdly_many_metrics_are_refused(ending: str) -> None:
    with pytest.raises(MetricUnreadable, match="more than"):
        written(ending, {f"m{i}": "1" for i in range(MAX_READINGS + 1)})


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_metric_without_a_name_is_refused(ending: str) -> None:
    said = {".prom": "not OpenMetrics", ".eval": "no name"}.get(ending, "no name")
    with pytest.raises(MetricUnreadable, match=said):
        written(ending, {"": "1"})


def refused(ending: str, data: bytes) -> MetricUnreadable | None:
    """The refusal, if that is what reading ends with; anything else that is raised goes on."""
    try:
        readings = read(ending, data)
    except MetricUnreadable as problem:
        return problem
    assert all(reading.name and reading.name.encode() for reading in readings)
    return None


@pytest.mark.parametrize("ending", ENDINGS)
@settings(deadline=None)
@given(data=st.one_of(st.binary(max_size=300), st.text(alphabet='{}[]":,.0123456789eE-+naif\n\r\\u ', max_size=80)))
@example(data=b"[" * 200_000)
@example(data=b'{"a":' * 200_000)
@example(data=b'{"a": {"b": ' + b"[" * 100 + b"1" + b"]" * 100 + b"}}")
@example(data=b'{"\\ud800": 1}')
@example(data=b'a,"b\nc')
@example(data=b"metric,value\na," + b"1" * 140_000 + b"x")
@example(data=b"metric,value\na," + b"1" * 100_000 + b"x")
@example(data=b"," * 1000 + b"\n1")
@example(data=b'{"a": 1e}')
@example(data=b"\r\r\n\r")
def test_hostile_bytes_are_refused_and_nothing_else_is_raised(ending: str, data: str | bytes) -> None:
    problem = refused(ending, data.encode() if isinstance(data, str) else data)
    assert problem is None or (problem.message and problem.origin.startswith(f"m{ending}"))
