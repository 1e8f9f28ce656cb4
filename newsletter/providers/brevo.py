"""Brevo (https://developers.brevo.com/reference/sendtransacemail): a version of the message for each recipient.

A call has a UUID of its own, which Brevo remembers for 30 minutes: it refuses a repeat as a duplicate, which
proves that it had taken the call.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any, ClassVar, Self

import requests

from newsletter.errors import ConfigError, OutcomeUnknown, Refused
from newsletter.model import Batch, Event, EventType, Outcome, Receipt, Recipient
from newsletter.providers import How, Limits, Proof, Provider, Recovery, webhooks
from newsletter.providers.http import Api, domain_proof, everybody, halved
from newsletter.tables import Table

_KEPT = dt.timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`api_key_env` names the environment variable with the key; `timeout` in seconds."""

    api_key_env: str = "BREVO_API_KEY"
    webhook_secret_env: str = "BREVO_WEBHOOK_PASSWORD"  # noqa: S105 (a name, not a secret)
    base_url: str = "https://api.brevo.com"
    timeout: float = 60.0


_KINDS = {
    "delivered": EventType.DELIVERED,
    "hard_bounce": EventType.HARD_BOUNCE,
    "invalid_email": EventType.HARD_BOUNCE,
    "soft_bounce": EventType.SOFT_BOUNCE,
    "deferred": EventType.SOFT_BOUNCE,
    "spam": EventType.COMPLAINT,
    "complaint": EventType.COMPLAINT,
    "unsubscribed": EventType.UNSUBSCRIBED,
    "unsubscribe": EventType.UNSUBSCRIBED,
    "opened": EventType.OPENED,
    "unique_opened": EventType.OPENED,
    "proxy_open": EventType.OPENED,
    "unique_proxy_open": EventType.OPENED,
    "click": EventType.CLICKED,
    "blocked": EventType.FAILED,
    "error": EventType.FAILED,
}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Brevo(Provider):
    """Up to 100 versions a call, of the 1,000 that Brevo allows: each holds a whole message."""

    name: ClassVar[str] = "brevo"
    recovery: ClassVar[Recovery] = Recovery(how=How.REPLAY, within=_KEPT)

    def __init__(self, options: Options, environment: Mapping[str, str], now: Callable[[], dt.datetime] = _now) -> None:
        self.limits = Limits(recipients=100, parallel=4)
        key = environment.get(options.api_key_env, "")
        if not key:
            raise ConfigError("there is no key for Brevo", hint=f"set ${options.api_key_env}")
        session = requests.Session()
        session.headers["api-key"] = key
        self._api = Api("Brevo", options.base_url, session, options.timeout)
        self._now = now
        self._environment, self._options = environment, options

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        del workspace
        return cls(table.read(Options), os.environ)

    def send(self, batch: Batch) -> list[Receipt]:
        """Submit the batch. Brevo refuses a whole call for one address, so that one is found by halves."""
        answer = self._api.call("POST", "/v3/smtp/email", json=self.body(batch))
        self._api.judge(answer, self._now())
        body = answer.json if isinstance(answer.json, dict) else {}
        if body.get("code") == "duplicate_parameter":
            return everybody(batch, Outcome.ACCEPTED, "Brevo had it already")
        if answer.status == 400 and "email" in answer.said.lower():
            return halved(batch, answer.said, self.send)
        if answer.status >= 400:
            raise Refused(f"Brevo refused the call: {answer.said}")
        ids = body.get("messageIds") or [body.get("messageId")]
        if len(ids) != len(batch.recipients):
            raise OutcomeUnknown("Brevo's answer can't be read")
        return [
            Receipt(delivery=r.delivery, outcome=Outcome.ACCEPTED, message_id=str(known))
            for r, known in zip(batch.recipients, ids, strict=True)
        ]

    def settle(self, batch: Batch) -> list[Receipt]:
        """Send it again with the same UUID: Brevo says that it had it, or takes it now."""
        if self._now() - batch.date >= _KEPT:
            return everybody(batch, Outcome.UNKNOWN, "Brevo forgets a call after 30 minutes; look in its log")
        try:
            return self.send(batch)
        except Refused as fault:
            return everybody(batch, Outcome.UNKNOWN, fault.what)

    def body(self, batch: Batch) -> dict[str, Any]:
        """The call's body."""
        name, address = parseaddr(batch.sender)
        people = ",".join(str(recipient.delivery) for recipient in batch.recipients)
        body: dict[str, Any] = {
            "sender": {"email": address, "name": name},
            "subject": batch.content.subject.merge({}),
            "htmlContent": batch.content.html.merge_html({}),
            "textContent": batch.content.text.merge({}),
            "headers": {**dict(batch.headers), "idempotencyKey": str(uuid.uuid5(_SPACE, f"{batch.key}:{people}"))},
            "tags": [batch.tag],
            "messageVersions": [_version(batch, recipient) for recipient in batch.recipients],
        }
        return {**body, "replyTo": {"email": batch.reply_to}} if batch.reply_to else body

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """One event, or a list of them. Brevo signs nothing: give it the secret as a bearer token or as the password
        of basic auth.
        """
        webhooks.password(headers, webhooks.secret(self._environment, self._options.webhook_secret_env))
        return [event for entry in webhooks.entries(body) if (event := _event(entry, self._now()))]

    def prove(self, sender: str) -> Sequence[Proof]:
        """The key, and whether the sender's domain is authenticated."""
        answer = self._api.call("GET", "/v3/senders/domains")
        self._api.judge(answer, self._now())
        rows = webhooks.part(answer.json or {}, "domains") or ()
        states = {str(row.get("domain_name")): str(bool(row.get("authenticated"))) for row in rows}
        return [Proof(about="key", fine=True, told="accepted"), domain_proof(sender, states, "True")]

    def prove_webhooks(self) -> Sequence[Proof]:
        """Whether the secret is there."""
        return [webhooks.proof(self._environment, self._options.webhook_secret_env)]

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()


#: Any UUID will do to make others from, as long as it stays the same (RFC 9562, section 5.5).
_SPACE = uuid.UUID("8d3e6f0a-5b1c-4f57-9a55-6d2f0c9b7e11")


def _version(batch: Batch, recipient: Recipient) -> dict[str, Any]:
    values = recipient.values
    headers = {**dict(batch.headers), "X-Mailin-custom": f"delivery:{recipient.delivery}"}
    if url := values.get("unsubscribe_url", ""):
        headers |= {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return {
        "to": [{"email": recipient.address}],
        "subject": batch.content.subject.merge(values),
        "htmlContent": batch.content.html.merge_html(values),
        "textContent": batch.content.text.merge(values),
        "headers": headers,
    }


def _event(entry: Mapping[str, Any], now: dt.datetime) -> Event | None:
    kind = _KINDS.get(str(entry.get("event")))
    if kind is None:
        return None
    stamp = entry.get("ts_epoch") or 0
    at = stamp / 1000 if isinstance(stamp, int | float) and stamp > 1e11 else stamp or None
    return webhooks.event(
        kind,
        id=f"{entry.get('event')}:{entry.get('message-id')}:{stamp}:{entry.get('link', '')}",
        at=webhooks.moment(at, now),
        delivery=str(entry.get("X-Mailin-custom")).removeprefix("delivery:"),
        address=entry.get("email"),
        detail=entry.get("reason") or entry.get("link"),
        agent=entry.get("user_agent"),
        machine="proxy" in str(entry.get("event")),
    )
