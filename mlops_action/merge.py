"""The results of all shards of a run, put together to the result of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from glob import glob
from itertools import chain
from pathlib import Path

from mlops_action.codec import load_document
from mlops_action.digests import pattern_parts
from mlops_action.errors import MlopsError, Problems, ShardMismatch, UsageError
from mlops_action.frozen import frozen
from mlops_action.records import Fact, Json, RunResult, Uncaptured
from mlops_action.shard import shard_numbers
from mlops_action.stores.folder import RUN_FILE
from mlops_action.vocabulary import RUN_SCHEMA


@frozen
class Part:
    """One shard's results."""

    folder: Path
    shown: str
    run: RunResult

    def notebooks(self) -> Iterator[tuple[str, bytes]]:
        """Its executed notebooks, by their name in the output folder.

        Raises:
            ShardMismatch: one is not there.
        """
        for result in self.run.steps:
            if not result.executed:
                continue
            if pattern_parts(result.executed) is None:
                raise ShardMismatch(f"`{result.executed}` is no file of an output folder", origin=self.shown)
            try:
                yield result.executed, (self.folder / result.executed).read_bytes()
            except OSError as error:
                raise ShardMismatch(
                    f"the executed notebook {result.executed} cannot be read: {error.strerror or error}",
                    origin=self.shown,
                    hint="keep the whole output folder of each part as an artifact, not only run.json",
                ) from error


def folders_of(given: Sequence[str], cwd: Path) -> list[str]:
    """The folders that names and patterns mean, each once.

    Raises:
        UsageError: none is given, or a pattern matches nothing.
    """
    found: list[str] = []
    for name in given:
        is_pattern = any(char in name for char in "*?[") and not (cwd / name).exists()
        matched = sorted(glob(name, root_dir=cwd)) if is_pattern else [name]  # noqa: PTH207  # a pattern may be absolute
        if not matched:
            raise UsageError(f"no folder matches `{name}`", origin="folders", hint="are the parts' results here?")
        found += [each for each in matched if each not in found]
    if not found:
        raise UsageError("no folder is named", origin="folders", hint="name the output folders of the parts")
    return found


def read_parts(folders: Sequence[str], cwd: Path) -> list[Part]:
    """The results in output folders; their ``run.json`` may be named as well.

    Raises:
        Problems: folders without a readable ``run.json``.
    """
    parts: list[Part] = []
    problems: list[MlopsError] = []
    for shown in folders:
        path = cwd / shown
        path = path if path.is_file() else path / RUN_FILE
        try:
            parts.append(Part(path.parent, shown, load_document(RunResult, path, RUN_SCHEMA)))
        except MlopsError as error:
            problems.append(error)
    if problems:
        raise Problems(problems)
    return parts


def merged(parts: Sequence[Part]) -> RunResult:
    """The run that ``parts`` are the parts of.

    Raises:
        Problems: they are not all the parts of one run, each once.
    """
    problems = [*_strangers(parts), *_doubles(parts)] or list(_gaps(parts))
    if problems:
        raise Problems(problems)
    first = parts[0].run
    names = first.plan.shard_steps
    planned = {step.name: step for part in parts for step in part.run.plan.steps}
    results = {result.name: result for part in parts for result in part.run.steps}
    plan = replace(
        first.plan, steps=tuple(planned[name] for name in names), shard="", shard_of="", shard_steps=(), missing=()
    )
    return replace(
        first,
        started=min(part.run.started for part in parts),
        finished=max(part.run.finished for part in parts),
        plan=plan,
        steps=tuple(results[name] for name in names),
        facts=tuple(_facts(parts)),
        environment=tuple(sorted({name for part in parts for name in part.run.environment})),
    )


