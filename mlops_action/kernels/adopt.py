"""A jupyter_client manager for a process that is running already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from mlops_action.kernels.spawn import Spawned
from mlops_action.records import KernelChoice


def kernel_spec(choice: KernelChoice) -> KernelSpec:
    """A kernel as jupyter_client describes it."""
    return KernelSpec(
        argv=list(choice.argv),
        display_name=choice.display_name,
        language=choice.language,
        env=choice.env,
        interrupt_mode=choice.interrupt_mode,
        resource_dir=choice.spec_dir,
    )


def manager_of(choice: KernelChoice, connection_file: str, info: Mapping[str, Any]) -> tuple[Any, KernelSpec]:
    """A manager that makes clients for a kernel reached by ``info``, and its specification; it knows no process yet."""
    spec = kernel_spec(choice)

    class ChosenSpec(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> Any:  # noqa: ARG002
            return spec

    manager: Any = AsyncKernelManager(
        kernel_name=choice.name, kernel_spec_manager=ChosenSpec(), connection_file=connection_file
    )
    manager.load_connection_info(dict(info))
    return manager, spec


def adopted(choice: KernelChoice, spawned: Spawned) -> Any:
    """The jupyter_client manager of a process that was spawned for ``choice``: it interrupts it and makes clients."""
    manager, spec = manager_of(choice, str(spawned.connection_file), spawned.info)
    process: Any = LocalProvisioner(kernel_id=manager.kernel_id, kernel_spec=spec, parent=manager)
    process.process = spawned.process
    process.pid = process.pgid = spawned.process.pid  # it leads a session and a group of its own
    process.connection_info = spawned.info
    process.ports_cached = spawned.info["transport"] == "tcp"
    manager.provisioner = process
    return manager
