"""Mailgun (https://documentation.mailgun.com): one template with variables for up to 1,000 recipients.

Merge fields travel as `%recipient.…%`, each twice, since HTML wants its values escaped. A call has one tag of its
own; after a lost answer, Mailgun's events under that tag tell who was accepted.
"""

from __future__ import annotations

import datetime as dt
import hmac
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import orjson

from newsletter.config.rules import require_between
from newsletter.errors import BadRecipient, Ours
from newsletter.model import Call, Event, EventType, Receipt
from newsletter.providers import How, Limits, Recovery, Verification, webhooks
from newsletter.providers.faults import OUR_OWN, Fault, Meaning
from newsletter.providers.http import HttpOptions, HttpProvider, accepted, only, pages, verify_domain
from newsletter.providers.merging import Template, leaving
from newsletter.providers.smtp_faults import says_gone, stands
from newsletter.providers.wire import Wire
from newsletter.tables import Table

_DOCS = "https://documentation.mailgun.com/docs/mailgun/quickstart-guide/responses"
_EVENTS = "https://documentation.mailgun.com/docs/mailgun/user-manual/events/events"
_FAULTS = (
    Fault(
        meaning=Meaning.OURS,
        words="sandbox|authorized recipients|test purposes|free accounts",
        hint="send from a domain of your own, on a plan that may mail everybody",
        source=f"{_EVENTS}: reject.reason of sandbox domains",
    ),
    Fault(
        meaning=Meaning.OURS,
        words="unverified|requires DNS|activate your|business verification|terminated|disabled|suspended",
        hint="look at the domain's and the account's state in Mailgun's control panel",
        source="https://help.mailgun.com/hc/en-us/articles/202051664 and 202850080",
    ),
    Fault(
        meaning=Meaning.LATER,
        status=(420, 429),
        words="per-?sec|per second|too many requests|over its limit",
        source="mailgun OpenAPI 2026-07: account-requests-per-sec",
    ),
    Fault(
        meaning=Meaning.OURS,
        status=(420, 429),
        words="limit",
        hint="a limit of the account or the domain is reached: raise it, or wait until the time that it names",
        source="https://github.com/mailgun/mailgun-java/issues/50 (420, recipient limit exceeded); Ghost #15725",
    ),
    OUR_OWN,
    Fault(
        meaning=Meaning.BAD_RECIPIENT,
        status=(400,),
        words=r"\bto\b['\"`]? parameter is not a valid address|'to' parameter|to: not a valid|recipient address",
        source="mailgun OpenAPI 2026-07, examples of 400; https://github.com/mailgun/mailgun-js-boland/issues/199",
    ),
    Fault(meaning=Meaning.LATER, status=(429,), source=_DOCS),
)


#: In minutes, 23 hours: a message has to be found before the vendor drops it.
_LONGEST_DELAY = 1_380


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(HttpOptions):
    """`domain` is the sending domain; for the EU, `base_url` is https://api.eu.mailgun.net. `lookup_delay` in minutes
    is how long an accepted message may be missing from the events.
    """

    domain: str
    api_key_env: str = "MAILGUN_API_KEY"
    webhook_secret_env: str = "MAILGUN_WEBHOOK_KEY"  # noqa: S105 (a name, not a secret)
    base_url: str = "https://api.mailgun.net"
    lookup_delay: float = 30.0

    def __post_init__(self) -> None:
        HttpOptions.__post_init__(self)
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", self.domain, re.IGNORECASE):
            raise ValueError('"domain" must be a domain in ASCII such as mg.example.org')
        require_between("lookup_delay", self.lookup_delay, 0, _LONGEST_DELAY, "minutes")
        if self.lookup_delay * 60 < self.timeout:
            raise ValueError('"lookup_delay" (minutes) must not be shorter than "timeout" (seconds)')


_KINDS = {
    "delivered": EventType.DELIVERED,
    "complained": EventType.COMPLAINT,
    "unsubscribed": EventType.UNSUBSCRIBED,
    "opened": EventType.OPENED,
    "clicked": EventType.CLICKED,
    "rejected": EventType.DROPPED,
}
#: What a permanent failure says by its reason (user manual, events; symfony's MailgunPayloadConverter has the codes 605
#: to 607): Mailgun's own lists drop a message without asking anybody.
_DROPPED: Mapping[str, EventType | None] = {
    "suppress-bounce": EventType.HARD_BOUNCE,
    "suppress-complaint": EventType.COMPLAINT,
    "suppress-unsubscribe": EventType.UNSUBSCRIBED,
}


