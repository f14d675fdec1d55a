"""What equal programs may still differ by: processor features, GPUs, drivers, numeric libraries, thread settings."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from mlops_action.facts.interface import Scene
from mlops_action.kernels.environment import kernel_environment
from mlops_action.records import Fact, Json, Uncaptured

SWITCHES = (
    *("PYTHONHASHSEED", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "MKL_NUM_THREADS", "MKL_CBWR"),
    *("NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_DYNAMIC"),
    *("CUBLAS_WORKSPACE_CONFIG", "CUDA_VISIBLE_DEVICES", "NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"),
    *("TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC", "TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS", "SOURCE_DATE_EPOCH"),
)
"""Variables that decide whether a computation gives the same bits again."""
FEATURES = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "amx_tile", "asimd", "sve", "sve2")
"""Processor features that numeric libraries choose their code by."""
_FLAGS = re.compile(r"^(?:flags|Features)\s*:\s*(.+)$", re.MULTILINE)
_QUERY = ["--query-gpu=name,driver_version,memory.total,compute_cap", "--format=csv,noheader"]
_LIBRARIES = ("numpy.libs/*", "scipy.libs/*", "scikit_learn.libs/*", "torch/lib/libtorch_cpu.so*", "nvidia/*/lib/*.so*")
_TIMEOUT_SECONDS = 20


class MachineFact:
    """The switches that kernels see are identity; the machine is an observation."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        """Read the processor below ``proc``."""
        self._proc = proc

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact."""
        gpus, why = _gpus(scene)
        return Fact(
            "machine",
            identity={"switches": _switches(scene)},
            observation={
                "cpu-features": _features(self._proc / "cpuinfo"),
                "gpus": gpus,
                "libraries": sorted(set(_libraries(scene))),
            },
            uncaptured=(Uncaptured("GPUs", why),) if why else (),
        )


def _switches(scene: Scene) -> Json:
    """Of the switches those that kernels are given, as they were when the run began."""
    seen = kernel_environment(scene.context.env, (), scene.plan.environment)
    return {name: scene.redactor.text(seen[name]) for name in SWITCHES if name in seen}


def _features(cpuinfo: Path) -> list[str]:
    try:
        found = _FLAGS.search(cpuinfo.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []
    flags = set(found.group(1).split()) if found else set()
    return [name for name in FEATURES if name in flags]


def _gpus(scene: Scene) -> tuple[list[Json], str]:
    """What the driver tells of each GPU, and why it does not, where there seems to be one."""
    program = shutil.which("nvidia-smi", path=scene.context.env.get("PATH"))
    if program is None:
        device = Path("/dev/nvidiactl").exists() or Path("/dev/kfd").exists()
        return [], "there is a GPU device, and no `nvidia-smi` that would tell about it" if device else ""
    try:
        done = subprocess.run(
            [program, *_QUERY], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return [], "`nvidia-smi` did not answer"
    if done.returncode:
        return [], f"`nvidia-smi` ended with {done.returncode}"
    rows = [[part.strip() for part in line.split(",")] for line in done.stdout.decode(errors="replace").splitlines()]
    keys = ("name", "driver", "memory", "compute-capability")
    return [dict(zip(keys, row, strict=False)) for row in rows if any(row)], ""


def _libraries(scene: Scene) -> Iterator[str]:
    """Names of the numeric libraries that the packages of Python kernels bring, with the version in them."""
    for folder in site_folders(scene):
        for pattern in _LIBRARIES:
            yield from (path.name for path in folder.glob(pattern) if ".so" in path.name or path.suffix == ".dylib")


def site_folders(scene: Scene) -> list[Path]:
    """The package folders beside the interpreters of the kernels."""
    programs = {step.kernel.argv[0] for step in scene.plan.steps if step.kernel and step.kernel.argv}
    prefixes = {(scene.root / program).parent.parent for program in programs if "/" in program}
    return [folder for prefix in sorted(prefixes) for folder in sorted(prefix.glob("lib/python*/site-packages"))]
