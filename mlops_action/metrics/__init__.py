"""Where numbers come from. To add a metric source: one file here, one line below."""

READERS = {
    ".json": "mlops_action.metrics.json_file:JsonFile",
    ".csv": "mlops_action.metrics.csv_file:CsvFile",
    ".yaml": "mlops_action.metrics.yaml_file:YamlFile",
    ".yml": "mlops_action.metrics.yaml_file:YamlFile",
    ".toml": "mlops_action.metrics.toml_file:TomlFile",
    ".jsonl": "mlops_action.metrics.json_lines:JsonLines",
    ".ndjson": "mlops_action.metrics.json_lines:JsonLines",
    ".xml": "mlops_action.metrics.junit_file:JunitFile",
    ".prom": "mlops_action.metrics.openmetrics:OpenMetrics",
    ".openmetrics": "mlops_action.metrics.openmetrics:OpenMetrics",
    ".txt": "mlops_action.metrics.openmetrics:OpenMetrics",
    ".ipynb": "mlops_action.metrics.notebook_file:NotebookFile",
    ".eval": "mlops_action.metrics.inspect_log:EvalFile",
}
"""Metric files by their ending."""

RESULTS = (
    ("mlops_action.metrics.own_records:read_run", ("schema", "tool", "plan.steps", "steps")),
    ("mlops_action.metrics.own_records:read_manifest", ("schema", "manifest-id", "results.metrics", "identity")),
    ("mlops_action.metrics.lm_eval:read_results", ("results", "versions", "configs", "n-shot")),
    ("mlops_action.metrics.inspect_log:read_log", ("version", "status", "eval.task", "eval.model")),
    ("mlops_action.metrics.promptfoo:read_results", ("results.stats.successes", "results.stats.failures")),
    ("mlops_action.metrics.mlflow_run:read_run", ("info.run_id", "info.status", "data.metrics")),
    ("mlops_action.metrics.mlflow_run:read_run", ("run.info.run_id", "run.info.status", "run.data")),
    ("mlops_action.metrics.mlflow_run:read_run", ("mlflow.info.run_id", "mlflow.info.status", "mlflow.metrics")),
)
"""JSON files of known tools: the reader, and the keys that tell them."""

TESTS_LINE_BY_LINE = (
    ("lm-evaluation-harness", ("doc_id", "filtered_resps"), "its `results_*.json`"),
    ("promptfoo", ("testIdx", "promptIdx"), "what `--output results.json` writes"),
)
"""JSON Lines of single tests: the tool, the keys that tell them, and which of its files has the metrics."""
