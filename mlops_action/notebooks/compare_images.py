"""Images beside those that are saved: equal bytes, or pixels that differ little on average."""

from __future__ import annotations

import base64
import io
from decimal import Decimal
from typing import Any

from mlops_action.notebooks.compare_texts import Mismatch
from mlops_action.records import Number

REMEDY = "install mlops-action[images], or leave `compare.images` out"
_EIGHT_BITS = {"1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"}
_MOST_PIXELS = 64_000_000


class _Undecided(Exception):
    """The images cannot be compared, and why."""


def compare_images(saved: str, run: str, limit: Number | None) -> Mismatch | None:
    """How two images in base64 differ, or None.

    Without ``limit`` they must be equal byte by byte. Whatever cannot be decoded differs.
    """
    if "".join(saved.split()) == "".join(run.split()):
        return None
    if limit is None:
        return Mismatch("its bytes differ", "", "")
    try:
        off = _mean_difference(_decoded(saved), _decoded(run))
    except _Undecided as reason:
        return Mismatch(str(reason), "", "")
    if off <= limit:
        return None
    return Mismatch("its pixels differ on average", f"at most {limit}", f"{off:.6f}")


def _decoded(text: str) -> Any:
    """The image with its pixels read.

    Raises:
        _Undecided: Pillow is missing, or it is no image that can be compared.
    """
    try:
        from PIL import Image
    except ImportError:
        raise _Undecided(f"its bytes differ, and Pillow is not installed to compare pixels: {REMEDY}") from None
    try:
        image = Image.open(io.BytesIO(base64.b64decode(text)))
        if image.width * image.height > _MOST_PIXELS:
            raise _Undecided(f"its bytes differ, and it has too many pixels to compare: {image.width}x{image.height}")
        image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise _Undecided("its bytes differ, and one of the images cannot be decoded") from None
    if image.mode not in _EIGHT_BITS:
        raise _Undecided(f"its bytes differ, and pixels of mode {image.mode} are not compared")
    return image


def _mean_difference(saved: Any, run: Any) -> Decimal:
    """Mean absolute difference of the channels, from 0 to 1.

    Raises:
        _Undecided: the sizes differ.
    """
    from PIL import ImageChops

    if saved.size != run.size:
        sizes = " instead of ".join(f"{image.width}x{image.height}" for image in (run, saved))
        raise _Undecided(f"its size is {sizes}")
    mode = "RGBA" if saved.has_transparency_data or run.has_transparency_data else "RGB"
    off = ImageChops.difference(saved.convert(mode), run.convert(mode))
    total: int = sum(place % 256 * count for place, count in enumerate(off.histogram()))
    most: int = saved.width * saved.height * len(mode) * 255
    return Decimal(total) / Decimal(most)
