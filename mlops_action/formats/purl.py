"""Package URLs of the recorded distributions."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from mlops_action.canonical import Json
from mlops_action.formats.recorded import part


def package_urls(manifest: Json) -> Iterator[tuple[Json, str]]:
    """Each recorded distribution of Python and each package of R once, with its package URL; R's own are part of it."""
    seen = set()
    for interpreter in part(manifest, "identity", "python") or ():
        for each in interpreter.get("distributions", ()):
            url = f"pkg:pypi/{quote(each['name'])}@{quote(str(each.get('version', '')))}"
            if url not in seen:
                seen.add(url)
                yield each, url
    for r in part(manifest, "identity", "r") or ():
        for each in r.get("packages", ()):
            url = f"pkg:cran/{quote(each['name'])}@{quote(str(each.get('version', '')))}"
            if url not in seen and each.get("source") != "R":
                seen.add(url)
                yield each, url
