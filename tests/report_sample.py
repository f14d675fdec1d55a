"""A run with everything that a report can tell, and texts that try to break out of it."""

from __future__ import annotations

import base64
import struct
import zlib
from decimal import Decimal
from typing import Any

from mlops_action.formats.interface import Account
from mlops_action.records import (
    CellResult,
    Difference,
    Failure,
    FileState,
    KernelChoice,
    Manifest,
    MetricReading,
    Plan,
    PlannedParameter,
    RunResult,
    StepResult,
    Uncaptured,
    Verdict,
    Verdicts,
)
from mlops_action.vocabulary import CellStatus, FailureKind, Outcome, StepStatus

HOSTILE = (
    '</pre></td></table></div><script>alert(1)</script><img src=x onerror="alert(2)">| `x` \x1b[31m\u202e ]]> &amp;'
)
KERNEL = KernelChoice("python3", "/k", "python", ("python",), "Python 3 (ipykernel)")
TRACEBACK = """---------------------------------------------------------------------------
ValueError                                Traceback (most recent call last)
Cell In[4], line 3
      1 from model import fit
      2
----> 3 fit(data, regularisation=-1.0)

ValueError: regularisation must be positive, found -1.0"""
SVG = """<?xml version="1.0" encoding="utf-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 160" width="320" height="160">
<rect width="320" height="160" fill="#fff"/><polyline points="10,140 60,90 110,100 160,60 210,50 260,30 310,22"
 fill="none" stroke="#0b5cad" stroke-width="3"/></svg>"""
FRAME = """<div><style scoped>.dataframe tbody tr th { vertical-align: top; }</style>
<table border="1" class="dataframe" onclick="alert(3)"><thead><tr style="text-align: right;"><th></th><th>accuracy</th>
<th>recall</th><th>support</th></tr></thead><tbody><tr><th>young</th><td>0.942</td><td>0.913</td><td>1203</td></tr>
<tr><th>old</th><td>0.917</td><td>0.874</td><td>988</td></tr></tbody></table></div>"""


def png(width: int = 480, height: int = 240) -> str:
    """A drawing of bars, base64 as notebooks have it."""
    bars = [0.3, 0.55, 0.75, 0.9, 0.7, 0.5, 0.25, 0.12]
    rows = []
    for y in range(height):
        row = bytearray(b"\x00")
        for x in range(width):
            share = bars[x * len(bars) // width]
            filled = (height - y) < share * (height - 20) and (x * len(bars)) % width > width // 6
            row += b"\x2f\x7d\x5b" if filled else b"\xff\xff\xff"
        rows.append(bytes(row))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(rows))),
        (b"IEND", b""),
    ]
    chunks = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return base64.encodebytes(b"\x89PNG\r\n\x1a\n" + chunks).decode()


def code(name: str, source: str, *outputs: dict[str, Any], count: int | None = 1, **metadata: Any) -> dict[str, Any]:
    """A code cell of nbformat 4.5."""
    return {
        "cell_type": "code",
        "id": name,
        "source": source,
        "outputs": list(outputs),
        "execution_count": count,
        "metadata": metadata,
    }


def prose(name: str, source: str) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "id": name, "source": source, "metadata": {}}


def shown(**data: Any) -> dict[str, Any]:
    """An output by MIME types; ``image__png`` is ``image/png``."""
    kinds = {name.replace("__", "/").replace("_xml", "+xml"): value for name, value in data.items()}
    return {"output_type": "display_data", "data": kinds, "metadata": {}}


def printed(text: str, name: str = "stdout") -> dict[str, Any]:
    """A stream output."""
    return {"output_type": "stream", "name": name, "text": text}


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    """A notebook of nbformat 4.5."""
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def train_notebook() -> dict[str, Any]:
    """What ``train`` left behind when it failed in its cell ``fit``."""
    return notebook(
        prose(
            "intro", "# Training\n\nFits the model for **loan defaults**; see [the notes](https://example.com/notes).\n"
        ),
        code(
            "load",
            "import pandas as pd\n\ndata = pd.read_csv('loans.csv')\nprint(len(data), 'rows')",
            printed("2191 rows\n"),
        ),
        code(
            "explore",
            "data.amount.hist(bins=8)\nsummary(data)",
            shown(image__png=png(), text__plain="<Figure size 480x240 with 1 Axes>"),
            shown(text__html=FRAME, text__plain="       accuracy  recall  support\n"),
            printed("warning: 12 rows without an amount\n", "stderr"),
        ),
        prose("model", "## Model\n\n1. scale\n2. fit with *L2*\n\n| step | value |\n|---|---|\n| C | 1.0 |\n"),
        code(
            "fit",
            "from model import fit\n\nfit(data, regularisation=-1.0)",
            printed("epoch 1/3\nepoch 2/3\n"),
            {
                "output_type": "error",
                "ename": "ValueError",
                "evalue": "x",
                "traceback": ["\x1b[31m" + line + "\x1b[0m" for line in TRACEBACK.splitlines()],
            },
        ),
        code("plot", "plot_loss()", count=None),
        code("debug", "help(fit)", count=None, **{"mlops-action": {"skipped": True}}),
    )


