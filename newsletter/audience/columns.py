"""Which column of an export is what: guessed from the header, or given."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from newsletter.errors import InputError, nearest
from newsletter.store.records import MappingRecord

#: Every field an export can fill, with the headers (squeezed to letters and digits) that mean it. Beside them, each
#: attribute in config.toml is the field `attributes.NAME`.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "emailaddress", "mail", "subscriberemail", "address"),
    "first_name": ("firstname", "first", "givenname", "fname"),
    "last_name": ("lastname", "last", "surname", "familyname", "lname"),
    "name": ("name", "fullname"),
    "state": ("state", "region", "province", "stateregion", "canspamstate", "can2stateabbreviated"),
    "locality": ("citycounty", "city", "county", "locality", "town", "place", "can2usercity", "can2county"),
    "role": ("role", "type", "membertype"),
    "chapter": ("chapter", "statechapter"),
    "language": ("language", "lang", "locale", "languagespoken"),
    "lists": ("lists", "list", "newsletters", "groups"),
    "pending_lists": ("pendinglists",),
    "left_lists": ("leftlists", "unsubscribedlists"),
    "status": (
        "status",
        "subscriptionstatus",
        "substatus",
        "memberstatus",
        "subscribertype",
        "can2subscriptionstatus",
        "subscribed",
        "subscribedtoemails",
    ),
    "unsubscribed": ("unsubtime", "unsubscribedat", "unsubscribetime", "optouttime", "unsubscriptiondate"),
    "cleaned": ("cleantime", "cleanedat"),
    "suppressed": ("suppressed",),
    "suppressed_lists": ("suppressedlists",),
    "confirmed": (
        "confirmed",
        "confirmedat",
        "confirmtime",
        "optintime",
        "subscribedat",
        "optindate",
        "createdat",
        "creationdate",
    ),
    "ip": ("signupip", "optinip", "ip", "ipaddress", "confirmip"),
    "tags": ("tags", "labels", "can2usertags", "usertags"),
    "attributes": ("attributes", "metadata"),
    "frequency": ("frequency",),
    "paused_until": ("pauseduntil",),
    "note": ("notes", "note", "comments"),
}
Mapped = dict[str, str]


def fields(attributes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Every field there is, those of the attributes too, with the headers that mean it."""
    return {**FIELDS, **{f"attributes.{name}": (_squeeze(name), f"attributes{_squeeze(name)}") for name in attributes}}


def guess(header: Sequence[str], attributes: Sequence[str] = ()) -> Mapped:
    """Field to column name, for the columns whose names we know; the first of several wins."""
    squeezed = {column: _squeeze(column) for column in header}
    found: Mapped = {}
    for field, names in fields(attributes).items():
        columns = sorted((names.index(text), place) for place, text in enumerate(squeezed.values()) if text in names)
        if columns:
            found[field] = list(squeezed)[columns[0][1]]
    return found


def _squeeze(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def given(pairs: Sequence[str], header: Sequence[str], attributes: Sequence[str] = ()) -> Mapped:
    """A mapping from `field=Column` pairs; an empty column leaves the field out."""
    found: Mapped = {}
    known = fields(attributes)
    for pair in pairs:
        field, sign, column = (part.strip() for part in pair.partition("="))
        if not sign or field not in known:
            hint = nearest(field, known) or f"fields: {', '.join(known)}"
            raise InputError(f'"{pair}" is no field=column', hint=hint)
        match = [name for name in header if name.strip() == column]
        if column and not match:
            raise InputError(f'the file has no column "{column}"', hint=nearest(column, header))
        found[field] = match[0] if match else ""
    return found


def remember(session: Session, header: Sequence[str], mapping: Mapping[str, str], now: dt.datetime) -> None:
    """Keep a mapping for the next export with this header."""
    session.merge(MappingRecord(header_digest=_digest(header), mapping=dict(mapping), saved_at=now))


def remembered(session: Session, header: Sequence[str]) -> Mapped | None:
    """The mapping that was used for this header the last time."""
    record = session.get(MappingRecord, _digest(header))
    return dict(record.mapping) if record else None


def _digest(header: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(header).encode()).hexdigest()
