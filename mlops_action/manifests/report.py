"""What a verification says to people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from mlops_action.manifests.findings import WRONG, Finding, Is, is_wrong
from mlops_action.manifests.read import Document
from mlops_action.sanitize import inline


def verify_lines(document: Document, findings: Sequence[Finding], *, everything: bool) -> Iterator[str]:
    """What is wrong, what could not be checked, and the counts."""
    yield f"Manifest {inline(str(document.value.get('manifest-id', '')))}"
    order = {state: place for place, state in enumerate((*WRONG, Is.UNCHECKED, Is.RIGHT))}
    for each in sorted(findings, key=lambda each: order[each.state]):
        if everything or each.state is not Is.RIGHT:
            yield "  " + inline(each.line())
    yield ""
    for kind, counts in _by_kind(findings).items():
        yield f"  {kind}: " + ", ".join(f"{number} {state}" for state, number in counts.items())
    yield "Verified: FAILED" if is_wrong(findings) else "Verified: everything that was checked is as it was recorded"


def _by_kind(findings: Sequence[Finding]) -> dict[str, Counter[str]]:
    kinds: dict[str, Counter[str]] = {}
    for each in findings:
        kinds.setdefault(each.kind, Counter())[str(each.state)] += 1
    return kinds
