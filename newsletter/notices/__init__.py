"""The service's own mails, one at a time: to confirm, to welcome, and with the links that people ask for.

A request only writes down what somebody asked for. Whether anything is mailed, and what, is found out later and
elsewhere, so that a request takes the same time and gets the same answer whoever's address was given.

    ask(...)             within the request: one row
    Notices.deliver()    in the background: decide, mail, and note what became of it
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter import audience, providers
from newsletter.audience import Reason, Standing
from newsletter.config import Config, Publication
from newsletter.errors import NewsletterError, OutcomeUnknown
from newsletter.languages import translations
from newsletter.model import Call, Outcome, Recipient, ascii_address
from newsletter.notices import letters
from newsletter.notices.letters import Letter
from newsletter.notices.mail import compose
from newsletter.send import Clock
from newsletter.send.envelope import mailbox
from newsletter.store import Store
from newsletter.store.records import NoticeRecord, SubscriberRecord
from newsletter.tokens import Purpose

__all__ = ["Kind", "Links", "Notices", "ask"]

#: No more than so many to one address within so many hours, whoever asks for them.
_LIMITS = ((3, dt.timedelta(hours=1)), (8, dt.timedelta(days=1)))
_ATTEMPTS = 8
_SENT = "sent"
_UNKNOWN = "not known whether it was sent"


class Kind(StrEnum):
    """What somebody asked for."""

    JOIN = "join"
    WELCOME = "welcome"
    ACCESS = "access"
    DATA = "data"
    FORGET = "forget"


class Links(Protocol):
    """Makes the links that a mail carries; see `newsletter.workspace.Workspace.service_url`."""

    def __call__(self, path: str, purpose: Purpose, subscriber: int, about: str) -> str:
        """The whole address."""


def ask(
    session: Session, kind: Kind, address: str, language: str, details: Mapping[str, Any], now: dt.datetime
) -> None:
    """Write down what somebody asked for; the same work for every address."""
    session.add(
        NoticeRecord(
            kind=kind, address=address, language=language, details=dict(details), created_at=now, due_at=now, attempts=0
        )
    )


@dataclass(frozen=True, slots=True)
class _Mail:
    """A letter, and the publication in whose name and look it goes out."""

    letter: Letter
    publication: Publication


class Notices:
    """Decides on what was asked for, and mails it."""

    def __init__(
        self,
        store: Store,
        config: Config,
        clock: Clock,
        links: Links,
        hash_address: Callable[[str], str],
        carrier: Callable[[Publication], providers.Provider] | None = None,
    ) -> None:
        self._store, self._config, self._clock = store, config, clock
        self._links, self._hash = links, hash_address
        self._carrier = carrier or self._load

    def deliver(self, most: int = 50) -> int:
        """Deal with what is due, at most so many; how many were mailed."""
        sent = 0
        for _ in range(most):
            found = self._claim()
            if found is None:
                break
            notice, mail = found
            sent += self._send(notice, mail) if mail else 0
        return sent

    def _claim(self) -> tuple[NoticeRecord, _Mail | None] | None:
        """Take the next one, so that no other process does, with the mail that it comes to."""
        now = self._clock.now()
        query = select(NoticeRecord).where(NoticeRecord.due_at <= now).order_by(NoticeRecord.due_at).limit(1)
        with self._store.read() as session:
            if session.scalar(query) is None:
                return None
        with self._store.write() as session:
            notice = session.scalar(query.with_for_update(skip_locked=True))
            if notice is None:
                return None
            notice.attempts += 1
            notice.due_at = now + dt.timedelta(minutes=2**notice.attempts)
            found = self._decide(session, notice, now)
            if isinstance(found, str):
                notice.due_at, notice.outcome = None, found
                return notice, None
            return notice, found

    def _decide(self, session: Session, notice: NoticeRecord, now: dt.datetime) -> _Mail | str:
        """The mail that a notice comes to, or why there's none."""
        stop = audience.reason_of(session, self._hash(notice.address))
        if stop and not (stop == Reason.ERASED and notice.kind == Kind.JOIN):
            return f"not sent: {stop}"
        if _too_many(session, notice.address, now):
            return "not sent: too many"
        person = audience.find(session, notice.address)
        if notice.kind == Kind.JOIN:
            return self._join(session, notice, person, now)
        if person is None:
            return "not sent: nobody has that address"
        return self._answer(session, notice, person, now)

    def _join(
        self, session: Session, notice: NoticeRecord, person: SubscriberRecord | None, now: dt.datetime
    ) -> _Mail | str:
        asked = [name for name in notice.details.get("lists", ()) if name in self._config.lists]
        if not asked:
            return "not sent: no list"
        on = (
            {row.list for row in audience.subscriptions(session, person.id) if row.status == Standing.ACTIVE}
            if person
            else set()
        )
        wanted = [name for name in asked if name not in on]
        gettext = translations(notice.language).gettext
        organization = self._config.organization.name
        if person and not wanted:
            url = self._links("p", Purpose.UNSUBSCRIBE, person.id, asked[0])
            return self._mail(letters.already(gettext, organization, self._names(asked), url), asked)
        evidence = notice.details.get("evidence", {})
        fresh = person is None
        person = audience.request(
            session,
            notice.address,
            wanted,
            source=str(evidence.get("form", "subscribe page")),
            evidence=evidence,
            now=now,
        )
        if fresh:
            for key, value in notice.details.get("profile", {}).items():
                setattr(person, key, value)
            person.language = notice.language
        url = self._links("confirm", Purpose.CONFIRM, person.id, ",".join(wanted))
        return self._mail(letters.confirm(gettext, organization, self._names(wanted), url), wanted)

    def _answer(
        self, session: Session, notice: NoticeRecord, person: SubscriberRecord, now: dt.datetime
    ) -> _Mail | str:
        gettext = translations(notice.language).gettext
        organization = self._config.organization.name
        lists = [row.list for row in audience.subscriptions(session, person.id) if row.list in self._config.lists]
        if not lists:
            return "not sent: on no list"
        choices = self._links("p", Purpose.UNSUBSCRIBE, person.id, lists[0])
        today = now.date().isoformat()
        match notice.kind:
            case Kind.WELCOME:
                joined = [name for name in notice.details.get("lists", ()) if name in lists] or lists[:1]
                archive = self._config.archive.url
                return self._mail(letters.welcome(gettext, organization, self._names(joined), choices, archive), joined)
            case Kind.DATA:
                url = self._links("data", Purpose.DATA, person.id, today)
                return self._mail(letters.data(gettext, organization, url), lists)
            case Kind.FORGET:
                url = self._links("forget", Purpose.FORGET, person.id, today)
                return self._mail(letters.forget(gettext, organization, url), lists)
            case _:
                return self._mail(letters.access(gettext, organization, choices), lists)

    def _names(self, lists: list[str]) -> list[str]:
        return [self._config.lists[name].name for name in lists]

    def _mail(self, letter: Letter, lists: list[str]) -> _Mail | str:
        publications = self._config.publications.values()
        chosen = next((one for name in lists for one in publications if one.list == name), None)
        chosen = chosen or next(iter(publications), None)
        return _Mail(letter, chosen) if chosen else "not sent: no publication to send it as"

    def _send(self, notice: NoticeRecord, mail: _Mail) -> int:
        """Mail it, by the rules of the ledger: what may have gone out isn't sent again unless the provider takes nobody
        twice, and what is our own fault is tried again later.
        """
        try:
            carrier = self._carrier(mail.publication)
            try:
                outcome, done = self._outcome(carrier, self._call(notice, mail), notice)
            finally:
                carrier.close()
        except NewsletterError as fault:  # a wrong key, say, which staff may put right within the hour
            outcome, done = fault.what, False
        with self._store.write() as session:
            record = session.get_one(NoticeRecord, notice.id)
            record.outcome = outcome
            if done or record.attempts >= _ATTEMPTS:
                record.due_at = None
        return int(outcome == _SENT)

    def _outcome(self, carrier: providers.Provider, call: Call, notice: NoticeRecord) -> tuple[str, bool]:
        """What became of a mail, and whether that's the end of it."""
        again = carrier.recovery.submits and self._within(carrier, notice)
        if notice.outcome.startswith(_UNKNOWN) and not again:
            return notice.outcome, True
        self._begin(notice)
        try:
            receipt = next(iter(carrier.send(call)), None)
        except OutcomeUnknown as fault:
            return f"{_UNKNOWN}: {fault.what}", not carrier.recovery.submits
        if receipt is None:
            return _UNKNOWN, not carrier.recovery.submits
        if receipt.outcome is Outcome.ACCEPTED:
            return _SENT, True
        unknown = receipt.outcome is Outcome.UNKNOWN
        outcome = f"{_UNKNOWN}: {receipt.detail}" if unknown else receipt.detail or str(receipt.outcome)
        return outcome, receipt.outcome is not Outcome.DEFERRED

    def _within(self, carrier: providers.Provider, notice: NoticeRecord) -> bool:
        """Whether the provider still knows a call that was made when the mail was asked for."""
        age = self._clock.now() - notice.created_at + dt.timedelta(seconds=carrier.timeout)
        return carrier.recovery.within is None or age < carrier.recovery.within

    def _begin(self, notice: NoticeRecord) -> None:
        """Write down that the call is about to be made: whoever finds it so doesn't know what became of it."""
        with self._store.write() as session:
            session.get_one(NoticeRecord, notice.id).outcome = _UNKNOWN

    def _call(self, notice: NoticeRecord, mail: _Mail) -> Call:
        """The mail for a provider. Its mark is of no campaign, so that nothing takes it for a delivery."""
        sender = self._config.senders[mail.publication.sender]
        key = hashlib.sha256(f"notice {notice.id} {notice.created_at.isoformat()}".encode()).hexdigest()
        return Call(
            batch=0,
            campaign=f"notice-{notice.kind}",
            key=key,
            tag=f"notice{key[:16]}",
            date=notice.created_at.replace(microsecond=0),
            sender=mailbox(sender),
            reply_to=ascii_address(sender.reply_to) if sender.reply_to else "",
            content=compose(mail.letter, self._config, mail.publication, notice.language),
            headers=(("Auto-Submitted", "auto-replied"),),
            recipients=(Recipient(delivery=-notice.id, address=notice.address, mark=f"notice-{key[:24]}"),),
        )

    def _load(self, publication: Publication) -> providers.Provider:
        return providers.load(self._config.providers[publication.provider], self._config.folder)


def _too_many(session: Session, address: str, now: dt.datetime) -> bool:
    for most, span in _LIMITS:
        query = select(func.count()).select_from(NoticeRecord)
        query = query.where(NoticeRecord.address == address, NoticeRecord.outcome == _SENT)
        if (session.scalar(query.where(NoticeRecord.created_at > now - span)) or 0) >= most:
            return True
    return False
