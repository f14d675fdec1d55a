"""What the gates said."""

from __future__ import annotations

from mlops_action.frozen import frozen
from mlops_action.records.base import Number, documented
from mlops_action.records.evidence import Evidence, Part
from mlops_action.records.guard import GuardReport
from mlops_action.records.waiver import WaiverUse
from mlops_action.vocabulary import Outcome


@frozen
class BaselineIdentity:
    """Where a baseline came from."""

    locator: str = documented("As the policy writes it.")
    resolved: str = documented("What it resolved to: a path, or `git:<commit>:<path>`.")
    digest: str = documented("`sha256:` of the bytes that were read.")


@frozen
class Verdict:
    """What one gate said, and on which grounds."""

    gate: str = documented("Name of the gate.")
    outcome: Outcome = documented("`pass`, `fail`, `warn`, `inconclusive`, or `info`: not passed, and does not count.")
    metric: str = documented("Metric that was judged.")
    message: str = documented("The grounds, in one line with the figures.")
    rule: str = documented("Name of the rule.")
    severity: str = documented("`block`, `warn` or `info`.")
    origin: str = documented("Where the gate is declared.")
    value: Number | None = documented("Candidate's value, exact.", default=None)
    limit: str = documented("The limit as text, in the metric's unit.", default="")
    needed: str = documented("What passes.", default="")
    baseline_value: Number | None = documented("Baseline's value, exact.", default=None)
    baseline: BaselineIdentity | None = documented("Where the baseline came from.", default=None)
    reading_origin: str = documented("Where the candidate's value was read.", default="")
    hint: str = documented("What to do, where something is missing.", default="")
    slice: str = documented("Slice that was judged, or the worst of several; empty for all rows.", default="")
    reading_digest: str = documented("`sha256:` of the candidate's file of predictions.", default="")
    evidence: Evidence | None = documented("How sure the verdict is, where rows tell.", default=None)
    parts: tuple[Part, ...] = documented(
        "What was judged, where it is more than one thing; the worst first.", default=()
    )
    notes: tuple[str, ...] = documented("What else to know: rows left out, slices that are gone.", default=())
    undecided: str = documented(
        "Why it could not be judged: `missing`, `undefined`, `inconclusive` (too little data) or `broken`; else empty.",
        default="",
    )
    waivers: tuple[WaiverUse, ...] = documented("Waivers that allowed it to fail.", default=())


@frozen
class Verdicts:
    """All verdicts of one run (`verdicts.json`)."""

    schema: str = documented("Name and version of this format.")
    tool: str = documented("Version of mlops-action.")
    outcome: Outcome = documented("The worst blocking verdict; `inconclusive` when nothing was judged.")
    reason: str = documented("Why, in one sentence.")
    verdicts: tuple[Verdict, ...] = documented("One for each gate, in policy order.")
    waivers: tuple[WaiverUse, ...] = documented("All waivers of the policy, used or not.", default=())
    guard: GuardReport | None = documented(
        "For a request that changes the policy: what the target branch's policy says.", default=None
    )
