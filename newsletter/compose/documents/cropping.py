"""A picture cut and turned as its document shows it."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newsletter.errors import InputError
from newsletter.photos import opened

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How a document shows a picture: what is cut off at each side, as a part of its width or height, by how many
    degrees it is turned clockwise, and whether left and right, or top and bottom, are exchanged.
    """

    left: float = 0
    top: float = 0
    right: float = 0
    bottom: float = 0
    degrees: float = 0
    mirrored: bool = False
    upended: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it is shown as its file has it."""
        cut = max(self.left, self.top, self.right, self.bottom) > 0.001
        return not cut and not self.mirrored and not self.upended and abs(self.degrees % 360) < 0.1


def as_shown(data: bytes, shown: Shown) -> bytes:
    """The picture as a document shows it; its bytes as they are where it's no picture that can be opened."""
    from PIL import ImageOps

    if shown.is_whole:
        return data
    try:
        with opened(data, "the picture") as image:
            jpeg = image.format == "JPEG"
            # A program that turned the picture itself has done so to its pixels as they lie in the file.
            pixels: Image.Image = image.copy() if shown.degrees else ImageOps.exif_transpose(image)
            profile = image.info.get("icc_profile")
            pixels = pixels.crop(_box(pixels.width, pixels.height, shown))
            pixels = ImageOps.mirror(pixels) if shown.mirrored else pixels
            pixels = ImageOps.flip(pixels) if shown.upended else pixels
            pixels = _turned(pixels, shown.degrees % 360)
            out = io.BytesIO()
            jpeg = jpeg and pixels.mode in ("L", "RGB", "CMYK")
            pixels.info = {}
            pixels.save(out, "JPEG" if jpeg else "PNG", icc_profile=profile, **({"quality": 95} if jpeg else {}))
    except InputError:
        return data
    return out.getvalue()


def _box(width: int, height: int, shown: Shown) -> tuple[int, int, int, int]:
    left, right = (round(max(0.0, part) * width) for part in (shown.left, shown.right))
    top, bottom = (round(max(0.0, part) * height) for part in (shown.top, shown.bottom))
    if left + right >= width or top + bottom >= height:
        raise InputError("nothing of the picture is shown")
    return left, top, width - right, height - bottom


def _turned(image: Image.Image, degrees: float) -> Image.Image:
    from PIL import Image

    quarters = {
        90: Image.Transpose.ROTATE_270,
        180: Image.Transpose.ROTATE_180,
        270: Image.Transpose.ROTATE_90,
    }
    nearest = round(degrees / 90) * 90
    if math.isclose(degrees, nearest, abs_tol=0.5):
        return image.transpose(quarters[nearest]) if nearest in quarters else image
    return image.convert("RGBA").rotate(-degrees, expand=True, resample=Image.Resampling.BICUBIC)
