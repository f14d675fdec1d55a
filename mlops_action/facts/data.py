"""Data that the manifest is told to record, by digest."""

from __future__ import annotations

from mlops_action.codec import encode
from mlops_action.digests import relative_name, search, state_of
from mlops_action.facts.interface import Scene
from mlops_action.records import Fact, FileState, Uncaptured


class DeclaredData:
    """The files of ``manifest.data``. What is declared and cannot be read is said, never left out."""

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact; files are in the order of their paths."""
        if not scene.spec.data:
            return Fact("data")
        found = search(scene.root, scene.spec.data)
        gaps = [Uncaptured(f"data `{pattern}`", "no file matches") for pattern in found.unmatched]
        gaps += [Uncaptured(f"data `{item.what}`", f"it {item.why}") for item in (*found.refused, *found.skipped)]
        states: list[FileState] = []
        for path in found.files:
            try:
                states.append(state_of(scene.root, path))
            except OSError as error:
                name = relative_name(scene.root, path)
                gaps.append(Uncaptured(f"data `{name}`", f"it cannot be read: {error.strerror or error}"))
        locator = {"patterns": list(scene.spec.data)}
        return Fact("data", identity=encode(states), locator=locator, uncaptured=tuple(gaps))
