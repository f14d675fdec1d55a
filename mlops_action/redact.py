"""Secrets: found by the name of their variable, removed by their value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from mlops_action.errors import SecretFound

MASK = "***"
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRETS?|CREDENTIALS?|APIKEY|KEY|PAT|DSN|AUTH)(?:_|$)", re.IGNORECASE
)
_URL_USER = re.compile(r"(?<=[a-z0-9+.-])://[^/\s@\"'<>\\]+@", re.IGNORECASE)
"""Starts at the colon, which is rare: a pattern for the scheme would look at a long text again and again."""
SHORTEST = 6
"""A shorter value is not searched for: it would mask ordinary words."""


def is_secret_name(name: str) -> bool:
    """Whether a variable or parameter of this name holds a secret (``DB_PASSWORD``, ``api-key``)."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.replace("-", "_").replace(".", "_"))
    return _SECRET_NAME.search(snake) is not None


def strip_user_info(text: str) -> str:
    """``https://user:token@host/x`` without its user information."""
    return _URL_USER.sub("://", text) if "://" in text else text


def _literals(secret: str) -> set[str]:
    """As the cell of parameters may write it in any language."""
    escaped = json.dumps(secret, ensure_ascii=False)[1:-1]
    ascii_only = "".join(char if char < "\x7f" else _code_point(char) for char in escaped)
    shown = {repr(secret)[1:-1], escaped, ascii_only, json.dumps(secret)[1:-1]}
    shown |= {each.replace("$", "\\$") for each in shown}
    return shown | {secret.replace("'", quote) for quote in ("''", "'\"'\"'")}


def _code_point(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def _spellings(secret: str) -> set[str]:
    """As it is and in the literals of the languages, each also in JSON with and without ASCII escapes."""
    shown = {secret, *_literals(secret)}
    return shown | {json.dumps(each, ensure_ascii=escaped)[1:-1] for each in shown for escaped in (True, False)}


class Redactor:
    """Knows the values that must not be written anywhere."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Take the secret values; those shorter than ``SHORTEST`` are not usable as one."""
        given = set(secrets)
        self.given = tuple(sorted(each for each in given if len(each.strip()) >= SHORTEST))
        """The secrets as they are, for CI systems that mask them themselves."""
        parts = {line for secret in given for line in secret.splitlines()}  # logs and notebooks hold single lines
        plain = {secret.strip() for secret in given | parts if len(secret.strip()) >= SHORTEST}
        self._values = sorted({spelled for secret in plain for spelled in _spellings(secret)}, key=len, reverse=True)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Redactor:
        """Collect the values of all variables whose name says that they are secret."""
        return cls(value for name, value in environment.items() if is_secret_name(name))

    @property
    def values(self) -> tuple[str, ...]:
        """The secret values, their lines and their spellings in JSON and source code, longest first."""
        return tuple(self._values)

    def text(self, text: str) -> str:
        """``text`` with every secret value and URL user information masked."""
        for value in self._values:
            text = text.replace(value, MASK)
        return strip_user_info(text)

    def refuse(self, data: bytes, where: str) -> None:
        """Scan the final bytes of a file.

        Raises:
            SecretFound: a secret value is still in them.
        """
        if any(value.encode(errors="surrogateescape") in data for value in self._values):
            raise SecretFound(
                f"{where} would hold the value of a secret environment variable; it was not written",
                origin=where,
                hint="do not print secrets or use them as names or parameters",
            )
