"""Brevo (https://developers.brevo.com/reference/sendtransacemail): a version of the message for each recipient.

A call has a UUID of its own, which Brevo remembers for a while: it refuses a repeat as a duplicate, which proves that
it had taken the call.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from newsletter.errors import BadRecipient
from newsletter.model import Call, Event, EventType, Receipt, Recipient
from newsletter.providers import How, Limits, Recovery, Verification, webhooks
from newsletter.providers.faults import OUR_OWN, Fault, Meaning, fault_of
from newsletter.providers.http import HttpOptions, HttpProvider, accepted, only, verify_domain
from newsletter.providers.merging import leaving
from newsletter.providers.smtp_faults import says_gone
from newsletter.providers.wire import Wire

_HOW = "https://developers.brevo.com/docs/how-it-works"
_SDK = "Brevo's Node SDK, ErrorModel.CodeEnum"
_FAULTS = (
    Fault(
        meaning=Meaning.TAKEN,
        status=(400, 409),
        code="duplicate_parameter",
        words="idempoten",
        source="https://developers.brevo.com/changelog/email-api-now-supports-idempotency",
    ),
    Fault(
        meaning=Meaning.UNKNOWN,
        status=(400, 409),
        code="duplicate_request|duplicate_parameter",
        source=f"{_SDK}; it may be under way, or be about another parameter",
    ),
    Fault(
        meaning=Meaning.OURS,
        code="not_enough_credits",
        hint="buy credits, or wait for the next day",
        source=_SDK,
    ),
    Fault(
        meaning=Meaning.OURS,
        code="account_under_validation",
        hint="Brevo has yet to validate the account",
        source=_SDK,
    ),
    Fault(
        meaning=Meaning.OURS,
        code="permission_denied|reseller_permission_denied|unauthorized",
        hint="check the key, the addresses that it may be used from, and the account's state",
        source=_SDK,
    ),
    Fault(
        meaning=Meaning.OURS,
        words="sender",
        hint="verify the sender at Brevo",
        source="https://developers.brevo.com/docs/send-a-transactional-email: the sender has to be verified",
    ),
    OUR_OWN,
    Fault(
        meaning=Meaning.BAD_RECIPIENT,
        status=(400,),
        code="invalid_parameter|missing_parameter",
        words=r"email is not valid|valid email|\bto\b.*(email|address)|email.*\bto\b|recipient",
        source=_HOW,
    ),
    Fault(meaning=Meaning.LATER, status=(429,), source="https://developers.brevo.com/docs/limit-headers"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(HttpOptions):
    """As of every vendor with an HTTP API."""

    api_key_env: str = "BREVO_API_KEY"
    webhook_secret_env: str = "BREVO_WEBHOOK_PASSWORD"  # noqa: S105 (a name, not a secret)
    base_url: str = "https://api.brevo.com"


_KINDS = {
    "delivered": EventType.DELIVERED,
    "hard_bounce": EventType.HARD_BOUNCE,
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
    # By one page of Brevo's the recipient's address is invalid, by another the sender's: nobody is suppressed for it.
    "invalid_email": EventType.DROPPED,
    "invalid": EventType.DROPPED,
    "blocked": EventType.DROPPED,
    "error": EventType.DROPPED,
}
#: What a block's reason says that Brevo had known before.
_KNOWN = (
    ("unsubscribed", EventType.UNSUBSCRIBED),
    ("hard bounce", EventType.HARD_BOUNCE),
    ("complain", EventType.COMPLAINT),
)


class Brevo(HttpProvider):
    """Up to 100 versions a call, of the 1,000 that Brevo allows: each holds a whole message."""

    name: ClassVar[str] = "brevo"
    vendor: ClassVar[str] = "Brevo"
    limits: ClassVar[Limits] = Limits(recipients=100, parallel=4)
    #: 15 minutes by Brevo's changelog, 30 by its page on versions: the shorter counts.
    recovery = Recovery(how=How.REPLAY, within=dt.timedelta(minutes=15))
    faults: ClassVar[Sequence[Fault]] = _FAULTS
    options_type: ClassVar[type[HttpOptions]] = Options

    def _authorize(self, wire: Wire) -> None:
        wire.session.headers["api-key"] = self._secret(self._common.api_key_env)

    def send(self, call: Call) -> Iterator[Receipt]:
        """Submit the batch. Brevo refuses a whole call for one address."""
        return self._submit(call, again=False)

    def settle(self, call: Call) -> Iterator[Receipt]:
        """Send it again with the same UUID: Brevo says that it had it, or takes it now."""
        return self._submit(call, again=True)

    def _submit(self, call: Call, *, again: bool) -> Iterator[Receipt]:
        """The first call can't be one that Brevo had before, whatever it says: that is for `settle` to find out."""
        answer = self._wire.call("POST", "/v3/smtp/email", json=self.body(call))
        if answer.status in (201, 202):
            ids = webhooks.part(answer.json, "messageIds") or [webhooks.part(answer.json, "messageId")]
            if not isinstance(ids, list) or len(ids) != len(call.recipients) or not all(ids):
                raise self._unreadable(answer)
            return (accepted(r, known) for r, known in zip(call.recipients, ids, strict=True))
        code, words = self._words(answer)
        row = fault_of(self.faults, status=answer.status, code=code, words=words)
        if again and row is not None and row.meaning is Meaning.TAKEN:
            return (accepted(recipient, "", "Brevo had it already") for recipient in call.recipients)
        fault = self._refusal(answer)
        if not isinstance(fault, BadRecipient):
            raise fault
        return only(call, fault)

    def body(self, call: Call) -> dict[str, Any]:
        """The call's body."""
        body: dict[str, Any] = {
            "sender": {"email": call.sender.address, "name": call.sender.name},
            "subject": call.content.subject.merge({}),
            "htmlContent": call.content.html.merge_html({}),
            "textContent": call.content.text.merge({}),
            "headers": {**dict(call.headers), "idempotencyKey": str(uuid.uuid5(_SPACE, call.key))},
            "tags": [call.tag],
            "messageVersions": [_version(call, recipient) for recipient in call.recipients],
        }
        return {**body, "replyTo": {"email": call.reply_to}} if call.reply_to else body

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """One event, or a list of them. Brevo signs nothing: give it the secret as a bearer token or as the password
        of basic auth.
        """
        self._check_password(headers)
        return [event for entry in webhooks.entries(body) for event in _events(entry, self._now())]

    def verify(self, sender: str) -> Sequence[Verification]:
        """The key, and whether the sender's domain is authenticated."""
        domains = webhooks.rows(webhooks.part(self._ask("/v3/senders/domains").json, "domains"))
        states = {str(row.get("domain_name")): str(bool(row.get("authenticated"))) for row in domains}
        return [Verification(about="key", fine=True, found="accepted"), verify_domain(sender, states, "True")]


