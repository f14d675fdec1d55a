"""Options of the command line and inputs of the action: each is here once.

From here come ``--help``, the inputs of every ``action.yml`` and ``docs/reference.md``.
"""

from __future__ import annotations

from dataclasses import Field, field, fields
from typing import Any

from mlops_action.config.values import duration, positive
from mlops_action.frozen import frozen
from mlops_action.structure import key_of

RUN, PLAN, CHECK, GATE, MANIFEST, MERGE, DOCTOR = ("run", "plan", "check", "gate", "manifest", "merge", "doctor")
SNIPPET, SESSION, COMMENT = "snippet", "session", "comment"
JUDGING = (RUN, PLAN, CHECK, GATE, MERGE)
EXECUTING = (RUN, PLAN)
CODING = (RUN, PLAN, SNIPPET)
EVERYWHERE = (RUN, PLAN, CHECK, GATE, MANIFEST, MERGE, SNIPPET, SESSION, COMMENT)
NOT_AT_THE_ROOT = {PLAN, MERGE, COMMENT}
"""Commands whose own options the root action does not have."""
PAGE = ("summary", "annotations")
"""Options of the actions that show results on the job's page."""
DEFAULT_OUTPUT_DIR = "mlops-out"


def option(doc: str, commands: tuple[str, ...], **details: Any) -> Any:
    """Declare an option.

    Args:
        doc: its documentation.
        commands: the commands that take it.
        details: ``default``; ``flags`` (on the command line, else ``--name``); ``metavar``;
            ``action_only``; ``parse`` (raises ValueError); ``example``; ``formerly`` (names that
            the input had, which keep working with a message); ``input_default`` (an expression).
    """
    default = details.pop("default", ())
    return field(default=default, metadata={"doc": doc, "commands": commands, **details})


