"""Secrets: found by the name of their variable, removed by their value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mlops_action.errors import SecretFound

MASK = "***"
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRETS?|CREDENTIALS?|CONNECTION_STRING|APIKEY|KEY|PAT|DSN|AUTH)(?:_|$)",
    re.IGNORECASE,
)
_URL_USER = re.compile(
    r"(?<=[a-z0-9+.-])://(?:(?<!\baz://)(?<!\babfs://)(?<!\babfss://)|(?=[^/\s@]*:))[^/\s@\"'<>\\]+@", re.IGNORECASE
)
"""Starts at the colon, which is rare: a pattern for the scheme would look at a long text again and again.

In addresses of Azure the container stands before ``@``; only with a password after it, it is somebody's name.
"""
_SCHEME_END = re.compile(":(?=//)")
"""Found sooner than the three characters in a row."""
_PASSWORD = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")
_KEY_OF_CONNECTION = re.compile(r"(?:AccountKey|SharedAccessKey|SharedAccessSignature)=([^;]+)")
"""In a connection string of Azure. Its libraries also name the key alone."""
_TOKENS = {
    "ghp_": r"ghp_[A-Za-z0-9]{36,}",
    "gho_": r"gho_[A-Za-z0-9]{36,}",
    "ghu_": r"ghu_[A-Za-z0-9]{36,}",
    "ghs_": r"ghs_[A-Za-z0-9]{36,}",
    "ghr_": r"ghr_[A-Za-z0-9]{36,}",
    "github_pat_": r"github_pat_[A-Za-z0-9_]{36,}",
    "glpat-": r"glpat-[A-Za-z0-9_-]{20,}",
    "AKIA": r"AKIA(?<![A-Za-z0-9]AKIA)[0-9A-Z]{16}(?![A-Za-z0-9])",
    "ASIA": r"ASIA(?<![A-Za-z0-9]ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])",
    "AIza": r"AIza(?<![A-Za-z0-9]AIza)[0-9A-Za-z_-]{35}",
    "xox": r"xox(?<![A-Za-z0-9]xox)[abeprs]-[A-Za-z0-9-]{10,}",
    "hf_": r"hf_(?<![A-Za-z0-9_]hf_)[A-Za-z0-9]{30,}",
    "sk-": r"sk-(?<![A-Za-z0-9_-]sk-)[A-Za-z0-9_-]{32,}",
    "npm_": r"npm_(?<![A-Za-z0-9_]npm_)[A-Za-z0-9]{36}",
    "pypi-Ag": r"pypi-Ag[A-Za-z0-9_-]{50,}",
    "dckr_pat_": r"dckr_pat_[A-Za-z0-9_-]{20,}",
    "eyJ": r"eyJ(?<![A-Za-z0-9_-]eyJ)[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    "PRIVATE KEY-----": r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[A-Za-z0-9+/=\s\\:,-]{40,8000}",
    "AccountKey=": r"AccountKey=[A-Za-z0-9+/]{86}==",
    "SharedAccessSignature=": r"SharedAccessSignature=[^\s;\"'<>\\]{0,400}sig=[A-Za-z0-9%/+]{20,}",
    "earer ": r"(?<=[Bb]earer )[A-Za-z0-9._~+/-]{20,}=*",
}
"""Forms that nothing but a credential has, by a part that is in each: texts without it are not searched.

Most begin with their letters and look behind them after that: a search that begins with a look behind stops at
every character.
"""
_PATTERNS = {part: re.compile(pattern) for part, pattern in _TOKENS.items()}
_RARE = "_-JAx"
"""Characters that text has few of. Nearly every part has one, and a search leaps from one to the next."""


def _hints() -> Iterator[re.Pattern[str]]:
    """Searches that find something in every text that holds a part."""
    left = list(_PATTERNS)
    for rare in _RARE:
        split = [part.partition(rare) for part in left if rare in part]
        around = "|".join(f"(?<={before}{rare})(?={after})" for before, _, after in split)
        yield re.compile(f"{rare}(?:{around})")
        left = [part for part in left if rare not in part]
    yield from map(re.compile, left)


_HINTS = tuple(_hints())
_TELLING = ("token", "password", "passwd", "secret", "api[-_]?key", "access[-_]?key", "signature", "credential", "sig")
_ENDS = tuple(name.rpartition("?")[2] for name in _TELLING)
_OPTION = re.compile(
    rf"=(?<=[{''.join(end[-1] for end in _ENDS)}]=)(?:{'|'.join(f'(?<={end}=)' for end in _ENDS)})"
    r"(?!\*\*\*)(?=[^\s&\"'<>\\]{6})",
    re.IGNORECASE,
)
"""What may be between a telling name and its value, in a command line or in the query of an address."""
_OPTION_NAME = re.compile(
    rf"(?:[?&\s\"']|\A)-{{0,2}}(?:[A-Za-z0-9]+[-_])*(?:{'|'.join(_TELLING)})\Z",
    re.IGNORECASE,
)
_OPTION_VALUE = re.compile(r"[^\s&\"'<>\\]*")
_LONGEST_NAME = 128
"""Of a longer name only the end is looked at."""
SHORTEST = 6
"""A shorter value is not searched for: it would mask ordinary words."""


def is_secret_name(name: str) -> bool:
    """Whether a variable or parameter of this name holds a secret (``DB_PASSWORD``, ``api-key``)."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.replace("-", "_").replace(".", "_"))
    return _SECRET_NAME.search(snake) is not None


