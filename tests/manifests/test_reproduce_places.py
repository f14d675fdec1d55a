"""A run with several environments, and one in an image, done again from their manifests with a real engine."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from acceptance.scratch import clean_env, commit_all, tool
from kernel.images import docker, image
from manifest_project import written

from mlops_action.canonical import digest_of
from mlops_action.formats.pylock import PyLock
from mlops_action.manifests.reproduce.targets import boxed, environment_of, image_of_run

ROOT = Path(__file__).parents[2]
THREE = """\
environment: {packages: ["tomli==2.2.1"]}
environments:
  other: {packages: ["tomli==2.0.1"]}
  box: {container: {image: IMAGE}}
steps:
  one: {code: CODE, outputs: one.txt}
  two: {environment: other, code: CODE, outputs: two.txt}
  three: {environment: box, code: CODE, outputs: three.txt, metrics: m.json}
gates: {floor: {metric: score, min: 0}}
"""
CODES = {
    "one": "from importlib.metadata import version; open('one.txt', 'w').write(version('tomli'))",
    "two": "from importlib.metadata import version; open('two.txt', 'w').write(version('tomli'))",
    "three": "import json; open('three.txt', 'w').write('boxed'); json.dump({'score': 1}, open('m.json', 'w'))",
}
INSIDE = """\
steps:
  one:
    code: |
      import json, random
      random.seed(3)
      open('one.txt', 'w').write(str(random.random()))
      json.dump({'score': random.random()}, open('m.json', 'w'))
    outputs: one.txt
    metrics: m.json
