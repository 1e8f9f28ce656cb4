"""An issue on its way: from its approval to a campaign that is submitted, and tests before that."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import and_

from newsletter import codec, send
from newsletter.audience import segments, variants
from newsletter.config import Config, Pace, Publication
from newsletter.errors import SendError
from newsletter.merge import MergeText
from newsletter.model import Batch, DeliveryState, Outcome, Recipient, Rendered, Snapshot
from newsletter.providers import Limits, Provider, load
from newsletter.providers.mime import Composer
from newsletter.send.envelope import envelope
from newsletter.send.plan import submitted
from newsletter.send.submit import Courier
from newsletter.send.workers import Worker
from newsletter.store import Store
from newsletter.store.records import CampaignRecord, SnapshotRecord

UnsubscribeUrl = Callable[[int, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """All that sending needs, from the workspace; a `carrier` takes the place of every configured provider."""

    store: Store
    config: Config
    clock: send.Clock
    unsubscribe_url: UnsubscribeUrl
    carrier: Provider | None = None

    def provider(self, slug: str) -> Provider:
        """The configured provider of that slug."""
        if self.carrier:
            return self.carrier
        if slug not in self.config.providers:
            known = ", ".join(self.config.providers)
            raise SendError(f'no provider "{slug}" is configured', where=self.config.path.name, hint=f"known: {known}")
        return load(self.config.providers[slug], self.config.folder)

    def target(self, publication: Publication, snapshot: Snapshot, segment: str) -> send.Target:
        """A publication's list, or a segment of it, and of these for a correction only those who were submitted what
        it corrects; each reader gets a variant that was approved.
        """
        approved = [variant.variant for variant in snapshot.variants]
        corrects = snapshot.issue.corrects
        conditions = [submitted(corrects)] if corrects else []
        if segment:
            conditions.append(segments.saved(self.config, segment))
        return send.Target(
            list=publication.list,
            segment=segment,
            where=and_(*conditions) if conditions else None,
            corrects=corrects,
            variant=variants.name_in_sql(snapshot.issue, self.config, approved),
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
        limits, pace = self.provider(provider).limits, self._pace(provider)
        plan = replace(plan, rate=pace.calls_per_second or limits.calls_per_second, per_day=pace.per_day)
        if not plan.deliveries and campaign is None:
            raise _nobody(snapshot, plan)
        return plan

    def _batch_size(self, snapshot: Snapshot, provider: str) -> int:
        """How many messages travel in one call: as many as the provider takes, of this size, and in one day."""
        content = max(_size(v.html) + _size(v.text) for v in snapshot.variants)
        most = self.provider(provider).limits.batch_size(content)
        if most < 1:
            what = f'a message of {content // 1000:,} KB is too large for provider "{provider}"'
            raise SendError(what, where=snapshot.issue.slug, hint="drop some of it")
        return min(most, self._pace(provider).per_day or most)

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
        """What was approved when a campaign began; it's what goes out to the end."""
        with self.store.read() as session:
            return codec.loads(session.get_one(SnapshotRecord, campaign.snapshot_id).document, Snapshot)

    def add_new(self, campaign: CampaignRecord, plan: send.Plan, publication: Publication) -> None:
        """More deliveries of a campaign, for those who joined since."""
        target = self.target(publication, self.snapshot(campaign), campaign.segment)
        with self.store.write() as session:
            send.top_up(session, campaign, target, plan, self.clock.now())

    def run(self, campaign: CampaignRecord, progress: Callable[[int], None] = lambda _: None) -> Counter[DeliveryState]:
        """Submit, or go on submitting, a campaign; its counts by state."""
        slug = campaign.provider
        limits = self.provider(slug).limits
        return send.submit(
            self.store,
            campaign,
            self._envelope(campaign),
            lambda: self.provider(slug),
            self.clock,
            bucket=self._bucket(slug, limits),
            parallel=self._pace(slug).parallel or limits.parallel,
            dead_after=self.config.cluster.dead_after,
            progress=progress,
        )

    def courier(self, campaign: CampaignRecord, worker: Worker) -> Courier:
        """What carries a campaign's batches in a worker's process."""
        bucket = self._bucket(campaign.provider, self.provider(campaign.provider).limits)
        return Courier(self.store, campaign, self._envelope(campaign), bucket, self.clock, worker)

    def _envelope(self, campaign: CampaignRecord) -> send.Envelope:
        """What the campaign's messages have in common, from the snapshot that it began with."""
        snapshot = self.snapshot(campaign)
        test = snapshot.issue.subject_test
        publication = self.config.publication(snapshot.issue.publication)
        return envelope(
            self.config,
            publication,
            campaign.name,
            snapshot.variants,
            lambda subscriber: self.unsubscribe_url(subscriber, campaign.list),
            test.subject if test else None,
        )

    def _bucket(self, slug: str, limits: Limits) -> send.Bucket:
        return send.Bucket.of(slug, self._pace(slug), limits, self.config.timezone)

    def _pace(self, slug: str) -> Pace:
        return Pace() if self.carrier else self.config.providers[slug].pace

    def test(
        self,
        publication: Publication,
        renderings: tuple[Rendered, ...],
        addresses: list[str],
        *,
        provider: str,
        note: str,
    ) -> int:
        """Send each variant to some addresses, with `[Test]` in the subject; how many were accepted.

        Tests don't enter the ledger, and their unsubscribe links belong to nobody.
        """
        carrier, accepted = self.provider(provider), 0
        try:
            for first, variant in zip(range(1, 10**6, len(addresses)), renderings, strict=False):
                content = replace(
                    variant, subject=MergeText((f"[Test{note}{_named(variant)}] ", *variant.subject.parts))
                )
                batch = self._test_batch(publication, content, addresses, first)
                accepted += sum(receipt.outcome is Outcome.ACCEPTED for receipt in carrier.send(batch))
        finally:
            carrier.close()
        return accepted

    def message(self, publication: Publication, content: Rendered) -> bytes:
        """A variant as a whole message (RFC 5322) to the publication's own sender."""
        address = self.config.senders[publication.sender].address
        batch = self._test_batch(publication, content, [address], 1)
        return Composer(batch).message(batch.recipients[0])

    def _test_batch(self, publication: Publication, content: Rendered, addresses: list[str], first: int) -> Batch:
        values = {"first_name": "", "unsubscribe_url": self.unsubscribe_url(0, publication.list)}
        name = f"{content.issue}-test"
        sealed = envelope(self.config, publication, name, [content], lambda _: values["unsubscribe_url"])
        key = secrets.token_hex(32)
        return Batch(
            id=0,
            campaign=name,
            key=key,
            tag=key[:16],
            date=self.clock.now().replace(microsecond=0),
            sender=sealed.sender,
            reply_to=sealed.reply_to,
            content=content,
            headers=sealed.headers,
            recipients=tuple(
                Recipient(delivery=number, address=address, values=values)
                for number, address in enumerate(addresses, first)
            ),
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
