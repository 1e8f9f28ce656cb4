"""Postmark (https://postmarkapp.com/developer/api/email-api): whole messages on a broadcast stream.

Each message carries the call's tag and its delivery as metadata, by which Postmark finds it after a lost answer.
On a broadcast stream Postmark writes its own List-Unsubscribe unless its support has allowed yours.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from newsletter.config.rules import require_between
from newsletter.errors import BadRecipient, OutcomeUnknown
from newsletter.model import Call, Event, EventType, Receipt, Recipient
from newsletter.providers import How, Limits, Recovery, Verification, webhooks
from newsletter.providers.faults import Fault, Meaning
from newsletter.providers.http import Entry, HttpOptions, HttpProvider, accepted, only, pages
from newsletter.providers.merging import encoded, leaving
from newsletter.providers.smtp_faults import stands
from newsletter.providers.wire import Answer, Wire
from newsletter.tables import Table

_PAGE = 500
_CODES = "https://postmarkapp.com/developer/api/overview#error-codes"
_FAULTS = (
    Fault(
        meaning=Meaning.MAILBOX,
        code="406",
        source=f"{_CODES}: the recipient is inactive on that stream: bounced, complained or left",
    ),
    Fault(
        meaning=Meaning.MAILBOX,
        code="300",
        words=r"^(invalid|error\s+parsing)\s+'to'",
        source=f"{_CODES}: 300 is any invalid field of the message, and names it; django-anymail, backends/postmark.py",
    ),
    Fault(meaning=Meaning.OURS, code="300", hint="the sender or a header is invalid", source=_CODES),
    Fault(meaning=Meaning.OURS, code="10|11", hint="check the server's token", source=_CODES),
    Fault(
        meaning=Meaning.OURS,
        code="400|401",
        hint="confirm the sender's signature or verify the domain at Postmark",
        source=f"{_CODES}: sender signature not found, not confirmed",
    ),
    Fault(
        meaning=Meaning.OURS,
        code="405",
        hint="the account has run out of credits or may not send: see Postmark's billing",
        source=f"{_CODES}: not allowed to send",
    ),
    Fault(
        meaning=Meaning.OURS,
        code="412|413",
        hint="the account is pending approval and may mail its own domain alone",
        source=f"{_CODES}: account is pending, recipients must share the domain",
    ),
    Fault(
        meaning=Meaning.MAILBOX,
        code="0",
        words="will not deliver",
        source="https://postmarkapp.com/developer/api/email-api: OK, but will not deliver to these inactive addresses",
    ),
    Fault(
        meaning=Meaning.OURS,
        code="0",
        words="test job",
        hint="the token is POSTMARK_API_TEST, with which nobody is mailed",
        source="https://postmarkapp.com/support/article/1213-best-practices-for-testing-your-emails-through-postmark",
    ),
    Fault(meaning=Meaning.LATER, status=(503,), code="100", source=f"{_CODES}: maintenance"),
    Fault(meaning=Meaning.LATER, status=(429,), source=f"{_CODES}: 429, rate limit"),
)


#: In minutes, a week less an hour: a message has to be found before the vendor drops it.
_LONGEST_DELAY = 10_020


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(HttpOptions):
    """`stream` is the message stream; `lookup_delay` in minutes is how long an accepted message may be missing from a
    search.
    """

    stream: str = "broadcast"
    api_key_env: str = "POSTMARK_SERVER_TOKEN"
    webhook_secret_env: str = "POSTMARK_WEBHOOK_PASSWORD"  # noqa: S105 (a name, not a secret)
    base_url: str = "https://api.postmarkapp.com"
    lookup_delay: float = 15.0

    def __post_init__(self) -> None:
        HttpOptions.__post_init__(self)
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", self.stream):
            raise ValueError('"stream" must be the id of a message stream, such as broadcast')
        require_between("lookup_delay", self.lookup_delay, 0, _LONGEST_DELAY, "minutes")
        if self.lookup_delay * 60 < self.timeout:
            raise ValueError('"lookup_delay" (minutes) must not be shorter than "timeout" (seconds)')


_KINDS = {
    "Delivery": EventType.DELIVERED,
    "SpamComplaint": EventType.COMPLAINT,
    "SubscriptionChange": EventType.UNSUBSCRIBED,
    "Open": EventType.OPENED,
    "Click": EventType.CLICKED,
}
#: Bounces by type (https://postmarkapp.com/developer/api/bounce-api#bounce-types); the others are soft, or about us.
_BOUNCES = {
    "HardBounce": EventType.HARD_BOUNCE,
    "BadEmailAddress": EventType.HARD_BOUNCE,
    "SpamComplaint": EventType.COMPLAINT,
    "Unsubscribe": EventType.UNSUBSCRIBED,
    "ManuallyDeactivated": EventType.DROPPED,
    "SMTPApiError": EventType.DROPPED,
    "TemplateRenderingFailed": EventType.DROPPED,
}
#: Answers of "OK" that mean that nothing goes out.
_UNTAKEN = re.compile("will not deliver|test job", re.IGNORECASE)
#: Letters that come back and say nothing of the message.
_IGNORED = {
    *("Subscribe", "AutoResponder", "AddressChange", "OpenRelayTest", "ChallengeVerification", "VirusNotification"),
    *("InboundError", "Unconfirmed"),
}
#: Why Postmark puts an address on a stream's own list (bounce and complaint come as events of their own, too).
_LISTED = {"HardBounce": EventType.HARD_BOUNCE, "SpamComplaint": EventType.COMPLAINT}


class Postmark(HttpProvider):
    """Up to 500 messages and 50 MB a call."""

    name: ClassVar[str] = "postmark"
    vendor: ClassVar[str] = "Postmark"
    limits: ClassVar[Limits] = Limits(recipients=500, bytes=50_000_000, parallel=4)
    pictures: ClassVar[bool] = True
    #: Postmark keeps messages for 45 days unless the server is set to fewer, of which 7 is the least.
    recovery = Recovery(how=How.LOOKUP, after=dt.timedelta(minutes=15), within=dt.timedelta(days=7))
    faults: ClassVar[Sequence[Fault]] = _FAULTS
    options_type: ClassVar[type[HttpOptions]] = Options

    def __init__(self, options: Options, environment: Mapping[str, str], *more: Callable[[], dt.datetime]) -> None:
        super().__init__(options, environment, *more)
        self._options = options
        self.recovery = replace(self.recovery, after=dt.timedelta(minutes=options.lookup_delay))

    @classmethod
    def from_config(cls, table: Table, workspace: Path) -> Self:
        """Read `[providers.…]`."""
        del workspace
        return cls(table.read(Options), os.environ)

    def _authorize(self, wire: Wire) -> None:
        wire.session.headers["X-Postmark-Server-Token"] = self._secret(self._options.api_key_env)
        wire.session.headers["Accept"] = "application/json"

    def _place(self) -> dict[str, str]:
        return {"stream": self._options.stream}

    def _words(self, answer: Answer) -> tuple[str, str]:
        code, words = webhooks.part(answer.json, "ErrorCode"), webhooks.part(answer.json, "Message")
        return ("" if code is None else str(code)), str(words or "")

    def send(self, call: Call) -> Iterator[Receipt]:
        """Submit the batch; Postmark answers for each message."""
        answer = self._wire.call("POST", "/email/batch", json=self.body(call))
        if answer.status != 200:
            fault = self._refusal(answer)
            if not isinstance(fault, BadRecipient):
                raise fault
            return only(call, fault)
        entries = answer.json
        if not isinstance(entries, list) or len(entries) != len(call.recipients):
            raise self._unreadable(answer)
        return self._each(call, [_entry(r, entry) for r, entry in zip(call.recipients, entries, strict=True)])

    def settle(self, call: Call) -> Iterator[Receipt]:
        """Whoever is found by the call's tag among its metadata, on the stream that it went by."""
        wanted = {recipient.mark: recipient for recipient in call.recipients}

        def page(number: int) -> Sequence[Any] | None:
            answer = self._ask(
                "/messages/outbound",
                count=str(_PAGE),
                offset=str(number * _PAGE),
                messagestream=self._options.stream,
                metadata_batch=call.tag,
            )
            messages, total = (webhooks.part(answer.json, name) for name in ("Messages", "TotalCount"))
            if not isinstance(messages, list) or not isinstance(total, int):
                raise self._unreadable(answer)
            if not messages and total > number * _PAGE:
                raise OutcomeUnknown("Postmark's search counts messages that it doesn't show")
            return messages or None

        for message in pages(self.vendor, page):
            mark = webhooks.part(message, "Metadata", "delivery")
            if mark is None:
                raise OutcomeUnknown("Postmark's search shows no metadata")
            if mark in wanted:
                yield accepted(wanted[mark], webhooks.part(message, "MessageID"))

    def body(self, call: Call) -> list[dict[str, Any]]:
        """The call's messages."""
        return [self._message(call, recipient) for recipient in call.recipients]

    def _message(self, call: Call, recipient: Recipient) -> dict[str, Any]:
        values = recipient.values
        headers = {**dict(call.headers), **leaving(values)}
        message: dict[str, Any] = {
            "From": str(call.sender),
            "To": recipient.address,
            "Subject": call.content.subject.merge(values),
            "HtmlBody": call.content.html.merge_html(values),
            "TextBody": call.content.text.merge(values),
            "Headers": [{"Name": name, "Value": value} for name, value in headers.items()],
            "TrackOpens": False,
            "TrackLinks": "None",
            "MessageStream": self._options.stream,
            "Metadata": {"batch": call.tag, "delivery": recipient.mark},
        }
        if call.pictures:
            message["Attachments"] = [
                {"Name": p.name, "Content": encoded(p), "ContentType": p.type, "ContentID": f"cid:{p.name}"}
                for p in call.pictures
            ]
        return {**message, "ReplyTo": call.reply_to} if call.reply_to else message

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Sequence[Event]:
        """One event. Postmark signs nothing: give it the secret as the password of basic auth in the address."""
        self._check_password(headers)
        return [event for entry in webhooks.entries(body) for event in _events(entry, self._now())]

    def verify(self, sender: str) -> Sequence[Verification]:
        """The token and the stream. Of senders a server's token can't tell."""
        del sender
        answer = self._wire.call("GET", f"/message-streams/{self._options.stream}")
        if answer.status in (404, 422):
            found = f'Postmark has no stream "{self._options.stream}"'
            return [Verification(about="stream", fine=False, found=found)]
        if answer.status != 200:
            raise self._refusal(answer)
        kind = str(webhooks.part(answer.json, "MessageStreamType"))
        own = "on a broadcast stream Postmark writes its own List-Unsubscribe unless its support has allowed ours"
        return [
            Verification(about="key", fine=True, found="accepted"),
            Verification(about="stream", fine=True, found=f'"{self._options.stream}", {kind.lower()}'),
            Verification(about="unsubscribing", fine=None, found=own if kind == "Broadcasts" else "our own links"),
            Verification(about="sender", fine=None, found="a server's token can't tell; look at Sender Signatures"),
        ]


