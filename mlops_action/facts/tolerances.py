"""How near a metric must come when the run is done again, as the project declared it before."""

from __future__ import annotations

from mlops_action.codec import encode
from mlops_action.facts.interface import Scene
from mlops_action.records import Fact


class Tolerances:
    """An observation: a run is the same whatever somebody expects of its repetition."""

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact."""
        declared = {name: encode(value) for name, value in sorted(scene.spec.tolerances.items())}
        plain = {name: {key: text for key, text in each.items() if text is not None} for name, each in declared.items()}
        return Fact("tolerances", observation=plain or None)
