"""Imports of our process that cost less."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from contextlib import suppress

FORMATS = ("fqdn", "isoduration", "rfc3986_validator", "rfc3987", "rfc3987_syntax", "uri_template", "webcolors")
"""What jsonschema imports, where it is installed, to check formats that no schema of ours and none of nbformat's names.

JupyterLab brings all of them, and one compiles its grammar for two seconds whenever it is imported.
"""
STORES = tuple(f"pyarrow._{name}" for name in ("azurefs", "gcsfs", "hdfs", "s3fs"))
"""What pyarrow imports to read remote stores by itself; here fsspec does that."""

YOUNG_OBJECTS = 50_000
"""So many make the collector look: what imports make lives as long as the process, and 700 make it always look."""


def lighten() -> None:
    """Have every import of ``FORMATS`` and ``STORES`` fail, which is taken as not installed; collect less often."""
    for name in (*FORMATS, *STORES):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # None is what the import system looks for
    gc.set_threshold(YOUNG_OBJECTS)


def numpy_without_threads() -> None:
    """Import numpy, if it is installed, with a BLAS of one thread.

    OpenBLAS starts a thread for each processor when it is loaded, and they wait by spinning: a tenth of a second of
    processor time, for products of matrices that are not formed here. The variable that says so is taken back, as
    kernels are given it and manifests record it; one that is set already is left alone.
    """
    name = "OPENBLAS_NUM_THREADS"
    if name in os.environ or "numpy" in sys.modules:
        return
    os.environ[name] = "1"
    try:
        with suppress(ImportError):  # told by who needs it
            importlib.import_module("numpy")
    finally:
        del os.environ[name]
