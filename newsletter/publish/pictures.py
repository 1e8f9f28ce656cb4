"""Pictures for the web in two sizes and modern formats, and the card that stands for an issue where it's shared.

Encoding is slow, so that what was encoded once is kept in the workspace under the hash of its content.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.config import Brand
from newsletter.errors import InputError
from newsletter.lettering import drawable, font
from newsletter.markdown import direction
from newsletter.model import Photo
from newsletter.photos import FOLDER, opened, photo_bytes

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

#: The width, in pixels, of the smaller of two sizes: a phone's at twice its own, or half a column.
SMALL = 640
_SAVE: dict[str, dict[str, object]] = {"avif": {"quality": 55, "speed": 7}, "webp": {"quality": 76, "method": 4}}
_KEPT = Path(".cache") / "pictures"
_CARD = (1200, 630)
#: Pixels of the card: beside the words, and for them.
_MARGIN, _ROOM = 60, 590


@dataclass(frozen=True, slots=True)
class Shape:
    """One file of a picture: its name in `media/`, format and width in pixels."""

    name: str
    format: str
    width: int


@cache
def formats() -> tuple[str, ...]:
    """What this machine's Pillow writes of AVIF and WebP, the smaller first."""
    from PIL import features

    return tuple(name for name in ("avif", "webp") if features.check(name))


@lru_cache(maxsize=4096)
def shapes(photo: Photo) -> tuple[Shape, ...]:
    """The files that a picture has beside its own; none for a GIF, which may move."""
    stem, _, ending = photo.name.rpartition(".")
    if ending == "gif":
        return ()
    widths = [(f"{stem}-{SMALL}", SMALL)] if photo.width > SMALL else []
    widths.append((stem if photo.width > SMALL else f"{stem}-full", photo.width))
    return tuple(
        Shape(f"{name}.{kind}", kind, width)
        for kind in formats()
        for name, width in widths
        if f"{name}.{kind}" != photo.name
    )


def original(photo: Photo, workspace: Path, of: str) -> bytes:
    """A picture's own bytes; InputError that names what it belongs to where they are gone."""
    try:
        return photo_bytes(photo, workspace)
    except InputError:
        hint = f"it belongs to {of}; put it back as {FOLDER}/{photo.name}"
        raise InputError(f"the picture {photo.file} is gone", where=workspace / FOLDER, hint=hint) from None


def shaped(photo: Photo, shape: Shape, workspace: Path, of: str) -> bytes:
    """A picture in another size and format, encoded once."""
    kept = workspace / _KEPT / shape.name
    try:
        return kept.read_bytes()
    except OSError:
        pass
    from PIL import Image

    with opened(original(photo, workspace, of), photo.file) as image:
        wanted = "RGBA" if image.mode in ("RGBA", "LA") or "transparency" in image.info else "RGB"
        pixels = image.convert(wanted)
    if shape.width < pixels.width:
        height = max(1, round(pixels.height * shape.width / pixels.width))
        pixels = pixels.resize((shape.width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    pixels.save(out, shape.format, **_SAVE[shape.format])
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_name(f"{kept.name}.{os.getpid()}")
    partial.write_bytes(out.getvalue())
    partial.replace(kept)
    return out.getvalue()


def card(title: str, publication: str, when: str, brand: Brand, picture: bytes | None) -> bytes:
    """An issue's picture for social networks, 1200 × 630 as OpenGraph's readers have it: a JPEG, always the same."""
    image = _ground(brand, picture).copy()
    _write(image, title, publication, when, brand)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=84)
    return out.getvalue()


@lru_cache(maxsize=16)
def _ground(brand: Brand, picture: bytes | None) -> Image.Image:
    from PIL import Image, ImageDraw, ImageOps

    width, height = _CARD
    image = Image.new("RGB", _CARD, brand.banner)
    if picture:
        with opened(picture, "the issue's picture") as lead:
            lead.draft("RGB", (width, height))
            image.paste(ImageOps.fit(lead.convert("RGB"), (500, height)), (width - 500, 0))
    pen = ImageDraw.Draw(image)
    pen.rectangle([0, height - 14, width, height], fill=brand.accent_dark)
    return image


def _write(image: Image.Image, title: str, publication: str, when: str, brand: Brand) -> None:
    from PIL import ImageDraw

    pen = ImageDraw.Draw(image)
    name, words = drawable(publication), drawable(title)
    _line(pen, 60, name, 30, brand.accent_dark)
    size, lines = next((s, found) for s in (54, 46, 40, 35, 30) if len(found := _lines(words, s)) <= 6 or s == 30)
    for number, line in enumerate(lines[:7]):
        _line(pen, 130 + number * size * 1.22, line, size, "#ffffff", of=words)
    _line(pen, 540, when, 26, "#ffffff")


def _line(pen: ImageDraw.ImageDraw, top: float, text: str, size: int, colour: str, of: str = "") -> None:
    """A line of words, from the side on which the text that it's part `of` begins."""
    leans = direction(of or text)
    left, anchor = (_MARGIN + _ROOM, "ra") if leans == "rtl" else (_MARGIN, "la")
    pen.text((left, top), text, font=font(size), fill=colour, anchor=anchor, direction=_layout(leans))


@cache
def _layout(leans: str) -> str | None:
    """What tells Pillow to join and order letters; only where it's built with Raqm, as its wheels are."""
    from PIL import features

    return leans if features.check("raqm") else None


def _lines(text: str, size: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font(size).getlength(longer) <= _ROOM:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
