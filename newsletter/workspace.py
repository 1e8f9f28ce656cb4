"""The workspace: a folder with config.toml, issues/ and the store, in which the pipeline comes together.

The command line, the studio and the public service work through this and hold no logic of their own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import func, select

from newsletter import codec, collect, config, tokens
from newsletter.audience import columns, importing
from newsletter.audience.exports import open_export
from newsletter.config import Config, Publication
from newsletter.errors import CheckFailed, InputError, NewsletterError, NotApproved, NotFound, nearest
from newsletter.merge import PERSONAL_FIELDS
from newsletter.model import (
    Amendments,
    Corrects,
    Coverage,
    DeliveryState,
    Finding,
    Issue,
    Member,
    Policy,
    Reach,
    Rendered,
    Snapshot,
)
from newsletter.resources import TEMPLATES
from newsletter.send import Clock
from newsletter.send.mailing import Mailing
from newsletter.store import Store, open_store
from newsletter.store.records import (
    ApprovalRecord,
    CorrectionRecord,
    ItemRecord,
    PageRecord,
    PolicyRecord,
    ReplacementRecord,
    StatusRecord,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from newsletter.collect.pull import Intake
    from newsletter.compose import FrontMatter
    from newsletter.compose.draft import Shelf
    from newsletter.feedback import CampaignReport
    from newsletter.hooks import Hooks
    from newsletter.linkkeeping import Place
    from newsletter.notices import Notices
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
class Stage:
    """Where an issue stands and which command it waits for; `due` is when the publication's next one is."""

    publication: str
    issue: str = ""
    date: dt.date | None = None
    due: dt.date | None = None
    stage: str = "no issue yet"
    missing: str = ""
    next: str = ""

    @classmethod
    def of(
        cls,
        publication: str,
        issue: str,
        day: dt.date,
        due: dt.date | None,
        *,
        persons: tuple[str, ...],
        needed: int,
        reports: list[CampaignReport],
        missing: str,
    ) -> Stage:
        """The stage of an issue, from who has approved it and its campaigns; `missing` is what its draft lacks."""
        counts = sum((report.counts for report in reports), Counter[DeliveryState]())
        done = counts[DeliveryState.SUBMITTED]
        total = counts.total() - counts[DeliveryState.WITHHELD]
        if reports and done == total:
            stage, command = f"submitted to {done:,}", ""
        elif reports:
            stage, command = f"submitted to {done:,} of {total:,}", "send"
        elif len(persons) >= needed:
            stage, command = "approved", "send"
        elif persons:
            stage, command = f"approved by {', '.join(persons)}, {len(persons)} of {needed}", "approve"
        elif missing:
            stage, command = "draft", "check"
        else:
            stage, command = "draft, waits for approval", "approve"
        return cls(publication=publication, issue=issue, date=day, due=due, stage=stage, missing=missing, next=command)

    def plain(self) -> dict[str, object]:
        """The row for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


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
    told: Collection[str]
    corrections: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Workspace:
    """An opened workspace; `clock` is the only source of time."""

    config: Config
    clock: Clock
    environment: dict[str, str] | None = field(default=None, repr=False)

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Workspace:
        """Open the workspace of a config file."""
        return cls(config.load(path), clock)

    @property
    def folder(self) -> Path:
        """The folder of config.toml."""
        return self.config.folder

    @property
    def issues(self) -> Path:
        """The folder that holds a folder for each issue."""
        return self.folder / "issues"

    @cached_property
    def store(self) -> Store:
        """The database, opened at first use."""
        return open_store(self.config.database, self.folder)

    @cached_property
    def signer(self) -> tokens.Signer:
        """Signs and checks readers' links."""
        return tokens.Signer(self.config.secret(self.environment))

    def close(self) -> None:
        """Give back what is open."""
        if "store" in self.__dict__:
            self.store.close()

    def today(self) -> dt.date:
        """The day it is in the workspace's timezone."""
        return self.clock.now().astimezone(self.config.timezone).date()

    def template_folders(self, kind: str) -> tuple[Path, ...]:
        """Where templates of a kind (`email`, `archive`) are looked for: the workspace's own first."""
        return self.folder / "templates" / kind, TEMPLATES / kind

    def issue_names(self) -> list[str]:
        """The issues there are, by the names of their folders."""
        return sorted(path.parent.name for path in self.issues.glob("*/issue.md"))

    def issue_path(self, name: str) -> Path:
        """The issue.md of an issue, named by its folder or by a path to either; NotFound with the nearest."""
        given = Path(name)
        for path in (self.issues / name / "issue.md", given / "issue.md", given):
            if path.is_file() and path.name == "issue.md":
                return path.resolve() if path.is_absolute() else self.folder / path
        known = self.issue_names()
        hint = nearest(given.name, known) or (f"known: {', '.join(known)}" if known else "newsletter draft PUBLICATION")
        raise NotFound(f'no issue "{name}"', where=self.issues.name, hint=hint)

    def front_matters(self) -> dict[str, FrontMatter]:
        """What stands at the head of every issue; files that can't be read are left to `compose` to explain."""
        from newsletter.compose import front_matter

        found = {}
        for name in self.issue_names():
            try:
                found[name] = front_matter(self.issues / name / "issue.md", f"issues/{name}/issue.md")
            except NewsletterError:
                continue
        return found

    def previous_issue(self, publication: str, day: dt.date) -> dt.date | None:
        """The date of a publication's last issue before `day`."""
        dates = (
            matter.date
            for matter in self.front_matters().values()
            if matter.publication == publication and matter.date < day and not matter.corrects
        )
        return max(dates, default=None)

    def draft(self, publication: Publication, day: dt.date, since: dt.date | None, slug: str) -> Draft:
        """A new issue of a publication for a day, with what is new after `since` (by default the last issue)."""
        from newsletter.compose.draft import gather, slug_of
        from newsletter.send import uses

        name = slug or slug_of(publication, day)
        path, named = self.issues / name / "issue.md", f"issues/{name}/issue.md"
        if path.exists():
            raise InputError("exists already", where=named, hint="edit it, or give another --slug")
        last = self.previous_issue(publication.slug, day)
        begin = since or last or day - dt.timedelta(days=publication.cadence_days)
        with self.store.read() as session:
            library = collect.library(session)
            told = set(uses.first(session, publication.slug, day, name))
            corrections = self._untold(session, publication)
        return Draft(
            publication=publication,
            slug=name,
            path=path,
            named=named,
            day=day,
            since=begin,
            shelves=gather(publication, library, day=day, since=begin, used=self.used_slugs()),
            told=told,
            corrections=corrections,
        )

    def _untold(self, session: Session, publication: Publication) -> dict[int, str]:
        """What the next issue of a publication has to put right, as Markdown, by the correction's number."""
        from newsletter import amendments
        from newsletter.compose.draft import about
        from newsletter.send import latest

        found = {}
        for row in amendments.untold(session, publication.slug, self.issue_names()):
            snapshot = latest(session, row.issue)
            if snapshot:
                found[row.id] = about(snapshot.issue.title, self.page_url(row.issue), snapshot.issue.date, row.note)
        return found

    def write_draft(self, draft: Draft, without: Collection[str] = ()) -> tuple[str, int]:
        """Write a draft's issue.md less some entries; gives its path in the workspace and how many entries it names."""
        from newsletter.compose.draft import Shelf, write

        kept = [Shelf(s.heading, tuple(e for e in s.entries if e.slug not in without)) for s in draft.shelves]
        corrections = list(draft.corrections.values())
        text = write(draft.publication, kept, day=draft.day, told=draft.told, corrections=corrections)
        # Until there is the file, they count as untold: killed in between, the next draft has them.
        with self.store.write() as session:
            for number in draft.corrections:
                session.get_one(CorrectionRecord, number).told_in = draft.slug
        draft.path.parent.mkdir(parents=True, exist_ok=True)
        draft.path.write_text(text, encoding="utf-8")
        return draft.named, sum(len(shelf.entries) for shelf in kept)

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
            text = write_correction(
                self.config.publication(issue.publication),
                corrects=Corrects(issue=issue.slug, variants=tuple(variants)),
                title=issue.title,
                url=self.page_url(issue.slug),
                day=self.today(),
                notes=[row.note for row in rows],
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

    def page_url(self, path: str) -> str:
        """The public address of a page of the archive."""
        return f"{self.config.archive.url.rstrip('/')}/{path}/"

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

    def templates(self) -> dict[str, str]:
        """Every email template and whose it is, "workspace" or "product"; the workspace's own win."""
        from newsletter.render.templates import TemplateSet

        own, product = self.template_folders("email")
        names = TemplateSet((own, product), self.folder).names()
        return {name: "workspace" if (own / name).is_dir() else "product" for name in names}

    def render_specimens(self, template: str) -> dict[str, Rendered]:
        """An issue with every kind of block in a template, in each publication's look, by publication."""
        from newsletter.render import render
        from newsletter.render.specimen import specimen

        if template not in self.templates():
            known = self.templates()
            hint = nearest(template, known) or f"there are {', '.join(known)}"
            raise NotFound(f'no template "{template}"', hint=hint)
        found = {}
        for publication in self.config.publications.values():
            tried = replace(publication, template=template)
            config = replace(self.config, publications={**self.config.publications, tried.slug: tried})
            found[tried.slug] = render(specimen(tried), config, folders=self.template_folders("email"))
        return found

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

    def check_links(self, issue: Issue, *, afresh: bool = False) -> list[Finding]:
        """Which of an issue's links don't answer; this asks the network. What answered well within the last day is
        asked again only `afresh`.
        """
        from newsletter.check import waived
        from newsletter.check.live import Memory, check_live
        from newsletter.check.rules import Subject

        memory = Memory(self.folder / ".cache" / "links.json", self.clock.now())
        if afresh:
            memory.path.unlink(missing_ok=True)
        subject = Subject(issue=issue, variants=(), config=self.config)
        hosts = self.config.collect.private_hosts
        found = check_live(subject, sleep=self.clock.sleep, private_hosts=hosts, memory=memory)
        return [waived(finding, issue) for finding in found]

    def check_spam(self, issue: Issue, mail: Rendered) -> list[Finding]:
        """What SpamAssassin says of a whole message; InputError when it isn't installed."""
        from newsletter.check import spam, waived

        message = self.mailing().message(self.config.publications[issue.publication], mail)
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

    def intake(self) -> Intake:
        """All that collecting needs."""
        from newsletter.collect.pull import Intake

        return Intake(
            store=self.store,
            workspace=self.folder,
            rules=self.config.collect,
            own_host=urlsplit(self.config.organization.url).hostname or "",
            now=self.clock.now(),
            today=self.today(),
        )

    def used_slugs(self) -> set[str]:
        """The items and policies that the issues in the workspace name."""
        from newsletter.compose import references

        return {slug for name in self.issue_names() for slug in references(self.issues / name / "issue.md")}

    def mailing(self) -> Mailing:
        """All that sending needs."""
        return Mailing(store=self.store, config=self.config, clock=self.clock, unsubscribe_url=self.unsubscribe_url)

    def notices(self) -> Notices:
        """The service's own mails."""
        from newsletter.notices import Notices

        return Notices(self.store, self.config, self.clock, self.service_url, self.address_hash)

    def hooks(self) -> Hooks:
        """The programs that are told of changes."""
        from newsletter.hooks import Hooks

        environment = os.environ if self.environment is None else self.environment
        return Hooks(self.store, self.config.hooks, self.clock, environment)

    def unsubscribe_url(self, subscriber: int, list: str) -> str:  # noqa: A002 (the word for it)
        """A reader's own address for leaving a list."""
        token = self.signer.sign(tokens.Purpose.UNSUBSCRIBE, tokens.Claim(subscriber=subscriber, list=list))
        return f"{self.config.service.url.rstrip('/')}/u/{token}"

    def service_url(self, path: str, purpose: tokens.Purpose, subscriber: int, about: str) -> str:
        """A reader's own address for something else than leaving; `about` is as `newsletter.tokens.Claim.list`."""
        token = self.signer.sign(purpose, tokens.Claim(subscriber=subscriber, list=about))
        return f"{self.config.service.url.rstrip('/')}/{path}/{token}"

    def address_hash(self, address: str) -> str:
        """The keyed hash of an address."""
        return tokens.AddressHash(self.config.secret(self.environment))(address)

    def import_people(
        self,
        path: Path,
        *,
        mapping: Mapping[str, str] | None = None,
        lists: tuple[str, ...] = (),
        rejects: Path | None = None,
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> importing.Report:
        """Bring an export of people in, all of it or nothing.

        `mapping` is which column each field is in (by default guessed) and is remembered for exports with the
        same header; `lists` are for rows that name none; rejected rows go to `rejects`, by default beside the
        file or, where that can't be written, into the workspace.
        """
        with open_export(path) as table:
            header = table.header
        beside = path.parent if os.access(path.parent, os.W_OK) else self.folder
        rules = importing.Rules(
            mapping=columns.guess(header, self.config.attributes) if mapping is None else mapping,
            lists=self.config.lists,
            default_lists=lists,
            attributes=self.config.attributes,
            hash_address=tokens.AddressHash(self.config.secret(self.environment)),
            rejects=rejects or beside / f"{path.stem}.rejects.csv",
        )
        with self.store.write() as session:
            report = importing.import_people(session, path, rules, self.clock.now(), progress=progress)
            columns.remember(session, header, rules.mapping, self.clock.now())
            if dry_run:
                session.rollback()
        return report

    def status(self) -> list[Stage]:
        """Where each publication's issues stand, newest first; a publication without one has a row as well."""
        from newsletter import feedback
        from newsletter.send import approval

        matters = self.front_matters()
        rows = []
        with self.store.read() as session:
            for slug, publication in self.config.publications.items():
                mine = sorted(((m.date, n) for n, m in matters.items() if m.publication == slug), reverse=True)
                issues = [day for day, name in mine if not matters[name].corrects]
                due = issues[0] + dt.timedelta(days=publication.cadence_days) if issues else None
                if not mine:
                    rows.append(Stage(publication=slug))
                for day, name in mine:
                    persons = approval.approvers(session, name)
                    reports = feedback.report(session, name)
                    rows.append(
                        Stage.of(
                            slug,
                            name,
                            day,
                            due,
                            persons=persons,
                            needed=publication.approvals,
                            reports=reports,
                            missing="" if persons or reports else self._missing(name),
                        )
                    )
                    due = None
        return rows

    def _missing(self, name: str) -> str:
        """What stands between a draft and its approval, in a few words; nothing when nothing does."""
        from newsletter.check import blocks

        try:
            issue = self.compose(name)
            errors = [finding for finding in self.check(issue, self.render(issue)) if blocks(finding)]
        except NewsletterError as fault:
            return str(fault).splitlines()[0]
        return f"{errors[0].message}" + (f", and {len(errors) - 1} more" if errors[1:] else "") if errors else ""

    def inbox_count(self) -> int:
        """How many collected items nobody has looked at."""
        from newsletter.collect import inbox

        with self.store.read() as session:
            return inbox.count(session)

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
        from newsletter.send import documents

        archive = replace(self.config.archive, url=base_url or self.config.archive.url)
        with self.store.read() as session:
            latest = self._latest(session)
            decided = self.decided(session, latest)
            old = {moved.old for moved in decided.moved}
            return publish(
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
                folder=folder,
                searchable=searchable,
            )

    def published_links(self, since: dt.date = dt.date.min) -> dict[str, list[Place]]:
        """Every page that published issues, and policies, link to, with where; with `since`, only the newer ones."""
        from newsletter.linkkeeping import published

        with self.store.read() as session:
            entries = collect.library(session).values()
        policies = [entry for entry in entries if isinstance(entry, Policy)]
        return published(self.published(), policies, self.config, since=since)

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


def system_clock() -> Clock:
    """The real time."""
    import time

    spread = secrets.SystemRandom()
    return Clock(
        now=lambda: dt.datetime.now(dt.UTC), sleep=time.sleep, jitter=lambda seconds: spread.uniform(0, seconds)
    )
