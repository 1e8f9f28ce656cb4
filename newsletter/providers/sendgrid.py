"""SendGrid (https://www.twilio.com/docs/sendgrid/api-reference/mail-send): one template with substitutions.

SendGrid can't tell what became of a call whose answer never came, so a person has to. What stands for a merge
field is made of the call's key: nobody can have written it into a text.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from newsletter.errors import BadRecipient, ConfigError
from newsletter.model import Call, Event, EventType, Receipt, Recipient
from newsletter.providers import How, Limits, Recovery, Verification, webhooks
from newsletter.providers.faults import OUR_OWN, Fault, Meaning
from newsletter.providers.http import HttpOptions, HttpProvider, accepted, only, verify_domain
from newsletter.providers.merging import Template, encoded, leaving
from newsletter.providers.smtp_faults import says_gone, stands
from newsletter.providers.wire import Answer, Wire

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

_4XX = "https://support.sendgrid.com/hc/en-us/articles/18322114821403"
_DROPS = "https://www.twilio.com/docs/sendgrid/glossary/drops"
_FAULTS = (
    Fault(
        meaning=Meaning.OURS,
        words="maximum credits exceeded",
        hint="buy credits or wait for the next day or month, then send again",
        source=f"{_4XX}; https://www.twilio.com/docs/api/errors/60603",
    ),
    Fault(
        meaning=Meaning.OURS,
        words="verified sender identity",
        hint="verify the sender at SendGrid",
        source="https://github.com/sendgrid/docs, smtp-errors-and-troubleshooting.md",
    ),
    Fault(
        meaning=Meaning.LATER,
        status=(403,),
        words="too many bad requests",
        source="https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/errors",
    ),
    OUR_OWN,
    Fault(
        meaning=Meaning.BAD_RECIPIENT,
        status=(400,),
        code=r"personalizations\.\d+\.to\b.*",
        source="sendgrid OpenAPI 2026-01: errors[].field names the personalization",
    ),
    Fault(
        meaning=Meaning.OURS,
        status=(401, 403),
        hint="check the key, its rights and the account's state",
        source=_4XX,
    ),
    Fault(
        meaning=Meaning.UNKNOWN,
        status=(200,),
        hint="SendGrid says so in sandbox mode, in which nothing is delivered; anybody on the way may say so, too",
        source="https://www.twilio.com/docs/sendgrid/for-developers/sending-email/sandbox-mode: 200 instead of 202",
    ),
    Fault(meaning=Meaning.LATER, status=(429,), source=_4XX),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(HttpOptions):
    """As of every vendor with an HTTP API."""

    api_key_env: str = "SENDGRID_API_KEY"
    webhook_secret_env: str = "SENDGRID_WEBHOOK_KEY"  # noqa: S105 (a name, not a secret)
    base_url: str = "https://api.sendgrid.com"


_KINDS = {
    "delivered": EventType.DELIVERED,
    "bounce": EventType.SOFT_BOUNCE,
    "deferred": EventType.SOFT_BOUNCE,
    "spamreport": EventType.COMPLAINT,
    "unsubscribe": EventType.UNSUBSCRIBED,
    "group_unsubscribe": EventType.UNSUBSCRIBED,
    "open": EventType.OPENED,
    "click": EventType.CLICKED,
    "dropped": EventType.DROPPED,
}
#: What a drop says that SendGrid had known before. The other reasons (content, header, quota, "Invalid") say nothing of
#: that mailbox for certain.
_KNOWN = (
    ("bounced address", EventType.HARD_BOUNCE),
    ("spam reporting address", EventType.COMPLAINT),
    ("unsubscribed address", EventType.UNSUBSCRIBED),
)
_INLINE = {"disposition": "inline"}


class Sendgrid(HttpProvider):
    """Up to 1,000 personalizations and 30 MB a call."""

    name: ClassVar[str] = "sendgrid"
    vendor: ClassVar[str] = "SendGrid"
    limits: ClassVar[Limits] = Limits(recipients=1_000, bytes=30_000_000, parallel=2, copies=False)
    pictures: ClassVar[bool] = True
    recovery = Recovery(how=How.NONE)
    faults: ClassVar[Sequence[Fault]] = _FAULTS
    options_type: ClassVar[type[HttpOptions]] = Options

    def _authorize(self, wire: Wire) -> None:
        wire.session.headers["Authorization"] = f"Bearer {self._secret(self._common.api_key_env)}"

    def send(self, call: Call) -> Iterator[Receipt]:
        """Submit the batch. SendGrid says 202 for all of it, and later, by webhook, whom it dropped; an address that
        isn't one it refuses with the whole call, and names its place.
        """
        answer = self._wire.call("POST", "/v3/mail/send", json=self.body(call))
        known = answer.headers.get("x-message-id", "")
        if answer.status == 202 and known and not answer.body.strip():
            return (accepted(recipient, known) for recipient in call.recipients)
        if answer.status == 202 or (answer.body.strip() and answer.status == 200):
            raise self._unreadable(answer)
        fault = self._refusal(answer)
        if not isinstance(fault, BadRecipient):
            raise fault
        return only(call, BadRecipient(fault.what, suspects=_named(call, answer)))

    def settle(self, call: Call) -> Iterator[Receipt]:
        """SendGrid can't be asked; a person decides."""
        del call
        return iter(())

    def _words(self, answer: Answer) -> tuple[str, str]:
        errors = webhooks.rows(webhooks.part(answer.json, "errors"))
        first = errors[0] if errors else {}
        return str(first.get("field") or ""), str(first.get("message") or "")

    def body(self, call: Call) -> dict[str, Any]:
        """The call's body."""
        mark = f"-{call.key[:16]}"
        template = Template(call.content, lambda name: f"{mark}{name}-")
        body: dict[str, Any] = {
            "from": {"email": call.sender.address, "name": call.sender.name},
            "subject": template.subject,
            "content": [{"type": "text/plain", "value": template.text}, {"type": "text/html", "value": template.html}],
            "headers": dict(call.headers),
            "personalizations": [_personal(r, template, mark) for r in call.recipients],
            "tracking_settings": {
                "click_tracking": {"enable": False, "enable_text": False},
                "open_tracking": {"enable": False},
                "subscription_tracking": {"enable": False},
            },
        }
        if call.pictures:
            body["attachments"] = [
                {
                    "content": encoded(p),
                    "type": p.type,
                    "filename": p.name,
                    "disposition": "inline",
                    "content_id": p.name,
                }
                for p in call.pictures
            ]
        return {**body, "reply_to": {"email": call.reply_to}} if call.reply_to else body

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """A list of events, signed with ECDSA over time and body
        (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).
        """
        known = self._webhook_secret()
        stamp = webhooks.header(headers, "x-twilio-email-event-webhook-timestamp")
        given = webhooks.header(headers, "x-twilio-email-event-webhook-signature")
        _verify(_public_key(known), given, stamp.encode("utf-8", "replace") + body)
        return [event for entry in webhooks.entries(body) for event in _events(entry, self._now())]

    def verify(self, sender: str) -> Sequence[Verification]:
        """The key and its right to send, and whether the sender's domain is authenticated."""
        scopes = webhooks.part(self._ask("/v3/scopes").json, "scopes") or ()
        able = "mail.send" in scopes
        key = Verification(about="key", fine=able, found="may send" if able else 'lacks the right "mail.send"')
        if "whitelabel.read" not in scopes:
            return [key, Verification(about="sender", fine=None, found="the key may not read domains")]
        domains = webhooks.rows(self._ask("/v3/whitelabel/domains", limit="500").json)
        states = {str(row.get("domain")): str(bool(row.get("valid"))) for row in domains}
        return [key, verify_domain(sender, states, "True")]

    def _webhook_key(self, secret: str) -> object:
        return _public_key(secret)