gates: {floor: {metric: score, min: 0}}
"""
INDEX = {name: os.environ[name] for name in os.environ if name.startswith(("SSL_CERT_", "UV_", "PIP_"))}
"""How the index of packages is reached from here."""
IGNORED = "mlops-out/\n*.txt\nm.json\n.mlops-cache/\n"


def reproduced(root: Path, tmp_path: Path, env: dict[str, str]) -> tuple[int, dict[str, bool]]:
    arguments = ["manifest", "reproduce", str(root / "mlops-out"), "--source", str(root), "--json"]
    done = tool(tmp_path, arguments, env, seconds=600)
    said = json.loads(done.text)
    return said["level"], {f"{check['name']}: {check['why']}": check["ok"] for check in said["checks"]}


@pytest.mark.kernel
@pytest.mark.container
@pytest.mark.slow
def test_every_environment_of_a_run_is_rebuilt_and_its_images_are_started(tmp_path: Path) -> None:
    root, env = tmp_path / "project", clean_env(tmp_path / "home", INDEX)
    config = THREE.replace("IMAGE", image())
    for name, code in CODES.items():
        before, _, after = config.partition(f"{name}: {{")
        config = f"{before}{name}: {{{after.replace('CODE', json.dumps(code), 1)}"
    written(root, {"mlops.yaml": config, ".gitignore": IGNORED})
    commit_all(root)
    done = tool(root, ["run"], env, seconds=300)
    assert done.code == 0, done.text
    level, checks = reproduced(root, tmp_path, env)
    # The tests may themselves run in a container, whose image nobody tells.
    wrong = [check for check, ok in checks.items() if not ok and not check.startswith("the container image is known")]
    assert wrong == []
    assert (tmp_path / "reproduction/source/one.txt").read_text() == "2.2.1"
    assert (tmp_path / "reproduction/source/two.txt").read_text() == "2.0.1"
    assert any(check.startswith("the image of environment `box` is the recorded one") for check in checks)
    assert level == (5 if all(checks.values()) else 1)


@pytest.mark.kernel
@pytest.mark.container
@pytest.mark.slow
def test_a_run_in_an_image_is_done_again_in_that_image_to_the_same_bits(tmp_path: Path) -> None:
    tag = image()
    number = docker("image", "inspect", "--format", "{{.Id}}", tag).stdout.strip()
    root, env = tmp_path / "project", clean_env(tmp_path / "home")
    written(root, {"mlops.yaml": INSIDE, ".gitignore": IGNORED})
    commit_all(root)
    needed = "click jsonschema jupyter-client jupyter-core markdown-it-py nbclient nbformat pyyaml rfc8785 tornado"
    script = f"python3 -m venv /tmp/t && /tmp/t/bin/pip install -q {needed} && cd {root} && "
    script += "PYTHONPATH=/src /tmp/t/bin/python -B -m mlops_action run --python /opt/k/bin/python"
    done = docker(
        *(
            "run",
            "--rm",
            "--network",
            "host",
            "-v",
            f"{tmp_path}:{tmp_path}",
            "-e",
            f"MLOPS_ACTION_IMAGE=train@{number}",
        ),
        *("-v", f"{ROOT / 'mlops_action'}:/src/mlops_action:ro", "--user", f"{os.getuid()}:{os.getgid()}"),
        *("-e", f"HOME={tmp_path}", tag, "sh", "-c", script),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    level, checks = reproduced(root, tmp_path, env)
    assert [check for check, ok in checks.items() if not ok] == []
    assert level == 5
    assert any("are in the image" in check for check in checks)


# --- what the manifest says of places


def manifest_with(**identity: Any) -> Any:
    value: dict[str, Any] = {"identity": identity, "locator": {}, "results": {}, "observation": {}, "completeness": []}
    return value | {"schema": "mlops-action/manifest/v1", "manifest-id": digest_of(identity)}


def test_environments_of_containers_are_named_once_with_their_image() -> None:
    kernels = [
        {"kernel": "box/python3", "where": "container", "place": {"image": "a:1", "digest": "a@sha256:" + "0" * 64}},
        {"kernel": "box/ir", "where": "container", "place": {"image": "a:1", "digest": "a@sha256:" + "0" * 64}},
        {"kernel": "bash", "where": "container", "place": {"image": "b:1", "id": "sha256:" + "1" * 64}},
        {"kernel": "python3", "where": "host", "place": {}},
    ]
    found = boxed(manifest_with(kernels=kernels))
    assert [(each.environment, each.image) for each in found] == [
        ("box", "a@sha256:" + "0" * 64),
        ("", "sha256:" + "1" * 64),
    ]


def test_the_image_of_the_run_is_its_name_with_the_recorded_digest() -> None:
    value = manifest_with(image={"container": True, "digest": "sha256:" + "2" * 64})
    value["locator"]["image"] = {"name": "registry.example.org/train"}
    assert image_of_run(value) == "registry.example.org/train@sha256:" + "2" * 64
    assert image_of_run(manifest_with(image={"container": True})) == ""


@pytest.mark.parametrize(("label", "environment"), [("python3", ""), ("old/python3", "old")])
def test_a_kernel_s_label_tells_its_environment(label: str, environment: str) -> None:
    assert environment_of(label) == environment


def test_each_interpreter_has_a_lock_of_its_own() -> None:
    pair = [{"kernels": ["python3"], "version": "3.12.1", "distributions": []},
            {"kernels": ["old/python3"], "version": "3.11.7", "distributions": []}]  # fmt: skip
    files = dict(PyLock().render(manifest_with(python=pair)).files)
    assert set(files) == {"pylock.toml", "pylock.2.toml"}
    assert b'requires-python = "==3.11.*"' in files["pylock.2.toml"]


# --- run --place


def placed(root: Path, env: dict[str, str], *places: str) -> Any:
    options = [word for place in places for word in ("--place", place)]
    return tool(root, ["run", *options], env)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    config = 'environment: {packages: ["no-such-package-zzz"]}\nsteps:\n  one: {code: "print(7 * 6)"}\ngates: none\n'
    written(root, {"mlops.yaml": config})
    return root


@pytest.mark.kernel
def test_a_place_takes_an_interpreter_as_it_is_instead_of_building_packages(small: Path, tmp_path: Path) -> None:
    done = placed(small, clean_env(tmp_path / "home"), f"python:{sys.executable}")
    assert done.code == 0, done.text
    assert "42" in done.text


@pytest.mark.parametrize(
    ("place", "said"),
    [("nonsense", "`nonsense` says no place"), ("lost=python:x", "there is no environment `lost`")],
)
def test_a_place_that_says_nothing_is_refused(small: Path, tmp_path: Path, place: str, said: str) -> None:
    done = placed(small, clean_env(tmp_path / "home"), place)
    assert done.code == 2
    assert said in done.text
