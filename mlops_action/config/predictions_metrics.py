"""The metrics that each task has, by name; a test keeps them equal to what is computed."""

from __future__ import annotations

from mlops_action.config.predictions_model import PredictionsSpec
from mlops_action.vocabulary import Task

OF_OUTCOMES = [
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "false_negative_rate",
    "specificity",
    "false_positive_rate",
    "prevalence",
    "selection_rate",
    "f1",
    "f0.5",
    "f2",
    "mcc",
]
OF_SCORES = ["roc_auc", "average_precision", "log_loss", "brier"]
OF_CALIBRATION = ["ece", "calibration_intercept", "calibration_slope"]
OF_CLASSES = ["accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "mcc"]
OF_PROBABILITIES = ["log_loss", "brier", "top_1_accuracy", "top_3_accuracy", "top_5_accuracy"]
OF_LABELS = ["subset_accuracy", "hamming_loss", "micro_f1", "macro_f1"]
OF_NUMBERS = ["mae", "mse", "rmse", "mape", "smape", "quantile_loss", "bias", "r2", "explained_variance"]
OF_RANKINGS = ["mrr", "ndcg@1", "ndcg@5", "ndcg@10", "map@1", "map@5", "map@10"]
OF_FILES = ["rows", "null_share", "repeated_ids", "join_coverage", "new_share"]


def metrics_of(spec: PredictionsSpec) -> list[str]:
    """The metrics that can be computed from a file with these columns; ``null_share.COLUMN`` besides."""
    if spec.task is Task.BINARY:
        calibration = OF_CALIBRATION if spec.calibration else []
        found = [*OF_OUTCOMES, *(OF_SCORES if spec.score else []), *calibration]
    elif spec.task is Task.MULTICLASS:
        found = [*OF_CLASSES, *(OF_PROBABILITIES if spec.scores else [])]
    elif spec.task is Task.MULTILABEL:
        found = [f"{label}/{each}" for label in spec.labels for each in (*OF_OUTCOMES, *OF_SCORES)] + OF_LABELS
    else:
        found = list({Task.REGRESSION: OF_NUMBERS, Task.RANKING: OF_RANKINGS}[spec.task])
    return found + OF_FILES
