"""Rules that compare the candidate's value with the baseline's."""

from __future__ import annotations

from decimal import Decimal

from mlops_action.frozen import frozen
from mlops_action.gates.exact import figures, minus, plus, text_of
from mlops_action.gates.interface import Judgement
from mlops_action.gates.limits import amount_limit, higher_is_better
from mlops_action.gates.sizes import Sizes, amount_text, sizes_of
from mlops_action.records import PlannedGate


@frozen
class _Change:
    """From the baseline's value to the candidate's, seen in the metric's direction."""

    metric: str
    value: Decimal
    baseline: Decimal
    higher: bool

    @property
    def gain(self) -> Decimal:
        """How much better, exactly; negative when worse."""
        return minus(self.value, self.baseline) if self.higher else minus(self.baseline, self.value)

    def after(self, gain: Decimal) -> Decimal:
        """The value that would have gained so much."""
        return plus(self.baseline, gain) if self.higher else minus(self.baseline, gain)

    def told(self, value: str, baseline: str, size: str) -> str:
        """The change in words."""
        if self.value == self.baseline:
            return f"{self.metric} stayed at {value}"
        return (
            f"{self.metric} {'rose' if self.value > self.baseline else 'fell'} by {size} (from {baseline} to {value})"
        )


class _ChangeRule:
    """Passes when the gain is at least (or, with a ceiling, at most) what each size of the amount requires."""

    needs_baseline = True
    verb = ""
    ceiling = False

    def judge(self, gate: PlannedGate, value: Decimal, baseline: Decimal | None) -> Judgement:
        """Judge ``value``; see ``Rule``. A share of the baseline 0 is undefined.

        Raises:
            BadDocument: the plan does not hold the amount or the direction.
        """
        amount = amount_limit(gate)
        higher = higher_is_better(gate)
        limit = f"{self.demand(higher)} {amount_text(amount)}"
        if baseline is None:
            return Judgement(None, "there is no baseline to compare with", limit)
        try:
            return self._compare(_Change(gate.metric, value, baseline, higher), sizes_of(amount, baseline), limit)
        except ArithmeticError:
            return Judgement(None, f"the change of {gate.metric} has too many digits to tell", limit)

    def required(self, size: Decimal) -> Decimal:
        """The gain that a size of the amount asks for, or allows at most; negative for a loss."""
        raise NotImplementedError

    def demand(self, higher: bool, gain: Decimal | None = None) -> str:
        """Words before the amount, shorter when the change went the way that the rule is about."""
        raise NotImplementedError

    def _compare(self, change: _Change, sizes: Sizes, limit: str) -> Judgement:
        gain = change.gain
        passed = sizes.decide(lambda size: gain <= self.required(size) if self.ceiling else gain >= self.required(size))
        ends = (change.value, change.baseline, gain.copy_abs())
        if passed is None:
            said = f"{change.told(*figures(*ends))}; a share of the baseline 0 is undefined"
            return Judgement(None, said, limit, "a baseline other than 0, or an absolute amount alone")
        strictest = min if self.ceiling else max
        bound = change.after(strictest(self.required(size) for size in sizes.known))
        here, before, size, _, *shown = figures(*ends, bound, *sizes.known)
        asked = f"{self.demand(change.higher, gain)} {sizes.text(shown, 'the baseline')} {self.verb}"
        needed = f"at {'least' if change.higher != self.ceiling else 'most'} {text_of(bound)}"
        return Judgement(passed, f"{change.told(here, before, size)}; {asked}", limit, needed)


class MaxDrop(_ChangeRule):
    """Passes unless the value is worse than the baseline by more than the amount."""

    verb = "allowed"

    def required(self, size: Decimal) -> Decimal:
        """A loss of ``size`` is allowed."""
        return size.copy_negate()

    def demand(self, higher: bool, gain: Decimal | None = None) -> str:
        """``at most`` after a loss, else with the word for a loss."""
        loss = "drop" if higher else "rise"
        return "at most" if gain is not None and gain < 0 else f"a {loss} of at most"


class MinGain(_ChangeRule):
    """Passes when the value is better than the baseline by at least the amount."""

    verb = "needed"

    def required(self, size: Decimal) -> Decimal:
        """A gain of ``size`` is needed."""
        return size

    def demand(self, higher: bool, gain: Decimal | None = None) -> str:
        """``at least`` after a gain, else with the word for a gain."""
        better = "rise" if higher else "drop"
        return "at least" if gain is not None and gain > 0 else f"a {better} of at least"


class MaxGain(_ChangeRule):
    """Passes unless the value is better than the baseline by more than the amount: too good to be true."""

    verb = "allowed"
    ceiling = True

    def required(self, size: Decimal) -> Decimal:
        """A gain of ``size`` is allowed."""
        return size

    def demand(self, higher: bool, gain: Decimal | None = None) -> str:
        """``at most`` after a gain, else with the word for a gain."""
        better = "rise" if higher else "drop"
        return "at most" if gain is not None and gain > 0 else f"a {better} of at most"
