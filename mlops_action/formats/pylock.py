"""The recorded Python environment as ``pylock.toml`` (PEP 751), as far as it can be installed again."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlops_action.canonical import Json
from mlops_action.formats.interface import Exported
from mlops_action.formats.recorded import part

FILE = "pylock.toml"


class PyLock:
    """``pylock.toml``.

    An installed package does not know the archive that it came from. Archives are taken from
    ``locator/python/*/archives``, which `export --lock` and `reproduce` fill from a lock file.
    """

    def render(self, manifest: Json) -> Exported:
        """The lock of the first interpreter; what has no archive is told, not guessed."""
        interpreters = part(manifest, "identity", "python") or [{}]
        places = part(manifest, "locator", "python") or [{}]
        archives = places[0].get("archives") or {}
        origins = places[0].get("origins") or {}
        lines = [
            'lock-version = "1.0"',
            f"requires-python = {_text(_wanted(interpreters[0]))}",
            'created-by = "mlops-action"',
        ]
        missing = []
        for each in interpreters[0].get("distributions", ()):
            source = [*_source(each, archives.get(each["name"]), origins.get(each["name"], ""))]
            if source:
                head = ["", "[[packages]]", f"name = {_text(each['name'])}", f"version = {_text(str(each['version']))}"]
                lines += [*head, *source]
            else:
                missing.append(
                    f"{each['name']} {each.get('version', '')}: the archive that it was installed from is not known"
                )
        return Exported(((FILE, ("\n".join(lines) + "\n").encode()),), missing=tuple(missing))


def _wanted(interpreter: Json) -> str:
    """The same minor version of Python."""
    parts = str(interpreter.get("version", "3.11")).split(".")[:2]
    return f"=={'.'.join(parts)}.*"


def _source(each: Json, archives: Json, origin: str) -> Iterator[str]:
    if each.get("commit") and origin.startswith(("https://", "ssh://", "git+")):
        url, commit = _text(origin.removeprefix("git+")), _text(each["commit"])
        yield f'vcs = {{ type = "git", url = {url}, commit-id = {commit} }}'
        return
    wheels = [_archive(item) for item in (archives or {}).get("wheels", ())]
    if wheels:
        yield "wheels = [\n" + "".join(f"  {wheel},\n" for wheel in wheels) + "]"
    if (archives or {}).get("sdist"):
        yield f"sdist = {_archive(archives['sdist'])}"


def _archive(item: Json) -> str:
    size = f", size = {int(item['size'])}" if item.get("size") else ""
    return f"{{ url = {_text(item['url'])}{size}, hashes = {{ sha256 = {_text(item['sha256'])} }} }}"


def _text(text: str) -> str:
    """A basic string of TOML; JSON's escapes are among its own."""
    return json.dumps(text).replace("\x7f", "\\u007f")
