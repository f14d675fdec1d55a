"""Addresses without what only their owner may know."""

from __future__ import annotations

from urllib.parse import urlsplit


def bare_url(url: str) -> str:
    """``url`` without user information, query and fragment; ``git@host:path`` stays as it is.

    An address that cannot be taken apart is given up entirely.
    """
    if "://" not in url:
        user, at, place = url.rpartition("@")
        return url if not at or user == "git" else place
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
