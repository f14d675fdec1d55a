"""Reports as bytes. To add a format: one file here, one line below, a golden file."""

REPORTS = {
    "markdown": "mlops_action.formats.markdown:Markdown",
    "junit": "mlops_action.formats.junit:JUnit",
    "html": "mlops_action.formats.html:Html",
}
"""Formats by name; each makes one or several files in the output folder."""

EXPORTS = {
    "intoto": "mlops_action.formats.intoto:InToto",
    "test-result": "mlops_action.formats.test_result:Results",
    "slsa": "mlops_action.formats.slsa:Slsa",
    "cyclonedx": "mlops_action.formats.cyclonedx:CycloneDx",
    "rocrate": "mlops_action.formats.rocrate:RoCrate",
    "pylock": "mlops_action.formats.pylock:PyLock",
    "openlineage": "mlops_action.formats.openlineage:OpenLineage",
}
"""Other forms of the manifest, by name."""

STATEMENTS = ("intoto", "test-result")
"""Those that every run leaves."""

FOR_MACHINES = {
    "sarif": "mlops_action.formats.sarif:Sarif",
    "code-quality": "mlops_action.formats.code_quality:CodeQuality",
    "openmetrics": "mlops_action.formats.openmetrics:OpenMetrics",
    "dotenv": "mlops_action.formats.dotenv:Dotenv",
}
"""Formats that other programs read, by name; each makes one file in the output folder."""
