"""Starting a session: a supervisor of its own, which does not end with the command."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
from collections.abc import Mapping
from contextlib import suppress

from mlops_action.errors import KernelStartFailed, SessionUnusable
from mlops_action.kernels.environment import kernel_environment
from mlops_action.sessions.identity import CLEANUP_VARIABLES
from mlops_action.sessions.shelf import Place, make_private
from mlops_action.sessions.supervisor import Begin
from mlops_action.sessions.watch import own_python


def start(begin: Begin, env: Mapping[str, str]) -> None:
    """Start the supervisor and wait until the kernel's process runs.

    Args:
        begin: what to start.
        env: the process's environment; of it, the supervisor keeps what is harmless, and what the
            CI system finds its own processes by.

    Raises:
        KernelStartFailed: the kernel's process could not be started.
        SessionUnusable: the supervisor could not.
    """
    place = Place(begin.folder)
    make_private(begin.folder)
    process: subprocess.Popen[bytes] | None = None
    try:
        process = _spawned(place, env)
        answer = _answer(process, pickle.dumps(begin))
    except BaseException:
        if process is not None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
        place.remove()
        raise
    if "ready" in answer:
        process.returncode = 0  # it goes on without us
        return
    process.wait()
    said = place.log.read_text(errors="replace").strip().splitlines()
    place.remove()
    if "error" in answer:
        raise KernelStartFailed(answer["error"], hint=answer["hint"])
    raise SessionUnusable(f"the session could not be started: {said[-1] if said else 'its supervisor ended'}")


def _spawned(place: Place, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    kept = {name: env[name] for name in CLEANUP_VARIABLES if name in env}
    docker = {name: value for name, value in env.items() if name.startswith("DOCKER_") and "AUTH" not in name}
    log = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            own_python("mlops_action.sessions.supervisor"),
            env={**kernel_environment(env), **docker, **kept},
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)


def _answer(process: subprocess.Popen[bytes], data: bytes) -> dict[str, str]:
    """What the supervisor says when it is ready, or could not be; empty when it says nothing."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both are pipes")
    with process.stdin, process.stdout, suppress(BrokenPipeError):
        process.stdin.write(data)
        process.stdin.close()
        answer: dict[str, str] = json.loads(process.stdout.readline() or b"{}")
        return answer
    return {}