class Mailgun(HttpProvider):
    """Up to 1,000 recipients a call."""

    name: ClassVar[str] = "mailgun"
    vendor: ClassVar[str] = "Mailgun"
    limits: ClassVar[Limits] = Limits(recipients=1_000, bytes=25_000_000, parallel=2, copies=False)
    pictures: ClassVar[bool] = True
    #: Mailgun's plans keep events for a day at least; its own advice is to trust them after half an hour.
    recovery = Recovery(how=How.LOOKUP, after=dt.timedelta(minutes=30), within=dt.timedelta(days=1), whole=True)
    faults: ClassVar[Sequence[Fault]] = _FAULTS
    options_type: ClassVar[type[HttpOptions]] = Options

    def __init__(self, options: Options, environment: Mapping[str, str], *more: Callable[[], dt.datetime]) -> None:
        super().__init__(options, environment, *more)
        self._options = options
        self.recovery = replace(self.recovery, after=dt.timedelta(minutes=options.lookup_delay))

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        del workspace
        return cls(table.read(Options), os.environ)

    def _authorize(self, wire: Wire) -> None:
        wire.session.auth = ("api", self._secret(self._options.api_key_env))

    def _place(self) -> dict[str, str]:
        return {"domain": self._options.domain.lower()}

    def send(self, call: Call) -> Iterator[Receipt]:
        """Submit the batch. Mailgun refuses a whole call for one address."""
        answer = self._wire.call("POST", f"/v3/{self._options.domain}/messages", files=self.form(call))
        if answer.status == 200:
            known = webhooks.part(answer.json, "id")
            if isinstance(known, str) and known:
                return (accepted(recipient, known) for recipient in call.recipients)
            if "Mailgun Magnificent API" in answer.text[:200]:
                raise Ours("that isn't Mailgun's address for sending", hint="check domain and base_url")
            raise self._unreadable(answer)
        fault = self._refusal(answer)
        if not isinstance(fault, BadRecipient):
            raise fault
        return only(call, fault)

    def settle(self, call: Call) -> Iterator[Receipt]:
        """Whoever is among the accepted ones under the call's tag."""
        people = {r.address.lower(): r for r in call.recipients}
        for item in pages(self.vendor, self._events(call.tag)):
            recipient = people.get(str(webhooks.part(item, "recipient")).lower())
            if recipient is not None:
                yield accepted(recipient, webhooks.part(item, "message", "headers", "message-id"))

    def _events(self, tag: str) -> Callable[[int], Sequence[Any] | None]:
        """The pages of the events under a tag: the last one is empty, and each names the next."""
        following = f"/v3/{self._options.domain}/events"
        parameters = {"tags": tag, "event": "accepted", "limit": "300"}

        def page(_number: int) -> Sequence[Any] | None:
            nonlocal following, parameters
            answer = self._ask(following, **parameters)
            items, following = (webhooks.part(answer.json, *path) for path in (("items",), ("paging", "next")))
            if not isinstance(items, list) or (items and not isinstance(following, str)):
                raise self._unreadable(answer)
            parameters = {}
            return items or None

        return page

    def form(self, call: Call) -> list[tuple[str, tuple[Any, ...]]]:
        """The call's form, field by field, for multipart/form-data: no field is a file but for pictures."""
        fields: list[tuple[str, tuple[Any, ...]]] = [(name, (None, value)) for name, value in self._fields(call)]
        return [*fields, *(("inline", (p.name, p.data, p.type)) for p in call.pictures)]

    def _fields(self, call: Call) -> list[tuple[str, str]]:
        template = Template(call.content, lambda name: f"%recipient.{name}%", _literal)
        leave = leaving({"unsubscribe_url": "%recipient.unsubscribe%"})
        headers = {**dict(call.headers), **(leave if any(leaving(r.values) for r in call.recipients) else {})}
        variables = {
            r.address: {
                "mark": r.mark,
                "unsubscribe": r.values.get("unsubscribe_url", ""),
                "percent": "%",
                **template.values(r.values),
            }
            for r in call.recipients
        }
        return [
            ("from", _from(call)),
            ("to", ",".join(recipient.address for recipient in call.recipients)),
            ("subject", template.subject),
            ("html", template.html),
            ("text", template.text),
            *((f"h:{name}", value) for name, value in headers.items()),
            *([("h:Reply-To", call.reply_to)] if call.reply_to else []),
            ("o:tag", call.tag),
            ("o:tracking", "no"),
            ("v:delivery", "%recipient.mark%"),
            ("recipient-variables", orjson.dumps(variables).decode()),
        ]

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """One event. Mailgun signs a time and a token, not the body, so the token is the event's identity: whoever
        has seen one call can't make a second of it. A retry, up to eight hours later, has the first call's time.
        """
        del headers
        key = self._webhook_secret()
        call = webhooks.document(body)
        stamp, token, given = (str(webhooks.part(call, "signature", k)) for k in ("timestamp", "token", "signature"))
        wanted = hmac.digest(key.encode(), f"{stamp}{token}".encode("utf-8", "replace"), "sha256").hex()
        if not hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode()):
            raise webhooks.forged("the signature is wrong")
        return _events(webhooks.part(call, "event-data") or {}, token, self._now())

    def verify(self, sender: str) -> Sequence[Verification]:
        """The key, and whether the sending domain is active; the sender's own address doesn't matter to Mailgun."""
        del sender
        answer = self._wire.call("GET", f"/v3/domains/{self._options.domain}")
        if answer.status == 404:
            found = f"Mailgun has no domain {self._options.domain}"
            return [Verification(about="sender", fine=False, found=found)]
        if answer.status != 200:
            raise self._refusal(answer)
        state = str(webhooks.part(answer.json, "domain", "state"))
        return [
            Verification(about="key", fine=True, found="accepted"),
            verify_domain(f"x@{self._options.domain}", {self._options.domain: state}, "active"),
        ]


