"""The laws of every executor, and how much memory the local one finds."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_action.errors import WriteFailed
from mlops_action.execute import time_limit
from mlops_action.executors import EXECUTORS
from mlops_action.executors.interface import RunOne, StepBroke
from mlops_action.executors.memory import available_memory
from mlops_action.executors.ordering import waits
from mlops_action.kernels.interrupt import Interrupt
from mlops_action.records import Failure, PlannedStep, StepLimits, StepResult
from mlops_action.registry import load_from
from mlops_action.vocabulary import FailureKind, StepStatus

SECONDS = 10
GIB = 1024**3


def step(name: str, *needs: str, memory: int = 0, **more: Any) -> PlannedStep:
    return PlannedStep(name, "mlops.yaml:1:1", needs=needs, limits=StepLimits(memory=memory), **more)


def ok(each: PlannedStep) -> StepResult:
    return StepResult(each.name, StepStatus.OK)


def failed(each: PlannedStep) -> StepResult:
    return StepResult(each.name, StepStatus.FAILED, failure=Failure(FailureKind.RAISED, "it raised"))


class Recorder:
    """A way to run steps that remembers what ran and what ran beside it."""

    def __init__(self, acts: Mapping[str, Callable[[PlannedStep], StepResult]] | None = None) -> None:
        self.acts = acts or {}
        self.order: list[str] = []
        self.seen: dict[str, dict[str, StepResult]] = {}
        self.beside: dict[str, set[str]] = {}
        self._now: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, each: PlannedStep, earlier: Mapping[str, StepResult]) -> StepResult:
        with self._lock:
            self.order.append(each.name)
            self.seen[each.name] = dict(earlier)
            self._now.add(each.name)
            for name in self._now:
                self.beside.setdefault(name, set()).update(self._now)
        try:
            return self.acts.get(each.name, ok)(each)
        finally:
            with self._lock:
                self._now.discard(each.name)


def run(
    name: str, steps: list[PlannedStep], run_one: RunOne, interrupt: Interrupt | None = None, **rules: Any
) -> tuple[StepResult, ...]:
    asked = Interrupt() if interrupt is None else interrupt  # one that is not set is false
    results: tuple[StepResult, ...] = load_from(EXECUTORS, name)(**rules).run_all(steps, run_one, asked)
    return results


def statuses(results: tuple[StepResult, ...]) -> list[str]:
    return [str(each.status) for each in results]


@pytest.fixture(params=list(EXECUTORS))
def executor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[1, 4], ids=["one-job", "four-jobs"])
def jobs(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_results_are_in_the_order_of_the_steps(executor: str, jobs: int) -> None:
    steps = [step(name) for name in "dbca"]
    assert [each.name for each in run(executor, steps, Recorder(), jobs=jobs)] == ["d", "b", "c", "a"]


def test_no_steps_give_no_results(executor: str, jobs: int) -> None:
    assert run(executor, [], Recorder(), jobs=jobs) == ()


def test_a_step_sees_the_results_of_those_that_it_needs(executor: str, jobs: int) -> None:
    recorder = Recorder()
    run(executor, [step("a"), step("b", "a"), step("c", "b")], recorder, jobs=jobs)
    assert recorder.order == ["a", "b", "c"]
    assert set(recorder.seen["c"]) == {"a", "b"}


def test_what_needs_a_failed_step_is_skipped_and_the_rest_goes_on(executor: str, jobs: int) -> None:
    notes: list[str] = []
    steps = [step("bad"), step("after", "bad"), step("later", "after"), step("free")]
    results = run(executor, steps, Recorder({"bad": failed}), jobs=jobs, note=notes.append)
    assert statuses(results) == ["failed", "skipped", "skipped", "ok"]
    assert results[2].failure is not None
    assert results[2].failure.message == "not run: it needs `after`"
    assert sorted(notes) == ["skipped after: it needs `bad`", "skipped later: it needs `after`"]


def test_fail_fast_starts_nothing_after_a_failure(executor: str) -> None:
    recorder = Recorder({"bad": failed})
    results = run(executor, [step("bad"), step("free")], recorder, jobs=1, fail_fast=True)
    assert recorder.order == ["bad"]
    assert statuses(results) == ["failed", "skipped"]
    assert results[1].failure is not None
    assert "--fail-fast" in results[1].failure.message


def test_independent_steps_run_side_by_side(executor: str) -> None:
    meeting = threading.Barrier(3, timeout=SECONDS)  # breaks unless all three are there at once

    def meet(each: PlannedStep) -> StepResult:
        meeting.wait()
        return ok(each)

    results = run(executor, [step(name) for name in "abc"], Recorder(dict.fromkeys("abc", meet)), jobs=3)
    assert statuses(results) == ["ok"] * 3


def test_no_more_steps_run_at_once_than_there_are_jobs(executor: str, jobs: int) -> None:
    recorder = Recorder()
    run(executor, [step(f"s{i}") for i in range(20)], recorder, jobs=jobs)
    assert len(recorder.order) == 20
    assert max(map(len, recorder.beside.values())) <= jobs


def test_a_step_starts_as_soon_as_its_own_needs_are_done(executor: str) -> None:
    after_quick = threading.Event()

    def slow(each: PlannedStep) -> StepResult:
        assert after_quick.wait(SECONDS)  # ends only when `next` runs, which must not wait for it
        return ok(each)

    def following(each: PlannedStep) -> StepResult:
        after_quick.set()
        return ok(each)

    steps = [step("slow"), step("quick"), step("next", "quick")]
    assert statuses(run(executor, steps, Recorder({"slow": slow, "next": following}), jobs=2)) == ["ok"] * 3


def test_a_step_waits_for_one_that_touches_the_same_files(executor: str) -> None:
    recorder = Recorder()
    steps = [
        step("write", outputs=("data/",)),
        step("read", inputs=("data/x.csv",)),
        step("again", metrics=("data/x.csv",)),
        step("other", outputs=("elsewhere.csv",)),
    ]
    run(executor, steps, recorder, jobs=4)
    assert [name for name in recorder.order if name != "other"] == ["write", "read", "again"]
    assert not recorder.beside["read"] & {"write", "again"}
    assert waits(steps)["other"] == frozenset()


def test_nothing_is_started_after_a_signal(executor: str, jobs: int) -> None:
    interrupt = Interrupt()

    def stop(each: PlannedStep) -> StepResult:
        interrupt.set("SIGTERM", signal.SIGTERM)
        return ok(each)

    results = run(executor, [step("a"), step("b", "a"), step("c", "a")], Recorder({"a": stop}), interrupt, jobs=jobs)
    assert statuses(results) == ["ok", "skipped", "skipped"]
    assert {each.failure.kind for each in results if each.failure} == {FailureKind.TERMINATED}


def test_what_the_time_of_the_run_leaves_out_is_skipped_as_timed_out(executor: str) -> None:
    interrupt = Interrupt()
    interrupt.set("the time for all steps (2h) was over")
    (result,) = run(executor, [step("late")], Recorder(), interrupt, jobs=1)
    assert (result.status, result.failure and result.failure.kind) == (StepStatus.SKIPPED, FailureKind.TIMED_OUT)
    assert result.failure is not None
    assert "(2h) was over" in result.failure.message


def test_an_exception_in_one_step_loses_no_other_result(executor: str, jobs: int) -> None:
    def broken(each: PlannedStep) -> StepResult:
        raise KeyError("a bug")

    with pytest.raises(StepBroke) as caught:
        run(executor, [step("bug"), step("after", "bug"), step("free")], Recorder({"bug": broken}), jobs=jobs)
    assert isinstance(caught.value.__cause__, KeyError)
    assert statuses(caught.value.results) == ["failed", "skipped", "ok"]


def test_nothing_is_started_once_the_disk_is_full(executor: str) -> None:
    def full(each: PlannedStep) -> StepResult:
        raise WriteFailed("no space left")

    recorder = Recorder({"a": full})
    with pytest.raises(StepBroke) as caught:
        run(executor, [step("a"), step("b")], recorder, jobs=1)
    assert recorder.order == ["a"]
    assert statuses(caught.value.results) == ["failed", "skipped"]


def test_steps_that_need_too_much_memory_together_run_one_after_the_other(executor: str) -> None:
    recorder = Recorder()
    run(executor, [step("a", memory=6 * GIB), step("b", memory=6 * GIB)], recorder, jobs=2, memory=8 * GIB)
    assert recorder.beside == {"a": {"a"}, "b": {"b"}}


def test_a_step_that_fits_nowhere_runs_alone_with_a_note(executor: str) -> None:
    recorder, notes = Recorder(), list[str]()
    steps = [step("small"), step("huge", memory=9 * GIB), step("last")]
    results = run(executor, steps, recorder, jobs=3, memory=8 * GIB, note=notes.append)
    assert statuses(results) == ["ok"] * 3
    assert recorder.beside["huge"] == {"huge"}
    assert notes == ["huge needs 9.0 GiB of memory by its own account, and there are 8.0 GiB: it runs alone"]


def test_memory_that_nobody_knows_keeps_no_step_waiting(executor: str) -> None:
    meeting = threading.Barrier(2, timeout=SECONDS)

    def meet(each: PlannedStep) -> StepResult:
        meeting.wait()
        return ok(each)

    steps = [step("a", memory=GIB), step("b", memory=GIB)]
    assert statuses(run(executor, steps, Recorder({"a": meet, "b": meet}), jobs=2, memory=0)) == ["ok", "ok"]


def test_steps_out_of_order_are_refused_instead_of_waited_for(executor: str, jobs: int) -> None:
    with pytest.raises(ValueError, match="`a` waits for a step"):
        run(executor, [step("a", "nobody")], Recorder(), jobs=jobs)


def test_the_time_limit_of_a_run_is_an_interrupt_without_a_signal() -> None:
    interrupt = Interrupt()
    over = threading.Event()
    interrupt._listeners.append(over.set)
    with time_limit(1, interrupt):
        assert over.wait(SECONDS)
    assert (interrupt.number, interrupt.kind) == (0, FailureKind.TIMED_OUT)
    assert interrupt.reason == "the time for all steps (1.0s) was over"


def test_a_run_that_ends_in_time_is_not_interrupted() -> None:
    interrupt = Interrupt()
    with time_limit(3600, interrupt):
        pass
    assert not interrupt


def files(root: Path, texts: Mapping[str, str]) -> Path:
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MEMINFO = {"proc/meminfo": "MemTotal: 99 kB\nMemAvailable:   16777216 kB\n"}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({}, 0),
        (MEMINFO, 16 * GIB),
        (
            MEMINFO
            | {
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/memory.max": f"{4 * GIB}\n",
                "sys/fs/cgroup/memory.current": f"{2 * GIB}\n",
                "sys/fs/cgroup/memory.stat": f"anon 5\ninactive_file {GIB}\n",
            },
            3 * GIB,
        ),
        (
            MEMINFO
            | {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/memory.max": f"{2 * GIB}\n",
                "sys/fs/cgroup/a/memory.current": "0\n",
                "sys/fs/cgroup/a/b/memory.max": "max\n",
                "sys/fs/cgroup/a/b/memory.current": "0\n",
            },
            2 * GIB,
        ),
        (
            MEMINFO
            | {
                "proc/self/cgroup": "3:cpu:/x\n2:memory:/x\n",
                "sys/fs/cgroup/memory/x/memory.limit_in_bytes": f"{GIB}\n",
                "sys/fs/cgroup/memory/x/memory.usage_in_bytes": f"{GIB // 2}\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "1\n",
            },
            GIB // 2,
        ),
    ],
    ids=["unknown", "machine", "version-2", "group-above", "version-1"],
)
def test_the_smallest_limit_on_memory_is_the_one_that_counts(
    tmp_path: Path, texts: dict[str, str], expected: int
) -> None:
    assert available_memory(files(tmp_path, texts)) == expected
