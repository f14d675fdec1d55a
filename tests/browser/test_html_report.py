"""The HTML report in a real browser: under Jenkins' policy, from disk, on a desk and on a phone."""

from __future__ import annotations

import json
import re
import shutil
from io import BytesIO
from pathlib import Path

import pytest
from chromium import DESKTOP, PHONE, Browser, Seen
from PIL import Image

pytestmark = [pytest.mark.browser]

PAGES = ["report.html", "html/train.html", "html/evaluate.html"]
FRAME = """<!DOCTYPE html><meta charset="utf-8"><title>ruler</title><body>
<iframe src="{page}" width="{width}" height="3000"></iframe><pre id="said"></pre><script>
addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument;
  const images = [...page.images].map((each) => each.naturalWidth);
  const said = {{ wide: page.documentElement.scrollWidth, images,
    sheets: page.styleSheets.length, radius: getComputedStyle(page.querySelector(".badge")).borderRadius }};
  document.getElementById("said").textContent = JSON.stringify(said);
}});
</script>"""


def measured(browser: Browser, site: Path, page: str, width: int) -> dict[str, object]:
    """What a ruler in a page around the report's page reads, from disk."""
    ruler = site / "ruler.html"
    ruler.write_text(FRAME.format(page=page, width=width))
    seen = browser.open(ruler.as_uri(), DESKTOP, "--allow-file-access-from-files")
    ruler.unlink()
    found = re.search(r'<pre id="said">(\{.*?\})</pre>', seen.dom)
    assert found, seen.dom[-500:]
    read: dict[str, object] = json.loads(found[1])
    return read


def colours(seen: Seen) -> set[tuple[int, ...]]:
    picture = Image.open(BytesIO(seen.picture)).convert("RGB")
    return {colour for _, colour in picture.getcolors(maxcolors=1 << 24) or ()}


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("page", PAGES)
def test_jenkins_policy_refuses_nothing_on_any_page(browser: Browser, jenkins: str, page: str, width: int) -> None:
    seen = browser.open(f"{jenkins}/{page}", width)
    assert seen.complaints() == []
    assert "<h1>" in seen.dom


@pytest.mark.parametrize("page", PAGES)
def test_the_page_looks_the_same_from_disk_as_from_jenkins(
    browser: Browser, jenkins: str, site: Path, page: str
) -> None:
    from_disk = browser.open((site / page).as_uri())
    assert from_disk.complaints() == []
    assert from_disk.picture == browser.open(f"{jenkins}/{page}").picture


def test_the_policy_is_really_in_force_and_the_log_would_tell(browser: Browser, jenkins: str, site: Path) -> None:
    (site / "bad.html").write_text('<!DOCTYPE html><h1>x</h1><p style="color: red">y</p><script>1</script>')
    assert len(browser.open(f"{jenkins}/bad.html").complaints()) >= 2
    (site / "bad.html").unlink()


def test_without_the_stylesheet_the_page_looks_different(browser: Browser, site: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(site, bare)
    (bare / "html" / "report.css").unlink()
    styled = browser.open((site / "report.html").as_uri())
    assert styled.picture != browser.open((bare / "report.html").as_uri()).picture
    assert (252, 235, 234) in colours(styled), "the banner of a failed verdict"


def test_plots_are_drawn_in_the_page_under_the_policy(browser: Browser, jenkins: str) -> None:
    assert (47, 125, 91) in colours(browser.open(f"{jenkins}/html/train.html")), "the bars of the PNG"
    assert (11, 92, 173) in colours(browser.open(f"{jenkins}/html/evaluate.html")), "the line of the SVG"


@pytest.mark.parametrize("width", [PHONE, 320])
@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_wider_than_a_phone_and_all_images_are_there(
    browser: Browser, site: Path, page: str, width: int
) -> None:
    read = measured(browser, site, page, width)
    assert read["wide"] == width
    assert isinstance(read["images"], list)
    assert all(read["images"])
    assert (read["sheets"], read["radius"]) == (1, "999px")


def test_hostile_texts_stay_texts_in_the_browsers_own_document(browser: Browser, jenkins: str) -> None:
    for page in PAGES:
        document = browser.open(f"{jenkins}/{page}").dom
        assert not re.search(r"<(?:script|iframe|svg)|<[^>]*\son\w+=|<[^>]*\sstyle=", document)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in document


def test_a_dark_screen_gets_dark_paper(browser: Browser, site: Path) -> None:
    seen = browser.open((site / "report.html").as_uri(), DESKTOP, "--blink-settings=preferredColorScheme=0")
    assert Image.open(BytesIO(seen.picture)).convert("RGB").getpixel((5, 5)) == (20, 23, 27)
