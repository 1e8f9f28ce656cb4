"""Pages that list: the front, publications, years, the kinds of items, topics, places and people; and topics' feeds."""

from __future__ import annotations

import datetime as dt
import html
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from newsletter.model import ArchiveSection, Kind
from newsletter.publish.catalog import Step, Subject
from newsletter.publish.feeds import LENGTH, Feed, FeedEntry
from newsletter.publish.ids import PublicId
from newsletter.publish.planned import Page, Site
from newsletter.publish.prose import stored_html
from newsletter.publish.sections import Section
from newsletter.publish.summary import Entry, Summary
from newsletter.render.markdown import plain
from newsletter.render.words import kind_words, place_words, said, status_words

#: How many issues a publication's own page shows, and how many entries a list; more are on the pages of years.
_ISSUES, _ENTRIES = 25, 100
#: How many of each kind the front page shows.
_FRONT, _FEW = 13, 5


def pages(site: Site) -> Iterator[Page]:
    """All of them."""
    yield _front(site)
    yield from _years(site, "", site.catalog.issues, None)
    for slug, issues in site.catalog.publications.items():
        yield from _publication(site, slug, issues)
    for section in site.listed:
        if section.kind and section.kind.section:
            yield from _kind(site, section.kind, section.kind.section)
        elif section.subject:
            yield from _subjects(site, section)


def _front(site: Site) -> Page:
    catalog = site.catalog
    issues = catalog.issues[:_FRONT]
    steps = catalog.steps[:_FEW]
    kinds = [section.kind for section in site.listed if section.kind]
    shelves = [shelf for kind in kinds if kind.section and (shelf := _shelf(site, kind, kind.section)).entries]
    topics = sorted(catalog.subjects["topics"].values(), key=lambda topic: (-topic.count, topic.name))[:16]
    years = _years_of(catalog.issues)
    depends = [
        *map(site.mark, issues),
        *(f"{step.policy.slug} {step.anchor} {site.policy_mark[step.policy.slug]}" for step in steps),
        *(f"{shelf.folder} {site.marks(shelf.entries)}" for shelf in shelves),
        *((topic.slug, topic.name, topic.count) for topic in topics),
        years,
    ]
    return site.page(
        "index.html",
        "index.html.j2",
        depends,
        shown=issues,
        steps=steps,
        shelves=shelves,
        topics=topics,
        years=years,
    )


class Shelf(NamedTuple):
    """A kind on the front page: its title and folder, its first entries, and the words of the link to all."""

    title: str
    folder: str
    entries: list[Entry]
    all: str


def _shelf(site: Site, kind: Kind, section: ArchiveSection) -> Shelf:
    say = partial(kind_words, kind, language=site.catalog.config.archive.language)
    return Shelf(
        say(section.front or section.title), section.folder, site.catalog.listed(kind)[:_FEW], say(section.all)
    )


def _years_of(issues: Sequence[Summary]) -> list[str]:
    return sorted({issue.year for issue in issues}, reverse=True)


def _years(site: Site, folder: str, issues: Sequence[Summary], publication: str | None) -> Iterator[Page]:
    """A page for every year, of all publications or of one."""
    years = _years_of(issues)
    for year, grouped in groupby(issues, lambda issue: issue.year):
        mine = list(grouped)
        depends = [*map(site.mark, mine), years]
        values = {"year": year, "years": years, "shown": mine, "folder": folder, "publication": publication}
        yield site.page(f"{folder}{year}/index.html", "year.html.j2", depends, **values)


def _publication(site: Site, slug: str, issues: list[Summary]) -> Iterator[Page]:
    shown, years = issues[:_ISSUES], _years_of(issues)
    publication = site.catalog.config.publications[slug]
    yield site.page(
        f"{slug}/index.html",
        "publication.html.j2",
        [*map(site.mark, shown), years],
        publication=publication,
        shown=shown,
        years=years,
    )
    yield from _years(site, f"{slug}/", issues, slug)


def _by_year(site: Site, folder: str, entries: list[Entry], template: str, **values: Any) -> Iterator[Page]:
    """The newest entries on one page and, where there are more, a page for every year."""
    depends = values.pop("depends", [])
    years = sorted({entry.date[:4] for entry in entries}, reverse=True) if len(entries) > _ENTRIES else []
    newest = entries[:_ENTRIES]
    yield site.page(
        f"{folder}index.html",
        template,
        [site.marks(newest), years, *depends],
        entries=newest,
        years=years,
        folder=folder,
        year="",
        **values,
    )
    by_year: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries if years else ():
        by_year[entry.date[:4]].append(entry)
    for year, mine in by_year.items():
        path = f"{folder}{year}/index.html"
        shown = {"entries": mine, "years": years, "folder": folder, "year": year}
        yield site.page(path, template, [site.marks(mine), years, *depends], **shown, **values)


