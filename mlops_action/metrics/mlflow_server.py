"""Runs and registered models of an MLflow tracking server, over its REST API.

``MLFLOW_TRACKING_URI`` names the server; ``MLFLOW_TRACKING_TOKEN``, or ``MLFLOW_TRACKING_USERNAME`` with
``MLFLOW_TRACKING_PASSWORD``, open it, as for MLflow's own client.
"""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from mlops_action.canonical import canonical_bytes
from mlops_action.errors import BaselineMissing, BaselineUnavailable
from mlops_action.metrics.known_results import at
from mlops_action.records import Json

_RUN = re.compile(r"runs:/(?P<run>[A-Za-z0-9_-]{1,256})")
_MODEL = re.compile(r"models:/(?P<name>[^/:@]{1,256})(?:@(?P<alias>[^/:@]{1,256})|/(?P<version>\d{1,18}))")
_SECONDS = 30
_MOST = 10_000_000


def fetch_run(locator: str, env: Mapping[str, str]) -> tuple[bytes, str]:
    """The run that a locator names, as JSON of its id, status and metrics in a fixed order, and what it resolved to.

    Args:
        locator: ``runs:/RUN_ID``, ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION``.
        env: names the server and holds what opens it.

    Raises:
        BaselineMissing: there is no such run, model, alias or version.
        BaselineUnavailable: the server cannot be asked, or its answer makes no sense.
    """
    server = _Server(locator, env)
    run, model = _RUN.fullmatch(locator), _MODEL.fullmatch(locator)
    resolved = ""
    if run is not None:
        run_id = run["run"]
    elif model is not None:
        version = server.version(model["name"], model["alias"], model["version"])
        run_id = str(at(version, "run_id") or "")
        resolved = f"models:/{model['name']}/{at(version, 'version')} "
        if not run_id:
            server.refuse(f"{resolved}was registered without a run", "name the run that measured it: `runs:/RUN_ID`")
    else:
        server.refuse(
            "it does not name a run or a model", "write `runs:/RUN_ID`, `models:/NAME@ALIAS` or `models:/NAME/VERSION`"
        )
    found = at(server.get("runs/get", run_id=run_id), "run")
    info, metrics = at(found, "info"), at(found, "data.metrics") or []
    if at(info, "run_id") != run_id or not isinstance(metrics, list):
        server.refuse("the server's answer is not that run", "is it an MLflow tracking server?")
    kept = {
        "run": {
            "info": {"run_id": run_id, "status": str(at(info, "status"))},
            "data": {"metrics": sorted(map(_metric, metrics), key=lambda each: str(each["key"]))},
        }
    }
    return canonical_bytes(kept), f"{resolved}(runs:/{run_id})" if resolved else locator


def _metric(metric: Json) -> dict[str, Json]:
    """Key and value of a metric; NaN and infinities become text, which is no number either."""
    value = at(metric, "value")
    plain = isinstance(value, (int, float)) and value == value and abs(value) != float("inf")  # noqa: PLR0124  # NaN
    return {"key": str(at(metric, "key")), "value": value if plain else str(value)}


class _NoRedirect(HTTPRedirectHandler):
    """A token must not follow a redirect to another host."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse it; the answer itself becomes the error."""


class _Server:
    """One tracking server."""

    def __init__(self, locator: str, env: Mapping[str, str]) -> None:
        self.locator = locator
        uri = urlsplit(env.get("MLFLOW_TRACKING_URI", ""))
        if uri.scheme not in {"http", "https"} or not uri.hostname:
            self.refuse(
                "MLFLOW_TRACKING_URI does not name a server",
                "set it to the tracking server's address: `https://mlflow.example.org`",
            )
        self.host = uri.netloc.rpartition("@")[2]
        self.base = f"{uri.scheme}://{self.host}{uri.path.rstrip('/')}/api/2.0/mlflow"
        self.headers = {"Accept": "application/json", **_authorization(env, uri.username, uri.password)}

    def refuse(self, why: str, hint: str = "", *, missing: bool = False) -> NoReturn:
        raise (BaselineMissing if missing else BaselineUnavailable)(
            f"the baseline {self.locator} cannot be read: {why}", origin=self.locator, hint=hint
        )

    def version(self, name: str, alias: str | None, version: str | None) -> Json:
        if alias is not None:
            return at(self.get("registered-models/alias", name=name, alias=alias), "model_version")
        return at(self.get("model-versions/get", name=name, version=str(version)), "model_version")

    def get(self, path: str, **query: str) -> Json:
        request = Request(f"{self.base}/{path}?{urlencode(query)}", headers=self.headers)  # noqa: S310  # http(s) only
        try:
            with build_opener(_NoRedirect).open(request, timeout=_SECONDS) as answer:
                data = answer.read(_MOST + 1)
        except HTTPError as error:
            self._refused(error)
        except (URLError, HTTPException, TimeoutError, OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            why = "it does not answer" if isinstance(reason, (TimeoutError, socket.timeout)) else str(reason)
            self.refuse(f"{self.host}: {why}", "is MLFLOW_TRACKING_URI right, and may this job reach it?")
        try:
            if len(data) > _MOST:
                self.refuse(f"{self.host} answers with more than {_MOST} bytes")
            return json.loads(data)
        except (ValueError, RecursionError):
            self.refuse(f"{self.host} does not answer with JSON", "is it an MLflow tracking server?")

    def _refused(self, error: HTTPError) -> NoReturn:
        """The server said no; its own words are kept short."""
        try:
            said = json.loads(error.read(10_000))
        except (ValueError, OSError, RecursionError, HTTPException):
            said = None
        code, message = str(at(said, "error_code") or ""), " ".join(str(at(said, "message") or error.reason).split())
        hint = "give a token in MLFLOW_TRACKING_TOKEN, or a user and a password" if error.code in {401, 403} else ""
        if 300 <= error.code < 400:
            hint = "set MLFLOW_TRACKING_URI to the address that it redirects to"
        # An alias that is not there is told in another way than a run or a version.
        no_alias = code == "INVALID_PARAMETER_VALUE" and "alias" in message and message.endswith("not found.")
        absent = (error.code == 404 and code == "RESOURCE_DOES_NOT_EXIST") or (error.code == 400 and no_alias)
        self.refuse(f"{self.host} says {error.code}: {message[:200]}", hint, missing=absent)


def _authorization(env: Mapping[str, str], user: str | None, password: str | None) -> dict[str, str]:
    token = env.get("MLFLOW_TRACKING_TOKEN", "")
    if token:
        return {"Authorization": f"Bearer {token}"}
    name = env.get("MLFLOW_TRACKING_USERNAME") or unquote(user or "")
    secret = env.get("MLFLOW_TRACKING_PASSWORD") or unquote(password or "")
    if not name:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}
