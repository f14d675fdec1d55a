"""Judging predictions beside other tools: CPU seconds and memory of whole processes, in one run.

    python benchmarks/gates.py                      # 100,000 and 1,000,000 rows
    python benchmarks/gates.py --rows 10000000      # the largest
    python benchmarks/gates.py --peers sklearn fairlearn

Each figure is a process of its own, start and imports included, that reads the same Parquet file of labels, scores and
three columns with 10 + 4 + 6 values: 21 slices with the overall one. The first line is the command line from end to
end: ``mlops-action gate`` with eight gates on accuracy, F1, ROC AUC and log-loss, 84 verdicts with intervals and tests,
and all reports written. The second is its library alone, 17 metrics with intervals. The others compute accuracy, F1,
ROC AUC and log-loss without intervals. ``compute`` is the part after the imports: reading and judging.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import process_time

GATE = "mlops-action gate"
PYTHONS: dict[str, str] = {}
"""Interpreters of peers that do not install beside the others."""
OURS = "mlops-action"
PEERS = {"sklearn": "scikit-learn", "fairlearn": "fairlearn", "evidently": "evidently"}
SLICES = ("region", "device", "age")


def make(path: Path, rows: int) -> None:
    """Scores of a useful model, 20 % positives, written in row groups as a job would."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    stream = np.random.default_rng(20)
    names = [[f"{column}-{value}" for value in range(count)] for column, count in zip(SLICES, (10, 4, 6), strict=True)]
    schema = pa.schema([("y", pa.int8()), ("p", pa.float64()), *((column, pa.string()) for column in SLICES)])
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, rows, 1_000_000):
            size = min(1_000_000, rows - start)
            y = (stream.random(size) < 0.2).astype(np.int8)
            p = 1 / (1 + np.exp(2 - 2 * y - 1.3 * stream.normal(size=size)))
            coded = [
                pa.DictionaryArray.from_arrays(stream.integers(0, len(n), size, dtype=np.int32), n).cast(pa.string())
                for n in names
            ]
            writer.write_table(pa.table([pa.array(y), pa.array(p), *coded], schema=schema))


POLICY = """
predictions:
  test: {file: predictions.parquet, task: binary, label: y, score: p, slices: [region, device, age]}
gates:
"""
LIMITS = {"accuracy": "min: 0.5", "f1": "min: 0.1", "roc_auc": "min: 0.6", "log_loss": "max: 0.9"}


