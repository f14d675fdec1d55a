"""Where numbers come from. To add a metric source: one file here, one line below."""

READERS = {
    ".json": "mlops_action.metrics.json_file:JsonFile",
    ".csv": "mlops_action.metrics.csv_file:CsvFile",
}
"""Metric files by their ending."""
