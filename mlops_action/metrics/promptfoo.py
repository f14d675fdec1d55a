"""Results of promptfoo (`promptfoo eval --output results.json`)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Leaf, Readings, leaves, share
from mlops_action.metrics.json_text import value_of
from mlops_action.metrics.known_results import at, list_at, objects_at, pointer
from mlops_action.records import Json

_LABEL = 80
"""Characters of a label that are shown."""
_COUNTS = ("successes", "failures", "errors")
_PROMPT_COUNTS = ("testPassCount", "testFailCount", "testErrorCount")


def read_results(root: Mapping[str, Json], where: str, found: Readings) -> None:
    """Add the counts and their ``pass_rate``, and the metrics of each prompt as those of a slice.

    A slice is ``prompt=LABEL,provider=ID``. ``pass_rate`` counts errors as tests that did not pass.

    Raises:
        MetricUnreadable: something is no number where one belongs, or two prompts have one label and provider.
    """
    stats = objects_at(root, "results.stats", where)
    _add(stats, f"{where}/results/stats", found, "", _COUNTS)
    base = "results.prompts" if list_at(root, "results.prompts") else "results.table.head.prompts"
    prompts = [prompt if isinstance(at(prompt, "metrics"), Mapping) else None for prompt in list_at(root, base)]
    at_base = f"{where}{pointer(*base.split('.'))}"
    for place, slice_ in _slices(prompts, at_base).items():
        _add(at(prompts[place], "metrics"), f"{at_base}/{place}/metrics", found, slice_, _PROMPT_COUNTS)


def _slices(prompts: list[Json], where: str) -> dict[int, str]:
    """The slice of each prompt that is there, by its place."""
    labels = {place: _label(prompt) for place, prompt in enumerate(prompts) if prompt is not None}
    # A prompt without a label of its own is its label, and variants of one prompt begin alike.
    alike = Counter(label[:_LABEL] for label in set(labels.values()))
    slices: dict[int, str] = {}
    first: dict[str, int] = {}
    for place, label in labels.items():
        shown = label[:_LABEL] if alike[label[:_LABEL]] == 1 else _told_apart(label)
        slices[place] = f"prompt={shown},provider={at(prompts[place], 'provider')}"
        other = first.setdefault(slices[place], place)
        if other != place:
            raise MetricUnreadable(
                f"the prompts {other} and {place} have the same label and the same provider",
                origin=f"{where}/{place}",
                hint="give each a `label` of its own in promptfoo's configuration, or the providers one each",
            )
    return slices


def _label(prompt: Json) -> str:
    text = str(at(prompt, "label") or at(prompt, "raw") or "")
    return " ".join(text.split())


def _told_apart(label: str) -> str:
    """A long label's beginning and a digest of all of it; a number would change when prompts change places."""
    if len(label) <= _LABEL:
        return label
    return f"{label[:_LABEL]}… {hashlib.sha256(label.encode(errors='surrogatepass')).hexdigest()[:8]}"


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
    for name, mean in _means(numbers, where):
        found.add(f"meanScores.{name}", mean, f"{where}{pointer('namedScores', name)}", part)


def _means(numbers: Mapping[str, Json], where: str) -> Iterator[tuple[str, Decimal | None]]:
    """Each named score over what it is the sum of: weights, or in older files assertions."""
    sums, of = numbers.get("namedScores"), numbers.get("namedScoreWeights", numbers.get("namedScoresCount"))
    if not isinstance(sums, Mapping) or not isinstance(of, Mapping):
        return
    for name in sums:
        total, weight = (value_of(Leaf(name, each.get(name, ""), pointer(name)), where) for each in (sums, of))
        if total is not None and weight is not None and total.is_finite() and weight.is_finite():
            yield name, share(total, weight)


def _numbers(numbers: Mapping[str, Json], where: str) -> Iterator[Leaf]:
    for leaf in leaves(dict(numbers), where):
        if not leaf.name.startswith("tokenUsage"):
            yield leaf
