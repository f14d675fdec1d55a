"""Archives of the recorded packages, looked up in a lock file of the project."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator
from pathlib import Path

from mlops_action.canonical import Json
from mlops_action.errors import BadDocument
from mlops_action.facts.distributions import normalised

LOCKS = ("pylock.toml", "uv.lock")


def with_archives(manifest: Json, lock: Path) -> Json:
    """A copy of the manifest that knows the archives that ``lock`` names, for the recorded versions.

    Raises:
        BadDocument: the file is no lock.
    """
    try:
        listed = tomllib.loads(lock.read_text("utf-8"))
        known = {(normalised(each["name"]), each.get("version")): _archives(each) for each in _packages(listed)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadDocument(f"not a uv.lock or pylock.toml that can be read: {error}", origin=str(lock)) from error
    changed = copy.deepcopy(manifest)
    places = changed["locator"].setdefault("python", [{} for _ in changed["identity"].get("python", ())])
    for interpreter, place in zip(changed["identity"].get("python", ()), places, strict=False):
        pairs = ((each["name"], known.get((each["name"], each["version"]))) for each in interpreter["distributions"])
        place["archives"] = {name: archives for name, archives in pairs if archives}
    return changed


def lock_of(root: Path) -> Path | None:
    """The project's own lock file."""
    return next((root / name for name in LOCKS if (root / name).is_file()), None)


def _packages(listed: Json) -> Iterator[Json]:
    yield from listed.get("packages") or listed.get("package") or ()


def _archives(package: Json) -> Json:
    wheels = [found for found in map(_archive, package.get("wheels") or ()) if found]
    sdist = _archive(package.get("sdist") or {})
    return ({"wheels": wheels} if wheels else {}) | ({"sdist": sdist} if sdist else {})


def _archive(item: Json) -> Json:
    digest = (item.get("hashes") or {}).get("sha256") or str(item.get("hash", "")).removeprefix("sha256:")
    if not item.get("url") or not digest:
        return None
    return {"url": item["url"], "sha256": digest} | ({"size": item["size"]} if item.get("size") else {})
