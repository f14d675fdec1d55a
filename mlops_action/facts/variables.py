"""Environment variables that the manifest is told to record. No other value is looked at."""

from __future__ import annotations

from mlops_action.digests import readable
from mlops_action.facts.interface import Scene
from mlops_action.records import Fact, Uncaptured
from mlops_action.redact import is_secret_name


class Variables:
    """Identity is each value; null says that the variable was not set."""

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact. A secret leaves no trace but its name: not even a digest, which can be guessed."""
        values: dict[str, str | None] = {}
        gaps = []
        for name in sorted(set(scene.spec.environment_variables)):
            value = scene.context.env.get(name)
            if is_secret_name(name):
                gaps.append(Uncaptured(f"variable `{name}`", "its name says that it holds a secret"))
            elif value is not None and scene.redactor.text(value) != value:
                gaps.append(Uncaptured(f"variable `{name}`", "its value holds a secret or the user part of an address"))
            else:
                values[name] = None if value is None else readable(value)
        return Fact("variables", identity=values or None, uncaptured=tuple(gaps))
