"""The examples for Jenkins, executed by a real Groovy: directives are checked, and steps are really done."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from ci_files.test_gitlab_components import CONFIG, NOTEBOOK, PASSED
from composite.test_composite_action import job_environment

ROOT = Path(__file__).parents[2]
HARNESS = Path(__file__).parent / "jenkins" / "pipeline.groovy"
EXAMPLES = sorted((ROOT / "workflows-examples").glob("Jenkinsfile-*"))
SAID = {
    "Jenkinsfile-complete": [
        *(
            PASSED,
            "stage> Publish is skipped",
            "kept> issues mlops-out-large/report.sarif",
            "kept> junit mlops-out-small/junit.xml",
        ),
        "kept> archive with fingerprints mlops-out-large/**",
    ],
    "Jenkinsfile-library": [PASSED, "kept> junit mlops-out/junit.xml", "kept> archive with fingerprints mlops-out/**"],
    "Jenkinsfile-minimal": [PASSED, "kept> junit mlops-out/junit.xml", "kept> archive with fingerprints mlops-out/**"],
    "Jenkinsfile-session": ["the sum is 21", "kept> archive with fingerprints mlops-out/sessions/**"],
}
"""What each example must say when the model is good."""

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


def build(folder: Path, text: str, cache: Path, config: str = CONFIG) -> str:
    """The log of a build of a Jenkinsfile."""
    groovy, java = shutil.which("groovy"), shutil.which("java")
    if groovy is None or java is None:
        pytest.skip("there is no Groovy: apt-get install groovy default-jre-headless")
    files = {"Jenkinsfile": text, "mlops.yaml": config, "requirements.txt": "", "train.ipynb": json.dumps(NOTEBOOK)}
    files |= {"load.py": "x = 20", "fit.py": "print('the sum is', x + 1)"}
    for name, content in files.items():
        (folder / name).write_text(content)
    env = job_environment(HOME=str(folder), JAVA_HOME=str(Path(java).resolve().parents[1]), PIP_CACHE_DIR=str(cache))
    done = subprocess.run(
        [groovy, HARNESS, ROOT / "vars", folder / "Jenkinsfile"],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=400,
    )
    return done.stdout


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages that one build fetched, the next one finds."""
    return tmp_path_factory.mktemp("pip-cache")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_of_jenkins_runs_as_it_stands(example: Path, tmp_path: Path, cache: Path) -> None:
    log = build(tmp_path, example.read_text(), cache)
    assert "job> SUCCESS" in log, log
    assert "agent> mlops-action/mlops-action:" in log
    for text in SAID[example.name]:
        assert text in log, log


def test_a_model_that_is_worse_fails_the_build_and_its_results_are_kept(tmp_path: Path, cache: Path) -> None:
    text = (ROOT / "workflows-examples" / "Jenkinsfile-minimal").read_text()
    here = text.replace("sh 'python", "echo 'python").replace(" --python .venv/bin/python", "")
    log = build(tmp_path, here, cache, CONFIG.replace("0.9}", "0.99}"))
    assert "job> script returned exit code 1\njob> FAILURE" in log, log
    assert "kept> junit mlops-out/junit.xml" in log


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("stages {", "stagez {"),
        ("  agent {", "  agents {"),
        ("steps {", "step {"),
        ("always {", "allways {"),
        ("junit ", "junnit "),
    ],
)
def test_a_directive_that_jenkins_does_not_have_is_found(tmp_path: Path, cache: Path, before: str, after: str) -> None:
    text = (ROOT / "workflows-examples" / "Jenkinsfile-minimal").read_text()
    assert before in text
    quick = text.replace("sh 'python", "echo 'python").replace("sh 'mlops", "echo 'mlops")
    log = build(tmp_path, quick.replace(before, after), cache)
    assert "job> SUCCESS" not in log, log
