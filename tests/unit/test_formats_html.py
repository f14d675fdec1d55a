"""The HTML report: safe whatever the notebooks hold, whole, bounded, and easy to find one's way in."""

from __future__ import annotations

import time
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
import report_sample as sample
from html_laws import Page, broken_laws
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_action.formats.html import Html, page_names
from mlops_action.formats.html_builder import Markup, code_block, tag
from mlops_action.formats.html_notebook import MAX_CELLS
from mlops_action.formats.html_prose import prose
from mlops_action.formats.html_sanitise import is_active, sanitised
from mlops_action.formats.interface import Account
from mlops_action.records import Failure, StepResult
from mlops_action.vocabulary import FailureKind, StepStatus

STEP = StepResult("train", StepStatus.OK, started="2026-05-04T10:00:00Z", executed="notebooks/train.ipynb")


def files_of(account: Account) -> dict[str, bytes]:
    return dict(Html().render(account))


def with_cells(*cells: dict[str, Any], step: StepResult = STEP) -> dict[str, bytes]:
    account = sample.account()
    assert account.run is not None
    run = replace(account.run, steps=(step,))
    return files_of(replace(account, run=run, notebooks={step.name: sample.notebook(*cells)}))


def page_of(files: dict[str, bytes], name: str = "html/train.html") -> str:
    return files[name].decode()


def test_every_page_keeps_the_laws_whatever_the_notebooks_hold() -> None:
    assert broken_laws(files_of(sample.account())) == []


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=300), html=st.text(alphabet="<>/=\"'& tdrablescipo!-[]\n", max_size=200))
def test_any_text_in_any_place_keeps_the_laws(text: str, html: str) -> None:
    failure = Failure(FailureKind.RAISED, text, text, cell=1, cell_id="b", line=1, source=text, traceback=html)
    step = replace(STEP, name=text or "x", status=StepStatus.FAILED, failure=failure)
    outputs = [sample.printed(text), sample.shown(text__html=html), sample.shown(text__markdown=html + text)]
    outputs += [{"output_type": "error", "ename": text, "evalue": html, "traceback": [text, html]}]
    files = with_cells(sample.prose("a", html + text), sample.code("b", text, *outputs), step=step)
    assert broken_laws(files) == []


def test_the_verdict_comes_first_then_gates_failures_steps_metrics_and_manifest() -> None:
    index = Page(files_of(sample.account())["report.html"].decode())
    headings = [tag for tag, _ in index.tags if tag in {"h1", "h2"}]
    order = [attributes["id"] for name, attributes in index.tags if name == "section"]
    assert headings[0] == "h1"
    assert order == ["gates", "failures", "steps", "differences", "metrics", "plots", "slowest", "manifest"]


def test_the_failing_cell_is_shown_with_its_code_and_traceback_and_linked() -> None:
    files = files_of(sample.account())
    index, page = page_of(files, "report.html"), page_of(files)
    assert "<mark>fit(data, regularisation=-1.0)</mark>" in index
    assert "ValueError: regularisation must be positive" in index
    assert 'href="html/train.html#cell-4"' in index
    assert 'href="#cell-4"' in page
    assert '<section id="cell-4" class="cell code failed">' in page


def test_times_cpu_and_memory_stand_beside_each_cell() -> None:
    assert "14s · 28s CPU · 774.4 MiB" in page_of(files_of(sample.account()))


def test_cells_left_out_and_cells_not_reached_are_told_apart() -> None:
    page = page_of(files_of(sample.account()))
    assert '<section id="cell-5" class="cell code not-reached">' in page
    assert '<section id="cell-6" class="cell code left-out">' in page


def test_our_own_note_on_a_failure_in_the_notebook_does_not_move_the_cells() -> None:
    banner = sample.prose("mlops-action-failure", "**This run failed**")
    banner["metadata"] = {"mlops-action": {"banner": True}}
    account = sample.account()
    train = sample.train_notebook()
    train["cells"].insert(0, banner)
    assert files_of(replace(account, notebooks={**account.notebooks, "train": train})) == files_of(account)


def test_plots_are_files_of_their_own_and_described_in_words() -> None:
    files = files_of(sample.account())
    assert files["html/train/1.png"].startswith(b"\x89PNG")
    assert files["html/evaluate/1.svg"].startswith(b"<?xml")
    assert 'alt="Plot of cell Explore"' in page_of(files)


