"""The sessions that there are, how they are, and their end."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from mlops_action.errors import SessionUnusable, UnknownName, nearest
from mlops_action.frozen import frozen
from mlops_action.sessions.control import HOLD, LOOK, STOP, ask
from mlops_action.sessions.lock import is_free, locked
from mlops_action.sessions.notebook import cells_run
from mlops_action.sessions.shelf import Place, SessionRecord, Shelf
from mlops_action.sessions.watch import sweep
from mlops_action.stores.interface import Store

STOP_SECONDS = 20.0
GONE = "its supervisor was killed, or the machine was restarted"
FOLDER = "sessions"
"""Where the notebooks of sessions go in the output folder."""


@frozen
class Found:
    """A session and its present state: ``idle``, ``busy``, ``ended`` or ``gone``."""

    place: Place
    record: SessionRecord
    state: str
    idle: float = 0.0
    secrets: tuple[str, ...] = ()
    """Values that its kernel was given, and that must be masked from now on."""
    how: str = ""
    """How it ended, where it did."""

    @property
    def name(self) -> str:
        """The session's."""
        return self.record.name

    def told(self, now: datetime) -> dict[str, Any]:
        """What `session list` says of it."""
        age = (now - datetime.fromisoformat(self.record.started)).total_seconds()
        return {
            "name": self.name,
            "kernel": self.record.kernel.label,
            "state": self.state,
            "how": self.how,
            "age-seconds": round(age, 1),
            "idle-seconds": round(self.idle, 1),
            "cells": cells_run(self.place.notebook),
        }


def find(place: Place, *, to_use: bool = False) -> Found | None:
    """The session in a place, and how it is; None when there is none.

    Args:
        place: where it would be.
        to_use: it is about to be used: it does not end for being idle meanwhile.

    Raises:
        SessionUnusable: its folder is not safe.
    """
    record = place.record()
    if record is None:
        return None
    if record.ended:
        return Found(place, record, "ended", how=record.ended)
    answer = ask(place.control, {"do": HOLD if to_use else LOOK})
    if answer is None:
        record = place.record() or record  # it may have ended just now
        return Found(place, record, "ended" if record.ended else "gone", how=record.ended or GONE)
    return Found(place, record, answer["state"], answer["idle"], tuple(answer["secrets"]))


def find_all(shelf: Shelf) -> list[Found]:
    """All sessions of a project in a job, by name."""
    return [found for place, _ in shelf.all() if (found := find(place)) is not None]


def named(shelf: Shelf, name: str) -> Found:
    """The session of that name.

    Raises:
        UnknownName: there is none.
        SessionUnusable: its folder is not safe.
    """
    found = find(shelf.place(name))
    if found is None:
        known = [record.name for _, record in shelf.all() if record.root == shelf.root]
        hint = nearest(name, known) if known else "`mlops-action session list` shows those that there are"
        raise UnknownName(f"there is no session `{name}`", hint=hint)
    return found


def stop(found: Found, store: Store) -> str:
    """End a session, whatever its state; the path of its notebook is returned, empty when it has run nothing.

    Raises:
        SessionUnusable: it cannot be ended.
        WriteFailed: its notebook cannot be kept; it stays where it is.
        SecretFound: its notebook would hold a secret.
    """
    place = found.place
    if found.state in {"idle", "busy"} and ask(place.control, {"do": STOP}, STOP_SECONDS, to_the_end=True) is None:
        still = find(place)
        if still is not None and still.state in {"idle", "busy"}:
            raise SessionUnusable(
                f"session `{found.name}` does not end", hint=f"kill process {found.record.supervisor}"
            )
    with locked(place.lock, lambda _: None, STOP_SECONDS):  # a command that was using it has to write down its end
        return clear(found, store)


def clear(found: Found, store: Store) -> str:
    """Remove what is left of a session that has ended; its notebook is kept in ``store``."""
    sweep(found.record.token, found.place.folder)
    kept = keep(found, store, f"{FOLDER}/{found.name}.ipynb") if cells_run(found.place.notebook) else ""
    found.place.remove()
    return kept


def keep(found: Found, store: Store, name: str) -> str:
    """Write the notebook of a session; its path is returned.

    Raises:
        WriteFailed: no space or no permission.
        SessionUnusable: it has none.
    """
    try:
        text = found.place.notebook.read_text("utf-8")
    except OSError as error:
        raise SessionUnusable(f"the notebook of session `{found.name}` cannot be read: {error.strerror}") from None
    return store.write_text(name, text)


def remove_forgotten(shelf: Shelf) -> None:
    """Remove what ended long ago and nobody asked for: sessions of jobs that are over."""
    for place in shelf.forgotten():
        found = find(place)
        if found is not None and found.state in {"ended", "gone"} and is_free(place.lock):
            sweep(found.record.token, place.folder)
            place.remove()
    for lock in shelf.forgotten_locks():
        if is_free(lock):
            lock.unlink(missing_ok=True)


def path_near(path: str, folder: Path) -> str:
    """A path for people: relative to ``folder`` when it is in it."""
    return str(Path(path).relative_to(folder)) if Path(path).is_relative_to(folder) else path