def _entry(recipient: Recipient, entry: Any) -> Entry:
    """Postmark's verdict on one message; one that names somebody else is out of order and says nothing."""
    code, known, to = (webhooks.part(entry, name) for name in ("ErrorCode", "MessageID", "To"))
    if to and recipient.address not in str(to).lower():
        raise OutcomeUnknown("Postmark's answer is in another order")
    words = str(webhooks.part(entry, "Message") or "")
    if code in (0, None) and isinstance(known, str) and known:
        return Entry(code="0", words=words) if _UNTAKEN.search(words) else Entry(message_id=known)
    if type(code) is not int or code == 0:
        raise OutcomeUnknown("Postmark's answer lacks a code or an id")
    return Entry(code=str(code), words=words)


def _events(entry: Mapping[str, Any], now: dt.datetime) -> list[Event]:
    record, kind_of_bounce = str(entry.get("RecordType")), str(entry.get("Type"))
    kind = _KINDS.get(record)
    if record == "Bounce" and kind_of_bounce not in _IGNORED:
        kind = _BOUNCES.get(kind_of_bounce, EventType.SOFT_BOUNCE)
        answer = str(entry.get("Details") or entry.get("Description") or "")
        if kind is EventType.HARD_BOUNCE and not stands(answer, certain=kind_of_bounce == "BadEmailAddress"):
            kind = EventType.SOFT_BOUNCE
    if record == "SubscriptionChange":
        kind = _LISTED.get(str(entry.get("SuppressionReason")), EventType.UNSUBSCRIBED)
        kind = kind if entry.get("SuppressSending") is True else None
    if kind is None:
        return []
    named = ("DeliveredAt", "BouncedAt", "ChangedAt", "ReceivedAt")
    at = next((entry[name] for name in named if entry.get(name)), None)
    return webhooks.events(
        kind,
        id=f"{record}:{entry.get('MessageID')}:{entry.get('ID', '')}:{at}",
        at=webhooks.moment(at, now),
        mark=webhooks.part(entry, "Metadata", "delivery"),
        address=entry.get("Recipient") or entry.get("Email"),
        detail=entry.get("Description") or entry.get("OriginalLink") or entry.get("SuppressionReason"),
        agent=entry.get("UserAgent"),
    )
