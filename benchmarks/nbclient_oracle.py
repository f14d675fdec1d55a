"""A notebook through nbclient as ``jupyter execute`` does it, but saved when it fails as well.

``python nbclient_oracle.py INPUT OUTPUT KERNEL``; exit code 1 when the notebook failed,
2 when no cell of it was reached.
"""

from __future__ import annotations

import sys
import traceback

import nbformat
from nbclient import NotebookClient


def main(source: str, target: str, kernel: str) -> int:
    notebook = nbformat.read(source, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    reached = {"oracle_cell": -1}
    client = NotebookClient(
        notebook,
        kernel_name=kernel,
        record_timing=False,
        resources={"metadata": {"path": "."}},
        on_cell_execute=lambda cell_index, **_: reached.update(oracle_cell=cell_index),
    )
    code = 0
    try:
        client.execute()
    except Exception:  # noqa: BLE001  # whatever it is, the notebook is kept
        traceback.print_exc(limit=0)
        notebook.metadata.update(reached)
        code = 1 if reached["oracle_cell"] >= 0 else 2
    nbformat.write(notebook, target)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
