"""An issue in one file, for those who have to say yes and don't have the program.

review_page     inbox row, mail, plain text, links, findings, who gets what: one HTML page, nothing outside it
changes_page    what differs from the approval: the text's lines, and the mails side by side as pictures
"""

from __future__ import annotations

import base64
import difflib
import io
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from newsletter import chromium
from newsletter.check.links import links_of
from newsletter.check.rules import Subject
from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.merge import reader_links
from newsletter.model import Finding, Issue, Reach, Rendered
from newsletter.photos import photo_bytes
from newsletter.resources import TEMPLATES

#: Pixels: how wide mail is pictured, and how much of its height fits on a printed page.
_WIDTH, _PAGE_HEIGHT = 640, 860


@dataclass(frozen=True, slots=True)
class Differing:
    """How a variant differs from the default, as lines of a unified diff of the plain text."""

    name: str
    readers: int
    lines: tuple[str, ...]


def review_page(
    issue: Issue,
    variants: Sequence[Rendered],
    findings: Sequence[Finding],
    reach: Reach,
    config: Config,
    *,
    printed: bool = False,
) -> str:
    """The page. The mail is shown in a frame that runs no script, or, to be `printed`, as pictures by Chromium."""
    default = variants[0]
    html = embedded(default, issue, config)
    publication = config.publications[issue.publication]
    sender = config.senders[publication.sender]
    links = {(words, url): where for where, words, url in links_of(Subject(issue=issue, variants=(), config=config))}
    return (
        _environment()
        .get_template("review.html.j2")
        .render(
            issue=issue,
            publication=publication,
            sender=sender,
            subject=default.subject.merge({}),
            preheader=default.preheader.merge({}),
            html=html,
            pages=_pages(chromium.picture(html, width=_WIDTH)) if printed else [],
            bytes=len(default.html.merge_html({}).encode()),
            text=default.text.merge(_nobody(config)),
            findings=findings,
            links=[(words, url) for words, url in links],
            reach=reach,
            differing=[_differing(default, variant, reach) for variant in variants[1:]],
        )
    )


def changes_page(
    issue: Issue, approved_issue: Issue, approved: Rendered, now: Rendered, lines: Sequence[str], config: Config
) -> str:
    """What differs between the approved mail and the one that would be made now: text, and pictures side by side
    with a mark beside what differs. Needs Chromium.
    """
    before = chromium.picture(embedded(approved, approved_issue, config), width=_WIDTH)
    after = chromium.picture(embedded(now, issue, config), width=_WIDTH)
    old, new = _marked(before, after)
    return (
        _environment()
        .get_template("changes.html.j2")
        .render(issue=issue, lines=lines, approved=_data("image/png", old), now=_data("image/png", new))
    )


def embedded(mail: Rendered, issue: Issue, config: Config) -> str:
    """A mail's HTML for a reader of whom nothing is known, its pictures within it."""
    html = mail.html.merge_html(_nobody(config)).replace("<head>", '<head><base target="_blank">', 1)
    archive = config.archive.url.rstrip("/")
    for name, photo in issue.photos.items():
        address = f"{archive}/media/{name}"
        if address not in html:
            continue
        try:
            data = photo_bytes(photo, config.folder)
        except InputError:
            continue  # as readers would see it: without the picture
        html = html.replace(address, _data(mimetypes.guess_type(name)[0] or "image/jpeg", data))
    return html


def _nobody(config: Config) -> dict[str, str]:
    return reader_links(f"{config.service.url.rstrip('/')}/u/")


def _differing(default: Rendered, variant: Rendered, reach: Reach) -> Differing:
    readers = next((count for found, count in reach.variants.items() if found.name == variant.variant), 0)
    old, new = (str(mail.text).splitlines() for mail in (default, variant))
    lines = tuple(difflib.unified_diff(old, new, "default", variant.variant, lineterm="", n=1))[2:]
    return Differing(variant.variant, readers, lines)


def _pages(shot: bytes) -> list[str]:
    """A tall picture in pieces that each fit on a printed page, as data: addresses."""
    from PIL import Image

    with Image.open(io.BytesIO(shot)) as image:
        tops = range(0, image.height, _PAGE_HEIGHT)
        pieces = [image.crop((0, top, image.width, min(image.height, top + _PAGE_HEIGHT))) for top in tops]
        return [_data("image/png", chromium.png(piece)) for piece in pieces]


def _marked(before: bytes, after: bytes) -> tuple[bytes, bytes]:
    """Both pictures with a red bar at the left of every row that the other one doesn't have."""
    from PIL import Image, ImageDraw

    with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
        images = (old.convert("RGB"), new.convert("RGB"))
    rows = [[image.crop((0, y, image.width, y + 1)).tobytes() for y in range(image.height)] for image in images]
    matcher = difflib.SequenceMatcher(None, rows[0], rows[1])
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag != "equal":
            for image, top, bottom in ((images[0], old_from, old_to), (images[1], new_from, new_to)):
                ImageDraw.Draw(image).rectangle((0, top, 7, max(top + 3, bottom - 1)), fill="#d21f1f")
    return chromium.png(images[0]), chromium.png(images[1])


def _data(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES / "reports"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
