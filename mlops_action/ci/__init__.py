"""CI systems. To add one: one file here, one line below, one golden transcript, one example."""

CI_SYSTEMS = {
    "github": "mlops_action.ci.github:GitHub",
    "generic": "mlops_action.ci.generic:Generic",
}
"""CI systems by name; the first that is present is used, and the generic one always is."""
