"""A new issue's file, nearly done: the publication's sections with what is new in them."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import tomli_w

from newsletter.compose.body import Library
from newsletter.config import Publication, SectionPlan
from newsletter.model import Corrects, Item, Kind, Policy, Status

#: How far a policy has come, the farthest first: what is in force, then what is decided, then what moves.
_PROGRESS = (
    *(Status.IN_EFFECT, Status.ENFORCED, Status.ENACTED, Status.PASSED, Status.UPHELD),
    *(Status.IN_COMMITTEE, Status.INTRODUCED, Status.PROPOSED),
    *(Status.CHALLENGED, Status.STRUCK_DOWN, Status.PREEMPTED, Status.VETOED, Status.REPEALED),
)
#: How far ahead an event may lie to be listed in an issue.
_COMING = dt.timedelta(days=75)


def slug_of(publication: Publication, day: dt.date) -> str:
    """The folder name of a new issue: `network-download-2022-10`."""
    return f"{publication.slug}-{day:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Entries for one section of a draft; without a heading, those that no section of the plan takes."""

    heading: str
    entries: tuple[Item | Policy, ...]


def gather(
    publication: Publication, library: Library, *, day: dt.date, since: dt.date, used: Collection[str] = ()
) -> tuple[Shelf, ...]:
    """What could stand in an issue for `day`: unused items dated after `since`, policies that moved since then,
    events to come, and jobs still open, each in the section that the publication's plan gives it.

    Policies stand by how far they have come; events and jobs by their day, the next first; all else newest first.
    """
    fresh = [entry for entry in library.values() if _is_news(entry, day, since, used)]
    fresh.sort(key=lambda entry: _order(entry, day))
    shelves: list[Shelf] = []
    placed: set[str] = set()
    for plan in publication.sections:
        chosen = tuple(entry for entry in fresh if entry.slug not in placed and _fits(entry, plan))
        placed.update(entry.slug for entry in chosen)
        shelves.append(Shelf(plan.heading, chosen))
    return (*shelves, Shelf("", tuple(entry for entry in fresh if entry.slug not in placed)))


def write(
    publication: Publication,
    shelves: Sequence[Shelf],
    *,
    day: dt.date,
    told: Collection[str] = (),
    corrections: Sequence[str] = (),
    editor_note: str = "",
) -> str:
    """The text of an issue.md; policies whose slug is in `told` come as updates. It starts with the `corrections` of
    earlier issues, each of which is Markdown.
    """
    lines: list[str] = ["", "## Corrections", "", "\n\n".join(corrections)] if corrections else []
    for shelf in shelves:
        if shelf.heading:
            lines += ["", f"## {shelf.heading}", "", *_references(shelf.entries, told)]
        elif shelf.entries:
            rest = (f"[[{entry.slug}]]" for entry in shelf.entries)
            lines += ["", "<!-- New as well, but in no section's plan:", *rest, "-->"]
    matter = {
        "publication": publication.slug,
        "title": publication.title.format(
            name=publication.name,
            headlines=_headlines([entry for shelf in shelves if shelf.heading for entry in shelf.entries]),
            month=f"{day:%b %Y}",
        ),
        "date": day,
        "subject": f"📬 {publication.name.removeprefix('The ')} | {day:%B %Y}",
        "preheader": "",
        "teaser": "",
    }
    note = f"<!-- {editor_note} -->\n\n" if editor_note else ""
    greeting = "Hi {{ first_name | friend }},\n\nTK: two or three sentences that say why this issue matters.\n"
    return f"+++\n{tomli_w.dumps(matter)}+++\n\n{note}{greeting}" + "\n".join(lines).rstrip() + "\n"


def about(title: str, url: str, day: dt.date, note: str) -> str:
    """A correction as an issue tells it: which issue was wrong, and the note."""
    words = re.sub(r"[\[\]\\]", "", title)
    return f"*In [{words}]({url}) of {day:%B} {day.day}:* {note}"


def write_correction(
    publication: Publication, *, corrects: Corrects, title: str, url: str, day: dt.date, notes: Sequence[str]
) -> str:
    """The text of an issue.md that mails corrections of an earlier issue, by its title and address."""
    name = publication.name.removeprefix("The ")
    matter: dict[str, object] = {
        "publication": publication.slug,
        "title": f"Correction: {title}",
        "date": day,
        "subject": f"Correction | {name}",
        "preheader": "Something in an issue that you had from us was wrong",
        "teaser": "What was wrong in an issue, and what is right.",
        "corrects": corrects.issue,
    }
    if corrects.variants:
        matter["corrects_variants"] = list(corrects.variants)
    words = re.sub(r"[\[\]\\]", "", title)
    text = f"In an issue that you had from us, [{words}]({url}), something was wrong. Here is what is right:"
    body = ["Hi {{ first_name | friend }},", text, *notes, "The issue's page on the web says so, too."]
    return f"+++\n{tomli_w.dumps(matter)}+++\n\n" + "\n\n".join(body) + "\n"


def day_in(month: dt.date, last: dt.date | None) -> dt.date:
    """The day of an issue in a month: the day of the month on which the last one came out, else the first."""
    day = last.day if last else 1
    return month.replace(day=min(day, calendar.monthrange(month.year, month.month)[1]))


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


def _order(entry: Item | Policy, day: dt.date) -> tuple[int, int, str]:
    if isinstance(entry, Policy):
        latest = entry.latest(day)
        return (1, _PROGRESS.index(latest.status) if latest else len(_PROGRESS), f"{entry.place.state} {entry.slug}")
    if entry.kind in (Kind.EVENT, Kind.JOB):
        return (0, (entry.starts or entry.closes or dt.date.max).toordinal(), entry.slug)
    return (0, -entry.date.toordinal(), entry.slug)


def _fits(entry: Item | Policy, plan: SectionPlan) -> bool:
    kind = "policy" if isinstance(entry, Policy) else str(entry.kind)
    return kind in plan.kinds and (not plan.topics or bool(set(plan.topics) & set(entry.topics)))


def _references(entries: Sequence[Item | Policy], told: Collection[str]) -> list[str]:
    """Cards, or compact rows where there are many or where the kind reads better as a list."""
    names = [f"[[{e.slug} | update]]" if isinstance(e, Policy) and e.slug in told else f"[[{e.slug}]]" for e in entries]
    rows = len(entries) > 4 or all(isinstance(e, Item) and e.kind in (Kind.JOB, Kind.EVENT) for e in entries)
    if rows:
        return [f"- {name}" for name in names]
    return [line for name in names for line in (name, "")][:-1]


def _headlines(entries: Sequence[Item | Policy]) -> str:
    titles = [entry.title for entry in entries[:2]]
    return (", ".join(titles) + " and more") if titles else "TK headlines"
