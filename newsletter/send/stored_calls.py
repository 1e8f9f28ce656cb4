"""Calls as the ledger stores them before the wire, and back: the same bytes again, from every release's form."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parseaddr
from typing import Any

import orjson

from newsletter.merge import MergeText
from newsletter.model import Call, Mailbox, Recipient, Rendered, Route
from newsletter.store.records import BatchRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every batch of a campaign has in common, each variant's content by name, the second subject where there's
    a test of two, and how a subscriber's unsubscribe link and a delivery's mark are made.
    """

    campaign: str
    sender: Mailbox
    reply_to: str
    headers: tuple[tuple[str, str], ...]
    contents: Mapping[str, Rendered]
    subject_b: MergeText | None
    unsubscribe_url: Callable[[int], str]
    mark: Callable[[int], str]


def request_of(envelope: Envelope, recipients: Sequence[Recipient]) -> str:
    """A call's request, to be stored: all that isn't in the sealed issue."""
    request = {
        "sender": [envelope.sender.name, envelope.sender.address],
        "reply_to": envelope.reply_to,
        "headers": envelope.headers,
        "recipients": [(r.delivery, r.address, r.values, r.mark) for r in recipients],
    }
    # A million readers' values: the standard library takes ten times as long.
    return orjson.dumps(request).decode()


def stored(text: str) -> dict[str, Any]:
    """A stored request; empty for one that isn't there any more."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}


def recipient_of(row: Any) -> Recipient:
    """A recipient of a stored request. Release 0.1 wrote objects, 0.2 to 0.5 three values, with no mark: their messages
    carry the delivery's bare number.
    """
    if isinstance(row, Mapping):
        row = (row["delivery"], row["address"], row.get("values") or {})
    delivery, address, values, *mark = row
    return Recipient(delivery=delivery, address=address, values=values, mark=mark[0] if mark else str(delivery))


def _mailbox(given: Any, envelope: Envelope) -> Mailbox:
    """A stored sender; releases before 0.6 wrote it as a header has it."""
    if isinstance(given, str):
        return Mailbox(**dict(zip(("name", "address"), parseaddr(given), strict=True)))
    return Mailbox(name=given[0], address=given[1]) if given else envelope.sender


def call_of(
    record: BatchRecord, envelope: Envelope, recipients: tuple[Recipient, ...], request: dict[str, Any] | None = None
) -> Call:
    """The call of a batch's newest attempt, out of its stored request where there's one."""
    given = request or {}
    return Call(
        batch=record.number,
        campaign=envelope.campaign,
        key=record.key,
        tag=record.tag,
        date=record.claimed_at or dt.datetime.min.replace(tzinfo=dt.UTC),
        sender=_mailbox(given.get("sender"), envelope),
        reply_to=given.get("reply_to", envelope.reply_to),
        content=_content(envelope, record),
        headers=tuple((name, value) for name, value in given.get("headers", envelope.headers)),
        recipients=recipients,
    )


def _content(envelope: Envelope, record: BatchRecord) -> Rendered:
    content = envelope.contents[record.variant]
    if record.arm == "b" and envelope.subject_b is not None:
        return replace(content, subject=envelope.subject_b)
    return content


def route_text(route: Route) -> str:
    """A route, to be stored."""
    return json.dumps([route.type, route.settings], sort_keys=True)


def route_of(text: str) -> Route | None:
    """A stored route; None for calls of releases before 0.6, which didn't store it."""
    if not text:
        return None
    kind, settings = json.loads(text)
    return Route(type=kind, settings=settings)
