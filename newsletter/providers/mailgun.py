"""Mailgun (https://documentation.mailgun.com): one template with variables for up to 1,000 recipients.

Merge fields travel as `%recipient.…%`, each twice, since HTML wants its values escaped. A call has one tag of its
own; after a lost answer, Mailgun's events under that tag tell who was accepted.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import requests

from newsletter.errors import ConfigError, OutcomeUnknown, Refused
from newsletter.merge import MergeField, MergeText
from newsletter.model import Batch, Outcome, Receipt, Recipient
from newsletter.providers import How, Limits, Provider, Recovery
from newsletter.providers.http import Api, found, halved
from newsletter.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`domain` is the sending domain; for the EU, `base_url` is https://api.eu.mailgun.net. `timeout` in seconds;
    `lookup_delay` in minutes is how long an accepted message may be missing from the events.
    """

    domain: str
    api_key_env: str = "MAILGUN_API_KEY"
    base_url: str = "https://api.mailgun.net"
    timeout: float = 60.0
    lookup_delay: float = 30.0


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
        self._options = options
        self._api = Api("Mailgun", options.base_url, session, options.timeout)
        self._now = now

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
