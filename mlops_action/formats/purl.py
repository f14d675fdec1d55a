"""Package URLs of the recorded distributions."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from mlops_action.canonical import Json
from mlops_action.formats.recorded import part


def package_urls(manifest: Json) -> Iterator[tuple[Json, str]]:
    """Each recorded distribution once, with its package URL."""
    seen = set()
    for interpreter in part(manifest, "identity", "python") or ():
        for each in interpreter.get("distributions", ()):
            url = f"pkg:pypi/{quote(each['name'])}@{quote(str(each.get('version', '')))}"
            if url not in seen:
                seen.add(url)
                yield each, url
