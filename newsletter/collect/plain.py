"""The words of somebody's HTML, as plain text."""

from __future__ import annotations

from lxml import etree, html

_BLOCKS = ("p", "br", "div", "li", "tr", "h1", "h2", "h3", "blockquote")


def words(markup: str) -> str:
    """What a reader would see of a piece of HTML, a line for each block, links written out behind their words."""
    if not markup.strip():
        return ""
    try:
        root = html.fragment_fromstring(markup.replace("\0", ""), create_parent="div")
    except (ValueError, etree.ParserError):
        return ""
    etree.strip_elements(root, "script", "style", "head", with_tail=False)
    for link in root.iter("a"):
        if link.get("href"):
            link.tail = f" {link.get('href')} {link.tail or ''}"
    for block in root.iter(*_BLOCKS):
        block.tail = "\n" + (block.tail or "")
    lines = "".join(str(piece) for piece in root.itertext()).splitlines()
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)
