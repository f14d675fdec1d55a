"""The contract of a store."""

from __future__ import annotations

from typing import Protocol


class Store(Protocol):
    """Keeps the files of one run.

    Laws: a file is whole or absent; no secret value is in any file; a run never sees the
    files of the run before it.
    """

    def begin(self) -> None:
        """Remove what an earlier run left, so that no stale result can be taken for a new one."""

    def write(self, name: str, data: bytes) -> str:
        """Keep ``data`` under ``name`` and tell where.

        Raises:
            WriteFailed: no space or no permission.
            SecretFound: the bytes hold a secret value.
        """

    def write_text(self, name: str, text: str) -> str:
        """Like ``write``, with secret values masked first: for what notebooks wrote."""
