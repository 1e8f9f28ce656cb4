"""What people write about an item or a policy, as a flat table of keys, checked and made into a value.

The same keys serve TOML, JSON and CSV files, command-line options and the editor; in CSV a list is one
cell with `;` between its parts. InputError says what is wrong with one value; the caller knows the place.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from slugify import slugify

from newsletter.collect import provisions
from newsletter.collect.dates import day_of
from newsletter.collect.plain import names_only
from newsletter.errors import InputError, nearest
from newsletter.links import Address, canonical
from newsletter.model import (
    KINDS,
    Item,
    Level,
    Link,
    Member,
    Photo,
    Place,
    Policy,
    Provision,
    Status,
    StatusChange,
    Unit,
    kind_said,
)
from newsletter.model.text import clean_lines
from newsletter.photos import FOLDER, find_photo, keep_photo, read_photo
from newsletter.places import parse_place

Form = Mapping[str, Any]
Choice = TypeVar("Choice", bound=StrEnum)

PHOTO_KEYS = ("photo", "photo_alt", "photo_credit")
ITEM_KEYS = (
    *("slug", "kind", "title", "url", "date", "summary", *PHOTO_KEYS, "topics", "places", "people"),
    *("outlet", "author", "starts", "ends", "time", "venue", "closes"),
)
POLICY_KEYS = (
    *("slug", "title", "place", "level", "number", "url", "summary", *PHOTO_KEYS, "topics", "sponsors", "links"),
    *("provisions", "history", "status", "status_date", "status_url", "status_note"),
)
MEMBER_KEYS = ("slug", "name", "title", "place", "email", "aliases")
#: Words that mean the same as a status, as trackers and exports have them.
_STATUS_WORDS = {
    "effective": Status.IN_EFFECT,
    "in force": Status.IN_EFFECT,
    "adopted": Status.ENACTED,
    "approved": Status.PASSED,
    "signed": Status.ENACTED,
    "committee": Status.IN_COMMITTEE,
    "challenged": Status.CHALLENGED,
}


def slug_for(title: str, taken: Container[str]) -> str:
    """A slug made of a title, with a number behind it where it's taken."""
    base = slugify(title, max_length=60, word_boundary=True, save_order=True) or "untitled"
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug


def read_item(
    form: Form, *, base: Path | None, workspace: Path, taken: Container[str] = (), tracking: Collection[str] = ()
) -> Item:
    """An Item of a form. `base` is the folder in which its picture lies, None for what a person here names themselves,
    from where they are; new pictures are kept. The link is made canonical, without parameters of the names in
    `tracking`.
    """
    _known(form, ITEM_KEYS)
    title = _text(form, "title", required=True)
    item = Item(
        slug=_slug(form) or slug_for(title, taken),
        kind=_kind(form),
        title=title,
        url=canonical(_url(form, "url", required=True), tracking),
        summary=_text(form, "summary", lines=True),
        date=_date(form, "date", required=True) or dt.date.min,
        photo=_photo(form, base, workspace),
        topics=_texts(form, "topics"),
        places=_each(form, "places", _place),
        people=_texts(form, "people"),
        outlet=_text(form, "outlet"),
        author=names_only(_text(form, "author")),
        starts=_date(form, "starts"),
        ends=_date(form, "ends"),
        time=_text(form, "time"),
        venue=_text(form, "venue"),
        closes=_date(form, "closes"),
    )
    if item.facts.dated_by == "starts" and item.starts is None:
        item = replace(item, starts=item.date)
    if item.starts and item.ends and item.ends < item.starts:
        raise InputError(f'"ends" ({item.ends}) is before "starts" ({item.starts})')
    return item


def read_policy(
    form: Form, *, base: Path | None, workspace: Path, taken: Container[str] = (), tracking: Collection[str] = ()
) -> Policy:
    """A Policy of a form, its links canonical as an item's; `history` is a list of tables, or one step in the
    keys that start with `status`.
    """
    _known(form, POLICY_KEYS)
    title = _text(form, "title", required=True)
    steps = form.get("history") or []
    if isinstance(steps, str):
        steps = [_status_form(line) for line in steps.splitlines() if line.strip()]
    if not isinstance(steps, list) or not all(isinstance(step, Mapping) for step in steps):
        raise InputError('"history" must be a list of tables with "status" and "date"')
    history = [read_status(step) for step in steps]
    if _text(form, "status"):
        step = {key: form.get(f"status_{key}", "") for key in ("date", "url", "note")}
        history.append(read_status({"status": form["status"], **step}))
    history = [replace(change, url=canonical(change.url, tracking)) for change in history]
    links = [replace(link, url=canonical(link.url, tracking)) for link in _each(form, "links", _link)]
    return Policy(
        slug=_slug(form) or slug_for(title, taken),
        title=title,
        place=_place(_text(form, "place")) if _text(form, "place") else Place(),
        level=_choice(form, "level", Level, {"district": Level.SCHOOL, "municipal": Level.CITY}),
        number=_text(form, "number"),
        url=canonical(_url(form, "url"), tracking),
        summary=_text(form, "summary", lines=True),
        topics=_texts(form, "topics"),
        sponsors=_texts(form, "sponsors"),
        links=tuple(links),
        photo=_photo(form, base, workspace),
        history=tuple(sorted(history, key=lambda change: change.date)),
        provisions=_provisions(form),
    )


