"""An issue's own pages: the article, the message as it was mailed, plain text, and its card; and feeds of issues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from newsletter.languages import gettext
from newsletter.links import cleaned_text
from newsletter.merge import reader_links
from newsletter.model import POLICY, Snapshot, Variant
from newsletter.publish import mailed, twins
from newsletter.publish.feeds import LENGTH, Feed, FeedEntry
from newsletter.publish.pages import Pages
from newsletter.publish.pictures import card, original
from newsletter.publish.planned import Page, Site
from newsletter.publish.prose import legal, stored_html
from newsletter.publish.summary import Summary, public_issue
from newsletter.render.words import headlines, month


def pages(site: Site) -> Iterator[Page]:
    """The files of every issue, and the feeds that hold whole issues."""
    catalog = site.catalog
    for issues in catalog.publications.values():
        for number, issue in enumerate(issues):
            older = issues[number + 1] if number + 1 < len(issues) else None
            newer = issues[number - 1] if number else None
            yield from _issue(site, issue, older, newer)
    yield from _feeds(site, "", catalog.config.archive.title, catalog.config.archive.description, catalog.issues)
    for slug, mine in catalog.publications.items():
        publication = catalog.config.publications[slug]
        language = catalog.config.language(publication)
        yield from _feeds(site, f"{slug}/", publication.name, publication.tagline, mine, language)


def _issue(site: Site, issue: Summary, older: Summary | None, newer: Summary | None) -> Iterator[Page]:
    catalog, folder = site.catalog, issue.slug
    turn = [(other.slug, other.title) if other else None for other in (older, newer)]
    linked = [entry.slug for entry in issue.entries if entry.kind == POLICY and entry.slug in catalog.policy]
    covered = [slug for slug in issue.covers if slug in catalog.by_slug]
    amended = catalog.corrections.get(issue.slug)
    depends = (issue.digest, turn, linked, covered, amended)
    yield Page(
        f"{folder}/index.html",
        site.key("article", *depends),
        lambda snapshot: page(site.pages, issue, snapshot, older, newer),
        folder,
    )
    key = site.key("mail", issue.digest)
    yield Page(f"{folder}/as-mailed.html", key, lambda snapshot: _as_mailed(site.pages, snapshot), folder)
    yield Page(f"{folder}/index.md", key, lambda snapshot: _twin(site.pages, issue, snapshot), folder)
    yield Page(f"{folder}/plain.txt", key, lambda snapshot: _plain(site.pages, snapshot), folder)
    yield Page(
        f"{folder}/card.jpg",
        site.key("card", issue.title, issue.day, issue.publication, issue.lead),
        lambda: _card(site, issue),
    )


def page(pages: Pages, issue: Summary, snapshot: Snapshot, older: Summary | None, newer: Summary | None) -> bytes:
    """The article."""
    path = f"{issue.slug}/index.html"
    return pages.render(
        path,
        "issue.html.j2",
        issue=public_issue(snapshot, pages.config.collect.tracking),
        summary=issue,
        publication=pages.config.publications[issue.publication],
        older=older,
        newer=newer,
        corrections=pages.catalog.corrections.get(issue.slug, []),
        updated=pages.catalog.updated(issue),
    )


def _as_mailed(pages: Pages, snapshot: Snapshot) -> bytes:
    mail = next(variant for variant in snapshot.variants if variant.variant == Variant().name)
    # Nobody's name and nobody's link: the fallbacks, and the service's page that belongs to no reader.
    text = mail.html.merge_html(_nobody(pages))
    return mailed.page(text, pages.base, pages.config.collect.tracking)


def _twin(pages: Pages, issue: Summary, snapshot: Snapshot) -> bytes:
    publication = pages.config.publications[issue.publication]
    shown, language = public_issue(snapshot, pages.config.collect.tracking), pages.config.language(publication)
    return twins.issue_text(shown, publication.name, language, pages.url("media")).encode()


def _plain(pages: Pages, snapshot: Snapshot) -> bytes:
    mail = next(variant for variant in snapshot.variants if variant.variant == Variant().name)
    text = mail.text.merge(_nobody(pages))
    return legal(cleaned_text(text, pages.config.collect.tracking)).encode()


def _nobody(pages: Pages) -> dict[str, str]:
    return reader_links(f"{pages.config.service.url.rstrip('/')}/u/")


def _card(site: Site, issue: Summary) -> bytes:
    config = site.catalog.config
    publication = config.publications[issue.publication]
    picture = original(issue.lead, config.folder, issue.slug) if issue.lead else None
    title = headlines(issue, publication)
    when = month(issue.date, config.language(publication))
    return card(title, publication.name, when, publication.brand, picture)


def body(pages: Pages, snapshot: Snapshot) -> str:
    """The whole issue as HTML whose addresses are absolute: what a feed reader shows."""
    issue = public_issue(snapshot, pages.config.collect.tracking)
    return pages.text("feed-body.html.j2", path=f"{issue.slug}/index.html", issue=issue)


def body_key(site: Site, issue: Summary) -> str:
    """What an issue's body for feeds depends on."""
    return site.key("body", issue.digest)


def in_feeds(site: Site) -> list[Summary]:
    """The issues that some feed holds whole."""
    catalog = site.catalog
    newest = [*catalog.issues[:LENGTH], *(i for issues in catalog.publications.values() for i in issues[:LENGTH])]
    return list({issue.slug: issue for issue in newest}.values())


def _feeds(
    site: Site, folder: str, title: str, description: str, issues: Sequence[Summary], language: str = ""
) -> Iterator[Page]:
    newest = issues[:LENGTH]

    def feed() -> Feed:
        return Feed(
            id=site.catalog.feed_id(folder).id,
            folder=folder,
            title=title,
            description=description,
            entries=[_entry(site, issue) for issue in newest],
            language=language,
        )

    yield from site.feeds(feed, folder, [title, description, *map(site.mark, newest)])


def _entry(site: Site, issue: Summary) -> FeedEntry:
    corrections = site.catalog.corrections.get(issue.slug, [])
    config = site.catalog.config
    word = gettext(config.language(config.publications[issue.publication]))("Correction")
    notes = "".join(f"<p><strong>{word}, {c.date}.</strong> </p>{stored_html(c.note)}" for c in corrections)
    return FeedEntry(
        id=site.catalog.issue_id(issue).id,
        url=site.pages.url(f"{issue.slug}/"),
        title=issue.title,
        published=issue.date,
        updated=site.catalog.updated(issue),
        summary=issue.teaser,
        content=notes + site.body(issue),
        image=site.pages.url(f"media/{issue.lead.name}") if issue.lead else "",
    )
