"""Issues on their way out: approved, reviewed, corrected, with letters to those whom they speak of."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count
from pathlib import Path

from newsletter.errors import InputError, NewsletterError, NotApproved, nearest
from newsletter.model import (
    Corrects,
    Issue,
    Member,
    Rendered,
    Snapshot,
)
from newsletter.workspace.writing import Writing

#: After so many seconds no further source is asked for; one that is being asked may take as long again.
_COPYING_SECONDS = 15.0


class Approving(Writing):
    """What needs somebody's word."""

    def approve(self, name: str, *, by: str) -> tuple[Snapshot, bool]:
        """Check and freeze an issue, pictures and all, as one person approves it; also whether theirs is new."""
        from newsletter.photos import freeze_photos
        from newsletter.send import approve

        issue, variants, _ = self.checked(name)
        if issue.corrects:
            self._require_correction(issue, issue.corrects)
        needed = self.config.publications[issue.publication].approvals
        freeze_photos(issue.photos.values(), self.folder)
        with self.store.write() as session:
            return approve(session, issue, variants, by=by, now=self.clock.now(), needed=needed)

    def keep_sources(self, issue: Issue) -> list[str]:
        """Keep what the pages say that an approved issue's policies rest on; this asks the network, for no longer than
        half a minute. What couldn't be kept, in words: the approval stands without it.
        """
        from newsletter.linkkeeping import copies, keep, on_the_web

        urls = {url for url in copies.sources(copies.shown(issue)) if on_the_web(url)}
        if not urls or not self.config.links.copies:
            return []
        try:
            keep(self.store, urls, self.config, self.clock, copied=urls, within=_COPYING_SECONDS)
            with self.store.write() as session:
                return copies.approve(session, urls, issue.slug)
        except NewsletterError as fault:
            return [str(fault)]

    def _require_correction(self, issue: Issue, corrects: Corrects) -> None:
        """InputError when the page of an issue that is corrected by mail says nothing of it."""
        from newsletter import amendments

        with self.store.read() as session:
            rows = amendments.corrections(session, corrects.issue)
        if not any(row.mailed_in == issue.slug and row.removed_at is None for row in rows):
            what = f'it corrects "{corrects.issue}", on whose page no such correction stands'
            raise InputError(what, where=issue.path, hint=f"newsletter correct {corrects.issue} --mail --note TEXT")

    def approved(self, name: str) -> Snapshot:
        """The approval of an issue, by as many as it needs and still true of all that it was made of; CheckFailed
        or NotApproved if not.
        """
        from newsletter.send import latest, require

        with self.store.read() as session:
            snapshot = latest(session, self.issue_path(name).parent.name)
        issue, variants, _ = self.checked(name, also=[v.variant for v in snapshot.variants] if snapshot else ())
        with self.store.read() as session:
            return require(session, issue, variants, needed=self.config.publications[issue.publication].approvals)

    def approvers(self, name: str) -> tuple[str, ...]:
        """Who has approved an issue as it was frozen last."""
        from newsletter.send import approval

        with self.store.read() as session:
            return approval.approvers(session, self.issue_path(name).parent.name)

    def draft_correction(self, issue: Issue, variants: Collection[str] = ()) -> str:
        """Write the issue.md that mails the corrections of an issue which no mail has told yet, for those alone who
        were submitted it, in one of the variants where some are given; its path in the workspace.
        """
        from newsletter import amendments
        from newsletter.compose.draft import write_correction

        self.require_submitted(issue, variants)
        with self.store.write() as session:
            rows = amendments.unmailed(session, issue.slug, self.issue_names())
            if not rows:
                hint = f"newsletter correct {issue.slug} --mail --note TEXT"
                raise InputError("no correction waits to be mailed", where=issue.slug, hint=hint)
            wanted = (f"{issue.slug}-correction" + (f"-{n}" if n > 1 else "") for n in count(1))
            taken = {*self.issue_names(), *amendments.mails(session)}
            name = next(name for name in wanted if name not in taken)
            publication = self.config.publication(issue.publication)
            text = write_correction(
                publication,
                corrects=Corrects(issue=issue.slug, variants=tuple(variants)),
                title=issue.title,
                url=self.page_url(issue.slug),
                day=self.today(),
                notes=[row.note for row in rows],
                language=self.config.language(publication),
            )
            for row in rows:
                row.mailed_in = name
        path = self.issues / name / "issue.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return f"issues/{name}/issue.md"

    def require_submitted(self, issue: Issue, variants: Collection[str] = ()) -> None:
        """InputError when an issue, or one of these variants of it, was submitted to nobody."""
        from newsletter.send import uses

        with self.store.read() as session:
            known = uses.variants(session, issue.slug)
        if not known:
            raise InputError("was submitted to nobody", where=issue.slug, hint=f"newsletter report {issue.slug}")
        unknown = set(variants) - set(known)
        if unknown:
            what = f'"{min(unknown)}" was submitted to nobody'
            hint = nearest(min(unknown), known) or f"there are {', '.join(known)}"
            raise InputError(what, where=issue.slug, hint=hint)

    def courtesy(self, name: str, folder: Path, *, after: bool) -> tuple[list[Path], list[Member]]:
        """Write a letter to everybody on the roster whom an issue speaks of; also gives those without an address.

        Before, it's about the draft as it stands; after, about what was approved.
        """
        from newsletter.collect import members
        from newsletter.courtesy import write_letters
        from newsletter.send import latest

        issue = self.compose(name)
        with self.store.read() as session:
            snapshot = latest(session, issue.slug) if after else None
            if after and snapshot is None:
                what = "not approved, so there is nothing to share"
                raise NotApproved(what, where=issue.path, hint=f"newsletter approve {issue.slug}")
            shown = snapshot.issue if snapshot else issue
            found = members.mentions(shown, members.find(session))
        themes = self.template_folders("courtesy")
        return write_letters(shown, found, self.config, folder, after=after, themes=themes)

    def review(self, issue: Issue, target: Path) -> None:
        """Write an issue into one file for those who have to say yes: HTML, or a PDF where Chromium is there."""
        from newsletter import chromium
        from newsletter.review import review_page

        printed = target.suffix.lower() == ".pdf"
        variants = self.render(issue)
        page = review_page(
            issue, variants, self.check(issue, variants), self.reach(issue), self.config, printed=printed
        )
        if printed:
            chromium.print_pdf(page, target)
        else:
            target.write_text(page, encoding="utf-8")

    def picture_changes(self, issue: Issue, snapshot: Snapshot, variants: tuple[Rendered, ...], target: Path) -> None:
        """Write what differs from an approval into one HTML page, with both mails side by side as pictures."""
        from newsletter.review import changes_page
        from newsletter.send import approval

        lines = approval.changes(snapshot, variants)
        page = changes_page(issue, snapshot.issue, snapshot.variants[0], variants[0], lines, self.config)
        target.write_text(page, encoding="utf-8")
