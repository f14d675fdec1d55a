"""Notebooks as data. To add a format or a language: one file here, one line below."""

_TEXT = "mlops_action.notebooks.texts:JupytextText"
_ZEPPELIN = "mlops_action.notebooks.zeppelin:Zeppelin"

READERS = {
    ".ipynb": "mlops_action.notebooks.ipynb:Ipynb",
    ".zpln": _ZEPPELIN,
    ".json": _ZEPPELIN,
    **dict.fromkeys((".py", ".R", ".r", ".jl", ".md", ".Rmd", ".qmd", ".js", ".ts", ".sh"), _TEXT),
}
"""Notebook formats by file ending."""

_LANGUAGES = "mlops_action.notebooks.languages"
LANGUAGES = {
    "python": f"{_LANGUAGES}.python:Python",
    "r": f"{_LANGUAGES}.r:R",
    "julia": f"{_LANGUAGES}.julia:Julia",
    "javascript": f"{_LANGUAGES}.javascript:JavaScript",
    "typescript": f"{_LANGUAGES}.javascript:JavaScript",
    "bash": f"{_LANGUAGES}.bash:Bash",
    "scala": f"{_LANGUAGES}.scala:Scala",
    "matlab": f"{_LANGUAGES}.matlab:Matlab",
    "octave": f"{_LANGUAGES}.matlab:Octave",
    "c#": f"{_LANGUAGES}.csharp:CSharp",
    "f#": f"{_LANGUAGES}.fsharp:FSharp",
    "powershell": f"{_LANGUAGES}.powershell:PowerShell",
}
"""How each kernel language writes and reads assignments, by the language's name in lower case."""

KERNEL_LANGUAGES = {
    "sparkkernel": "scala",
    "pysparkkernel": "python",
    "sparkrkernel": "r",
    ".net-csharp": "c#",
    ".net-fsharp": "f#",
    ".net-powershell": "powershell",
}
"""Languages of kernels whose kernelspec names another one, by the kernel's name."""

LANGUAGE_NAMES = {
    "csharp": "c#",
    "fsharp": "f#",
    "pwsh": "powershell",
    "ipython": "python",
    "sparkr": "r",
    "sh": "bash",
    "js": "javascript",
    "ts": "typescript",
}
"""Other names of languages."""


def language_key(kernel: str, language: str) -> str:
    """The key in ``LANGUAGES`` for a kernel, by its own name first; another text when there is none."""
    name = language.strip().lower()
    return KERNEL_LANGUAGES.get(kernel.lower()) or LANGUAGE_NAMES.get(name, name)
