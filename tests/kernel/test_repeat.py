"""The same steps several times: steady ones are told from those that are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from acceptance.scratch import clean_env, tool

CONFIG = """\
steps:
  steady:
    code: |
      print(6 * 7)
      open("steady.txt", "w").write("same")
    outputs: steady.txt
  chance:
    code: |
      import json, random
      value = random.random()
      print(value)
      json.dump({"score": value}, open("metrics.json", "w"))
      open("chance.txt", "w").write(str(value))
    outputs: chance.txt
    metrics: metrics.json
gates: none
"""

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


def test_cell_output_and_metric_that_differ_are_named_and_the_others_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mlops.yaml").write_text(CONFIG)
    done = tool(folder, ["run", "--repeat", "2"], clean_env(tmp_path / "home"))
    assert done.code == 0, done.text
    assert "Not deterministic" in done.text
    for text in ("step chance: cell 0", "step chance: output chance.txt", "step chance: metric score"):
        assert text in done.text
    assert "step steady:" not in done.text.partition("Not deterministic")[2]
    said = json.loads((folder / "mlops-out/manifest.json").read_bytes())["observation"]["repetition"]
    assert said["runs"] == 2
    assert {each["step"] for each in said["unsteady"]} == {"chance"}
    assert tool(folder, ["manifest", "verify", "--no-packages"], clean_env(tmp_path / "home")).code == 0


def test_steps_that_give_the_same_each_time_are_deterministic(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mlops.yaml").write_text(CONFIG)
    done = tool(folder, ["run", "steady", "--repeat", "3"], clean_env(tmp_path / "home"))
    assert done.code == 0, done.text
    assert "Deterministic: 3 runs gave the same" in done.text
