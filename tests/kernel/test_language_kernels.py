"""Kernels of other languages: parameters, errors, time-outs, values, and nothing left behind."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from acceptance.documents import check_documents
from acceptance.scratch import Ended, clean_env, tool
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernel.bench import marked_processes

from mlops_action.config.model import EnvironmentSpec
from mlops_action.errors import KernelMissing
from mlops_action.kernels.host import HostKernels
from mlops_action.kernels.interface import Place

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

VALUES_MIME = "application/vnd.mlops-action.values.v1+json"
GRACE_SECONDS = 10


@dataclass(frozen=True)
class Tongue:
    """A kernel, and how a few things are said in its language; empty where it has no way to."""

    kernel: str
    name: str
    declare: str
    """A cell of parameters that declares ``x``."""
    show: str
    """Prints a line of JSON for the variable ``x``."""
    hello: str
    fail: str
    message: str
    line: int | None
    sleep: str
    """Prints ``begun`` and is busy for ten minutes."""
    order: str
    """Prints ``a``, ``b`` and ``c``, the second on stderr where there is one."""
    record: str = ""
    """Shows ``accuracy: 0.5`` as values."""
    stray: str = ""
    """Prints ``past Jupyter`` past the kernel."""
    leave: str = ""
    """Ends the kernel or its shell with code 3."""


TONGUES = {
    "r": Tongue(
        kernel="ir",
        name="R",
        declare="x <- 1",
        show="""
            esc <- function(t) paste0('"', paste(sprintf("%04x", utf8ToInt(enc2utf8(t))), collapse=" "), '"')
            num <- function(v) if (is.integer(v)) sprintf("%d", v) else
              if (is.nan(v)) "NaN" else if (is.infinite(v)) (if (v > 0) "Infinity" else "-Infinity") else
              { s <- sprintf("%.17g", v); if (grepl("^-?[0-9]+$", s)) paste0(s, ".0") else s }
            js <- function(v) {
              if (is.null(v)) return("null")
              if (is.list(v)) {
                if (is.null(names(v))) return(paste0("[", paste(vapply(v, js, ""), collapse=","), "]"))
                return(paste0("{", paste(paste0(vapply(names(v), esc, ""), ":", vapply(v, js, "")), collapse=","), "}"))
              }
              if (is.character(v)) return(esc(v))
              if (is.logical(v)) return(if (v) "true" else "false")
              num(v)
            }
            cat(js(x), "\\n", sep="")""",
        hello='cat("hello\\n")',
        fail='x <- 1\nf <- function() {\n  stop("no such luck")\n}\nf()',
        message="ERROR: Error in f(): no such luck",
        line=3,
        sleep='cat("begun\\n")\nSys.sleep(600)',
        order='cat("a\\n"); message("b"); cat("c\\n")',
        record=f'IRdisplay::publish_mimebundle(list("{VALUES_MIME}" = list(accuracy = 0.5)))',
        stray='invisible(system("echo past Jupyter"))',
        leave="quit(status = 3)",
    ),
    "bash": Tongue(
        kernel="bash",
        name="bash",
        declare="x=1",
        show="""
            for word in "${x[@]}"; do
                printf %s "$word" | od -An -v -tx1 | tr -d ' \\n'; printf ' '
            done; echo""",
        hello="echo hello",
        fail="echo before\nls /nowhere/at/all 2> /dev/null",
        message="a command ended with exit code 2",
        line=None,
        sleep="echo begun\nsleep 600",
        order="echo a; echo b >&2; echo c",
        leave="exit 3",
    ),
    "typescript": Tongue(
        kernel="deno",
        name="typescript",
        declare="const x: unknown = 1;",
        show="console.log(JSON.stringify(x, (_, v) => typeof v === 'number' && !isFinite(v) ? String(v) : v))",
        hello='console.log("hello")',
        fail='const y: number = 1;\nthrow new RangeError("no such luck")',
        message="RangeError: no such luck",
        line=None,
        sleep='console.log("begun"); while (true) { await new Promise((done) => setTimeout(done, 10)) }',
        order='console.log("a"); console.error("b"); console.log("c")',
        record='await Deno.jupyter.broadcast("display_data", {metadata: {}, transient: {}, data: '
        f'{{"{VALUES_MIME}": {{accuracy: 0.5}}}}}})',
        leave="Deno.exit(3)",
    ),
    "xpython": Tongue(
        kernel="xpython",
        name="python",
        declare="x = 1",
        show="import json\nprint(json.dumps(x))",
        hello="print('hello')",
        fail="y = 1\nraise ValueError('no such luck')",
        message="ValueError: no such luck",
        line=2,
        sleep="import time\nprint('begun', flush=True)\ntime.sleep(600)",
        order="import sys\nprint('a'); print('b', file=sys.stderr); print('c')",
        record=f"from IPython.display import display\ndisplay({{'{VALUES_MIME}': {{'accuracy': 0.5}}}}, raw=True)",
        leave="import os\nos._exit(3)",
    ),
}


def environment(home: Path) -> dict[str, str]:
    """A clean one that sees kernels where a user of this machine has registered them."""
    data = os.environ.get("JUPYTER_DATA_DIR") or str(Path.home() / ".local" / "share" / "jupyter")
    return clean_env(home, {"JUPYTER_DATA_DIR": data})


@pytest.fixture(params=sorted(TONGUES))
def tongue(request: pytest.FixtureRequest, tmp_path: Path) -> Tongue:
    found = TONGUES[request.param]
    need(found.kernel, tmp_path)
    return found


def need(kernel: str, folder: Path) -> None:
    try:
        HostKernels(Place(EnvironmentSpec(), folder, environment(folder / "home"))).find(kernel)
    except KernelMissing as error:
        pytest.skip(f"{error}; {error.hint}")


def run(folder: Path, steps: Mapping[str, Any], *arguments: str) -> tuple[Ended, dict[str, Any]]:
    """Run steps; the results by the steps' names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mlops.yaml").write_text(json.dumps({"steps": steps, "gates": "none"}))
    done = tool(folder, ["run", *arguments], environment(folder.parent / "home"))
    assert done.code in {0, 3}, done.text
    return done, {step["name"]: step for step in check_documents(folder / "mlops-out")["run.json"]["steps"]}


