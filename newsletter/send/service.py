"""What the command line, workers and the demo do with campaigns: plan, start, run, move; and tests before that."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from mimetypes import guess_type

from sqlalchemy import and_
from sqlalchemy.orm import Session

from newsletter import audience, codec, send
from newsletter.audience import Reason, segments, variants
from newsletter.audience.wishes import FOLDER, Wishes
from newsletter.config import Config, Pace, ProviderConfig, Publication
from newsletter.errors import ConfigError, SendError
from newsletter.merge import MergeText, reader_links
from newsletter.model import Call, DeliveryState, Inline, Outcome, Photo, Recipient, Rendered, Snapshot
from newsletter.photos import photo_bytes
from newsletter.providers import Provider, load, mails, provider_class
from newsletter.providers.mime import Composer
from newsletter.send import control, decisions
from newsletter.send.batch_sender import BatchSender
from newsletter.send.envelope import envelope
from newsletter.send.heartbeat import Heartbeat, heartbeat
from newsletter.send.plan import submitted
from newsletter.send.rate_limiter import RateLimiter
from newsletter.send.spool import Spool
from newsletter.send.status import CampaignStatus, status_of
from newsletter.store import Store
from newsletter.store.records import CampaignRecord, SnapshotRecord
from newsletter.tokens import Marks


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignService:
    """All that sending needs, from the workspace; a `stand_in` takes the place of every configured provider."""

    store: Store
    config: Config
    clock: send.Clock
    unsubscribe_urls: Callable[[str], Callable[[int], str]]
    marks: Marks
    hash_address: Callable[[str], str]
    stand_in: Provider | None = None
    _snapshots: dict[int, Snapshot] = field(default_factory=dict, repr=False)

    def provider(self, slug: str) -> Provider:
        """The configured provider of that slug."""
        return self.stand_in or load(self._configured(slug), self.config.folder)

    def _configured(self, slug: str) -> ProviderConfig:
        if slug not in self.config.providers:
            known = ", ".join(self.config.providers)
            raise SendError(f'no provider "{slug}" is configured', where=self.config.path.name, hint=f"known: {known}")
        return self.config.providers[slug]

    def kind(self, slug: str) -> type[Provider]:
        """The class of the provider of that slug, which knows its limits."""
        return type(self.stand_in) if self.stand_in else provider_class(self._configured(slug))

    def target(self, publication: Publication, snapshot: Snapshot, segment: str) -> send.Target:
        """A publication's list, or a segment of it, and of these for a correction only those who were submitted what
        it corrects; each reader gets a variant that was approved.
        """
        approved = [variant.variant for variant in snapshot.variants]
        corrects = snapshot.issue.corrects
        conditions = [submitted(corrects)] if corrects else []
        with self.store.read() as session:
            if segment:
                conditions.append(segments.saved(self.config, segment, session))
            variant = variants.name_in_sql(snapshot.issue, self.config, session, approved)
        return send.Target(
            list=publication.list,
            segment=segment,
            where=and_(*conditions) if conditions else None,
            corrects=corrects,
            variant=variant,
        )

    def plan(
        self,
        publication: Publication,
        snapshot: Snapshot,
        *,
        segment: str,
        provider: str,
        campaign: CampaignRecord | None = None,
    ) -> send.Plan:
        """What a new campaign would do, or one that there is for those who joined since; SendError when it would
        reach nobody at all.
        """
        issue = snapshot.issue.slug
        size = self._batch_size(snapshot, provider)
        target = self.target(publication, snapshot, segment)
        with self.store.read() as session:
            known = campaign.id if campaign else None
            plan = send.plan(
                session, issue, target, provider=provider, batch_size=size, now=self.clock.now(), campaign=known
            )
        limits, pace = self.kind(provider).limits, self._pace(provider)
        plan = replace(plan, rate=pace.calls_per_second or limits.calls_per_second, per_day=pace.per_day)
        if not plan.deliveries and campaign is None:
            raise _nobody(snapshot, plan)
        return plan

    def _batch_size(self, snapshot: Snapshot, provider: str) -> int:
        """How many messages travel in one call: as many as the provider takes, of this size."""
        content = max(_size(v.html) + _size(v.text) for v in snapshot.variants)
        most = self.kind(provider).limits.batch_size(content, self._pace(provider).batch_size)
        if most < 1:
            what = f'a message of {content // 1000:,} KB is too large for provider "{provider}"'
            raise SendError(what, where=snapshot.issue.slug, hint="drop some of it")
        return most

    def unapproved(self, publication: Publication, snapshot: Snapshot) -> int:
        """How many readers would get a variant that wasn't approved, and so get the default."""
        approved = {variant.variant for variant in snapshot.variants}
        with self.store.read() as session:
            reach = variants.reach(session, snapshot.issue, publication.list, self.config, self.clock.now())
        return sum(count for variant, count in reach.variants.items() if variant.name not in approved)

    def start(
        self, snapshot: Snapshot, plan: send.Plan, publication: Publication, *, at: dt.datetime | None = None
    ) -> CampaignRecord:
        """Freeze the audience into the ledger, to go out at some time, or at once."""
        with self.store.write() as session:
            return send.freeze(
                session,
                snapshot,
                self.target(publication, snapshot, plan.segment),
                plan,
                nonce=secrets.token_hex(8),
                now=self.clock.now(),
                at=at,
            )

    def snapshot(self, campaign: CampaignRecord) -> Snapshot:
        """What was approved when a campaign began, and goes out to its end; decoded once, since it never changes."""
        if campaign.snapshot_id not in self._snapshots:
            with self.store.read() as session:
                document = session.get_one(SnapshotRecord, campaign.snapshot_id).document
            self._snapshots[campaign.snapshot_id] = codec.loads(document, Snapshot)
        return self._snapshots[campaign.snapshot_id]

    def add_new(self, campaign: CampaignRecord, plan: send.Plan, publication: Publication) -> None:
        """More deliveries of a campaign, for those who joined since."""
        target = self.target(publication, self.snapshot(campaign), campaign.segment)
        with self.store.write() as session:
            send.top_up(session, campaign, target, plan, self.clock.now())

    def run(self, campaign: CampaignRecord, progress: Callable[[int], None] = lambda _: None) -> Counter[DeliveryState]:
        """Submit, or go on submitting, a campaign."""
        limits, pace = self.kind(campaign.provider).limits, self._pace(campaign.provider)
        with heartbeat(self.store, self.clock, dead_after=self.config.cluster.dead_after) as mine:
            sender = self.sender(campaign, mine)
            sender.progress = progress
            return send.submit(sender, self.provider, parallel=pace.parallel or limits.parallel)

    def sender(self, campaign: CampaignRecord, mine: Heartbeat) -> BatchSender:
        """What sends a campaign's batches. ConfigError where a worker would be taken for dead in mid-call."""
        self._refuse_another_kind(campaign)
        timeout = self.provider(campaign.provider).timeout
        if not self.store.is_sqlite and timeout >= mine.dead_after:
            what = f'"dead_after" must be longer than the "timeout" of {campaign.provider}, {timeout:g} seconds'
            raise ConfigError(what, where=f"{self.config.path.name}: [cluster]")
        return BatchSender(
            store=self.store,
            campaign=campaign,
            envelope=self._envelope(campaign),
            limiter=self._limiter(campaign.provider),
            clock=self.clock,
            heartbeat=mine,
            spool=Spool(self.config.folder / "unrecorded-answers"),
            wishes=Wishes(self.config.folder / FOLDER),
            size=self._batch_size(self.snapshot(campaign), campaign.provider),
            mark=self.marks.mark,
            suppress=self._suppress,
            forgive=self.forgive,
        )

    def mailed_by(self, session: Session, campaign: CampaignRecord) -> set[str]:
        """The providers by which a campaign has mailed people, or would: by what its calls say of themselves, since a
        provider's type may have been changed in the settings, and else by the settings.
        """

        def mailing(slug: str, kind: str) -> bool:
            return mails(kind) if kind and not self.stand_in else not self.kind(slug).keeps

        return {slug for slug, kind in decisions.kinds_of(session, campaign) if mailing(slug, kind)}

    def _refuse_another_kind(self, campaign: CampaignRecord) -> None:
        """SendError where a campaign's provider mailed people before, and now writes to a folder, or the other way."""
        with self.store.read() as session:
            before = decisions.kinds_of(session, campaign)
            mailed = campaign.provider in self.mailed_by(session, campaign)
        called = any(slug == campaign.provider and kind for slug, kind in before)
        if called and mailed == bool(self.kind(campaign.provider).keeps):
            what = f'provider "{campaign.provider}" was another kind when this campaign\'s first messages went'
            hint = "give each a name of its own in config.toml, then: newsletter campaigns move NAME --provider …"
            raise SendError(what, where=campaign.name, hint=hint)

    def _limiter(self, slug: str) -> RateLimiter:
        return RateLimiter.of(slug, self._pace(slug), self.kind(slug).limits, self.config.timezone)

    def status(self, session: Session, campaign: CampaignRecord) -> CampaignStatus:
        """How a campaign stands, also one whose provider isn't configured any more."""
        slug = campaign.provider
        known = self.stand_in or slug in self.config.providers
        limiter = self._limiter(slug) if known else RateLimiter(provider=slug, timezone=self.config.timezone)
        return status_of(session, campaign, limiter, self.clock.at(session))

    def move(self, campaign: CampaignRecord, provider: str) -> int:
        """Give what is pending of a campaign to another provider; how many deliveries that is."""
        size = self._batch_size(self.snapshot(campaign), provider)
        self.provider(provider).route()
        with self.store.write() as session:
            record = session.get_one(CampaignRecord, campaign.id)
            return control.move(session, record, provider, size)

    def forgive(self, session: Session, address: str) -> int:
        """Let an address be mailed again that was taken for one that doesn't exist; how many suppressions are gone."""
        return audience.lift(session, self.hash_address(address), reason=Reason.HARD_BOUNCE)

    def _suppress(self, session: Session, address: str, provider: str, now: dt.datetime) -> None:
        hashed = self.hash_address(address)
        audience.suppress(session, address, hashed, Reason.HARD_BOUNCE, source=provider, now=now, tell=True)

    def _envelope(self, campaign: CampaignRecord) -> send.Envelope:
        """What the campaign's messages have in common, from the snapshot that it began with."""
        snapshot = self.snapshot(campaign)
        test = snapshot.issue.subject_test
        publication, nonce = self.config.publication(snapshot.issue.publication), campaign.nonce
        return envelope(
            self.config,
            publication,
            campaign.name,
            snapshot.variants,
            unsubscribe_url=self.unsubscribe_urls(campaign.list),
            mark=lambda delivery: self.marks.mark(nonce, delivery),
            subject_b=test.subject if test else None,
        )

    def _pace(self, slug: str) -> Pace:
        return Pace() if self.stand_in else self._configured(slug).pace

    def test(
        self,
        publication: Publication,
        renderings: tuple[Rendered, ...],
        addresses: list[str],
        *,
        provider: str,
        note: str,
        photos: Mapping[str, Photo],
    ) -> int:
        """Send each variant to some addresses, with `[Test]` in the subject and, where the provider can, its pictures
        inside; how many were accepted.

        Tests don't enter the ledger, and their unsubscribe links belong to nobody.
        """
        chosen, taken = self.provider(provider), 0
        try:
            for first, variant in zip(range(1, 10**6, len(addresses)), renderings, strict=False):
                content = replace(
                    variant, subject=MergeText((f"[Test{note}{_named(variant)}] ", *variant.subject.parts))
                )
                call = self._test_call(publication, content, addresses, first)
                call = self._with_pictures(call, photos) if chosen.pictures else call
                taken += sum(receipt.outcome is Outcome.ACCEPTED for receipt in chosen.send(call))
        finally:
            chosen.close()
        return taken

    def _with_pictures(self, call: Call, photos: Mapping[str, Photo]) -> Call:
        """A call whose messages bring their pictures along, rather than show what may not be online yet."""
        inside = []
        parts = call.content.html.parts
        for name, photo in photos.items():
            address = f"{self.config.archive.url.rstrip('/')}/media/{name}"
            if any(isinstance(part, str) and address in part for part in parts):
                data = photo_bytes(photo, self.config.folder)
                kind = guess_type(name)[0] or "application/octet-stream"
                inside.append(Inline(name=name, type=kind, data=data))
                parts = tuple(p.replace(address, f"cid:{name}") if isinstance(p, str) else p for p in parts)
        return replace(call, content=replace(call.content, html=MergeText(parts)), pictures=tuple(inside))

    def message(self, publication: Publication, content: Rendered) -> bytes:
        """A variant as a whole message (RFC 5322) to the publication's own sender."""
        address = self.config.senders[publication.sender].address
        call = self._test_call(publication, content, [address])
        return Composer(call).message(call.recipients[0])

    def _test_call(self, publication: Publication, content: Rendered, addresses: list[str], first: int = 1) -> Call:
        """A call that is nobody's delivery: its marks are of no campaign, so that no event of it moves a reader."""
        values = {"first_name": "", **reader_links(self.unsubscribe_urls(publication.list)(0))}
        sealed = envelope(
            self.config,
            publication,
            f"{content.issue}-test",
            [content],
            unsubscribe_url=lambda _: values["unsubscribe_url"],
            mark=lambda _: "test",
        )
        key = secrets.token_hex(32)
        people = (
            Recipient(delivery=number, address=address, values=values, mark=f"test-{key[:16]}-{number}")
            for number, address in enumerate(addresses, first)
        )
        return Call(
            batch=0,
            campaign=sealed.campaign,
            key=key,
            tag=f"test{key[:16]}",
            date=self.clock.now().replace(microsecond=0),
            sender=sealed.sender,
            reply_to=sealed.reply_to,
            content=content,
            headers=sealed.headers,
            recipients=tuple(people),
        )


def _nobody(snapshot: Snapshot, plan: send.Plan) -> SendError:
    """Why a plan reaches nobody."""
    issue, corrects = snapshot.issue.slug, snapshot.issue.corrects
    counted = f"{plan.mailable} mailable, {plan.already} have the issue"
    if corrects:
        of = f" ({', '.join(corrects.variants)})" if corrects.variants else ""
        what = f"nobody to send to: of those who were submitted {corrects.issue}{of} there are {counted}"
        return SendError(what, where=issue, hint=f"newsletter report {corrects.issue}")
    whom = f'segment "{plan.segment}" of list' if plan.segment else "list"
    what = f'nobody to send to: {whom} "{plan.list}" has {counted}'
    return SendError(what, where=issue, hint="newsletter subscribers import FILE")


def _size(text: MergeText) -> int:
    """Bytes of a text in a JSON or MIME request, without the merge values."""
    return sum(len(json.dumps(part)) for part in text if isinstance(part, str))


def _named(variant: Rendered) -> str:
    return "" if variant.variant == "default" else f", {variant.variant}"
