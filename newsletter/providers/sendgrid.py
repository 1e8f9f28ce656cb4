"""SendGrid (https://www.twilio.com/docs/sendgrid/api-reference/mail-send): one template with substitutions.

SendGrid can't tell what became of a call whose answer never came, so a person has to. What stands for a merge
field is made of the batch's key: nobody can have written it into a text.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import html
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import requests

from newsletter.errors import ConfigError, Refused
from newsletter.merge import MergeField, MergeText
from newsletter.model import Batch, Event, EventType, Outcome, Receipt, Recipient
from newsletter.providers import How, Limits, Proof, Provider, Recovery, webhooks
from newsletter.providers.http import Api, domain_proof, everybody, halved
from newsletter.tables import Table

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`api_key_env` names the environment variable with the key; `timeout` in seconds."""

    api_key_env: str = "SENDGRID_API_KEY"
    webhook_secret_env: str = "SENDGRID_WEBHOOK_KEY"  # noqa: S105 (a name, not a secret)
    base_url: str = "https://api.sendgrid.com"
    timeout: float = 60.0


_KINDS = {
    "delivered": EventType.DELIVERED,
    "bounce": EventType.HARD_BOUNCE,
    "deferred": EventType.SOFT_BOUNCE,
    "spamreport": EventType.COMPLAINT,
    "unsubscribe": EventType.UNSUBSCRIBED,
    "group_unsubscribe": EventType.UNSUBSCRIBED,
    "open": EventType.OPENED,
    "click": EventType.CLICKED,
    "dropped": EventType.FAILED,
}


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
        self._environment, self._options = environment, options

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

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """A list of events, signed with ECDSA over time and body
        (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).
        """
        known = webhooks.secret(self._environment, self._options.webhook_secret_env)
        stamp = webhooks.header(headers, "x-twilio-email-event-webhook-timestamp")
        given = webhooks.header(headers, "x-twilio-email-event-webhook-signature")
        _verify(_public_key(known), given, stamp.encode() + body)
        webhooks.fresh(stamp, self._now())
        return [event for entry in webhooks.entries(body) if (event := _event(entry, self._now()))]

    def prove(self, sender: str) -> Sequence[Proof]:
        """The key and its right to send, and whether the sender's domain is authenticated."""
        answer = self._api.call("GET", "/v3/scopes")
        self._api.judge(answer, self._now())
        scopes = webhooks.part(answer.json or {}, "scopes") or ()
        able = "mail.send" in scopes
        key = Proof(about="key", fine=able, told="may send" if able else 'lacks the right "mail.send"')
        if "whitelabel.read" not in scopes:
            return [key, Proof(about="sender", fine=None, told="the key may not read domains")]
        answer = self._api.call("GET", "/v3/whitelabel/domains", params={"limit": "500"})
        self._api.judge(answer, self._now())
        rows = answer.json if isinstance(answer.json, list) else ()
        states = {str(row.get("domain")): str(bool(row.get("valid"))) for row in rows}
        return [key, domain_proof(sender, states, "True")]

    def prove_webhooks(self) -> Sequence[Proof]:
        """Whether the secret is there and is one of theirs."""
        return [webhooks.proof(self._environment, self._options.webhook_secret_env, _public_key)]

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


def _public_key(text: str) -> EllipticCurvePublicKey:
    """The key with which SendGrid's signatures are verified."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
        from cryptography.hazmat.primitives.serialization import load_der_public_key
    except ImportError:
        hint = "pip install 'newsletter-desk[sendgrid]'"
        raise ConfigError("SendGrid's webhooks need the package cryptography", hint=hint) from None
    try:
        public = load_der_public_key(base64.b64decode(text))
    except ValueError:
        public = None
    if not isinstance(public, EllipticCurvePublicKey):
        raise ConfigError("the webhook's key is not one of SendGrid's", hint="copy the whole Verification Key")
    return public


def _verify(key: EllipticCurvePublicKey, signature: str, signed: bytes) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(base64.b64decode(signature, validate=True), signed, ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        raise webhooks.forged("the signature is wrong") from None


def _event(entry: Mapping[str, Any], now: dt.datetime) -> Event | None:
    kind = _KINDS.get(str(entry.get("event")))
    if kind is None:
        return None
    if kind is EventType.HARD_BOUNCE and entry.get("type") == "blocked":
        kind = EventType.SOFT_BOUNCE  # the server didn't want this message; the address is fine
    return webhooks.event(
        kind,
        id=str(entry.get("sg_event_id")),
        at=webhooks.moment(entry.get("timestamp"), now),
        delivery=entry.get("delivery"),
        address=entry.get("email"),
        detail=entry.get("reason") or entry.get("url"),
        agent=entry.get("useragent"),
        machine=entry.get("sg_machine_open"),
    )
