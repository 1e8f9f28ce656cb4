"""The letters that pictures are written with: DejaVu Sans, for Latin (Vietnamese, too), Greek, Cyrillic, Armenian,
Georgian, Hebrew and Arabic.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont

FONT = Path(__file__).parent / "fonts" / "DejaVuSans-Bold.ttf"
# Emoji and arrows aren't words; without them a title says as much.
_SYMBOLS = re.compile("[\U00010000-\U0010ffff\u2190-\u2bff\ufe00-\ufe0f\u200d]")
#: No font has this one, so that its picture is that of every letter that is missing.
_NOWHERE = "\uffff"
_PROBE = 24


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font in a size, in pixels."""
    from PIL import ImageFont

    return ImageFont.truetype(FONT, size)


def drawable(text: str) -> str:
    """The text as it's drawn: on one line, without emoji."""
    return " ".join(_SYMBOLS.sub("", text).split())


def missing(text: str) -> str:
    """The letters of a text that the font hasn't, each once."""
    return "".join(letter for letter in dict.fromkeys(drawable(text)) if not letter.isspace() and not _has(letter))


@cache
def _has(letter: str) -> bool:
    return letter.isascii() or bytes(font(_PROBE).getmask(letter)) != bytes(font(_PROBE).getmask(_NOWHERE))
