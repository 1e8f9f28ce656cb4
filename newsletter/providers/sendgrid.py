"""SendGrid (https://www.twilio.com/docs/sendgrid/api-reference/mail-send): one template with substitutions.

SendGrid can't tell what became of a call whose answer never came, so a person has to. What stands for a merge
field is made of the batch's key: nobody can have written it into a text.
"""

from __future__ import annotations

import datetime as dt
import html
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any, ClassVar, Self

import requests

from newsletter.errors import ConfigError, Refused
from newsletter.merge import MergeField, MergeText
from newsletter.model import Batch, Outcome, Receipt, Recipient
from newsletter.providers import How, Limits, Provider, Recovery
from newsletter.providers.http import Api, everybody, halved
from newsletter.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`api_key_env` names the environment variable with the key; `timeout` in seconds."""

    api_key_env: str = "SENDGRID_API_KEY"
    base_url: str = "https://api.sendgrid.com"
    timeout: float = 60.0


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Sendgrid(Provider):
    """Up to 1,000 personalizations and 30 MB a call."""

    name: ClassVar[str] = "sendgrid"
    recovery: ClassVar[Recovery] = Recovery(how=How.NONE)

    def __init__(self, options: Options, environment: Mapping[str, str], now: Callable[[], dt.datetime] = _now) -> None:
        self.limits = Limits(recipients=1_000, bytes=30_000_000, parallel=2, copies=False)
        key = environment.get(options.api_key_env, "")
        if not key:
            raise ConfigError("there is no key for SendGrid", hint=f"set ${options.api_key_env}")
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {key}"
        self._api = Api("SendGrid", options.base_url, session, options.timeout)
        self._now = now

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        del workspace
        return cls(table.read(Options), os.environ)

    def send(self, batch: Batch) -> list[Receipt]:
        """Submit the batch. SendGrid says 202 for all of it, and later, by webhook, whom it dropped; an address that
        is none it refuses with the whole call, so that one is found by halves.
        """
        answer = self._api.call("POST", "/v3/mail/send", json=self.body(batch))
        self._api.judge(answer, self._now())
        if answer.status != 202:
            errors = (answer.json.get("errors") if isinstance(answer.json, dict) else None) or [{}]
            said = str(errors[0].get("message", "")) or answer.said
            if re.match(r"personalizations\.\d+\.to", str(errors[0].get("field", ""))):
                return halved(batch, said, self.send)
            raise Refused(f"SendGrid refused the call: {said}")
        known = answer.headers.get("x-message-id", "")
        return [Receipt(delivery=r.delivery, outcome=Outcome.ACCEPTED, message_id=known) for r in batch.recipients]

    def settle(self, batch: Batch) -> list[Receipt]:
        """SendGrid can't be asked; a person decides."""
        return everybody(batch, Outcome.UNKNOWN, "SendGrid can't tell; look in its Activity Feed")

    def body(self, batch: Batch) -> dict[str, Any]:
        """The call's body."""
        mark = f"-{batch.key[:16]}"
        fields: dict[MergeField, int] = {}
        subject = _compiled(batch.content.subject, fields, mark, "t")
        text = _compiled(batch.content.text, fields, mark, "t")
        markup = _compiled(batch.content.html, fields, mark, "h")
        name, address = parseaddr(batch.sender)
        body: dict[str, Any] = {
            "from": {"email": address, "name": name},
            "subject": subject,
            "content": [{"type": "text/plain", "value": text}, {"type": "text/html", "value": markup}],
            "headers": dict(batch.headers),
            "personalizations": [_personal(r, fields, mark) for r in batch.recipients],
            "tracking_settings": {
                "click_tracking": {"enable": False, "enable_text": False},
                "open_tracking": {"enable": False},
                "subscription_tracking": {"enable": False},
            },
        }
        return {**body, "reply_to": {"email": batch.reply_to}} if batch.reply_to else body

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()


def _compiled(text: MergeText, fields: dict[MergeField, int], mark: str, kind: str) -> str:
    return "".join(
        part if isinstance(part, str) else f"{mark}{kind}{fields.setdefault(part, len(fields))}-" for part in text
    )


def _personal(recipient: Recipient, fields: Mapping[MergeField, int], mark: str) -> dict[str, Any]:
    substitutions = {}
    for field, number in fields.items():
        value = field.value(recipient.values)
        substitutions[f"{mark}t{number}-"] = value
        substitutions[f"{mark}h{number}-"] = html.escape(value)
    personal: dict[str, Any] = {
        "to": [{"email": recipient.address}],
        "substitutions": substitutions,
        "custom_args": {"delivery": str(recipient.delivery)},
    }
    if url := recipient.values.get("unsubscribe_url", ""):
        personal["headers"] = {
            "List-Unsubscribe": f"<{url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return personal
