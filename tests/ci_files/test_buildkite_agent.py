"""Buildkite's agent, played by a program that writes down what it is asked."""

from __future__ import annotations

from pathlib import Path

from ci_stories import told

from mlops_action.ci.buildkite import Buildkite

AGENT = """\
#!/bin/sh
echo "$@" >> "$LOG"
cat >> "$LOG"
case $1 in
  meta-data) echo "::error::refused" >&2; exit 3 ;;
esac
"""


def test_buildkite_s_agent_gets_the_summary_and_a_refusal_is_only_said(tmp_path: Path) -> None:
    agent = tmp_path / "bin" / "buildkite-agent"
    agent.parent.mkdir()
    agent.write_text(AGENT)
    agent.chmod(0o755)
    env = {"PATH": f"{agent.parent}:/usr/bin:/bin", "LOG": str(tmp_path / "log")}
    text = told(Buildkite(), "gate failed", tmp_path, env)
    said = (tmp_path / "log").read_text()
    assert said.startswith("annotate --context mlops-action --style error\n# ")
    assert "meta-data set mlops-verdict fail" in said
    assert "buildkite-agent meta-data ended with 3: ::error::refused" in text
