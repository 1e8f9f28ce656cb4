"""Text from outside, cleaned where it comes in.

Control characters run commands in a terminal, direction marks show words in another order than they stand in, half a
surrogate pair and NUL break databases and encoders (https://trojansource.codes, Unicode Technical Report 36).
"""

from __future__ import annotations

import re
import unicodedata

#: What breaks a line, and what is no text at all. The joiners that scripts and emoji need stay.
_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
_FORBIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]"
)


def clean(text: str) -> str:
    """One line of text as it may be stored: composed (NFC), single blanks, no control or direction characters."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    plain = _FORBIDDEN.sub("", _BREAKS.sub(" ", text))
    return " ".join(unicodedata.normalize("NFC", plain).split())


def clean_lines(text: str) -> str:
    """Several lines of text as they may be stored: halves of surrogate pairs that belong together are one character,
    others and all control characters but line feed and tab are gone.
    """
    if text.isascii() and text.isprintable():
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    plain = re.sub(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]", "\n", whole)
    return re.sub(r"[^\n\t]", lambda found: "" if _FORBIDDEN.match(found[0]) else found[0], plain)


def shown(text: str) -> str:
    r"""The text for a terminal: what would act on it rather than be read is written out, as `\x1b`."""
    return _FORBIDDEN.sub(lambda found: found[0] if found[0] in "\n\t" else _escaped(found[0]), text)


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
