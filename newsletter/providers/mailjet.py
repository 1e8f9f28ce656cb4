"""Mailjet (https://dev.mailjet.com/email/guides/send-api-v31/): whole messages, deduplicated by campaign.

With DeduplicateCampaign, Mailjet delivers no second message to an address in a CustomCampaign: it takes the call, and
tells of a "duplicate in campaign" later, or refuses the message as one. So a batch whose answer was lost is sent again.
Mailjet doesn't allow a List-Id of ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from newsletter.config.rules import require_variable
from newsletter.errors import OutcomeUnknown
from newsletter.model import Call, Event, EventType, Receipt, Recipient
from newsletter.providers import How, Limits, Recovery, Verification, webhooks
from newsletter.providers.faults import OUR_OWN, Fault, Meaning
from newsletter.providers.http import Entry, HttpOptions, HttpProvider, verify_domain
from newsletter.providers.merging import encoded, leaving
from newsletter.providers.smtp_faults import stands
from newsletter.providers.wire import Answer, Wire

#: Headers that Mailjet keeps for itself.
_RESERVED = {"List-Id", "Feedback-ID"}
_ERRORS = "https://dev.mailjet.com/email/guides/send-api-v31/#send-api-errors"
_FAULTS = (
    Fault(
        meaning=Meaning.TAKEN,
        words="duplicate in (the )?campaign",
        source="https://github.com/mailjet/api-documentation, guides/_event-api.md: error 'duplicate in campaign'",
    ),
    Fault(
        meaning=Meaning.OURS,
        code="send-0006|send-0007|send-0008",
        hint="validate the sender's address or domain at Mailjet",
        source=f"{_ERRORS}: the sender isn't permitted, isn't validated, isn't authorized",
    ),
    Fault(
        meaning=Meaning.OURS,
        code="mj-0001|mj-0015",
        hint="check the two keys and the account's state",
        source=f"{_ERRORS}: the key is suspended, or wrong",
    ),
    Fault(
        meaning=Meaning.OURS,
        status=(401, 403),
        hint="check the two keys and the account's state: a daily limit that is reached suspends a key, too",
        source="https://documentation.mailjet.com/hc/en-us/articles/43977536821147",
    ),
    OUR_OWN,
    Fault(
        meaning=Meaning.MAILBOX,
        code=r"mj-00(03|05|12|13)",
        words=r"(^|\W)To\b|recipient",
        source=f"{_ERRORS}: ErrorRelatedTo names To[0].Email",
    ),
    Fault(meaning=Meaning.OURS, code=r"(mj|send)-\d{4}", hint="see Mailjet's list of errors", source=_ERRORS),
    Fault(meaning=Meaning.LATER, status=(429,), source="https://dev.mailjet.com/email/reference/overview/rate-limits/"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(HttpOptions):
    """As of every vendor with an HTTP API; Mailjet's key has two halves."""

    api_key_env: str = "MAILJET_API_KEY"
    api_secret_env: str = "MAILJET_SECRET_KEY"  # noqa: S105 (a name, not a secret)
    webhook_secret_env: str = "MAILJET_WEBHOOK_PASSWORD"  # noqa: S105 (a name, not a secret)
    base_url: str = "https://api.mailjet.com"

    def __post_init__(self) -> None:
        HttpOptions.__post_init__(self)
        require_variable("api_secret_env", self.api_secret_env)


_KINDS = {
    "sent": EventType.DELIVERED,
    "spam": EventType.COMPLAINT,
    "unsub": EventType.UNSUBSCRIBED,
    "open": EventType.OPENED,
    "click": EventType.CLICKED,
    "blocked": EventType.DROPPED,
}
#: What Mailjet says of a bounce or a block in `error` (guides/_event-api.md): the mailbox isn't there; Mailjet knew
#: that, or a complaint, from before.
_GONE = ("user unknown", "mailbox inactive", "invalid domain", "typofix")
_KNOWN = {
    "preblocked": EventType.HARD_BOUNCE,
    "user unknown": EventType.HARD_BOUNCE,
    "spam reporter": EventType.COMPLAINT,
}


