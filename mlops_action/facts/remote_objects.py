"""Objects elsewhere, through fsspec: listed, described, read for their digest. Nothing is written there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from mlops_action.canonical import Json
from mlops_action.errors import DataUnavailable
from mlops_action.facts.urls import bare_url
from mlops_action.frozen import frozen

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure", "abfss": "azure"}
"""Which extra of ours brings the library for a scheme; ``remote`` for all others."""
MOST_OBJECTS = 1000
_BLOCK = 1 << 20
_MD5 = re.compile(r"[0-9a-f]{32}")
_MULTIPART = re.compile(r"[0-9a-f]{32}-[0-9]+")
_VERSION_KEYS = ("VersionId", "version_id", "generation")
_ETAG_KEYS = ("ETag", "etag", "e_tag")
_TIME_KEYS = ("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "created", "ino")


@frozen
class RemoteObject:
    """One object, as its store describes it."""

    store: Any
    path: str
    """As the store's library names it."""
    uri: str
    """Without user information and query."""
    info: Mapping[str, Any]

    @property
    def mark(self) -> str:
        """Changes when the object does, as far as its store can tell."""
        return repr([self.info.get(key) for key in ("size", *_VERSION_KEYS, *_ETAG_KEYS, *_TIME_KEYS)])

    @property
    def size(self) -> int | None:
        """Bytes, when the store tells."""
        size = self.info.get("size")
        return size if isinstance(size, int) and not isinstance(size, bool) else None

    @property
    def version(self) -> str:
        """Id of this version, where the store keeps versions."""
        return next((str(self.info[key]) for key in _VERSION_KEYS if self.info.get(key) not in {None, "null"}), "")

    @property
    def etag(self) -> str:
        """The entity tag as it was given, quotes aside."""
        return next((str(self.info[key]).replace('"', "") for key in _ETAG_KEYS if self.info.get(key)), "")

    def digests(self) -> tuple[str, str]:
        """Hex SHA-256 and MD5 of the content, which is read from end to end.

        Raises:
            DataUnavailable: it cannot be read.
        """
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with _told(self.uri), self.store.open(self.path, "rb", block_size=_BLOCK) as handle:
            while block := handle.read(_BLOCK):
                sha256.update(block)
                md5.update(block)
        return sha256.hexdigest(), md5.hexdigest()


def kind_of_etag(etag: str, md5: str = "") -> str:
    """What an entity tag is. Only ``md5`` says anything of the content, and only where the content was read.

    ``weak`` promises an equal meaning, ``multipart`` depends on how the object was uploaded,
    ``opaque`` is whatever the store made up.
    """
    if etag.startswith("W/"):
        return "weak"
    if _MULTIPART.fullmatch(etag):
        return "multipart"
    return "md5" if _MD5.fullmatch(etag) and etag == md5 else "opaque"


def objects_of(uri: str) -> list[RemoteObject]:
    """The objects that an address stands for, by name: itself, those that fit its pattern, or all in its folder.

    Raises:
        DataUnavailable: there is none, a library is missing, or the store refuses.
    """
    store, path = _store(uri)
    with _told(uri):
        names = _names(store, path)
        if len(names) > MOST_OBJECTS:
            raise DataUnavailable(f"it stands for {len(names)} objects; at most {MOST_OBJECTS} are recorded")
        return [_object(store, name, uri if name == path else store.unstrip_protocol(name)) for name in names]


def object_at(uri: str, version: str = "") -> RemoteObject:
    """The one object of an address, in a version where one is named.

    Raises:
        DataUnavailable: there is none, a library is missing, or the store refuses.
    """
    store, path = _store(f"{uri}?versionId={version}" if version and _scheme(uri) in {"s3", "s3a"} else uri)
    with _told(uri):
        return _object(store, path, uri)


def described(found: RemoteObject, md5: str = "") -> Json:
    """What its store says of an object, for a locator."""
    etag = {"value": found.etag, "kind": kind_of_etag(found.etag, md5)} if found.etag else None
    parts = {"uri": found.uri, "version-id": found.version, "etag": etag}
    return {key: value for key, value in parts.items() if value}


def _object(store: Any, path: str, uri: str) -> RemoteObject:
    info = store.info(path)
    if info.get("type") == "directory":
        raise DataUnavailable("it is a folder")
    return RemoteObject(store, path, bare_url(uri), info)


def _names(store: Any, path: str) -> list[str]:
    if any(sign in path for sign in "*[") and _lists(store):
        found = sorted(str(each) for each in store.glob(path) if not store.isdir(each))
    elif _lists(store) and store.isdir(path):
        found = sorted(str(each) for each in store.find(path))
    else:
        found = [path]
    if not found:
        raise DataUnavailable("there is no such object")
    return found


def _lists(store: Any) -> bool:
    """Whether folders can be listed: those of the web are guessed from links, and then wrong."""
    names = {store.protocol} if isinstance(store.protocol, str) else set(store.protocol)
    return not names & {"http", "https"}


def _store(uri: str) -> tuple[Any, str]:
    scheme = _scheme(uri)
    hint = f"pip install 'mlops-action[{EXTRAS.get(scheme, 'remote')}]'"
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise DataUnavailable(f"`fsspec` is not installed: {hint}") from None
    versions = {"version_aware": True} if EXTRAS.get(scheme) in {"s3", "gcs"} else {}
    try:
        with _told(uri):
            return url_to_fs(uri, skip_instance_cache=True, use_listings_cache=False, **versions)  # type: ignore[no-any-return]
    except ImportError as error:
        raise DataUnavailable(f"its library is not installed: {hint} ({error})") from None


def _scheme(uri: str) -> str:
    return urlsplit(uri).scheme.lower()


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Whatever a library raises, as one error: stores fail in ways of their own."""
    try:
        yield
    except (DataUnavailable, ImportError):
        raise
    except Exception as raised:  # noqa: BLE001  # of any of the libraries
        error = raised.__cause__ if isinstance(raised, FileNotFoundError) and raised.__cause__ else raised
        if isinstance(error, FileNotFoundError):
            raise DataUnavailable("there is no such object") from None
        said = " ".join(str(error).replace(uri, bare_url(uri)).split()) or type(error).__name__
        raise DataUnavailable(f"it cannot be read: {said[:300]}") from None
