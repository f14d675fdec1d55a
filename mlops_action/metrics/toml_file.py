"""Metrics from TOML."""

from __future__ import annotations

import re
import tomllib

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Written, decoded
from mlops_action.metrics.plain_data import readings_of
from mlops_action.records import MetricReading

_EXAMPLE = "write keys such as `accuracy = 0.95`"
_TWICE = ("Cannot overwrite a value", "Cannot declare", "twice")
_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


class TomlFile:
    """Reads ``[test]`` with ``loss = 0.1`` as ``test.loss``."""

    def read(self, data: bytes, file: str) -> list[MetricReading]:
        """Read all numbers, exactly; see ``MetricReader``.

        Raises:
            MetricUnreadable: not TOML, a key that is there twice, or absurdly large.
        """
        text = decoded(data, file).replace("\r\n", "\n")
        try:
            root = tomllib.loads(text, parse_float=Written)
        except tomllib.TOMLDecodeError as error:
            said = str(error)
            place = _PLACE.search(said)
            origin = f"{file}:{place[1]}:{place[2]}" if place else file
            if said.startswith(_TWICE):
                raise MetricUnreadable("a key is there twice", origin=origin, hint="remove one of the two") from None
            raise MetricUnreadable(f"not TOML: {_PLACE.sub('', said).strip()}", origin=origin, hint=_EXAMPLE) from None
        except (RecursionError, ValueError) as error:  # nested absurdly deep; an integer of thousands of digits
            raise MetricUnreadable(f"a value is too long or too large to be meant: {error}", origin=file) from None
        return readings_of(root, file, _EXAMPLE)
