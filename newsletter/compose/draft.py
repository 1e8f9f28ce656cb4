"""A new issue's file, nearly done: the publication's sections with what is new in them."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable, Collection, Sequence

import tomli_w
from babel.dates import format_date

from newsletter.compose.news import Shelf
from newsletter.config import Publication
from newsletter.languages import gettext, locale
from newsletter.model import Corrects, Item, Policy


def slug_of(publication: Publication, day: dt.date) -> str:
    """The folder name of a new issue: `network-download-2022-10`."""
    return f"{publication.slug}-{day:%Y-%m}"


def write(
    publication: Publication,
    shelves: Sequence[Shelf],
    *,
    day: dt.date,
    language: str = "en",
    told: Collection[str] = (),
    corrections: Sequence[str] = (),
    editor_note: str = "",
) -> str:
    """The text of an issue.md, in the publication's `language`. Of what is in `told` by slug, policies come as updates
    and items as reminders. It starts with the `corrections` of earlier issues, each of which is Markdown.
    """
    _ = gettext(language)
    lines: list[str] = ["", f"## {_('Corrections')}", "", "\n\n".join(corrections)] if corrections else []
    for shelf in shelves:
        if shelf.heading:
            lines += ["", f"## {shelf.heading}", "", *_references(shelf.entries, told)]
        elif shelf.entries:
            rest = (f"[[{entry.slug}]]" for entry in shelf.entries)
            lines += ["", "<!-- New as well, but in no section's plan:", *rest, "-->"]
    headlines = _headlines([entry for shelf in shelves if shelf.heading for entry in shelf.entries], language)
    note = f"<!-- {editor_note} -->\n\n" if editor_note else ""
    greeting = f"{_greeting(_)}\n\nTK: two or three sentences that say why this issue matters.\n"
    return _matter(publication, headlines, day, language) + note + greeting + "\n".join(lines).rstrip() + "\n"


def write_document(publication: Publication, title: str, markdown: str, *, day: dt.date, language: str = "en") -> str:
    """The text of an issue.md that was written elsewhere."""
    return _matter(publication, title or "TK headlines", day, language) + markdown


def _greeting(_: Callable[[str], str]) -> str:
    return _("Hi {{ first_name | friend }},")


def _matter(publication: Publication, headlines: str, day: dt.date, language: str) -> str:
    month, whole = (format_date(day, form, locale=locale(language)) for form in ("MMM y", "LLLL y"))
    matter = {
        "publication": publication.slug,
        "title": publication.title.format(name=publication.name, headlines=headlines, month=month),
        "date": day,
        "subject": f"📬 {publication.name.removeprefix('The ')} | {whole}",
        "preheader": "",
        "teaser": "",
    }
    return f"+++\n{tomli_w.dumps(matter)}+++\n\n"


def about(title: str, url: str, day: dt.date, note: str, language: str = "en") -> str:
    """A correction as an issue tells it: which issue was wrong, and the note."""
    words = re.sub(r"[\[\]\\]", "", title)
    form = "d 'de' MMMM" if language.startswith("es") else "MMMM d"
    when = format_date(day, form, locale=locale(language))
    return f"*{gettext(language)('In {issue} of {day}:').format(issue=f'[{words}]({url})', day=when)}* {note}"


def write_correction(
    publication: Publication,
    *,
    corrects: Corrects,
    title: str,
    url: str,
    day: dt.date,
    notes: Sequence[str],
    language: str = "en",
) -> str:
    """The text of an issue.md that mails corrections of an earlier issue, by its title and address."""
    _ = gettext(language)
    name = publication.name.removeprefix("The ")
    matter: dict[str, object] = {
        "publication": publication.slug,
        "title": f"{_('Correction')}: {title}",
        "date": day,
        "subject": f"{_('Correction')} | {name}",
        "preheader": _("Something in an issue that you had from us was wrong"),
        "teaser": _("What was wrong in an issue, and what is right."),
        "corrects": corrects.issue,
    }
    if corrects.variants:
        matter["corrects_variants"] = list(corrects.variants)
    words = re.sub(r"[\[\]\\]", "", title)
    text = _("In an issue that you had from us, {issue}, something was wrong. Here is what is right:")
    told = text.format(issue=f"[{words}]({url})")
    body = [_greeting(_), told, *notes, _("The issue's page on the web says so, too.")]
    return f"+++\n{tomli_w.dumps(matter)}+++\n\n" + "\n\n".join(body) + "\n"


def day_in(month: dt.date, last: dt.date | None) -> dt.date:
    """The day of an issue in a month: the day of the month on which the last one came out, else the first."""
    day = last.day if last else 1
    return month.replace(day=min(day, calendar.monthrange(month.year, month.month)[1]))


def _references(entries: Sequence[Item | Policy], told: Collection[str]) -> list[str]:
    """Cards, or compact rows where there are many or where the kind reads better as a list."""
    names = [f"[[{e.slug}{_mark(e) if e.slug in told else ''}]]" for e in entries]
    rows = len(entries) > 4 or all(isinstance(e, Item) and e.facts.passes for e in entries)
    if rows:
        return [f"- {name}" for name in names]
    return [line for name in names for line in (name, "")][:-1]


def _mark(entry: Item | Policy) -> str:
    return " | update" if isinstance(entry, Policy) else " | reminder"


def _headlines(entries: Sequence[Item | Policy], language: str) -> str:
    titles = ", ".join(entry.title for entry in entries[:2])
    return gettext(language)("{headlines} and more").format(headlines=titles) if titles else "TK headlines"
