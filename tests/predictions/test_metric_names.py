"""The names of metrics that a policy may use are those that are computed, whatever the columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from judging import rows, write

from mlops_action.config.load import draft_of
from mlops_action.config.predictions_metrics import OF_FILES, metrics_of
from mlops_action.config.predictions_model import PredictionsSpec
from mlops_action.config.yaml_source import Located
from mlops_action.judgement.predictions.quality import COUNTS
from mlops_action.judgement.predictions.roles import roles_of
from mlops_action.metrics.predictions.measure import measure
from mlops_action.records import PlannedPredictions

SPECS = [
    {"task": "binary", "score": "score"},
    {"task": "binary", "prediction": "label"},
    {"task": "binary", "score": "score", "calibration": True},
    {"task": "binary", "score": "score", "weight": "weight"},
    {"task": "multiclass", "label": "kind", "prediction": "kind"},
    {"task": "multiclass", "label": "kind", "scores": {"a": "score", "b": "rest"}},
    {"task": "multiclass", "label": "kind", "scores": {"a": "score", "b": "rest"}, "cluster": "region"},
    {"task": "multilabel", "labels": {"one": "label", "two": "other"}, "scores": {"one": "score", "two": "rest"}},
    {"task": "regression", "label": "weight", "prediction": "score"},
    {"task": "regression", "label": "weight", "prediction": "score", "cluster": "region"},
    {"task": "ranking", "score": "score", "query": "region"},
]


@pytest.mark.parametrize("given", SPECS, ids=str)
def test_the_names_that_a_policy_may_use_are_those_that_are_computed(tmp_path: Path, given: dict[str, object]) -> None:
    data = rows(200)
    path = write(
        tmp_path / "p.parquet",
        data | {"rest": 1 - data["score"], "other": 1 - data["label"], "weight": np.linspace(1, 2, 200)},
    )
    spec = draft_of(PredictionsSpec, Located({"file": "p.parquet", **given}, "gates.yaml")).value
    assert spec is not None
    [found] = measure(path, roles_of(PlannedPredictions(name="test", **vars(spec))))
    assert set(found.metrics) == set(metrics_of(spec)) - set(OF_FILES)


def test_the_counts_of_a_file_are_known_as_well() -> None:
    assert set(OF_FILES) == set(COUNTS)
