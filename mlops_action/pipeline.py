"""The composition root: wires the stages, and turns what they say into an exit code.

argv → Settings → Loaded → Plan → RunResult → Verdicts → Manifest → Emissions → exit code
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_action.announce import counted, say_end, say_plan, say_verdicts
from mlops_action.canonical import pretty_bytes
from mlops_action.ci.console import Console
from mlops_action.ci.detect import detect
from mlops_action.codec import encode, load_document
from mlops_action.config.adhoc import load_pipeline, refuse_adhoc_options
from mlops_action.config.load import NO_GATES, Loaded, find_config
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.ending import exit_code
from mlops_action.errors import (
    ConfigMissing,
    ExitCode,
    MetricUnreadable,
    MlopsError,
    NothingToJudge,
    Problems,
    UsageError,
)
from mlops_action.formats.interface import BINARY_SUFFIXES, Account
from mlops_action.frozen import frozen
from mlops_action.gate_plan import gates_only, with_gates_of
from mlops_action.judging import Judge
from mlops_action.records import Emissions, MetricReading, Plan, RunResult, Verdicts
from mlops_action.redact import Redactor, secret_arguments, secret_values
from mlops_action.report import ExecutedNotebooks, report
from mlops_action.stores.folder import MANIFEST_FILE, RUN_FILE, VERDICTS_FILE, FolderStore
from mlops_action.vocabulary import RUN_SCHEMA, VERDICTS_SCHEMA

if TYPE_CHECKING:
    from mlops_action.kernels.places import Places


@frozen
class Pipeline:
    """One invocation: the settings, the world, and the stages that it needs."""

    settings: Settings
    context: Context

    @cached_property
    def loaded(self) -> Loaded:
        """The checked configuration."""
        return load_pipeline(self.settings, self.context.cwd)

    @cached_property
    def redactor(self) -> Redactor:
        """Knows the secrets of the environment and those given as parameters."""
        given = [text.partition("=") for text in self.settings.options.parameters]
        named = [(name, spelled) for name, _, value in given for spelled in (value, value.strip().strip("'\""))]
        with suppress(MlopsError):  # without a configuration there are no parameters in it
            for environment in (self.loaded.spec.environment, *self.loaded.spec.environments.values()):
                named += environment.set.items()
            for step in self.loaded.spec.steps.values():
                named += [(name, value) for name, value in step.parameters.items() if isinstance(value, str)]
        return Redactor(secret_values([*self.context.env.items(), *named]))

    @cached_property
    def console(self) -> Console:
        """The log, in the form of the CI system around us."""
        console = Console(self.context.out, detect(self.context.env), self.redactor, self.context.env)
        console.conceal()
        return console

    @cached_property
    def kernels(self) -> Places:
        """Where kernels run."""
        from mlops_action.kernels.elsewhere import placed
        from mlops_action.kernels.places import DEFAULT, Places

        spec = self.loaded.spec
        usual = replace(spec.environment, python=self.settings.options.python or spec.environment.python)
        wishes, origin = self.settings.options.places, self.settings.origin("places")
        specs = placed({**spec.environments, DEFAULT: usual}, wishes, origin)
        return Places(specs, self.loaded.root, self.context.env)

    def judge(self, plan: Plan) -> Judge:
        """Judges what was measured in the folder of a plan."""
        return Judge.of(plan, self.settings, self.context)

    def check(self, strict: bool = False) -> ExitCode:
        """Say whether the configuration is right, kernels and files included; ``strict`` makes warnings errors."""
        steps = self.loaded.spec.steps
        if steps:
            _, problems = self._planned()
            if problems:
                raise Problems(problems)
        from mlops_action.lint.policy import check_policy

        check_policy(self.loaded, self.settings, self.context, self.console, strict)
        self.console.say(
            f"{self.loaded.file or 'the options'}: ok ({counted(steps, 'step')}, {counted(self.loaded.gates, 'gate')})"
        )
        return ExitCode.PASSED

    def plan(self) -> ExitCode:
        """Print what a run would do; the exit code is that of what is missing."""
        from mlops_action.formats.plan_text import plan_lines
        from mlops_action.shard import PARTS_FILE, parts_files, plan_outputs

        plan, problems = self._planned()
        states = {kernel.label: self.kernels.state(kernel) for step in plan.steps for kernel in step.kernels}
        self.console.say(*plan_lines(plan, self.loaded.judging, states))
        outputs = plan_outputs(plan, self.settings.options.parts)
        for name, data in parts_files(dict(outputs)):
            self.console.say(
                f"Parts: {data.decode().strip()}" if name == PARTS_FILE else f"  for child pipelines: {name}"
            )
            self._store(plan).write(name, data)
        self.console.say(*self.console.system.publish(Emissions((), "", outputs, ()), self.context, 0))
        if problems:
            raise Problems(problems)
        return ExitCode.PASSED

    def run(self) -> ExitCode:
        """Run the steps, judge the gates, write everything."""
        if self.settings.options.dry_run:
            return self.plan()
        from mlops_action.assemble import assemble

        plan, problems = self._planned()
        if problems:
            raise Problems(problems)
        say_plan(self.console, plan)
        self._store(plan).begin()
        run = self._execute(plan, self._store(plan)) if self.settings.options.repeat == 1 else self._repeated(plan)
        self._store(plan).write(RUN_FILE, pretty_bytes(encode(run)))
        # What a gate needs may be in another part.
        verdicts = None if plan.shard else self.judge(plan).run(plan, run, self.loaded.judging)
        self._emit(plan, Account(run, verdicts, None if plan.shard else assemble(run, verdicts)))
        return exit_code(run, verdicts)

    def gate(self, run_file: str) -> ExitCode:
        """Judge the gates alone: of an earlier run's file, or of metric files as they are."""
        if not self.loaded.gates:
            raise NothingToJudge(
                "there is no gate to judge by",
                origin=self.loaded.file,
                hint="add `gates:`, or name them with `--gates`",
            )
        metrics = self.settings.options.metrics
        if metrics and run_file:
            raise UsageError("`--metrics` and `--run` exclude each other")
        if metrics or (not run_file and self._on_predictions_alone()):
            plan, run = gates_only(self.loaded, self.settings), None
            verdicts = self.judge(plan).readings(plan, self._metric_files(metrics))
        else:
            run = self._earlier_run(run_file, self.loaded.root)
            plan = with_gates_of(run.plan, self.loaded, self.settings)
            made_in = (self.context.cwd / run_file).parent if run_file else self._store(plan).folder
            verdicts = self.judge(plan).earlier(plan, run, made_in)
        notebooks_in = (self.context.cwd / run_file).parent if run_file else None
        self._emit(plan, Account(run, verdicts, None), notebooks_in)
        return exit_code(run, verdicts)

    def merge(self) -> ExitCode:
        """Put the results of all shards together, and go on as a run does."""
        from mlops_action.assemble import assemble
        from mlops_action.merge import folders_of, merged, read_parts

        parts = read_parts(folders_of(self.settings.options.folders, self.context.cwd), self.context.cwd)
        run = merged(parts)
        notebooks = [each for part in parts for each in part.notebooks()]
        plan, judging = self._judged_here(run.plan)
        run = replace(run, plan=plan)
        store = self._store(plan)
        if any(part.folder.resolve() == store.folder.resolve() for part in parts):
            raise UsageError(
                f"the results of the merge would replace those in {plan.output_dir}",
                origin=self.settings.origin("output_dir"),
                hint="move that folder, or name another one with `--output-dir`",
            )
        store.begin()
        for name, data in notebooks:
            store.write(name, data)
        store.write(RUN_FILE, pretty_bytes(encode(run)))
        verdicts = self.judge(plan).run(plan, run, judging)
        self._emit(plan, Account(run, verdicts, assemble(run, verdicts)))
        return exit_code(run, verdicts)

    def manifest(self, run_file: str, verdicts_file: str) -> ExitCode:
        """Assemble the manifest alone, from the files of the stages before."""
        from mlops_action.assemble import assemble, encode_manifest
        from mlops_action.beside import files_beside

        store = FolderStore(self._root(), self.settings.options.output_dir, self.redactor)
        run = self._earlier_run(run_file, self._root())
        path = self.context.cwd / verdicts_file if verdicts_file else store.folder / VERDICTS_FILE
        verdicts = None
        if verdicts_file or path.is_file():
            verdicts = load_document(Verdicts, path, VERDICTS_SCHEMA)
        manifest = assemble(run, verdicts)
        written = store.write(MANIFEST_FILE, encode_manifest(manifest))
        for name, data in files_beside(manifest, run):
            store.write(name, data)
        self.console.say(f"Wrote {written}", f"Manifest {manifest.manifest_id}")
        return ExitCode.PASSED

    def _planned(self) -> tuple[Plan, Sequence[MlopsError]]:
        refuse_adhoc_options(self.settings)
        from mlops_action.plan import Planner

        planned = Planner(self.loaded, self.settings, self.kernels, self.context.env).plan()
        for kernel in (kernel for step in planned[0].steps for kernel in step.kernels):
            self.redactor.learn([*secret_arguments(kernel.argv), *secret_values(kernel.env.items())])
        return planned

    def _judged_here(self, plan: Plan) -> tuple[Plan, bool]:
        """A plan made elsewhere, with the gates of this place, and whether it shall be judged."""
        try:
            return with_gates_of(plan, self.loaded, self.settings), self.loaded.judging
        except ConfigMissing:  # the steps were named on the command line, and their gates are in the plan
            options = self.settings.options
            plan = replace(plan, root=str(self.context.cwd), output_dir=options.output_dir)
            return plan, options.gates.strip() != NO_GATES

    def _store(self, plan: Plan) -> FolderStore:
        return FolderStore(Path(plan.root), plan.output_dir, self.redactor)

    def _repeated(self, plan: Plan) -> RunResult:
        """Run the steps several times; the last run counts, and says what differed."""
        from mlops_action.repeat import repeated

        plan = replace(plan, steps=tuple(replace(step, cache=False) for step in plan.steps))

        def once(folder: str) -> tuple[RunResult, Path]:
            store = FolderStore(Path(plan.root), folder, self.redactor)
            return self._execute(plan, store), store.folder

        return repeated(self.settings.options.repeat, once, plan.output_dir, self.console.say)

    def _execute(self, plan: Plan, store: FolderStore) -> RunResult:
        from mlops_action.wiring import StepsRunner

        runner = StepsRunner(self.loaded, self.settings, self.context, self.console, self.redactor, self.kernels)
        return runner.run(plan, store)

    def _metric_files(self, names: Sequence[str]) -> list[MetricReading]:
        from mlops_action.metrics.files import metric_paths, read_metric_file

        root = self.loaded.root
        try:
            paths = [path for name in names for path in metric_paths(name, root) or [name]]
            return [reading for path in paths for reading in read_metric_file(root / path, path)]
        except MetricUnreadable as error:  # no step has run that could have failed
            error.exit_code = ExitCode.USAGE
            raise

    def _on_predictions_alone(self) -> bool:
        """Whether no gate reads a metric and nothing was run here: files of predictions can be judged as they are."""
        earlier = self.loaded.root / self.settings.options.output_dir / RUN_FILE
        return all(gate.predictions for gate in self.loaded.gates.values()) and not earlier.exists()

    def _root(self) -> Path:
        """The project folder around the working directory."""
        try:
            return find_config(self.context.cwd).parent
        except ConfigMissing:
            return self.context.cwd

    def _earlier_run(self, run_file: str, root: Path) -> RunResult:
        path = self.context.cwd / run_file if run_file else root / self.settings.options.output_dir / RUN_FILE
        return load_document(RunResult, path, RUN_SCHEMA)

    def _emit(self, plan: Plan, account: Account, notebooks_in: Path | None = None) -> None:
        """Write verdicts, manifest and reports, and tell people and the CI system.

        Executed notebooks are in the output folder, or in ``notebooks_in`` when the run was made elsewhere.
        """
        store = self._store(plan)
        if account.verdicts is not None:
            store.write(VERDICTS_FILE, pretty_bytes(encode(account.verdicts)))
            say_verdicts(self.console, account.verdicts)
        if account.manifest is not None:
            from mlops_action.assemble import check_manifest, encode_manifest
            from mlops_action.beside import files_beside

            check_manifest(encode(account.manifest))
            store.write(MANIFEST_FILE, encode_manifest(account.manifest))
            for name, data in files_beside(account.manifest, account.run):
                store.write(name, data)
        account = replace(account, notebooks=ExecutedNotebooks(notebooks_in or store.folder, account.run))
        emissions = report(account, plan.output_dir, self.prefix(plan))
        for name, data in emissions.files:
            if name.endswith(BINARY_SUFFIXES):
                store.write(name, data)
            else:
                store.write_text(name, data.decode())
        say_end(self.console, account, plan.output_dir)
        options = self.settings.options
        emissions = replace(emissions, summary=self.redactor.text(emissions.summary) if options.summary else "")
        self.console.say(*self.console.system.publish(emissions, self.context, options.annotations))

    def prefix(self, plan: Plan) -> str:
        """The project folder relative to the checkout, for annotations."""
        workspace, root = self.console.system.workspace(self.context.env), Path(plan.root)
        return root.relative_to(workspace).as_posix() if workspace and root.is_relative_to(workspace) else ""
