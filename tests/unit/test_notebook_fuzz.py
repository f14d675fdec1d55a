"""Odd notebooks: a clear error, or a notebook that is ready to run."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_action.errors import MlopsError
from mlops_action.notebooks.saving import notebook_bytes
from mlops_action.records import KernelChoice, PlannedParameter, PlannedStep
from mlops_action.step_notebook import StepFailed, prepare

PYTHON = KernelChoice("python3", "/kernels/python3", "python", ("python",))

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
odd_text = st.text(max_size=20) | st.sampled_from(["\x00", "\ud800", "a\rb", "\u2028", "# %%", "```"])
cells = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | anything,
        "metadata": st.dictionaries(st.sampled_from(["tags", "name", "mlops-action", "x"]), anything, max_size=2)
        | anything,
        "source": odd_text | st.lists(odd_text, max_size=3) | anything,
    },
    optional={"id": st.text(max_size=70) | anything, "outputs": anything, "execution_count": anything},
)
notebooks = st.fixed_dictionaries(
    {
        "nbformat": st.sampled_from([4, 4, 4, 3, 5, -1]) | anything,
        "nbformat_minor": st.integers(-1, 7) | anything,
        "metadata": anything | st.just({"kernelspec": {"name": "python3", "display_name": "x"}}),
        "cells": st.lists(cells | anything, max_size=4) | anything,
    }
)


def prepared(raw: str, **more: Any) -> str | None:
    """The bytes of the notebook as it would be saved, or None for a clear error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "n.ipynb"
        path.write_bytes(raw.encode("utf-8", "surrogatepass"))
        before = path.read_bytes()
        step = PlannedStep("s", "mlops.yaml:1:1", notebook="n.ipynb", kernel=PYTHON, **more)
        try:
            ready = prepare(step, Path(folder), {}, {})
        except (StepFailed, MlopsError):
            return None
        finally:
            assert path.read_bytes() == before
        return notebook_bytes(ready.notebook)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(notebooks)
def test_an_odd_notebook_is_a_clear_error_or_ready_to_run(raw: dict[str, Any]) -> None:
    written = prepared(json.dumps(raw), parameters=(PlannedParameter("x", 1, "here"),))
    if written is not None:
        nbformat.validate(nbformat.reads(written, as_version=4))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_a_file_that_is_no_notebook_is_a_clear_error(raw: str) -> None:
    assert prepared(raw) is None


def test_ten_thousand_cells_are_no_burden() -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [], "execution_count": None}
    raw = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [{**cell, "id": f"c{i}"} for i in range(10_000)],
    }
    written = prepared(json.dumps(raw))
    assert written is not None
    assert len(json.loads(written)["cells"]) == 10_000


def test_json_that_is_nested_too_deep_is_a_clear_error() -> None:
    assert prepared('{"nbformat": 4, "cells": ' + "[" * 200_000) is None
    assert (
        prepared('{"nbformat": 4, "nbformat_minor": 5, "cells": [], "metadata": ' + '{"a":' * 3000 + "1" + "}" * 3001)
        is None
    )
