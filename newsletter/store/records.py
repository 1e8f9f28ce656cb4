"""The tables. Every datetime is aware and in UTC; lists and small structures are JSON."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware datetime, kept in UTC; a naive one is a mistake and refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Convert to UTC on the way in."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a timezone")
        utc = value.astimezone(dt.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: dt.datetime | None, _dialect: Dialect) -> dt.datetime | None:
        """Make aware on the way out."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """All tables share one way to name their constraints, so that migrations can name them too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dt.datetime: UtcDateTime, dict[str, Any]: JSON(none_as_null=True), list[Any]: JSON}  # noqa: RUF012 (SQLAlchemy's form)


class ItemRecord(Base):
    """A stored story; see `newsletter.model.Item`. `standing` is inbox, kept or dropped; `source` who sent it."""

    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(20), index=True)
    title: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text, default="")
    date: Mapped[dt.date] = mapped_column(index=True)
    photo: Mapped[dict[str, Any] | None]
    topics: Mapped[list[Any]] = mapped_column(default=list)
    places: Mapped[list[Any]] = mapped_column(default=list)
    people: Mapped[list[Any]] = mapped_column(default=list)
    outlet: Mapped[str] = mapped_column(Text, default="")
    author: Mapped[str] = mapped_column(Text, default="")
    starts: Mapped[dt.date | None]
    ends: Mapped[dt.date | None]
    time: Mapped[str] = mapped_column(Text, default="")
    venue: Mapped[str] = mapped_column(Text, default="")
    closes: Mapped[dt.date | None]
    standing: Mapped[str] = mapped_column(String(10), default="kept", index=True)
    source: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class FeedRecord(Base):
    """What a feed's server said the last time, for asking it only for news (RFC 9110, section 13.1)."""

    __tablename__ = "feeds"
    url: Mapped[str] = mapped_column(Text, primary_key=True)
    etag: Mapped[str] = mapped_column(Text, default="")
    last_modified: Mapped[str] = mapped_column(Text, default="")
    pulled_at: Mapped[dt.datetime]


class FeedEntryRecord(Base):
    """An entry of a feed that was stored as the item `slug`: `guid` is the SHA-256 of the entry's own id."""

    __tablename__ = "feed_entries"
    feed: Mapped[str] = mapped_column(Text, primary_key=True)
    guid: Mapped[str] = mapped_column(String(64), primary_key=True)
    slug: Mapped[str] = mapped_column(String(200))


class MemberRecord(Base):
    """Somebody whom issues speak of; see `newsletter.model.Member`."""

    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(200), unique=True)
    name: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(2), default="")
    locality: Mapped[str] = mapped_column(Text, default="")
    email: Mapped[str] = mapped_column(String(320), default="")
    aliases: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class PolicyRecord(Base):
    """A policy followed over time; see `newsletter.model.Policy`."""

    __tablename__ = "policies"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(200), unique=True)
    title: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(2), default="", index=True)
    locality: Mapped[str] = mapped_column(Text, default="")
    level: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str] = mapped_column(Text, default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    topics: Mapped[list[Any]] = mapped_column(default=list)
    sponsors: Mapped[list[Any]] = mapped_column(default=list)
    links: Mapped[list[Any]] = mapped_column(default=list)
    provisions: Mapped[list[Any]] = mapped_column(default=list)
    photo: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    history: Mapped[list[StatusRecord]] = relationship(
        order_by="(StatusRecord.date, StatusRecord.id)", cascade="all, delete-orphan", lazy="selectin"
    )


class StatusRecord(Base):
    """One dated step of a policy."""

    __tablename__ = "policy_statuses"
    id: Mapped[int] = mapped_column(primary_key=True)
    policy_id: Mapped[int] = mapped_column(ForeignKey("policies.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(String(30))
    date: Mapped[dt.date] = mapped_column(index=True)
    url: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="")
    recorded_at: Mapped[dt.datetime]


class SubscriberRecord(Base):
    """A person. `email` is lower-case with an ASCII domain: the one key by which a person is known. `frequency` is
    how much mail they want at most, as `newsletter.audience.people.Frequency`; until `paused_until` they want none.
    `attributes` are texts by the names that config.toml lists. `import_id` is the import that brought them, if one did.
    """

    __tablename__ = "subscribers"
    # A link that was mailed names a person by this number: it's never given to another one.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 (SQLAlchemy's form)
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    first_name: Mapped[str] = mapped_column(Text, default="")
    last_name: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(2), default="")
    locality: Mapped[str] = mapped_column(Text, default="")
    role: Mapped[str] = mapped_column(Text, default="")
    chapter: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(35), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    frequency: Mapped[str] = mapped_column(String(10), default="")
    paused_until: Mapped[dt.datetime | None]
    consented_at: Mapped[dt.datetime | None]
    import_id: Mapped[int | None] = mapped_column(index=True)
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class TagRecord(Base):
    """A word that staff put to a person."""

    __tablename__ = "tags"
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(100), primary_key=True, index=True)