@pytest.mark.parametrize(
    "drawing",
    [
        '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><s:script xmlns:s="x">alert(1)</s:script></svg>',
        '<svg onload="alert(1)"></svg>',
        '<svg><a xlink:href="javascript:alert(1)"/></svg>',
        '<svg><image href="https://example.com/x.png"/></svg>',
        '<svg><style>@import "https://example.com/x.css"</style></svg>',
        '<svg><rect fill="url(https://example.com/x#y)"/></svg>',
        '<?xml version="1.0" encoding="utf-7"?><svg></svg>',
        '<!DOCTYPE svg [<!ENTITY x "y">]><svg>&x;</svg>',
    ],
)
def test_a_drawing_that_could_run_or_load_something_is_not_written(drawing: str) -> None:
    files = with_cells(sample.code("a", "1", sample.shown(image__svg_xml=drawing, text__plain="<Figure>")))
    assert not [name for name in files if name.endswith(".svg")]
    assert "&lt;Figure&gt;" in page_of(files)


def test_a_drawing_of_matplotlib_with_references_into_itself_is_written() -> None:
    drawing = (
        '<?xml version="1.0" encoding="utf-8" standalone="no"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
        '"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg xmlns:xlink="http://www.w3.org/1999/xlink">'
        '<style type="text/css">*{stroke: red}</style><g clip-path="url(#p)"><use xlink:href="#m"/></g></svg>'
    )
    assert "html/train/1.svg" in with_cells(sample.code("a", "1", sample.shown(image__svg_xml=drawing)))


@pytest.mark.parametrize("data", ["not base64!", "aGVsbG8=", "", ["iVBOR", 3], None])
def test_an_image_that_is_none_falls_back_to_its_text(data: Any) -> None:
    files = with_cells(sample.code("a", "1", sample.shown(image__png=data, text__plain="<Figure>")))
    assert not [name for name in files if name.endswith(".png")]
    assert "&lt;Figure&gt;" in page_of(files)


def test_a_table_of_pandas_is_kept_without_its_style() -> None:
    kept = sanitised(sample.FRAME)
    assert "<table><thead><tr><th></th><th>accuracy</th>" in kept
    assert "style" not in kept
    assert "onclick" not in kept


def test_spans_of_cells_are_kept_and_nothing_else_of_their_attributes() -> None:
    html = '<table><tr><td colspan="2" rowspan=99999999 class=x id=y data-z=1>a</td><th colspan="0x1">b</th></table>'
    assert sanitised(html) == '<table><tr><td colspan="2">a</td><th>b</th></tr></table>'


def test_links_and_images_in_foreign_html_become_words() -> None:
    html = '<p><a href="https://example.com/a">more</a> <a href="javascript:x()">no</a> <img src=x alt="a cat"></p>'
    assert sanitised(html) == "<p>more (https://example.com/a) no [image: a cat]</p>"


def test_a_program_in_html_gives_way_to_the_plain_text() -> None:
    assert is_active("<div><SCRIPT>draw()</SCRIPT></div>")
    html = "<style>x</style><div><input type=checkbox><label>RandomForestClassifier</label></div>"
    files = with_cells(sample.code("a", "1", sample.shown(text__html=html, text__plain="RandomForestClassifier()")))
    assert '<pre class="output"><code>RandomForestClassifier()</code></pre>' in page_of(files)


