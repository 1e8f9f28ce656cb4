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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from newsletter.errors import BadRecipient, ConfigError
from newsletter.model import Call, Event, EventType, Receipt, Recipient
from newsletter.providers import How, Limits, Recovery, Verification, webhooks
from newsletter.providers.faults import OUR_OWN, Fault, Meaning
from newsletter.providers.http import Entry, HttpOptions, HttpProvider, only, verify_domain
from newsletter.providers.smtp_faults import stands
from newsletter.providers.wire import Answer, Wire

_ERRORS = "https://resend.com/docs/api-reference/errors"
_FAULTS = (
    Fault(
        meaning=Meaning.UNKNOWN,
        status=(409,),
        source=f"{_ERRORS}: concurrent_idempotent_requests is a call still under way; the other has other bytes",
    ),
    Fault(
        meaning=Meaning.OURS,
        code="monthly_quota_exceeded|daily_quota_exceeded",
        hint="the account's quota is used up: raise it, or wait for the next day or month",
        source=_ERRORS,
    ),
    Fault(meaning=Meaning.LATER, status=(429,), source=_ERRORS),
    Fault(
        meaning=Meaning.OURS,
        words="testing emails|verify a domain|domain is not verified|not verified",
        hint="verify the sender's domain at resend.com/domains",
        source=f"{_ERRORS}: 403 validation_error",
    ),
    Fault(
        meaning=Meaning.OURS,
        code="missing_api_key|invalid_api_key|restricted_api_key|invalid_access",
        hint="check the key and its rights",
        source=_ERRORS,
    ),
    OUR_OWN,
    Fault(
        meaning=Meaning.BAD_RECIPIENT,
        status=(0, 400, 422),
        words=r"`to`|'to'|\bto field\b|recipient|invalid (email )?address",
        source=f"{_ERRORS}: validation_error; permissive batches name each such message by its index",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(HttpOptions):
    """As of every vendor with an HTTP API."""

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
    "email.failed": EventType.DROPPED,
    "email.suppressed": EventType.DROPPED,
}


#: Subtypes of a bounce (https://resend.com/docs/dashboard/emails/email-bounces): a mailbox that is gone, and one on a
#: list of Resend's, which doesn't say whether for a bounce or for a complaint.
_GONE = ("General", "NoEmail")
_LISTED = ("Suppressed", "OnAccountSuppressionList")


class Resend(HttpProvider):
    """Up to 100 messages a call."""

    name: ClassVar[str] = "resend"
    vendor: ClassVar[str] = "Resend"
    limits: ClassVar[Limits] = Limits(recipients=100, calls_per_second=2, parallel=4)
    recovery = Recovery(how=How.REPLAY, within=dt.timedelta(hours=24))
    faults: ClassVar[Sequence[Fault]] = _FAULTS
    options_type: ClassVar[type[HttpOptions]] = Options

    def _authorize(self, wire: Wire) -> None:
        wire.session.headers["Authorization"] = f"Bearer {self._secret(self._common.api_key_env)}"

    def send(self, call: Call) -> Iterator[Receipt]:
        """Submit the batch. A message that Resend won't have doesn't keep the others back."""
        headers = {
            "Idempotency-Key": call.key,
            "x-batch-validation": "permissive",
            "Content-Type": "application/json",
        }
        answer = self._wire.call("POST", "/emails/batch", data=self.body(call), headers=headers)
        if answer.status != 200:
            fault = self._refusal(answer)
            if not isinstance(fault, BadRecipient):
                raise fault
            return only(call, fault)
        return self._each(call, self._entries(call, answer))

    def settle(self, call: Call) -> Iterator[Receipt]:
        """Send it again with the same key: Resend answers as it did, or takes it now, but never twice."""
        return self.send(call)

    def body(self, call: Call) -> bytes:
        """The request's bytes: the same for the same call."""
        return json.dumps([_message(call, r) for r in call.recipients], ensure_ascii=False).encode()

    def _entries(self, call: Call, answer: Answer) -> list[Entry]:
        """The ids come in the order of the messages that were taken; the others are named by their place."""
        ids, errors = webhooks.part(answer.json, "data"), webhooks.part(answer.json, "errors") or []
        if not isinstance(ids, list) or not isinstance(errors, list):
            raise self._unreadable(answer)
        refused = {webhooks.part(e, "index"): str(webhooks.part(e, "message") or "") for e in errors}
        known = [webhooks.part(one, "id") for one in ids]
        if len(known) + len(refused) != len(call.recipients) or not all(isinstance(one, str) and one for one in known):
            raise self._unreadable(answer)
        taken = iter(known)
        places = range(len(call.recipients))
        if not set(refused) <= set(places):
            raise self._unreadable(answer)
        return [Entry(words=refused[n]) if n in refused else Entry(message_id=next(taken)) for n in places]

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """One event, signed by Svix (https://docs.svix.com/receiving/verifying-payloads/how-manual)."""
        known = self._webhook_secret()
        identity, stamp, given = (webhooks.header(headers, f"svix-{name}") for name in ("id", "timestamp", "signature"))
        signed = hmac.digest(_key(known), f"{identity}.{stamp}.".encode("utf-8", "replace") + body, "sha256")
        wanted = f"v1,{base64.b64encode(signed).decode()}".encode()
        if not any(hmac.compare_digest(one.encode("utf-8", "replace"), wanted) for one in given.split()):
            raise webhooks.forged("the signature is wrong")
        return [event for entry in webhooks.entries(body) for event in _events(entry, identity, self._now())]

    def verify(self, sender: str) -> Sequence[Verification]:
        """The key, and whether the sender's domain is verified; a key that may only send can't tell."""
        answer = self._wire.call("GET", "/domains")
        if answer.status == 401 and self._words(answer)[0] == "restricted_api_key":
            return [
                Verification(about="key", fine=True, found="may send, and nothing else"),
                Verification(about="sender", fine=None, found="a key that may only send can't tell of domains"),
            ]
        if answer.status != 200:
            raise self._refusal(answer)
        rows = webhooks.part(answer.json, "data")
        states = {str(webhooks.part(d, "name")): str(webhooks.part(d, "status")) for d in webhooks.rows(rows)}
        return [Verification(about="key", fine=True, found="accepted"), verify_domain(sender, states, "verified")]

    def _webhook_key(self, secret: str) -> object:
        return _key(secret)


def _message(call: Call, recipient: Recipient) -> dict[str, Any]:
    values = recipient.values
    url = values.get("unsubscribe_url", "")
    headers = dict(call.headers)
    if url:
        headers |= {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message: dict[str, Any] = {
        "from": str(call.sender),
        "to": [recipient.address],
        "subject": call.content.subject.merge(values),
        "html": call.content.html.merge_html(values),
        "text": call.content.text.merge(values),
        "headers": headers,
        "tags": [{"name": "delivery", "value": recipient.mark}],
    }
    return {**message, "reply_to": call.reply_to} if call.reply_to else message


def _key(secret: str) -> bytes:
    """The key in a secret of Svix."""
    try:
        if not secret.startswith("whsec_"):
            raise ValueError
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError("the webhook's secret is not one of Resend's", hint="it begins with whsec_") from None


def _events(entry: Mapping[str, Any], identity: str, now: dt.datetime) -> list[Event]:
    kind = _KINDS.get(str(entry.get("type")))
    data = entry.get("data")
    if entry.get("type") == "email.bounced":
        bounce = webhooks.part(data, "bounce")
        subtype = webhooks.part(bounce, "subType")
        hard = webhooks.part(bounce, "type") == "Permanent" and subtype in _GONE and _stands(bounce)
        kind = EventType.HARD_BOUNCE if hard else EventType.SOFT_BOUNCE
        kind = EventType.DROPPED if subtype in _LISTED else kind
    if kind is None:
        return []
    tags = webhooks.part(data, "tags")
    if isinstance(tags, list):
        tags = {str(webhooks.part(tag, "name")): webhooks.part(tag, "value") for tag in tags}
    to = webhooks.part(data, "to")
    reasons = (("bounce", "message"), ("failed", "reason"), ("suppressed", "message"), ("click", "link"))
    return webhooks.events(
        kind,
        id=identity,
        at=webhooks.moment(entry.get("created_at"), now),
        mark=webhooks.part(tags, "delivery"),
        address=to[0] if isinstance(to, list) and to else to,
        detail=next((told for path in reasons if (told := webhooks.part(data, *path))), ""),
        agent=webhooks.part(data, "click", "userAgent"),
    )


def _stands(bounce: Any) -> bool:
    """Whether the subtype holds against the server's answer, or where there's none against Resend's own words."""
    answer = webhooks.part(bounce, "diagnosticCode")
    words = " ".join(map(str, answer)) if isinstance(answer, list) else str(answer or "")
    if not words:
        return stands(str(webhooks.part(bounce, "message") or ""), certain=True)
    return stands(words, certain=webhooks.part(bounce, "subType") == "NoEmail")
