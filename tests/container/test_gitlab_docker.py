"""GitLab's examples in containers: gitlab-ci-local's Docker executor, and the image as this checkout builds it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ci_files.test_gitlab_components import CONFIG, PASSED, ROOT, project, run

from mlops_action import __version__

pytestmark = [pytest.mark.container, pytest.mark.slow]

NAME = f"mlops-action/mlops-action:{__version__}"
"""The image as the examples and the components name it."""
HELPER = "FROM {base}\nRUN apt-get update -q && apt-get install -qy --no-install-recommends rsync\n"


@pytest.fixture(scope="module")
def options(
    build: Callable[..., str],
    image: str,
    base_image: str,
    real_docker_name: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[str]]:
    """Use the images that are here; while tests run, the released one's name is that of this checkout's."""
    folder = tmp_path_factory.mktemp("helper")
    (folder / "Dockerfile").write_text(HELPER.format(base=base_image))
    helper = build(folder)
    subprocess.run([real_docker_name, "tag", image, NAME], check=True)
    yield ["--pull-policy", "if-not-present", "--helper-image", helper]
    subprocess.run([real_docker_name, "rmi", NAME], capture_output=True, check=False)


def example(name: str) -> str:
    return (ROOT / "workflows-examples" / f"gitlab-{name}.yml").read_text()


def test_the_complete_example_runs_in_the_image_and_hands_its_verdict_to_the_next_job(
    options: list[str], tmp_path: Path
) -> None:
    project(tmp_path)
    ended = run(tmp_path, example("complete"), *options)
    assert ended.code == 0, ended.log
    assert PASSED in ended.said_by("model")
    assert re.search(r"publish the model of manifest sha256:[0-9a-f]{64}", ended.said_by("publish"))
    kept = {path.name for path in (tmp_path / ".gitlab-ci-local").rglob("*") if "artifacts" in path.parts}
    assert {"junit.xml", "metrics.txt", "codequality.json", "verdict.env", "report.sarif"} <= kept


def test_the_component_runs_in_the_image_and_a_worse_model_blocks(options: list[str], tmp_path: Path) -> None:
    project(tmp_path)
    text = example("component").replace("/run@0.1.0", "/run@$CI_COMMIT_SHA").replace("min: 0.9", "min: 0.99")
    ended = run(tmp_path, text, *options)
    assert ended.code != 0
    assert "Verdict: FAIL. 1 gate: 1 failed." in ended.said_by("model"), ended.log


def test_a_child_pipeline_made_from_the_plan_runs_in_the_image(options: list[str], tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "mlops.yaml").write_text(CONFIG.replace("steps: {", "steps: {other: {code: print(1)}, "))
    ended = run(tmp_path, example("fan-out"), *options)
    assert ended.code == 0, ended.log
    assert PASSED in ended.said_by(r"\s*\[parts\] -> verdict")
    assert "part 2/2, 1 of 2 steps" in ended.log
