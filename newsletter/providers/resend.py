"""Resend (https://resend.com/docs/api-reference/emails/send-batch-emails): whole messages, and a replay proves all.

A batch with the same Idempotency-Key and the same bytes gives the same answer for 24 hours. So what was sent is
told apart from what wasn't by sending it again.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import requests

from newsletter.errors import ConfigError, OutcomeUnknown, Refused, Unavailable
from newsletter.model import Batch, Outcome, Receipt, Recipient
from newsletter.providers import How, Limits, Provider, Recovery
from newsletter.providers.http import Answer, Api, everybody
from newsletter.tables import Table

_KEPT = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`api_key_env` names the environment variable with the key; `timeout` in seconds."""

    api_key_env: str = "RESEND_API_KEY"
    base_url: str = "https://api.resend.com"
    timeout: float = 30.0


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
