"""Laws that hold for every manifest."""

from __future__ import annotations

import json
import shutil
import sysconfig
import venv
from pathlib import Path
from random import Random
from typing import Any

import pytest
from acceptance.scratch import clean_env, commit_all, tool
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from manifest_project import FILES, git, project, record, written

from mlops_action.assemble import encode_manifest
from mlops_action.canonical import canonical_bytes, digest_of
from mlops_action.codec import decode, encode
from mlops_action.formats import EXPORTS
from mlops_action.manifests.read import strict_json
from mlops_action.records import Manifest

RELEASED = sorted((Path(__file__).parent / "released").glob("*.json"))
QUIET = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def identity(root: Path) -> Any:
    return json.loads((record(root) / "manifest.json").read_bytes())


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("laws") / "project")


@QUIET
@given(seed=st.integers(0, 2**32))
def test_the_same_inputs_elsewhere_and_in_another_order_give_the_same_id(
    first: Path, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    other = tmp_path_factory.mktemp("other") / "deep" / "below" / "it"
    other.mkdir(parents=True)
    names = Random(seed).sample(list(FILES), len(FILES))
    written(other, {name: FILES[name] for name in names})
    git(other, "init", "-q", "-b", "another")
    git(other, "add", "-A")
    git(other, "commit", "-q", "-m", f"another message {seed}")
    one, two = identity(first), identity(other)
    assert one["identity"] == two["identity"]
    assert one["manifest-id"] == two["manifest-id"]


@QUIET
@given(data=st.data())
def test_one_changed_byte_in_any_input_gives_another_id(
    first: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    before = identity(first)["manifest-id"]
    other = Path(shutil.copytree(first, tmp_path_factory.mktemp("changed") / "project"))
    name = data.draw(st.sampled_from([name for name in FILES if name != ".gitignore"]))
    content = bytearray((other / name).read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    (other / name).write_bytes(bytes(content))
    assert identity(other)["manifest-id"] != before


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_a_manifest_that_is_read_and_written_again_is_the_same_in_all_that_it_says(path: Path) -> None:
    value = json.loads(path.read_bytes())
    again = encode(decode(Manifest, value, "manifest.json"))
    assert {key: again[key] for key in value} == value


@given(parts=st.fixed_dictionaries(dict.fromkeys(("identity", "locator", "results", "observation"), JSON)))
def test_parsing_what_was_rendered_gives_the_same_bytes(parts: dict[str, Any]) -> None:
    manifest = Manifest("mlops-action/manifest/v1", digest_of(parts["identity"]), completeness=(), **parts)
    data = encode_manifest(manifest)
    assert encode_manifest(decode(Manifest, strict_json(data), "manifest.json")) == data
    assert canonical_bytes(strict_json(data)) + b"\n" == data


# --- secrets


TOKEN = "pl4nt3d-t0k3n-0f-gr3at-v41u3"
OTHER = "an0th3r-t0k3n-that-n0-variable-h0lds"
FORMED = "ghp_" + "Z9y8" * 9
CONFIG = """\
steps:
  train:
    code: |
      import os
      print("the token is", os.environ.get("MY_API_TOKEN"))
      print("and one that nobody declared is", "ghp_" + "Z9y8" * 9, "and", os.environ.get("THEIR_TOKEN"))
      open("model.bin", "w").write("model")
    parameters: {api_key: "", note: plain}
    outputs: model.bin
environment:
  pass: [MY_API_TOKEN]
manifest:
  environment-variables: [MY_API_TOKEN]
gates: none
"""


def interpreter(root: Path) -> Path:
    """A virtual environment with a package from an address with a token, and a kernel with one among its variables."""
    venv.create(root / "venv", symlinks=True)
    [site] = (root / "venv").glob("lib/python*/site-packages")
    origin = {"url": f"https://me:{OTHER}@files.example.org/own.whl?token={OTHER}", "archive_info": {}}
    written(
        site / "own-1.0.dist-info",
        {"METADATA": "Name: own\nVersion: 1.0\n", "direct_url.json": json.dumps(origin), "RECORD": ""},
    )
    written(site, {"further.pth": sysconfig.get_path("purelib") + "\n"})
    argv = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "language": "python", "display_name": "told", "env": {"THEIR_TOKEN": OTHER}}
    written(root / "venv/share/jupyter/kernels/told", {"kernel.json": json.dumps(spec)})
    return root / "venv/bin/python"


@pytest.mark.kernel
@pytest.mark.slow
def test_a_planted_token_appears_in_nothing_that_is_written_or_said(tmp_path: Path) -> None:
    root = tmp_path / "project"
    written(root, {"mlops.yaml": CONFIG, ".gitignore": "mlops-out/\nmodel.bin\nvenv/\n"})
    commit_all(root)
    git(root, "remote", "add", "origin", f"https://me:{OTHER}@git.example.org/a/b.git")
    python = str(interpreter(root))
    written(root, {"settings.py": f"token = '{TOKEN}'\n"})
    env = clean_env(tmp_path / "home", {"MY_API_TOKEN": TOKEN})
    done = tool(root, ["run", "-p", f"api_key={TOKEN}", "--python", python, "--kernel", "told"], env)
    assert done.code == 0, done.text
    assert "own" in str(json.loads((root / "mlops-out/manifest.json").read_bytes())["identity"]["python"])
    said = done.raw
    for form in EXPORTS:
        said += tool(root, ["manifest", "export", form], env).raw
    for arguments in (["explain"], ["diff", "mlops-out", "mlops-out"], ["verify", "--all", "--no-packages"]):
        said += tool(root, ["manifest", *arguments], env).raw
    files = [path for path in (root / "mlops-out").rglob("*") if path.is_file()]
    assert len(files) > len(EXPORTS)
    for token in (TOKEN, OTHER, FORMED):
        assert token.encode() not in said
        assert not [path for path in files if token.encode() in path.read_bytes()]
    gaps = {gap["what"] for gap in json.loads((root / "mlops-out/manifest.json").read_bytes())["completeness"]}
    assert {"uncommitted changes", "variable `MY_API_TOKEN`"} <= gaps
