"""Notebooks as data. To add a format or a language: one file here, one line below."""

READERS = {
    ".ipynb": "mlops_action.notebooks.ipynb:Ipynb",
}
"""Notebook formats by file ending."""

LANGUAGES = {
    "python": "mlops_action.notebooks.assignments:Python",
    "r": "mlops_action.notebooks.assignments:R",
    "bash": "mlops_action.notebooks.assignments:Bash",
    "javascript": "mlops_action.notebooks.assignments:JavaScript",
    "typescript": "mlops_action.notebooks.assignments:JavaScript",
    "julia": "mlops_action.notebooks.assignments:Julia",
}
"""How each kernel language writes an assignment, by the language's name in lower case."""
