"""The languages in which readers are spoken to: pages of the public service, and the mails that it sends.

English is what the texts are written in; each other language is a catalogue beside this module, `locale/<tag>.po`
(https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html), read as it is.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.core import negotiate_locale
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


def best(wanted: list[str], default: str) -> str:
    """The first wanted language that there is, as tags such as `es` or `es-MX`; the default where there's none."""
    found = negotiate_locale([tag.replace("-", "_") for tag in wanted if tag], list(LANGUAGES))
    return found or (default if default in LANGUAGES else "en")
