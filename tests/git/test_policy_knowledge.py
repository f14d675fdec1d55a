"""What ``check`` knows of a policy from git and from the latest run."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

from mlops_action.codec import encode
from mlops_action.config.options import Options
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.pipeline import Pipeline
from mlops_action.records import Evidence, Verdict, Verdicts
from mlops_action.vocabulary import VERDICTS_SCHEMA, Outcome

GATES = """baseline: old.json
gates:
  g: {metric: accuracy, max-drop: 0.01}
  h: {metric: acuracy, min: 0.9}
"""


def check(folder: Path, gates: str = GATES) -> str:
    (folder / "mlops.yaml").write_text(gates)
    (folder / "old.json").write_text('{"accuracy": 0.9}')
    out = StringIO()
    context = Context({"PATH": "/usr/bin:/bin"}, folder, out, lambda: datetime(2026, 11, 29, tzinfo=UTC))
    Pipeline(Settings(Options()), context).check()
    return out.getvalue()


def test_check_knows_the_metrics_of_the_baseline_and_what_the_rows_of_the_latest_run_showed(tmp_path: Path) -> None:
    (tmp_path / "mlops-out").mkdir()
    evidence = Evidence("difference", Decimal("0.95"), "newcombe", 400, detectable=Decimal("0.03"))
    verdict = Verdict("g", Outcome.PASS, "accuracy", "", "max-drop", "block", "mlops.yaml:3:3", evidence=evidence)
    verdicts = Verdicts(VERDICTS_SCHEMA, "0", Outcome.PASS, "", (verdict,))
    (tmp_path / "mlops-out" / "verdicts.json").write_text(json.dumps(encode(verdicts)))
    log = check(tmp_path)
    assert "cannot see what it guards" in log
    assert "did you mean `accuracy`?" in log
    rows = "predictions: {t: {file: new.parquet, baseline: old.parquet, task: binary, score: p%s}}\n"
    on_rows = rows + "gates: {g: {predictions: t, metric: accuracy, max-drop: 0.01}}\n"
    assert "pair them by `id`" in check(tmp_path, on_rows % "")
    assert "judge more rows, or allow more" in check(tmp_path, on_rows % ", id: id")


def test_a_baseline_that_the_change_can_edit_is_found_where_git_tracks_it(tmp_path: Path) -> None:
    assert "lower its own bar" not in check(tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    assert "lower its own bar" not in check(tmp_path)
    subprocess.run(["git", "add", "old.json"], cwd=tmp_path, check=True)
    log = check(tmp_path)
    assert "warning: mlops.yaml:3:3: gate `g`: its baseline `old.json` is part of the change" in log
    assert "write `git::old.json`" in log
