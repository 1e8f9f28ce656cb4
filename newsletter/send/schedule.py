"""Times that people write down, on the workspace's clock."""

from __future__ import annotations

import datetime as dt

from newsletter.errors import InputError

_MOST_YEARS = 10
_HINT = 'write "2026-12-01 09:00"'


def moment(text: str, timezone: dt.tzinfo, now: dt.datetime) -> dt.datetime:
    """The time that somebody wrote, in UTC. InputError when it can't be read, is past, or is no time of that day:
    when clocks go forward an hour is left out, and when they go back one comes twice.
    """
    try:
        given = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f'can\'t read the time "{text}"', hint=_HINT) from None
    if len(text.strip()) <= len("2026-12-01"):
        raise InputError(f'"{text}" has no time of day', hint=_HINT)
    if given.year > now.year + _MOST_YEARS:
        raise InputError(f'"{text}" is more than {_MOST_YEARS} years ahead', hint=_HINT)
    if given.year < now.year - 1:
        raise InputError(f'"{text}" is past', hint="leave out --at to send now")
    if given.tzinfo is None:
        given = _on_the_clock(given, timezone)
    if given <= now:
        raise InputError(f'"{text}" is past', hint="leave out --at to send now")
    return given.astimezone(dt.UTC)


def _on_the_clock(wall: dt.datetime, timezone: dt.tzinfo) -> dt.datetime:
    """A time of a wall clock as a moment. Of a time that comes twice it isn't clear which is meant (PEP 495)."""
    first, second = (wall.replace(tzinfo=timezone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(dt.UTC).astimezone(timezone).replace(tzinfo=None) != wall:
        raise InputError(f"there is no {wall:%H:%M} on {wall:%Y-%m-%d}: the clocks go forward", hint="an hour later?")
    early, late = (moment.isoformat(sep=" ", timespec="minutes") for moment in (first, second))
    raise InputError(f"{wall:%H:%M} comes twice on {wall:%Y-%m-%d}: the clocks go back", hint=f'"{early}" or "{late}"')
