"""``verdict.env``: the verdict as variables of later jobs, within the limits of GitLab's dotenv reports."""

from __future__ import annotations

import re

from mlops_action.formats.interface import Files, Told

DOTENV_FILE = "verdict.env"
OUTPUTS = ("verdict", "failed-gates", "manifest-id", "manifest-digest", "manifest", "report", "report-html")
"""GitLab takes 20 variables and 5 kB in all, no quotes, no empty lines."""
LONGEST = 600
_PLAIN = re.compile(r"[^A-Za-z0-9_./:@+, -]")


class Dotenv:
    """``MLOPS_VERDICT=pass`` and a few more."""

    def render(self, told: Told) -> Files:
        """``verdict.env``, ASCII; what does not fit or could be taken for more than text is left out."""
        outputs = dict(told.outputs)
        lines = [
            f"MLOPS_{name.upper().replace('-', '_')}={_plain(outputs[name])}" for name in OUTPUTS if name in outputs
        ]
        return ((DOTENV_FILE, ("\n".join(lines) + "\n").encode()),)


def _plain(value: str) -> str:
    text = _PLAIN.sub("", value).strip()
    return text if len(text) <= LONGEST else text[:LONGEST].rpartition(",")[0]