class _Context(HTMLParser):
    """Says how deep the marked text is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"br", "img", "hr", "meta", "link"}:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.opened.pop()

    def handle_data(self, data: str) -> None:
        if "after it" in data:
            self.found = list(self.opened)


def test_broken_html_cannot_end_the_cell_around_it() -> None:
    broken = "</div></section></main><table><tr><td><ul><li><div><li>x<b>bold</pre></body>"
    outputs = [sample.shown(text__html=broken), sample.printed("after it")]
    page = page_of(with_cells(sample.code("a", "1", *outputs)))
    assert _Context(page).found == ["html", "body", "main", "section", "pre", "code"]


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<!--", "<!", "&", "</", "<table><tr><td>", "<b>", "<svg>", "]]>", "<a b='"]
)
def test_long_broken_html_takes_no_long_time(piece: str) -> None:
    begun = time.perf_counter()
    sanitised(piece * 100_000)
    assert time.perf_counter() - begun < 5


def test_markdown_is_shown_as_prose_with_headings_one_level_lower() -> None:
    shown = prose("# One\n\n**bold** [x](https://e.org) ![cat](c.png) <b>raw</b>\n\n|a|\n|-|\n|1|\n")
    assert "<h2>One</h2>" in shown
    assert "<strong>bold</strong> x (https://e.org) [image: cat] &lt;b&gt;raw&lt;/b&gt;" in shown
    assert "<td>1</td>" in shown


def test_what_is_too_long_is_cut_with_a_count() -> None:
    printed = sample.printed("a" * 100_000 + "the end")
    many = [sample.printed(str(number)) for number in range(70)]
    page = page_of(with_cells(sample.code("a", "1", printed), sample.code("b", "2", *many)))
    assert "80007 characters not shown here" in page
    assert "the end" in page
    assert "and 10 more outputs" in page


def test_a_failing_cell_far_behind_in_the_notebook_is_shown_all_the_same() -> None:
    failure = Failure(FailureKind.RAISED, "no", cell=2900, cell_id="c2900")
    cells = [sample.code(f"c{number}", "x", sample.printed("y" * 3000)) for number in range(3000)]
    files = with_cells(*cells, step=replace(STEP, status=StepStatus.FAILED, failure=failure))
    page = page_of(files)
    assert f"and {3000 - MAX_CELLS} more cells" in page
    assert '<section id="cell-2900" class="cell code failed">' in page
    assert broken_laws(files) == []
    assert len(page) < 6_000_000


@pytest.mark.parametrize(
    "notebook",
    [
        {},
        {"cells": None},
        {"cells": [None, 3, {}]},
        {"cells": {"a": 1}},
        {"cells": [{"cell_type": "code", "outputs": 7}]},
    ],
)
def test_a_damaged_notebook_gives_a_page_and_no_crash(notebook: Any) -> None:
    account = sample.account()
    files = files_of(replace(account, notebooks={"train": notebook}))
    assert broken_laws(files) == []
    assert "html/train.html" in files


@pytest.mark.parametrize(
    "output",
    [
        {},
        {"output_type": "stream", "text": 3},
        {"output_type": "error", "traceback": [1, None]},
        {"output_type": "error", "traceback": "one text"},
        {"output_type": "display_data", "data": []},
        {"output_type": "display_data", "data": {"image/png": 1, "text/plain": {}}, "metadata": {"image/png": 4}},
        {"output_type": "display_data", "data": {"application/json": {"a": [1]}}, "metadata": None},
    ],
)
def test_a_damaged_output_gives_a_page_and_no_crash(output: Any) -> None:
    assert broken_laws(with_cells(sample.code("a", "1", output))) == []


def test_a_notebook_that_could_not_be_read_has_no_page_and_no_link() -> None:
    files = files_of(replace(sample.account(), notebooks={}))
    assert [name for name in files if name.endswith(".html")] == ["report.html"]
    assert broken_laws(files) == []


def test_the_index_comes_last_so_that_its_links_never_lead_to_nothing() -> None:
    assert [name for name, _ in Html().render(sample.account())][-1] == "report.html"


def test_names_of_pages_are_safe_and_differ_on_every_file_system() -> None:
    names = ["train", "Train", "../../etc/passwd", "a b", "a-b", "", "report.css", "x" * 300, "...", "é"]
    made = page_names([replace(STEP, name=name) for name in names])
    assert len({name.lower() for name in made}) == len(names)
    assert all(name[0].isalnum() and "/" not in name and len(name) < 90 for name in made)
    assert "report.css" not in made


def test_a_secret_parameter_is_named_and_never_shown() -> None:
    page = page_of(files_of(sample.account()))
    assert "<code>api_key</code>" in page
    assert ">secret</td>" in page


def test_text_is_escaped_wherever_it_stands_unless_it_is_markup() -> None:
    assert tag("p", "<b>", Markup("<i></i>"), title='"><x') == '<p title="&quot;&gt;&lt;x">&lt;b&gt;<i></i></p>'


@pytest.mark.parametrize(
    ("line", "marked"), [(1, "<mark>a</mark>\nb"), (2, "a\n<mark>b</mark>"), (3, "a\nb"), (None, "a\nb")]
)
def test_a_line_of_code_is_marked_when_it_is_there(line: int | None, marked: str) -> None:
    assert code_block("a\nb", line) == f'<pre class="source"><code>{marked}</code></pre>'
