"""What people type into forms, brought into form. What isn't in a form, or isn't offered by it, is None: unchanged."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from newsletter.audience import Frequency
from newsletter.audience.choices import PAUSES, Choices
from newsletter.audience.fields import PROFILE
from newsletter.languages import LANGUAGES

_TEXTS = ("first_name", "last_name", "state")


def profile(form: MultiDict[str, str]) -> dict[str, str]:
    """First and last name, and the state as two letters; those that are given."""
    return {name: text for name in _TEXTS if (text := PROFILE[name].fit(form.get(name, "")))}


def choices(form: MultiDict[str, str]) -> Choices:
    """The form of the preference center. Its `shown` are the lists that it offers, its `had` those of them that were
    ticked when it was shown; a form of somebody's own may have the ticked ones alone.
    """
    listed = "list" in form or "shown" in form
    frequency, language, pause = form.get("frequency", "?"), form.get("language"), form.get("pause", "")
    weeks = int(pause) if pause.isascii() and pause.isdecimal() and len(pause) < 4 else None
    return Choices(
        lists=frozenset(form.getlist("list")) if listed else None,
        shown=frozenset(form.getlist("shown")) if "shown" in form else None,
        had=frozenset(form.getlist("had")),
        texts={name: text for name in _TEXTS if (text := _text(form, name)) is not None},
        language=language if language in LANGUAGES else None,
        frequency=Frequency(frequency) if frequency in tuple(Frequency) else None,
        pause=weeks if weeks in (0, *PAUSES) else None,
    )


def _text(form: MultiDict[str, str], name: str) -> str | None:
    """What somebody wrote; an empty text empties the field, one that it can't hold changes nothing."""
    given = form.get(name)
    fit = PROFILE[name].fit(given) if given is not None else ""
    return None if given is None or (given.strip() and not fit) else fit
