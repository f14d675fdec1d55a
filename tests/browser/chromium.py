"""A real Chromium without a screen, and a server that sends what Jenkins sends."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

JENKINS_CSP = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self'"
PHONE, DESKTOP = 390, 1280


@dataclass(frozen=True)
class Seen:
    """What the browser made of a page."""

    dom: str
    log: str
    picture: bytes

    def complaints(self) -> list[str]:
        """What the page's console says, policy violations among it."""
        return [line for line in self.log.splitlines() if re.search(r"CONSOLE|Content.Security|Refused|ERR_", line)]


class Browser:
    """Headless Chromium with a profile of its own."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.folder = folder
        self.count = 0

    def open(self, address: str, width: int = DESKTOP, *options: str) -> Seen:
        """Load a page, take its picture, and give its document as the browser holds it."""
        self.count += 1
        picture = self.folder / f"{self.count}.png"
        said = self._run(address, f"--window-size={width},2000", f"--screenshot={picture}", *options)
        document = self._run(address, f"--window-size={width},2000", "--dump-dom", *options)
        return Seen(document.stdout, said.stderr + document.stderr, picture.read_bytes())

    def _run(self, address: str, *options: str) -> subprocess.CompletedProcess[str]:
        flags = "--headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars"
        command = [self.program, *flags.split(), f"--user-data-dir={self.folder / 'profile'}"]
        command += ["--enable-logging=stderr", "--v=0", "--force-device-scale-factor=1", *options, address]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


class AsJenkins(SimpleHTTPRequestHandler):
    """Files of a folder, under Jenkins' default policy."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", JENKINS_CSP)
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class calls it so
        """Say nothing."""
