"""An issue that shows every kind of block once: what templates are tried on."""

from __future__ import annotations

import datetime as dt

from newsletter import merge
from newsletter.config import Publication
from newsletter.model import (
    KINDS,
    Coverage,
    Issue,
    Item,
    Kind,
    Level,
    Link,
    Photo,
    Picture,
    Place,
    Policy,
    PolicyEntry,
    Prose,
    Section,
    Status,
    StatusChange,
    Story,
)

_DAY = dt.date(2022, 10, 12)
#: One status of each colour as a card, and one as a row: a specimen has to stay within the size of a mail.
_CARDS = (Status.PASSED, Status.IN_EFFECT, Status.INTRODUCED, Status.CHALLENGED)
_ROWS = (Status.ENACTED, Status.ENFORCED, Status.IN_COMMITTEE, Status.STRUCK_DOWN)
_PHOTO = Photo(
    name="specimen.jpg", file="media/specimen.jpg", width=1200, height=675, alt="A specimen picture", credit="Specimen"
)


def specimen(publication: Publication) -> Issue:
    """An issue of a publication with cards and rows of every kind of item, policies, a quote and a picture."""
    logo = Photo(name="logo.png", file="media/logo.png", width=600, height=160, alt="A specimen logo")
    return Issue(
        slug="specimen",
        publication=publication.slug,
        title=publication.title.format(name=publication.name, headlines="Every kind of block", month="Oct 2022"),
        date=_DAY,
        since=dt.date(2022, 9, 12),
        subject=merge.parse("Every kind of block, for {{ first_name | you }}"),
        preheader=merge.parse("What a template makes of cards, rows, policies, quotes and pictures"),
        teaser="Every kind of block once.",
        hero=_PHOTO,
        logo=logo if publication.brand.logo else None,
        partner_logo=logo if publication.partner else None,
        sections=(
            Section(
                heading="",
                blocks=(_prose("Hi {{ first_name | friend }},\n\nThis is **prose** with a list:\n\n- one\n- two"),),
                line=1,
            ),
            Section(heading="Cards", blocks=tuple(_story(kind, compact=False) for kind in KINDS.values()), line=2),
            Section(heading="Rows", blocks=tuple(_story(kind, compact=True) for kind in KINDS.values()), line=3),
            Section(heading="Policies", blocks=tuple(_policy(status, compact=False) for status in _CARDS), line=4),
            Section(heading="Policy rows", blocks=tuple(_policy(status, compact=True) for status in _ROWS), line=5),
            Section(
                heading="Text",
                blocks=(
                    Picture(photo=_PHOTO, line=5),
                    _prose('> "A quote," said somebody.\n\n[A link that says where](https://example.org/)'),
                ),
                line=6,
            ),
        ),
        path="issues/specimen/issue.md",
    )


def _prose(markdown: str) -> Prose:
    return Prose(markdown=markdown, line=1)


def _story(kind: Kind, *, compact: bool) -> Story:
    starts, closes = kind.dated_by == "starts", kind.dated_by == "closes"
    item = Item(
        slug=f"{kind.name}-{'row' if compact else 'card'}",
        kind=kind.name,
        title=f"A specimen of kind {kind.name}",
        url=f"https://example.org/{kind.name}",
        summary="Two sentences are enough to see how a summary sits. This is the second.",
        date=_DAY,
        photo=None if compact or kind.by_others or closes else _PHOTO,
        places=(Place(state="NC", locality="Durham"), Place(state="FL")),
        outlet="Example Times" if kind.by_others else "",
        author="A. Writer" if kind.by_others else "",
        starts=dt.date(2022, 11, 2) if starts else None,
        ends=dt.date(2022, 11, 4) if starts else None,
        time="6 pm MT" if starts else "",
        venue="Denver" if starts else "",
        closes=dt.date(2022, 11, 15) if closes else None,
    )
    return Story(item=item, headline=item.title, blurb=item.summary, compact=compact, line=1)


def _policy(status: Status, *, compact: bool) -> PolicyEntry:
    change = StatusChange(status=status, date=dt.date(2022, 10, 1))
    policy = Policy(
        slug=f"policy-{status.replace(' ', '-')}",
        title=f"A policy that is {status}",
        place=Place(state="CA", locality="San Francisco"),
        level=Level.CITY,
        number="CB 1234",
        url="https://example.org/policy",
        summary="One sentence that says what it does.",
        links=(Link(label="Coverage of the vote", url="https://example.org/coverage"),),
        history=(StatusChange(status=Status.PROPOSED, date=dt.date(2022, 6, 1)), change),
    )
    return PolicyEntry(
        policy=policy,
        headline=policy.title,
        blurb=policy.summary,
        status=change,
        moved=(change,),
        compact=compact,
        line=1,
        covered=Coverage(issue="specimen-earlier", publication="The newsletter", date=dt.date(2022, 6, 8)),
    )
