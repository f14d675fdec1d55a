"""What our process does not import, although a library of ours would."""

from __future__ import annotations

import sys

FORMATS = ("fqdn", "isoduration", "rfc3986_validator", "rfc3987", "rfc3987_syntax", "uri_template", "webcolors")
"""What jsonschema imports, where it is installed, to check formats that no schema of ours and none of nbformat's names.

JupyterLab brings all of them, and one compiles its grammar for two seconds whenever it is imported.
"""


def leave_out_formats() -> None:
    """Have every import of ``FORMATS`` fail from now on, which jsonschema takes as not installed."""
    for name in FORMATS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # None is what the import system looks for
