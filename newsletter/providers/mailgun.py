"""Mailgun (https://documentation.mailgun.com): one template with variables for up to 1,000 recipients.

Merge fields travel as `%recipient.…%`, each twice, since HTML wants its values escaped. A call has one tag of its
own; after a lost answer, Mailgun's events under that tag tell who was accepted.
"""

from __future__ import annotations

import datetime as dt
import hmac
import html
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import requests

from newsletter.errors import ConfigError, OutcomeUnknown, Refused
from newsletter.merge import MergeField, MergeText
from newsletter.model import Batch, Event, EventType, Outcome, Receipt, Recipient
from newsletter.providers import How, Limits, Proof, Provider, Recovery, webhooks
from newsletter.providers.http import Api, domain_proof, found, halved
from newsletter.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`domain` is the sending domain; for the EU, `base_url` is https://api.eu.mailgun.net. `timeout` in seconds;
    `lookup_delay` in minutes is how long an accepted message may be missing from the events.
    """

    domain: str
    api_key_env: str = "MAILGUN_API_KEY"
    webhook_secret_env: str = "MAILGUN_WEBHOOK_KEY"  # noqa: S105 (a name, not a secret)
    base_url: str = "https://api.mailgun.net"
    timeout: float = 60.0
    lookup_delay: float = 30.0


_KINDS = {
    "delivered": EventType.DELIVERED,
    "complained": EventType.COMPLAINT,
    "unsubscribed": EventType.UNSUBSCRIBED,
    "opened": EventType.OPENED,
    "clicked": EventType.CLICKED,
}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Mailgun(Provider):
    """Up to 1,000 recipients a call."""

    name: ClassVar[str] = "mailgun"
    recovery: ClassVar[Recovery] = Recovery(how=How.LOOKUP, within=dt.timedelta(days=3))

    def __init__(self, options: Options, environment: Mapping[str, str], now: Callable[[], dt.datetime] = _now) -> None:
        self.limits = Limits(recipients=1_000, bytes=25_000_000, parallel=2, copies=False)
        key = environment.get(options.api_key_env, "")
        if not key:
            raise ConfigError("there is no key for Mailgun", hint=f"set ${options.api_key_env}")
        session = requests.Session()
        session.auth = ("api", key)
        self._api = Api("Mailgun", options.base_url, session, options.timeout)
        self._now = now
        self._environment, self._options = environment, options

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        del workspace
        return cls(table.read(Options), os.environ)

    def send(self, batch: Batch) -> list[Receipt]:
        """Submit the batch. Mailgun refuses a whole call for one address, so that one is found by halves."""
        answer = self._api.call("POST", f"/v3/{self._options.domain}/messages", files=self.form(batch))
        self._api.judge(answer, self._now())
        body = answer.json
        if answer.status == 200 and isinstance(body, dict) and body.get("id"):
            known = str(body["id"])
            return [Receipt(delivery=r.delivery, outcome=Outcome.ACCEPTED, message_id=known) for r in batch.recipients]
        if answer.status == 400 and "address" in answer.said.lower():
            return halved(batch, answer.said, self.send)
        if answer.status == 200:
            raise Refused("that isn't Mailgun's address for sending", hint="check domain and base_url")
        raise Refused(f"Mailgun refused the call: {answer.said}")

    def settle(self, batch: Batch) -> list[Receipt]:
        """Look for the accepted ones under the call's tag."""
        accepted: dict[int, str] = {}
        deliveries = {r.address.lower(): r.delivery for r in batch.recipients}
        path = f"/v3/{self._options.domain}/events"
        parameters: Mapping[str, str] | None = {"tags": batch.tag, "event": "accepted", "limit": "300"}
        while True:
            answer = self._api.call("GET", path, params=parameters)
            self._api.judge(answer, self._now())
            body = answer.json
            if answer.status != 200 or not isinstance(body, dict):
                raise OutcomeUnknown(f"Mailgun's events can't be read: {answer.said}")
            items = body.get("items") or ()
            for item in items:
                delivery = deliveries.get(str(item.get("recipient", "")).lower())
                if delivery is not None:
                    accepted[delivery] = str(item.get("message", {}).get("headers", {}).get("message-id", ""))
            following = str((body.get("paging") or {}).get("next", ""))
            if not items or not following:
                break
            path, parameters = following.removeprefix(self._options.base_url.rstrip("/")), None
        early = self._now() - batch.date < dt.timedelta(minutes=self._options.lookup_delay)
        return found(batch, accepted, asked_too_early=early)

    def form(self, batch: Batch) -> list[tuple[str, tuple[None, str]]]:
        """The call's form, field by field, for multipart/form-data: no field is a file."""
        return [(name, (None, value)) for name, value in self._fields(batch)]

    def _fields(self, batch: Batch) -> list[tuple[str, str]]:
        fields: dict[MergeField, str] = {}
        texts = {
            "subject": _compiled(batch.content.subject, fields, "t"),
            "html": _compiled(batch.content.html, fields, "h"),
            "text": _compiled(batch.content.text, fields, "t"),
        }
        headers = [(f"h:{name}", value) for name, value in batch.headers]
        if any(r.values.get("unsubscribe_url") for r in batch.recipients):
            headers += [
                ("h:List-Unsubscribe", "<%recipient.unsubscribe%>"),
                ("h:List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ]
        return [
            ("from", batch.sender),
            ("to", ",".join(recipient.address for recipient in batch.recipients)),
            *texts.items(),
            *headers,
            *([("h:Reply-To", batch.reply_to)] if batch.reply_to else []),
            ("o:tag", batch.tag),
            ("o:tracking", "no"),
            ("v:delivery", "%recipient.delivery%"),
            ("recipient-variables", json.dumps({r.address: _values(r, fields) for r in batch.recipients})),
        ]

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """One event. Mailgun signs a time and a token, not the body, so the token is the event's identity: whoever
        has seen one call can't make a second of it.
        """
        del headers
        key = webhooks.secret(self._environment, self._options.webhook_secret_env)
        call = webhooks.document(body)
        stamp, token, given = (str(webhooks.part(call, "signature", k)) for k in ("timestamp", "token", "signature"))
        wanted = hmac.digest(key.encode(), f"{stamp}{token}".encode(), "sha256").hex()
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise webhooks.forged("the signature is wrong")
        webhooks.fresh(stamp, self._now())
        event = _event(webhooks.part(call, "event-data") or {}, token, self._now())
        return [event] if event else []

    def prove(self, sender: str) -> Sequence[Proof]:
        """The key, and whether the sending domain is active; the sender's own address doesn't matter to Mailgun."""
        del sender
        answer = self._api.call("GET", f"/v3/domains/{self._options.domain}")
        if answer.status == 404:
            return [Proof(about="sender", fine=False, told=f"Mailgun has no domain {self._options.domain}")]
        self._api.judge(answer, self._now())
        state = str(webhooks.part(answer.json or {}, "domain", "state"))
        return [
            Proof(about="key", fine=True, told="accepted"),
            domain_proof(f"x@{self._options.domain}", {self._options.domain: state}, "active"),
        ]

    def prove_webhooks(self) -> Sequence[Proof]:
        """Whether the secret is there."""
        return [webhooks.proof(self._environment, self._options.webhook_secret_env)]

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()


def _compiled(text: MergeText, fields: dict[MergeField, str], kind: str) -> str:
    """A text in Mailgun's syntax. A `%recipient` that somebody wrote is kept from being one."""
    guard = "&#37;recipient" if kind == "h" else "%recipient.percent%recipient"
    pieces = []
    for part in text:
        if isinstance(part, str):
            pieces.append(part.replace("%recipient", guard))
        else:
            pieces.append(f"%recipient.{kind}{fields.setdefault(part, str(len(fields)))}%")
    return "".join(pieces)


def _values(recipient: Recipient, fields: Mapping[MergeField, str]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "delivery": str(recipient.delivery),
        "unsubscribe": recipient.values.get("unsubscribe_url", ""),
        "percent": "%",
    }
    for field, number in fields.items():
        value = field.value(recipient.values)
        values |= {f"t{number}": value, f"h{number}": html.escape(value)}
    return values


def _event(entry: Mapping[str, Any], identity: str, now: dt.datetime) -> Event | None:
    kind = _KINDS.get(str(webhooks.part(entry, "event")))
    if webhooks.part(entry, "event") == "failed":
        hard = webhooks.part(entry, "severity") == "permanent"
        kind = EventType.HARD_BOUNCE if hard else EventType.SOFT_BOUNCE
    if kind is None:
        return None
    return webhooks.event(
        kind,
        id=identity,
        at=webhooks.moment(webhooks.part(entry, "timestamp"), now),
        delivery=webhooks.part(entry, "user-variables", "delivery"),
        address=webhooks.part(entry, "recipient"),
        detail=webhooks.part(entry, "delivery-status", "message") or webhooks.part(entry, "url"),
        agent=webhooks.part(entry, "client-info", "user-agent"),
        machine=webhooks.part(entry, "client-info", "bot"),
    )