def _named(call: Call, answer: Answer) -> list[int]:
    """The deliveries whose personalizations SendGrid names as bad."""
    fields = (str(row.get("field")) for row in webhooks.rows(webhooks.part(answer.json, "errors")))
    places = {int(found[1]) for field in fields if (found := re.match(r"personalizations\.(\d{1,4})\.to", field))}
    return [call.recipients[place].delivery for place in sorted(places) if place < len(call.recipients)]


def _personal(recipient: Recipient, template: Template, mark: str) -> dict[str, Any]:
    values = template.values(recipient.values)
    personal: dict[str, Any] = {
        "to": [{"email": recipient.address}],
        "substitutions": {f"{mark}{name}-": value for name, value in values.items()},
        "custom_args": {"delivery": recipient.mark},
    }
    headers = leaving(recipient.values)
    return {**personal, "headers": headers} if headers else personal


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


def _events(entry: Mapping[str, Any], now: dt.datetime) -> list[Event]:
    name = str(entry.get("event"))
    kind, known = _KINDS.get(name), None
    reason = entry.get("reason") or entry.get("response") or ""
    if name == "bounce" and _gone(entry):
        kind = EventType.HARD_BOUNCE
    if name == "dropped":
        words = f"{reason} {entry.get('type') or ''}".lower()
        known = next((told for part, told in _KNOWN if part in words), None)
    if kind is None:
        return []
    return webhooks.events(
        kind,
        id=str(entry.get("sg_event_id")),
        at=webhooks.moment(entry.get("timestamp"), now),
        mark=entry.get("delivery"),
        address=entry.get("email"),
        detail=reason or entry.get("url"),
        agent=entry.get("useragent"),
        machine=entry.get("sg_machine_open"),
        known=known,
    )


def _gone(entry: Mapping[str, Any]) -> bool:
    """Whether a bounce says that the mailbox isn't there: SendGrid's own class, unless the server's answer says
    otherwise, or else that answer. A "blocked" or "expired" one is of this message alone.
    """
    if str(entry.get("type")) != "bounce":
        return False
    named = str(entry.get("bounce_classification") or "").lower()
    words, code = (str(entry.get(key) or "") for key in ("reason", "status"))
    if named and named != "unclassified":
        return named == "invalid address" and stands(words, enhanced=code, certain=True)
    return says_gone(words, enhanced=code) is True
