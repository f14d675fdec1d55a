"""Cases in which other tools decide otherwise: what docs/gates.md says is decided here, is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_action.evaluate import evaluate
from mlops_action.metrics.baseline import Baseline, Baselines, History
from mlops_action.metrics.history import PastRun
from mlops_action.records import BaselineIdentity, MetricReading, PlannedGate
from mlops_action.repository import Repository
from mlops_action.vocabulary import Outcome

TABLE = yaml.load((Path(__file__).parent / "other_tools.yaml").read_text(), yaml.BaseLoader)
IDENTITY = BaselineIdentity("b", "b", "sha256:0")


class Told(Baselines):
    """Baseline and history of one row."""

    def __init__(self, row: dict[str, Any]) -> None:
        super().__init__(Path("/nowhere"), Repository(Path("/nowhere"), {}))
        self.row = row

    def read(self, locator: str) -> Baseline:
        return tuple(readings(self.row["baseline"], "score" if self.row["baseline"] != "absent" else "other")), IDENTITY

    def history(self, locator: str) -> History:
        return tuple(PastRun(tuple(readings(value, "score"))) for value in self.row["past"].split()), IDENTITY


def readings(value: str, name: str) -> list[MetricReading]:
    number = None if value in {"null", "absent"} else Decimal(value)
    return [MetricReading(name, number, f"m.json#/{name}")]


def gate(written: dict[str, Any]) -> PlannedGate:
    from mlops_action.config.load import policy_from_text
    from mlops_action.gate_plan import plan_gates

    plain = {"metric": "score", "direction": "higher", **({"history": "h"} if "history-threshold" in written else {})}
    text = yaml.dump({"gates": {"g": {**plain, **written}}, "baseline": "b"}).replace("'", "")
    return plan_gates(policy_from_text(text, "gates.yaml"))[0]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row['tool']}: {row['case']}")
def test_what_is_decided_here_is_what_is_documented(row: dict[str, Any]) -> None:
    found = readings(row["value"], "score") if "value" in row else readings("1", "other")
    [verdict] = evaluate([gate(row["gate"])], found, Told(row)).verdicts
    expected = {"pass": (Outcome.PASS, ""), "fail": (Outcome.FAIL, "")}.get(row["says"])
    assert (verdict.outcome, verdict.undecided) == (expected or (Outcome.INCONCLUSIVE, row["says"])), verdict.message
