"""An issue on its way: rendered, checked, approved, batched, answered for."""

from __future__ import annotations

import datetime as dt
import re
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
    """One delivery on its way: its ledger id, the address, the merge values, and the mark that travels with the
    message and comes back with what the provider says of it.
    """

    delivery: int
    address: str
    values: dict[str, str] = field(default_factory=dict)
    mark: str = ""


def ascii_address(address: str) -> str:
    """An address with its domain in ASCII (RFC 5891). ValueError for what can't be one."""
    local, _, domain = address.strip().rpartition("@")
    if not local or not local.isascii():
        raise ValueError("the part before the @ must be plain ASCII; most mail servers refuse others (RFC 6531)")
    encoded = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    if not re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}", encoded, re.IGNORECASE):
        raise ValueError(f'"{domain}" is not a domain')
    return f"{local}@{encoded.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A name and an address, as in a From header. The address has an ASCII domain (RFC 5891)."""

    name: str
    address: str

    def __str__(self) -> str:
        """`Name <address>`, the name quoted where RFC 5322, section 3.2.4 wants it, and not encoded."""
        plain = re.fullmatch(r"[\w !#$%&'*+/=?^`{|}~-]*", self.name)
        quoted = self.name if plain else '"' + re.sub(r'(["\\])', r"\\\1", self.name) + '"'
        return f"{quoted} <{self.address}>" if self.name else self.address


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a call goes: the provider's type, and whatever tells its account, domain, stream, region or address from
    another one's. Of a secret it holds a fingerprint.
    """

    type: str
    settings: dict[str, str] = field(default_factory=dict)

    def difference(self, other: Route) -> str:
        """The names of what differs; empty where both lead to the same place."""
        if self.type != other.type:
            return "type"
        names = sorted({*self.settings, *other.settings})
        return ", ".join(name for name in names if self.settings.get(name) != other.settings.get(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """A picture that travels inside a message, shown where the HTML names `cid:<name>` (RFC 2392)."""

    name: str
    type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One provider call: one variant's content for some recipients, as it was stored before the wire.

    `key` is the idempotency key and `tag` the marker for lookups, both unique to the call; `date` is the time of the
    claim, so that a replay has the same bytes. `headers` are those every message of the campaign carries. `pictures`
    travel inside the messages of a test, since they may not be online yet.
    """

    batch: int
    campaign: str
    key: str
    tag: str
    date: dt.datetime
    sender: Mailbox
    reply_to: str
    content: Rendered
    headers: tuple[tuple[str, str], ...]
    recipients: tuple[Recipient, ...]
    pictures: tuple[Inline, ...] = ()


class DeliveryState(StrEnum):
    """Where one delivery stands. `withheld`: left or suppressed after planning, so never submitted. `dropped`: the
    provider accepted the message, and said afterwards that it won't deliver it.
    """

    PENDING = "pending"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    DROPPED = "dropped"
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
    """The provider's answer for one recipient; `detail` says why it wasn't accepted, with no address in it. `gone`
    says that the mailbox certainly doesn't exist, as a hard bounce would.
    """

    delivery: int
    outcome: Outcome
    message_id: str = ""
    detail: str = ""
    gone: bool = False


class EventType(StrEnum):
    """What a provider tells after submission, in one vocabulary."""

    DELIVERED = "delivered"
    HARD_BOUNCE = "hard bounce"
    SOFT_BOUNCE = "soft bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBED = "unsubscribed"
    OPENED = "opened"
    CLICKED = "clicked"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that a provider says: `id` is the provider's own, `mark` what came back of what had travelled with the
    message, `delivery` the delivery that it certainly is about. `machine`: the provider takes an open or a click for
    a program's.
    """

    id: str
    type: EventType
    at: dt.datetime
    mark: str = ""
    delivery: int | None = None
    address: str = ""
    detail: str = ""
    machine: bool = False
