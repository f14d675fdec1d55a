"""Rules on readings. To add a rule: one file here, one line below, one truth table."""

RULES = {
    "min": "mlops_action.gates.absolute:Minimum",
    "max": "mlops_action.gates.absolute:Maximum",
    "range": "mlops_action.gates.absolute:Range",
    "equals": "mlops_action.gates.absolute:Equals",
    "max-drop": "mlops_action.gates.change:MaxDrop",
    "min-gain": "mlops_action.gates.change:MinGain",
    "max-gain": "mlops_action.gates.change:MaxGain",
}
"""Rules on one value, by their key in a policy."""

HISTORY_RULES = {
    "ratchet": "mlops_action.gates.history:Ratchet",
    "history-threshold": "mlops_action.gates.history:HistoryThreshold",
}
"""Rules on one value and those of earlier runs, by their key in a policy."""

COMBINATIONS = ("all", "any", "at-least")
"""Rules that combine others, by their key in a policy; see ``combination``."""
