"""The keys that say where kernels run."""

from __future__ import annotations

from enum import StrEnum

from mlops_action.config.keys import DURATION_SCHEMA, SIZE_SCHEMA, key, texts
from mlops_action.config.values import duration, size
from mlops_action.frozen import frozen


class MountKernel(StrEnum):
    """What is done for an image that holds no Jupyter kernel."""

    NEVER = "never"
    IPYKERNEL = "ipykernel"


@frozen
class ContainerSpec:
    """A container that kernels run in."""

    image: str = key(
        "The image. `name@sha256:...` is exact; of a tag, the digest that it stands for is looked up and recorded.",
        "registry.example.org/train@sha256:0123...",
        default="",
    )
    pull: bool = key("Pull an image that is not there. Without it, that is an error.", False, default=True)
    workspace: str = key(
        "How the project folder is mounted: `rw`, or `ro` so that the notebook cannot change it.", "ro", default="rw"
    )
    mounts: dict[str, str] = key(
        "Further files and folders to mount, read-only unless `:rw` is appended: path here, path in the container.",
        {"/data/images": "/data"},
        default_factory=dict,
    )
    network: bool = key("Whether the container has a network.", False, default=True)
    gpus: str = key("GPUs that it sees: `all`, a number, or device ids.", "all", default="")
    memory: int = key("Most memory that it may use.", "8GiB", default=0, parse=size, schema=SIZE_SCHEMA)
    shared_memory: int = key(
        "Size of `/dev/shm`; data loaders with workers need more than the usual 64 MiB.",
        "2GiB",
        default=0,
        parse=size,
        schema=SIZE_SCHEMA,
    )
    cpus: float = key("Most CPUs that it may use.", 2.5, default=0.0, schema={"type": "number", "minimum": 0})
    user: str = key(
        "User (`uid` or `uid:gid`) to run as; by default the owner of the project folder.", "1000:1000", default=""
    )
    mount_kernel: MountKernel = key(
        "For an image with Python but without a Jupyter kernel: `ipykernel` mounts the one beside mlops-action "
        "read-only, when its Python is of the same version.",
        "ipykernel",
        default=MountKernel.NEVER,
    )


@frozen
class GatewaySpec:
    """A Jupyter server or Kernel Gateway elsewhere that kernels run on. Experimental."""

    url: str = key("Its base address.", "https://jupyter.example.org/user/ci", default="")
    token_from: str = key("Environment variable that holds the token.", "JUPYTER_TOKEN", default="")


PACKAGES = texts(
    "Packages that kernels need: a file (`requirements.txt`, `pylock.toml`, `uv.lock` or `pyproject.toml`), or a "
    "list of requirements. A Python environment is built for them and kept in a cache; nothing else is changed.",
    ["scikit-learn==1.7.2", "pandas>=2"],
)
WARM = key(
    "Start kernels by forking a process that has imported ipykernel and `preload` already. Much quicker; see its "
    "limits in docs/kernels.md.",
    True,
    default=False,
)
PRELOAD = texts("Modules that a warm start has imported already.", ["numpy", "pandas"])
IDLE = key(
    "How long a session may be idle before it ends.", "30m", default=3600, parse=duration, schema=DURATION_SCHEMA
)
