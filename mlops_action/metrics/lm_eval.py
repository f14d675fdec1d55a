"""Results of EleutherAI's lm-evaluation-harness (`results_*.json`, since 0.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_action.metrics.collect import Leaf, Readings, Written
from mlops_action.metrics.json_text import value_of
from mlops_action.metrics.known_results import at, objects_at, pointer
from mlops_action.records import Json

_NOT_METRICS = {"alias", "sample_len", "sample_count", "name"}


def read_results(root: Mapping[str, Json], where: str, found: Readings) -> None:
    """Add ``TASK.METRIC`` for each task and group, and ``samples.TASK``, which ``--limit`` makes fewer.

    A filter other than ``none`` stays in the name: ``gsm8k.exact_match,strict-match``.

    Raises:
        MetricUnreadable: results that are no objects, or the same name twice.
    """
    seen: set[str] = set()
    for section in ("results", "groups"):
        for task, metrics in objects_at(root, section, where).items() if section in root else ():
            if task in seen or not isinstance(metrics, Mapping):
                continue  # since 0.4.3 a group is among the results as well
            seen.add(task)
            for name, leaf in _metrics(metrics):
                origin = f"{where}{pointer(section, task)}{leaf.pointer}"
                found.add(f"{task}.{name}", value_of(leaf, origin), origin)
    for task, counts in objects_at(root, "n-samples", where).items() if "n-samples" in root else ():
        judged, place = at(counts, "effective"), pointer("n-samples", task, "effective")
        if isinstance(judged, Written):
            origin = f"{where}{place}"
            found.add(f"samples.{task}", value_of(Leaf("samples", judged, place), origin), origin)


def _metrics(metrics: Mapping[str, Json]) -> Iterator[tuple[str, Leaf]]:
    for key, value in metrics.items():
        metric, _, used = key.partition(",")
        name = metric if used in {"", "none"} else key
        # A standard error that was not computed is the text "N/A": it is no metric.
        if key not in _NOT_METRICS and (isinstance(value, Written) or "_stderr" not in metric):
            yield name, Leaf(name, value, pointer(key))
