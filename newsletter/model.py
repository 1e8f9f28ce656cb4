"""The values that flow through the pipeline, all frozen.

    Item, Policy      stored things that issues are made of         collect ->
    Issue             one edition, composed: sections of blocks     compose ->
    Rendered          one variant of it as mail                     render  ->
    Finding           something a check has to say                  check   ->
    Recipient, Batch  who gets it, in one provider call             send    ->
    Receipt           what the provider answered, one a recipient   providers

Dates are calendar days; datetimes are aware and in UTC. Texts named `blurb`, `summary`, `markdown` and
`note` are Markdown; every other text is plain.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from newsletter.merge import MergeText


class Kind(StrEnum):
    """What an item is."""

    POST = "post"
    NEWS = "news"
    PRESS = "press"
    REPORT = "report"
    EVENT = "event"
    VIDEO = "video"
    JOB = "job"


class Status(StrEnum):
    """Where a policy stands. Enacted, in effect and enforced are different days."""

    PROPOSED = "proposed"
    INTRODUCED = "introduced"
    IN_COMMITTEE = "in committee"
    PASSED = "passed"
    ENACTED = "enacted"
    IN_EFFECT = "in effect"
    ENFORCED = "enforced"
    VETOED = "vetoed"
    REPEALED = "repealed"
    CHALLENGED = "challenged in court"
    UPHELD = "upheld"
    STRUCK_DOWN = "struck down"
    PREEMPTED = "preempted"


class Level(StrEnum):
    """The level of government that a policy belongs to."""

    CITY = "city"
    COUNTY = "county"
    SCHOOL = "school district"
    STATE = "state"
    FEDERAL = "federal"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A state (two letters; empty for the nation) and, within it, a county or city (may be empty)."""

    state: str = ""
    locality: str = ""

    def __str__(self) -> str:
        return ", ".join(p for p in (self.locality, self.state) if p)


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A picture.

    `name` is its public file name (content hash and ending), `file` where the bytes lie now, relative to
    the workspace; `width` and `height` are the file's own, in pixels.
    """

    name: str
    file: str
    width: int
    height: int
    alt: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A stored story. `date` is the day of the story; an event has `starts` (local text time in `time`)."""

    slug: str
    kind: Kind
    title: str
    url: str
    summary: str = ""
    date: dt.date
    photo: Photo | None = None
    topics: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    people: tuple[str, ...] = ()
    outlet: str = ""
    author: str = ""
    starts: dt.date | None = None
    ends: dt.date | None = None
    time: str = ""
    venue: str = ""
    closes: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One dated step in a policy's history, with where it's told and a note."""

    status: Status
    date: dt.date
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A labelled link: coverage of a policy, a press release."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy followed over time. `number` is its bill or ordinance number, `url` its own text (may be
    empty), `history` its statuses, oldest first.
    """

    slug: str
    title: str
    place: Place
    level: Level
    number: str = ""
    url: str = ""
    summary: str = ""
    topics: tuple[str, ...] = ()
    sponsors: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    photo: Photo | None = None
    history: tuple[StatusChange, ...] = ()

    def latest(self, day: dt.date) -> StatusChange | None:
        """The last change on or before `day`; of several on one day, the one recorded last."""
        past = [change for change in self.history if change.date <= day]
        return sorted(past, key=lambda change: change.date)[-1] if past else None

    def moved(self, since: dt.date, until: dt.date) -> tuple[StatusChange, ...]:
        """The changes after `since`, up to and with `until`, oldest first."""
        return tuple(c for c in self.history if since < c.date <= until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """Markdown that staff wrote into the issue.

    Of every block, `line` is where it stands in issue.md, `only` the expression that says who gets it (empty
    for everyone), and `first` the line of the `::: your state first` around it (0 for none).
    """

    markdown: str
    line: int
    only: str = ""
    first: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture standing by itself in the issue."""

    photo: Photo
    line: int
    only: str = ""
    first: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A stored item as this issue shows it: `headline` and `blurb` may be written for this issue only. `mark`
    is "update" or "reminder" where it's told again on purpose.
    """

    item: Item
    headline: str
    blurb: str
    compact: bool
    line: int
    mark: str = ""
    only: str = ""
    first: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEntry:
    """A stored policy as this issue shows it.

    `status` is where it stood on the issue's date, `moved` what changed since the issue's `since`, oldest
    first; both may be empty.
    """

    policy: Policy
    headline: str
    blurb: str
    status: StatusChange | None
    moved: tuple[StatusChange, ...]
    compact: bool
    line: int
    mark: str = ""
    only: str = ""
    first: int = 0


Block = Prose | Picture | Story | PolicyEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A `##` section; `only` says who gets its heading. The text before the first one has an empty heading."""

    heading: str
    blocks: tuple[Block, ...]
    line: int
    only: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A finding that somebody answers for: the `rule`, what it's `about` (words of its message, such as a
    slug), who waives it, and why. It's approved and kept with the issue.
    """

    rule: str
    about: str
    by: str
    reason: str

    def __post_init__(self) -> None:
        for key in ("rule", "about", "by", "reason"):
            if not getattr(self, key).strip():
                raise ValueError(f'a waiver needs its "{key}"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One edition, composed. `since` is the day after which a policy's change is news here (the date of
    the edition before this one, or a month back). `path` is the issue.md it came from, relative to the
    workspace.
    """

    slug: str
    publication: str
    title: str
    date: dt.date
    since: dt.date
    subject: MergeText
    preheader: MergeText
    teaser: str = ""
    hero: Photo | None = None
    logo: Photo | None = None
    partner_logo: Photo | None = None
    sections: tuple[Section, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    path: str = ""

    @property
    def blocks(self) -> Iterator[Block]:
        """Every block, in order."""
        return (block for section in self.sections for block in section.blocks)

    @property
    def entries(self) -> Iterator[Story | PolicyEntry]:
        """Every item and policy shown, in order."""
        return (block for block in self.blocks if isinstance(block, Story | PolicyEntry))

    @property
    def guards(self) -> tuple[str, ...]:
        """The expressions that say who gets a part of the issue, in the order of their first use."""
        found = [only for section in self.sections for only in (section.only, *(b.only for b in section.blocks))]
        return tuple(dict.fromkeys(filter(None, found)))

    @property
    def local_states(self) -> tuple[str, ...]:
        """The states that some `::: your state first` can put first, sorted."""
        return tuple(sorted({state for block in self.blocks if block.first for state in states_of(block)}))

    @property
    def photos(self) -> dict[str, Photo]:
        """Every picture that mail or page may show, by public name."""
        found = [photo for photo in (self.hero, self.logo, self.partner_logo) if photo]
        for block in self.blocks:
            match block:
                case Picture(photo=photo):
                    found.append(photo)
                case Story(item=Item(photo=Photo() as photo)) | PolicyEntry(policy=Policy(photo=Photo() as photo)):
                    found.append(photo)
        return {photo.name: photo for photo in found}


def states_of(block: Block) -> frozenset[str]:
    """The states that an entry is about, as two letters; none for other blocks."""
    match block:
        case Story():
            return frozenset(place.state for place in block.item.places if place.state)
        case PolicyEntry():
            return frozenset(filter(None, (block.policy.place.state,)))
    return frozenset()


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
    """What was approved: the issue and all its variants, bound together by `digest` (hex SHA-256)."""

    issue: Issue
    variants: tuple[Rendered, ...]
    digest: str
    approved_by: str
    approved_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of an item or policy in an approved issue; `address` is its link, as it's compared."""

    issue: str
    slug: str
    address: str
    publication: str
    section: str
    date: dt.date


def address_of(url: str) -> str:
    """A link in the form in which two are compared: without scheme, `www.`, fragment and a last slash."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}" + (f"?{parts.query}" if parts.query else "")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What a group of readers has in common as far as an issue goes: the guards that let them in, and their
    state where the issue puts it first. `name` is unique within the issue; everybody else gets `default`.
    """

    name: str = "default"
    guards: frozenset[str] = frozenset()
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One guard of an issue: its expression, how many mailable readers it lets in, and what's wrong with it."""

    name: str
    expression: str
    readers: int
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Who gets what of an issue, of `readers` mailable people in all: readers by variant, and each guard."""

    readers: int
    variants: Mapping[Variant, int]
    guards: tuple[Guard, ...]


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
    """One thing a provider told: `id` is the provider's own, `delivery` ours where it came along."""

    id: str
    type: EventType
    at: dt.datetime
    delivery: int | None = None
    address: str = ""
    detail: str = ""
