"""A small MLflow tracking server, written by hand after its documented REST API (2.0).

What it answers was compared with MLflow 3.17.2's own server: it tells a missing alias by 400, and stores an infinity as
the largest double and NaN as text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATH = "/api/2.0/mlflow/"


@dataclass
class Tracking:
    """What the server knows, and what it was asked."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    aliases: dict[tuple[str, str], str] = field(default_factory=dict)
    versions: dict[tuple[str, str], str] = field(default_factory=dict)
    needed: str = ""
    """The `Authorization` that it wants, or nothing."""
    raw: bytes = b""
    """Instead of any answer."""
    status: int = 200
    location: str = ""
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    url: str = ""

    def add_run(self, run_id: str, status: str = "FINISHED", **metrics: Any) -> None:
        listed = [{"key": key, "value": value, "timestamp": 1, "step": 0} for key, value in metrics.items()]
        self.runs[run_id] = {
            "info": {"run_id": run_id, "status": status},
            "data": {"metrics": listed, "params": [{"key": "lr", "value": "0.1"}]},
        }

    def answer(self, path: str, query: dict[str, str]) -> dict[str, Any] | str:
        """The answer, or what does not exist."""
        if path == "runs/get":
            run = self.runs.get(query["run_id"])
            return {"run": run} if run else f"Run with id={query['run_id']} not found"
        name = query["name"]
        if name not in {known for known, _ in self.versions}:
            return f"Registered Model with name={name} not found"
        if path == "registered-models/alias":
            version = self.aliases.get((name, query["alias"]))
            if version is None:
                return f"Registered model alias {query['alias']} not found."
        else:
            version = query["version"]
        run_id = self.versions.get((name, version))
        if run_id is None:
            return f"Model Version (name={name}, version={version}) not found"
        return {"model_version": {"name": name, "version": version, "run_id": run_id, "status": "READY"}}


@contextmanager
def serving(tracking: Tracking) -> Iterator[Tracking]:
    """The server on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            given = self.headers.get("Authorization", "")
            tracking.asked.append((url.path, query, given))
            if tracking.raw or tracking.status != 200:
                self.say(tracking.status, tracking.raw)
            elif given != tracking.needed:
                self.say(401, json.dumps({"error_code": "UNAUTHENTICATED", "message": "no"}).encode())
            else:
                found = tracking.answer(url.path.removeprefix(PATH), query)
                if not isinstance(found, str):
                    self.say(200, json.dumps(found).encode())
                elif "alias" in found:
                    body = {"error_code": "INVALID_PARAMETER_VALUE", "message": found}
                    self.say(400, json.dumps(body).encode())
                else:
                    self.say(404, json.dumps({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": found}).encode())

        def say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if tracking.location:
                self.send_header("Location", tracking.location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    tracking.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield tracking
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
