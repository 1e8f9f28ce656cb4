"""Mailjet (https://dev.mailjet.com/email/guides/send-api-v31/): whole messages, deduplicated by campaign.

With DeduplicateCampaign, Mailjet refuses a second message to an address in a CustomCampaign. So a batch whose
answer was lost is sent again: who had it is refused as a duplicate, which proves that they had.
Mailjet doesn't allow a List-Id of ours.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any, ClassVar, Self

import requests

from newsletter.errors import ConfigError, OutcomeUnknown, Refused
from newsletter.model import Batch, Outcome, Receipt, Recipient
from newsletter.providers import How, Limits, Provider, Recovery
from newsletter.providers.http import Api, everybody
from newsletter.tables import Table

#: Headers that Mailjet keeps for itself.
_RESERVED = {"List-Id", "Feedback-ID"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The names of the environment variables with the two keys; `timeout` in seconds."""

    api_key_env: str = "MAILJET_API_KEY"
    api_secret_env: str = "MAILJET_SECRET_KEY"  # noqa: S105 (a name, not a secret)
    base_url: str = "https://api.mailjet.com"
    timeout: float = 60.0


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
