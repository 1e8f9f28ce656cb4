"""The policy tracker: a page for each policy, the table of all with its filters, the map, downloads, and a feed."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from newsletter.model import Level, Policy, StatusChange
from newsletter.publish import twins
from newsletter.publish.catalog import NATION, slug_of
from newsletter.publish.feeds import Feed
from newsletter.publish.listings import step_entry
from newsletter.publish.planned import Page, Site
from newsletter.publish.prose import legal
from newsletter.render.provisions import amount, compared
from newsletter.render.words import group, place_words, state_words, status_words
from newsletter.spreadsheet import guarded

#: How many changes the feed tells.
_STEPS = 50
#: Where each state's tile stands, from left to right in rows from the north; the two letters are its name.
_TILES = (
    "AK .. .. .. .. .. .. .. .. .. ME",
    ".. .. .. .. .. .. .. .. .. VT NH",
    "WA ID MT ND MN IL WI MI NY RI MA",
    "OR NV WY SD IA IN OH PA NJ CT ..",
    "CA UT CO NE MO KY WV VA MD DE ..",
    ".. AZ NM KS AR TN NC SC DC .. ..",
    ".. .. .. OK LA MS AL GA .. .. ..",
    "HI .. .. TX .. .. .. .. FL .. PR",
)
_COLUMNS = (
    *("slug", "title", "state", "locality", "level", "number", "status", "status_date", "topics", "sponsors"),
    *("text", "page", "provisions"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A policy as the table shows it: `filters` are the values of each filter, by the filter's name."""

    policy: Policy
    place: str
    latest: StatusChange | None
    filters: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter: how many policies have it."""

    slug: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Tile:
    """One state on the map, at a column and row, with its count of policies and how strongly it's coloured, 0 to 4."""

    code: str
    name: str
    column: int
    row: int
    count: int
    shade: int
    folder: str


def pages(site: Site) -> Iterator[Page]:
    """All of them; none where there's no policy."""
    catalog = site.catalog
    for policy in catalog.policies:
        told = catalog.told.get(policy.slug, [])
        depends = [site.policy_mark[policy.slug], *(site.mark(issue) for issue, _ in told)]
        yield site.page(
            f"policies/{policy.slug}/index.html",
            "policy.html.j2",
            depends,
            policy=policy,
            latest=policy.latest(catalog.today),
            told=told,
        )
        twin = site.key("twin", site.policy_mark[policy.slug])
        yield Page(f"policies/{policy.slug}/index.md", twin, partial(_twin, policy, catalog.config.archive.language))
    if "policies" not in site.sections:
        return
    marks = list(site.policy_mark.values())
    lines = [_line(site, policy) for policy in catalog.policies]
    filters = _filters(lines, site.catalog.config.archive.language)
    yield site.page(
        "policies/index.html",
        "tracker.html.j2",
        marks,
        lines=lines,
        filters=filters,
        tiles=_tiles(site),
        places=_places(site),
        chosen=None,
        compared=compared(catalog.policies, catalog.today),
    )
    by_value: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        for name, values in line.filters.items():
            for value in values:
                by_value[name, value].append(line)
    for name, choices in filters.items():
        for choice in choices:
            mine = by_value[name, choice.slug]
            path = f"policies/{name}/{choice.slug}/index.html"
            depends = [choice.name, *(site.policy_mark[line.policy.slug] for line in mine)]
            shown = {"lines": mine, "filters": {}, "chosen": (name, choice), "compared": {}}
            yield site.page(path, "tracker.html.j2", depends, **shown)
    yield Page("policies/policies.csv", site.key(*marks), lambda: _csv(site, lines))
    yield Page("policies/policies.json", site.key(*marks), lambda: _json(site))
    ids = [catalog.step_id(step) for step in catalog.steps[:_STEPS]]
    yield from site.feeds(lambda: _feed(site), "policies/", [*marks, *ids])


def _twin(policy: Policy, language: str) -> bytes:
    return twins.policy_text(policy, language).encode()


def _line(site: Site, policy: Policy) -> Line:
    latest = policy.latest(site.catalog.today)
    filters = {
        "state": [policy.place.state.lower() or NATION],
        "topic": [slug for topic in policy.topics if (slug := slug_of(topic))],
        "status": [slug_of(latest.status)] if latest else [],
        "year": [str(latest.date.year)] if latest else [],
    }
    return Line(policy, place_words(policy.place, site.catalog.config.archive.language), latest, filters)


