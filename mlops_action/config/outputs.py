"""Outputs of the actions: each is here once. Paths are relative to the checkout."""

from __future__ import annotations

OUTPUTS = {
    "verdict": "`pass`, `fail`, `warn` or `inconclusive`; `not-judged` with `gates: none`.",
    "failed-gates": "Names of the gates that block, as a JSON list.",
    "report": "Path of the report, Markdown.",
    "report-html": "Path of the report as a page, `report.html`.",
    "junit": "Path of the JUnit file.",
    "metrics-file": "Path of every metric reading, OpenMetrics text.",
    "values": "Recorded values as JSON by step and name; `{}` when they are too long for an output.",
    "run": "Path of the record of the steps, JSON.",
    "manifest": "Path of the manifest, JSON.",
    "manifest-id": "The manifest's id, `sha256:` and 64 digits: the same when the same is run again.",
    "manifest-digest": "Digest of the manifest's bytes, `sha256:` and 64 digits: the subject for an attestation.",
}
"""Of the actions that run and judge."""
PLAN_OUTPUTS = {
    "matrix": 'Parts of the steps as a JSON matrix, `{"include": [{"shard": "1/2", "part": "1"}, …]}`; with `parts`.',
    "steps": "Names of the steps as a JSON list.",
}
COMMENT_OUTPUTS = {
    "done": "`written`, `updated` or `unchanged`; `refused` without the permission, and then nothing fails."
}
