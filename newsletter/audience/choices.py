"""What a reader chooses for themselves in the preference center."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from newsletter.audience.consent import subscribe, unsubscribe
from newsletter.audience.people import Frequency
from newsletter.store.records import SubscriberRecord

#: For how many weeks somebody may want no mail.
PAUSES = (2, 4, 8, 12, 26)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """All that can be chosen; `pause` is in weeks from now, 0 ends one, None leaves it as it is."""

    lists: frozenset[str]
    first_name: str
    last_name: str
    state: str
    language: str
    frequency: Frequency
    pause: int | None = None


def choose(
    session: Session,
    person: SubscriberRecord,
    wanted: Choices,
    offered: Collection[str],
    *,
    evidence: Mapping[str, str],
    now: dt.datetime,
) -> None:
    """Do as somebody chose. Of the lists only those that were `offered` are touched."""
    source = "preference center"
    for name in sorted(offered):
        if name in wanted.lists:
            subscribe(session, person.id, name, source=source, evidence=evidence, now=now)
        else:
            unsubscribe(session, person.id, name, source=source, evidence=evidence, now=now)
    for field in ("first_name", "last_name", "state", "language", "frequency"):
        setattr(person, field, getattr(wanted, field))
    if wanted.pause is not None:
        person.paused_until = now + dt.timedelta(weeks=wanted.pause) if wanted.pause else None
    person.updated_at = now
