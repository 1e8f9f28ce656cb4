"""The languages in which readers are spoken to: issues, the archive, pages of the public service and its mails.

English is what the texts are written in; each other language is a catalogue beside this module, `locale/<tag>.po`
(https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html), read as it is.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from babel.core import Locale, UnknownLocaleError, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

#: Each language by its tag, named as its speakers name it.
LANGUAGES: Mapping[str, str] = {"en": "English", "es": "Español"}
_FOLDER = Path(__file__).parent / "locale"


def translations(language: str) -> NullTranslations:
    """The texts of a language, such as `es` or `es-MX`; those of English for one that there is none of."""
    known = language.partition("-")[0].lower()
    return _catalogue(known if known in LANGUAGES else "en")


@cache
def _catalogue(language: str) -> NullTranslations:
    path = _FOLDER / f"{language}.po"
    if not path.exists():
        return NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


def gettext(language: str) -> Callable[[str], str]:
    """A text in a language, by what it is in English."""
    return translations(language).gettext


@cache
def locale(language: str) -> Locale:
    """How a language writes dates; English where it isn't known."""
    try:
        return Locale.parse(language or "en", sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def direction_of(language: str) -> str:
    """`rtl` for a language that is written from right to left, else `ltr`."""
    return "rtl" if locale(language).character_order == "right-to-left" else "ltr"


def best(wanted: list[str], default: str) -> str:
    """The first wanted language that there is, as tags such as `es` or `es-MX`; the default where there's none."""
    found = negotiate_locale([tag.replace("-", "_") for tag in wanted if tag], list(LANGUAGES))
    return found or (default if default in LANGUAGES else "en")


_TAG = re.compile(r"([a-z]{2,3})((?:[-_][a-z0-9]{2,8})*)", re.IGNORECASE)
#: What ISO 639-2 and others write for the languages that are met most.
_LONG = {"eng": "en", "spa": "es", "esp": "es", "fra": "fr", "fre": "fr", "por": "pt", "deu": "de", "ger": "de"}
_LONG |= {"zho": "zh", "chi": "zh", "vie": "vi", "kor": "ko", "ara": "ar", "rus": "ru", "jpn": "ja", "ita": "it"}
#: Languages whose own names for themselves are known, by how many people in the United States speak them, and more.
_SPOKEN = """
es zh vi ko ar fr ru de pt it pl ja hi ur fa bn gu te ta pa ne so am sw yo ig uk he el hy km lo th my fil cs nl sv
tr ro hu hr sr sq zu af id ms ca eu gl cy ga
"""


def tag_of(text: str) -> str | None:
    """`Español`, `spanish` and `es` as `es`, `es_MX` as `es-mx`; empty for empty; None for an unknown one."""
    plain = text.strip().casefold()
    found = _TAG.fullmatch(plain)
    if found:
        language, rest = found[1], found[2].replace("_", "-")
        language = _LONG.get(language, language)
        if language in _english():
            return (language + rest)[:35]
    word = re.split(r"\s*[(/,;-]", plain)[0]
    return "" if not plain else _by_name().get(plain) or _by_name().get(word)


@cache
def _english() -> Mapping[str, str]:
    """Every language's name in English, by its tag."""
    return dict(Locale("en").languages)


@cache
def _by_name() -> Mapping[str, str]:
    """Tags by the names of languages in English and in each language itself, in lower case."""
    names = {name.casefold(): tag for tag, name in _english().items() if "_" not in tag}
    for tag in _SPOKEN.split():
        names.setdefault((Locale(tag).get_language_name(tag) or "").casefold(), tag)
    return names