#: Any UUID will do to make others from, as long as it stays the same (RFC 9562, section 5.5).
_SPACE = uuid.UUID("8d3e6f0a-5b1c-4f57-9a55-6d2f0c9b7e11")


def _version(call: Call, recipient: Recipient) -> dict[str, Any]:
    values = recipient.values
    return {
        "to": [{"email": recipient.address}],
        "subject": call.content.subject.merge(values),
        "htmlContent": call.content.html.merge_html(values),
        "textContent": call.content.text.merge(values),
        "headers": {**dict(call.headers), "X-Mailin-custom": f"delivery:{recipient.mark}", **leaving(values)},
    }


def _events(entry: Mapping[str, Any], now: dt.datetime) -> list[Event]:
    name, reason = str(entry.get("event")), str(entry.get("reason") or "")
    kind, known = _KINDS.get(name), None
    if name == "hard_bounce" and not says_gone(reason):
        kind = EventType.SOFT_BOUNCE  # Brevo says so of policy, quotas and senders, too
    if name == "blocked":
        known = next((told for word, told in _KNOWN if word in reason.lower()), None)
    if kind is None:
        return []
    stamp = entry.get("ts_epoch")
    custom = entry.get("X-Mailin-custom")
    return webhooks.events(
        kind,
        id=f"{name}:{entry.get('message-id')}:{stamp}:{entry.get('link', '')}",
        at=webhooks.moment(stamp, now) if stamp else now,
        mark=custom.removeprefix("delivery:") if isinstance(custom, str) else None,
        address=entry.get("email"),
        detail=reason or entry.get("link"),
        agent=entry.get("user_agent"),
        machine="proxy" in name,
        known=known,
    )
