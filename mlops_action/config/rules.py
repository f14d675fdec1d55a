"""What a configuration must hold beyond the types of its values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from mlops_action.config.model import PipelineSpec
from mlops_action.config.policy_model import Direction, GatePart
from mlops_action.config.step_model import StepSpec
from mlops_action.config.yaml_source import Located
from mlops_action.errors import BadValue, MlopsError, NeedsCycle, SpecError, UnknownName, nearest

T = TypeVar("T")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
CHANGE_RULES = ("max_drop", "min_gain", "max_gain")
HISTORY_RULES = ("ratchet", "history_threshold")
COMBINATIONS = ("all", "any", "at_least")
GROUP_RULES = ("max_gap", "min_ratio")
RULES = ("min", "max", "range", "equals", *CHANGE_RULES, *HISTORY_RULES, *GROUP_RULES, *COMBINATIONS)
"""A gate has exactly one of these."""

_HIGHER = """accuracy balanced_accuracy precision recall sensitivity specificity f1 f0.5 f2 f_beta mcc auc roc_auc
pr_auc average_precision r2 explained_variance ndcg mrr map top_k bleu rouge exact_match reward throughput"""
_LOWER = """loss log_loss cross_entropy brier ece mae mse rmse mape smape wape mase quantile_loss pinball_loss
error error_rate false_negative_rate false_positive_rate perplexity latency duration cost size wer cer
hallucination_rate"""
_TURNED = """neg negative minus inv inverse reduction improvement increase decrease rise drop gain delta diff
difference change std stddev stderr gap ratio threshold"""
"""Parts of a name that may turn its direction round: scikit-learn's `neg_log_loss` is better when higher."""
DIRECTIONS = dict.fromkeys(_HIGHER.split(), Direction.HIGHER) | dict.fromkeys(_LOWER.split(), Direction.LOWER)


def is_pattern(name: str) -> bool:
    """Whether a metric's or slice's name stands for all that match; one that is there as it is written comes first."""
    return any(sign in name for sign in "*?[")


def direction_of(gate: GatePart) -> Direction | None:
    """Which way the gate's metric is better: as declared, else as its name says.

    ``test.roc_auc``, ``urgent/f1``, ``ndcg@5``, ``val_loss`` and ``rmse_eur`` are recognised by their parts;
    ``neg_log_loss`` and ``accuracy_drop`` are not: what they mean has to be declared.
    """
    return gate.direction if gate.direction is not None else by_name(gate.metric, DIRECTIONS)


def by_name(metric: str, table: Mapping[str, T]) -> T | None:
    """What a table says of a metric, by its name or, when they agree, by the parts of its name."""
    last = metric.rpartition("/")[2].partition("@")[0]
    if last in table:
        return table[last]
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last.rpartition(".")[2]).lower().replace("-", "_")
    if name in table:
        return table[name]
    if set(name.split("_")) & set(_TURNED.split()):
        return None
    found = {said for known, said in table.items() if re.search(rf"(?:^|_){known}(?:_|$)", name)}
    return found.pop() if len(found) == 1 else None


def rule_of(gate: GatePart) -> str:
    """Name of the one rule of a checked gate, as a field name."""
    return next(rule for rule in RULES if getattr(gate, rule, None) is not None)


def step_problems(spec: PipelineSpec, located: Located, flawed: Collection[str] = ()) -> list[MlopsError]:
    """Everything that is wrong about the steps, but for those in ``flawed``."""
    problems: list[MlopsError] = []
    for name, step in spec.steps.items():
        where = f"/steps/{name}"
        if where in flawed:
            continue
        if not NAME.fullmatch(name):
            problems.append(
                BadValue(
                    f"`{name}` is not a step name",
                    origin=located.origin(where),
                    hint="use letters, digits, `_`, `-` and `.`, and start with a letter or digit",
                )
            )
        problems += [
            type(error)(error.message, origin=located.origin(where + error.origin), hint=error.hint)
            for error in _step_problems(name, step)
        ]
        problems += _unknown_needs(name, step, spec, located, flawed)
    return problems or list(_cycles(spec, located))


def _step_problems(name: str, step: StepSpec) -> Iterator[MlopsError]:
    """Problems of one step, with the pointer inside the step as origin."""
    given = [key for key in ("notebook", "code", "file") if getattr(step, key)]
    if len(given) != 1:
        said = " and ".join(f"`{key}`" for key in given) if given else "no `notebook`, no `code` and no `file`"
        yield SpecError(f"step `{name}` has {said}", hint="give exactly one of `notebook`, `code` and `file`")
    if not step.notebook and step.cells != type(step.cells)():
        yield SpecError(f"step `{name}` chooses cells, but only notebooks have some", origin="/cells")
    yield from _pattern_problems(step)
    for path in (step.notebook, step.file, step.parameters_file, *step.inputs, *step.outputs, *step.metrics):
        if path.startswith("/") or ".." in path.replace("\\", "/").split("/"):
            yield BadValue(
                f"`{path}` leaves the project folder",
                hint="name files inside the folder of mlops.yaml, relative to it: only those can be found again",
            )


def _pattern_problems(step: StepSpec) -> Iterator[MlopsError]:
    """Places of cells and regular expressions that make no sense."""
    if step.cells.index and not _places_make_sense(step.cells.index):
        yield BadValue(
            f"`{step.cells.index}` does not name cells", origin="/cells/index", hint="write places such as `0-3,7`"
        )
    patterns = {"/cells/matching": step.cells.matching}
    if step.compare is not None:
        patterns |= {f"/compare/ignore/{i}": pattern for i, pattern in enumerate(step.compare.ignore)}
    for pointer, pattern in patterns.items():
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            hint = "a backslash stands before what is meant literally: `\\(`, `\\.`; quote it in YAML with '…'"
            yield BadValue(f"`{pattern}` is no regular expression: {error}", origin=pointer, hint=hint)


def _places_make_sense(index: str) -> bool:
    """Whether each part is a place or a range that does not run backwards."""
    parts = [re.fullmatch(r"\s*(\d{1,9})(?:-(\d{1,9}))?\s*", part) for part in index.split(",")]
    return all(part is not None and int(part[1]) <= int(part[2] or part[1]) for part in parts)


def _unknown_needs(
    name: str, step: StepSpec, spec: PipelineSpec, located: Located, flawed: Collection[str]
) -> Iterator[MlopsError]:
    for i, other in enumerate(step.needs):
        if other not in spec.steps and f"/steps/{other}" not in flawed:
            yield UnknownName(
                f"step `{name}` needs `{other}`, which does not exist",
                origin=located.origin(f"/steps/{name}/needs/{i}"),
                hint=nearest(other, [known for known in spec.steps if known != name]),
            )


def _cycles(spec: PipelineSpec, located: Located) -> Iterator[MlopsError]:
    try:
        TopologicalSorter({name: step.needs for name, step in spec.steps.items()}).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        yield NeedsCycle(
            "these steps need each other in a circle: " + " → ".join(circle),
            origin=located.origin(f"/steps/{circle[0]}/needs"),
            hint="remove one of these `needs`",
        )
