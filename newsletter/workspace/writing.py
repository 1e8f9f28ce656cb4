"""Issues while they are written: drafted, composed, rendered, checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter import collect
from newsletter.config import Publication
from newsletter.errors import CheckFailed, InputError, NotFound, nearest
from newsletter.merge import PERSONAL_FIELDS
from newsletter.model import (
    Coverage,
    Finding,
    Issue,
    Item,
    Reach,
    Rendered,
    is_site_folder,
)
from newsletter.store.records import (
    CorrectionRecord,
)
from newsletter.workspace.opened import Opened

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from newsletter.compose.news import LeftOut, Shelf, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An issue that isn't written yet: its folder's name, and what could stand in it; `corrections` of earlier
    issues are Markdown, by number.
    """

    publication: Publication
    slug: str
    path: Path
    named: str
    day: dt.date
    since: dt.date
    shelves: tuple[Shelf, ...]
    left_out: tuple[LeftOut, ...]
    told: Collection[str]
    corrections: Mapping[int, str] = field(default_factory=dict)


class Writing(Opened):
    """What staff do with an issue before anybody approves it."""

    def draft(
        self,
        publication: Publication,
        day: dt.date,
        since: dt.date | None,
        slug: str,
        again: Collection[str] = (),
    ) -> Draft:
        """A new issue of a publication for a day, with what is new from `since` on (by default since the last approved
        issue); `again` are items to tell again.
        """
        from newsletter.compose.draft import slug_of
        from newsletter.compose.news import gather
        from newsletter.send import uses

        name = slug or slug_of(publication, day)
        path, named = self.issues / name / "issue.md", f"issues/{name}/issue.md"
        if is_site_folder(name) or name in self.config.publications:
            hint = "give another --slug"
            raise InputError(f'the archive has another folder "{name}"', where=named, hint=hint)
        if since and since > day:
            raise InputError(f"--since {since} is after the issue's day, {day}", hint="give an earlier day")
        if path.exists():
            raise InputError("exists already", where=named, hint="edit it, or give another --slug")
        with self.store.read() as session:
            library = collect.library(session)
            unknown = min((one for one in again if not isinstance(library.get(one), Item)), default="")
            if unknown in library:
                raise InputError(f'"{unknown}" is a policy', hint=f"--again is for items; write [[{unknown}]]")
            if unknown:
                raise InputError(f'no stored item "{unknown}"', hint=nearest(unknown, library))
            window = self._window(session, publication, day, since, name, again)
            told = set(uses.first(session, publication.slug, day, name)) | set(again)
            corrections = self._untold(session, publication)
        shelves, left_out = gather(publication, library, window)
        return Draft(
            publication=publication,
            slug=name,
            path=path,
            named=named,
            day=day,
            since=window.since,
            shelves=shelves,
            left_out=left_out,
            told=told,
            corrections=corrections,
        )

    def _window(
        self,
        session: Session,
        publication: Publication,
        day: dt.date,
        since: dt.date | None,
        name: str,
        again: Collection[str],
    ) -> Window:
        """What counts as new in an issue of a publication for a day."""
        from newsletter.compose.news import Window
        from newsletter.send import approval, uses

        approved = approval.names(session)
        last = self.last_issue(publication.slug, day, approved)
        begin = since or (last[1] if last else day - dt.timedelta(days=publication.cadence_days))
        snapshot = approval.latest(session, last[0]) if last else None
        return Window(
            day=day,
            since=begin,
            late=collect.stored_after(session, snapshot.approved_at) if snapshot else (),
            by_date=since is not None,
            told=self._told(session, publication, day, name),
            named=self._named(publication.slug, name, approved),
            last=uses.slugs_used(session, last[0]) if last and last[1] == begin else (),
            again=again,
        )

    def _told(self, session: Session, publication: Publication, day: dt.date, issue: str) -> dict[str, str]:
        """Which approved issue told an item to a publication's readers, by slug and by address; another publication's
        only in the days whose repeats are skipped.
        """
        from newsletter.send import uses

        had = self._had_in(session, publication.slug, day, issue)
        told = {key: issues[-1] for key, issues in had.items()}
        for use in uses.of_publication(session, publication.slug):
            told |= dict.fromkeys(filter(None, (use.slug, use.address)), use.issue)
        return told

    def _named(self, publication: str, issue: str, approved: Collection[str]) -> dict[str, str]:
        """The drafts of a publication besides an issue, by the slugs that stand in them."""
        from newsletter.compose import references

        return {
            slug: name
            for name, matter in self.front_matters().items()
            if matter.publication == publication and name != issue and name not in approved
            for slug in references(self.issues / name / "issue.md")
        }

    def _untold(self, session: Session, publication: Publication) -> dict[int, str]:
        """What the next issue of a publication has to put right, as Markdown, by the correction's number."""
        from newsletter import amendments
        from newsletter.compose.draft import about
        from newsletter.send import latest

        found, language = {}, self.config.language(publication)
        for row in amendments.untold(session, publication.slug, self.issue_names()):
            snapshot = latest(session, row.issue)
            if snapshot:
                found[row.id] = about(
                    snapshot.issue.title, self.page_url(row.issue), snapshot.issue.date, row.note, language
                )
        return found

    def write_draft(self, draft: Draft, without: Collection[str] = ()) -> tuple[str, int]:
        """Write a draft's issue.md less some entries; gives its path in the workspace and how many entries it names."""
        from newsletter.compose.draft import write
        from newsletter.compose.news import Shelf

        kept = [Shelf(s.heading, tuple(e for e in s.entries if e.slug not in without)) for s in draft.shelves]
        corrections = list(draft.corrections.values())
        language = self.config.language(draft.publication)
        text = write(
            draft.publication, kept, day=draft.day, language=language, told=draft.told, corrections=corrections
        )
        # Until there is the file, they count as untold: killed in between, the next draft has them.
        with self.store.write() as session:
            for number in draft.corrections:
                session.get_one(CorrectionRecord, number).told_in = draft.slug
        draft.path.parent.mkdir(parents=True, exist_ok=True)
        draft.path.write_text(text, encoding="utf-8")
        return draft.named, sum(len(shelf.entries) for shelf in kept)

    def used_slugs(self) -> set[str]:
        """The items and policies that the issues in the workspace name."""
        from newsletter.compose import references

        return {slug for name in self.issue_names() for slug in references(self.issues / name / "issue.md")}

    def compose(self, name: str) -> Issue:
        """The issue of that name, composed from its file and the store."""
        from newsletter.compose import compose, front_matter

        path = self.issue_path(name)
        matter = front_matter(path, f"issues/{path.parent.name}/issue.md")
        with self.store.read() as session:
            library = collect.library(session)
            covered = self._covered(session, matter.publication, matter.date, path.parent.name)
            had_in = self._had_in(session, matter.publication, matter.date, path.parent.name)
        previous = self.previous_issue(matter.publication, matter.date)
        return compose(path, self.config, library, previous=previous, covered=covered, had_in=had_in)

    def _had_in(self, session: Session, publication: str, day: dt.date, issue: str) -> dict[str, tuple[str, ...]]:
        """Where another publication has told an item to all its readers, in the days whose repeats are skipped."""
        from newsletter.send import approval, uses

        known = self.config.publications.get(publication)
        if known is None or not known.skip_repeats_days:
            return {}
        since = day - dt.timedelta(days=known.skip_repeats_days)
        others = uses.others(session, publication, since, day, issue)
        return uses.told_to_all(filter(None, (approval.latest(session, other) for other in others)))

    def _covered(self, session: Session, publication: str, day: dt.date, issue: str) -> dict[str, Coverage]:
        """Where the publication told of every entry first, in approved issues before this one."""
        from newsletter.send import uses

        known = self.config.publications.get(publication)
        return {
            slug: Coverage(issue=use.issue, publication=known.name if known else publication, date=use.date)
            for slug, use in uses.first(session, publication, day, issue).items()
        }

    def reach(self, issue: Issue) -> Reach:
        """Who would get which variant of an issue, were it sent to its whole list now."""
        from newsletter.audience.variants import reach

        with self.store.read() as session:
            list_ = self.config.publications[issue.publication].list
            return reach(session, issue, list_, self.config, self.clock.now())

    def explain(self, issue: Issue, email: str) -> dict[str, object]:
        """Which list, segments and variant somebody gets of an issue, and why, or why not."""
        from newsletter.audience import find, variants

        publication = self.config.publications[issue.publication]
        with self.store.read() as session:
            person = find(session, email)
            if person is None:
                raise NotFound("nobody has that address", hint="newsletter subscribers import FILE")
            told = variants.explain(session, issue, person, publication.list, self.config, self.clock.now())
        return {"issue": issue.slug, **told}

    def render(self, issue: Issue, also: Iterable[str] = ()) -> tuple[Rendered, ...]:
        """All variants of an issue that the audience needs, each once; `default` is the first. `also` names
        more that are wanted.
        """
        from newsletter.audience.variants import DEFAULT, variant_named
        from newsletter.compose.variants import pick
        from newsletter.render import render

        needed = [*self.reach(issue).variants] if issue.guards or issue.local_states or issue.repeated else [DEFAULT]
        needed += [variant_named(issue, name) for name in also if name not in {variant.name for variant in needed}]
        folders = self.template_folders("email")
        return tuple(render(pick(issue, v), self.config, folders=folders, variant=v.name) for v in needed)

    def render_variant(self, issue: Issue, name: str) -> Rendered:
        """One variant of an issue, by its name."""
        from newsletter.audience.variants import variant_named
        from newsletter.compose.variants import pick
        from newsletter.render import render

        picked = pick(issue, variant_named(issue, name))
        return render(picked, self.config, folders=self.template_folders("email"), variant=name)

    def reader(self, issue: Issue, email: str) -> tuple[str, dict[str, str]]:
        """The variant that somebody would get of an issue, and the values of their merge fields."""
        from newsletter.audience import find

        variant = str(self.explain(issue, email)["variant"])
        with self.store.read() as session:
            person = find(session, email)
            values = {name: getattr(person, name) for name in PERSONAL_FIELDS} if person else {}
        return variant, values

    def check(self, issue: Issue, variants: tuple[Rendered, ...]) -> list[Finding]:
        """What is wrong with an issue, and with who would get which part of it."""
        from newsletter.check import check
        from newsletter.collect import members
        from newsletter.send import uses

        reach = self.reach(issue) if issue.guards else None
        with self.store.read() as session:
            earlier = uses.earlier(session, issue)
            names = tuple(name for member in members.find(session) for name in member.names)
        return check(issue, variants, self.config, reach, earlier, names)

    def fix(self, name: str) -> dict[str, tuple[str, str]]:
        """Put right what needs no judgement, in an issue's file and in the workspace's own email templates; each file
        that was changed, by its name in the workspace, as it was and as it is.
        """
        from newsletter.compose.fixes import fixed, fixed_template

        tracking = self.config.collect.tracking
        work: dict[Path, Callable[[str], str]] = {self.issue_path(name): lambda text: fixed(text, tracking)}
        work |= dict.fromkeys(sorted((self.folder / "templates" / "email").rglob("*.mjml.j2")), fixed_template)
        changed = {}
        for path, change in work.items():
            before = path.read_bytes().decode("utf-8")
            if (after := change(before)) != before:
                path.write_bytes(after.encode("utf-8"))
                changed[path.relative_to(self.folder).as_posix()] = (before, after)
        return changed

    def check_links(self, issue: Issue, *, afresh: bool = False) -> list[Finding]:
        """Which of an issue's links don't answer; this asks the network. What was asked within the last day is asked
        again only `afresh`.
        """
        from newsletter.check import waived
        from newsletter.check.rules import Subject
        from newsletter.linkkeeping import copies, keep
        from newsletter.linkkeeping.findings import addresses, findings

        subject = Subject(issue=issue, variants=(), config=self.config)
        urls = addresses(subject)
        copied = urls.keys() & set(copies.sources(copies.shown(issue)))
        keep(self.store, urls, self.config, self.clock, afresh=afresh, copied=copied)
        with self.store.read() as session:
            return [waived(finding, issue) for finding in findings(session, subject)]

    def check_spam(self, issue: Issue, mail: Rendered) -> list[Finding]:
        """What SpamAssassin says of a whole message; InputError when it isn't installed."""
        from newsletter.check import spam, waived

        message = self.campaigns().message(self.config.publications[issue.publication], mail)
        return [waived(finding, issue) for finding in spam.findings(message)]

    def checked(self, name: str, also: Iterable[str] = ()) -> tuple[Issue, tuple[Rendered, ...], list[Finding]]:
        """Compose, render (the variants in `also`, too) and check; CheckFailed when a finding blocks."""
        from newsletter.check import blocks

        issue = self.compose(name)
        variants = self.render(issue, also)
        findings = self.check(issue, variants)
        errors = [finding for finding in findings if blocks(finding)]
        if errors:
            count = f"{len(errors)} error{'s' if len(errors) > 1 else ''}"
            hint = f"newsletter check {issue.slug}"
            raise CheckFailed(f"{errors[0].message}; the check found {count}", where=errors[0].where, hint=hint)
        return issue, variants, findings
