"""A new issue's file, nearly done: the publication's sections with what is new in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import tomli_w

from newsletter.compose.body import Library
from newsletter.config import Publication, SectionPlan
from newsletter.model import Item, Kind, Policy

#: How far ahead an event may lie to be listed in an issue.
_COMING = dt.timedelta(days=75)


def slug_of(publication: Publication, day: dt.date) -> str:
    """The folder name of a new issue: `network-download-2022-10`."""
    return f"{publication.slug}-{day:%Y-%m}"


def draft(
    publication: Publication,
    library: Library,
    *,
    day: dt.date,
    since: dt.date,
    used: Collection[str] = (),
    editor_note: str = "",
) -> str:
    """The text of an issue.md for `day`: unused items dated after `since`, policies that moved since then,
    events to come, and jobs still open, each in the section that the publication's plan gives it.
    """
    fresh = [entry for entry in library.values() if _is_news(entry, day, since, used)]
    fresh.sort(key=_order, reverse=True)
    lines: list[str] = []
    placed: set[str] = set()
    for plan in publication.sections:
        chosen = [entry for entry in fresh if entry.slug not in placed and _fits(entry, plan)]
        placed.update(entry.slug for entry in chosen)
        lines += ["", f"## {plan.heading}", "", *_references(chosen)]
    rest = [entry.slug for entry in fresh if entry.slug not in placed]
    if rest:
        lines += ["", "<!-- New as well, but in no section's plan:", *(f"[[{slug}]]" for slug in rest), "-->"]
    headlines = _headlines([entry for entry in fresh if entry.slug in placed])
    month = f"{day:%b %Y}"
    matter = {
        "publication": publication.slug,
        "title": publication.title.format(name=publication.name, headlines=headlines, month=month),
        "date": day,
        "subject": f"📬 {publication.name.removeprefix('The ')} | {day:%B %Y}",
        "preheader": "",
        "teaser": "",
    }
    note = f"<!-- {editor_note} -->\n\n" if editor_note else ""
    greeting = "Hi {{ first_name | friend }},\n\nTK: two or three sentences that say why this issue matters.\n"
    return f"+++\n{tomli_w.dumps(matter)}+++\n\n{note}{greeting}" + "\n".join(lines).rstrip() + "\n"


def _is_news(entry: Item | Policy, day: dt.date, since: dt.date, used: Collection[str]) -> bool:
    if isinstance(entry, Policy):
        return bool(entry.moved(since, day))
    if entry.slug in used:
        return False
    if entry.kind is Kind.EVENT:
        return entry.starts is not None and day <= entry.starts <= day + _COMING
    if entry.kind is Kind.JOB:
        return entry.date <= day and (entry.closes is None or entry.closes >= day)
    return since < entry.date <= day


def _order(entry: Item | Policy) -> tuple[dt.date, str]:
    if isinstance(entry, Policy):
        return max(change.date for change in entry.history), entry.slug
    return entry.date, entry.slug


def _fits(entry: Item | Policy, plan: SectionPlan) -> bool:
    kind = "policy" if isinstance(entry, Policy) else str(entry.kind)
    return kind in plan.kinds and (not plan.topics or bool(set(plan.topics) & set(entry.topics)))


def _references(entries: Sequence[Item | Policy]) -> list[str]:
    """Cards, or compact rows where there are many or where the kind reads better as a list."""
    rows = len(entries) > 4 or all(isinstance(e, Item) and e.kind in (Kind.JOB, Kind.EVENT) for e in entries)
    if rows:
        return [f"- [[{entry.slug}]]" for entry in entries]
    return [line for entry in entries for line in (f"[[{entry.slug}]]", "")][:-1]


def _headlines(entries: Sequence[Item | Policy]) -> str:
    titles = [entry.title for entry in entries[:2]]
    return (", ".join(titles) + " and more") if titles else "TK headlines"
