"""Where steps are scheduled. To add an executor: one file here, one line below."""

EXECUTORS = {
    "local": "mlops_action.executors.local:LocalExecutor",
}
"""Executors by name."""
