"""What a metric can be, by its name."""

from __future__ import annotations

from decimal import Decimal

from mlops_action.config.rules import by_name

Span = tuple[Decimal | None, Decimal | None]
"""Lowest and highest value that a metric can have; None is without bound."""

_ONE, _ZERO = Decimal(1), Decimal(0)
_SHARES = """accuracy balanced_accuracy precision recall sensitivity specificity f1 f0.5 f2 f_beta auc roc_auc pr_auc
average_precision ndcg mrr map top_k exact_match error_rate false_negative_rate false_positive_rate ece"""
_NOT_NEGATIVE = """log_loss cross_entropy brier mae mse rmse mape smape wape mase perplexity latency duration
throughput wer cer"""
_SPANS: dict[str, Span] = {
    **dict.fromkeys(_SHARES.split(), (_ZERO, _ONE)),
    **dict.fromkeys(_NOT_NEGATIVE.split(), (_ZERO, None)),
    "mcc": (-_ONE, _ONE),
    "r2": (None, _ONE),
    "explained_variance": (None, _ONE),
}


def span_of(metric: str) -> Span | None:
    """Lowest and highest value of a metric whose name is known; None for others, and for percentages."""
    if {"percent", "pct"} & set(metric.lower().split("_")):
        return None
    return by_name(metric, _SPANS)


def inside(value: Decimal, span: Span) -> bool:
    """Whether a value is one that the metric can have."""
    return (span[0] is None or value >= span[0]) and (span[1] is None or value <= span[1])
