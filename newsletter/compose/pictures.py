"""The pictures that stand in an issue's text, and the text around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it.tree import SyntaxTreeNode

from newsletter.errors import InputError
from newsletter.markdown import numbers
from newsletter.model import Photo
from newsletter.photos import find_photo, read_photo

#: What may stand around a picture without being words.
_BARE = frozenset("*_ \n\t")
#: What is left of lines of a list or a quote whose pictures were taken out.
_BARE_LINES = re.compile(r"(?:[ \t>]*(?:[-*+]|\d{1,9}[.)])?[ \t>*_]*\n?)*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a paragraph, how many lines into it it begins, and the picture that it is, if it is one."""

    text: str
    line: int
    image: SyntaxTreeNode | None = None
    url: str = ""


def pieces(inline: SyntaxTreeNode) -> Iterator[Piece]:
    """A paragraph taken apart at its pictures; InputError for a picture that shares its link with words."""
    text, at = inline.content, 0
    for image in inline.walk():
        if image.type != "image":
            continue
        link = image.parent if image.parent is not None and image.parent.type == "link" else None
        if link is not None and any(c is not image and c.content.strip() for c in link.children):
            raise InputError("a picture and words share a link", hint="link the picture, and the words below it")
        start, end = (link or image).meta["span"]
        yield from _words(text, at, start)
        url = str(link.attrs.get("href", "")) if link is not None else ""
        yield Piece(text[start:end], text.count("\n", 0, start), image, url)
        at = end
    yield from _words(text, at, len(text))


def _words(text: str, start: int, end: int) -> Iterator[Piece]:
    words = text[start:end]
    if set(words) <= _BARE:
        return
    start += len(words) - len(words.lstrip())
    yield Piece(words.strip(), text.count("\n", 0, start))


def only_pictures(node: SyntaxTreeNode) -> bool:
    """Whether a list or a quote holds pictures and not a word."""
    inlines = [child for child in node.walk() if child.type == "inline"]
    return bool(inlines) and all(
        any(child.type == "image" for child in inline.walk())
        and not any(child.type == "text" and child.content.strip() for child in _outside_images(inline))
        for inline in inlines
    )


def _outside_images(node: SyntaxTreeNode) -> Iterator[SyntaxTreeNode]:
    for child in node.children:
        if child.type != "image":
            yield child
            yield from _outside_images(child)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a list or a quote without its pictures, the line of the file it begins on, from 0, and the pictures
    that stood in its last part: each with its line and where it leads.
    """

    text: str
    line: int
    images: tuple[tuple[SyntaxTreeNode, int, str], ...] = ()


def images_in(node: SyntaxTreeNode) -> list[tuple[SyntaxTreeNode, SyntaxTreeNode]]:
    """The pictures within a block, each with the paragraph that it stands in."""
    inlines = (inline for inline in node.walk() if inline.type == "inline")
    return [(image, inline) for inline in inlines for image in inline.walk() if image.type == "image"]


def stretches(node: SyntaxTreeNode, lines: Sequence[str]) -> Iterator[Stretch]:
    """A list taken apart after the items that hold pictures, a quote with its pictures below it; numbers stay."""
    is_list = node.type != "blockquote"
    parts = node.children if is_list else [node]
    counted = numbers([part.info for part in parts], int(node.attrs.get("start", 1))) if node.type[0] == "o" else []
    held: list[str] = []
    begun = (node.map or (0, 0))[0]
    for index, part in enumerate(parts):
        start, end = part.map or (0, 0)
        text, images = _without_images(part, "\n".join(lines[start:end]))
        if counted:
            text = re.sub(r"\d+", str(counted[index]), text, count=1)
        if not held:
            begun = start
        if not _BARE_LINES.fullmatch(text):
            held.append(text)
        if images:
            yield Stretch("\n".join(held).rstrip(), begun, images)
            held = []
    if held:
        yield Stretch("\n".join(held).rstrip(), begun)


def _without_images(part: SyntaxTreeNode, text: str) -> tuple[str, tuple[tuple[SyntaxTreeNode, int, str], ...]]:
    found = []
    for image, inline in images_in(part):
        link = image.parent if image.parent is not None and image.parent.type == "link" else None
        start, end = (link or image).meta["span"]
        text = text.replace(inline.content[start:end], "", 1)
        line = (inline.map or (0, 0))[0] + inline.content.count("\n", 0, start)
        url = str(link.attrs.get("href", "")) if link is not None else ""
        found.append((image, line, url))
    if found:
        text = "\n".join(re.sub(r"(?<=\S)  +(?=\S)", " ", line).rstrip() for line in text.split("\n"))
    return text, tuple(found)


def _alt(image: SyntaxTreeNode) -> str:
    """What a picture shows, in plain words: escapes and marks are read as in other text."""
    parts = (node for node in image.walk() if node is not image and not node.children)
    return "".join(" " if node.type in ("softbreak", "hardbreak") else node.content for node in parts)


def photo_of(image: SyntaxTreeNode, folder: Path, workspace: Path) -> Photo:
    """The picture's file, beside issue.md or in the workspace; InputError where there's none that can be read."""
    name = str(image.attrs.get("src", ""))
    if name[:5].lower() == "data:":
        hint = "save it as a file beside issue.md and write ![what it shows](file.jpg)"
        raise InputError("a picture is written into the text itself (data:…)", hint=hint)
    if "://" in name[:12]:
        raise InputError(f"the picture {name[:80]} is on the web", hint="save it beside issue.md, and name the file")
    path = find_photo(name, folder, workspace)
    return read_photo(path, workspace, alt=_alt(image), credit=str(image.attrs.get("title", "")), named=path.name)
