"""Judges a policy on files of predictions, from text to verdicts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from mlops_action.config.load import policy_from_text
from mlops_action.evaluate import evaluate
from mlops_action.gate_plan import plan_gates
from mlops_action.metrics.baseline import Baselines
from mlops_action.records import Verdict, Verdicts
from mlops_action.repository import Repository

BINARY = (
    "{file: new.parquet, baseline: old.parquet, task: binary, score: score, id: id, slices: [region, region & kind]}"
)


def judged(folder: Path, gates: str, test: str = BINARY) -> Verdicts:
    """The verdicts of ``gates`` on the predictions ``test`` in a folder."""
    text = f"predictions:\n  test: {test}\ngates:\n" + "\n".join(f"  {line}" for line in gates.strip().splitlines())
    loaded = replace(policy_from_text(text, "gates.yaml"), root=folder)
    return evaluate(plan_gates(loaded), [], Baselines(folder, Repository(folder, {})))


def verdict(folder: Path, gate: str, test: str = BINARY) -> Verdict:
    """The verdict of one gate on the predictions ``test``."""
    [found] = judged(folder, f"g: {{predictions: test, {gate}}}", test).verdicts
    return found


def rows(count: int = 2000, *, noise: float = 0.0, seed: int = 1, **columns: Any) -> dict[str, Any]:
    """Labels, 30 % of them positive, and scores of a useful model; ``noise`` makes it another, worse one."""
    stream = np.random.default_rng(seed)
    label = (stream.random(count) < 0.3).astype(np.int64)
    odds = 2 * label - 1 + 1.2 * stream.normal(size=count)
    odds = odds + noise * np.random.default_rng(seed + 1).normal(size=count)
    place = np.arange(count)
    data = {
        "id": place,
        "label": label,
        "score": 1 / (1 + np.exp(-odds)),
        "region": np.array(["north", "south", "east"])[place % 3],
        "kind": np.array(["a", "b"])[place // 3 % 2],
    }
    return data | columns


def write(path: Path, data: dict[str, Any], keep: Any = None) -> Path:
    """A Parquet file of columns, of the rows where ``keep`` is true."""
    table = pa.table({name: pa.array(values) for name, values in data.items()})
    parquet.write_table(table if keep is None else table.filter(pa.array(keep)), path)
    return path


def two(folder: Path, *, noise: float = 0.3, count: int = 2000) -> dict[str, Any]:
    """A candidate ``new.parquet``, a little worse than the baseline ``old.parquet``, on the same rows."""
    write(folder / "old.parquet", rows(count))
    write(folder / "new.parquet", rows(count, noise=noise))
    return rows(count, noise=noise)
