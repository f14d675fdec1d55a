"""Logs of the UK AI Security Institute's Inspect (`.json`, and `.eval`, which is a zip of them)."""

from __future__ import annotations

import io
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import MAX_BYTES, Leaf, Readings, decoded
from mlops_action.metrics.json_text import parsed, value_of
from mlops_action.metrics.known_results import at, list_at, pointer
from mlops_action.records import Json, MetricReading

_HEADER = "header.json"
_ZSTD = 93
_DUMP = "`inspect log dump --header-only LOG > scores.json` writes what is needed"


class EvalFile:
    """Reads the header of a ``.eval`` log; its samples are not looked at."""

    def read(self, data: bytes, file: str) -> list[MetricReading]:
        """Read the scores, exactly; see ``MetricReader``.

        Raises:
            MetricUnreadable: no such log, not finished, or absurdly large.
        """
        root = parsed(decoded(_header(data, file), file), file)
        if not isinstance(root, Mapping) or at(root, "eval.task") is None:
            raise MetricUnreadable(f"{_HEADER} in it is not that of an Inspect log", origin=file)
        found = Readings()
        read_log(root, f"{file}#", found)
        return found.all


def _header(data: bytes, file: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise MetricUnreadable(
            f"the log has more than {MAX_BYTES} bytes",
            origin=file,
            hint=_DUMP,
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = archive.getinfo(_HEADER)
            if member.compress_type == _ZSTD and sys.version_info < (3, 14):
                return _unpacked(data, member, file)
            with archive.open(member) as handle:
                return handle.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, KeyError, EOFError, OSError, ValueError, zlib.error) as error:
        raise MetricUnreadable(
            f"not an Inspect log: {error.args[0] if error.args else error}",
            origin=file,
            hint="a log that did not end has no header yet",
        ) from None
    except (NotImplementedError, RuntimeError) as error:  # another compression, or a password
        raise MetricUnreadable(f"the log cannot be unpacked here: {error}", origin=file, hint=_DUMP) from None


def _unpacked(data: bytes, member: zipfile.ZipInfo, file: str) -> bytes:
    """The bytes of a member that is compressed by Zstandard, which Python's own zip files know from 3.14 on."""
    try:
        import pyarrow as pa
    except ImportError:
        raise MetricUnreadable(
            "the log is compressed by Zstandard, which this Python cannot unpack",
            origin=file,
            hint=f'install "mlops-action[data]", use Python 3.14, or: {_DUMP}',
        ) from None
    name, extra = (
        int.from_bytes(data[member.header_offset + at : member.header_offset + at + 2], "little") for at in (26, 28)
    )
    start = member.header_offset + 30 + name + extra
    packed = pa.py_buffer(data[start : start + member.compress_size])
    try:
        unpacked: bytes = pa.input_stream(packed, compression="zstd").read(MAX_BYTES + 1)
    except pa.ArrowException as error:
        raise zipfile.BadZipFile(str(error)) from None
    if zlib.crc32(unpacked) != member.CRC and len(unpacked) <= MAX_BYTES:
        raise zipfile.BadZipFile("the header is damaged")
    return unpacked


def read_log(root: Mapping[str, Json], where: str, found: Readings) -> None:
    """Add ``SCORE.METRIC`` for each score, and the sample counts.

    A score is called as its scorer unless that one gives several, which have names of their own. Where two scorers
    use one name it is ``SCORER.SCORE``; where there are several reducers, the reducer follows.

    Raises:
        MetricUnreadable: the evaluation did not succeed, or the same name twice.
    """
    status = at(root, "status")
    if status != "success":
        raise MetricUnreadable(
            f"the evaluation's status is `{str(status)[:40]}`, not `success`",
            origin=f"{where}/status",
            hint="numbers of an evaluation that did not end say nothing about the model; run it to its end",
        )
    invalidated = at(root, "invalidated")
    if invalidated is not None and invalidated is not False:
        raise MetricUnreadable("somebody invalidated the log", origin=f"{where}/invalidated")
    scores = list_at(root, "results.scores")
    for name, leaf in _scores(scores, where):
        origin = f"{where}{leaf.pointer}"
        found.add(name, value_of(leaf, origin), origin)
    for count in ("total_samples", "completed_samples"):
        value = at(root, f"results.{count}")
        if value is not None:
            origin = f"{where}/results/{count}"
            found.add(count, value_of(Leaf(count, value, f"/results/{count}"), origin), origin)


def _scores(scores: list[Json], where: str) -> Iterator[tuple[str, Leaf]]:
    for place, (name, score) in enumerate(zip(_names(scores), scores, strict=True)):
        for count in ("scored_samples", "unscored_samples"):
            if at(score, count) is not None:
                yield f"{name}.{count}", Leaf(count, at(score, count), pointer("results", "scores", place, count))
        metrics = at(score, "metrics")
        for key, metric in metrics.items() if isinstance(metrics, Mapping) else ():
            if not key:
                raise MetricUnreadable("a metric has no name", origin=f"{where}/results/scores/{place}")
            place_in = pointer("results", "scores", place, "metrics", key, "value")
            yield f"{name}.{key}", Leaf(key, at(metric, "value"), place_in)


def _names(scores: list[Json]) -> list[str]:
    """What each score is called; two scorers that judge by the same aspects give their scores the same names."""
    plain = [(str(at(score, "name")), str(at(score, "scorer"))) for score in scores]
    scorers = Counter(name for name, _ in set(plain))
    names = [f"{scorer}.{name}" if scorers[name] > 1 else name for name, scorer in plain]
    reducers = [at(score, "reducer") for score in scores]
    times = Counter(names)
    return [
        f"{name}.{reducer}" if times[name] > 1 and isinstance(reducer, str) else name
        for name, reducer in zip(names, reducers, strict=True)
    ]
