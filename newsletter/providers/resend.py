"""Resend (https://resend.com/docs/api-reference/emails/send-batch-emails): whole messages, and a replay proves all.

A batch with the same Idempotency-Key and the same bytes gives the same answer for 24 hours. So what was sent is
told apart from what wasn't by sending it again.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hmac
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import requests

from newsletter.errors import ConfigError, OutcomeUnknown, Refused, Unavailable
from newsletter.model import Batch, Event, EventType, Outcome, Receipt, Recipient
from newsletter.providers import How, Limits, Proof, Provider, Recovery, webhooks
from newsletter.providers.http import Answer, Api, domain_proof, everybody
from newsletter.tables import Table

_KEPT = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`api_key_env` names the environment variable with the key; `timeout` in seconds."""

    api_key_env: str = "RESEND_API_KEY"
    webhook_secret_env: str = "RESEND_WEBHOOK_SECRET"  # noqa: S105 (a name, not a secret)
    base_url: str = "https://api.resend.com"
    timeout: float = 30.0


_KINDS = {
    "email.delivered": EventType.DELIVERED,
    "email.delivery_delayed": EventType.SOFT_BOUNCE,
    "email.complained": EventType.COMPLAINT,
    "email.opened": EventType.OPENED,
    "email.clicked": EventType.CLICKED,
    "email.failed": EventType.FAILED,
    "email.suppressed": EventType.FAILED,
}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Resend(Provider):
    """Up to 100 messages a call."""

    name: ClassVar[str] = "resend"
    recovery: ClassVar[Recovery] = Recovery(how=How.REPLAY, within=_KEPT)

    def __init__(self, options: Options, environment: Mapping[str, str], now: Callable[[], dt.datetime] = _now) -> None:
        self.limits = Limits(recipients=100, calls_per_second=2, parallel=4)
        key = environment.get(options.api_key_env, "")
        if not key:
            raise ConfigError("there is no key for Resend", hint=f"set ${options.api_key_env}")
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {key}"
        self._api = Api("Resend", options.base_url, session, options.timeout)
        self._now = now
        self._environment, self._options = environment, options

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        del workspace
        return cls(table.read(Options), os.environ)

    def send(self, batch: Batch) -> list[Receipt]:
        """Submit the batch. A message that Resend won't have doesn't keep the others back."""
        headers = {
            "Idempotency-Key": batch.key,
            "x-batch-validation": "permissive",
            "Content-Type": "application/json",
        }
        answer = self._api.call("POST", "/emails/batch", data=self.body(batch), headers=headers)
        if answer.status == 409:
            _conflict(answer)
        self._api.judge(answer, self._now())
        if answer.status >= 400:
            raise Refused(f"Resend refused the batch: {answer.said}")
        return _receipts(batch, answer)

    def settle(self, batch: Batch) -> list[Receipt]:
        """Send it again with the same key: Resend answers as it did, or takes it now, but never twice."""
        if self._now() - batch.date >= _KEPT:
            return everybody(batch, Outcome.UNKNOWN, "Resend forgets a key after 24 hours; look in its log")
        try:
            return self.send(batch)
        except Refused as fault:
            return everybody(batch, Outcome.UNKNOWN, fault.what)

    def body(self, batch: Batch) -> bytes:
        """The request's bytes: the same for the same batch."""
        return json.dumps([_message(batch, r) for r in batch.recipients], ensure_ascii=False).encode()

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """One event, signed by Svix (https://docs.svix.com/receiving/verifying-payloads/how-manual)."""
        known = webhooks.secret(self._environment, self._options.webhook_secret_env)
        identity, stamp, given = (webhooks.header(headers, f"svix-{name}") for name in ("id", "timestamp", "signature"))
        signed = hmac.digest(_key(known), f"{identity}.{stamp}.".encode() + body, "sha256")
        wanted = f"v1,{base64.b64encode(signed).decode()}".encode()
        if not any(hmac.compare_digest(one.encode(), wanted) for one in given.split()):
            raise webhooks.forged("the signature is wrong")
        webhooks.fresh(stamp, self._now())
        return [event for entry in webhooks.entries(body) if (event := _event(entry, identity, self._now()))]

    def prove(self, sender: str) -> Sequence[Proof]:
        """The key, and whether the sender's domain is verified; a key that may only send can't tell."""
        answer = self._api.call("GET", "/domains")
        said = answer.json if isinstance(answer.json, dict) else {}
        if answer.status == 401 and said.get("name") == "restricted_api_key":
            return [
                Proof(about="key", fine=True, told="may send, and nothing else"),
                Proof(about="sender", fine=None, told="a key that may only send can't tell of domains"),
            ]
        self._api.judge(answer, self._now())
        states = {str(d.get("name")): str(d.get("status")) for d in said.get("data") or ()}
        return [Proof(about="key", fine=True, told="accepted"), domain_proof(sender, states, "verified")]

    def prove_webhooks(self) -> Sequence[Proof]:
        """Whether the secret is there and is one of theirs."""
        return [webhooks.proof(self._environment, self._options.webhook_secret_env, _key)]

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()