@frozen
class Options:
    """Everything that can be said on the command line or by action inputs."""

    config: str = option(
        "The pipeline's configuration. By default `mlops.yaml` is looked for in the working directory and above it.",
        (*JUDGING, DOCTOR, SNIPPET, SESSION),
        default="",
        metavar="FILE",
    )
    working_directory: str = option(
        "Folder to work in.", (), default="", action_only=True, metavar="DIR", example="models/churn"
    )
    steps: tuple[str, ...] = option(
        "Steps to run, with the steps that they need. All of them by default.", EXECUTING, flags=(), metavar="[STEP]..."
    )
    notebooks: tuple[str, ...] = option(
        "Notebooks to run as steps of a pipeline without `mlops.yaml`; patterns may be used, one that matches "
        "nothing is an error.",
        EXECUTING,
        flags=("--notebook",),
        metavar="FILE",
        example="notebooks/*.ipynb",
    )
    code: str = option(
        "A snippet to run as a step of a pipeline without `mlops.yaml`, after the notebooks.",
        CODING,
        default="",
        metavar="TEXT",
        example="print(6 * 7)",
    )
    file: str = option(
        "Code file to run as one cell, in place of a snippet.",
        CODING,
        default="",
        metavar="FILE",
        example="train.py",
        formerly=("file-path",),  # of Jenkins' machine-learning plugin
    )
    session: str = option(
        "Name of a kernel that is kept between the commands of one CI job: the snippet sees the variables of the "
        "snippets before it. The first command starts it.",
        (SNIPPET,),
        default="",
        metavar="NAME",
        example="train",
    )
    idle: int = option(
        "How long the session may be idle before it ends; by default `environment.idle`, an hour.",
        (SNIPPET,),
        default=0,
        parse=duration,
        metavar="TIME",
    )
    label: str = option(
        "What the session's notebook calls the step that ran the snippet; by default what the CI system calls it.",
        (SNIPPET,),
        default="",
        flags=("--as",),
        metavar="LABEL",
    )
    environment: str = option(
        "Which of the `environments` of `mlops.yaml` a snippet runs in.", (SNIPPET,), default="", metavar="NAME"
    )
    kernel: str = option(
        "Jupyter kernel for steps that name none; by default the notebook's own, else `python3`.",
        CODING,
        default="",
        metavar="NAME",
        formerly=("kernel-name",),  # as above
    )
    places: tuple[str, ...] = option(
        "Run the kernels of an environment elsewhere than it says: `python:PATH`, an interpreter with the packages "
        "that it has, or `image:NAME`, a container. `ENVIRONMENT=` before it names one of the `environments`.",
        EXECUTING,
        flags=("--place",),
        metavar="PLACE",
        example="image:registry.example.org/train@sha256:0123...",
    )
    python: str = option(
        "Python interpreter whose kernels are used first (a path, or a name on PATH).",
        CODING,
        default="",
        metavar="PATH",
    )
    parameters: tuple[str, ...] = option(
        "Parameter for the steps, `NAME=VALUE` with the value in YAML notation, or `STEP.NAME=VALUE` for one step.",
        CODING,
        flags=("-p", "--parameter"),
        metavar="NAME=VALUE",
        example="learning_rate=0.1",
    )
    raw_parameters: tuple[str, ...] = option(
        "Like a parameter, but the value is text whatever it looks like: `NAME=007`.",
        CODING,
        flags=("-P", "--raw-parameter"),
        metavar="NAME=TEXT",
    )
    parameters_file: str = option(
        "YAML or JSON file with parameters; those given one by one win.", CODING, default="", metavar="FILE"
    )
    inputs: tuple[str, ...] = option(
        "Files or patterns that the notebooks read; recorded by digest (without `mlops.yaml`).",
        EXECUTING,
        flags=("--input",),
        metavar="FILE",
    )
    outputs: tuple[str, ...] = option(
        "Files or patterns that the last notebook or snippet must write (without `mlops.yaml`).",
        EXECUTING,
        flags=("--output",),
        metavar="FILE",
    )
    metrics: tuple[str, ...] = option(
        "Metric files, or patterns for them: written by the last notebook or snippet (without `mlops.yaml`), or, "
        "for `gate`, judged as they are.",
        (RUN, PLAN, GATE),
        flags=("--metrics",),
        metavar="FILE",
        example="metrics.json",
    )
    gates: str = option(
        "Gates to judge by instead of those in `mlops.yaml`: a policy file, or gates as YAML text. `none`: run "
        "without judging.",
        JUDGING,
        default="",
        metavar="FILE|YAML",
        example="accuracy-floor: {metric: accuracy, min: 0.95}",
    )
    baseline: str = option(
        "What to compare with: a file, a folder of results, `git:REF:PATH` (`git::PATH`: merge-base), an MLflow run.",
        JUDGING,
        default="",
        metavar="FILE|GIT",
        example="git::metrics/accepted.json",
    )
    timeout: int = option(
        "Longest time for a step that sets none of its own; `20m`, `90s`.",
        CODING,
        default=0,
        parse=duration,
        metavar="TIME",
    )
    cell_timeout: int = option(
        "Longest time for a cell of a step that sets none of its own.",
        CODING,
        default=0,
        parse=duration,
        metavar="TIME",
    )
    jobs: int = option("How many steps may run at the same time.", (RUN,), default=1, parse=positive, metavar="NUMBER")
    repeat: int = option(
        "Run the steps so many times, and say which cell, output or metric is not the same each time. The last run "
        "is the one that is judged and recorded.",
        (RUN,),
        default=1,
        parse=positive,
        metavar="NUMBER",
    )
    fail_fast: bool = option("Start no further step after one has failed.", (RUN,), default=False)
    shard: str = option(
        "Run the I-th of N parts of the steps only, `I/N`; `mlops-action merge` puts the parts' results together.",
        EXECUTING,
        default="",
        metavar="I/N",
    )
    parts: int = option(
        "Divide the steps into so many parts at most, and give the list of them as a matrix for `--shard`.",
        (PLAN,),
        default=0,
        parse=positive,
        metavar="NUMBER",
    )
    no_cache: bool = option("Run every step, whatever the cache holds.", (RUN,), default=False)
    pass_env: tuple[str, ...] = option(
        "Environment variable that notebooks may see, besides a few harmless ones; a trailing `*` stands for any "
        "ending.",
        CODING,
        flags=("--pass-env",),
        metavar="NAME",
    )
    output_dir: str = option(
        "Folder for the results, relative to the project folder.",
        EVERYWHERE,
        default=DEFAULT_OUTPUT_DIR,
        metavar="DIR",
    )
    dry_run: bool = option("Show what would be done, and do nothing.", (RUN,), default=False, flags=("--dry-run",))
    summary: bool = option("Write the report to the job's summary.", (), default=True, action_only=True)
    annotations: int = option(
        "At most so many annotations of each level.", (), default=10, action_only=True, parse=int, metavar="NUMBER"
    )
    folders: tuple[str, ...] = option(
        "Output folders of the parts, one of each `run --shard I/N`; patterns may be used.",
        (MERGE,),
        flags=(),
        metavar="FOLDER...",
        example="parts/*",
    )
    report: str = option(
        "The report, Markdown; by default `report.md` of the output folder.", (COMMENT,), default="", metavar="FILE"
    )
    name: str = option(
        "Tells this comment, or check run, from those of other jobs.", (COMMENT,), default="model", metavar="NAME"
    )
    request: int = option(
        "Pull or merge request; the job's own by default.",
        (COMMENT,),
        default=0,
        parse=positive,
        metavar="NUMBER",
    )
    as_check: bool = option(
        "Write a check run on the commit instead of a comment: its conclusion is the verdict, its annotations are all "
        "findings, not ten (GitHub, `permissions: {checks: write}`).",
        (COMMENT,),
        default=False,
    )
    untrusted: bool = option(
        "The report comes from code that may not speak for the project (a fork): show it as plain text.",
        (COMMENT,),
        default=False,
    )
    github_token: str = option(
        "Token that may write comments, or check runs.",
        (COMMENT,),
        default="",
        action_only=True,
        input_default="${{ github.token }}",
    )


def option_fields() -> tuple[Field[Any], ...]:
    """All options, in the order in which people should read about them."""
    return fields(Options)


def action_options(command: str = "") -> list[Field[Any]]:
    """Inputs of the action for ``command``, or of the root action, which does all that runs and judges."""
    if not command:
        return [item for item in option_fields() if not item.metadata["commands"] or _at_the_root(item)]
    page = () if command == COMMENT else PAGE
    own = ("working_directory", *page)
    return [item for item in option_fields() if command in item.metadata["commands"] or item.name in own]


def _at_the_root(item: Field[Any]) -> bool:
    return bool(set(item.metadata["commands"]) - NOT_AT_THE_ROOT)


def former_names(item: Field[Any]) -> tuple[str, ...]:
    """Names that an input had, and is still known by."""
    known: tuple[str, ...] = item.metadata.get("formerly", ())
    return known


def input_name(item: Field[Any]) -> str:
    """Name of an option as an action input."""
    return key_of(item.name)


def flags_of(item: Field[Any]) -> tuple[str, ...]:
    """Names of an option on the command line; none when it is an argument or only an input."""
    if item.metadata.get("action_only"):
        return ()
    flags: tuple[str, ...] = item.metadata.get("flags", (f"--{input_name(item)}",))
    return flags
