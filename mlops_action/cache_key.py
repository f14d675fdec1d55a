"""What a step is made of: if nothing of it changed, neither does what the step leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from mlops_action.canonical import digest_of, sha256_bytes
from mlops_action.codec import encode
from mlops_action.frozen import frozen
from mlops_action.portable import portable
from mlops_action.records import Fact, Json, KernelChoice, PlannedStep, StepResult
from mlops_action.redact import is_secret_name
from mlops_action.workshop import Workshop

FORMAT = "mlops-action/cache/v1"
"""Part of every key; a new one makes all that is kept a miss."""
OWN = "mlops-action"
"""Our own package stands beside the notebook's, in a checkout without a list of its files."""

PLACES = [
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "COLUMNS", "LINES", "TMPDIR", "TEMP", "TMP", "CI"),
    *("VIRTUAL_ENV", "CONDA_*", "JUPYTER_*", "XDG_*", "SSL_CERT_*", "*_CA_BUNDLE", "MPLCONFIGDIR"),
    *("SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "*APPDATA", "PROGRAMDATA", "USERPROFILE"),
]
"""Variables that say where things are and who asks. Every other one that a kernel sees is part of the key."""

Parts = dict[str, str]
"""Everything that a step is made of: what people call it, and its digest."""


class NotCacheable(Exception):
    """Why the cache must not be used for a step."""


@frozen
class Made:
    """A step that is about to run."""

    step: PlannedStep
    result: StepResult
    """As far as it is known: parameters and inputs."""
    notebook: Any
    """With its parameters in it."""
    chosen: Sequence[int]


def parts_of(made: Made, workshop: Workshop) -> Parts:
    """Everything that the step is made of, in the order in which people should hear of changes.

    Raises:
        NotCacheable: it holds secrets, or something that it depends on is not known.
    """
    step, facts = made.step, {fact.name: fact for fact in workshop.facts}
    _refuse_secrets(made, workshop)
    _refuse_unknown_source(facts.get("source"))
    kernels = step.kernels
    parts = {f"parameter {each.name}": _digest(encode(each.value)) for each in made.result.parameters}
    parts |= {f"input {state.path}": state.sha256 for state in made.result.inputs_before}
    for name, value in sorted(_seen(step, workshop).items()):
        if not any(fnmatchcase(name, place) for place in PLACES):
            parts[f"environment variable {name}"] = _digest(value)
    for kernel in kernels:
        parts[f"kernel {kernel.label}"] = _kernel(kernel)
        parts[f"the packages of kernel {kernel.label}"] = _packages(kernel, facts.get("python"))
    parts["the kind of machine"] = _digest(_identity(facts.get("platform")))
    parts["the container image"] = _digest(_identity(facts.get("image")))
    parts["the choice of cells"] = _digest(encode(step.cells))
    parts["the list of outputs or metrics"] = _digest([sorted(step.outputs), sorted(step.metrics)])
    parts["a setting of the step"] = _settings(made)
    parts["the code"] = _code(made)
    return parts


def key_of(step: str, parts: Parts) -> str:
    """The name of what a step of these parts leaves."""
    return digest_of({"format": FORMAT, "step": step, "parts": parts})


def difference(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """The first part that differs, in words."""
    for name, digest in now.items():
        if name not in before:
            return f"{name} is new"
        if before[name] != digest:
            return f"{name} changed"
    gone = next((name for name in before if name not in now), "")
    return f"{gone} is gone" if gone else "the format of the cache changed"


def _refuse_secrets(made: Made, workshop: Workshop) -> None:
    for each in made.result.parameters:
        if each.secret or is_secret_name(each.name):
            raise NotCacheable(f"parameter `{each.name}` is a secret")
    for name in _seen(made.step, workshop):
        if is_secret_name(name):
            raise NotCacheable(f"the notebook may see the secret variable `{name}`")
    text = "\n".join(made.notebook["cells"][i]["source"] for i in made.chosen)
    if any(value in text for value in workshop.redactor.values):
        raise NotCacheable("the value of a secret is in its code or parameters")


def _refuse_unknown_source(source: Fact | None) -> None:
    if source is None or source.identity is None:
        why = f" ({source.uncaptured[0].why})" if source and source.uncaptured else ""
        raise NotCacheable(f"the state of the source is not known{why}")


def _seen(step: PlannedStep, workshop: Workshop) -> Mapping[str, str]:
    """Variables that its kernels see."""
    return {name: value for kernel in step.kernels for name, value in workshop.environments[kernel.environment].items()}


def _kernel(kernel: KernelChoice) -> str:
    made = [kernel.where, kernel.place, kernel.env, kernel.interrupt_mode]
    return _digest([kernel.name, kernel.language, list(kernel.argv), *made])


def _packages(kernel: KernelChoice, fact: Fact | None) -> str:
    """The packages that the kernel sees. Only Python's are known, and all of an image."""
    if kernel.where == "container":
        return _digest([kernel.place.get("digest"), kernel.place.get("id")])
    if kernel.language.lower() != "python":
        raise NotCacheable(f"the packages of the {kernel.language} kernel `{kernel.name}` are not known")
    asked = _identity(fact) or []
    seen = next((each for each in asked if kernel.label in each["kernels"]), None)
    if seen is None:
        raise NotCacheable(f"the packages of kernel `{kernel.name}` are not known")
    unknown = [each["name"] for each in seen["distributions"] if not each.get("record") and each["name"] != OWN]
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise NotCacheable(f"what the packages {', '.join(unknown[:3])}{more} hold is not known")
    beside = [seen["beside"]] if "beside" in seen else []
    return _digest([seen["implementation"], seen["version"], seen["distributions"], *beside])


def _settings(made: Made) -> str:
    """Keys that change what a step leaves, beside its code."""
    step, source = made.step, made.result.source
    saved = source.sha256 if step.compare and source else ""  # what is saved in the file is compared with
    limits = [step.limits.max_output, step.limits.max_notebook_output]
    return _digest([step.allow_errors, step.deterministic, encode(step.compare), saved, limits])


def _code(made: Made) -> str:
    cells = [made.notebook["cells"][i] for i in made.chosen]
    told = [
        [
            cell["source"].replace("\r\n", "\n"),
            sorted(cell["metadata"].get("tags", [])),
            cell["metadata"].get("mlops-action", {}),
        ]
        for cell in cells
    ]
    return _digest(told)


def _identity(fact: Fact | None) -> Json:
    return fact.identity if fact else None


def _digest(value: Json) -> str:
    return (
        sha256_bytes(value.encode(errors="surrogateescape")) if isinstance(value, str) else digest_of(portable(value))
    )