def notebook(tongue: Tongue, *cells: str, parameters: bool = False) -> str:
    """A notebook of the language; its first cell may be that of the parameters."""
    tags = [["parameters"] if parameters and i == 0 else [] for i in range(len(cells))]
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {"name": tongue.kernel, "language": tongue.name, "display_name": "x"}},
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"c{i}",
                    "source": source,
                    "metadata": {"tags": tags[i]},
                    "outputs": [],
                    "execution_count": None,
                }
                for i, source in enumerate(cells)
            ],
        }
    )


def printed(folder: Path, step: str) -> list[list[str]]:
    """What each cell printed."""
    document = json.loads((folder / "mlops-out" / "notebooks" / f"{step}.ipynb").read_text())
    return [
        ["".join(output["text"]) for output in cell.get("outputs", []) if output["output_type"] == "stream"]
        for cell in document["cells"]
        if cell["cell_type"] == "code"
    ]


def test_cells_errors_and_exits_are_told_as_the_kernel_tells_them(tongue: Tongue, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "whole.ipynb").write_text(notebook(tongue, tongue.hello, tongue.order))
    (folder / "fails.ipynb").write_text(notebook(tongue, tongue.hello, tongue.fail, tongue.hello))
    (folder / "leaves.ipynb").write_text(notebook(tongue, tongue.hello, tongue.leave, tongue.hello))
    (folder / "leaves-last.ipynb").write_text(notebook(tongue, tongue.hello, tongue.leave))
    names = ("whole", "fails", "leaves", "leaves-last")
    done, steps = run(folder, {name: {"notebook": f"{name}.ipynb"} for name in names})
    assert [steps[name]["status"] for name in names] == ["ok", "failed", "failed", "failed"], done.text
    hello, order = printed(folder, "whole")
    assert hello == ["hello\n"]
    assert re.sub(r"\n+", "\n", "".join(order)) == "a\nb\nc\n"
    failure = steps["fails"]["failure"]
    assert (failure["kind"], failure["message"]) == ("raised", tongue.message)
    assert (failure["cell"], failure["line"]) == (1, tongue.line)
    assert steps["fails"]["cells-run"] == 1
    assert steps["leaves"]["failure"]["cell"] == 1


