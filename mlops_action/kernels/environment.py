"""The environment that a kernel sees: a short allow-list, never the CI system's secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from mlops_action.redact import is_secret_name

HARMLESS = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TERM",
    "TMPDIR",
    "TEMP",
    "TMP",
    "COLUMNS",
    "LINES",
    "CI",
    "SOURCE_DATE_EPOCH",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "PYTHONHASHSEED",
    "PYTHONIOENCODING",
    "PYTHONUTF8",
    "PYTHONDONTWRITEBYTECODE",
    "JUPYTER_PATH",
    "JUPYTER_DATA_DIR",
    "JUPYTER_CONFIG_DIR",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "R_HOME",
    "R_LIBS",
    "R_LIBS_USER",
    "R_LIBS_SITE",
    "JULIA_DEPOT_PATH",
    "JULIA_PROJECT",
    "NODE_PATH",
    "JAVA_HOME",
    "LD_LIBRARY_PATH",
    "MPLBACKEND",
    "MPLCONFIGDIR",
    "OMP_NUM_THREADS",
    "OPENBLAS_*",
    "MKL_NUM_THREADS",
    "NUMBA_*",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_HOME",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SYSTEMROOT",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAMDATA",
    "USERPROFILE",
]
NEVER = ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "ACTIONS_*", "INPUT_*"]
"""Command files, runtime tokens and inputs: with them a notebook could steer the CI system."""


def kernel_environment(
    env: Mapping[str, str], allowed: Sequence[str] = (), extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The variables for a kernel.

    Args:
        env: the process's environment.
        allowed: further names; ``*`` stands for any ending, but never brings in a name
            that looks like a secret's: such a one must be spelled out.
        extra: variables to set on top.
    """
    passed = {
        name: value
        for name, value in env.items()
        if not _matches(name, NEVER)
        and (name in allowed or (_matches(name, [*HARMLESS, *allowed]) and not is_secret_name(name)))
    }
    return passed | dict(extra or {})


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
