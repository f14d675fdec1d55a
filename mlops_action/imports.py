"""Imports of our process that cost less."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from contextlib import suppress
from types import ModuleType

FORMATS = ("fqdn", "isoduration", "rfc3986_validator", "rfc3987", "rfc3987_syntax", "uri_template", "webcolors")
"""What jsonschema imports, where it is installed, to check formats that no schema of ours and none of nbformat's names.

JupyterLab brings all of them, and one compiles its grammar for two seconds whenever it is imported.
"""
STORES = tuple(f"pyarrow._{name}" for name in ("azurefs", "gcsfs", "hdfs", "s3fs"))
"""What pyarrow imports to read remote stores by itself; here fsspec does that."""
THREADS = "OPENBLAS_NUM_THREADS"
"""How many threads OpenBLAS starts when it is loaded."""
TEXTS = ("numpy._core._add_newdocs", "numpy._core._add_newdocs_scalars")
"""What numpy imports to give its compiled functions their texts."""
YOUNG_OBJECTS = 50_000
"""So many make the collector look: what imports make lives as long as the process, and 700 make it always look."""


def lighten() -> None:
    """Have every import of ``FORMATS`` and ``STORES`` fail, which is taken as not installed; collect less often."""
    for name in (*FORMATS, *STORES):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # None is what the import system looks for
    gc.set_threshold(YOUNG_OBJECTS)


def numpy_for_gates() -> None:
    """Import numpy, if it is installed, with a BLAS of one thread and without the texts of its compiled functions.

    OpenBLAS starts a thread for each processor when it is loaded, and they wait by spinning: a tenth of a second of
    processor time, for products of matrices that are not formed here. The variable that says so is taken back, as
    kernels are given it and manifests record it; one that is set already is left alone. The texts are what ``help``
    shows; as they are added one by one, each import spends a tenth of its time on them.
    """
    if "numpy" in sys.modules:
        return
    ours = THREADS not in os.environ
    if ours:
        os.environ[THREADS] = "1"
    for name in TEXTS:
        sys.modules.setdefault(name, ModuleType(name))
    try:
        with suppress(ImportError):  # told by who needs it
            importlib.import_module("numpy")
    finally:
        if ours:
            del os.environ[THREADS]