def _filters(lines: Sequence[Line], language: str) -> dict[str, list[Choice]]:
    """The values there are of each filter."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("state", "topic", "status", "year")}
    names: dict[tuple[str, str], str] = {}
    for line in lines:
        policy = line.policy
        for name, values in line.filters.items():
            counts[name].update(set(values))
        names["state", policy.place.state.lower() or NATION] = state_words(policy.place.state, language)
        for topic in policy.topics:
            slug = slug_of(topic)
            names["topic", slug] = min(names.get(("topic", slug), topic), topic)
        if line.latest:
            names["status", slug_of(line.latest.status)] = status_words(line.latest.status, language).capitalize()
    found = {}
    for name, counted in counts.items():
        choices = [Choice(slug, names.get((name, slug), slug), count) for slug, count in counted.items()]
        found[name] = sorted(choices, key=lambda c: c.name.casefold(), reverse=name == "year")
    return found


def _tiles(site: Site) -> list[Tile]:
    counts = Counter(policy.place.state for policy in site.catalog.policies)
    most = max((count for state, count in counts.items() if state), default=0)
    return [
        Tile(
            code=code,
            name=state_words(code, site.catalog.config.archive.language),
            column=column,
            row=row,
            count=counts[code],
            shade=-(-4 * counts[code] // most) if most else 0,
            folder=site.catalog.subject_folder("places", code),
        )
        for row, line in enumerate(_TILES)
        for column, code in enumerate(line.split())
        if code != ".."
    ]


def _places(site: Site) -> list[tuple[str, str, int]]:
    """Every state with policies: its name, its page's folder, and how many; the most first."""
    counts = Counter(policy.place.state for policy in site.catalog.policies)
    language, folder = site.catalog.config.archive.language, site.catalog.subject_folder
    found = [(state_words(code, language), folder("places", code), count) for code, count in counts.items()]
    return sorted(found, key=lambda row: (-row[2], row[0]))


def _csv(site: Site, lines: Sequence[Line]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for line in lines:
        policy, latest = line.policy, line.latest
        cells = (
            *(policy.slug, policy.title, policy.place.state, policy.place.locality, policy.level, policy.number),
            *((latest.status, latest.date.isoformat()) if latest else ("", "")),
            *("; ".join(policy.topics), "; ".join(policy.sponsors), policy.url),
            site.pages.url(f"policies/{policy.slug}/"),
            "; ".join(f"{one.date}: {one.topic} {amount(one)} {one.covers}".strip() for one in policy.provisions),
        )
        writer.writerow([guarded(legal(str(cell))) for cell in cells])
    return out.getvalue().encode()


def _json(site: Site) -> bytes:
    rows = []
    for policy in site.catalog.policies:
        latest = policy.latest(site.catalog.today)
        row = {
            "slug": policy.slug,
            "title": policy.title,
            "state": policy.place.state,
            "locality": policy.place.locality,
            "level": Level(policy.level).value,
            "number": policy.number,
            "status": latest.status.value if latest else None,
            "topics": policy.topics,
            "sponsors": policy.sponsors,
            "text": policy.url,
            "links": [{"label": link.label, "url": link.url} for link in policy.links],
            "page": site.pages.url(f"policies/{policy.slug}/"),
            "provisions": [
                {
                    "topic": one.topic,
                    "date": one.date.isoformat(),
                    "amount": float(one.amount) if one.amount else None,
                    "unit": one.unit,
                    "covers": one.covers,
                    "note": one.note,
                }
                for one in policy.provisions
            ],
            "history": [
                {"status": c.status.value, "date": c.date.isoformat(), "url": c.url, "note": c.note}
                for c in policy.history
            ],
        }
        rows.append(row)
    return (legal(json.dumps(rows, ensure_ascii=False, indent=1)) + "\n").encode()


def _feed(site: Site) -> Feed:
    archive = site.catalog.config.archive
    return Feed(
        id=site.catalog.feed_id("policies/").id,
        folder="policies/",
        title=f"{site.pages.gettext('Policies that moved')} – {archive.title}",
        description=site.pages.gettext("Every change of a policy that we follow."),
        entries=[step_entry(site, step) for step in site.catalog.steps[:_STEPS]],
    )


__all__ = ["Line", "Tile", "group", "pages"]
