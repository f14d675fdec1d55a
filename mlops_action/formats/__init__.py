"""Reports as bytes. To add a format: one file here, one line below, a golden file."""

REPORTS = {
    "report.md": "mlops_action.formats.markdown:Markdown",
    "junit.xml": "mlops_action.formats.junit:JUnit",
}
"""Formats by the name of the file that they make in the output folder."""