def gate(path: Path) -> dict[str, object]:
    """The command line from end to end, in the folder of the file: CPU seconds and memory as the system counts them."""
    lines = []
    for metric, limit in LIMITS.items():
        lines.append(f"  {metric}: {{predictions: test, metric: {metric}, {limit}}}")
        lines.append(f"  {metric}-slices: {{predictions: test, metric: {metric}, {limit}, slices: all}}")
    (path.parent / "mlops.yaml").write_text(POLICY + "\n".join(lines) + "\n")
    command = [str(Path(sys.executable).with_name("mlops-action")), "gate"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, cwd=path.parent, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        return {"error": f"exit status {os.waitstatus_to_exitcode(status)}"}
    verdicts = json.loads((path.parent / "mlops-out" / "verdicts.json").read_text())["verdicts"]
    found = {each["gate"]: each for each in verdicts}
    parts = found["roc_auc-slices"]["parts"]
    assert len(parts) == 20, "every slice is judged"
    assert all(each["evidence"]["low"] is not None for each in parts), "every slice has an interval"
    areas = {"": found["roc_auc"]["value"]} | {each["name"]: each["value"] for each in parts}
    return {"cpu": usage.ru_utime + usage.ru_stime, "mb": usage.ru_maxrss / 1024, "areas": areas}


def ours(path: Path) -> object:
    """This project's library: 17 metrics with intervals on 21 slices."""
    from mlops_action.metrics.predictions.measure import measure
    from mlops_action.metrics.predictions.roles import Roles
    from mlops_action.vocabulary import Task

    found = measure(path, Roles(Task.BINARY, "y", "p", slices=SLICES))
    intervals = [estimate.interval for each in found for estimate in each.metrics.values()]  # lazy: computed here
    assert all(intervals), "every metric has an interval"
    return {each.name: each.metrics["roc_auc"].value for each in found}


def _read(path: Path) -> dict[str, object]:
    from pyarrow import parquet

    with parquet.ParquetFile(path, read_dictionary=SLICES) as file:
        table = file.read()
    columns = {name: table[name].to_numpy() for name in ("y", "p")}
    for name in SLICES:
        coded = table[name].unify_dictionaries().combine_chunks()
        columns[name] = coded.indices.to_numpy()
        columns[f"{name}-names"] = coded.dictionary.to_pylist()
    return columns


def sklearn(path: Path) -> object:
    """scikit-learn's functions in a loop over the slices."""
    from sklearn import metrics

    data = _read(path)
    found = {}

    def judge(name: str, y: object, p: object) -> None:
        said = p >= 0.5
        metrics.accuracy_score(y, said), metrics.f1_score(y, said), metrics.log_loss(y, p)
        found[name] = metrics.roc_auc_score(y, p)

    judge("", data["y"], data["p"])
    for column in SLICES:
        for code, value in enumerate(data[f"{column}-names"]):
            chosen = data[column] == code
            judge(f"{column}={value}", data["y"][chosen], data["p"][chosen])
    return found


def fairlearn(path: Path) -> object:
    """fairlearn's MetricFrame, once for each slice column."""
    from fairlearn.metrics import MetricFrame
    from sklearn import metrics

    data = _read(path)
    found = {}
    chosen = {
        "accuracy": lambda y, p: metrics.accuracy_score(y, p >= 0.5),
        "f1": lambda y, p: metrics.f1_score(y, p >= 0.5),
        "roc_auc": metrics.roc_auc_score,
        "log_loss": metrics.log_loss,
    }
    for column in SLICES:
        frame = MetricFrame(metrics=chosen, y_true=data["y"], y_pred=data["p"], sensitive_features=data[column])
        names = data[f"{column}-names"]
        found |= {f"{column}={names[code]}": value for code, value in frame.by_group["roc_auc"].items()}
        found[""] = frame.overall["roc_auc"]
    return found


def evidently(path: Path) -> object:
    """evidently's classification preset, once for all rows and once for each slice; pandas tables."""
    import pandas as pd
    from evidently import BinaryClassification, DataDefinition, Dataset, Report
    from evidently.presets import ClassificationQuality

    table = pd.read_parquet(path)
    table["said"] = (table["p"] >= 0.5).astype(int)
    roles = BinaryClassification(target="y", prediction_labels="said", prediction_probas="p", pos_label=1)

    def judge(rows: object) -> float:
        data = Dataset.from_pandas(rows, data_definition=DataDefinition(classification=[roles]))
        found = Report([ClassificationQuality()]).run(data, None).dict()["metrics"]
        return next(float(each["value"]) for each in found if "RocAuc" in str(each))

    areas = {"": judge(table[["y", "said", "p"]])}
    for column in SLICES:
        for value, rows in table.groupby(column)[["y", "said", "p"]]:
            areas[f"{column}={value}"] = judge(rows)
    return areas


def child(tool: str, path: Path) -> None:
    """One measured process; prints CPU seconds, peak memory and the areas as JSON."""
    import pyarrow.compute  # noqa: F401
    from pyarrow import parquet  # noqa: F401

    needed = {
        OURS: "mlops_action.metrics.predictions.binary",
        "sklearn": "sklearn.metrics",
        "fairlearn": "fairlearn.metrics",
        "evidently": "evidently",
    }
    import_module(needed[tool])
    if tool == OURS:
        import_module("mlops_action.metrics.predictions.measure")
    start = process_time()
    found = {OURS: ours, "sklearn": sklearn, "fairlearn": fairlearn, "evidently": evidently}[tool](path)
    end = process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"cpu": end, "compute": end - start, "mb": peak, "areas": found}))


def measured(tool: str, path: Path) -> dict[str, object]:
    """The child's record, CPU seconds by its own clock from start to end."""
    if tool == GATE:
        return gate(path)
    command = [PYTHONS.get(tool, sys.executable), __file__, "--child", tool, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["?"])[-1]}
    return dict(json.loads(done.stdout))


def _fastest(records: list[dict[str, object]]) -> dict[str, object]:
    good = [each for each in records if "error" not in each]
    return min(good, key=lambda each: each["cpu"]) if good else records[0]


def compare(rows: int, peers: list[str], rounds: int) -> None:
    """Print one table for one number of rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).resolve() / "predictions.parquet"
        make(path, rows)
        print(
            f"\n{rows:,} rows, 21 slices, best of {rounds}\n\n| tool | CPU s | compute | peak MB | the gate is faster |"
        )
        print("|---|---|---|---|---|")
        base = None
        measured(GATE, path)  # compiles the modules, as an installation does
        for tool in [GATE, OURS, *peers]:
            record = _fastest([measured(tool, path) for _ in range(rounds)])
            if "error" in record:
                print(f"| {tool} | {record['error']} | | | |")
                continue
            base = base or record
            off = max((abs(base["areas"][n] - v) for n, v in record["areas"].items()), default=0)
            label = f"{tool} {_version(tool)}".strip() + (f" (areas differ by {off:.0e})" if tool in peers else "")
            ratio = f"{record['cpu'] / base['cpu']:.1f}x" if tool in peers else ""
            compute = f"{record['compute']:.3f}" if "compute" in record else ""
            figures = f"{record['cpu']:.2f} | {compute} | {record['mb']:.0f}"
            print(f"| {label} | {figures} | {ratio} |", flush=True)


def _version(tool: str) -> str:
    try:
        return version(PEERS.get(tool, tool))
    except PackageNotFoundError:
        return ""


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--peers", nargs="*", default=["sklearn"], choices=list(PEERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python-of", nargs="*", default=[], metavar="TOOL=PYTHON", help="interpreter of a peer")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child[0], Path(given.child[1]))
        return
    PYTHONS.update(each.split("=", 1) for each in given.python_of)
    for rows in given.rows:
        compare(rows, given.peers, given.rounds)


if __name__ == "__main__":
    main()