def strip_user_info(text: str) -> str:
    """``https://user:token@host/x`` without its user information."""
    return _URL_USER.sub("://", text) if _SCHEME_END.search(text) else text


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


def secret_values(named: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Of named values those whose name says that they are secret, and the keys and passwords inside them."""
    for name, value in named:
        if is_secret_name(name):
            yield value
            yield from _KEY_OF_CONNECTION.findall(value)
        elif "://" in value and "@" in value:
            yield from _PASSWORD.findall(value)


def secret_arguments(command: Sequence[str]) -> Iterable[str]:
    """Values in a command line whose option says that they are secret: ``--token VALUE``, ``--token=VALUE``."""
    for argument, following in zip(command, (*command[1:], ""), strict=False):
        name, equals, value = argument.partition("=")
        if name.startswith("-") and is_secret_name(name.lstrip("-")):
            yield value if equals else following


def _hinted(text: str) -> list[re.Pattern[str]]:
    """The forms whose part is in the text."""
    if not any(hint.search(text) for hint in _HINTS):
        return []
    return [pattern for part, pattern in _PATTERNS.items() if part in text]


def _holds_credential(data: bytes) -> bool:
    """Whether the bytes hold a credential by its form, in whatever kind of file."""
    text = data.decode("latin-1")
    return any(pattern.search(text) for pattern in _hinted(text))


def mask_credentials(text: str) -> str:
    """``text`` without what has the form of a credential, whoever it belongs to."""
    for pattern in _hinted(text):
        text = pattern.sub(MASK, text)
    return _mask_options(text) if "=" in text and ("--" in text or "://" in text) else text


def _mask_options(text: str) -> str:
    """Mask the value after each telling name."""
    shown, done, at = [], 0, 0
    while found := _OPTION.search(text, at):
        name, at = text[max(0, found.start() - _LONGEST_NAME) : found.start()], found.end()
        value = _OPTION_VALUE.match(text, at) if _OPTION_NAME.search(name) else None
        if value is not None:
            shown += [text[done:at], MASK]
            done = at = value.end()
    return "".join([*shown, text[done:]])


class Redactor:
    """Knows the values that must not be written anywhere."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Take the secret values; those shorter than ``SHORTEST`` are not usable as one."""
        self._given: set[str] = set()
        self._values: list[str] = []
        self.learn(secrets)

    @property
    def given(self) -> tuple[str, ...]:
        """The secrets as they are, for CI systems that mask them themselves."""
        return tuple(sorted(each for each in self._given if len(each.strip()) >= SHORTEST))

    def learn(self, secrets: Iterable[str]) -> None:
        """Know further secret values, which were found later."""
        new = set(secrets) - self._given
        if not new:
            return
        self._given |= new
        given = self._given
        parts = {line for secret in given for line in secret.splitlines()}  # logs and notebooks hold single lines
        plain = {secret.strip() for secret in given | parts if len(secret.strip()) >= SHORTEST}
        self._values = sorted({spelled for secret in plain for spelled in _spellings(secret)}, key=len, reverse=True)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Redactor:
        """Collect the values of all variables whose name says that they are secret."""
        return cls(secret_values(environment.items()))

    @property
    def values(self) -> tuple[str, ...]:
        """The secret values, their lines and their spellings in JSON and source code, longest first."""
        return tuple(self._values)

    def text(self, text: str) -> str:
        """``text`` with every secret value, whatever has the form of a credential, and URL user information masked."""
        for value in self._values:
            text = text.replace(value, MASK)
        return strip_user_info(mask_credentials(text))

    def refuse(self, data: bytes, where: str) -> None:
        """Scan the final bytes of a file.

        Raises:
            SecretFound: a secret value is still in them.
        """
        found = any(value.encode(errors="surrogateescape") in data for value in self._values)
        if found or _holds_credential(data):
            what = "the value of a secret environment variable" if found else "what has the form of a credential"
            raise SecretFound(
                f"{where} would hold {what}; it was not written",
                origin=where,
                hint="do not print secrets or use them as names or parameters",
            )
