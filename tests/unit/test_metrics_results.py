"""Files of known tools: which numbers they give, under which names, and what is not taken for a result."""

from __future__ import annotations

import io
import json
import struct
import sys
import zipfile
import zlib
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.files import reader_for
from mlops_action.records import MetricReading

LM_EVAL = {
    "results": {
        "hellaswag": {"alias": "hellaswag", "acc,none": 0.5, "acc_stderr,none": 0.01, "acc_norm,none": 0.6},
        "gsm8k": {"alias": "gsm8k", "exact_match,strict-match": 0.3, "exact_match_stderr,strict-match": "N/A"},
        "mmlu": {"acc,none": 0.7, "alias": "mmlu"},
    },
    "groups": {"mmlu": {"acc,none": 0.7, "alias": "mmlu"}},
    "group_subtasks": {"mmlu": []},
    "configs": {},
    "versions": {"hellaswag": 1.0},
    "n-shot": {"hellaswag": 0},
    "higher_is_better": {"hellaswag": {"acc": True}},
    "config": {"model": "hf", "limit": None},
}
INSPECT = {
    "version": 2,
    "status": "success",
    "eval": {"task": "ctf", "model": "openai/x", "created": "2026"},
    "results": {
        "total_samples": 100,
        "completed_samples": 98,
        "scores": [
            {"name": "choice", "scorer": "choice", "reducer": "mean", "metrics": {"accuracy": {"value": 0.8}}},
            {"name": "choice", "scorer": "choice", "reducer": "pass_at_5", "metrics": {"accuracy": {"value": 0.9}}},
            {"name": "match", "scorer": "match", "metrics": {"stderr": {"name": "stderr", "value": 0.02}}},
        ],
    },
}
PROMPTFOO = {
    "evalId": "eval-x",
    "results": {
        "version": 3,
        "prompts": [
            {
                "raw": "Say\n hello",
                "label": "hello",
                "provider": "openai:x",
                "metrics": {
                    "score": 8.5,
                    "testPassCount": 8,
                    "testFailCount": 1,
                    "testErrorCount": 1,
                    "tokenUsage": {"total": 100},
                    "namedScores": {"tone": 7},
                    "cost": 0.002,
                },
            }
        ],
        "stats": {"successes": 8, "failures": 1, "errors": 1, "tokenUsage": {"total": 100}},
    },
    "config": {},
}
MLFLOW = {"info": {"run_id": "r1", "status": "FINISHED"}, "data": {"metrics": {"auc": 0.91, "loss": 0.3}, "params": {}}}
MLFLOW_REST = {
    "run": {
        "info": {"run_id": "r1", "status": "FINISHED"},
        "data": {"metrics": [{"key": "auc", "value": 0.91, "timestamp": 1, "step": 0}], "params": []},
    }
}
MLFLOW_EXPORT = {
    "mlflow": {
        "info": {"run_id": "r1", "status": "FINISHED"},
        "metrics": {"auc": [{"value": 0.91, "timestamp": 5, "step": 2}, {"value": 0.5, "timestamp": 9, "step": 1}]},
        "params": {},
    }
}


def read(name: str, data: bytes | str) -> list[MetricReading]:
    return reader_for(name, name).read(data.encode() if isinstance(data, str) else data, name)


def values(root: Any) -> dict[str, str | None]:
    found = read("r.json", json.dumps(root))
    return {
        f"{each.name}[{each.slice}]" if each.slice else each.name: None if each.value is None else str(each.value)
        for each in found
    }


def refusal(name: str, data: bytes | str) -> MetricUnreadable:
    with pytest.raises(MetricUnreadable) as caught:
        read(name, data)
    return caught.value


def changed(root: Any, place: str, value: Any) -> Any:
    copy = json.loads(json.dumps(root))
    *inside, last = place.split(".")
    at = copy
    for key in inside:
        at = at[int(key)] if isinstance(at, list) else at[key]
    at[int(last) if isinstance(at, list) else last] = value
    return copy


def test_tasks_of_lm_evaluation_harness_are_named_without_the_filter_none() -> None:
    assert values(LM_EVAL) == {
        "hellaswag.acc": "0.5",
        "hellaswag.acc_stderr": "0.01",
        "hellaswag.acc_norm": "0.6",
        "gsm8k.exact_match,strict-match": "0.3",
        "mmlu.acc": "0.7",
    }


def test_groups_that_are_no_results_as_well_are_read() -> None:
    assert values(changed(LM_EVAL, "groups.bbh", {"acc,none": 0.2}))["bbh.acc"] == "0.2"


def test_a_task_without_a_number_is_a_reading_without_a_value() -> None:
    assert values(changed(LM_EVAL, "results.mmlu.acc,none", "N/A"))["mmlu.acc"] is None


