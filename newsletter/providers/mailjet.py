"""Mailjet (https://dev.mailjet.com/email/guides/send-api-v31/): whole messages, deduplicated by campaign.

With DeduplicateCampaign, Mailjet refuses a second message to an address in a CustomCampaign. So a batch whose
answer was lost is sent again: who had it is refused as a duplicate, which proves that they had.
Mailjet doesn't allow a List-Id of ours.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any, ClassVar, Self

import requests

from newsletter.errors import ConfigError, OutcomeUnknown, Refused
from newsletter.model import Batch, Event, EventType, Outcome, Receipt, Recipient
from newsletter.providers import How, Limits, Proof, Provider, Recovery, webhooks
from newsletter.providers.http import Api, domain_proof, everybody
from newsletter.tables import Table

#: Headers that Mailjet keeps for itself.
_RESERVED = {"List-Id", "Feedback-ID"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The names of the environment variables with the two keys; `timeout` in seconds."""

    api_key_env: str = "MAILJET_API_KEY"
    api_secret_env: str = "MAILJET_SECRET_KEY"  # noqa: S105 (a name, not a secret)
    webhook_secret_env: str = "MAILJET_WEBHOOK_PASSWORD"  # noqa: S105 (a name, not a secret)
    base_url: str = "https://api.mailjet.com"
    timeout: float = 60.0


_KINDS = {
    "sent": EventType.DELIVERED,
    "spam": EventType.COMPLAINT,
    "unsub": EventType.UNSUBSCRIBED,
    "open": EventType.OPENED,
    "click": EventType.CLICKED,
    "blocked": EventType.FAILED,
}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Mailjet(Provider):
    """Up to 50 messages a call."""

    name: ClassVar[str] = "mailjet"
    recovery: ClassVar[Recovery] = Recovery(how=How.DEDUPLICATE)

    def __init__(self, options: Options, environment: Mapping[str, str], now: Callable[[], dt.datetime] = _now) -> None:
        self.limits = Limits(recipients=50, bytes=15_000_000, parallel=4)
        keys = tuple(environment.get(name, "") for name in (options.api_key_env, options.api_secret_env))
        if not all(keys):
            hint = f"set ${options.api_key_env} and ${options.api_secret_env}"
            raise ConfigError("there are no keys for Mailjet", hint=hint)
        session = requests.Session()
        session.auth = (keys[0], keys[1])
        self._api = Api("Mailjet", options.base_url, session, options.timeout)
        self._now = now
        self._environment, self._options = environment, options

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        del workspace
        return cls(table.read(Options), os.environ)

    def send(self, batch: Batch) -> list[Receipt]:
        """Submit the batch; Mailjet answers for each message, also under a status of 400."""
        answer = self._api.call("POST", "/v3.1/send", json=self.body(batch))
        self._api.judge(answer, self._now())
        body = answer.json
        entries = body.get("Messages") if isinstance(body, dict) else None
        if isinstance(entries, list) and len(entries) == len(batch.recipients):
            return [_receipt(r, entry) for r, entry in zip(batch.recipients, entries, strict=True)]
        if answer.status >= 400:
            raise Refused(f"Mailjet refused the call: {answer.said}")
        raise OutcomeUnknown("Mailjet's answer can't be read")

    def settle(self, batch: Batch) -> list[Receipt]:
        """Send it again: Mailjet takes no address of a campaign twice, and says whom it had."""
        try:
            return self.send(batch)
        except Refused as fault:
            return everybody(batch, Outcome.UNKNOWN, fault.what)

    def body(self, batch: Batch) -> dict[str, Any]:
        """The call's messages."""
        return {"Messages": [_message(batch, recipient) for recipient in batch.recipients]}

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """One event, or a list of them. Mailjet signs nothing: give it the secret as the password of basic auth in
        the address.
        """
        webhooks.password(headers, webhooks.secret(self._environment, self._options.webhook_secret_env))
        return [event for entry in webhooks.entries(body) if (event := _event(entry, self._now()))]

    def prove(self, sender: str) -> Sequence[Proof]:
        """The keys, and whether the sender or the whole domain is active."""
        answer = self._api.call("GET", "/v3/REST/sender", params={"Limit": "1000"})
        self._api.judge(answer, self._now())
        rows = webhooks.part(answer.json or {}, "Data") or ()
        states = {str(row.get("Email")).removeprefix("*@"): str(row.get("Status")) for row in rows}
        return [Proof(about="key", fine=True, told="accepted"), domain_proof(sender, states, "Active")]

    def prove_webhooks(self) -> Sequence[Proof]:
        """Whether the secret is there."""
        return [webhooks.proof(self._environment, self._options.webhook_secret_env)]

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()


def _message(batch: Batch, recipient: Recipient) -> dict[str, Any]:
    values = recipient.values
    name, address = parseaddr(batch.sender)
    headers = {key: value for key, value in batch.headers if key not in _RESERVED}
    if url := values.get("unsubscribe_url", ""):
        headers |= {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message: dict[str, Any] = {
        "From": {"Email": address, "Name": name},
        "To": [{"Email": recipient.address}],
        "Subject": batch.content.subject.merge(values),
        "HTMLPart": batch.content.html.merge_html(values),
        "TextPart": batch.content.text.merge(values),
        "Headers": headers,
        "CustomID": str(recipient.delivery),
        # The tag begins with what is the campaign's own, so that a later attempt is known for the same.
        "CustomCampaign": f"{batch.campaign}.{batch.tag.partition('-')[0]}",
        "DeduplicateCampaign": True,
        "TrackOpens": "disabled",
        "TrackClicks": "disabled",
    }
    return {**message, "ReplyTo": {"Email": batch.reply_to}} if batch.reply_to else message


def _receipt(recipient: Recipient, entry: Mapping[str, Any]) -> Receipt:
    if entry.get("Status") == "success":
        sent = entry.get("To") or [{}]
        known = str(sent[0].get("MessageID", ""))
        return Receipt(delivery=recipient.delivery, outcome=Outcome.ACCEPTED, message_id=known)
    errors = entry.get("Errors") or [{}]
    said = str(errors[0].get("ErrorMessage", "")).replace(recipient.address, "…")
    if "duplicate" in said.lower():
        return Receipt(delivery=recipient.delivery, outcome=Outcome.ACCEPTED, detail="Mailjet had it already")
    return Receipt(delivery=recipient.delivery, outcome=Outcome.REFUSED, detail=said)


def _event(entry: Mapping[str, Any], now: dt.datetime) -> Event | None:
    kind = _KINDS.get(str(entry.get("event")))
    if entry.get("event") == "bounce":
        kind = EventType.HARD_BOUNCE if entry.get("hard_bounce") in (True, 1, "1") else EventType.SOFT_BOUNCE
    if kind is None:
        return None
    return webhooks.event(
        kind,
        id=f"{entry.get('event')}:{entry.get('MessageID')}:{entry.get('time')}:{entry.get('url', '')}",
        at=webhooks.moment(entry.get("time"), now),
        delivery=entry.get("CustomID"),
        address=entry.get("email"),
        detail=entry.get("comment") or entry.get("error") or entry.get("url"),
        agent=entry.get("agent"),
    )