def evaluate_notebook() -> dict[str, Any]:
    """A notebook that ended well and shows texts that try to break out."""
    return notebook(
        prose("title", f"# Evaluation {HOSTILE}\n\n{HOSTILE}"),
        code("curve", "loss_curve()", shown(image__svg_xml=SVG, text__plain="<Figure>")),
        code(
            "hostile",
            HOSTILE,
            printed(HOSTILE),
            shown(text__html=HOSTILE),
            shown(text__html=f"<table><tr><td>{HOSTILE}"),
        ),
        code("script", "plotly()", shown(text__html="<div><script>draw()</script></div>", text__plain="Figure({})")),
        code(
            "wide",
            "print('x' * 300)",
            printed("x" * 300 + "\n"),
            shown(text__html="<table><tr>" + "".join(f"<td>column {i}</td>" for i in range(30)) + "</tr></table>"),
        ),
        code("widget", "slider()", shown(**{"application__vnd.jupyter.widget-view+json": {"model_id": "1"}})),
    )


def cells(*rows: tuple[int, str, float, str]) -> tuple[CellResult, ...]:
    """Results of cells from place, id, seconds and title."""
    return tuple(
        CellResult(index, name, CellStatus.OK, seconds, seconds * 0.8, int(3e8 + seconds * 1e8), title=title)
        for index, name, seconds, title in rows
    )


def steps() -> tuple[StepResult, ...]:
    """A failed step, one that went well with remarks, one that was skipped."""
    failure = Failure(
        FailureKind.RAISED,
        "ValueError: regularisation must be positive, found -1.0",
        "give `regularisation` a value above 0",
        cell=4,
        cell_id="fit",
        line=3,
        source="from model import fit\n\nfit(data, regularisation=-1.0)",
        traceback=TRACEBACK,
    )
    reached = cells((1, "load", 0.412, "Load the data"), (2, "explore", 2.31, "Explore"))
    failed = CellResult(4, "fit", CellStatus.FAILED, 14.2, 27.9, 812_000_000, title="Fit the model")
    train = StepResult(
        "train",
        StepStatus.FAILED,
        started="2026-05-04T10:00:00Z",
        seconds=19.31,
        executed="notebooks/train.ipynb",
        cells_run=2,
        cells_total=4,
        source=FileState("notebooks/train.ipynb", 4000),
        kernel=KERNEL,
        parameters=(
            PlannedParameter("regularisation", -1.0, "mlops.yaml:9:7"),
            PlannedParameter("api_key", None, "mlops.yaml:10:7", secret="API_KEY"),
        ),
        failure=failure,
        cells=(*reached, failed),
        attempts=2,
    )
    evaluate = StepResult(
        "evaluate",
        StepStatus.OK,
        started="2026-05-04T10:00:20Z",
        seconds=4.02,
        executed="notebooks/evaluate.ipynb",
        cells_run=5,
        cells_total=5,
        source=FileState("notebooks/evaluate.ipynb", 4000),
        kernel=KERNEL,
        readings=(
            MetricReading("test.accuracy", Decimal("0.9312"), "metrics.json#/test/accuracy", "evaluate"),
            MetricReading("test.recall", Decimal("0.874"), "metrics.json#/test/recall", "evaluate", "age=old"),
            MetricReading(HOSTILE, None, HOSTILE, "evaluate"),
        ),
        cells=(
            *cells((1, "curve", 3.1, "Loss curve")),
            CellResult(2, "hostile", CellStatus.ALLOWED, 0.1, title=HOSTILE, output_cut=123_456),
            *cells((3, "script", 0.02, "plotly()"), (4, "wide", 0.01, "Wide"), (5, "widget", 0.01, "")),
        ),
        cached="not used: `loans.csv` changed",
        differences=(Difference(4, "wide", "text/plain: 300 for 299 characters", "x" * 299, "x" * 300),),
    )
    skipped = Failure(FailureKind.NEEDS_FAILED, "not run: it needs `train`")
    return (train, evaluate, StepResult("publish", StepStatus.SKIPPED, failure=skipped))


def verdicts() -> Verdicts:
    """One gate of each outcome."""
    return Verdicts(
        "mlops-action/verdicts/v1",
        "0.2.0",
        Outcome.FAIL,
        "1 of 4 gates failed: `recall-old`",
        (
            Verdict(
                "accuracy",
                Outcome.PASS,
                "test.accuracy",
                "test.accuracy 0.9312 is at least 0.9",
                "min",
                "block",
                "mlops.yaml:21:5",
            ),
            Verdict(
                "recall-old",
                Outcome.FAIL,
                "test.recall",
                "test.recall 0.874 is below 0.9",
                "min",
                "block",
                "mlops.yaml:25:5",
                needed="at least 0.9",
            ),
            Verdict(
                "latency",
                Outcome.WARN,
                "latency",
                "latency 130 is above 120",
                "max",
                "warn",
                "mlops.yaml:29:5",
                needed="at most 120",
            ),
            Verdict(
                HOSTILE,
                Outcome.INCONCLUSIVE,
                "auc",
                f"there is no reading `auc` {HOSTILE}",
                "min",
                "block",
                "mlops.yaml:33:5",
                hint="the metrics are `test.accuracy`, `test.recall`",
            ),
        ),
    )


def account() -> Account:
    """Everything together."""
    run = RunResult(
        "mlops-action/run/v1",
        "0.2.0",
        "2026-05-04T10:00:00Z",
        "2026-05-04T10:00:24Z",
        Plan("mlops.yaml", "/work", "mlops-out", (), ()),
        steps(),
    )
    manifest = Manifest(
        "mlops-action/manifest/v1",
        "sha256:8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4",
        {},
        {},
        {},
        {},
        (
            Uncaptured("container image", "the run was not in a container"),
            Uncaptured("GPU driver", f"`nvidia-smi` {HOSTILE}"),
        ),
    )
    return Account(run, verdicts(), manifest, {"train": train_notebook(), "evaluate": evaluate_notebook()})
