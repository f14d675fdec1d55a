"""A jupyter_client manager for a kernel in a container."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from mlops_action.kernels.adopt import manager_of

if TYPE_CHECKING:
    from mlops_action.kernels.container_process import ContainerKernel


class ContainerProvisioner(KernelProvisionerBase):
    """What jupyter_client knows of the process: it is in a container."""

    kernel: ContainerKernel

    @property
    def has_process(self) -> bool:
        """It was started before this was made."""
        return True

    async def poll(self) -> int | None:
        """None while it runs."""
        return 1 if self.kernel.ended_by() else None

    async def wait(self) -> int | None:
        """Wait for its end."""
        await asyncio.to_thread(self.kernel.over.wait)
        return 1

    async def send_signal(self, signum: int) -> None:
        """To the kernel and the processes of its group."""
        await asyncio.to_thread(self.kernel.send_signal, signum)

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002
        """End it at once."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:  # noqa: ARG002
        """Ask it to end."""
        await self.send_signal(signal.SIGTERM)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:  # noqa: ARG002
        """It runs already."""
        return self.connection_info

    async def cleanup(self, restart: bool = False) -> None:
        """Its container is removed elsewhere."""


def managed(kernel: ContainerKernel) -> Any:
    """The manager of a kernel whose container runs: it interrupts it and makes clients."""
    info = kernel.reached()
    manager, spec = manager_of(kernel.launch.choice, str(kernel.folder / "kernel.json"), info)
    process: Any = ContainerProvisioner(kernel_id=manager.kernel_id, kernel_spec=spec, parent=manager)
    process.kernel = kernel
    process.connection_info = info
    manager.provisioner = process
    return manager
