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
        """A lock for each interpreter; what has no archive is told, not guessed."""
        count = max(1, len(part(manifest, "identity", "python")))
        locks = [lock_of_interpreter(manifest, number) for number in range(count)]
        names = [FILE, *(f"pylock.{number + 1}.toml" for number in range(1, count))]
        files = tuple(zip(names, (text for text, _ in locks), strict=True))
        missing = dict.fromkeys(each for _, lost in locks for each in lost)
        return Exported(tuple(reversed(files)), missing=tuple(missing))


def lock_of_interpreter(manifest: Json, number: int) -> tuple[bytes, list[str]]:
    """The lock of one recorded interpreter, and its packages whose archives nobody knows."""
    interpreter, place = (_at(part(manifest, kind, "python"), number) for kind in ("identity", "locator"))
    archives, origins = place.get("archives") or {}, place.get("origins") or {}
    lines = ['lock-version = "1.0"', f"requires-python = {_text(_wanted(interpreter))}", 'created-by = "mlops-action"']
    missing = []
    for each in interpreter.get("distributions", ()):
        source = [*_source(each, archives.get(each["name"]), origins.get(each["name"], ""))]
        head = ["", "[[packages]]", f"name = {_text(each['name'])}", f"version = {_text(str(each['version']))}"]
        lines += [*head, *source] if source else []
        why = f"{each['name']} {each.get('version', '')}: the archive that it was installed from is not known"
        missing += [] if source else [why]
    return ("\n".join(lines) + "\n").encode(), missing


def _at(listed: Json, number: int) -> Json:
    return listed[number] if number < len(listed) else {}


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
