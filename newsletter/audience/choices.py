"""What a reader chooses for themselves in the preference center."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from newsletter.audience.consent import subscribe, unsubscribe
from newsletter.audience.fields import PROFILE
from newsletter.audience.standing import Frequency
from newsletter.store.records import SubscriberRecord

#: For how many weeks somebody may want no mail.
PAUSES = (2, 4, 8, 12, 26)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What was chosen; None leaves something as it is. Of the lists that were `shown` (all, where that isn't known)
    those in `lists` are wanted; of these, those that they `had` already stay as they are, so that a page that was
    opened before somebody left puts nobody back. `pause` is in weeks from now, 0 ends one.
    """

    lists: frozenset[str] | None = None
    shown: frozenset[str] | None = None
    had: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None
    frequency: Frequency | None = None
    pause: int | None = None


def choose(
    session: Session,
    person: SubscriberRecord,
    wanted: Choices,
    offered: Mapping[str, Collection[str]],
    *,
    evidence: Mapping[str, str],
    now: dt.datetime,
) -> None:
    """Do as somebody chose. Of the lists only those that were `offered` are touched, each with the names under which
    they may stand on it.
    """
    source = "preference center"
    if wanted.lists is not None:
        for name in sorted(set(offered) if wanted.shown is None else wanted.shown.intersection(offered)):
            if name not in wanted.lists:
                for known_as in sorted(offered[name]):
                    unsubscribe(session, person.id, known_as, source=source, evidence=evidence, now=now)
            elif name not in wanted.had:
                subscribe(session, person.id, name, source=source, evidence=evidence, now=now)
    for name, text in wanted.texts.items():
        # A page cuts what is longer than it takes: what comes back as it was shown isn't changed.
        if text != PROFILE[name].fit(getattr(person, name)):
            setattr(person, name, text)
    if wanted.language is not None:
        person.language = wanted.language
    if wanted.frequency is not None:
        person.frequency = wanted.frequency
    if wanted.pause is not None:
        person.paused_until = now + dt.timedelta(weeks=wanted.pause) if wanted.pause else None
    person.updated_at = now
