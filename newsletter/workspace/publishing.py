"""The archive website, from what was approved and what was decided since."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from newsletter import codec, collect
from newsletter.errors import InputError
from newsletter.model import (
    Amendments,
    Policy,
    PolicyEntry,
    Snapshot,
)
from newsletter.store.records import (
    ApprovalRecord,
    CorrectionRecord,
    ItemRecord,
    PageRecord,
    PolicyRecord,
    PublicIdRecord,
    ReplacementRecord,
    StatusRecord,
)
from newsletter.workspace.opened import Opened

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from newsletter.linkkeeping import Place
    from newsletter.publish import Report

#: Columns whose count or maximum changes with what the archive shows.
_CHANGES = (
    ApprovalRecord.at,
    ItemRecord.updated_at,
    PolicyRecord.updated_at,
    StatusRecord.recorded_at,
    CorrectionRecord.at,
    PageRecord.at,
    ReplacementRecord.at,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Online:
    """The addresses of a mail that certainly aren't there, and why the others couldn't be told of, if so."""

    missing: tuple[str, ...] = ()
    unsure: str = ""


class Publishing(Opened):
    """What becomes public, and what it links to."""

    def published(self, issue: str = "") -> list[Snapshot]:
        """What the archive shows of every issue, or of one: the newest approval that is whole. What only corrects an
        issue by mail isn't shown.
        """
        from newsletter.send import documents

        with self.store.read() as session:
            latest = self._latest(session)
            wanted = latest.keys() & {issue} if issue else latest
            return [codec.loads(found, Snapshot) for _, found in documents(session, [latest[n][0] for n in wanted])]

    def _latest(self, session: Session) -> dict[str, tuple[int, str]]:
        """Number and digest of what the archive shows of every issue."""
        from newsletter import amendments
        from newsletter.send import all_latest

        needed = {slug: publication.approvals for slug, publication in self.config.publications.items()}
        mails = amendments.mails(session)
        return {issue: found for issue, found in all_latest(session, needed).items() if issue not in mails}

    def decided(self, session: Session, published: Collection[str]) -> Amendments:
        """What was decided about public pages, as it holds while these issues are published: an old address leads to an
        issue's new name once that is approved.
        """
        from newsletter import amendments

        decided = amendments.read(session)
        drafts = {*self.issue_names()} - {*published}
        return replace(decided, moved=tuple(moved for moved in decided.moved if moved.new not in drafts))

    def publish(self, folder: Path | None = None, *, base_url: str = "", searchable: bool | None = None) -> Report:
        """Build the archive of all approved issues, with a search where Pagefind is installed or as it's said;
        `base_url` is where it will be, if not where config.toml says.
        """
        from newsletter.collect import members, policies
        from newsletter.publish import Approved, publish
        from newsletter.publish.ids import PublicId
        from newsletter.send import documents

        archive = replace(self.config.archive, url=base_url or self.config.archive.url)
        with self.store.read() as session:
            latest = self._latest(session)
            decided = self.decided(session, latest)
            old = {moved.old for moved in decided.moved}
            ids = {
                row.key: PublicId(id=row.id, digest=row.digest, sequence=row.sequence, updated=row.updated)
                for row in session.execute(select(PublicIdRecord.__table__))
            }
            report = publish(
                Approved(
                    {issue: digest for issue, (_, digest) in latest.items() if issue not in old},
                    lambda issues: documents(session, [latest[issue][0] for issue in issues]),
                ),
                replace(self.config, archive=archive),
                today=self.today(),
                themes=self.template_folders("archive"),
                policies=policies.find(session),
                members=members.find(session),
                amendments=decided,
                ids=ids,
                folder=folder,
                searchable=searchable,
            )
        if report.ids and not base_url:  # elsewhere it's a preview, whose address isn't one to keep
            with self.store.write() as session:
                for key, one in report.ids.items():
                    values = {"id": one.id, "digest": one.digest, "sequence": one.sequence, "updated": one.updated}
                    session.merge(PublicIdRecord(key=key[:500], **values))
        return report

    def public_policies(self) -> set[str]:
        """The slugs of the policies that have a page in the archive: those that issues told of, or all."""
        from newsletter.collect import policies

        if self.config.archive.policies == "all":
            with self.store.read() as session:
                return policies.slugs(session)
        entries = (entry for snapshot in self.published() for entry in snapshot.issue.entries)
        return {entry.policy.slug for entry in entries if isinstance(entry, PolicyEntry)}

    def online(self, snapshot: Snapshot) -> Online:
        """Whether an issue's page and pictures are where its mail says they are, as the archive's own address answers.
        The first address that gives no answer at all ends the asking.
        """
        from newsletter.fetch import PHOTO_BYTES, TooLarge, follow

        pictures = [f"{self.config.archive.url.rstrip('/')}/media/{name}" for name in snapshot.issue.photos]
        page = [] if snapshot.issue.corrects else [self.page_url(snapshot.issue.slug)]
        missing: list[str] = []
        for url in (*page, *pictures):
            try:
                status = follow(url, private_hosts=self.config.collect.private_hosts, limit=PHOTO_BYTES).status
            except TooLarge:
                continue
            except InputError as fault:
                return Online(missing=tuple(missing), unsure=str(fault))
            if status in (404, 410):
                missing.append(url)
            elif status >= 400:
                return Online(missing=tuple(missing), unsure=f"{url} answered {status}")
        return Online(missing=tuple(missing))

    def published_links(self, since: dt.date = dt.date.min) -> dict[str, list[Place]]:
        """Every page that published issues, and policies, link to, with where; with `since`, only the newer ones."""
        from newsletter.linkkeeping import published

        return published(self.published(), self._policies(), self.config, since=since)

    def sources(self) -> set[str]:
        """The pages that stored policies rest on, of which copies are kept."""
        from newsletter.linkkeeping import copies

        return set(copies.sources(self._policies())) if self.config.links.copies else set()

    def _policies(self) -> list[Policy]:
        with self.store.read() as session:
            return [entry for entry in collect.library(session).values() if isinstance(entry, Policy)]

    def archive_mark(self) -> str:
        """A mark that changes when the archive may have to be built anew: with the day, the settings, the templates of
        the archive, approvals, items, policies, and what was decided about pages.
        """
        own = self.template_folders("archive")[0]
        files = [self.config.path, *sorted(path for path in own.rglob("*") if path.is_file())]
        stamps = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files]
        with self.store.read() as session:
            rows = [tuple(session.execute(select(func.count(), func.max(last))).one()) for last in _CHANGES]
        return hashlib.sha256(repr((self.today(), stamps, rows)).encode()).hexdigest()
