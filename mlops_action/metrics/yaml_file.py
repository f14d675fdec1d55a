"""Metrics from YAML, read by the rules of YAML 1.2 as `mlops.yaml` is; DVC writes such files."""

from __future__ import annotations

from mlops_action.config.yaml_source import MAX_BYTES, parse_yaml
from mlops_action.errors import MetricUnreadable, YamlError
from mlops_action.metrics.collect import decoded
from mlops_action.metrics.plain_data import readings_of
from mlops_action.records import MetricReading

_EXAMPLE = "write a mapping such as `accuracy: 0.95`"


class YamlFile:
    """Reads ``test: {loss: 0.1}`` as ``test.loss``."""

    def read(self, data: bytes, file: str) -> list[MetricReading]:
        """Read all numbers, exactly; see ``MetricReader``.

        Raises:
            MetricUnreadable: not YAML, no mapping, the same name twice, or absurdly large.
        """
        text = decoded(data, file)
        if len(data) > MAX_BYTES:
            raise MetricUnreadable(
                f"the file has more than {MAX_BYTES} bytes; as YAML no more are read",
                origin=file,
                hint="write the numbers that are to be judged to a file of their own, or write JSON",
            )
        try:
            located = parse_yaml(text, file)
        except YamlError as error:
            said = error.message.replace("a number of", "a number that is too long or too large to be meant: of")
            raise MetricUnreadable(said, origin=error.origin, hint=error.hint or _EXAMPLE) from None
        return readings_of(located.data, file, _EXAMPLE)