def test_results_keep_the_pointer_into_their_file() -> None:
    assert read("r.json", json.dumps(LM_EVAL))[0].origin == "r.json#/results/hellaswag/acc,none"
    assert read("r.json", json.dumps(INSPECT))[0].origin == "r.json#/results/scores/0/metrics/accuracy/value"
    assert read("r.json", json.dumps(MLFLOW_EXPORT))[0].origin == "r.json#/mlflow/metrics/auc/0/value"


def test_scores_of_inspect_are_named_by_scorer_and_where_needed_reducer() -> None:
    assert values(INSPECT) == {
        "choice.mean.accuracy": "0.8",
        "choice.pass_at_5.accuracy": "0.9",
        "match.stderr": "0.02",
        "total_samples": "100",
        "completed_samples": "98",
    }


@pytest.mark.parametrize("status", ["started", "cancelled", "error"])
def test_an_evaluation_of_inspect_that_did_not_succeed_gives_no_numbers(status: str) -> None:
    problem = refusal("r.json", json.dumps(changed(INSPECT, "status", status)))
    assert problem.message == f"the evaluation's status is `{status}`, not `success`"
    assert problem.origin == "r.json#/status"


def packed(files: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return data.getvalue()


def test_a_packed_log_of_inspect_gives_what_its_header_holds() -> None:
    found = read("x.eval", packed({"header.json": json.dumps(INSPECT), "samples/1.json": "{}"}))
    assert [each.name for each in found] == list(values(INSPECT))


@pytest.mark.parametrize("files", [{}, {"samples/1.json": "{}"}, {"header.json": "[]"}, {"header.json": "{}"}])
def test_a_packed_log_without_a_header_is_refused(files: dict[str, str]) -> None:
    assert refusal("x.eval", packed(files)).origin.startswith("x.eval")


def zstd_packed(text: str, *, damage: bool = False) -> bytes:
    """A zip whose one member is compressed by Zstandard, as Inspect writes it; Python writes such since 3.14."""
    plain, name = text.encode(), b"header.json"
    body = bytes(pa.compress(plain, codec="zstd", asbytes=True))
    crc = zlib.crc32(plain) ^ damage
    sizes = struct.pack("<IIIHH", crc, len(body), len(plain), len(name), 0)
    local = struct.pack("<IHHHHH", 0x04034B50, 63, 0, 93, 0, 0) + sizes + name + body
    central = struct.pack("<IHHHHHH", 0x02014B50, 63, 63, 0, 93, 0, 0) + sizes
    central += struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def test_a_log_that_is_compressed_as_inspect_does_today_is_read() -> None:
    found = read("x.eval", zstd_packed(json.dumps(INSPECT)))
    assert [each.name for each in found] == list(values(INSPECT))


def test_a_damaged_compressed_log_is_refused() -> None:
    assert "not an Inspect log" in refusal("x.eval", zstd_packed(json.dumps(INSPECT), damage=True)).message
    assert refusal("x.eval", zstd_packed(json.dumps(INSPECT)).replace(b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\x00")).message


def test_without_the_extra_a_compressed_log_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    if sys.version_info < (3, 14):
        assert "mlops-action[data]" in refusal("x.eval", zstd_packed(json.dumps(INSPECT))).hint


def test_a_log_that_somebody_invalidated_gives_no_numbers() -> None:
    assert "invalidated" in refusal("r.json", json.dumps({**INSPECT, "invalidated": True})).message
    assert values({**INSPECT, "invalidated": False}) == values(INSPECT)


def test_samples_without_a_score_are_counted() -> None:
    scored = changed(INSPECT, "results.scores.2.unscored_samples", 3)
    assert values(scored)["match.unscored_samples"] == "3"


def test_a_packed_log_that_was_cut_off_is_refused() -> None:
    assert "not an Inspect log" in refusal("x.eval", packed({"header.json": json.dumps(INSPECT)})[:-30]).message


def test_promptfoo_gives_counts_a_pass_rate_and_the_metrics_of_each_prompt() -> None:
    found = values(PROMPTFOO)
    part = "[prompt=hello,provider=openai:x]"
    assert found["pass_rate"] == "0.8"
    assert (found["successes"], found["errors"]) == ("8", "1")
    assert (found[f"score{part}"], found[f"namedScores.tone{part}"], found[f"pass_rate{part}"]) == ("8.5", "7", "0.8")
    assert not any("token" in name for name in found)


def test_no_test_of_promptfoo_at_all_has_no_pass_rate() -> None:
    nothing = changed(PROMPTFOO, "results.stats", {"successes": 0, "failures": 0, "errors": 0})
    assert values(nothing)["pass_rate"] is None


def test_a_label_that_another_begins_with_stays_as_it_is() -> None:
    labels = ["x" * 80, "x" * 81, "y" * 81]
    prompts = [{**PROMPTFOO["results"]["prompts"][0], "label": label} for label in labels]  # type: ignore[index]
    found = values(changed(PROMPTFOO, "results.prompts", prompts))
    shown = [name[len("score[prompt=") : -len(",provider=openai:x]")] for name in found if name.startswith("score[")]
    assert shown[::2] == ["x" * 80, "y" * 80]
    assert shown[1].startswith("x" * 80 + "… ")


def test_a_prompt_and_a_provider_that_are_there_twice_are_refused_with_the_remedy() -> None:
    twice = changed(PROMPTFOO, "results.prompts", PROMPTFOO["results"]["prompts"] * 2)  # type: ignore[index]
    problem = refusal("r.json", json.dumps(twice))
    assert problem.message == "the prompts 0 and 1 have the same label and the same provider"
    assert problem.origin == "r.json#/results/prompts/1"
    assert "`label`" in problem.hint


def test_counts_of_promptfoo_that_are_no_numbers_are_refused() -> None:
    assert "not a number" in refusal("r.json", json.dumps(changed(PROMPTFOO, "results.stats.failures", "0"))).message


@pytest.mark.parametrize("run", [MLFLOW, MLFLOW_REST, MLFLOW_EXPORT], ids=["describe", "rest", "export"])
def test_the_last_value_of_each_metric_of_an_mlflow_run_counts(run: Any) -> None:
    assert values(run)["auc"] == "0.91"


@pytest.mark.parametrize(
    ("run", "place"), [(MLFLOW, "info"), (MLFLOW_REST, "run.info"), (MLFLOW_EXPORT, "mlflow.info")]
)
@pytest.mark.parametrize("status", ["FAILED", "KILLED"])
def test_an_mlflow_run_that_failed_gives_no_numbers(run: Any, place: str, status: str) -> None:
    assert f"`{status}`" in refusal("r.json", json.dumps(changed(run, f"{place}.status", status))).message


def test_plain_json_that_only_resembles_results_is_plain_json() -> None:
    assert values({"results": {"accuracy": 0.9}, "versions": 1}) == {"results.accuracy": "0.9", "versions": "1"}


JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="unit" tests="99"><properties><property name="auc" value="0.9"/></properties>
<testcase name="a" time="0.1"/><testcase name="b" time="0.25"><failure>x</failure><error/></testcase>
<testcase name="c" time="0"><skipped/></testcase></testsuite>
<testsuite name="slow"><testcase name="d"><error/></testcase><testcase name="e"/></testsuite></testsuites>"""


def test_junit_gives_counts_pass_rate_and_time_of_all_and_of_each_suite() -> None:
    found = {(each.name, each.slice): each.value for each in read("j.xml", JUNIT)}
    names = ("total", "passed", "failed", "errors", "skipped", "pass_rate", "seconds")
    assert [found[f"tests.{name}", ""] for name in names] == list(
        map(Decimal, ["5", "2", "1", "1", "1", "0.5", "0.35"])
    )
    assert [found[f"tests.{name}", "suite=unit"] for name in names[:5]] == [3, 1, 1, 0, 1]
    assert found["auc", "suite=unit"] == Decimal("0.9")


def test_a_report_of_skipped_tests_only_has_no_pass_rate() -> None:
    found = {each.name: each.value for each in read("j.xml", "<testsuite><testcase><skipped/></testcase></testsuite>")}
    assert found["tests.pass_rate"] is None
    assert found["tests.total"] == 1


def test_a_time_that_is_no_number_makes_the_time_unknown() -> None:
    text = '<testsuite><testcase time="1"/><testcase time="fast"/></testsuite>'
    assert {each.name: each.value for each in read("j.xml", text)}["tests.seconds"] is None


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE lolz [<!ENTITY lol "lol">]><testsuite><testcase name="&lol;"/></testsuite>',
        "<html/>",
        "<testsuite>",
        "<testsuite></testsuites>",
        "plain",
        "<a>" * 100,
        "<testsuite>" * 100,
    ],
)
def test_what_is_no_junit_report_is_refused_with_its_line(text: str) -> None:
    assert refusal("j.xml", text).origin.startswith("j.xml:")


def test_labels_of_openmetrics_are_the_slice() -> None:
    text = 'auc{country="NO",note="a \\"b\\" {c}, d=\\\\e"} 0.9 1700000000 # {trace="x"} 1\nauc 0.8\n# EOF\nnot read'
    assert [(each.name, each.slice, str(each.value), each.origin) for each in read("m.prom", text)] == [
        ("auc", 'country=NO,note=a "b" {c}, d=\\e', "0.9", "m.prom:1"),
        ("auc", "", "0.8", "m.prom:2"),
    ]


@pytest.mark.parametrize("line", ["auc", "auc{", 'auc{a="1" 2', "auc{} ", "auc{a=1} 2", "0.9", "a b c d"])
def test_lines_that_are_no_samples_are_refused(line: str) -> None:
    assert refusal("m.txt", f"ok 1\n{line}\n").origin == "m.txt:2"


def test_the_last_line_that_names_a_metric_counts_in_a_log() -> None:
    text = '{"step": 1, "loss": 0.5, "val": {"auc": 0.7}}\n\n{"step": 2, "loss": NaN}\n'
    assert [(each.name, str(each.value), each.origin) for each in read("t.jsonl", text)] == [
        ("step", "2", "t.jsonl:3#/step"),
        ("loss", "NaN", "t.jsonl:3#/loss"),
        ("val.auc", "0.7", "t.jsonl:1#/val/auc"),
    ]


def test_lines_of_one_metric_each_may_have_slices() -> None:
    text = '{"metric": "auc", "value": 0.9, "slice": "c=NO"}\n{"metric": "auc", "value": 0.8}'
    assert [(each.slice, str(each.value)) for each in read("t.ndjson", text)] == [("c=NO", "0.9"), ("", "0.8")]


@pytest.mark.parametrize("text", ["1", "[1]", '{"a": 1,}', '{"a": 1}{"b": 2}', '{"metric": 1, "value": 2}'])
def test_lines_that_are_no_objects_of_metrics_are_refused_with_their_line(text: str) -> None:
    assert refusal("t.jsonl", f'{{"metric": "b", "value": 1}}\n{text}').origin.startswith("t.jsonl:2")


def notebook(*outputs: Any, **cell: Any) -> str:
    one = {"cell_type": "code", "id": "c", "source": "", "metadata": {}, "outputs": list(outputs), **cell}
    return json.dumps({"nbformat": 4, "cells": [one]})


def shown(mime: str, data: Any) -> Any:
    return {"output_type": "display_data", "data": {mime: data}, "metadata": {}}


def test_objects_that_a_notebook_shows_as_json_give_their_numbers() -> None:
    data = {"auc": 0.9, "note": "x", "curve": [1, 2], "test": {"loss": 0.1}, "ok": True}
    assert [(each.name, str(each.value)) for each in read("n.ipynb", notebook(shown("application/json", data)))] == [
        ("auc", "0.9"),
        ("test.loss", "0.1"),
    ]


def test_recorded_values_come_before_objects_that_are_only_shown() -> None:
    ours = shown("application/vnd.mlops-action.values.v1+json", {"auc": 0.9})
    text = notebook(ours, shown("application/json", {"auc": 0.99, "n": 3}))
    assert [(each.name, str(each.value)) for each in read("n.ipynb", text)] == [("auc", "0.9"), ("n", "3")]


def test_a_later_object_leaves_no_older_number_of_its_names_standing() -> None:
    text = notebook(shown("application/json", {"auc": 0.99}), shown("application/json", {"auc": "diverged"}))
    assert read("n.ipynb", text) == []


def test_a_notebook_that_raised_gives_no_numbers_unless_it_was_meant_to() -> None:
    error = {"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}
    ok = shown("application/json", {"auc": 0.9})
    assert refusal("n.ipynb", notebook(ok, error)).message == "a cell of the notebook raised ValueError"
    assert len(read("n.ipynb", notebook(ok, error, metadata={"tags": ["raises-exception"]}))) == 1


@pytest.mark.parametrize("text", ["[]", "1", '{"worksheets": []}', '{"cells": 1}'])
def test_what_is_no_notebook_is_refused(text: str) -> None:
    assert "not a notebook" in refusal("n.ipynb", text).message


@pytest.mark.parametrize("name", ["metrics.yaml", "dvclive/metrics.json", "metrics.toml"])
def test_metric_files_of_dvc_are_read_by_their_ending(name: str) -> None:
    text = {
        "yaml": "train:\n  acc: 0.9\n",
        "json": '{"train": {"acc": 0.9}}',
        "toml": "[train]\nacc = 0.9\n",
    }[name.rpartition(".")[2]]
    assert [(each.name, each.value, each.origin) for each in read(name, text)] == [
        ("train.acc", Decimal("0.9"), f"{name}#/train/acc")
    ]


def test_a_repeated_key_of_toml_is_refused_with_its_line() -> None:
    problem = refusal("m.toml", "a = 1\na = 2\n")
    assert problem.message == "a key is there twice"
    assert problem.origin.startswith("m.toml:2:")
