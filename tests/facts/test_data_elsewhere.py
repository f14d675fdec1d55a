"""Data that is not in the project folder: files of other commits, and objects in real stores on this machine."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from manifest_project import git, project, record, written

from mlops_action.config.model import ManifestSpec
from mlops_action.context import Context
from mlops_action.facts.git_data import GitData
from mlops_action.facts.interface import Scene
from mlops_action.facts.places import hint_for_missing, told_apart
from mlops_action.facts.remote_data import RemoteData
from mlops_action.facts.remote_objects import kind_of_etag, object_at
from mlops_action.facts.watch import Watch, with_changes
from mlops_action.manifests.findings import Is
from mlops_action.manifests.read import read_manifest
from mlops_action.manifests.reproduce.stages import reproduce
from mlops_action.manifests.reproduce.workplace import Wishes, Workplace
from mlops_action.manifests.verify import Place, verify
from mlops_action.records import Fact, Plan
from mlops_action.redact import Redactor
from mlops_action.repository import Repository

CONTENT = b"a,b\n1,2\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def scene_of(root: Path, *entries: str, most: int = 1 << 30) -> Scene:
    context = Context({"PATH": os.environ["PATH"], "HOME": str(root)}, root, io.StringIO(), lambda: datetime.now(UTC))
    spec = ManifestSpec(data=entries, remote_size=most)
    return Scene(context, Plan("", ".", "out", (), ()), spec, Redactor())


def remote(root: Path, *entries: str, most: int = 1 << 30) -> Fact:
    return RemoteData().collect(scene_of(root, *entries, most=most))


def test_entries_are_told_apart_by_how_they_begin() -> None:
    declared = told_apart(["data/*.csv", "git:main:a.csv", "s3://bucket/a", "HTTPS://x/y", "odd:name.csv"])
    assert declared.patterns == ("data/*.csv", "odd:name.csv")
    assert declared.in_git == ("git:main:a.csv",)
    assert declared.addresses == ("s3://bucket/a", "HTTPS://x/y")


def test_an_address_among_the_inputs_of_a_step_is_told_where_it_belongs() -> None:
    assert "manifest: data" in hint_for_missing("s3://bucket/a.csv")
    assert "outputs" in hint_for_missing("data/a.csv")


# --- files of other commits


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = project(tmp_path / "project")
    git(root, "branch", "accepted")
    written(root, {"data/a.csv": "changed since\n"})
    return root


def test_a_file_of_another_commit_is_recorded_by_blob_and_digest(root: Path) -> None:
    fact = GitData().collect(scene_of(root, "git:accepted:data/a.csv", "data/*.csv"))
    data = b"a,b\n1,2\n"
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    assert fact.identity == [
        {"path": "data/a.csv", "gitBlob": blob, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    ]
    commit = git(root, "rev-parse", "accepted")
    assert fact.locator == [{"declared": "git:accepted:data/a.csv", "commit": commit, "path": "data/a.csv"}]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("git:nowhere:data/a.csv", "there is no commit, branch or tag `nowhere`"),
        ("git:accepted:gone.csv", "git:"),
        ("git:accepted:data", "it is a folder"),
        ("git:accepted", "it is not `git:REF:PATH`"),
        ("git::data/a.csv", "it is not `git:REF:PATH`"),
    ],
)
def test_what_is_no_file_of_a_commit_is_told(root: Path, entry: str, why: str) -> None:
    fact = GitData().collect(scene_of(root, entry))
    assert fact.identity is None
    assert fact.uncaptured[0].what == f"data `{entry}`"
    assert why in fact.uncaptured[0].why


def recorded(root: Path, *entries: str) -> Path:
    scene = scene_of(root, *entries)
    return record(root, more=(GitData().collect(scene), RemoteData().collect(scene)))


def states(root: Path) -> dict[str, Is]:
    found = verify(read_manifest(root / "mlops-out"), Place(root, Repository(root, os.environ), packages=False))
    return {each.what: each.state for each in found if each.kind == "data"}


def failed(root: Path, folder: Path) -> list[str]:
    folder.mkdir(exist_ok=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    place = Workplace(read_manifest(root / "mlops-out"), folder, env, Wishes(source=str(root), data=root))
    return [check.name for check in reproduce(place, ["source", "data"], again=True) if not check.ok]


def test_a_file_of_another_commit_is_verified_offline_and_found_again(root: Path, tmp_path: Path) -> None:
    recorded(root, "git:accepted:data/a.csv")
    assert states(root)[f"git:{git(root, 'rev-parse', 'accepted')}:data/a.csv"] is Is.RIGHT
    assert failed(root, tmp_path / "again") == []


def test_a_blob_that_is_not_in_a_clone_is_missing(root: Path, tmp_path: Path) -> None:
    recorded(root, "git:accepted:data/a.csv")
    manifest = read_manifest(root / "mlops-out")
    manifest.value["identity"]["git-data"][0]["gitBlob"] = "0" * 40
    found = verify(manifest, Place(root, Repository(root, os.environ), packages=False))
    assert found[0].state is Is.ALTERED  # the manifest itself was touched


# --- objects elsewhere


class Quiet(SimpleHTTPRequestHandler):
    etag = '"first"'

    def end_headers(self) -> None:
        self.send_header("ETag", type(self).etag)
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/a b.csv").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "web")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    Quiet.etag = '"first"'


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A server that speaks S3, with a bucket that keeps versions and one that does not."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "testing-only")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    for bucket in ("plain", "kept"):
        client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    yield client
    server.stop()
    patch.undo()


def test_an_object_of_the_web_has_address_size_digest_and_the_kind_of_its_tag(web: str, tmp_path: Path) -> None:
    fact = remote(tmp_path, f"{web}/a b.csv")
    assert fact.identity == [{"uri": f"{web}/a b.csv", "sha256": SHA256, "size": len(CONTENT)}]
    assert fact.locator == [{"uri": f"{web}/a b.csv", "etag": {"value": "first", "kind": "opaque"}}]
    assert fact.uncaptured == ()


def test_an_object_in_memory_and_one_in_a_folder_elsewhere_are_read(tmp_path: Path) -> None:
    import fsspec

    fsspec.filesystem("memory").pipe("/m/a.csv", CONTENT)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/a.csv").write_bytes(CONTENT)
    fact = remote(tmp_path, "memory://m/*.csv", f"file://{tmp_path}/outside")
    assert [each["sha256"] for each in fact.identity] == [SHA256, SHA256]
    assert fact.identity[1]["uri"] == f"file://{tmp_path}/outside/a.csv"


@pytest.mark.slow
def test_an_object_in_s3_has_its_version_and_the_kind_of_its_tag(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket="kept", Key="d/one.csv", Body=b"older")
    second = s3.put_object(Bucket="kept", Key="d/one.csv", Body=CONTENT)
    upload = s3.create_multipart_upload(Bucket="plain", Key="big")["UploadId"]
    part = s3.upload_part(Bucket="plain", Key="big", UploadId=upload, PartNumber=1, Body=CONTENT)
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(Bucket="plain", Key="big", UploadId=upload, MultipartUpload={"Parts": parts})
    fact = remote(tmp_path, "s3://kept/d/", "s3://plain/big")
    assert fact.identity == [
        {"uri": "s3://kept/d/one.csv", "sha256": SHA256, "size": len(CONTENT)},
        {"uri": "s3://plain/big", "sha256": SHA256, "size": len(CONTENT)},
    ]
    md5 = hashlib.md5(CONTENT).hexdigest()
    assert fact.locator[0] == {
        "uri": "s3://kept/d/one.csv",
        "version-id": second["VersionId"],
        "etag": {"value": md5, "kind": "md5"},
    }
    assert fact.locator[1]["etag"]["kind"] == "multipart"


@pytest.mark.slow
def test_the_recorded_version_is_found_again_after_a_newer_one(s3: Any, root: Path, tmp_path: Path) -> None:
    s3.put_object(Bucket="kept", Key="again.csv", Body=CONTENT)
    s3.put_object(Bucket="plain", Key="again.csv", Body=CONTENT)
    recorded(root, "s3://kept/again.csv", "s3://plain/again.csv")
    assert states(root)["s3://kept/again.csv"] is Is.UNCHECKED
    assert failed(root, tmp_path / "again") == []
    for bucket in ("kept", "plain"):
        s3.put_object(Bucket=bucket, Key="again.csv", Body=b"newer")
    assert failed(root, tmp_path / "again") == ["the data `s3://plain/again.csv` is the recorded one"]


def test_a_large_object_is_not_read_and_that_is_told(web: str, tmp_path: Path) -> None:
    fact = remote(tmp_path, f"{web}/a b.csv", most=3)
    assert fact.identity == [{"uri": f"{web}/a b.csv", "size": len(CONTENT), "etag": "first"}]
    assert fact.uncaptured[0].what == f"content of data `{web}/a b.csv`"
    assert "remote-size" in fact.uncaptured[0].why


def test_an_object_that_changes_during_the_run_is_told(web: str, tmp_path: Path) -> None:
    watch = Watch(tmp_path, (f"{web}/a b.csv",))
    assert watch.changed() == []
    Quiet.etag = '"second"'
    assert watch.changed() == [f"{web}/a b.csv"]
    facts = with_changes([Fact("data"), Fact("remote-data")], watch.changed())
    assert [len(fact.uncaptured) for fact in facts] == [0, 1]


def test_the_same_object_gives_the_same_identity_and_another_byte_another(web: str, tmp_path: Path) -> None:
    before = remote(tmp_path, f"{web}/a b.csv").identity
    assert remote(tmp_path / "other", f"{web}/a b.csv").identity == before
    (tmp_path / "web/a b.csv").write_bytes(b"A,b\n1,2\n")
    assert remote(tmp_path, f"{web}/a b.csv").identity != before


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://127.0.0.1:9/x", "it cannot be read"),
        ("memory://m/nothing-here", "there is no such object"),
        ("gs://bucket/x", "its library is not installed: pip install 'mlops-action[gcs]'"),
        ("az://box/x", "its library is not installed: pip install 'mlops-action[azure]'"),
        ("nonsense://bucket/x", "it cannot be read"),
    ],
)
def test_an_object_that_cannot_be_had_is_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, why: str
) -> None:
    from fsspec.registry import _registry

    for scheme, library in (("gs", "gcsfs"), ("az", "adlfs")):  # as where neither is installed
        monkeypatch.setitem(sys.modules, library, None)
        monkeypatch.delitem(_registry, scheme, raising=False)
    fact = remote(tmp_path, address)
    assert fact.identity is None
    assert [gap.what for gap in fact.uncaptured] == [f"data `{address}`"]
    assert why in fact.uncaptured[0].why


def test_user_and_query_of_an_address_are_not_recorded(web: str, tmp_path: Path) -> None:
    address = web.replace("http://", "http://me:pl4nted@") + "/a b.csv?sig=pl4nted"
    fact = remote(tmp_path, address)
    assert "pl4nted" not in repr(fact)
    assert fact.identity[0]["uri"] == f"{web}/a b.csv"


def test_a_query_is_not_told_by_a_refusal_that_spells_it_otherwise(web: str, tmp_path: Path) -> None:
    fact = remote(tmp_path, f"{web}/refused?k=pl4nted%2Fpl4nted%20x")
    assert "404" in fact.uncaptured[-1].why
    assert f"'{web}/refused'" in fact.uncaptured[-1].why
    assert "pl4nted" not in repr(fact)


@pytest.mark.parametrize(
    ("etag", "md5", "kind"),
    [
        ("W/abc", "", "weak"),
        ("0" * 32 + "-7", "", "multipart"),
        ("0" * 32, "0" * 32, "md5"),
        ("0" * 32, "1" * 32, "opaque"),  # encrypted by the store
        ("0" * 32, "", "opaque"),
        ("0x8DABC", "", "opaque"),
    ],
)
def test_a_tag_counts_as_a_digest_only_when_the_content_has_it(etag: str, md5: str, kind: str) -> None:
    assert kind_of_etag(etag, md5) == kind


def test_exports_know_data_from_elsewhere(web: str, root: Path) -> None:
    from mlops_action.formats.cyclonedx import CycloneDx
    from mlops_action.formats.rocrate import RoCrate
    from mlops_action.formats.slsa import Slsa

    address = f"{web}/a b.csv"
    recorded(root, address, "git:accepted:data/a.csv")
    value = read_manifest(root / "mlops-out").value
    rendered = [json.loads(form.render(value).files[0][1]) for form in (Slsa(), CycloneDx(), RoCrate())]
    resolved = rendered[0]["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert {"name": address, "uri": address, "digest": {"sha256": SHA256}} in resolved
    [data] = [each for each in rendered[1]["components"] if each["name"] == address]
    assert data["externalReferences"] == [{"type": "distribution", "url": address.replace(" ", "%20")}]
    assert [each["@id"] for each in rendered[2]["@graph"] if each.get("name") == address] == [
        address.replace(" ", "%20")
    ]


def test_one_object_can_be_asked_for(web: str) -> None:
    assert object_at(f"{web}/a b.csv").digests()[0] == SHA256