def _strangers(parts: Sequence[Part]) -> Iterator[ShardMismatch]:
    """Parts that are of no run in parts, or of another one than the first."""
    first = parts[0]
    for part in parts:
        plan = part.run.plan
        if not plan.shard:
            hint = "merge is for runs with `--shard I/N`; a run without it is judged already"
            yield ShardMismatch("this run is not a part of one", origin=part.shown, hint=hint)
            continue
        own, others = _told(part), _told(first)
        different = next((what for what, value in own.items() if value != others.get(what, value)), "")
        if different:
            yield ShardMismatch(
                f"{different} is another one than in {first.shown}",
                origin=part.shown,
                hint="run all parts from the same commit, with the same options and version",
            )


def _told(part: Part) -> dict[str, Json]:
    """What all parts must agree on; what one of them does not know is left out."""
    plan = part.run.plan
    source = next((fact.identity for fact in part.run.facts if fact.name == "source"), None)
    told = {
        "the version of mlops-action": part.run.tool,
        "the number of parts": plan.shard.partition("/")[2],
        "the plan (configuration, options, notebooks' places)": plan.shard_of,
        "the source tree": source,
    }
    return {what: value for what, value in told.items() if value}


def _doubles(parts: Sequence[Part]) -> Iterator[ShardMismatch]:
    found = Counter(part.run.plan.shard for part in parts if part.run.plan.shard)
    for shard, times in found.items():
        if times > 1:
            places = ", ".join(part.shown for part in parts if part.run.plan.shard == shard)
            yield ShardMismatch(f"part {shard} is there {times} times: {places}", origin=places)


def _gaps(parts: Sequence[Part]) -> Iterator[ShardMismatch]:
    """Parts and steps that are missing; only asked of parts that fit together."""
    _, count = shard_numbers(parts[0].run.plan.shard, parts[0].shown)
    there = {shard_numbers(part.run.plan.shard, part.shown)[0] for part in parts}
    missing = [str(number) for number in range(1, count + 1) if number not in there]
    if missing:
        of = f"part{'s' if len(missing) > 1 else ''} {', '.join(missing)} of {count}"
        hint = "name the output folders of all parts, those that failed too"
        yield ShardMismatch(f"{of} {'are' if len(missing) > 1 else 'is'} missing", hint=hint)
        return
    steps = Counter(result.name for part in parts for result in part.run.steps)
    for name in parts[0].run.plan.shard_steps:
        if steps[name] != 1:
            yield ShardMismatch(f"step `{name}` was run by {steps[name]} parts instead of one")


def _facts(parts: Sequence[Part]) -> Iterator[Fact]:
    """Each fact once; what the parts do not agree on is said."""
    names = dict.fromkeys(fact.name for part in parts for fact in part.run.facts)
    for name in names:
        found = {part.run.plan.shard: fact for part in parts for fact in part.run.facts if fact.name == name}
        identity, clash = _united([fact.identity for fact in found.values()])
        gaps = dict.fromkeys(gap for fact in found.values() for gap in fact.uncaptured)
        if clash:
            gaps[Uncaptured(f"fact `{name}` of all parts", "the parts ran in different places; the first is shown")] = (
                None
            )
        yield Fact(
            name,
            identity=identity,
            locator=_united([fact.locator for fact in found.values()])[0],
            observation=_united([fact.observation for fact in found.values()])[0],
            uncaptured=tuple(gaps),
        )


def _united(values: Sequence[Json]) -> tuple[Json, bool]:
    """The values as one, and whether they contradict each other: lists are joined, mappings laid together."""
    known = [value for value in values if value is not None]
    if not known:
        return None, False
    if all(isinstance(value, list) for value in known):
        return _joined(known), False
    if all(isinstance(value, Mapping) for value in known):
        return _laid(known)
    return known[0], any(value != known[0] for value in known)


def _joined(lists: Sequence[Sequence[Json]]) -> Json:
    joined: list[Json] = []
    for item in chain.from_iterable(lists):
        if item not in joined:
            joined.append(item)
    return joined


def _laid(mappings: Sequence[Mapping[str, Json]]) -> tuple[Json, bool]:
    keys = dict.fromkeys(chain.from_iterable(mappings))
    inner = {key: _united([each[key] for each in mappings if key in each]) for key in keys}
    return {key: value for key, (value, _) in inner.items()}, any(clash for _, clash in inner.values())