def _provisions(form: Form) -> tuple[Provision, ...]:
    found = [_provision(table) for table in provisions.tables(form.get("provisions") or [])]
    return tuple(sorted(dict.fromkeys(found), key=lambda one: one.date))


def _provision(table: Form) -> Provision:
    _known(table, provisions.KEYS)
    try:
        return Provision(
            topic=_text(table, "topic", required=True),
            date=_date(table, "date", required=True) or dt.date.min,
            amount=provisions.number(_text(table, "amount")),
            unit=_choice(table, "unit", Unit, provisions.UNIT_WORDS) if _text(table, "unit") else None,
            covers=_text(table, "covers"),
            note=_text(table, "note"),
        )
    except ValueError as fault:
        raise InputError(str(fault)) from None


def read_member(form: Form, *, taken: Container[str] = ()) -> Member:
    """A Member of a form."""
    _known(form, MEMBER_KEYS)
    name = _text(form, "name", required=True)
    email = _text(form, "email")
    if email and not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+", email):
        raise InputError(f'"{email[:60]}" is not an e-mail address')
    return Member(
        slug=_slug(form) or slug_for(name, taken),
        name=name,
        title=_text(form, "title"),
        place=_place(_text(form, "place")) if _text(form, "place") else Place(),
        email=email,
        aliases=_texts(form, "aliases"),
    )


def write_member(member: Member) -> dict[str, Any]:
    """The form of a Member: what `read_member` reads back to the same value. Empty keys are left out."""
    form = {key: getattr(member, key) for key in MEMBER_KEYS if key != "place"}
    return _tidy({**form, "place": str(member.place)}, MEMBER_KEYS)


def read_status(form: Form) -> StatusChange:
    """One dated step of a policy."""
    _known(form, ("status", "date", "url", "note"))
    return StatusChange(
        status=_choice(form, "status", Status, _STATUS_WORDS),
        date=_date(form, "date", required=True) or dt.date.min,
        url=_url(form, "url"),
        note=_text(form, "note"),
    )


def write_item(item: Item) -> dict[str, Any]:
    """The form of an Item: what `read_item` reads back to the same value. Empty keys are left out."""
    form = {
        **{key: getattr(item, key) for key in ITEM_KEYS if key not in (*PHOTO_KEYS, "places")},
        "places": [str(place) for place in item.places],
        **_photo_form(item.photo),
    }
    return _tidy(form, ITEM_KEYS)


def write_policy(policy: Policy) -> dict[str, Any]:
    """The form of a Policy: what `read_policy` reads back to the same value. Empty keys are left out."""
    form = {
        **{key: getattr(policy, key) for key in ("slug", "title", "number", "url", "summary", "topics", "sponsors")},
        "place": str(policy.place),
        "level": str(policy.level),
        "links": [{"label": link.label, "url": link.url} for link in policy.links],
        "provisions": provisions.write(policy.provisions),
        "history": [write_status(change) for change in policy.history],
        **_photo_form(policy.photo),
    }
    return _tidy(form, POLICY_KEYS)


def write_status(change: StatusChange) -> dict[str, Any]:
    """The form of a StatusChange."""
    form = {"status": str(change.status), "date": change.date, "url": change.url, "note": change.note}
    return _tidy(form, tuple(form))


_STATUS_LINE = re.compile(r"(?P<date>[\d-]+) (?P<status>[^<:]+?) ?(?:<(?P<url>\S+)>)? ?(?:: (?P<note>.*))?$")


def status_line(form: Form) -> str:
    """A step as one line of a CSV cell: `2022-06-07 passed <https://…>: note`."""
    url, note = form.get("url"), form.get("note")
    return f"{form['date']} {form['status']}" + (f" <{url}>" if url else "") + (f": {note}" if note else "")


def _status_form(line: str) -> Form:
    match = _STATUS_LINE.match(" ".join(line.split()))
    if not match:
        raise InputError(
            f'"history" has a line that is no step: {line[:40]}', hint="write: 2022-06-07 passed <https://…>"
        )
    return {key: value for key, value in match.groupdict().items() if value}


