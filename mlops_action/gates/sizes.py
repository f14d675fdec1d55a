"""An amount (absolute, a share, or both) worked out for one reference value."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from mlops_action.config.values import Amount
from mlops_action.frozen import frozen
from mlops_action.gates.exact import percent, text_of, times


@frozen
class Sizes:
    """The sizes that must all hold, exactly; ``undefined`` when there is one more that has no size."""

    known: tuple[Decimal, ...]
    amount: Amount
    undefined: bool

    def decide(self, holds: Callable[[Decimal], bool]) -> bool | None:
        """Whether all sizes hold; None when that hangs on a share that is undefined."""
        if not all(holds(size) for size in self.known):
            return False
        return None if self.undefined else True

    def text(self, shown: list[str], reference: str) -> str:
        """The known sizes, given as text, with the share that each was made from."""
        texts = list(shown)
        if self.amount.relative is not None and not self.undefined:
            texts[-1] += f" ({percent(self.amount.relative)} of {reference})"
        return f"{' and '.join(texts)} {'are' if len(texts) > 1 else 'is'}"


def sizes_of(amount: Amount, reference: Decimal) -> Sizes:
    """Work out ``amount``: a share is one of the reference's distance from 0.

    Raises:
        ArithmeticError: a share has more digits than anybody means.
    """
    known = [] if amount.absolute is None else [amount.absolute]
    undefined = amount.relative is not None and not reference
    if amount.relative is not None and not undefined:
        known.append(times(amount.relative, reference.copy_abs()))
    return Sizes(tuple(known), amount, undefined)


def amount_text(amount: Amount) -> str:
    """An amount as a policy writes it: ``0.005``, ``1%``, ``0.005 and 1%``."""
    parts = [] if amount.absolute is None else [text_of(amount.absolute)]
    return " and ".join(parts if amount.relative is None else [*parts, percent(amount.relative)])
