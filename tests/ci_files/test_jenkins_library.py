"""The shared library for Jenkins, run by a real Groovy; the steps that Jenkins would do are really done."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ci_files.test_gitlab_components import NOTEBOOK

ROOT = Path(__file__).parents[2]
HARNESS = Path(__file__).parent / "jenkins" / "harness.groovy"

pytestmark = pytest.mark.kernel


def job(folder: Path, script: str) -> str:
    """The log of a job that calls the library."""
    groovy, java = shutil.which("groovy"), shutil.which("java")
    if groovy is None or java is None:
        pytest.skip("there is no Groovy: apt-get install groovy default-jre-headless")
    (folder / "train.ipynb").write_text(json.dumps(NOTEBOOK))
    (folder / "job.groovy").write_text(script)
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "JAVA_HOME": str(Path(java).resolve().parents[1]),
    }
    done = subprocess.run(
        [groovy, HARNESS, ROOT / "vars", folder / "job.groovy"],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout


def test_a_run_that_passes_keeps_its_tests_and_results(tmp_path: Path) -> None:
    log = job(
        tmp_path,
        "mlopsRun(notebooks: ['train.ipynb'], metrics: ['metrics.json'], gates: 'floor: {metric: accuracy, min: 0.9}')",
    )
    assert "job> SUCCESS" in log, log
    assert "sh> Verdict: PASS" in log
    assert "kept> junit mlops-out/junit.xml true" in log
    assert "kept> archive mlops-out/** true" in log


def test_a_failing_cell_fails_the_build_and_keeps_what_there_is(tmp_path: Path) -> None:
    log = job(tmp_path, "mlopsSnippet(code: 'print(1)\\nraise ValueError(\"no\")')\nmlopsSnippet(code: 'print(2)')")
    assert "job> FAILURE: script returned exit code 3" in log, log
    assert "sh>   | 2" not in log
    assert "kept> junit mlops-out/junit.xml true" in log


def test_a_gate_that_fails_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"accuracy": 0.8}')
    log = job(tmp_path, "mlopsGate(metrics: ['metrics.json'], gates: 'floor: {metric: accuracy, min: 0.9}')")
    assert "job> FAILURE: script returned exit code 1" in log, log


def test_parameters_of_the_build_reach_the_notebook_and_no_shell(tmp_path: Path) -> None:
    log = job(
        tmp_path,
        "mlopsRun(notebooks: ['train.ipynb'], gates: 'none', rawParameters: [note: '$HOME `id` $(id) \"x\"'])",
    )
    assert 'sh>   | $HOME `id` $(id) "x"' in log, log
    assert "uid=" not in log


def test_a_misspelt_option_is_an_error_with_the_nearest_one(tmp_path: Path) -> None:
    log = job(tmp_path, "mlopsRun(notebook: ['train.ipynb'], gates: 'none')")
    assert "job> FAILURE: script returned exit code 2" in log, log
    assert "notebooks" in log


def test_the_manifest_is_assembled_again_from_a_run(tmp_path: Path) -> None:
    log = job(tmp_path, "mlopsSnippet(code: 'print(1)')\nmlopsManifest()")
    assert "job> SUCCESS" in log, log
    assert log.count("sh> Manifest sha256:") == 2


def test_the_names_of_the_machine_learning_plugin_work_with_a_word_on_the_new_ones(tmp_path: Path) -> None:
    (tmp_path / "answer.py").write_text("print(6 * 7)")
    log = job(tmp_path, "mlopsSnippet(filePath: 'answer.py', kernelName: 'python3')")
    assert "job> SUCCESS" in log, log
    assert "sh>   | 42" in log
    assert "sh> note: the input `kernel-name` is called `kernel` now" in log


DRAWS = """\
%python
from IPython.display import Image, HTML, display
display(HTML('<table><tr><td>kept</td></tr></table>'))
display(Image(data=bytes.fromhex(
    '89504e470d0a1a0a0000000d4948445200000001000000010800000000'
    '3a7e9b550000000a49444154789c63600000000200010000e5de2f0000000049454e44ae426082'), format='png'))
"""


def test_a_zeppelin_note_runs_paragraph_by_paragraph_and_its_images_and_findings_are_kept(tmp_path: Path) -> None:
    paragraphs = [{"text": "%md\n# Note"}, {"text": DRAWS}, {"text": "%sh\necho from the shell"}]
    (tmp_path / "note.json").write_text(json.dumps({"name": "n", "paragraphs": paragraphs}))
    log = job(tmp_path, "mlopsRun(notebooks: ['note.json'], gates: 'none', issues: true)")
    assert "job> SUCCESS" in log, log
    assert "sh>   | from the shell" in log
    assert "kept> issues mlops-out/report.sarif true" in log
    pages = {path.suffix: path.read_text(errors="replace") for path in (tmp_path / "mlops-out" / "html").rglob("*.*")}
    assert ".png" in pages
    assert "<td>kept</td>" in pages[".html"]
