"""Signatures by a local key: made here, verified here and by others."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from acceptance.scratch import clean_env, tool
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from manifest_project import project, record
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from mlops_action.canonical import canonical_bytes
from mlops_action.errors import EnvironmentProblem
from mlops_action.manifests.findings import Is
from mlops_action.manifests.read import Document, read_manifest
from mlops_action.manifests.signing import check_signature, encoded, envelope_bytes, sign

KEYS = {"ed25519": ed25519.Ed25519PrivateKey.generate, "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1())}


def pair(folder: Path, private: Any) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    (folder / "private.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    return folder / "private.pem", folder / "public.pem"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    return read_manifest(record(project(tmp_path_factory.mktemp("sign") / "project")))


def enveloped(document: Document, key: Path, folder: Path) -> tuple[Path, Any]:
    envelope = sign(document, key)
    path = folder / "manifest.dsse.json"
    path.write_bytes(envelope_bytes(envelope))
    return path, envelope


@pytest.mark.parametrize("kind", KEYS)
def test_a_signature_is_verified_with_the_public_key(document: Document, tmp_path: Path, kind: str) -> None:
    private, public = pair(tmp_path / "keys", KEYS[kind]())
    path, _ = enveloped(document, private, tmp_path)
    assert check_signature(document, path, public).state is Is.RIGHT


@pytest.mark.parametrize("kind", KEYS)
def test_securesystemslib_verifies_the_envelope(document: Document, tmp_path: Path, kind: str) -> None:
    key = KEYS[kind]()
    private, _ = pair(tmp_path / "keys", key)
    _, envelope = enveloped(document, private, tmp_path)
    theirs = Envelope.from_dict(copy.deepcopy(envelope))
    public = SSlibKey.from_crypto(key.public_key(), keyid=envelope["signatures"][0]["keyid"])
    assert set(theirs.verify([public], 1)) == {public.keyid}
    assert json.loads(theirs.payload)["predicate"] == document.value


def test_openssl_verifies_the_signature_over_the_encoding_of_dsse(document: Document, tmp_path: Path) -> None:
    private, public = pair(tmp_path / "keys", KEYS["ed25519"]())
    _, envelope = enveloped(document, private, tmp_path)
    payload = base64.b64decode(envelope["payload"])
    (tmp_path / "signed").write_bytes(encoded(envelope["payloadType"], payload))
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        public,
        "-rawin",
        "-in",
        "signed",
        "-sigfile",
        "sig",
    ]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0


def test_another_key_does_not_verify(document: Document, tmp_path: Path) -> None:
    private, _ = pair(tmp_path / "keys", KEYS["ed25519"]())
    _, other = pair(tmp_path / "others", KEYS["ed25519"]())
    path, _ = enveloped(document, private, tmp_path)
    assert check_signature(document, path, other).state is Is.ALTERED


def test_a_signature_of_another_manifest_does_not_verify(document: Document, tmp_path: Path) -> None:
    private, public = pair(tmp_path / "keys", KEYS["ed25519"]())
    path, _ = enveloped(document, private, tmp_path)
    other = Document(document.path, document.data, document.value | {"results": {}})
    assert "another manifest" in check_signature(other, path, public).why


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"payload": "!", "payloadType": "x", "signatures": [{"sig": "A"}]}']
)
def test_what_is_no_envelope_does_not_verify(document: Document, tmp_path: Path, data: bytes) -> None:
    _, public = pair(tmp_path / "keys", KEYS["ed25519"]())
    (tmp_path / "manifest.dsse.json").write_bytes(data)
    assert check_signature(document, tmp_path / "manifest.dsse.json", public).state is Is.ALTERED


def test_a_key_of_another_kind_is_refused_with_a_remedy(document: Document, tmp_path: Path) -> None:
    private, _ = pair(tmp_path / "keys", rsa.generate_private_key(65537, 2048))
    with pytest.raises(EnvironmentProblem, match="neither Ed25519 nor ECDSA"):
        sign(document, private)


def test_a_manifest_that_must_be_signed_and_is_not_fails(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    record(root)
    private, public = pair(tmp_path / "keys", KEYS["ed25519"]())
    env = clean_env(tmp_path / "home")
    assert tool(root, ["manifest", "verify", "--key", str(public)], env).code == 1
    ended = tool(root, ["manifest", "sign", "--key", str(private)], env)
    assert ended.code == 0, ended.text
    assert tool(root, ["manifest", "verify", "--key", str(public)], env).code == 0
    manifest = json.loads((root / "mlops-out/manifest.json").read_bytes())
    manifest["observation"]["started"] = "2020-01-01T00:00:00Z"
    manifest["parts"] = {}
    (root / "mlops-out/manifest.json").write_bytes(canonical_bytes(manifest) + b"\n")
    ended = tool(root, ["manifest", "verify", "--key", str(public)], env)
    assert ended.code == 1
    assert "another manifest" in ended.text
