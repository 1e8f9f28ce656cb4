"""The service's own mails, one at a time: to confirm, to welcome, and with the links that people ask for.

A request only writes down what somebody asked for. Whether anything is mailed, and what, is found out later and
elsewhere, so that a request takes the same time and gets the same answer whoever's address was given.

    ask(...)             within the request: one row
    TransactionalMail.deliver()    in the background: decide, mail, and note what became of it
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

from limits import parse_many
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from newsletter import audience, providers
from newsletter.audience import Reason, Standing, profile
from newsletter.audience.addresses import mailbox_of, same_service
from newsletter.config import Config, Publication
from newsletter.errors import NewsletterError, OutcomeUnknown
from newsletter.languages import translations
from newsletter.model import Call, Outcome, Recipient, ascii_address
from newsletter.send import Clock
from newsletter.send.envelope import mailbox
from newsletter.store import Store
from newsletter.store.records import NoticeRecord, SubscriberRecord
from newsletter.tokens import Purpose
from newsletter.transactional import letters
from newsletter.transactional.letters import Letter
from newsletter.transactional.mail import compose

__all__ = ["Kind", "Links", "TransactionalMail", "ask"]

_ATTEMPTS = 8
_SENT = "sent"
_SENDING = "being sent"
#: So many who asked within an hour, of whom fewer than one in ten has confirmed, are more than people would be.
_MANY, _HOUR = 50, dt.timedelta(hours=1)
_UNKNOWN = "not known whether it was sent"


class Kind(StrEnum):
    """What somebody asked for."""

    JOIN = "join"
    WELCOME = "welcome"
    ACCESS = "access"
    DATA = "data"
    FORGET = "forget"
    MOVE = "move"
    MOVED = "moved"


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


def request_named(lists: Iterable[str], number: int) -> str:
    """What a link to confirm says: the lists that were asked for, and the number of the request."""
    return f"{','.join(lists)}#{number}"


def asked_by(about: str) -> tuple[list[str], int]:
    """The lists and the number of the request that a link names; 0 in links of releases before 0.7."""
    lists, _, number = about.partition("#")
    return lists.split(","), int(number) if number.isdecimal() else 0


def mostly_unconfirmed(session: Session, now: dt.datetime) -> bool:
    """Whether many have asked to join in this hour, and few of them have confirmed."""
    query = select(NoticeRecord.kind, func.count()).where(NoticeRecord.created_at > now - _HOUR)
    counts = {str(kind): number for kind, number in session.execute(query.group_by(NoticeRecord.kind))}
    asked = counts.get(Kind.JOIN, 0)
    return asked >= _MANY and counts.get(Kind.WELCOME, 0) * 10 < asked


@dataclass(frozen=True, slots=True)
class _Mail:
    """A letter, and the publication in whose name and look it goes out."""

    letter: Letter
    publication: Publication


class TransactionalMail:
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
            notice = self._claim()
            if notice is None:
                break
            found = self._store.transact(partial(self._settle, notice.id))
            sent += self._send(*found) if found else 0
        return sent

    def _claim(self) -> NoticeRecord | None:
        """Take the next one, so that no other process does. One that fails again and again is given up."""
        now = self._clock.now()
        query = select(NoticeRecord).where(NoticeRecord.due_at <= now).order_by(NoticeRecord.due_at).limit(1)
        with self._store.read() as session:
            if session.scalar(query) is None:
                return None
        with self._store.write() as session:
            notice = session.scalar(query.with_for_update(skip_locked=True))
            if notice is not None:
                notice.attempts += 1
                given_up = notice.attempts > _ATTEMPTS
                notice.due_at = None if given_up else now + dt.timedelta(minutes=2**notice.attempts)
                notice.outcome = "not sent: given up" if given_up and not notice.outcome else notice.outcome
            return notice

    def _settle(self, number: int, session: Session) -> tuple[NoticeRecord, _Mail] | None:
        """Decide on a notice: the mail that it comes to, or none. One mailbox's are decided on one after another, so
        that it gets no more than it may.
        """
        notice = session.get(NoticeRecord, number)
        if notice is None or notice.due_at is None:  # given up, or its owner was forgotten a moment ago
            return None
        if not self._store.is_sqlite:
            mailbox_key = hashlib.sha256(mailbox_of(notice.address).encode()).digest()[:8]
            session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(mailbox_key, signed=True))))
        found = self._decide(session, notice, self._clock.now())
        if isinstance(found, str):
            notice.due_at, notice.outcome = None, found
            return None
        notice.outcome = notice.outcome if notice.outcome.startswith(_UNKNOWN) else _SENDING
        return notice, found

    def _decide(self, session: Session, notice: NoticeRecord, now: dt.datetime) -> _Mail | str:
        """The mail that a notice comes to, or why there's none."""
        stop = audience.reason_of(session, self._hash(notice.address))
        if stop and not (stop == Reason.ERASED and notice.kind == Kind.JOIN):
            return f"not sent: {stop}"
        if self._too_many(session, notice, now):
            return "not sent: too many"
        if notice.kind in (Kind.MOVE, Kind.MOVED):
            return self._move(session, notice)
        person = audience.find(session, notice.address)
        if notice.kind == Kind.JOIN:
            return self._join(session, notice, person, now)
        if person is None:
            return "not sent: nobody has that address"
        return self._answer(session, notice, person, now)

    def _too_many(self, session: Session, notice: NoticeRecord, now: dt.datetime) -> bool:
        """Whether the mailbox has got all that it may, whoever asked for it, and by whatever addresses."""
        limits = parse_many(self._config.service.mailbox_limit)
        mailbox = mailbox_of(notice.address)
        name, _, domain = mailbox.rpartition("@")
        at_domains = [NoticeRecord.address.endswith(f"@{one}", autoescape=True) for one in same_service(domain)]
        longest = dt.timedelta(seconds=max(limit.get_expiry() for limit in limits))
        query = select(NoticeRecord.address, NoticeRecord.created_at).where(
            NoticeRecord.created_at > now - longest,
            NoticeRecord.id != notice.id,
            or_(NoticeRecord.outcome.in_((_SENT, _SENDING)), NoticeRecord.outcome.startswith(_UNKNOWN)),
            or_(
                and_(NoticeRecord.address.startswith(name[:1], autoescape=True), or_(*at_domains)),
                NoticeRecord.address.endswith(f"@{name}.{domain}", autoescape=True),
            ),
        )
        times = [at for address, at in session.execute(query) if mailbox_of(address) == mailbox]
        return any(
            sum(at > now - dt.timedelta(seconds=limit.get_expiry()) for at in times) >= limit.amount for limit in limits
        )

    def _join(
        self, session: Session, notice: NoticeRecord, person: SubscriberRecord | None, now: dt.datetime
    ) -> _Mail | str:
        named = (self._config.list_named(name) for name in notice.details.get("lists", ()))
        asked = list(dict.fromkeys(one.slug for one in named if one))
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
        person, fresh = audience.person_of(session, notice.address, now)
        source = str(evidence.get("form", "subscribe page"))
        number = audience.request(session, person, wanted, source=source, evidence=evidence, now=now)
        if fresh:
            profile.change(session, person, {"language": notice.language, **notice.details.get("profile", {})}, now)
        url = self._links("confirm", Purpose.CONFIRM, person.id, request_named(wanted, number))
        return self._mail(letters.confirm(gettext, organization, self._names(wanted), url), wanted)

    def _answer(
        self, session: Session, notice: NoticeRecord, person: SubscriberRecord, now: dt.datetime
    ) -> _Mail | str:
        gettext = translations(notice.language).gettext
        organization = self._config.organization.name
        lists = self._lists(session, person)
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

    def _move(self, session: Session, notice: NoticeRecord) -> _Mail | str:
        """To an address that isn't the person's, or no longer: the link that makes it theirs."""
        gettext, organization = translations(notice.language).gettext, self._config.organization.name
        person = session.get(SubscriberRecord, notice.details.get("subscriber", 0))
        if person is None or person.email == notice.address:
            return "not sent: nothing to change"
        if other := audience.find(session, notice.address):
            lists = self._lists(session, other)
            if not lists:
                return "not sent: somebody else's address"
            url = self._links("p", Purpose.UNSUBSCRIBE, other.id, lists[0])
            return self._mail(letters.already(gettext, organization, self._names(lists), url), lists)
        url = self._links("address", Purpose.MOVE, person.id, str(notice.id))
        write = letters.move if notice.kind == Kind.MOVE else letters.moved
        return self._mail(write(gettext, organization, url), self._lists(session, person))

    def _lists(self, session: Session, person: SubscriberRecord) -> list[str]:
        return [row.list for row in audience.subscriptions(session, person.id) if row.list in self._config.lists]

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
