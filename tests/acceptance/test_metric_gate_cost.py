"""What a gate on metric files does not pay for: nothing heavy is imported, from process start to exit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from acceptance.scratch import clean_env

HEAVY = (
    "numpy", "pyarrow", "scipy", "pandas", "nbformat", "nbclient", "jupyter_client", "zmq", "tornado", "jsonschema",
    "docker", "markdown_it", "asyncio", "ssl", "http.client", "mlops_action.kernels.places", "mlops_action.plan",
    "mlops_action.assemble", "mlops_action.config.expression_tree", "mlops_action.metrics.mlflow_server",
    "mlops_action.judgement.predictions",
)  # fmt: skip
PROBE = """
import sys
from mlops_action.cli.main import main
try:
    main()
finally:
    sys.stderr.write("MODULES " + " ".join(sorted(sys.modules)))
"""


def modules(folder: Path, *arguments: str) -> set[str]:
    """The modules of a process that judged, and passed."""
    command = [sys.executable, "-c", PROBE, "gate", *arguments]
    done = subprocess.run(command, cwd=folder, env=clean_env(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return set(done.stderr.rpartition("MODULES ")[2].split())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.json", '{"auc": 0.9}'),
        ("m.yaml", "auc: 0.9"),
        ("m.csv", "auc\n0.9\n"),
        ("m.prom", "auc 0.9\n"),
        ("m.jsonl", '{"auc": 0.9}\n'),
    ],
)
def test_gates_on_metric_files_import_nothing_heavy(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "accepted.json").write_text('{"auc": 0.9}')
    (tmp_path / "history.jsonl").write_text('{"auc": 0.9}\n' * 5)
    (tmp_path / "gates.yaml").write_text(
        "gates:\n"
        "  floor: {metric: auc, min: 0.8}\n"
        "  drop: {metric: auc, max-drop: 1%, baseline: accepted.json}\n"
        "  both: {all: [{metric: a*, max: 1}, {metric: auc, min: 0.1}]}\n"
        "  back: {metric: auc, ratchet: 0.01, history: history.jsonl}\n"
        "  usual: {metric: auc, history: history.jsonl, history-threshold: {test: iqr, lower-boundary: 1}}\n"
    )
    assert modules(tmp_path, "--metrics", name, "--gates", "gates.yaml") & set(HEAVY) == set()
