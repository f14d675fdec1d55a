"""A registry of one image, as far as an engine needs it to pull."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass
class Registry:
    """What it holds, by digest; the manifest under every tag."""

    address: str
    digest: str
    blobs: dict[str, bytes] = field(repr=False)


@contextmanager
def registry(image: str) -> Iterator[Registry]:
    """Serve an image of the engine on a port of this machine."""
    blobs, manifest = _content(image)

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            kind, _, name = self.path.rpartition("/")[0].rpartition("/")[2], *self.path.rpartition("/")[1:]
            body = manifest if kind == "manifests" else blobs.get(name)
            if kind == "manifests" and name == "refused":
                body = None
            self.send_response(200 if body is not None or self.path == "/v2/" else 404)
            body = (
                b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}' if body is None else body
            )
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.send_header("Docker-Content-Digest", _digest(body))
            self.send_header("Content-Type", MANIFEST if kind == "manifests" else "application/octet-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Registry(f"127.0.0.1:{server.server_port}", _digest(manifest), blobs)
    finally:
        server.shutdown()
        server.server_close()


def _content(image: str) -> tuple[dict[str, bytes], bytes]:
    saved = subprocess.run(["docker", "save", image], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(saved)) as tar:

        def read(name: str) -> bytes:
            found = tar.extractfile(name)
            assert found is not None
            return found.read()

        listed = json.loads(read("manifest.json"))[0]
        config, layers = read(listed["Config"]), [read(name) for name in listed["Layers"]]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "size": len(config), "digest": _digest(config)},
        "layers": [{"mediaType": LAYER, "size": len(each), "digest": _digest(each)} for each in layers],
    }
    return {_digest(each): each for each in (config, *layers)}, json.dumps(manifest).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
