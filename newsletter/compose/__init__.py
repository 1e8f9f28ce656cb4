"""An issue's file and the stored items it names, made into an Issue.

    +++
    publication = "network-download"
    title = "The Network Download: Two headlines and more | Oct 2022"
    date = 2022-10-12
    subject = "📬 Network Download | topic, topic & more!"
    preheader = "What the reader sees beside the subject"
    +++

    Hi {{ first_name | friend }},

    ## A section

    [[slug-of-an-item]] A headline for this issue only
    > A blurb for this issue only.

    - [[another-slug]]

A line of `[[slug]]` shows a stored item or policy as a card; in a bullet list it's a compact row. All that
is wrong in a file is reported at once, each fault with its line.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from newsletter import merge
from newsletter.compose.body import ANY_REFERENCE, Body, Library
from newsletter.compose.file import read_issue
from newsletter.config import Config, Publication
from newsletter.errors import InputError, IssueError, NewsletterError
from newsletter.markdown.source import prepared
from newsletter.model import Corrects, Coverage, Issue, Photo, SubjectTest, Waiver
from newsletter.photos import find_photo, read_photo

__all__ = ["FrontMatter", "Library", "compose", "front_matter", "references"]

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
#: In hours; readers who wait longer for an issue have forgotten it.
_LONGEST_TEST = 720
#: How far back a policy's change is news in a publication's first issue.
_FIRST_LOOK_BACK = dt.timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontMatter:
    """What stands between the `+++` lines. `hero` is a picture beside issue.md or in the workspace. `subject_b` is a
    second subject, to be tested against the first on a share of the readers for some hours. `corrects` is the issue
    that this one corrects by mail, and `corrects_variants` those of its variants that were wrong.
    """

    publication: str
    title: str
    date: dt.date
    subject: str = ""
    subject_b: str = ""
    test_share: float = 0.2
    test_hours: float = 4.0
    preheader: str = ""
    teaser: str = ""
    since: dt.date | None = None
    hero: str = ""
    hero_alt: str = ""
    hero_credit: str = ""
    corrects: str = ""
    corrects_variants: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.test_share <= 1:
            raise ValueError('"test_share" must be above 0 and at most 1: the share of the readers that a test takes')
        if not 0 < self.test_hours <= _LONGEST_TEST:
            raise ValueError(f'"test_hours" must be above 0 and at most {_LONGEST_TEST}')
        if self.corrects_variants and not self.corrects:
            raise ValueError('"corrects_variants" are variants of the issue that "corrects" names')


def front_matter(path: Path, named: str) -> FrontMatter:
    """Only what stands between the `+++` lines of an issue.md; IssueError with path:line where it's wrong."""
    return read_issue(path, named).table.read(FrontMatter)


def references(path: Path) -> set[str]:
    """The slugs that an issue.md names outside its comments, whatever state it's in; none when it can't be read."""
    try:
        return set(ANY_REFERENCE.findall(prepared(path.read_text(encoding="utf-8"))[0]))
    except (OSError, UnicodeDecodeError):
        return set()


def compose(
    path: Path,
    config: Config,
    library: Library,
    *,
    previous: dt.date | None = None,
    covered: Mapping[str, Coverage] | None = None,
    had_in: Mapping[str, tuple[str, ...]] | None = None,
) -> Issue:
    """The Issue of an `issue.md`. `previous` is the date of the publication's edition before this one, `covered`
    where policies were told first, by slug, and `had_in` the other publications' issues that have just told an item,
    by its slug or address.

    Raises IssueError with one problem for each thing wrong in the file.
    """
    named = path.relative_to(config.folder).as_posix() if path.is_relative_to(config.folder) else str(path)
    source = read_issue(path, named)
    matter = source.table.read(FrontMatter)
    problems: list[NewsletterError] = []
    if not _SLUG.fullmatch(path.parent.name):
        hint = "it becomes the web address: lower-case letters, digits and hyphens"
        problems.append(IssueError(f'the folder "{path.parent.name}" is no slug', where=named, hint=hint))
    publication = _publication(matter, config, named, source.table.document.line(("publication",)), problems)
    since = matter.since or previous or matter.date - _FIRST_LOOK_BACK
    body = Body(
        source,
        library,
        covered or {},
        had_in or {},
        path.parent,
        config.folder,
        since=since,
        until=matter.date,
        previous=previous if matter.since is None else None,
        language=config.language(publication) if publication else "en",
    )
    sections = body.sections()
    problems += body.problems
    hero = logo = partner_logo = None
    try:
        hero = _hero(matter, path.parent, config.folder)
    except InputError as fault:
        line = source.table.document.line(("hero",))
        problems.append(IssueError(fault.what, where=f"{named}:{line}", hint=fault.hint))
    if publication:
        logo, partner_logo = _logos(publication, config, problems)
    if problems:
        raise IssueError("can't be composed", where=named, problems=problems)
    return Issue(
        slug=path.parent.name,
        publication=matter.publication,
        title=matter.title,
        date=matter.date,
        since=since,
        subject=merge.parse(" ".join(matter.subject.split())),
        preheader=merge.parse(" ".join(matter.preheader.split())),
        teaser=matter.teaser,
        hero=hero,
        logo=logo,
        partner_logo=partner_logo,
        sections=sections,
        unused=body.unused,
        waivers=matter.waivers,
        subject_test=_subject_test(matter),
        corrects=Corrects(issue=matter.corrects, variants=matter.corrects_variants) if matter.corrects else None,
        path=named,
    )


def _subject_test(matter: FrontMatter) -> SubjectTest | None:
    if not matter.subject_b.strip():
        return None
    subject = merge.parse(" ".join(matter.subject_b.split()))
    return SubjectTest(subject=subject, share=matter.test_share, hours=matter.test_hours)


def _publication(
    matter: FrontMatter, config: Config, named: str, line: int, problems: list[NewsletterError]
) -> Publication | None:
    try:
        return config.publication(matter.publication)
    except NewsletterError as fault:
        problems.append(IssueError(fault.what, where=f"{named}:{line}", hint=fault.hint))
        return None


def _hero(matter: FrontMatter, folder: Path, workspace: Path) -> Photo | None:
    if not matter.hero:
        return None
    path = find_photo(matter.hero, folder, workspace)
    return read_photo(path, workspace, alt=matter.hero_alt, credit=matter.hero_credit, named=matter.hero)


def _logos(
    publication: Publication, config: Config, problems: list[NewsletterError]
) -> tuple[Photo | None, Photo | None]:
    partner = publication.partner
    wanted: Mapping[str, tuple[Path | None, str]] = {
        "logo": (publication.brand.logo, publication.name),
        "partner.logo": (partner.logo if partner else None, partner.name if partner else ""),
    }
    found: list[Photo | None] = []
    for key, (path, alt) in wanted.items():
        try:
            photo = read_photo(config.folder / path, config.folder, alt=alt, named=str(path)) if path else None
        except InputError as fault:
            where = f"{config.path.name}: [publications.{publication.slug}] {key}"
            problems.append(IssueError(fault.what, where=where))
            photo = None
        found.append(photo)
    return found[0], found[1]