def test_a_time_out_interrupts_the_cell_and_keeps_what_it_printed(tongue: Tongue, tmp_path: Path) -> None:
    begun = time.monotonic()
    _, steps = run(tmp_path / "project", {"a": {"kernel": tongue.kernel, "code": tongue.sleep, "timeout": "4s"}})
    assert steps["a"]["failure"]["kind"] == "timed-out"
    assert printed(tmp_path / "project", "a")[0][0].startswith("begun\n")
    assert time.monotonic() - begun < 25
    assert list(marked_processes(str(tmp_path))) == []


def test_values_and_text_past_jupyter_are_heard_where_the_kernel_has_a_way(tongue: Tongue, tmp_path: Path) -> None:
    said = {"records": tongue.record, "strays": tongue.stray}
    asked = {name: {"kernel": tongue.kernel, "code": code} for name, code in said.items() if code}
    if not asked:
        assert tongue.kernel == "bash"  # it shows images and HTML alone, and its shell's output is all heard
        return
    done, steps = run(tmp_path / "project", asked)
    assert done.code == 0, done.text
    assert steps["records"]["values"] == {"accuracy": 0.5}
    assert ("  | past Jupyter" in done.lines) == bool(tongue.stray)


def test_no_kernel_outlives_a_tool_that_was_killed_by_ten_seconds(tongue: Tongue, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    steps = {"a": {"kernel": tongue.kernel, "code": tongue.sleep}}
    (folder / "mlops.yaml").write_text(json.dumps({"steps": steps, "gates": "none"}))
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlops_action", "run"],
            cwd=folder,
            env=environment(tmp_path / "home") | {"TMPDIR": str(tmp_path)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + 60
    while "  | begun" not in (tmp_path / "log").read_text():
        assert time.monotonic() < deadline, (tmp_path / "log").read_text()
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := remains(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def remains(folder: Path) -> list[str]:
    """Processes that have ``folder`` in their environment, and what holds keys and sockets of kernels in it."""
    return [*marked_processes(str(folder)), *map(str, folder.glob("mlops-*"))]


def test_a_plot_of_r_is_kept_and_shown_in_the_report(tmp_path: Path) -> None:
    need("ir", tmp_path)
    _, steps = run(tmp_path / "project", {"a": {"kernel": "ir", "code": "plot(1:3)"}})
    assert steps["a"]["status"] == "ok"
    (plot,) = (tmp_path / "project" / "mlops-out" / "html" / "a").iterdir()
    assert plot.suffix == ".png"


@pytest.mark.parametrize("word", ["const", "let", "var"])
def test_a_parameter_of_typescript_may_be_declared_by_any_word(tmp_path: Path, word: str) -> None:
    need("deno", tmp_path)
    folder = tmp_path / "project"
    folder.mkdir()
    cells = (f"{word} x: number = 1, other = [2];", "console.log(x, other)")
    (folder / "a.ipynb").write_text(notebook(TONGUES["typescript"], *cells, parameters=True))
    done, _ = run(folder, {"a": {"notebook": "a.ipynb"}}, "-p", "x=42")
    assert done.code == 0, done.text
    assert printed(folder, "a")[2] == ["42 [ 2 ]\n"]


TEXTS = [
    "",
    "plain",
    'it\'s "so" `now`',
    "$HOME ${x} $(touch owned) \\$(x)",
    "back\\slash\\",
    "one\ntwo\r\n\tthree",
    "ü🚀\u2028\u0085",
    "!history #{x} %s {0}",
    "\x01\x1b[0m\x7f",
    "*/ // # -- ;",
]
NUMBERS = [0, 1, -7, 2**31, 2**53, 0.1, -2.5e-300, 1e300, 5e-324]


def literals(name: str) -> st.SearchStrategy[Any]:
    """Values that the language writes, with the kinds of text that are hard."""
    text = st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufeff"), max_size=12)
    whole = st.integers(-(2**53), 2**53)
    plain = st.none() | st.booleans() | whole | st.floats(allow_nan=False, allow_infinity=False) | text
    if name == "bash":
        return plain | st.lists(plain, max_size=4)
    keys = text.filter(bool)
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, min_size=1, max_size=4),
        max_leaves=8,
    )


def test_every_kind_of_value_reads_back_as_it_was_given(tongue: Tongue, tmp_path: Path) -> None:
    """One kernel, one cell for each value: the injected source is what the tool itself writes."""
    from mlops_action.notebooks.parameters import parameters_source

    key = "python" if tongue.kernel == "xpython" else tongue.name.lower()
    values: list[Any] = [None, True, False, *NUMBERS, *TEXTS, [], TEXTS, [1, 0.5, True]]
    values += [] if key == "bash" else [{"a b": TEXTS[3], "c": {"d": [None, 1]}}, [[1], [], ["x"]]]

    @settings(
        max_examples=25 if key == "bash" else 60, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(literals(key))
    def collect(value: Any) -> None:
        values.append(value)

    collect()
    values.sort(key=lambda value: isinstance(value, list))  # in bash, what was an array stays one
    cells = [tongue.declare]
    declared = [{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": tongue.declare}]
    for value in values:
        cells += [parameters_source(declared, {"x": value}, key, "here"), tongue.show]
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.ipynb").write_text(notebook(tongue, *cells))
    done, steps = run(folder, {"a": {"notebook": "a.ipynb"}})
    assert steps["a"]["status"] == "ok", done.text[-3000:]
    shown = printed(folder, "a")[2::2]
    for value, found in zip(values, shown, strict=True):
        assert same(READERS[key]("".join(found).rstrip("\n")), meant(key, value)), (value, found)
    assert not (folder / "owned").exists()


def _of_bash(text: str) -> Any:
    return [bytes.fromhex(word).decode() for word in text.split(" ")[:-1]]


def _of_r(text: str) -> Any:
    decoded = re.sub(
        r'"([0-9a-f ]*)"',
        lambda found: json.dumps("".join(chr(int(code, 16)) for code in found[1].split())),
        text,
    )
    return json.loads(decoded)


READERS: dict[str, Any] = {"bash": _of_bash, "r": _of_r, "typescript": json.loads, "python": json.loads}


def meant(key: str, value: Any) -> Any:
    """The value as the language holds it."""
    if key != "bash":
        return value
    words = value if isinstance(value, list) else [value]
    return ["" if each is None else str(each).lower() if isinstance(each, bool) else str(each) for each in words]


def same(found: Any, wanted: Any) -> bool:
    """Equal; numbers by value, as most languages have one kind of them only."""
    if isinstance(wanted, bool) or isinstance(found, bool):
        return found is wanted
    if isinstance(wanted, (int, float)) and isinstance(found, (int, float)):
        return math.isclose(found, wanted, rel_tol=0, abs_tol=0)
    if isinstance(wanted, list) and isinstance(found, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, dict) and isinstance(found, dict):
        return found.keys() == wanted.keys() and all(same(found[name], wanted[name]) for name in wanted)
    return bool(found == wanted)
