"""A page of people as the store has them, merged in memory and written at once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session

from newsletter.audience.consent import harden
from newsletter.audience.fields import PROFILE
from newsletter.audience.people import Person
from newsletter.audience.standing import Reason, Standing, stricter
from newsletter.store.bulk import Bulk
from newsletter.store.records import (
    ConsentRecord,
    ImportChangeRecord,
    SubscriberRecord,
    SubscriptionRecord,
    SuppressionRecord,
    TagRecord,
)

_TEXTS = (*PROFILE, "frequency")
_COLUMNS = ("email", *_TEXTS, "attributes", "paused_until", "consented_at")
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a page changed: how many people, how many addresses are newly suppressed, and who stands where now."""

    people: int
    suppressed: int
    standings: Counter[tuple[str, Standing]]


class Page:
    """Some people of an import, against what the store has of them. The database is asked once for all of them."""

    def __init__(
        self,
        session: Session,
        bulk: Bulk,
        people: Sequence[Person],
        hash_address: Callable[[str], str],
        now: dt.datetime,
        number: int,
    ) -> None:
        self._session, self._bulk, self._now, self._number = session, bulk, now, number
        self._emails = list(dict.fromkeys(person.email for person in people))
        self._hash = lru_cache(len(people))(hash_address)
        self._people = self._stored_people()
        self._ids = {email: row["id"] for email, row in self._people.items()}
        names = {number: email for email, number in self._ids.items()}
        rows = bulk.find(SubscriptionRecord, ("subscriber_id", "list", "status"), "subscriber_id", list(names))
        self._standing: dict[Key, str] = {(names[row["subscriber_id"]], row["list"]): row["status"] for row in rows}
        self._moves: dict[Key, tuple[Standing, dt.datetime | None]] = {}
        self._stored = frozenset(self._standing)
        self._standing_before = dict(self._standing)
        self._known = frozenset(email for email, row in self._people.items() if row["import_id"] != number)
        self._stops = self._stored_stops()
        self._changed: dict[str, None] = {}
        self._consents: list[tuple[Person, list[tuple[str, Standing]]]] = []
        self._suppressions: list[tuple[str, str, str]] = []
        self._hardened: dict[str, Reason] = {}
        self._tags: dict[str, dict[str, None]] = {}
        self._before: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, dict[str, None]] = {}

    def _stored_people(self) -> dict[str, dict[str, Any]]:
        columns = ("id", "import_id", "updated_at", *_COLUMNS)
        found = self._bulk.find(SubscriberRecord, columns, "email", self._emails)
        return {row["email"]: row for row in found}

    def _stored_stops(self) -> dict[Key, str]:
        """Why an address is suppressed, by its hash and the list, "" for any."""
        if not self._session.scalar(select(exists().where(SuppressionRecord.id > 0))):
            return {}
        columns, hashes = ("address_hash", "list", "reason"), list(map(self._hash, self._emails))
        found = self._bulk.find(SuppressionRecord, columns, "address_hash", hashes)
        return {(row["address_hash"], row["list"]): row["reason"] for row in found}

    def erased(self, person: Person) -> bool:
        """Whether somebody asked to be forgotten, so that no import brings them back."""
        return bool(self._stops) and self._stops.get((self._hash(person.email), "")) == Reason.ERASED

    def merge(self, person: Person) -> bool:
        """Take a person in; True when they were known already."""
        known = person.email in self._people
        self._merge_record(person)
        steps = []
        for name, standing in person.standings.items():
            before = self._standing.get((person.email, name))
            after = stricter(before, standing)
            if after == before == Standing.ACTIVE and person.email in self._known:
                self._seen.setdefault(person.email, {})[name] = None
            if after != before:
                self._standing[person.email, name] = after
                confirmed = person.consented_at if after is Standing.ACTIVE else None
                self._moves[person.email, name] = after, confirmed
                steps.append((name, after))
        if steps:
            self._consents.append((person, steps))
            self._changed[person.email] = None
        if person.tags:
            self._tags.setdefault(person.email, {}).update(dict.fromkeys(person.tags))
        if person.stop:
            self._stop(person.email, "", person.stop)
        for name in person.stopped_lists:
            self._stop(person.email, name, Reason.MANUAL)
        return known

    def _stop(self, email: str, name: str, reason: Reason) -> None:
        hashed = self._hash(email)
        known = self._stops.get((hashed, "")) or self._stops.get((hashed, name))
        if known is None:
            self._stops[hashed, name] = reason
            self._suppressions.append((email, name, reason))
        elif known == Reason.SOFT_BOUNCES != reason:
            self._hardened[hashed] = reason

    def _merge_record(self, person: Person) -> None:
        record = self._people.get(person.email)
        if record is None:
            self._people[person.email] = {
                **dict.fromkeys(_TEXTS, ""),
                **person.profile,
                "email": person.email,
                "frequency": person.frequency,
                "attributes": person.attributes,
                "paused_until": person.pause,
                "consented_at": person.consented_at,
            }
            self._changed[person.email] = None
            return
        consented, ours = person.consented_at, record["consented_at"]
        newer = consented is not None and (ours is None or consented > ours)
        given: dict[str, Any] = {**person.profile, "frequency": person.frequency, "paused_until": person.pause}
        after = {name: value for name, value in given.items() if value and (newer or not record[name])}
        mine, theirs = record["attributes"], person.attributes
        attributes = {**mine, **theirs} if newer else {**theirs, **mine}
        after |= {"attributes": attributes} | ({"consented_at": consented} if newer else {})
        if any(record[name] != value for name, value in after.items()):
            if person.email in self._ids:
                self._before.setdefault(person.email, dict(record))
            record.update(after)
            self._changed[person.email] = None

    def write(self, source: str) -> Written:
        """Write what differs; `source` is what the history of consent says of it. IntegrityError where somebody joined
        since the page was read.
        """
        self._look_again()
        fresh = [email for email in self._people if email not in self._ids]
        old = [self._people[email] for email in self._before]
        self._insert_people(fresh)
        if old:
            fixed = ("email", "import_id")
            rows = [{k: v for k, v in p.items() if k not in fixed} | {"updated_at": self._now} for p in old]
            self._session.execute(update(SubscriberRecord), rows)
        standings = self._write_standings()
        self._write_consents(source)
        added = self._write_tags()
        self._write_changes(added)
        now = self._bulk.moment(self._now)
        columns = ("address_hash", "email", "list", "reason", "source", "at", "tell")
        stops = [(self._hash(e), e, name, reason, source, now, False) for e, name, reason in self._suppressions]
        self._bulk.insert(SuppressionRecord, columns, stops)
        for hashed, reason in self._hardened.items():
            harden(self._session, [hashed], reason, source=source, now=self._now)
        people = {*self._changed, *added, *(email for email, _, _ in self._suppressions)}
        return Written(people=len(people), suppressed=len(stops), standings=standings)

    def _look_again(self) -> None:
        """Let a stop win that came since the page was read: on PostgreSQL, where others write meanwhile, the
        subscriptions that are about to move are locked and read once more.
        """
        numbers = [self._ids[email] for email, name in self._moves if (email, name) in self._stored]
        if self._session.get_bind().dialect.name == "sqlite" or not numbers:
            return
        query = select(SubscriptionRecord.subscriber_id, SubscriptionRecord.list)
        query = query.where(SubscriptionRecord.subscriber_id.in_(numbers)).with_for_update()
        query = query.where(SubscriptionRecord.status == Standing.UNSUBSCRIBED)
        names = {number: email for email, number in self._ids.items()}
        left = {(names[number], name) for number, name in self._session.execute(query)}
        for key in left & set(self._moves):
            del self._moves[key]
        self._consents = [
            (person, [step for step in steps if (person.email, step[0]) not in left])
            for person, steps in self._consents
        ]

    def _insert_people(self, emails: Sequence[str]) -> None:
        moment, now = self._bulk.moment, self._bulk.moment(self._now)
        rows = []
        for email, number in zip(emails, self._bulk.numbers(SubscriberRecord, len(emails)), strict=True):
            person = self._people[email]
            self._ids[email] = number
            texts = [person[name] for name in _TEXTS]
            kept = self._bulk.json(person["attributes"]), moment(person["paused_until"]), moment(person["consented_at"])
            rows.append((number, email, *texts, *kept, self._number, now, now))
        self._bulk.insert(SubscriberRecord, ("id", *_COLUMNS, "import_id", "created_at", "updated_at"), rows)

    def _write_standings(self) -> Counter[tuple[str, Standing]]:
        fresh, moved = [], []
        moment, now = self._bulk.moment, self._bulk.moment(self._now)
        for (email, name), (standing, confirmed) in self._moves.items():
            number = self._ids[email]
            if (email, name) in self._stored:
                moved.append({"of": number, "on": name, "to": standing, "at": self._now})
            else:
                fresh.append((number, name, standing, moment(confirmed), now))
        self._bulk.insert(SubscriptionRecord, ("subscriber_id", "list", "status", "confirmed_at", "changed_at"), fresh)
        if moved:
            table: Any = SubscriptionRecord.__table__
            statement = (
                update(table)
                .where(table.c.subscriber_id == bindparam("of"), table.c.list == bindparam("on"))
                .values(status=bindparam("to"), changed_at=bindparam("at"))
            )
            self._session.connection().execute(statement, moved)
        return Counter((name, standing) for (_, name), (standing, _) in self._moves.items())

    def _write_consents(self, source: str) -> None:
        now = self._bulk.moment(self._now)
        rows = []
        for person, steps in self._consents:
            evidence = {
                "line": person.line,
                "ip": person.ip,
                "confirmed": person.consented_at.isoformat() if person.consented_at else "",
                "stop": person.stop or "",
            }
            number, kept = self._ids[person.email], self._bulk.json({k: v for k, v in evidence.items() if v})
            rows += [(number, name, standing, now, source, kept, False) for name, standing in steps]
        columns = ("subscriber_id", "list", "status", "at", "source", "evidence", "tell")
        self._bulk.insert(ConsentRecord, columns, rows)

    def _write_tags(self) -> dict[str, list[str]]:
        """Write the tags that are new; whose they are."""
        if not self._tags:
            return {}
        numbers = [self._ids[email] for email in self._tags]
        found = self._bulk.find(TagRecord, ("subscriber_id", "tag"), "subscriber_id", numbers)
        known = {(row["subscriber_id"], row["tag"]) for row in found}
        added = {
            email: fresh
            for email, tags in self._tags.items()
            if (fresh := [tag for tag in tags if (self._ids[email], tag) not in known])
        }
        rows = [(self._ids[email], tag) for email, tags in added.items() for tag in tags]
        self._bulk.insert(TagRecord, ("subscriber_id", "tag"), rows)
        return added

    def _write_changes(self, tags: Mapping[str, list[str]]) -> None:
        """Keep what people who were there before had before, so that the import can be undone."""
        changes: dict[str, dict[str, Any]] = {}
        for email, before in self._before.items():
            after = self._people[email]
            if email not in self._known:
                continue
            fields = {name: (before[name], after[name]) for name in _COLUMNS if before[name] != after[name]}
            changes.setdefault(email, {})["fields"] = {name: [*map(_plain, pair)] for name, pair in fields.items()}
            changes[email]["updated"] = _plain(before["updated_at"])
        for (email, name), (standing, _) in self._moves.items():
            if email in self._known:
                change = changes.setdefault(email, {}).setdefault("standings", {})
                change[name] = [self._standing_before.get((email, name)), standing]
        for email, lists in self._seen.items():
            changes.setdefault(email, {})["seen"] = list(lists)
        for email, added in tags.items():
            if email in self._known:
                changes.setdefault(email, {})["tags"] = added
        self._keep({self._ids[email]: change for email, change in changes.items()})

    def _keep(self, changes: dict[int, dict[str, Any]]) -> None:
        """Write changes by subscriber, behind those that earlier rows of this import made."""
        table = ImportChangeRecord
        earlier = select(table).where(table.import_id == self._number, table.subscriber_id.in_(list(changes)))
        for row in self._session.scalars(earlier) if changes else ():
            row.change = _together(row.change, changes.pop(row.subscriber_id))
        rows = [(self._number, number, self._bulk.json(change)) for number, change in changes.items()]
        self._bulk.insert(table, ("import_id", "subscriber_id", "change"), rows)


def _together(first: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """Two changes of somebody as one: from what was before the first to what is after the second."""
    found: dict[str, Any] = {
        part: list(dict.fromkeys([*first.get(part, []), *then.get(part, [])])) for part in ("tags", "seen")
    }
    for part in ("fields", "standings"):
        befores = {name: pair[0] for name, pair in first.get(part, {}).items()}
        later = {name: [befores.get(name, pair[0]), pair[1]] for name, pair in then.get(part, {}).items()}
        found[part] = {**first.get(part, {}), **later}
    updated = first.get("updated", then.get("updated"))
    return found | ({"updated": updated} if updated else {})


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.datetime) else value
