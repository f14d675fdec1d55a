"""Images beside those that are saved."""

from __future__ import annotations

import base64
import io
import sys
from decimal import Decimal
from typing import Any

import pytest
from PIL import Image

from mlops_action.notebooks.compare_images import compare_images

GREY = (100, 100, 100)


def encoded(image: Any, kind: str = "PNG", **options: Any) -> str:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return base64.encodebytes(file.getvalue()).decode()


def plain(colour: Any = GREY, size: tuple[int, int] = (8, 4), mode: str = "RGB") -> Any:
    return Image.new(mode, size, colour)


def test_equal_bytes_are_equal_however_their_text_is_broken() -> None:
    text = encoded(plain())
    assert compare_images(text, text.replace("\n", ""), None) is None


def test_other_bytes_differ_without_a_tolerance() -> None:
    one, other = encoded(plain()), encoded(plain(), compress_level=0)
    found = compare_images(one, other, None)
    assert found
    assert found.where == "its bytes differ"


def test_equal_pixels_in_other_bytes_are_within_any_tolerance() -> None:
    assert compare_images(encoded(plain()), encoded(plain(), compress_level=0), Decimal(0)) is None


def test_the_mean_difference_of_pixels_is_exact() -> None:
    one, other = encoded(plain()), encoded(plain((151, 100, 49)))
    assert compare_images(one, other, Decimal(102) / (3 * 255)) is None
    found = compare_images(one, other, Decimal("0.133"))
    assert found
    assert found.found == "0.133333"


def test_png_and_jpeg_of_one_picture_can_be_compared() -> None:
    assert compare_images(encoded(plain()), encoded(plain(), "JPEG"), Decimal("0.01")) is None


def test_images_of_other_sizes_differ_whatever_the_tolerance() -> None:
    found = compare_images(encoded(plain()), encoded(plain(size=(4, 8))), Decimal(1))
    assert found
    assert found.where == "its size is 4x8 instead of 8x4"


def test_transparency_counts_as_a_channel() -> None:
    one, other = encoded(plain((0, 0, 0, 0), mode="RGBA")), encoded(plain((0, 0, 0), mode="RGB"))
    found = compare_images(one, other, Decimal("0.2"))
    assert found
    assert found.found == "0.250000"


@pytest.mark.parametrize("text", ["", "!", base64.b64encode(b"\x89PNG\r\n\x1a\n broken").decode()])
def test_what_cannot_be_decoded_differs(text: str) -> None:
    assert compare_images(encoded(plain()), text, Decimal(1)) is not None


def test_a_picture_that_was_cut_off_differs() -> None:
    whole = base64.b64decode(encoded(Image.effect_noise((64, 64), 90)))
    cut = base64.b64encode(whole[: len(whole) // 2]).decode()
    assert compare_images(base64.b64encode(whole).decode(), cut, Decimal(1)) is not None


def test_sixteen_bit_pixels_are_never_taken_for_equal() -> None:
    one, other = (encoded(Image.new("I;16", (2, 2), value)) for value in (1000, 60000))
    found = compare_images(one, other, Decimal(1))
    assert found
    assert "mode I;16" in found.where


def test_without_pillow_the_difference_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = encoded(plain()), encoded(plain((9, 9, 9)))
    monkeypatch.setitem(sys.modules, "PIL", None)
    found = compare_images(one, other, Decimal(1))
    assert found
    assert "mlops-action[images]" in found.where


def test_equal_bytes_need_no_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    text = encoded(plain())
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert compare_images(text, text, Decimal(0)) is None
