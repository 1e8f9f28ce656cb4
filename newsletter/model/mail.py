"""An issue on its way: rendered, checked, approved, batched, answered for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from newsletter.merge import MergeText
from newsletter.model.issue import Issue


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One variant of an issue as mail; every part may hold merge fields. `html` and `text` end in a newline."""

    issue: str
    variant: str
    subject: MergeText
    preheader: MergeText
    html: MergeText
    text: MergeText


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was approved: the issue and all its variants, bound together by `digest` (hex SHA-256) with the
    `version` of the program that made them. `approved_by` and `approved_at` are of the first who approved.
    """

    issue: Issue
    variants: tuple[Rendered, ...]
    digest: str
    approved_by: str
    approved_at: dt.datetime
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of an item or policy in an approved issue; `address` is its link, as it's compared."""

    issue: str
    slug: str
    address: str
    publication: str
    section: str
    date: dt.date


class Severity(StrEnum):
    """Errors block approval and sending; warnings don't."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found: `where` is path:line in issue.md, or names the part that it speaks of; `waived` says
    who answers for it and why.
    """

    rule: str
    severity: Severity
    where: str
    message: str
    waived: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One delivery on its way: its ledger id, the address, and the merge values."""

    delivery: int
    address: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What travels in one provider call: one variant's content for some recipients.

    `key` is the idempotency key and `tag` the marker for lookups, both unique to the batch and stored
    before the call; `date` is the time of the first claim, so that a replay has the same bytes.
    `headers` are those every message of the campaign carries.
    """

    id: int
    campaign: str
    key: str
    tag: str
    date: dt.datetime
    sender: str
    reply_to: str
    content: Rendered
    headers: tuple[tuple[str, str], ...]
    recipients: tuple[Recipient, ...]


class DeliveryState(StrEnum):
    """Where one delivery stands. `withheld`: left or suppressed after planning, so never submitted."""

    PENDING = "pending"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"


class Outcome(StrEnum):
    """What became of one recipient in one call. `deferred` was certainly not taken and may be tried again."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The provider's answer for one recipient; `detail` says why it wasn't accepted, with no address in it."""

    delivery: int
    outcome: Outcome
    message_id: str = ""
    detail: str = ""


class EventType(StrEnum):
    """What a provider tells after submission, in one vocabulary."""

    DELIVERED = "delivered"
    HARD_BOUNCE = "hard bounce"
    SOFT_BOUNCE = "soft bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBED = "unsubscribed"
    OPENED = "opened"
    CLICKED = "clicked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing a provider told: `id` is the provider's own, `delivery` ours where it came along; `machine` says that
    the provider took an open or a click for a program's.
    """

    id: str
    type: EventType
    at: dt.datetime
    delivery: int | None = None
    address: str = ""
    detail: str = ""
    machine: bool = False
