"""Characters of fonts that have pictures for letters (Wingdings, Symbol), as the characters that they look like."""

from __future__ import annotations

from mammoth.docx.dingbats import dingbats

#: Signs before the entries of a list that say yes, no, or not yet.
TICKS = "☐☑☒✓✔✗✘✅❌❎◻🗹🗷🗸"
_FONTS: dict[str, str] = {name.lower(): name for name, _ in dingbats}
#: Arrows of Wingdings that few fonts have in the place that Unicode gives them.
_ARROWS = {0x1F868: 0x2190, 0x1F869: 0x2191, 0x1F86A: 0x2192, 0x1F86B: 0x2193}


def font_of_symbols(named: str) -> str:
    """The name of a font that has pictures for letters; empty for any other."""
    return _FONTS.get(named.strip(" \"'").lower(), "")


def as_seen(text: str, font: str) -> str:
    """A text as a font of symbols shows it; what isn't known of the font stays as it is."""
    return "".join(character if character.isspace() else seen(ord(character), font) or character for character in text)


def seen(code: int, font: str) -> str:
    """The character that a font of symbols shows for a code; empty where it isn't known."""
    if 0xF000 <= code <= 0xF0FF:
        code -= 0xF000
    found = dingbats.get((font, code))
    return chr(_ARROWS.get(found, found)) if found is not None else ""
