"""``mlops-action comment``: the report of a run, where the change is discussed."""

from __future__ import annotations

from pathlib import Path

from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.errors import CommentRefused, ExitCode, FileMissing, UsageError
from mlops_action.frozen import frozen
from mlops_action.records import Annotation, Emissions, RunResult, Verdicts
from mlops_action.sanitize import inline

MOST_BYTES = 1024 * 1024
"""Of a report that may be anybody's no more is read; ours are shorter."""
REFUSED = "refused"


@frozen
class CommentDesk:
    """One comment, or check run, from the files of a run."""

    settings: Settings
    context: Context

    def run(self) -> ExitCode:
        """Write it; without the permission the log says so and nothing fails: the verdict is that of the run.

        Raises:
            MlopsError: there is no report, or no request that it belongs to.
        """
        from mlops_action.ci.comment import shown
        from mlops_action.ci.detect import detect

        path = self._report()
        with path.open("rb") as handle:
            text = handle.read(MOST_BYTES).decode("utf-8", errors="replace")
        what = "check run" if self.settings.options.as_check else "comment"
        try:
            done = self._check(path.parent, text) if self.settings.options.as_check else self._comment(text)
            said = f"The {what} was {done}" if done != "unchanged" else f"The {what} is as it was"
        except CommentRefused as refused:
            done = REFUSED
            mark = "::notice title=mlops-action::" if self.context.env.get("GITHUB_ACTIONS") == "true" else ""
            kept = "the report is in the job's summary and in " + inline(str(self._name()))
            said = f"{mark}no {what}: {inline(refused.message)}; {kept}"
        summary = shown(text, trusted=not self.settings.options.untrusted) if done == REFUSED else ""
        emissions = Emissions((), summary, (("done", done),), ())
        lines = [said, *detect(self.context.env).publish(emissions, self.context, 0)]
        self.context.out.writelines(f"{line}\n" for line in lines)
        return ExitCode.PASSED

    def _name(self) -> Path:
        options = self.settings.options
        return Path(options.report or f"{options.output_dir}/report.md")

    def _report(self) -> Path:
        path = self.context.cwd / self._name()
        if not path.is_file():
            hint = "run `mlops-action run` first, or name it: `--report`"
            raise FileMissing(f"there is no report {self._name()}", origin=self.settings.origin("report"), hint=hint)
        return path

    def _comment(self, text: str) -> str:
        from mlops_action.ci.comment import forge_of, keep_comment

        options = self.settings.options
        forge = forge_of(self.context.env, options.request, options.github_token)
        return keep_comment(forge, options.name, text, trusted=not options.untrusted)

    def _check(self, folder: Path, text: str) -> str:
        from mlops_action.ci.check_run import judged_commit, write_check
        from mlops_action.ci.rest import GitHubRepository

        options, env = self.settings.options, self.context.env
        if options.untrusted:
            raise UsageError(
                "a check run speaks for the project, and this report may not",
                origin=self.settings.origin("untrusted"),
                hint="write a comment instead, or leave `untrusted` out where the report is the project's own",
            )
        repository = GitHubRepository.of(env, options.github_token)
        verdict, annotations = self._found(folder)
        write_check(repository, judged_commit(env), options.name, verdict, (text, annotations))
        return "written"

    def _found(self, folder: Path) -> tuple[str, tuple[Annotation, ...]]:
        """The verdict and the findings, from the files beside the report."""
        from mlops_action.ci.detect import detect
        from mlops_action.codec import load_document
        from mlops_action.formats.interface import Account
        from mlops_action.report import findings, verdict_text
        from mlops_action.stores.folder import RUN_FILE, VERDICTS_FILE
        from mlops_action.vocabulary import RUN_SCHEMA, VERDICTS_SCHEMA

        run_file, verdicts_file = folder / RUN_FILE, folder / VERDICTS_FILE
        run = load_document(RunResult, run_file, RUN_SCHEMA) if run_file.is_file() else None
        verdicts = load_document(Verdicts, verdicts_file, VERDICTS_SCHEMA) if verdicts_file.is_file() else None
        account = Account(run, verdicts, None)
        workspace = detect(self.context.env).workspace(self.context.env)
        root = Path(run.plan.root) if run is not None and Path(run.plan.root).is_absolute() else self.context.cwd
        inside = workspace and root.is_relative_to(workspace)
        return verdict_text(account), findings(account, root.relative_to(workspace).as_posix() if inside else "")