def _kind(site: Site, kind: Kind, section: ArchiveSection) -> Iterator[Page]:
    """The list of a kind: by year, or what lies ahead and what is over, or what is open."""
    catalog, folder = site.catalog, section.folder
    say = partial(kind_words, kind, language=catalog.config.archive.language)
    words = {"title": say(section.title), "description": say(section.description)}
    path = f"{folder}/index.html"
    match kind.dated_by:
        case "starts":
            ahead, past = catalog.ahead_and_past(kind)
            marks = [site.marks(ahead), site.marks(past[:_ENTRIES])]
            words |= {"folder": f"{folder}/", "empty": say(section.empty), "over": say(section.past)}
            yield site.page(path, "events.html.j2", marks, ahead=ahead, past=past[:_ENTRIES], **words)
        case "closes":
            jobs = catalog.listed(kind)
            yield site.page(path, "jobs.html.j2", [site.marks(jobs)], jobs=jobs, empty=say(section.empty), **words)
        case "date":
            yield from _by_year(site, f"{folder}/", catalog.kinds[kind.name], "entries.html.j2", **words)


def _subjects(site: Site, section: Section) -> Iterator[Page]:
    kind = section.folder
    subjects = list(site.catalog.subjects[kind].values())
    told = [(subject.slug, subject.name, subject.count) for subject in subjects]
    _ = site.pages.gettext
    values = {"kind": kind, "title": _(section.title), "description": _(section.description), "subjects": subjects}
    yield site.page(f"{kind}/index.html", "subjects.html.j2", told, **values)
    for subject in subjects:
        yield from _subject(site, subject)
        if kind == "topics":
            marks = [site.marks(subject.entries[:LENGTH]), *_policy_marks(site, subject), *_topic_ids(site, subject)]
            yield from site.feeds(lambda topic=subject: topic_feed(site, topic), subject.folder, marks)  # type: ignore[misc]


def _topic_ids(site: Site, topic: Subject) -> list[PublicId]:
    catalog = site.catalog
    steps = (Step(policy, change) for policy in topic.policies for change in policy.history)
    past = (step for step in steps if step.change.date <= catalog.today)
    return [*map(catalog.story_id, topic.entries[:LENGTH]), *map(catalog.step_id, past)]


def _policy_marks(site: Site, subject: Subject) -> list[str]:
    return [site.policy_mark[policy.slug] for policy in subject.policies]


def _subject(site: Site, subject: Subject) -> Iterator[Page]:
    inside = [(place.slug, place.name, place.count) for place in subject.inside]
    depends = [subject.name, subject.office, *inside, *_policy_marks(site, subject)]
    yield from _by_year(site, subject.folder, subject.entries, "subject.html.j2", subject=subject, depends=depends)


def topic_feed(site: Site, topic: Subject) -> Feed:
    """What is new about a topic: stories as they are told, and policies as they move."""
    by_slug = site.catalog.by_slug
    steps = [
        Step(policy, change)
        for policy in topic.policies
        for change in policy.history
        if change.date <= site.catalog.today
    ]
    found = [_story(site, entry, by_slug[entry.issue]) for entry in topic.entries[:LENGTH]]
    found += [step_entry(site, step) for step in steps]
    newest = sorted(found, key=lambda entry: (entry.published, entry.url), reverse=True)[:LENGTH]
    name = topic.name[:1].upper() + topic.name[1:]
    title = f"{name} – {site.catalog.config.archive.title}"
    return Feed(
        id=site.catalog.feed_id(topic.folder).id,
        folder=topic.folder,
        title=title,
        description=site.pages.gettext("Stories and policies about {name}.").format(name=topic.name),
        entries=newest,
    )


def _story(site: Site, entry: Entry, issue: Summary) -> FeedEntry:
    day: dt.date = issue.date
    known = site.catalog.story_id(entry)
    return FeedEntry(
        id=known.id,
        url=site.pages.url(f"{issue.slug}/#{entry.slug}"),
        title=entry.headline,
        published=day,
        updated=max(day, known.updated or day),
        summary=entry.headline,
        content=entry.blurb or f"<p>{html.escape(entry.headline)}</p>",
    )


def step_entry(site: Site, step: Step) -> FeedEntry:
    """A change of a policy, as a feed tells it."""
    policy, change = step.policy, step.change
    note = str(stored_html(change.note)) if change.note else ""
    language = site.catalog.config.archive.language
    known = site.catalog.step_id(step)
    return FeedEntry(
        id=known.id,
        url=site.pages.url(f"policies/{policy.slug}/#{step.anchor}"),
        title=f"{place_words(policy.place, language)}: {policy.title} – {status_words(change.status, language)}",
        published=change.date,
        updated=max(change.date, known.updated or change.date),
        summary=said(change, language) + (f". {plain(change.note)}" if change.note else ""),
        content=f"<p>{html.escape(said(change, language))}</p>{note}{stored_html(policy.summary)}",
    )
