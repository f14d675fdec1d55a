"""Signatures with a local key: a DSSE envelope around the in-toto statement of a manifest."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_action.canonical import Json, canonical_bytes, sha256_bytes
from mlops_action.errors import BadDocument, EnvironmentProblem, ToolMissing
from mlops_action.formats.intoto import PAYLOAD_TYPE, statement
from mlops_action.manifests.findings import Finding, Is
from mlops_action.manifests.read import Document, strict_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

KIND = "signature"


def sign(document: Document, key: Path, password: bytes | None = None) -> Json:
    """The envelope: the statement around ``document``, signed with the private key in the PEM file ``key``.

    Raises:
        EnvironmentProblem: the key cannot be used.
        ToolMissing: the extra `sign` is not installed.
    """
    payload = canonical_bytes(statement(document.value))
    private = _private(key, password)
    signature = _signed(private, encoded(PAYLOAD_TYPE, payload))
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key_id(private.public_key()), "sig": base64.b64encode(signature).decode()}],
    }


def check_signature(document: Document, path: Path, key: Path) -> Finding:
    """Whether the envelope at ``path`` is of this key and around this manifest.

    Raises:
        EnvironmentProblem: the key cannot be used.
        ToolMissing: the extra `sign` is not installed.
    """
    public = _public(key)
    try:
        envelope = json.loads(path.read_bytes())
        payload = base64.b64decode(envelope["payload"], validate=True)
        told, signatures = envelope["payloadType"], [base64.b64decode(each["sig"]) for each in envelope["signatures"]]
        predicate = strict_json(payload).get("predicate")
    except FileNotFoundError:
        return Finding(KIND, path.name, Is.MISSING, "a key was named, and nothing is signed")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        return Finding(KIND, path.name, Is.ALTERED, f"no envelope that can be read: {error}")
    if told != PAYLOAD_TYPE or not any(_verified(public, each, encoded(told, payload)) for each in signatures):
        return Finding(KIND, path.name, Is.ALTERED, f"not a signature of the key {key_id(public)}")
    if canonical_bytes(predicate) != canonical_bytes(document.value):
        return Finding(KIND, path.name, Is.ALTERED, "it was given to another manifest")
    return Finding(KIND, path.name, Is.RIGHT, f"of the key {key_id(public)}")


def encoded(kind: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)


def key_id(public: Any) -> str:
    """Hex SHA-256 of the key's DER form (SubjectPublicKeyInfo)."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return sha256_bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _private(key: Path, password: bytes | None) -> PrivateKeyTypes:
    data = _bytes(key)
    _needed()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(data, password)
    except (ValueError, TypeError) as error:
        raise EnvironmentProblem(f"no private key in PEM form: {error}", origin=str(key)) from error


def _public(key: Path) -> PublicKeyTypes:
    data = _bytes(key)
    _needed()
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return load_pem_public_key(data)
    except ValueError as error:
        raise EnvironmentProblem(f"no public key in PEM form: {error}", origin=str(key)) from error


def _bytes(key: Path) -> bytes:
    try:
        return key.read_bytes()
    except OSError as error:
        raise EnvironmentProblem(f"the key cannot be read: {error.strerror}", origin=str(key)) from error


def _needed() -> None:
    try:
        import cryptography as _  # noqa: F401
    except ImportError:
        raise ToolMissing("signing needs `cryptography`", hint="pip install 'mlops-action[sign]'") from None


def _signed(private: Any, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.hashes import SHA256

    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(data)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(data, ec.ECDSA(SHA256()))
    raise EnvironmentProblem("the key is neither Ed25519 nor ECDSA", hint="openssl genpkey -algorithm ed25519")


def _verified(public: Any, signature: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, data)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, data, ec.ECDSA(SHA256()))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def envelope_bytes(envelope: Json) -> bytes:
    """The bytes of ``manifest.dsse.json``."""
    if "payload" not in envelope:
        raise BadDocument("no envelope")
    return canonical_bytes(envelope) + b"\n"
