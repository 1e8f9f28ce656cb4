"""A publication's mail speaks its language: not one of our own words is left in English."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from newsletter.config import Config
from newsletter.languages import LANGUAGES, direction_of
from newsletter.model import KINDS, Item, Level, Rendered, Status
from newsletter.places import state_name
from newsletter.render import render
from newsletter.render import words as speech
from newsletter.render.specimen import specimen
from tests.samples import FOLDERS, sample_config, sample_item

ROOT = Path(__file__).parents[2]
TEMPLATES = ("network-download", "press-bulletin", "state-download", "workers-rights")
METHODS = [
    ("newsletter/transactional/**.py", "python"),
    ("newsletter/render/words.py", "python"),
    ("newsletter/compose/body.py", "python"),
    ("newsletter/model/kinds.py", "python"),
    ("newsletter/publish/**.py", "python"),
    ("templates/web/**.j2", "jinja2"),
    ("templates/email/**.j2", "jinja2"),
    ("templates/archive/**.j2", "jinja2"),
]


def in_language(language: str, template: str = "network-download") -> Config:
    config = sample_config()
    publication = replace(config.publications["network-download"], language=language, template=template)
    return replace(config, publications={**config.publications, publication.slug: publication})


def mailed(language: str, template: str) -> Rendered:
    config = in_language(language, template)
    return render(specimen(config.publications["network-download"]), config, folders=FOLDERS)


def shown(mail: Rendered) -> set[str]:
    """Every stretch of words that a reader meets, in either part."""
    page = re.sub(r"<(style|head)\b.*?</\1>|<!--.*?-->", "", str(mail.html), flags=re.DOTALL)
    pieces = [*re.split(r"<[^>]*>|[·:,]", page), *re.split(r"\n|[·:,]", str(mail.text))]
    return {words for piece in pieces if re.search(r"[^\W\d_]{2}", words := piece.strip(" :*-[]\n"))}


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_word_of_ours_is_left_in_english(template: str) -> None:
    config = sample_config()
    issue = specimen(config.publications["network-download"])
    # What the issue and the settings say is theirs; all else has to differ from the English mail.
    theirs = " ".join(re.split(r"\W+", f"{(issue, config)!r} {state_name('FL')}")).casefold()
    both = shown(mailed("es", template)) & shown(mailed("en", template))
    ours = {words for words in both if " ".join(re.split(r"\W+", words)).strip().casefold() not in theirs}
    assert {words for words in ours if not re.search(r"//\S+$|\{\{.*\}\}", words)} == set()


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_text_has_its_translation(language: str) -> None:
    with (ROOT / "newsletter" / "locale" / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    known = {str(message.id) for message in catalogue if message.id and message.string}
    asked = {
        str(message[2])
        for message in extract_from_dir(str(ROOT), METHODS, options_map={"**.j2": {"extensions": "jinja2.ext.do"}})
    }
    asked |= {*speech.GROUPS, *Level}
    assert asked - known == set()
    assert len(asked) > 150


def test_dates_are_written_as_the_language_has_them() -> None:
    day = dt.date(2022, 10, 3)
    assert [speech.long_day(day, tag) for tag in ("en", "es", "es-MX", "xx")] == [
        "October 3, 2022",
        "3 de octubre de 2022",
        "3 de octubre de 2022",
        "October 3, 2022",
    ]
    assert (speech.month(day, "en"), speech.month(day, "es")) == ("October 2022", "octubre de 2022")
    assert (speech.day(day), speech.day(day, "es")) == ("Oct 3, 2022", "3 oct 2022")


@pytest.mark.parametrize(
    ("days", "english", "spanish"),
    [
        ((3, 3), "Monday, October 3, 2022", "lunes, 3 de octubre de 2022"),
        ((3, 5), "October 3–5, 2022", "3–5 de octubre de 2022"),
        ((20, 22), "October 20–22, 2022", "20–22 de octubre de 2022"),
    ],
)
def test_the_days_of_an_event_are_written_as_the_language_has_them(
    days: tuple[int, int], english: str, spanish: str
) -> None:
    starts, ends = (dt.date(2022, 10, day) for day in days)
    event: Item = sample_item("event", "event", "An event", "", starts=starts, ends=ends)
    assert (speech.when(event), speech.when(event, "es")) == (english, spanish)


def test_every_status_and_every_kind_is_said() -> None:
    assert len({speech.status_words(status, "es") for status in Status}) == len(Status)
    kinds = {speech.kicker(sample_item("x", kind, "X", ""), "es") for kind in KINDS}
    assert len(kinds) == len(KINDS)


def test_a_mail_says_its_language_and_direction() -> None:
    assert '<html lang="es" dir="ltr"' in str(mailed("es", "network-download").html)
    assert [direction_of(tag) for tag in ("en", "ar", "he", "fa", "es-MX", "")] == [
        "ltr",
        "rtl",
        "rtl",
        "rtl",
        "ltr",
        "ltr",
    ]
