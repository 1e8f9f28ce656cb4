"""Finding people: by what is known of them, or by words as somebody remembers them."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from newsletter.audience.segments import Condition
from newsletter.audience.standing import Standing
from newsletter.places import state_name
from newsletter.store.folding import folded
from newsletter.store.records import SubscriberRecord, SubscriptionRecord, SuppressionRecord, TagRecord

_PAGE = 1_000
_SEARCHED = ("email", "first_name", "last_name", "locality", "state", "role", "chapter")
#: Beside the three standings, people can be asked for whose address is suppressed.
SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Whom to list; what's empty doesn't matter. `standing` is on the `list` or, without one, on any; `since` and
    `before` are of when they joined, as a segment's `joined`.
    """

    list: str = ""
    standing: str = ""
    state: str = ""
    tag: str = ""
    since: dt.datetime | None = None
    before: dt.datetime | None = None
    where: Condition | None = None

    def query(self) -> Select[SubscriberRecord]:
        """The query for these people, by address."""
        query = select(SubscriberRecord).order_by(SubscriberRecord.email)
        joined = func.coalesce(SubscriberRecord.consented_at, SubscriberRecord.created_at)
        conditions = [
            self._stands() if self.list or self.standing else None,
            SubscriberRecord.state == self.state if self.state else None,
            _tagged(self.tag) if self.tag else None,
            joined >= self.since if self.since else None,
            joined < self.before if self.before else None,
            self.where,
        ]
        return query.where(*(one for one in conditions if one is not None))

    def _stands(self) -> Condition:
        if self.standing == SUPPRESSED:
            names = ("", self.list) if self.list else ("",)
            found = exists().where(SuppressionRecord.email == SubscriberRecord.email)
            return found.where(SuppressionRecord.list.in_(names))
        found = exists().where(SubscriptionRecord.subscriber_id == SubscriberRecord.id)
        if self.list:
            found = found.where(SubscriptionRecord.list == self.list)
        return found.where(SubscriptionRecord.status == self.standing) if self.standing else found


def _tagged(tag: str) -> Condition:
    return exists().where(TagRecord.subscriber_id == SubscriberRecord.id, folded(TagRecord.tag) == folded(tag))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A person as a list of people shows them, with their standing by list."""

    id: int
    email: str
    name: str
    state: str
    locality: str
    lists: dict[str, str]
    suppressed: bool


def people(session: Session, criteria: Criteria, *, page: int, size: int) -> tuple[int, list[Found]]:
    """How many people there are by some criteria, and those of a page, counted from 1."""
    query = criteria.query()
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    records = session.scalars(query.limit(size).offset((page - 1) * size)).all()
    return total, _found(session, list(records))


def every(session: Session, criteria: Criteria) -> Iterator[Found]:
    """All people by some criteria, in little memory."""
    last = ""
    while records := session.scalars(criteria.query().where(SubscriberRecord.email > last).limit(_PAGE)).all():
        yield from _found(session, list(records))
        last = records[-1].email
        session.expunge_all()


def _found(session: Session, records: list[SubscriberRecord]) -> list[Found]:
    ids = [record.id for record in records]
    lists: dict[int, dict[str, str]] = {}
    standings = select(SubscriptionRecord).where(SubscriptionRecord.subscriber_id.in_(ids))
    for row in session.scalars(standings.order_by(SubscriptionRecord.list)):
        lists.setdefault(row.subscriber_id, {})[row.list] = row.status
    emails = [record.email for record in records]
    stopped = select(SuppressionRecord.email).where(SuppressionRecord.email.in_(emails), SuppressionRecord.list == "")
    suppressed = set(session.scalars(stopped))
    return [
        Found(
            id=record.id,
            email=record.email,
            name=f"{record.first_name} {record.last_name}".strip(),
            state=record.state,
            locality=record.locality,
            lists=lists.get(record.id, {}),
            suppressed=record.email in suppressed,
        )
        for record in records
    ]


def search(session: Session, words: str, *, most: int) -> tuple[int, list[Found]]:
    """How many people all the words fit, each anywhere in their name, address or place, and the first of them.

    Case and accents don't matter. Who has a word as it stands comes before those in whom it's only a part. It reads
    everybody, since databases fold letters differently: a million people take some seconds.
    """
    wanted = _folded(words).split()
    ranked: list[tuple[int, str, int]] = []
    total = 0
    columns = [SubscriberRecord.id, *(getattr(SubscriberRecord, name) for name in _SEARCHED)]
    for number, *texts in session.execute(select(*columns).execution_options(yield_per=_PAGE)):
        email, first, last, locality, state, *others = texts
        told = _folded(" ".join((email, first, last, locality, state, state_name(state) if state else "", *others)))
        if wanted and all(word in told for word in wanted):
            total += 1
            whole = {*told.split(), *email.split("@")}
            ranked.append((-sum(word in whole for word in wanted), email, number))
            if len(ranked) > 4 * most:
                ranked = sorted(ranked)[:most]
    ids = [number for _, _, number in sorted(ranked)[:most]]
    records = {
        record.id: record for record in session.scalars(select(SubscriberRecord).where(SubscriberRecord.id.in_(ids)))
    }
    return total, _found(session, [records[number] for number in ids])


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return plain.casefold()


STANDINGS = (*(str(standing) for standing in Standing), SUPPRESSED)