def _from(call: Call) -> str:
    """The sender; a name beyond ASCII is encoded (RFC 2047), since Mailgun mangles it beside punctuation
    (django-anymail, docs/esps/mailgun.rst).
    """
    from email.utils import formataddr

    return str(call.sender) if call.sender.name.isascii() else formataddr((call.sender.name, call.sender.address))


def _literal(text: str, kind: str) -> str:
    """A `%recipient` that somebody wrote is kept from being a field."""
    return text.replace("%recipient", "&#37;recipient" if kind == "h" else "%recipient.percent%recipient")


def _events(entry: Any, identity: str, now: dt.datetime) -> list[Event]:
    name, reason = str(webhooks.part(entry, "event")), str(webhooks.part(entry, "reason") or "")
    kind, known = _KINDS.get(name), None
    status = webhooks.part(entry, "delivery-status")
    if name == "failed":
        kind = EventType.SOFT_BOUNCE
        if webhooks.part(entry, "severity") == "permanent":
            if reason in _DROPPED:
                kind, known = EventType.DROPPED, _DROPPED[reason]
            elif _gone(status):
                kind = EventType.HARD_BOUNCE
    if kind is None:
        return []
    words = (webhooks.part(status, "message"), webhooks.part(status, "description"), webhooks.part(entry, "url"))
    return webhooks.events(
        kind,
        id=identity,
        at=webhooks.moment(webhooks.part(entry, "timestamp"), now),
        mark=webhooks.part(entry, "user-variables", "delivery"),
        # A rejected message has no recipient of its own (user manual, events).
        address=webhooks.part(entry, "recipient") or webhooks.part(entry, "message", "headers", "to"),
        detail=next(filter(None, words), webhooks.part(entry, "reject", "reason") or reason),
        agent=webhooks.part(entry, "client-info", "user-agent"),
        machine=webhooks.part(entry, "client-info", "bot"),
        known=known,
    )


def _gone(status: Any) -> bool:
    """Whether a permanent failure says that the mailbox isn't there: by the server's answer, or where there's none by
    Mailgun's own word for the bounce; a "permanent" failure may be soft (a full mailbox) or about us.
    """
    words, enhanced = (str(webhooks.part(status, name) or "") for name in ("message", "enhanced-code"))
    code = webhooks.part(status, "code")
    basic = code if type(code) is int else 0
    if webhooks.part(status, "bounce-type") == "hard":
        return stands(words, enhanced=enhanced, basic=basic)
    return says_gone(words, enhanced=enhanced, basic=basic) is True
