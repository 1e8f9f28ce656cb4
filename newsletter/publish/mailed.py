"""A message as it was mailed, as a page: without what only mail programs read, and with nothing of any reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree, html

from newsletter.links import canonical, cleaned_text
from newsletter.publish.csp import MAILED

#: Declarations that only Outlook knows.
_OUTLOOK = re.compile(r"\bmso-[\w-]+\s?:[^;}]*;?")
#: Not those of Outlook's own elements, nor what a broken tag leaves.
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")
_ADDRESSES = frozenset({"href", "src", "background", "poster", "action", "cite", "longdesc", "data"})


def page(message: str, base: str, tracking: tuple[str, ...]) -> bytes:
    """The page of a message in HTML. `base` is the archive's address: its pictures lie beside the page, so that they
    show from a disk, too.
    """
    tree = html.document_fromstring(message)
    # Comments hold what Outlook reads, and with it addresses.
    etree.strip_tags(tree, etree.Comment, etree.ProcessingInstruction)
    etree.strip_elements(tree, "script", "base", with_tail=False)
    main = next((element for element in tree.iter() if element.get("role") == "article"), None)
    if main is not None:  # one article in a mailbox is all there is on a page
        main.set("role", "main")
    for element in tree.iter():
        _public(element, base, tracking)
    head = tree.find("head")
    if head is not None:
        for number, made in enumerate(_meta()):
            head.insert(number, made)
    text = html.tostring(tree, encoding="unicode", doctype="<!doctype html>")
    return f"{text}\n".encode("utf-8", "ignore")


def _meta() -> Iterator[Any]:
    yield html.Element("meta", {"charset": "utf-8"})
    yield html.Element("meta", {"http-equiv": "Content-Security-Policy", "content": MAILED})
    yield html.Element("meta", {"name": "robots", "content": "noindex"})


def _public(element: Any, base: str, tracking: tuple[str, ...]) -> None:
    for name, value in list(element.attrib.items()):
        if not _NAME.fullmatch(name) or name.startswith("on") or (name, value) == ("height", "auto"):
            del element.attrib[name]
        elif name in _ADDRESSES:
            here = value.replace(f"{base}/media/", "../media/", 1) if name == "src" else value
            element.set(name, canonical(here, tracking) if "://" in here else here)
        elif name == "style":
            element.set(name, cleaned_text(_OUTLOOK.sub("", value), tracking))
        elif cleaned := cleaned_text(value, tracking):
            element.set(name, cleaned)
    if element.text:
        text = _OUTLOOK.sub("", element.text) if element.tag == "style" else element.text
        element.text = cleaned_text(text, tracking)
    if element.tail:
        element.tail = cleaned_text(element.tail, tracking)
