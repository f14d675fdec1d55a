"""Who wrote a waiver, and whether that is who it serves, as far as git knows.

Git's authors are what the committer says they are; a forge's rules about who may approve
are stronger. What is found here is for the eyes of a reviewer.
"""

from __future__ import annotations

from mlops_action.errors import GitRefused
from mlops_action.frozen import frozen
from mlops_action.judgement.waivers import Written
from mlops_action.records import Waiver
from mlops_action.repository import Repository

_NOT_COMMITTED = "0" * 40


@frozen
class _Change:
    """The commits since the base, and who wrote them, but for those that only wrote waivers."""

    commits: frozenset[str]
    authors: frozenset[str]


@frozen
class _Line:
    commit: str
    name: str
    mail: str
    boundary: bool


class Authorship:
    """Looks waivers up in the history of their file."""

    def __init__(self, repository: Repository) -> None:
        """Take the repository around the project folder."""
        self._repository = repository
        self._known: dict[Waiver, Written] = {}

    def __call__(self, waiver: Waiver) -> Written:
        """Who wrote a waiver, and what a reviewer should look at."""
        if waiver not in self._known:
            self._known[waiver] = self._looked_up(waiver)
        return self._known[waiver]

    def _looked_up(self, waiver: Waiver) -> Written:
        try:
            lines = self._lines(waiver)
            shallow = self._repository.text("rev-parse", "--is-shallow-repository") == "true"
        except GitRefused as refusal:
            return "", (f"nobody can tell who wrote it: {refusal.message}",)
        names = ", ".join(dict.fromkeys(line.name for line in lines if line.commit != _NOT_COMMITTED))
        if any(line.commit == _NOT_COMMITTED for line in lines):
            return names, ("it is not committed",)
        if shallow and any(line.boundary for line in lines):
            return "", ("nobody can tell who wrote it: the clone is shallow",)
        try:
            return names, tuple(self._flags(waiver, lines))
        except GitRefused as refusal:
            return names, (f"nobody can tell whether the change's own author wrote it: {refusal.message}",)

    def _flags(self, waiver: Waiver, lines: list[_Line]) -> list[str]:
        change = self._change(_place(waiver)[0])
        flags = ["it came with this change"] if any(line.commit in change.commits for line in lines) else []
        own = dict.fromkeys(line.name for line in lines if line.mail in change.authors)
        flags += [f"the change's own author wrote it: {', '.join(own)}"] if own else []
        approver = waiver.approver.lower()
        flags += ["the change's own author approved it"] if any(mail in approver for mail in change.authors) else []
        return flags

    def _change(self, file: str) -> _Change:
        """Raises GitRefused when the base is not in this clone."""
        since = f"{self._repository.base_commit()}..HEAD"
        commits = self._repository.text("rev-list", since)
        others = ("--", ":/", f":(exclude){file}")
        authors = self._repository.text("log", "--no-merges", "--format=%aE", since, *others)
        return _Change(frozenset(commits.split()), frozenset(authors.lower().split("\n")) - {""})

    def _lines(self, waiver: Waiver) -> list[_Line]:
        file, first = _place(waiver)
        said = self._repository.text("blame", "--line-porcelain", "-L", f"{first},{waiver.last_line}", "--", file)
        found, head, about = [], "", {"author": "", "author-mail": "", "boundary": ""}
        for line in said.split("\n"):
            word, _, rest = line.partition(" ")
            if line.startswith("\t"):
                mail = about["author-mail"].strip("<>").lower()
                found.append(_Line(head, about["author"], mail, bool(about["boundary"])))
                head, about = "", dict.fromkeys(about, "")
            elif not head:
                head = word
            elif word in about:
                about[word] = rest or word
        return found


def _place(waiver: Waiver) -> tuple[str, str]:
    """File and first line of a waiver."""
    file, line, _ = waiver.origin.rsplit(":", 2)
    return file, line
