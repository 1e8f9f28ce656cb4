"""A rehearsal: the whole sending, for real, on a copy of the store and into a folder."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import func, select

from newsletter.config import Publication
from newsletter.model import DeliveryState, Snapshot
from newsletter.providers.files import Files
from newsletter.send.plan import ordinary
from newsletter.send.service import CampaignService
from newsletter.store import backup, open_store
from newsletter.store.records import CampaignRecord, DeliveryRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What came of it: deliveries by state, where the messages lie, and how many the last campaign to this
    list had (None where there was none).
    """

    counts: Counter[DeliveryState]
    folder: Path
    last: int | None

    @property
    def difference(self) -> float | None:
        """The share by which this campaign is larger (or, below 0, smaller) than the last."""
        return self.counts.total() / self.last - 1 if self.last else None


def rehearse(
    service: CampaignService,
    snapshot: Snapshot,
    publication: Publication,
    folder: Path,
    *,
    segment: str = "",
    progress: Callable[[int], None] = lambda _: None,
) -> Rehearsal:
    """Plan, freeze and submit an approved issue on a copy of the store; the store itself isn't touched.

    The messages go to `folder/<campaign>/`, whatever provider the publication has.
    """
    last = None if snapshot.issue.corrects else _last_campaign(service, publication)
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "rehearsal.db"
        backup(service.store, copy)
        store = open_store(f"sqlite:///{copy}", copy.parent)
        try:
            stage = replace(service, store=store, stand_in=Files(folder))
            plan = stage.plan(publication, snapshot, segment=segment, provider=publication.provider)
            shutil.rmtree(folder / plan.campaign, ignore_errors=True)  # what an earlier rehearsal left
            counts = stage.run(stage.start(snapshot, plan, publication), progress)
        finally:
            store.close()
    return Rehearsal(counts=counts, folder=folder / plan.campaign, last=last)


def _last_campaign(service: CampaignService, publication: Publication) -> int | None:
    """How many deliveries the last campaign to the publication's whole list had."""
    newest = (
        select(CampaignRecord.id)
        .where(CampaignRecord.list == publication.list, CampaignRecord.segment == "", ordinary())
        .order_by(CampaignRecord.id.desc())
        .limit(1)
    )
    with service.store.read() as session:
        campaign = session.scalar(newest)
        if campaign is None:
            return None
        return session.scalar(
            select(func.count()).select_from(DeliveryRecord).where(DeliveryRecord.campaign_id == campaign)
        )
