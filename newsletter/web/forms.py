"""What people type into forms, brought into form."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from newsletter.audience import Frequency
from newsletter.audience.choices import PAUSES, Choices
from newsletter.languages import LANGUAGES
from newsletter.places import state_code

_LONGEST_NAME = 100


def short(text: str) -> str:
    """One line of at most 100 characters."""
    return " ".join(text.replace("\0", "").split())[:_LONGEST_NAME]


def profile(form: MultiDict[str, str]) -> dict[str, str]:
    """First and last name, and the state as two letters or nothing."""
    return {
        "first_name": short(form.get("first_name", "")),
        "last_name": short(form.get("last_name", "")),
        "state": state_code(form.get("state", "")) or "",
    }


def choices(form: MultiDict[str, str]) -> Choices:
    """The form of the preference center; whatever it doesn't offer is taken for nothing."""
    frequency, language, pause = form.get("frequency", ""), form.get("language", ""), form.get("pause", "")
    weeks = int(pause) if pause.isascii() and pause.isdecimal() and len(pause) < 4 else None
    return Choices(
        lists=frozenset(form.getlist("list")),
        **profile(form),
        language=language if language in LANGUAGES else "",
        frequency=Frequency(frequency) if frequency in tuple(Frequency) else Frequency.EVERY,
        pause=weeks if weeks in (0, *PAUSES) else None,
    )
