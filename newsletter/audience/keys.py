"""Keys to the API: shown once when they are made, kept as digests, each good for its scopes until it's revoked."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.errors import InputError, NotFound, nearest
from newsletter.model.text import clean
from newsletter.store.records import ApiTokenRecord

_PREFIX = "nd_"
_LONGEST_NAME = 100
_USED_EVERY = dt.timedelta(hours=1)


class Scope(StrEnum):
    """What a key is good for."""

    READ = "read"
    WRITE = "write"


def make(session: Session, name: str, scopes: Collection[Scope], now: dt.datetime) -> str:
    """A new key, of 256 random bits; InputError when the name is taken, or can't be one."""
    name = clean(name)
    if not 0 < len(name) <= _LONGEST_NAME:
        raise InputError("a key's name has 1 to 100 letters", hint="name the program that is to have it")
    if session.scalar(select(ApiTokenRecord.id).where(ApiTokenRecord.name == name)):
        raise InputError(f'there is a key "{name}" already', hint="choose another name; revoked ones keep theirs")
    key = _PREFIX + secrets.token_urlsafe(32)
    session.add(
        ApiTokenRecord(name=name, digest=_digest(key), scopes=[str(scope) for scope in sorted(scopes)], created_at=now)
    )
    return key


def check(session: Session, key: str, now: dt.datetime) -> frozenset[Scope] | None:
    """What a key is good for; None for one that there isn't, or that was revoked. It's found by its digest, so that
    no comparison's time tells anything of the key. Within a write, that it was used is noted, once an hour.
    """
    record = session.scalar(select(ApiTokenRecord).where(ApiTokenRecord.digest == _digest(key)))
    if record is None or record.revoked_at is not None:
        return None
    if record.used_at is None or now - record.used_at > _USED_EVERY:
        record.used_at = now
    return frozenset(Scope(scope) for scope in record.scopes)


def revoke(session: Session, name: str, now: dt.datetime) -> bool:
    """End a key; False when it was ended already. NotFound when there's none."""
    record = session.scalar(select(ApiTokenRecord).where(ApiTokenRecord.name == name))
    if record is None:
        raise NotFound(f'no key "{name}"', hint=nearest(name, session.scalars(select(ApiTokenRecord.name))))
    if record.revoked_at is not None:
        return False
    record.revoked_at = now
    return True


def known(session: Session) -> list[ApiTokenRecord]:
    """All keys there are and were, oldest first."""
    return list(session.scalars(select(ApiTokenRecord).order_by(ApiTokenRecord.id)))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
