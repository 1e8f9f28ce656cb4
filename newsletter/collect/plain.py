"""The words of somebody's HTML, as plain text; the names of those who wrote it."""

from __future__ import annotations

import re

from lxml import etree, html

from newsletter.model.text import clean_lines

_BLOCKS = ("p", "br", "div", "li", "tr", "h1", "h2", "h3", "blockquote")
#: A numeric character reference, also one that was escaped once too often.
_REFERENCE = re.compile(r"&(?:amp;){0,3}#(?:x([0-9a-f]{1,8})|([0-9]{1,8}));", re.IGNORECASE)
_REFERENCES = re.compile(r"(?:&(?:amp;){0,3}#(?:x[0-9a-f]{1,8}|[0-9]{1,8});)+", re.IGNORECASE)
_MAIL = re.compile(r"[^\s<>()\"',;@]{1,64}@[^\s<>()\"',;@]{1,255}")
#: What programs write where no author was given, and what is left of an address.
_NOBODY = {"mailto:", "and", "y", "admin", "administrator", "unknown", "webmaster", "noreply"}
_WEB = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def words(markup: str) -> str:
    """What a reader would see of a piece of HTML, a line for each block, links written out behind their words."""
    markup = clean_lines(references_mended(markup))
    if not markup.strip():
        return ""
    try:
        root = html.fragment_fromstring(markup, create_parent="div")
    except (ValueError, etree.ParserError):
        return ""
    etree.strip_elements(root, "script", "style", "head", with_tail=False)
    for link in root.iter("a"):
        if link.get("href"):
            link.tail = f" {link.get('href')} {link.tail or ''}"
    for block in root.iter(*_BLOCKS):
        block.tail = "\n" + (block.tail or "")
    lines = clean_lines("".join(str(piece) for piece in root.itertext())).splitlines()
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def references_mended(markup: str) -> str:
    """A text without character references to what is no character: halves of a pair that belong together, as some
    programs write emoji, become one, others go (https://html.spec.whatwg.org/#numeric-character-reference-end-state).
    """
    return _REFERENCES.sub(_mended, markup) if "#" in markup else markup


def _mended(run: re.Match[str]) -> str:
    numbers = [int(found[1], 16) if found[1] else int(found[2]) for found in _REFERENCE.finditer(run[0])]
    if all(0x20 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or number in (9, 10, 13) for number in numbers):
        return run[0]
    text = clean_lines("".join(chr(number) for number in numbers if number <= 0x10FFFF))
    return "".join(f"&#{ord(letter)};" for letter in text)


def names_only(text: str) -> str:
    """The names in a byline: no mail address, no address of a page, no `@handle`, and no "by" before them."""
    bare = _WEB.sub(" ", _MAIL.sub(" ", text.removeprefix("mailto:")))
    bare = re.sub(r"(?<!\w)@\w+", " ", bare)
    bare = re.sub(r"\[email\s+protected\]", " ", bare)  # as Cloudflare hides addresses
    bare = re.sub(r"[<>\[\]\"]|\(\s*\)", " ", bare)
    bare = " ".join(bare.split())
    if bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1]
    bare = re.sub(r"^(?:by|por|par|von|di)\b:? +", "", bare, flags=re.IGNORECASE)
    parts = [part.strip(" -–|/") for part in re.split(r"[,;]", bare)]
    return ", ".join(part for part in parts if part and part.lower() not in _NOBODY)
