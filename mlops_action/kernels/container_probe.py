"""A look into an image, from inside: its kernelspecs and its Python."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from mlops_action.errors import EnvironmentProblem, KernelMissing
from mlops_action.frozen import frozen
from mlops_action.kernels.container_engine import explained
from mlops_action.kernels.container_output import hang_up
from mlops_action.records import KernelChoice

_SCRIPT = r"""
mark=$1 sockets=$2
read -r seen < "$sockets/seen"
printf '%s seen %s\n' "$mark" "$seen"
look() {
  for spec in "$1"/*/kernel.json; do
    [ -f "$spec" ] || continue
    printf '\n%s spec %s\n%s\n' "$mark" "$spec" "$2"
    cat "$spec"
  done
}
python=$(command -v python3 || command -v python)
prefix() {
  found=$python
  for each in "$1/bin/python" "$1/bin/python3"; do [ -x "$each" ] && { found=$each; break; }; done
  look "$1/share/jupyter/kernels" "$found"
}
IFS=:
for each in $PATH; do prefix "${each%/*}"; done
for each in $JUPYTER_PATH; do look "$each/kernels" "$python"; done
unset IFS
for each in /opt/* /usr/local /usr; do prefix "$each"; done
for each in /root /home/*; do look "$each/.local/share/jupyter/kernels" "$python"; done
[ -z "$python" ] || { printf '\n%s python\n' "$mark"; "$python" -c '
import json, os, sys, sysconfig
get = sysconfig.get_config_var
guard = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
managed = sys.prefix == sys.base_prefix and os.path.exists(guard)
said = {"path": sys.executable, "version": sys.version.split()[0], "abi": get("EXT_SUFFIX"), "managed": managed}
print(json.dumps(said))
'; }
printf '\n%s end\n' "$mark"
"""
"""What Jupyter itself would search; nothing but a POSIX shell and ``cat`` is needed."""
_KERNEL_LINES = {
    "ir": ["RUN apt-get update && apt-get install -y --no-install-recommends r-cran-irkernel"],
    "bash": ["RUN python3 -m pip install bash_kernel && python3 -m bash_kernel.install --sys-prefix"],
}
_DEBIAN_PYTHON = "RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv"
_OWN_PYTHON = [
    "RUN python3 -m venv --system-site-packages /opt/kernel && /opt/kernel/bin/pip install ipykernel",
    "ENV PATH=/opt/kernel/bin:$PATH",
]


@frozen
class Contents:
    """What an image holds."""

    specs: Mapping[str, KernelChoice] = field(default_factory=dict)
    """Kernels by their names in lower case."""
    python: Mapping[str, Any] = field(default_factory=dict)
    """``path``, ``version``, ``abi`` and ``managed`` of the Python on its PATH; empty when there is none."""
    seen: str = ""
    """What the container read in the shared folder."""

    def kernel(self, name: str, image: str) -> KernelChoice:
        """The kernel of that name.

        Raises:
            KernelMissing: there is none; says what to add to the image.
        """
        found = self.specs.get(name.lower())
        if found is not None:
            return found
        there = f"it has {', '.join(f'`{each}`' for each in self.specs)}" if self.specs else "it has none"
        raise KernelMissing(
            f"image `{image}` has no Jupyter kernel `{name}`: {there}",
            hint="add to its Dockerfile:\n" + "\n".join(self._lines(name)) + self._instead(name),
        )

    def _lines(self, name: str) -> list[str]:
        if name in _KERNEL_LINES:
            return _KERNEL_LINES[name]
        if name != "python3":
            return [f"# whatever installs the kernel `{name}` to /usr/local/share/jupyter/kernels/{name}"]
        if self.python and not self.python["managed"]:
            return [f"RUN {self.python['path']} -m pip install ipykernel"]
        return _OWN_PYTHON if self.python else [_DEBIAN_PYTHON, *_OWN_PYTHON]

    def _instead(self, name: str) -> str:
        mountable = name == "python3" and self.python
        return "\nor set `mount-kernel: ipykernel` beside `image` to use mlops-action's own" if mountable else ""


def looked_into(client: Any, config: Mapping[str, Any], mark: str, sockets: str) -> Contents:
    """Run a container that looks into its image.

    Args:
        client: of the engine.
        config: what the container is made with, but for its command.
        mark: a word that no kernelspec holds.
        sockets: the shared folder, in the container.

    Raises:
        EnvironmentProblem: it cannot be run.
    """
    from docker.errors import DockerException

    command = ["/bin/sh", "-c", _SCRIPT, "sh", mark, sockets]
    try:
        made = client.create_container(**config, entrypoint=command)["Id"]
        try:
            said, complaints = _output(client, made)
        finally:
            client.remove_container(made, force=True, v=True)
    except (DockerException, OSError) as error:
        why = explained(error)
        hint = "try it by hand: `docker run --rm --entrypoint /bin/sh IMAGE -c true`"
        if "bind source" in why:
            hint = "the engine must see the project and TMPDIR; one from a snap sees nothing outside of the home folder"
        raise EnvironmentProblem(f"no container of this image can be run: {why}", hint=hint) from None
    if f"{mark} end" not in said:
        last = complaints.strip()[-500:] or "it said nothing"
        raise EnvironmentProblem(
            f"a look into the image did not come to its end: {last}", hint="the image needs /bin/sh and `cat`"
        )
    return _contents(said, mark)


def _output(client: Any, container: str) -> tuple[str, str]:
    """Run a container to its end: its standard output and error."""
    stream = client.attach(container, stdout=True, stderr=True, stream=True, demux=True)
    try:
        client.start(container)
        pieces = list(stream)
    finally:
        hang_up(stream)
    out, err = (b"".join(piece[i] or b"" for piece in pieces).decode(errors="replace") for i in (0, 1))
    return out, err


def _contents(said: str, mark: str) -> Contents:
    specs: dict[str, KernelChoice] = {}
    python: dict[str, Any] = {}
    seen = ""
    for part in said.split(f"{mark} "):
        head, _, body = part.partition("\n")
        kind, _, value = head.partition(" ")
        if kind == "seen":
            seen = value.strip()
        elif kind == "spec":
            for choice in _choice(value, body):
                specs.setdefault(choice.name.lower(), choice)
        elif kind == "python":
            python = _json(body)
    return Contents(specs, python, seen)


def _choice(path: str, body: str) -> Iterator[KernelChoice]:
    """The kernel of one ``kernel.json``; nothing when it is broken."""
    interpreter, _, text = body.partition("\n")
    spec = _json(text)
    folder = path.removesuffix("/kernel.json")
    argv = spec.get("argv")
    if not isinstance(argv, list) or not argv:
        return
    command = [str(part) for part in argv]
    if command[0] in {"python", "python3"} and interpreter:
        command[0] = interpreter
    yield KernelChoice(
        name=folder.rpartition("/")[2],
        spec_dir=folder,
        language=str(spec.get("language", "")),
        argv=tuple(command),
        display_name=str(spec.get("display_name", "")),
        env={str(variable): str(value) for variable, value in dict(spec.get("env") or {}).items()},
        interrupt_mode=str(spec.get("interrupt_mode", "signal")),
    )


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
