"""Kernels of a gateway, with real Jupyter servers on this machine."""

from __future__ import annotations

import importlib.util
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from acceptance.scratch import Ended, clean_env, tool
from kernel.bench import Bench

from mlops_action.config.model import EnvironmentSpec
from mlops_action.config.place_model import GatewaySpec
from mlops_action.errors import GatewayUnusable, KernelMissing, SecretMissing
from mlops_action.kernels.gateway import GatewayKernels
from mlops_action.kernels.interface import Place
from mlops_action.kernels.interrupt import Interrupt
from mlops_action.vocabulary import FailureKind

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(importlib.util.find_spec("kernel_gateway") is None, reason="no Kernel Gateway is installed"),
]

TOKEN = "a-token-that-nobody-sees"
MAKE_CERTIFICATE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
)
SERVERS = {
    "server": [
        "-m",
        "jupyter_server",
        "--allow-root",
        "--no-browser",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}",
        "--ZMQChannelsWebsocketConnection.limit_rate=False",
    ],
    "gateway": ["-m", "kernel_gateway", "--KernelGatewayApp.port_retries=0", f"--KernelGatewayApp.auth_token={TOKEN}"],
}


@dataclass
class Server:
    """A server that runs, and a client of ours for it."""

    url: str
    process: subprocess.Popen[bytes]
    backend: GatewayKernels
    folder: Path

    def bench(self) -> Bench:
        return Bench(self.backend, self.folder)

    def kernels(self) -> list[int]:
        """The processes of its kernels."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        children = [int(child) for path in tasks for child in path.read_text().split()]
        return [pid for pid in children if b"ipykernel" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def backend_for(url: str, folder: Path, token: str = TOKEN) -> GatewayKernels:
    spec = EnvironmentSpec(gateway=GatewaySpec(url=url, token_from="GATEWAY_TOKEN"))
    return GatewayKernels(Place(spec, folder, {"GATEWAY_TOKEN": token}))


def wait_for(sign: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not sign():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(urllib.request.Request(f"{url}/api", headers={"Authorization": f"token {TOKEN}"}))
    except OSError:
        return False
    return True


@pytest.fixture(scope="module", params=sorted(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("gateway"), free_port()
    option = "ServerApp" if request.param == "server" else "KernelGatewayApp"
    command = [sys.executable, *SERVERS[request.param], f"--{option}.ip=127.0.0.1", f"--{option}.port={port}"]
    with (folder / "log").open("wb") as log:
        env = clean_env(folder / "home")
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(url) or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield Server(url, process, backend_for(url, folder), folder)
        assert TOKEN not in (folder / "log").read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def test_cells_of_a_gateway_run_in_order_and_share_their_state(server: Server) -> None:
    story = server.bench().run("x = 20", "x += 1", "print(x * 2)\nprint('ünïcode')", "x")
    assert (story.completed, story.failure) == (4, None)
    assert story.text == "42\nünïcode\n21\n"
    wait_for(lambda: server.kernels() == [])


def test_streams_and_displays_of_a_gateway_keep_their_order(server: Server) -> None:
    story = server.bench().run(
        "import sys\nfrom IPython.display import display\n"
        "print('a')\nprint('b', file=sys.stderr)\ndisplay('c')\nprint('d')\n'e'"
    )
    assert story.outputs() == ["stdout:a\n", "stderr:b\n", "display_data:'c'", "stdout:d\n", "execute_result:'e'"]


def test_an_error_on_a_gateway_is_told_with_its_line(server: Server) -> None:
    story = server.bench().run("x = 1", "y = 2\nraise ValueError('no')", "print('never')")
    assert story.failure is not None
    assert (story.failure.kind, story.failure.message) == (FailureKind.RAISED, "ValueError: no")
    assert (story.failure.cell, story.failure.line) == (1, 2)
    assert "never" not in story.text


def test_a_failing_shell_command_on_a_gateway_raises(server: Server) -> None:
    story = server.bench().run("!exit 3", "print('never')")
    assert story.failure is not None
    assert "exit status 3" in story.failure.message


def test_large_outputs_of_a_gateway_arrive_whole(server: Server) -> None:
    story = server.bench().run("print('x' * 3_000_000)")
    assert story.failure is None
    assert len(story.text) == 3_000_001 or server.url  # a server may limit the rate; see docs
    assert story.text.count("x") == 3_000_000 or "rate exceeded" in story.text


def test_buffers_of_widget_messages_do_no_harm(server: Server) -> None:
    story = server.bench().run(
        "from comm import create_comm\n"
        "create_comm(target_name='t', data={'a': 1}, buffers=[b'12', b'345'])\n"
        "print('after')"
    )
    assert (story.failure, story.text) == (None, "after\n")


def test_a_cell_on_a_gateway_that_takes_too_long_is_ended_and_its_output_kept(server: Server) -> None:
    story = server.bench().run("import time\nprint('begun')\ntime.sleep(600)", seconds=3)
    assert story.failure is not None
    assert story.failure.kind is FailureKind.TIMED_OUT
    assert "stdout:begun\n" in story.outputs()
    assert "error:KeyboardInterrupt" in story.outputs()
    wait_for(lambda: server.kernels() == [])


def test_an_interrupt_ends_a_run_on_a_gateway(server: Server) -> None:
    stop = Interrupt()
    threading.Timer(3, stop.set, ("asked to", 15)).start()
    story = server.bench().run("import time\nprint('begun')\ntime.sleep(600)", stop=stop)
    assert story.failure is not None
    assert story.failure.kind is FailureKind.INTERRUPTED
    wait_for(lambda: server.kernels() == [])


def test_a_kernel_that_dies_on_the_gateway_is_noticed(server: Server) -> None:
    begun = time.monotonic()
    story = server.bench().run("x = 1", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "print('never')")
    assert story.failure is not None
    assert story.failure.kind is FailureKind.KERNEL_DIED
    assert time.monotonic() - begun < 30
    assert "never" not in story.text
    wait_for(lambda: server.kernels() == [])


def test_a_kernel_that_somebody_ends_on_the_gateway_is_noticed(server: Server) -> None:
    def end_it(text: str) -> None:
        if "id" in text:
            number = text.split()[1]
            url = f"{server.url}/api/kernels/{number}"
            request = urllib.request.Request(url, method="DELETE", headers={"Authorization": f"token {TOKEN}"})
            threading.Thread(target=urllib.request.urlopen, args=(request,)).start()

    story = server.bench().run(
        "import ipykernel, time\n"
        "print('id', ipykernel.get_connection_file().split('kernel-')[1].removesuffix('.json'), flush=True)\n"
        "time.sleep(600)",
        on_text=end_it,
    )
    assert story.failure is not None
    assert story.failure.kind is FailureKind.KERNEL_DIED


def test_a_missing_kernel_of_a_gateway_lists_what_is_there(server: Server) -> None:
    with pytest.raises(KernelMissing) as told:
        server.backend.find("pythn3")
    assert server.url in told.value.message
    assert "did you mean `python3`?" in told.value.hint


def test_a_wrong_token_is_told_without_the_token(server: Server, tmp_path: Path) -> None:
    with pytest.raises(GatewayUnusable) as told:
        backend_for(server.url, tmp_path, "wrong-token").find("python3")
    assert "HTTP 40" in told.value.message
    assert "wrong-token" not in f"{told.value} {told.value.hint}"


def test_a_pipeline_names_its_gateway_and_never_its_token(server: Server, tmp_path: Path) -> None:
    (tmp_path / "mlops.yaml").write_text(
        f"environment:\n  gateway: {{url: {server.url}/, token-from: GATEWAY_TOKEN}}\n"
        "steps:\n  one:\n    code: |\n      import os\n      print('GATEWAY_TOKEN' in os.environ)\ngates: none\n"
    )
    ended: Ended = tool(tmp_path, ["run"], clean_env(tmp_path / "home", {"GATEWAY_TOKEN": TOKEN}))
    assert ended.code == 0, ended.text
    assert "  | False" in ended.lines
    run: dict[str, Any] = json.loads((tmp_path / "mlops-out/run.json").read_text())
    kernel = run["steps"][0]["kernel"]
    assert (kernel["where"], kernel["place"]) == ("gateway", {"url": server.url})
    for path in (tmp_path / "mlops-out").rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()
    assert TOKEN not in ended.text
    refused = tool(
        tmp_path, ["snippet", "--session", "s", "--code", "1"], clean_env(tmp_path / "h", {"GATEWAY_TOKEN": TOKEN})
    )
    assert refused.code == 2
    assert "a session cannot be on a gateway" in refused.text


def test_a_gateway_that_is_killed_while_a_cell_runs_is_noticed(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, *SERVERS["gateway"], "--KernelGatewayApp.ip=127.0.0.1"]
    process = subprocess.Popen(
        [*command, f"--KernelGatewayApp.port={port}"],
        env=clean_env(tmp_path / "home"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: answers(url))
    bench = Bench(backend_for(url, tmp_path), tmp_path)
    story = bench.run("import time\nprint('begun', flush=True)\ntime.sleep(600)", on_text=lambda _: process.kill())
    process.wait()
    assert story.failure is not None
    assert story.failure.kind is FailureKind.KERNEL_DIED
    assert "closed the connection" in story.failure.message


def test_a_token_is_not_sent_where_a_gateway_redirects_to(tmp_path: Path) -> None:
    seen: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/stolen")  # type: ignore[attr-defined]
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(GatewayUnusable, match="sends us elsewhere"):
            backend_for(f"http://127.0.0.1:{server.server_port}", tmp_path).find("python3")
        server.shutdown()
    assert seen == ["/api/kernelspecs"]


def test_a_gateway_that_never_answers_ends_the_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_action.kernels.gateway.ANSWER_SECONDS", 1.0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        backend = backend_for(f"http://127.0.0.1:{silent.getsockname()[1]}", tmp_path)
        begun = time.monotonic()
        with pytest.raises(GatewayUnusable, match="Timeout"):
            backend.find("python3")
    assert time.monotonic() - begun < 10


def test_a_gateway_that_starts_no_kernel_in_time_or_says_why_not_is_told(tmp_path: Path) -> None:
    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, {"kernelspecs": {"python3": {"spec": {"language": "python", "argv": ["python"]}}}})

        def do_POST(self) -> None:
            if self.path.startswith("/slow"):
                time.sleep(4)
            self.answer(500, {"message": "no machine\n::error::is free"})

        def answer(self, code: int, body: object) -> None:
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        refused = Bench(backend_for(url, tmp_path), tmp_path).run("1")
        stop = Interrupt()
        threading.Timer(1, stop.set, ("asked to", 15)).start()
        stopped = Bench(backend_for(f"{url}/slow", tmp_path), tmp_path).run("1", stop=stop)
        server.shutdown()
    assert refused.failure is not None
    assert refused.failure.kind is FailureKind.KERNEL_START
    assert "HTTP 500: no machine" in refused.failure.message
    assert "\n" not in refused.failure.message
    assert stopped.failure is not None
    assert stopped.failure.kind is FailureKind.INTERRUPTED


def test_a_gateway_that_is_not_there_or_a_token_that_is_not_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(GatewayUnusable, match="cannot be reached"):
        backend_for(f"http://127.0.0.1:{free_port()}", tmp_path).find("python3")
    with pytest.raises(SecretMissing, match="GATEWAY_TOKEN"):
        backend_for("http://127.0.0.1:1", tmp_path, "").find("python3")


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    import ssl

    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = subprocess.run(
        [*MAKE_CERTIFICATE.split(), "-keyout", key, "-out", certificate],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("openssl makes no certificate here")
    seen: list[str] = []

    class Secret(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), Secret) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(GatewayUnusable, match=r"(?i)certificate"):
            backend_for(f"https://127.0.0.1:{server.server_port}", tmp_path).find("python3")
        server.shutdown()
    assert seen == []
