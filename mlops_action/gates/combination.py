"""Several judgements to one: how many must pass, where some cannot tell."""

from __future__ import annotations

from collections.abc import Sequence


def decide(judged: Sequence[bool | None], needed: int) -> bool | None:
    """Whether at least ``needed`` of the judgements pass.

    None (nobody can tell) when it hangs on those that are None themselves: Kleene's three-valued logic.
    Nothing at all never passes.
    """
    passed = sum(each is True for each in judged)
    if not judged or needed < 1:
        return None
    if passed >= needed:
        return True
    return None if passed + sum(each is None for each in judged) >= needed else False
