"""Run, verdicts and facts to the manifest. Pure: the same records give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace

from mlops_action.canonical import canonical_bytes, digest_of
from mlops_action.codec import encode
from mlops_action.errors import BadDocument
from mlops_action.file_lists import inputs_or_digest, states_or_digest
from mlops_action.portable import holds_secret, lost_kinds, masked, portable
from mlops_action.records import (
    FileState,
    Json,
    Manifest,
    PlannedGate,
    PlannedParameter,
    PlannedStep,
    RunResult,
    StepResult,
    Uncaptured,
    Verdicts,
)
from mlops_action.source_date import DocumentTimes
from mlops_action.structure import key_of
from mlops_action.vocabulary import MANIFEST_SCHEMA, StepStatus

MOST_NAMED = 100
"""So many inputs of a step are named that changed meanwhile; the others are counted."""
FURTHER_PARTS = ("locator", "results", "observation", "completeness")
"""Parts with a digest of their own: the id says nothing of them."""

_FIRST_KEYS = {"name", "metric", "rule", "limits", "direction", "baseline", "severity", "slice"}
"""Keys of a gate that are always in the identity."""

Pairs = list[tuple[PlannedStep, StepResult | None]]
"""Each planned step with what became of it."""


def assemble(run: RunResult, verdicts: Verdicts | None) -> Manifest:
    """Put together the manifest. Its id depends on the identity part alone."""
    results = {result.name: result for result in run.steps}
    pairs = [(step, results.get(step.name)) for step in run.plan.steps]
    identity = portable(_identity(run, pairs))
    manifest = Manifest(
        schema=MANIFEST_SCHEMA,
        manifest_id=digest_of(identity),
        identity=identity,
        locator=portable(_locator(run)),
        results=portable(encode(_results(run, verdicts))),
        observation=portable(_observation(run)),
        completeness=_completeness(run, pairs, verdicts),
    )
    return replace(manifest, parts={part: digest_of(encode(getattr(manifest, part))) for part in FURTHER_PARTS})


def encode_manifest(manifest: Manifest) -> bytes:
    """The bytes of ``manifest.json``: RFC 8785, and a final newline."""
    return canonical_bytes(encode(manifest)) + b"\n"


def check_manifest(data: Json) -> None:
    """Check a manifest, as JSON, against its schema and its own id.

    Raises:
        BadDocument: with the JSON pointer of the first thing that does not fit.
    """
    import jsonschema

    from mlops_action.config.generate import schema_of

    validator = jsonschema.Draft202012Validator(schema_of(Manifest))
    misfit = next(iter(sorted(validator.iter_errors(data), key=lambda error: list(map(str, error.path)))), None)
    if misfit is not None:
        pointer = "".join(f"/{part}" for part in misfit.absolute_path)
        raise BadDocument(f"{pointer or '/'}: {misfit.message}", origin="manifest.json")
    if data["schema"] != MANIFEST_SCHEMA:
        raise BadDocument(f"/schema: expected `{MANIFEST_SCHEMA}`, found `{data['schema']}`", origin="manifest.json")
    _check_digest(data["identity"], data["manifest-id"], "/identity", "/manifest-id")
    for part, digest in data.get("parts", {}).items():
        _check_digest(data.get(part), digest, f"/{part}", f"/parts/{part}")


def _check_digest(value: Json, said: str, place: str, said_at: str) -> None:
    try:
        found = digest_of(value)
    except ValueError as error:
        raise BadDocument(f"{place}: {error}", origin="manifest.json") from error
    if found != said:
        raise BadDocument(f"{said_at}: the part `{place[1:]}` has the id `{found}`", origin="manifest.json")


def _identity(run: RunResult, pairs: Pairs) -> Json:
    """What the run was made of. A file that an earlier step of the run wrote is a result, not an input."""
    written: dict[str, str] = {}
    steps = []
    for step, result in pairs:
        steps.append(_step_identity(step, result, written))
        outputs = result.outputs_after if result else ()
        written |= dict.fromkeys([*step.metrics, *(state.path for state in outputs)], step.name)
    facts = {fact.name: fact.identity for fact in run.facts if fact.identity is not None}
    gates = sorted((_gate_identity(gate) for gate in run.plan.gates), key=canonical_bytes)
    environment = {name: masked(name, value) for name, value in run.plan.environment.items()}
    further = {
        name: {variable: masked(variable, value) for variable, value in variables.items()}
        for name, variables in run.plan.environments.items()
    }
    both = {"environment": environment} | ({"environments": further} if further else {})
    return {**facts, **both, "format": MANIFEST_SCHEMA, "steps": steps, "gates": gates}


def _step_identity(step: PlannedStep, result: StepResult | None, written: dict[str, str]) -> Json:
    kernel = (result.kernel if result else None) or step.kernel
    values = {each.name: masked(each.name, encode(each.value)) for each in _parameters(step, result)}
    inputs = _by_path(result.inputs_before) if result else []
    return {
        "name": step.name,
        "notebook-digest": result.notebook_digest if result else "",
        "kernel": kernel.label if kernel else "",
        "parameters": values,
        "parameter-kinds": lost_kinds(values),
        "cells": {
            "tags": sorted(step.cells.tags),
            "skip-tags": sorted(step.cells.skip_tags),
            "ids": sorted(step.cells.ids),
            "index": step.cells.index,
        },
        "needs": sorted(step.needs),
        "inputs": inputs_or_digest(
            [
                {"path": state.path, "from": written[state.path]}
                if state.path in written
                else {"path": state.path, "sha256": state.sha256}
                for state in inputs
            ]
        ),
    }


def _gate_identity(gate: PlannedGate) -> Json:
    """What a gate is. A key that came later and is left out makes no other gate: the id stays what it was."""
    usual = {key_of(item.name): encode(item.default) for item in fields(gate)}
    said = {key: value for key, value in encode(gate).items() if key in _FIRST_KEYS or value != usual[key]}
    return portable({key: value for key, value in said.items() if key != "origin"})


def _parameters(step: PlannedStep, result: StepResult | None) -> tuple[PlannedParameter, ...]:
    return (result.parameters if result else ()) or step.parameters


def _by_path(states: Iterable[FileState]) -> list[FileState]:
    return sorted(states, key=lambda state: state.path)


def _locator(run: RunResult) -> Json:
    notebooks = {step.name: step.notebook for step in run.plan.steps if step.notebook}
    facts = {fact.name: fact.locator for fact in run.facts if fact.locator is not None}
    inputs = {step.name: list(step.inputs) for step in run.plan.steps if step.inputs}
    outputs = {step.name: [*step.outputs, *step.metrics] for step in run.plan.steps if step.outputs or step.metrics}
    return {
        **facts,
        "config": run.plan.config,
        "notebooks": notebooks,
        "inputs": inputs,
        "outputs": outputs,
        "output-dir": run.plan.output_dir,
    }


def _results(run: RunResult, verdicts: Verdicts | None) -> Json:
    return {
        "steps": [
            {
                "name": result.name,
                "status": result.status,
                "failure": result.failure.kind if result.failure else None,
                "source": result.source,
                "executed": result.executed,
                "executed-sha256": result.executed_sha256,
                "outputs-digest": result.outputs_digest,
                "inputs": states_or_digest(_by_path(result.inputs_before), result.name, "inputs"),
                "outputs-before": states_or_digest(_by_path(result.outputs_before), result.name, "outputs-before"),
                "outputs-after": states_or_digest(_by_path(result.outputs_after), result.name, "outputs-after"),
            }
            for result in run.steps
        ],
        "metrics": [reading for result in run.steps for reading in result.readings],
        "verdicts": verdicts
        and {
            "outcome": verdicts.outcome,
            "reason": verdicts.reason,
            "verdicts": verdicts.verdicts,
        }
        | ({"waivers": verdicts.waivers} if verdicts.waivers else {})
        | ({"guard": verdicts.guard} if verdicts.guard is not None else {}),
    }


def _observation(run: RunResult) -> Json:
    facts = {fact.name: fact.observation for fact in run.facts if fact.observation is not None}
    times = DocumentTimes.of(run)
    return {
        **facts,
        **times.mark(run),
        "tool": run.tool,
        "started": times.told(run.started),
        "finished": times.told(run.finished),
        "steps": [
            {"name": each.name, "started": times.told(each.started), "seconds": each.seconds}
            | ({"cached": times.told(each.cached)} if each.cached else {})
            for each in run.steps
        ],
        "repetition": encode(run.repetition),
        "environment-variables": sorted(run.environment),
        "inputs-changed-during-run": [
            {"step": each.name, "path": path} for each in run.steps for path in _changed_inputs(each)[:MOST_NAMED]
        ],
    }


def _changed_inputs(result: StepResult) -> list[str]:
    """Inputs that are not what they were. A step that broke off may not have looked again."""
    if not result.inputs_after and result.status is not StepStatus.OK:
        return []
    before = {state.path: state.sha256 for state in result.inputs_before}
    after = {state.path: state.sha256 for state in result.inputs_after}
    return sorted(path for path in before | after if before.get(path) != after.get(path))


def _completeness(run: RunResult, pairs: Pairs, verdicts: Verdicts | None) -> tuple[Uncaptured, ...]:
    gaps = {gap for fact in run.facts for gap in fact.uncaptured}
    for step, result in pairs:
        gaps.update(_step_gaps(step, result))
    if verdicts is None or not verdicts.verdicts:
        gaps.add(Uncaptured("verdicts", "no gate was judged"))
    clean = {Uncaptured(portable(gap.what), portable(gap.why)) for gap in gaps}
    return tuple(sorted(clean, key=lambda gap: (gap.what, gap.why)))


def _step_gaps(step: PlannedStep, result: StepResult | None) -> Iterable[Uncaptured]:
    name = f"step `{step.name}`"
    if result is None:
        yield Uncaptured(f"results of {name}", "it was not run")
    elif result.status is not StepStatus.OK:
        yield Uncaptured(f"results of {name}", f"it ended with `{result.status}`")
    if result is None or not result.notebook_digest:
        yield Uncaptured(f"code of {name}", "it was never read")
    for parameter in _parameters(step, result):
        if holds_secret(parameter.name, parameter.value):
            yield Uncaptured(f"parameter `{parameter.name}` of {name}", "its name says that it holds a secret")
    changed = _changed_inputs(result) if result else []
    why = "it changed during the run; only its state before the step is recorded"
    yield from (Uncaptured(f"input `{path}` of {name}", why) for path in changed[:MOST_NAMED])
    if len(changed) > MOST_NAMED:
        yield Uncaptured(f"{len(changed) - MOST_NAMED} more inputs of {name}", why.replace("it", "they", 1))
