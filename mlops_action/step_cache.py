"""Takes a step that nothing has changed about from the cache instead of running it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from mlops_action.cache_key import FORMAT, Made, NotCacheable, Parts, difference, key_of, parts_of
from mlops_action.canonical import Json, sha256_file
from mlops_action.codec import decode, encode
from mlops_action.digests import file_states, pattern_parts
from mlops_action.errors import MlopsError
from mlops_action.executors.ordering import overlap
from mlops_action.files import owner_for, write_whole
from mlops_action.records import FileState, Plan, PlannedStep, StepResult
from mlops_action.stores.cache import CacheStore, Damaged, cache_folder
from mlops_action.stores.folder import NOTEBOOKS
from mlops_action.vocabulary import StepStatus
from mlops_action.workshop import Workshop

MOST_OUTPUT = 1024**3
"""The outputs of a step that together are larger are not kept."""


class StepCache:
    """The cache as one step uses it: ``lookup`` before its cells, ``keep`` after them."""

    def __init__(self, plan: Plan, step: PlannedStep, workshop: Workshop) -> None:
        """Use it for ``step``; nothing is read yet."""
        self.root = Path(plan.root)
        self.output_folder = self.root / plan.output_dir
        self.step = step
        self.workshop = workshop
        self.store = store_of(self.root, workshop)
        self.reason = ""
        """Why the step is taken from the cache or not; empty for a step without one."""
        self._parts: Parts | None = None
        self._key = ""

    def lookup(self, made: Made) -> StepResult | None:
        """The result of an earlier run of the same step, with its files in place, or None and ``reason``."""
        if not self.step.cache:
            return None
        try:
            self._parts = parts_of(made, self.workshop)
        except NotCacheable as error:
            self.reason = f"not used: {error}"
            return None
        self._key = key_of(self.step.name, self._parts)
        try:
            entry = self.store.entry(self.step.name, self._key)
            if entry is not None:
                return self._hit(self._restored(entry, made.result))
            self.reason = f"miss: {self._why_not()}"
        except (Damaged, MlopsError, OSError, KeyError, TypeError, ValueError) as error:
            self.reason = f"miss: what was kept cannot be used: {error}"
        return None

    def keep(self, result: StepResult) -> str:
        """Keep what a step left that ran well. Returned is, for ``cached``, why it was run and why it is not kept.

        It does no harm to call it with the result of ``lookup`` or of a step that failed.
        """
        if self._parts is None or result.status is not StepStatus.OK:
            return self.reason
        try:
            self._keep(result, self._parts)
        except NotCacheable as error:
            return f"{self.reason}; not kept: {error}"
        except (MlopsError, OSError) as error:
            return f"{self.reason}; it could not be kept: {error}"
        return self.reason

    def _why_not(self) -> str:
        known = self.store.entries(self.step.name)
        return difference(known[0]["parts"], self._parts or {}) if known else "nothing is kept of this step"

    def _restored(self, entry: Json, now: StepResult) -> StepResult:
        """Put the step's files in place. Everything is checked before anything is written."""
        kept: StepResult = decode(StepResult, entry["result"], "the cache")
        own = f"{NOTEBOOKS}/{self.step.name}.ipynb"
        if (kept.name, kept.status, kept.executed) != (self.step.name, StepStatus.OK, own):
            raise Damaged("its entry is of another step")
        targets = {each["path"]: self._target(each["path"]) for each in entry["files"]}
        for each in entry["files"]:
            self.store.blob(each["sha256"])
        self.workshop.store.write(kept.executed, self.store.blob(entry["notebook"]))
        for each in entry["files"]:
            self._put(targets[each["path"]], each)
        promised = (*self.step.outputs, *self.step.metrics)
        return replace(
            kept,
            started=now.started,
            source=now.source,
            parameters=now.parameters,
            inputs_before=now.inputs_before,
            inputs_after=now.inputs_before,
            outputs_before=now.outputs_before,
            outputs_after=file_states(self.root, promised),
            cached=f"hit: nothing changed since {str(entry['stored'])[:19]}Z",
            attempts=now.attempts,
        )

    def _hit(self, result: StepResult) -> StepResult:
        """From now on there is nothing to keep."""
        self.reason, self._parts = result.cached, None
        return result

    def _target(self, path: str) -> Path:
        """Where an output belongs; never outside of what the step declares."""
        target = self.root / path
        declared = any(overlap(pattern, path) for pattern in (*self.step.outputs, *self.step.metrics))
        inside = pattern_parts(path) is not None and target.parent.resolve().is_relative_to(self.root.resolve())
        if not declared or not inside or target.is_symlink():
            raise Damaged(f"`{path}` is no output of the step")
        return target

    def _put(self, target: Path, each: Json) -> None:
        if not (target.is_file() and sha256_file(target) == each["sha256"]):
            write_whole(target, self.store.blob(each["sha256"]), owner_for(self.root))
        if each["executable"]:
            target.chmod(target.stat().st_mode | 0o111)

    def _keep(self, result: StepResult, parts: Parts) -> None:
        if result.inputs_after != result.inputs_before:
            raise NotCacheable("an input changed while it ran")
        if sum(state.size for state in result.outputs_after) > MOST_OUTPUT:
            raise NotCacheable(f"its outputs are larger than {MOST_OUTPUT // 1024**2} MiB")
        files = [self._kept_file(state) for state in result.outputs_after]
        entry = {
            "format": FORMAT,
            "stored": self.workshop.context.timestamp(),
            "step": self.step.name,
            "parts": parts,
            "files": files,
            "notebook": self.store.put_blob((self.output_folder / result.executed).read_bytes()),
            "result": encode(replace(result, cached="")),
        }
        self.store.put_entry(self.step.name, self._key, entry)

    def _kept_file(self, state: FileState) -> Json:
        path = self.root / state.path
        if "\\" in state.path or path.is_symlink():
            raise NotCacheable(f"the output `{state.path}` is a link or has an unusual name")
        data = path.read_bytes()
        self.workshop.redactor.refuse(data, state.path)
        digest = self.store.put_blob(data)
        if digest != state.sha256:
            raise NotCacheable(f"the output `{state.path}` changed after the step")
        return {"path": state.path, "sha256": digest, "executable": os.access(path, os.X_OK)}


def store_of(root: Path, workshop: Workshop) -> CacheStore:
    """The project's cache, or the one that the environment names."""
    return CacheStore(cache_folder(root, workshop.context.env), owner_for(root))


def prune(plan: Plan, workshop: Workshop) -> None:
    """Remove old and large entries after a run that used the cache."""
    if any(step.cache for step in plan.steps):
        store_of(Path(plan.root), workshop).prune()
