"""The browser, the report, and the server that the tests here share."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import report_sample
from chromium import AsJenkins, Browser

from mlops_action.formats.html import Html


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """A Chromium that starts."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium (Debian: apt-get install chromium)")
    return Browser(program, tmp_path_factory.mktemp("chromium"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run with everything in it."""
    folder = tmp_path_factory.mktemp("site")
    for name, data in Html().render(report_sample.account()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def jenkins(site: Path) -> Iterator[str]:
    """The report's address on a server that sends Jenkins' default Content-Security-Policy."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(AsJenkins, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()
