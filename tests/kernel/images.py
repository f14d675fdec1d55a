"""Images for kernels in containers, built from the base image once and kept under a tag of what they are made of."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

BASE = os.environ.get("MLOPS_ACTION_BASE_IMAGE", "mlops-action-base:bookworm")
KERNEL = """\
RUN python3 -m venv /opt/k && /opt/k/bin/pip install --no-cache-dir ipykernel
ENV PATH=/opt/k/bin:$PATH
"""
TCP_KERNEL = f"""{KERNEL}
RUN cp -r /opt/k/share/jupyter/kernels/python3 /opt/k/share/jupyter/kernels/other && \\
    echo 'from ipykernel import kernelapp; kernelapp.launch_new_instance()' > /opt/other.py && \\
    sed -i -e 's/"language": "python"/"language": "other"/' -e 's,"-m","/opt/other.py",' \\
        -e '/"ipykernel_launcher",/d' /opt/k/share/jupyter/kernels/other/kernel.json
"""
BASH_KERNEL = f"""{KERNEL}
RUN /opt/k/bin/pip install --no-cache-dir bash_kernel && /opt/k/bin/python -m bash_kernel.install --sys-prefix
"""
BARE = "LABEL org.opencontainers.image.title=bare\n"
"""Python and no kernel."""
EMPTY = "RUN rm -f /usr/bin/python3* /usr/local/bin/python3*\n"
"""Not even Python."""


def image(lines: str = KERNEL) -> str:
    """The tag of an image with these lines on top of the base image.

    Skips the test that asks when there is no engine or no base image.
    """
    if shutil.which("docker") is None:
        pytest.skip("there is no `docker` command")
    base = docker("image", "inspect", "--format", "{{.Id}}", BASE)
    if base.returncode:
        pytest.skip(f"no Docker engine with an image {BASE}: {base.stderr.strip()}")
    tag = f"mlops-action-test-kernel:{hashlib.sha256((base.stdout + lines).encode()).hexdigest()[:16]}"
    if docker("image", "inspect", tag).returncode:
        made = docker("build", "--network", "host", "--force-rm", "-t", tag, "-", given=f"FROM {BASE}\n{lines}")
        assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
    return tag


def docker(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run the engine's own command."""
    return subprocess.run(["docker", *arguments], input=given, capture_output=True, text=True, check=False)


def containers(folder: Path) -> list[str]:
    """Containers of ours whose sockets are below a folder."""
    form = '{{.ID}} {{.Label "mlops-action.folder"}}'
    listed = docker("ps", "--all", "--filter", "label=mlops-action.mark", "--format", form)
    return [line for line in listed.stdout.splitlines() if f" {folder}/" in line]
