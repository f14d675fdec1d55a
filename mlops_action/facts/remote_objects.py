"""Objects elsewhere, through fsspec: listed, described, read for their digest. Nothing is written there."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from mlops_action.canonical import Json
from mlops_action.errors import DataUnavailable
from mlops_action.facts.urls import bare_url
from mlops_action.frozen import frozen

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure", "abfss": "azure"}
"""Which extra of ours brings the library for a scheme; ``remote`` for all others."""
_VERSION_FORMS = {"s3": "{}?versionId={}", "gcs": "{}#{}", "azure": "{}?versionid={}"}
"""How the library of an extra is asked for one version."""
_LIBRARIES = ("s3fs", "gcsfs", "google", "adlfs", "azure")
_SILENT = logging.NullHandler()
MOST_OBJECTS = 1000
_BLOCK = 1 << 20
_MD5 = re.compile(r"[0-9a-f]{32}")
_MULTIPART = re.compile(r"[0-9a-f]{32}-[0-9]+")
_VERSION_KEYS = ("VersionId", "version_id", "generation")
_ETAG_KEYS = ("ETag", "etag", "e_tag")
_NO_OBJECT = "there is no such object"
_NO_ACCOUNT = (
    "no storage account is named: set AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT_NAME, "
    "or write abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH"
)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s'\"<>]+", re.IGNORECASE)
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
        return [_object(store, name, uri if name == path else _address(store, uri, name)) for name in names]


def object_at(uri: str, version: str = "") -> RemoteObject:
    """The one object of an address, in a version where one is named; as it is now when that version is gone.

    Google counts generations where no older one is kept, too: the current one may still have the content.

    Raises:
        DataUnavailable: there is none, a library is missing, or the store refuses.
    """
    form = _VERSION_FORMS.get(EXTRAS.get(_scheme(uri), ""))
    if not version or form is None:
        return _one(uri)
    try:
        return _one(form.format(uri, version))
    except DataUnavailable as error:
        if error.message != _NO_OBJECT:
            raise
    return _one(uri)


def _one(uri: str) -> RemoteObject:
    store, path = _store(uri)
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
        raise DataUnavailable(_NO_OBJECT)
    return found


def _address(store: Any, uri: str, name: str) -> str:
    """The address of a listed object: in the form of the declared one, whose account Azure's library forgets."""
    parts = urlsplit(uri)
    if EXTRAS.get(_scheme(uri)) != "azure":
        return str(store.unstrip_protocol(name))
    if "@" in parts.netloc:
        return parts._replace(path=f"/{name.partition('/')[2]}").geturl()
    container = name.partition("/")[0]
    return f"{parts.scheme}://{name if parts.netloc == container else f'{parts.netloc}/{name}'}"


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
    versions = {"version_aware": True} if scheme in EXTRAS else {}
    _quiet()
    try:
        with _told(uri):
            return url_to_fs(uri, skip_instance_cache=True, use_listings_cache=False, **versions)  # type: ignore[no-any-return]
    except ImportError as error:
        raise DataUnavailable(f"its library is not installed: {hint} ({error})") from None


def _quiet() -> None:
    """What the libraries log of failed attempts stays out of the terminal: the last one is told as the reason."""
    for name in _LIBRARIES:
        logging.getLogger(name).addHandler(_SILENT)


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
            raise DataUnavailable(_NO_OBJECT) from None
        raise DataUnavailable(f"it cannot be read: {_said(error, uri)[:300]}") from None


def _said(error: BaseException, uri: str) -> str:
    """A library's words without what the address keeps to itself, which it may have encoded anew."""
    said = str(error).replace(uri, bare_url(uri))
    if "Must provide either a connection_string or account_name" in said:
        return _NO_ACCOUNT
    query = urlsplit(uri).query
    for secret in (query, unquote(query)):
        said = said.replace(f"?{secret}", "") if secret else said
    return " ".join(_URL.sub(lambda found: bare_url(found[0]), said).split()) or type(error).__name__
