"""Files that stand for data elsewhere: pointers of DVC and of Git LFS."""

from __future__ import annotations

import re
from pathlib import Path

from mlops_action.canonical import Json

_LFS = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-.*\n)*oid sha256:([0-9a-f]{64})\nsize (\d+)\n"
)
_OUT_KEYS = ("path", "md5", "size", "nfiles", "hash")
_LONGEST = 64 * 1024


def pointer_at(path: Path) -> Json:
    """What a pointer file promises, or None when the file is none.

    ``kind`` is ``dvc`` or ``lfs``; digests are named by their algorithm. DVC's are MD5, of a folder with the
    ending ``.dir``.
    """
    data = _small(path)
    if path.suffix == ".dvc":
        return _dvc(data)
    found = _LFS.fullmatch(data)
    return {"kind": "lfs", "sha256": found[1].decode(), "size": int(found[2])} if found else None


def pointer_for(path: Path) -> Json:
    """The DVC pointer that lies beside a file or folder that is not here."""
    beside = path.with_name(path.name + ".dvc")
    return pointer_at(beside) if beside.is_file() else None


def _small(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.stat().st_size <= _LONGEST else b""
    except OSError:
        return b""


def _dvc(data: bytes) -> Json:
    import yaml

    try:
        outs = yaml.load(data, Loader=yaml.BaseLoader)["outs"]  # noqa: S506  # texts only: a digest is no number
        listed = [{key: out[key] for key in _OUT_KEYS if key in out} for out in outs]
        listed = [out | {key: int(out[key]) for key in ("size", "nfiles") if key in out} for out in listed]
    except (yaml.YAMLError, TypeError, KeyError, ValueError):
        return None
    return {"kind": "dvc", "outs": listed}
