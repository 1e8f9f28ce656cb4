"""Contributions that came as letters: a folder of .eml files, as mail programs save them (RFC 5322)."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
from collections.abc import Collection
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from newsletter.collect.dates import day_of
from newsletter.collect.limits import time_limit
from newsletter.collect.plain import words
from newsletter.collect.unfurl import shortened
from newsletter.errors import InputError
from newsletter.links import addresses_in, canonical, judged
from newsletter.model import OTHERS
from newsletter.model.text import clean, clean_lines

_PREFIX = re.compile(r"^((re|fwd?|aw|wg)\s*:\s*|\[[^\]]*\]\s*)+", re.IGNORECASE)
#: Where a letter's own words end: a signature (RFC 3676, section 4.3), a reply, a forwarded letter.
_END = re.compile(r"^(--\s*$|>|On .+ wrote:$|-+ ?(Original|Forwarded) message)", re.IGNORECASE)
#: What is left of "See https://…." when the link is gone.
_LEAD = re.compile(r"(\b(see|here|link|read more|more( at)?))? ?[.:]{0,2}$", re.IGNORECASE)
_MAX_BYTES = 30_000_000
#: Seconds for one letter, and how many letters of its text are looked at.
_SECONDS, _TEXT, _HTML = 10.0, 200_000, 2_000_000
#: What Python's parser of mail, and codecs, trip over.
_FAULTS = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)


@dataclass(frozen=True, slots=True)
class Letter:
    """A contribution: the form of an item, who sent it, and the picture that came with it."""

    form: dict[str, Any]
    source: str
    photo: bytes = b""
    photo_name: str = ""


def letters_in(folder: Path) -> list[Path]:
    """The .eml files of a folder by name; InputError when it's none."""
    if not folder.is_dir():
        raise InputError("no such folder", where=folder, hint="save the letters as .eml files in a folder")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".eml" and path.is_file())


def read_letter(path: Path, tracking: Collection[str], today: dt.date, zone: dt.tzinfo = dt.UTC) -> Letter:
    """A letter as an item: subject, first link, first words, date, sender, first picture.

    InputError when there's no subject or no link in it, or it can't be read.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"is larger than {_MAX_BYTES // 1_000_000} MB", where=path)
        with time_limit(_SECONDS, path):
            message = email.message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=email.policy.default)
            return _letter(message, path, tracking, today, zone)
    except OSError as fault:
        raise InputError(f"can't be read: {fault.strerror}", where=path) from None
    except _FAULTS as fault:
        raise InputError(f"can't be read as a letter ({type(fault).__name__})", where=path) from None


def _letter(message: EmailMessage, path: Path, tracking: Collection[str], today: dt.date, zone: dt.tzinfo) -> Letter:
    title = _PREFIX.sub("", clean(_header(message, "Subject")))
    text = clean_lines(_body(message))[:_TEXT]
    link = _first_link(text, tracking)
    if not title:
        raise InputError("has no subject, which would be the title", where=path)
    if not link:
        raise InputError("has no link in it", where=path, hint="ask the sender where the story is")
    name, data = _picture(message)
    form = {
        "kind": OTHERS,
        "title": title,
        "url": link,
        "summary": shortened(_own_words(text)),
        "date": min(day_of(_header(message, "Date"), zone) or today, today),
    }
    return Letter({k: v for k, v in form.items() if v}, _sender(message), data, name)


def _first_link(text: str, tracking: Collection[str]) -> str:
    """The first address in a text that can be one."""
    found = (judged(canonical(text[start:end], tracking)) for start, end in addresses_in(text))
    return next(filter(None, found), "")


def _header(message: EmailMessage, name: str) -> str:
    """A header's text; what is broken in it is replaced, since letters are as they are."""
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, AttributeError, TypeError):  # faults of headers that the parser trips over
        return ""


def _sender(message: EmailMessage) -> str:
    name, address = parseaddr(_header(message, "From"))
    return clean(f"{name} <{address}>" if name and address else name or address) or "a letter without a sender"


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    try:
        content = str(part.get_content())
    except (LookupError, ValueError, KeyError):
        content = (part.get_payload(decode=True) or b"").decode("utf-8", "replace")  # type: ignore[union-attr]
    return words(content[:_HTML]) if part.get_content_type() == "text/html" else content


def _own_words(text: str) -> str:
    """What the sender wrote before the signature and before what is quoted, without greetings and bare links."""
    kept: list[str] = []
    for line in map(" ".join, map(str.split, text.splitlines())):
        if _END.match(line):
            break
        bare = _without_links(line)
        told = (bare if bare == line else _LEAD.sub("", bare)).strip(" <>()")
        if told and not re.fullmatch(r"(hi|hello|dear|hey)\b[^.]{0,40}[,!:]?", told, re.IGNORECASE):
            kept.append(told)
    return " ".join(kept)


def _without_links(line: str) -> str:
    pieces, place = [], 0
    for start, end in addresses_in(line):
        pieces.append(line[place:start])
        place = end
    return "".join([*pieces, line[place:]])


def _picture(message: EmailMessage) -> tuple[str, bytes]:
    for part in message.walk():
        if part.get_content_maintype() == "image" and part.get_content_subtype() in ("jpeg", "png", "gif", "webp"):
            data = part.get_payload(decode=True)
            if isinstance(data, bytes):
                return part.get_filename() or "the picture", data
    return "", b""