class SubscriptionRecord(Base):
    """A person's standing on one list: pending, active or unsubscribed."""

    __tablename__ = "subscriptions"
    __table_args__ = (Index("ix_subscriptions_list_status", "list", "status"),)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True)
    list: Mapped[str] = mapped_column(String(100), primary_key=True)
    status: Mapped[str] = mapped_column(String(20))
    confirmed_at: Mapped[dt.datetime | None]
    changed_at: Mapped[dt.datetime]


class ConsentRecord(Base):
    """One step in the history of a subscription, with its evidence; `tell` while others have yet to be told of it."""

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_tell", "tell", sqlite_where=text("tell"), postgresql_where=text("tell")),)
    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"), index=True)
    list: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20))
    at: Mapped[dt.datetime]
    source: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tell: Mapped[bool] = mapped_column(default=False)


class SuppressionRecord(Base):
    """An address never mailed again, by one list or, where `list` is empty, by any. Of an erased person only the
    keyed hash is kept, `email` is null. `tell` while others have yet to be told of it.
    """

    __tablename__ = "suppressions"
    __table_args__ = (
        UniqueConstraint("address_hash", "list"),
        Index("ix_suppressions_tell", "tell", sqlite_where=text("tell"), postgresql_where=text("tell")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    address_hash: Mapped[str] = mapped_column(String(64))
    email: Mapped[str | None] = mapped_column(String(320), index=True)
    list: Mapped[str] = mapped_column(String(100), default="")
    reason: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime]
    tell: Mapped[bool] = mapped_column(default=False)


class ImportRecord(Base):
    """One import of subscribers: of which file, when, and what became of its rows."""

    __tablename__ = "imports"
    # A number that was undone is never given to another import.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 (SQLAlchemy's form)
    id: Mapped[int] = mapped_column(primary_key=True)
    file: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime]
    rows: Mapped[int] = mapped_column(default=0)
    imported: Mapped[int] = mapped_column(default=0)
    merged: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    suppressed: Mapped[int] = mapped_column(default=0)
    undone_at: Mapped[dt.datetime | None]


class ImportChangeRecord(Base):
    """What an import changed of somebody who was there before: `change` has each field's value before and after, each
    list's standing before and after, and the tags that were added.
    """

    __tablename__ = "import_changes"
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    change: Mapped[dict[str, Any]]


class MappingRecord(Base):
    """How the columns of an export were read the last time, by the digest of its header row."""

    __tablename__ = "import_mappings"
    header_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    mapping: Mapped[dict[str, Any]]
    saved_at: Mapped[dt.datetime]