class Mailjet(HttpProvider):
    """Up to 50 messages a call."""

    name: ClassVar[str] = "mailjet"
    vendor: ClassVar[str] = "Mailjet"
    limits: ClassVar[Limits] = Limits(recipients=50, bytes=15_000_000, parallel=4)
    pictures: ClassVar[bool] = True
    #: Mailjet doesn't say for how long it remembers a campaign; a day is short of every retention that it names.
    recovery = Recovery(how=How.DEDUPLICATE, within=dt.timedelta(days=1))
    faults: ClassVar[Sequence[Fault]] = _FAULTS
    options_type: ClassVar[type[HttpOptions]] = Options

    def __init__(self, options: Options, environment: Mapping[str, str], *more: Any) -> None:
        super().__init__(options, environment, *more)
        self._options = options

    def _authorize(self, wire: Wire) -> None:
        wire.session.auth = (self._secret(self._options.api_key_env), self._secret(self._options.api_secret_env))

    def _account(self) -> str:
        self._secret(self._options.api_secret_env)
        return self._secret(self._options.api_key_env)

    def send(self, call: Call) -> Iterator[Receipt]:
        """Submit the batch; Mailjet answers for each message, also under a status of 400."""
        answer = self._wire.call("POST", "/v3.1/send", json=self.body(call))
        entries = webhooks.part(answer.json, "Messages")
        if isinstance(entries, list) and answer.status < 500 and answer.status not in (408, 409, 429):
            if len(entries) != len(call.recipients):
                raise self._unreadable(answer)
            return self._each(call, [_entry(r, entry) for r, entry in zip(call.recipients, entries, strict=True)])
        if answer.status < 400:
            raise self._unreadable(answer)
        raise self._refusal(answer)

    def settle(self, call: Call) -> Iterator[Receipt]:
        """Send it again: Mailjet delivers to no address of a campaign twice."""
        return self.send(call)

    def _words(self, answer: Answer) -> tuple[str, str]:
        code, words = webhooks.part(answer.json, "ErrorCode"), webhooks.part(answer.json, "ErrorMessage")
        return str(code or ""), str(words or "")

    def body(self, call: Call) -> dict[str, Any]:
        """The call's messages."""
        return {"Messages": [_message(call, recipient) for recipient in call.recipients]}

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """One event, or a list of them. Mailjet signs nothing: give it the secret as the password of basic auth in
        the address.
        """
        self._check_password(headers)
        return [event for entry in webhooks.entries(body) for event in _events(entry, self._now())]

    def verify(self, sender: str) -> Sequence[Verification]:
        """The keys, and whether the sender or the whole domain is active."""
        senders = webhooks.rows(webhooks.part(self._ask("/v3/REST/sender", Limit="1000").json, "Data"))
        states = {str(row.get("Email")).removeprefix("*@"): str(row.get("Status")) for row in senders}
        return [Verification(about="key", fine=True, found="accepted"), verify_domain(sender, states, "Active")]


def _message(call: Call, recipient: Recipient) -> dict[str, Any]:
    values = recipient.values
    headers = {key: value for key, value in call.headers if key not in _RESERVED}
    message: dict[str, Any] = {
        "From": {"Email": call.sender.address, "Name": call.sender.name},
        "To": [{"Email": recipient.address}],
        "Subject": call.content.subject.merge(values),
        "HTMLPart": call.content.html.merge_html(values),
        "TextPart": call.content.text.merge(values),
        "Headers": {**headers, **leaving(values)},
        "CustomID": recipient.mark,
        # The tag begins with what is the campaign's own, so that a later attempt is known for the same.
        "CustomCampaign": f"{call.campaign}.{call.tag.partition('-')[0]}",
        "DeduplicateCampaign": True,
        "TrackOpens": "disabled",
        "TrackClicks": "disabled",
    }
    if call.pictures:
        message["InlinedAttachments"] = [
            {"ContentType": p.type, "Filename": p.name, "ContentID": p.name, "Base64Content": encoded(p)}
            for p in call.pictures
        ]
    return {**message, "ReplyTo": {"Email": call.reply_to}} if call.reply_to else message


def _entry(recipient: Recipient, entry: Any) -> Entry:
    """Mailjet's verdict on one message; one that names somebody else is out of order and says nothing."""
    status, marked = webhooks.part(entry, "Status"), webhooks.part(entry, "CustomID")
    sent = webhooks.rows(webhooks.part(entry, "To"))
    named = {str(one.get("Email", recipient.address)).lower() for one in sent}
    if (marked and marked != recipient.mark) or named - {recipient.address}:
        raise OutcomeUnknown("Mailjet's answer is in another order")
    if status == "success":
        known = sent[0].get("MessageID") if sent else None
        if not known:
            raise OutcomeUnknown("Mailjet's answer lacks an id")
        return Entry(message_id=str(known))
    errors = webhooks.rows(webhooks.part(entry, "Errors"))
    if status != "error" or not errors:
        raise OutcomeUnknown("Mailjet's answer lacks a status")
    related = " ".join(map(str, errors[0].get("ErrorRelatedTo") or ()))
    words = f"{errors[0].get('ErrorMessage') or ''} {related}".strip()
    return Entry(code=str(errors[0].get("ErrorCode") or ""), words=words)


def _events(entry: Mapping[str, Any], now: dt.datetime) -> list[Event]:
    name, error = str(entry.get("event")), str(entry.get("error") or "").lower()
    kind, known = _KINDS.get(name), None
    if name == "bounce":
        hard = entry.get("hard_bounce") in (True, 1, "1", "true") and error in _GONE
        hard = hard and stands(str(entry.get("comment") or ""), certain=True)
        kind = EventType.HARD_BOUNCE if hard else EventType.SOFT_BOUNCE
    if name == "blocked":
        known = _KNOWN.get(error)
        kind = None if "duplicate" in error else kind  # it had been taken before
    if kind is None:
        return []
    return webhooks.events(
        kind,
        id=f"{name}:{entry.get('MessageID')}:{entry.get('time')}:{entry.get('url', '')}",
        at=webhooks.moment(entry.get("time"), now),
        mark=entry.get("CustomID"),
        address=entry.get("email"),
        detail=entry.get("comment") or entry.get("error") or entry.get("url"),
        agent=entry.get("agent"),
        known=known,
    )
