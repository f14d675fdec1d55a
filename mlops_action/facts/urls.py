"""Addresses without what only their owner may know."""

from __future__ import annotations

from urllib.parse import urlsplit

_CONTAINER_FIRST = frozenset({"az", "abfs", "abfss"})
"""Schemes where the container stands before ``@``: ``abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH``."""


def bare_url(url: str) -> str:
    """``url`` without user information, query and fragment; ``git@host:path`` stays as it is.

    A container of Azure is part of the place, though it stands where others have a user.
    An address that cannot be taken apart is given up entirely.
    """
    if "://" not in url:
        user, at, place = url.rpartition("@")
        return url if not at or user == "git" else place
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    user, _, host = parts.netloc.rpartition("@")
    container = user.partition(":")[0] if parts.scheme in _CONTAINER_FIRST else ""
    return parts._replace(netloc=f"{container}@{host}" if container else host, query="", fragment="").geturl()