def _message(batch: Batch, recipient: Recipient) -> dict[str, Any]:
    values = recipient.values
    url = values.get("unsubscribe_url", "")
    headers = dict(batch.headers)
    if url:
        headers |= {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message: dict[str, Any] = {
        "from": batch.sender,
        "to": [recipient.address],
        "subject": batch.content.subject.merge(values),
        "html": batch.content.html.merge_html(values),
        "text": batch.content.text.merge(values),
        "headers": headers,
        "tags": [{"name": "delivery", "value": str(recipient.delivery)}],
    }
    return {**message, "reply_to": batch.reply_to} if batch.reply_to else message


def _receipts(batch: Batch, answer: Answer) -> list[Receipt]:
    """The ids come in the order of the messages that were taken; the others are named by their place."""
    body = answer.json
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        raise OutcomeUnknown("Resend's answer can't be read")
    refused = {error.get("index"): str(error.get("message", "")) for error in body.get("errors") or ()}
    ids = iter(body["data"])
    receipts = []
    for place, recipient in enumerate(batch.recipients):
        if place in refused:
            detail = refused[place].replace(recipient.address, "…")
            receipts.append(Receipt(delivery=recipient.delivery, outcome=Outcome.REFUSED, detail=detail))
        elif (entry := next(ids, None)) is not None:
            known = str(entry.get("id", ""))
            receipts.append(Receipt(delivery=recipient.delivery, outcome=Outcome.ACCEPTED, message_id=known))
        else:
            detail = "Resend's answer doesn't name it"
            receipts.append(Receipt(delivery=recipient.delivery, outcome=Outcome.UNKNOWN, detail=detail))
    return receipts


def _conflict(answer: Answer) -> None:
    body = answer.json
    name = body.get("name", "") if isinstance(body, dict) else ""
    if name == "concurrent_idempotent_requests":
        raise Unavailable("Resend is still at work on this batch", retry_after=5.0)
    raise OutcomeUnknown(f"Resend has the key with other content: {answer.said}")


def _key(secret: str) -> bytes:
    """The key in a secret of Svix."""
    try:
        if not secret.startswith("whsec_"):
            raise ValueError
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError("the webhook's secret is not one of Resend's", hint="it begins with whsec_") from None


def _event(entry: Mapping[str, Any], identity: str, now: dt.datetime) -> Event | None:
    kind = _KINDS.get(str(entry.get("type")))
    if entry.get("type") == "email.bounced":
        permanent = webhooks.part(entry, "data", "bounce", "type") == "Permanent"
        kind = EventType.HARD_BOUNCE if permanent else EventType.SOFT_BOUNCE
    if kind is None:
        return None
    tags = webhooks.part(entry, "data", "tags")
    if isinstance(tags, list):
        tags = {str(webhooks.part(tag, "name")): webhooks.part(tag, "value") for tag in tags}
    to = webhooks.part(entry, "data", "to")
    return webhooks.event(
        kind,
        id=identity,
        at=webhooks.moment(entry.get("created_at"), now),
        delivery=webhooks.part(tags or {}, "delivery"),
        address=to[0] if isinstance(to, list) and to else "",
        detail=webhooks.part(entry, "data", "bounce", "message") or webhooks.part(entry, "data", "click", "link"),
        agent=webhooks.part(entry, "data", "click", "userAgent"),
    )