def _tidy(form: dict[str, Any], order: tuple[str, ...]) -> dict[str, Any]:
    lists = {key: list(value) if isinstance(value, tuple) else value for key, value in form.items()}
    return {key: lists[key] for key in order if lists.get(key)}


def _photo_form(photo: Photo | None) -> dict[str, str]:
    return {"photo": photo.file, "photo_alt": photo.alt, "photo_credit": photo.credit} if photo else {}


def _known(form: Form, keys: tuple[str, ...]) -> None:
    for key in form:
        if key not in keys:
            raise InputError(f'unknown key "{key}"', hint=nearest(str(key), keys))


def _text(form: Form, key: str, *, required: bool = False, lines: bool = False) -> str:
    value = form.get(key)
    if value is not None and not isinstance(value, str | int | float):
        raise InputError(f'"{key}" must be a text')
    text = "" if value is None else clean_lines(str(value)).strip()
    if required and not text:
        raise InputError(f'"{key}" is missing')
    return text if lines else " ".join(text.split())


def _slug(form: Form) -> str:
    slug = _text(form, "slug")
    if slug and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        raise InputError(f'"{slug}" is no slug', hint=f'use "{slugify(slug)}"')
    return slug


def _url(form: Form, key: str, *, required: bool = False) -> str:
    text = _text(form, key, required=required)
    if not text:
        return ""
    try:
        return str(Address.parse(text))
    except ValueError as fault:
        # Not the address itself, which may hold somebody's password.
        raise InputError(f'"{key}" must be an address that starts with https://; this one {fault}') from None


def _date(form: Form, key: str, *, required: bool = False) -> dt.date | None:
    value = form.get(key)
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    text = _text(form, key, required=required)
    if not text:
        return None
    if found := day_of(text):
        return found
    raise InputError(f'"{key}" is no date: {text[:40]}', hint="write it as 2026-12-01")


def _texts(form: Form, key: str) -> tuple[str, ...]:
    return _each(form, key, lambda text: text)


def _each(form: Form, key: str, read: Callable[[Any], Any]) -> tuple[Any, ...]:
    value = form.get(key) or []
    if isinstance(value, str):
        value = [part.strip() for part in value.split(";")]
    if not isinstance(value, list | tuple):
        raise InputError(f'"{key}" must be a list')
    return tuple(dict.fromkeys(read(part) for part in value if part))


def _kind(form: Form) -> str:
    text = _text(form, "kind", required=True)
    if kind := kind_said(text):
        return kind.name
    known = [word for kind in KINDS.values() for word in (kind.name, *kind.words)]
    raise InputError(f'"kind" is "{text[:40]}"', hint=nearest(text.lower(), known) or f"one of: {', '.join(KINDS)}")


def _choice(form: Form, key: str, choices: type[Choice], words: Mapping[str, Choice]) -> Choice:
    text = _text(form, key, required=True).lower().replace("_", " ").replace("-", " ")
    if text in words:
        return words[text]
    if text in set(choices):
        return choices(text)
    hint = nearest(text, [*choices, *words]) or f"one of: {', '.join(choices)}"
    raise InputError(f'"{key}" is "{text[:40]}"', hint=hint)


def _place(value: Any) -> Place:
    try:
        return parse_place(str(value))
    except ValueError as fault:
        raise InputError(str(fault)) from None


def _link(value: Any) -> Link:
    """A table with label and url, or in CSV `label <url>`."""
    if isinstance(value, str):
        label, _, url = value.rpartition("<")
        value = {"label": label.strip(), "url": url.strip().rstrip(">")}
    if not isinstance(value, Mapping):
        raise InputError('"links" must be a list of tables with "label" and "url"')
    return Link(label=_text(value, "label", required=True), url=_url(value, "url", required=True))


def _photo(form: Form, base: Path | None, workspace: Path) -> Photo | None:
    """The picture that a form names: in `base` or below it, or one that is kept already. A file says nothing of what
    lies elsewhere on this machine, neither by `..` nor through a link.
    """
    name = _text(form, "photo")
    if not name:
        return None
    alt, credit = _text(form, "photo_alt"), _text(form, "photo_credit")
    kept, beside = (workspace / FOLDER).resolve(), (base or Path.cwd()).resolve()
    path = find_photo(name, beside, workspace).resolve()
    if path.parent == kept:
        return read_photo(path, workspace, alt=alt, credit=credit)
    if base is not None and not path.is_relative_to(beside):
        raise InputError(f"the picture {name} lies elsewhere", hint="put it beside the file, and name it so")
    return keep_photo(path, workspace, alt=alt, credit=credit)
