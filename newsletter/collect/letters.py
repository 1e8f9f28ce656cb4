"""Contributions that came as letters: a folder of .eml files, as mail programs save them (RFC 5322)."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email.message import EmailMessage, Message
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from newsletter.collect import quoting
from newsletter.collect.dates import day_of
from newsletter.collect.limits import time_limit
from newsletter.collect.plain import words
from newsletter.collect.unfurl import shortened
from newsletter.errors import InputError
from newsletter.links import addresses_in, canonical, judged
from newsletter.model import OTHERS
from newsletter.model.text import clean, clean_lines
from newsletter.readable import page_text

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
    title = quoting.subject(clean(_header(message, "Subject")))
    text = _text(message)
    links = (_first_link(words, tracking) for words in (text, *map(_text, _enclosed(message))))
    link = next(filter(None, links), "")
    if not title:
        raise InputError("has no subject, which would be the title", where=path)
    if not link and not text.strip() and any(map(_is_tnef, message.walk())):
        hint = "ask the sender to send it as plain text or HTML"
        raise InputError("its text is in winmail.dat, which only Outlook reads", where=path, hint=hint)
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


def _text(message: EmailMessage) -> str:
    return quoting.body(clean_lines(_body(message))[:_TEXT])


def _enclosed(message: EmailMessage) -> Iterator[EmailMessage]:
    """The letters that are attached to a letter."""
    for part in message.walk():
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            yield from (one for one in (inner if isinstance(inner, list) else ()) if isinstance(one, EmailMessage))


def _is_tnef(part: Message) -> bool:
    return part.get_content_type() in ("application/ms-tnef", "application/vnd.ms-tnef")


def _header(message: EmailMessage, name: str) -> str:
    """A header's text; what is broken in it is replaced, since letters are as they are. What isn't encoded as it should
    be is read as a page is.
    """
    raw = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    if any("\udc80" <= letter <= "\udcff" for letter in str(raw)):
        return page_text(str(raw).encode("ascii", "surrogateescape"), "")
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, AttributeError, TypeError):  # faults of headers that the parser trips over
        return ""


def _sender(message: EmailMessage) -> str:
    name, address = parseaddr(_header(message, "From"))
    return clean(f"{name} <{address}>" if name and address else name or address) or "a letter without a sender"


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    payload = part.get_payload(decode=True) if part else None
    if part is None or not isinstance(payload, bytes):
        return ""
    charset = str(part.get_content_charset() or "")
    # Who says nothing, or ASCII, and writes other letters hasn't thought of it.
    content = page_text(payload, "" if charset in ("", "us-ascii") else f"text/plain; charset={charset}")
    if part.get_content_type() == "text/html":
        return words(content[:_HTML])
    if str(part.get_param("format", "")).lower() == "flowed":
        return quoting.unflowed(content[:_HTML], delsp=str(part.get_param("delsp", "")).lower() == "yes")
    return content


def _own_words(text: str) -> str:
    """What the sender wrote, without greetings and bare links."""
    kept: list[str] = []
    for line in quoting.own_lines(text):
        bare = _without_links(line)
        told = (bare if bare == line else _LEAD.sub("", bare).rstrip(" :")).strip(" <>()")
        if told and not re.fullmatch(r"(hi|hello|dear|hey|hola)\b[^.]{0,40}[,!:]?", told, re.IGNORECASE):
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
