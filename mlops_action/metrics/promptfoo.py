"""Results of promptfoo (`promptfoo eval --output results.json`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Leaf, Readings, leaves, share
from mlops_action.metrics.json_text import value_of
from mlops_action.metrics.known_results import at, list_at, objects_at, pointer
from mlops_action.records import Json

_COUNTS = ("successes", "failures", "errors")
_PROMPT_COUNTS = ("testPassCount", "testFailCount", "testErrorCount")


def read_results(root: Mapping[str, Json], where: str, found: Readings) -> None:
    """Add the counts and their ``pass_rate``, and the metrics of each prompt as those of a slice.

    A slice is ``prompt=LABEL,provider=ID``. ``pass_rate`` counts errors as tests that did not pass.

    Raises:
        MetricUnreadable: something is no number where one belongs, or two prompts have one label.
    """
    stats = objects_at(root, "results.stats", where)
    _add(stats, f"{where}/results/stats", found, "", _COUNTS)
    for place, prompt in enumerate(list_at(root, "results.prompts") or list_at(root, "results.table.head.prompts")):
        metrics = at(prompt, "metrics")
        if isinstance(metrics, Mapping):
            base = "prompts" if list_at(root, "results.prompts") else "table/head/prompts"
            slice_ = f"prompt={_label(prompt)},provider={at(prompt, 'provider')}"
            _add(metrics, f"{where}/results/{base}{pointer(place)}/metrics", found, slice_, _PROMPT_COUNTS)


def _label(prompt: Json) -> str:
    text = str(at(prompt, "label") or at(prompt, "raw") or "")
    return " ".join(text.split())[:80]


def _add(numbers: Mapping[str, Json], where: str, found: Readings, part: str, counts: tuple[str, ...]) -> None:
    known: list[Decimal] = []
    for name in counts:
        origin = f"{where}/{name}"
        value = value_of(Leaf(name, numbers.get(name, ""), f"/{name}"), origin)
        if value is None or not value.is_finite():
            if name != counts[2]:  # errors were not counted before 0.100
                raise MetricUnreadable(f"`{name}` is not a number", origin=origin)
            value = Decimal(0)
        known.append(value)
    ran = sum(known, Decimal(0))
    for leaf in _numbers(numbers, where):
        value = value_of(leaf, f"{where}{leaf.pointer}")
        # No failure among no tests is not good: nobody looked.
        found.add(leaf.name, value if ran or leaf.name not in counts else None, f"{where}{leaf.pointer}", part)
    found.add("pass_rate", share(known[0], ran), where, part)


def _numbers(numbers: Mapping[str, Json], where: str) -> Iterator[Leaf]:
    for leaf in leaves(dict(numbers), where):
        if not leaf.name.startswith("tokenUsage"):
            yield leaf
