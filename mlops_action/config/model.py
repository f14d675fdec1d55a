"""``mlops.yaml``: one field is one key, with its doc, default and example.

From here ``make gen`` writes the schemas, the docs and the checks of the loader; a test
fails when they drift. A field ``max_drop`` is the key ``max-drop``. The keys of steps and
of policies are in modules of their own.
"""

from __future__ import annotations

from mlops_action.config.keys import AMOUNT_SCHEMA, DURATION_SCHEMA, SIZE_SCHEMA, key, texts
from mlops_action.config.place_model import IDLE, PACKAGES, PRELOAD, WARM, ContainerSpec, GatewaySpec
from mlops_action.config.policy_model import BASELINE_DOC, PREDICTIONS_DOC, GateSpec
from mlops_action.config.predictions_model import PredictionsSpec
from mlops_action.config.step_model import StepSpec
from mlops_action.config.values import Amount, amounts, duration, size, version_or_path
from mlops_action.config.waiver_model import PolicyGuard, longest_waiver_key, policy_guard_key, waivers_key
from mlops_action.frozen import frozen


@frozen
class EnvironmentSpec:
    """Where kernels run and what they see of the environment."""

    kernel: str = key(
        "Jupyter kernel of every step that names none. A notebook's own kernelspec comes first "
        "when this is left out; a snippet then runs in `python3`.",
        "python3",
        default="",
    )
    python: str = key(
        "Python interpreter (path, or a name on PATH) whose `share/jupyter/kernels` is searched first, and which "
        "`python3` stands for. By default the active virtual environment, then mlops-action's own, then `python3` on "
        "PATH. With `packages`, what their environment is built with; there it may be a version (`3.12`) as well.",
        ".venv/bin/python",
        default="",
        parse=version_or_path,
        schema={"type": ["string", "number"]},
    )
    pass_: tuple[str, ...] = texts(
        "Names of environment variables that kernels may see, besides a short list of harmless ones "
        "(PATH, HOME, LANG, ...). A trailing `*` stands for any ending. Nothing else reaches a notebook.",
        ["OMP_NUM_THREADS", "MLFLOW_*"],
    )
    set: dict[str, str] = key(
        "Environment variables to set for kernels.", {"PYTHONHASHSEED": "0"}, default_factory=dict
    )
    start_timeout: int = key(
        "Longest time that a kernel may take to answer for the first time.",
        "60s",
        default=60,
        parse=duration,
        schema=DURATION_SCHEMA,
    )
    interpreters: dict[str, str] = key(
        "Kernels for the `%interpreter` names of Zeppelin notes, besides the usual ones.",
        {"spark.pyspark": "python3", "sh": "bash"},
        default_factory=dict,
    )
    packages: tuple[str, ...] = PACKAGES
    container: ContainerSpec | None = key(
        "Run kernels in a container of this image.", {"image": "example/train:1.4"}, default=None
    )
    gateway: GatewaySpec | None = key(
        "Run kernels on a Jupyter server elsewhere. Experimental.", {"url": "https://jupyter.example.org"}, default=None
    )
    warm: bool = WARM
    preload: tuple[str, ...] = PRELOAD
    idle: int = IDLE


@frozen
class ManifestSpec:
    """What the manifest records besides the run itself."""

    data: tuple[str, ...] = texts(
        "Further data to record by digest: files or patterns of the project, `git:REF:PATH` for a file as it was "
        "committed, or the address of an object elsewhere (`s3://`, `gs://`, `az://`, `https://`; "
        "`mlops-action[s3]` and so on bring what reads it).",
        ["data/raw/*.parquet", "git:main:data/labels.csv", "s3://bucket/train.parquet"],
    )
    remote_size: int = key(
        "Objects elsewhere up to this size are read for their SHA-256. Of larger ones size, version id and entity tag "
        "are recorded, which prove less.",
        "10GiB",
        default=1024**3,
        parse=size,
        schema=SIZE_SCHEMA,
    )
    environment_variables: tuple[str, ...] = texts(
        "Names of environment variables whose values are recorded. No value is recorded otherwise.",
        ["OMP_NUM_THREADS"],
    )
    tolerances: dict[str, Amount] = key(
        "How far a metric may be off when `manifest reproduce` runs the steps again, by its name: `0.01`, `1%`, or "
        "`{absolute: 0.01, relative: 1%}` (both must hold). Metrics that are not named must be equal.",
        {"accuracy": 0.001},
        default_factory=dict,
        parse=amounts,
        schema={"type": "object", "additionalProperties": AMOUNT_SCHEMA},
    )
    package_files: bool = key(
        "Read every file of the installed packages, and record those that were edited after their installation. "
        "`manifest verify` does so in any case.",
        True,
        default=False,
    )
    energy: bool = key(
        "Record the energy that the machine used while the steps ran (`mlops-action[energy]`: codecarbon, offline). "
        "Without counters in the hardware it is an estimate, and the manifest says so.",
        True,
        default=False,
    )
    stat_cache: bool = key(
        "Do not read data again whose size, inode and times are those of an earlier run on this machine "
        "(`.mlops-cache/`). `manifest verify` reads everything in any case.",
        True,
        default=False,
    )


@frozen
class PipelineSpec:
    """The project's `mlops.yaml`: environment, steps, gates, manifest."""

    version: int = key("Version of this format.", 1, default=1, schema={"const": 1})
    environment: EnvironmentSpec = key("Where kernels run and what they see.", default=EnvironmentSpec())
    environments: dict[str, EnvironmentSpec] = key(
        "Further environments, by name; a step runs in one that it names as its `environment`.",
        {"old": {"packages": "requirements-2024.txt"}},
        default_factory=dict,
    )
    timeout: int = key(
        "Longest time that all steps together may take.", "2h", default=0, parse=duration, schema=DURATION_SCHEMA
    )
    steps: dict[str, StepSpec] = key("The steps, by name. Their order is made from `needs`.", default_factory=dict)
    baseline: str = key(BASELINE_DOC, "git::metrics/accepted.json", default="")
    predictions: dict[str, PredictionsSpec] = key(PREDICTIONS_DOC, default_factory=dict)
    gates: dict[str, GateSpec] | str = key(
        "The gates, by name; or the path of a policy file that holds them; or `none` to run without judging.",
        "gates.yaml",
        default_factory=dict,
    )
    waivers: str = waivers_key()
    longest_waiver: int = longest_waiver_key()
    policy_guard: PolicyGuard | None = policy_guard_key()
    manifest: ManifestSpec = key("What the manifest records besides the run.", default=ManifestSpec())
