"""Postmark (https://postmarkapp.com/developer/api/email-api): whole messages on a broadcast stream.

Each message carries the call's tag and its delivery as metadata, by which Postmark finds it after a lost answer.
On a broadcast stream Postmark writes its own List-Unsubscribe unless its support has allowed yours.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import requests

from newsletter.errors import ConfigError, OutcomeUnknown, Refused
from newsletter.model import Batch, Event, EventType, Outcome, Receipt, Recipient
from newsletter.providers import How, Limits, Proof, Provider, Recovery, webhooks
from newsletter.providers.http import Api, found
from newsletter.tables import Table

_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`stream` is the message stream; `timeout` in seconds; `lookup_delay` in minutes is how long an accepted
    message may be missing from a search.
    """

    stream: str = "broadcast"
    api_key_env: str = "POSTMARK_SERVER_TOKEN"
    webhook_secret_env: str = "POSTMARK_WEBHOOK_PASSWORD"  # noqa: S105 (a name, not a secret)
    base_url: str = "https://api.postmarkapp.com"
    timeout: float = 60.0
    lookup_delay: float = 15.0


_KINDS = {
    "Delivery": EventType.DELIVERED,
    "SpamComplaint": EventType.COMPLAINT,
    "SubscriptionChange": EventType.UNSUBSCRIBED,
    "Open": EventType.OPENED,
    "Click": EventType.CLICKED,
}
_HARD = {"HardBounce", "BadEmailAddress"}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Postmark(Provider):
    """Up to 500 messages and 50 MB a call."""

    name: ClassVar[str] = "postmark"
    recovery: ClassVar[Recovery] = Recovery(how=How.LOOKUP, within=dt.timedelta(days=45))

    def __init__(self, options: Options, environment: Mapping[str, str], now: Callable[[], dt.datetime] = _now) -> None:
        self.limits = Limits(recipients=_PAGE, bytes=50_000_000, parallel=4)
        key = environment.get(options.api_key_env, "")
        if not key:
            raise ConfigError("there is no key for Postmark", hint=f"set ${options.api_key_env}")
        session = requests.Session()
        session.headers["X-Postmark-Server-Token"] = key
        session.headers["Accept"] = "application/json"
        self._api = Api("Postmark", options.base_url, session, options.timeout)
        self._now = now
        self._environment, self._options = environment, options

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        del workspace
        return cls(table.read(Options), os.environ)

    def send(self, batch: Batch) -> list[Receipt]:
        """Submit the batch; Postmark answers for each message."""
        answer = self._api.call("POST", "/email/batch", json=self.body(batch))
        self._api.judge(answer, self._now())
        if answer.status >= 400:
            raise Refused(f"Postmark refused the call: {answer.said}")
        entries = answer.json
        if not isinstance(entries, list) or len(entries) != len(batch.recipients):
            raise OutcomeUnknown("Postmark's answer can't be read")
        return [_receipt(r, entry) for r, entry in zip(batch.recipients, entries, strict=True)]

    def settle(self, batch: Batch) -> list[Receipt]:
        """Look for the call's messages by their metadata."""
        wanted = {r.delivery for r in batch.recipients}
        accepted: dict[int, str] = {}
        offset = 0
        while True:
            parameters = {"count": str(_PAGE), "offset": str(offset), "metadata_batch": batch.tag}
            answer = self._api.call("GET", "/messages/outbound", params=parameters)
            self._api.judge(answer, self._now())
            body = answer.json
            if answer.status != 200 or not isinstance(body, dict):
                raise OutcomeUnknown(f"Postmark's search can't be read: {answer.said}")
            messages = body.get("Messages") or []
            for message in messages:
                delivery = str((message.get("Metadata") or {}).get("delivery", ""))
                if delivery.isdecimal() and int(delivery) in wanted:
                    accepted[int(delivery)] = str(message.get("MessageID", ""))
            offset += len(messages)
            if not messages or offset >= int(body.get("TotalCount", 0)):
                break
        early = self._now() - batch.date < dt.timedelta(minutes=self._options.lookup_delay)
        return found(batch, accepted, asked_too_early=early)

    def body(self, batch: Batch) -> list[dict[str, Any]]:
        """The call's messages."""
        return [self._message(batch, recipient) for recipient in batch.recipients]

    def _message(self, batch: Batch, recipient: Recipient) -> dict[str, Any]:
        values = recipient.values
        headers = [{"Name": name, "Value": value} for name, value in batch.headers]
        if url := values.get("unsubscribe_url", ""):
            headers += [
                {"Name": "List-Unsubscribe", "Value": f"<{url}>"},
                {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
            ]
        message: dict[str, Any] = {
            "From": batch.sender,
            "To": recipient.address,
            "Subject": batch.content.subject.merge(values),
            "HtmlBody": batch.content.html.merge_html(values),
            "TextBody": batch.content.text.merge(values),
            "Headers": headers,
            "TrackOpens": False,
            "TrackLinks": "None",
            "MessageStream": self._options.stream,
            "Metadata": {"batch": batch.tag, "delivery": str(recipient.delivery)},
        }
        return {**message, "ReplyTo": batch.reply_to} if batch.reply_to else message

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """One event. Postmark signs nothing: give it the secret as the password of basic auth in the address."""
        webhooks.password(headers, webhooks.secret(self._environment, self._options.webhook_secret_env))
        return [event for entry in webhooks.entries(body) if (event := _event(entry, self._now()))]

    def prove(self, sender: str) -> Sequence[Proof]:
        """The token and the stream. Of senders a server's token can't tell."""
        del sender
        answer = self._api.call("GET", f"/message-streams/{self._options.stream}")
        if answer.status in (404, 422):
            return [Proof(about="stream", fine=False, told=f'Postmark has no stream "{self._options.stream}"')]
        self._api.judge(answer, self._now())
        kind = str(webhooks.part(answer.json or {}, "MessageStreamType"))
        told = "on a broadcast stream Postmark writes its own List-Unsubscribe unless its support has allowed ours"
        return [
            Proof(about="key", fine=True, told="accepted"),
            Proof(about="stream", fine=True, told=f'"{self._options.stream}", {kind.lower()}'),
            Proof(about="unsubscribing", fine=None, told=told if kind == "Broadcasts" else "our own links"),
            Proof(about="sender", fine=None, told="a server's token can't tell of senders; look at Sender Signatures"),
        ]

    def prove_webhooks(self) -> Sequence[Proof]:
        """Whether the secret is there."""
        return [webhooks.proof(self._environment, self._options.webhook_secret_env)]

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()


def _receipt(recipient: Recipient, entry: Mapping[str, Any]) -> Receipt:
    if entry.get("ErrorCode") == 0:
        known = str(entry.get("MessageID", ""))
        return Receipt(delivery=recipient.delivery, outcome=Outcome.ACCEPTED, message_id=known)
    detail = f"{entry.get('ErrorCode')}: {entry.get('Message', '')}".replace(recipient.address, "…")
    return Receipt(delivery=recipient.delivery, outcome=Outcome.REFUSED, detail=detail)


def _event(entry: Mapping[str, Any], now: dt.datetime) -> Event | None:
    record = str(entry.get("RecordType"))
    kind = _KINDS.get(record)
    if record == "Bounce":
        kind = EventType.HARD_BOUNCE if entry.get("Type") in _HARD else EventType.SOFT_BOUNCE
    if kind is None or (record == "SubscriptionChange" and not entry.get("SuppressSending")):
        return None
    named = ("DeliveredAt", "BouncedAt", "ChangedAt", "ReceivedAt")
    at = next((entry[name] for name in named if entry.get(name)), None)
    return webhooks.event(
        kind,
        id=f"{record}:{entry.get('MessageID')}:{entry.get('ID', '')}:{at}",
        at=webhooks.moment(at, now),
        delivery=webhooks.part(entry, "Metadata", "delivery"),
        address=entry.get("Recipient") or entry.get("Email"),
        detail=entry.get("Description") or entry.get("OriginalLink") or entry.get("SuppressionReason"),
        agent=entry.get("UserAgent"),
    )
