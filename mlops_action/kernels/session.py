"""One kernel that runs cells, and what its word is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_action.kernels import failures
from mlops_action.kernels.interface import HURRY_SECONDS, PATIENCE_SECONDS, KernelProcess, Launch
from mlops_action.kernels.usage import UsageMeter
from mlops_action.notebooks.cells import tags_of
from mlops_action.records import Failure

if TYPE_CHECKING:
    from mlops_action.kernels.client import CellClient

_MAY_RAISE = "raises-exception"


@dataclass
class Session:
    """One kernel that runs, and who talks to it."""

    launch: Launch
    process: KernelProcess
    manager: Any
    client: CellClient
    meter: UsageMeter = field(default_factory=lambda: UsageMeter(None))

    @property
    def language(self) -> str:
        """Language of the kernel, in lower case."""
        return self.launch.choice.language.lower()

    async def close(self, *, hurried: bool, on_text: Callable[[str], None]) -> None:
        """Take the last words and stop the kernel."""
        from mlops_action.kernels.client import ECHOING_LANGUAGES

        self.client.put_stream_together()
        self.client.keep_widgets()
        if self.client.kc is not None:
            self.client.kc.stop_channels()
        await self.process.stop(HURRY_SECONDS if hurried else PATIENCE_SECONDS)
        if self.language not in ECHOING_LANGUAGES:
            on_text(self.process.stray_text())


def failure_despite_ok(session: Session, cell: Any, *, last: bool) -> Failure | None:
    """What is wrong although the kernel does not call the cell an error.

    A kernel may give a cell up, or be asked by it to end. IPython's ``exit()`` in the last cell
    leaves nothing undone; other kernels drop the exit code, which may not have been a calm one.
    """
    client = session.client
    status = client.reply.get("status", "ok")
    if status not in {"ok", "error"}:
        return failures.given_up(str(status))
    if session.language == "bash" and client.lost_its_shell:
        allowed = client.allow_errors or _MAY_RAISE in tags_of(cell)
        return None if allowed else failures.left_shell()
    if client.left and not last:
        return failures.died("the cell ended it, with exit code 0", "")
    if client.left and session.language != "python":
        return failures.left_kernel()
    return None