class SnapshotRecord(Base):
    """What was approved, whole: `document` is the JSON of a `newsletter.model.Snapshot`."""

    __tablename__ = "snapshots"
    id: Mapped[int] = mapped_column(primary_key=True)
    issue: Mapped[str] = mapped_column(String(200), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    document: Mapped[str] = mapped_column(Text)
    approved_by: Mapped[str] = mapped_column(Text)
    approved_at: Mapped[dt.datetime]


class ApprovalRecord(Base):
    """One person's approval of a snapshot."""

    __tablename__ = "approvals"
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.id", ondelete="CASCADE"), primary_key=True)
    by: Mapped[str] = mapped_column(String(200), primary_key=True)
    at: Mapped[dt.datetime]


class UseRecord(Base):
    """One use of an item or policy in an approved issue, by slug and by its address without tracking."""

    __tablename__ = "uses"
    issue: Mapped[str] = mapped_column(String(200), primary_key=True)
    slug: Mapped[str] = mapped_column(String(200), primary_key=True, index=True)
    address: Mapped[str] = mapped_column(Text, index=True)
    publication: Mapped[str] = mapped_column(String(100))
    section: Mapped[str] = mapped_column(Text)
    date: Mapped[dt.date]


class CampaignRecord(Base):
    """One sending of one issue to one frozen audience. Its status is in its deliveries; what was decided about it is
    here: when it `starts_at`, before which nothing of it goes; `paused_at` with the reason, by a person or by the
    program itself; `canceled_at`; and of two subjects the `winner`, "a" or "b", which clicks decide at `pick_at` where
    nobody did. `marked` campaigns' messages carry marks (`newsletter.tokens.Marks`), those of releases before 0.6 the
    delivery's bare number.
    """

    __tablename__ = "campaigns"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(250), unique=True)
    issue: Mapped[str] = mapped_column(String(200), index=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.id"))
    list: Mapped[str] = mapped_column(String(100))
    segment: Mapped[str] = mapped_column(String(100), default="")
    provider: Mapped[str] = mapped_column(String(100))
    nonce: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[dt.datetime]
    starts_at: Mapped[dt.datetime | None]
    paused_at: Mapped[dt.datetime | None]
    paused_why: Mapped[str] = mapped_column(Text, default="")
    paused_itself: Mapped[bool] = mapped_column(default=False)
    canceled_at: Mapped[dt.datetime | None]
    marked: Mapped[bool] = mapped_column(default=True)
    winner: Mapped[str] = mapped_column(String(1), default="")
    pick_at: Mapped[dt.datetime | None]


class BatchRecord(Base):
    """One provider call of a campaign. `request` is all that makes its bytes again; it's written with the claim, before
    the call, and so are `key` and `tag`, who claimed it, the `provider` and the `route` (JSON of
    `newsletter.model.Route`) that it goes by; the request is emptied when all is settled. `claimed_at` is when the call
    was first made, `called_at` when it was last, `asked_at` when somebody last tried to find out what became of it, all
    by the database's clock. A batch may be claimed from `ready_at` on; there's none while it's under way, done, or
    waits for the winner of two subjects. `arm` is which of them it carries.
    """

    __tablename__ = "batches"
    __table_args__ = (Index("ix_batches_campaign_id_ready_at_number", "campaign_id", "ready_at", "number"),)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    variant: Mapped[str] = mapped_column(String(100))
    key: Mapped[str] = mapped_column(String(64), default="")
    tag: Mapped[str] = mapped_column(String(100), default="")
    request: Mapped[str] = mapped_column(Text, default="")
    claimed_at: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    arm: Mapped[str] = mapped_column(String(1), default="")
    worker: Mapped[str] = mapped_column(String(100), default="")
    ready_at: Mapped[dt.datetime | None]
    provider: Mapped[str] = mapped_column(String(100), default="")
    route: Mapped[str] = mapped_column(Text, default="")
    called_at: Mapped[dt.datetime | None]
    asked_at: Mapped[dt.datetime | None]


#: Deliveries that are, or may become, a copy of an issue: a person has one, whatever campaigns there are.
_COPY = text("issue IS NOT NULL AND state NOT IN ('refused', 'withheld')")


class DeliveryRecord(Base):
    """One message of a campaign to one subscriber: the ledger. State as `newsletter.model.DeliveryState`. `issue` is
    the campaign's; null for campaigns of releases before 0.6.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("campaign_id", "subscriber_id"),
        Index(
            "uq_deliveries_issue_subscriber_id",
            "issue",
            "subscriber_id",
            unique=True,
            sqlite_where=_COPY,
            postgresql_where=_COPY,
        ),
        Index("ix_deliveries_campaign_id_batch_state", "campaign_id", "batch", "state"),
        Index("ix_deliveries_campaign_id_state", "campaign_id", "state"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    issue: Mapped[str | None] = mapped_column(String(200))
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscribers.id", ondelete="SET NULL"), index=True)
    address: Mapped[str] = mapped_column(String(320))
    variant: Mapped[str] = mapped_column(String(100))
    batch: Mapped[int]
    state: Mapped[str] = mapped_column(String(12))
    message_id: Mapped[str] = mapped_column(Text, default="")
    error: Mapped[str] = mapped_column(Text, default="")
    changed_at: Mapped[dt.datetime]


class PaceRecord(Base):
    """How fast a provider may be called now, by all senders together: not before `ready_at`, for the reason `why` where
    the provider wants it so; `failures` calls in a row weren't taken; `taken` messages were submitted on `day`.
    """

    __tablename__ = "paces"
    provider: Mapped[str] = mapped_column(String(100), primary_key=True)
    ready_at: Mapped[dt.datetime | None]
    why: Mapped[str] = mapped_column(Text, default="")
    failures: Mapped[int] = mapped_column(default=0)
    day: Mapped[dt.date | None]
    taken: Mapped[int] = mapped_column(default=0)


class WorkerRecord(Base):
    """A process that submits, and when it was last alive."""

    __tablename__ = "workers"
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    seen_at: Mapped[dt.datetime]


class EventRecord(Base):
    """What a provider told of a delivery, once; `type` as `newsletter.model.EventType`. `machine` marks an open or a
    click that no person did.
    """

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("provider", "event"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(100))
    event: Mapped[str] = mapped_column(String(200))
    type: Mapped[str] = mapped_column(String(20))
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"), index=True)
    at: Mapped[dt.datetime]
    detail: Mapped[str] = mapped_column(Text, default="")
    machine: Mapped[bool] = mapped_column(default=False)


class WebhookRecord(Base):
    """A webhook call as it came, after it had proved itself: `events` is how many it told."""

    __tablename__ = "webhooks"
    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(100))
    received_at: Mapped[dt.datetime] = mapped_column(index=True)
    body: Mapped[bytes]
    events: Mapped[int]


class NoticeRecord(Base):
    """A single mail that somebody's request asks for, or may ask for: what it's to be is decided when it's sent, from
    `due_at` on. There's no `due_at` when it's done; `outcome` says how.
    """

    __tablename__ = "notices"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(320), index=True)
    language: Mapped[str] = mapped_column(String(35))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[dt.datetime] = mapped_column(index=True)
    due_at: Mapped[dt.datetime | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str] = mapped_column(Text, default="")


class ApiTokenRecord(Base):
    """A key to the API: of its text only the digest is kept."""

    __tablename__ = "api_tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class HookCallRecord(Base):
    """A call that tells another program of a change, from `due_at` on; there's none when it's done or given up."""

    __tablename__ = "hook_calls"
    id: Mapped[int] = mapped_column(primary_key=True)
    hook: Mapped[str] = mapped_column(String(100))
    identity: Mapped[str] = mapped_column(String(64), unique=True)
    document: Mapped[str] = mapped_column(Text)
    created_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str] = mapped_column(Text, default="")


class CorrectionRecord(Base):
    """A correction of an issue that is out; see `newsletter.model.Correction`. `told_in` is the issue of the same
    publication whose draft has taken it up, `mailed_in` the one that mails it by itself; empty while there's none.
    One that was taken back has a time at which it was `removed_at`.
    """

    __tablename__ = "corrections"
    id: Mapped[int] = mapped_column(primary_key=True)
    issue: Mapped[str] = mapped_column(String(200), index=True)
    publication: Mapped[str] = mapped_column(String(100))
    date: Mapped[dt.date]
    note: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[dt.datetime]
    told_in: Mapped[str] = mapped_column(String(200), default="")
    mailed_in: Mapped[str] = mapped_column(String(200), default="")
    removed_at: Mapped[dt.datetime | None]


class PageRecord(Base):
    """What was decided about a public page, by its path: it has moved to the path `moved_to` or, where that's empty,
    is gone, for a `reason` that readers see.
    """

    __tablename__ = "pages"
    path: Mapped[str] = mapped_column(String(500), primary_key=True)
    moved_to: Mapped[str] = mapped_column(String(500), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    date: Mapped[dt.date]
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[dt.datetime]


class PublicIdRecord(Base):
    """The id by which feed readers and calendars know something that is public; see `newsletter.publish.ids`."""

    __tablename__ = "public_ids"
    key: Mapped[str] = mapped_column(String(500), primary_key=True)
    id: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[int] = mapped_column(default=0)
    updated: Mapped[dt.date | None]


class ReplacementRecord(Base):
    """A link that pages show by its archived copy; see `newsletter.model.Replacement`."""

    __tablename__ = "replacements"
    url: Mapped[str] = mapped_column(Text, primary_key=True)
    archived: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[dt.datetime]


class LinkRecord(Base):
    """What is known of a page that issues or policies link to, by its address without a fragment.

    `captured` is the digest of its readable text when it was first read, `digest` that of the last time; both are
    empty where it has none. `standing` as `newsletter.linkkeeping.Standing`, with a `fault` or where it has moved to;
    `failures` are the checks in a row that it didn't answer. `etag` and `last_modified` are for asking it only for
    news (RFC 9110, section 13.1).
    """

    __tablename__ = "links"
    url: Mapped[str] = mapped_column(Text, primary_key=True)
    captured: Mapped[str] = mapped_column(String(64), default="")
    captured_at: Mapped[dt.datetime | None]
    digest: Mapped[str] = mapped_column(String(64), default="")
    standing: Mapped[str] = mapped_column(String(10), default="", index=True)
    fault: Mapped[str] = mapped_column(Text, default="")
    moved_to: Mapped[str] = mapped_column(Text, default="")
    failures: Mapped[int] = mapped_column(default=0)
    etag: Mapped[str] = mapped_column(Text, default="")
    last_modified: Mapped[str] = mapped_column(Text, default="")
    checked_at: Mapped[dt.datetime | None]


class CopyRecord(Base):
    """What a page that a policy rests on said, in lines, by its address and the digest of its words; `issue` is the one
    at whose approval it was taken, empty for what a check of links found. See `newsletter.linkkeeping.copies`.
    """

    __tablename__ = "copies"
    url: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    issue: Mapped[str] = mapped_column(String(200), default="")
    taken_at: Mapped[dt.datetime]
