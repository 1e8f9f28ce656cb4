"""Days as web pages, feeds and calendars write them, as the day it was where they were written."""

from __future__ import annotations

import datetime as dt
import re
from email.utils import parsedate_tz
from functools import cache

_ISO = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]+(\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d{1,9})?)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"(\d{4})([/.-])(\d{1,2})\2(\d{1,2})(?!\d)")
#: With a slash the month comes first, as in the United States; with a dot the day does, as in Europe. A year may have
#: two digits after a slash.
_NUMBERS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|(?<=/)\d\d)(?!\d)")
_NAMED = re.compile(
    r"(?:(?P<d1>\d{1,2})(?:st|nd|rd|th|er|º|°)?\.? +(?:of +|de +)?)?(?P<month>[^\W\d_]{3,12})\.?"
    r"(?: +(?P<d2>\d{1,2})(?:st|nd|rd|th)?)?,? +(?:del? +)?(?P<year>\d{4})(?!\d)"
)
#: Seconds or milliseconds since 1970, up to the year 2030.
_SECONDS = re.compile(r"1[0-8]\d{8}(?:\d{3})?")
#: The languages whose months are known by name.
_LANGUAGES = ("en", "es", "fr", "pt", "de", "it")
_LONGEST = 80


def day_of(text: str, zone: dt.tzinfo = dt.UTC) -> dt.date | None:
    """The day that a date or moment names; None for what names none, such as a year alone.

    With an offset it's the day it was there. A moment in UTC, which says nothing of a place, is taken to `zone`; but
    midnight, which stands for a day without a time.
    """
    text = " ".join(text[:_LONGEST].split())
    try:
        return _seconds(text, zone) or _iso(text, zone) or _numbers(text) or _mail(text, zone) or _named(text)
    except (ValueError, OverflowError):
        return None


def is_ambiguous(text: str) -> bool:
    """Whether people elsewhere would read another day, as in 11/05/2026."""
    found = _NUMBERS.match(text.strip())
    return found is not None and int(found[1]) <= 12 and int(found[3]) <= 12 and found[1] != found[3]


def _seconds(text: str, zone: dt.tzinfo) -> dt.date | None:
    return dt.datetime.fromtimestamp(int(text[:10]), zone).date() if _SECONDS.fullmatch(text) else None


def _iso(text: str, zone: dt.tzinfo) -> dt.date | None:
    if found := _YEAR_FIRST.fullmatch(text):
        return dt.date(int(found[1]), int(found[3]), int(found[4]))
    found = _ISO.match(text)
    if not found or text[found.end() : found.end() + 1].isdigit():
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    offset = (found[7] or "").upper()
    if offset in ("Z", "UTC", "GMT") or re.fullmatch(r"[+-]00:?(00)?", offset):
        return _in_zone((year, month, day, hour, minute, second), zone)
    return dt.date(year, month, day)


def _in_zone(moment: tuple[int, int, int, int, int, int], zone: dt.tzinfo) -> dt.date:
    if moment[3:] == (0, 0, 0):
        return dt.date(*moment[:3])
    return dt.datetime(*moment[:5], min(moment[5], 59), tzinfo=dt.UTC).astimezone(zone).date()


def _numbers(text: str) -> dt.date | None:
    found = _NUMBERS.match(text)
    if not found:
        return None
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    if len(found[4]) == 2:  # as POSIX reads them
        year += 2000 if year < 69 else 1900
    day_first = first > 12 or (found[2] == "." and second <= 12)
    return dt.date(year, second, first) if day_first else dt.date(year, first, second)


def _mail(text: str, zone: dt.tzinfo) -> dt.date | None:
    """A date as mail and RSS have it (RFC 5322, section 3.3)."""
    if not re.match(r"(?:[A-Za-z]+,? *)?\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}(?!\d)", text):
        return None
    found = parsedate_tz(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = found[:6]
    if found[9] == 0 and re.search(r"(GMT|UTC?|Z|[+-]0000)\b", text):
        return _in_zone((year, month, day, hour, minute, second), zone)
    return dt.date(year, month, day)


def _named(text: str) -> dt.date | None:
    for found in _NAMED.finditer(text):
        month = months().get(found["month"].casefold())
        day = found["d1"] or found["d2"]
        if month and day:
            return dt.date(int(found["year"]), month, int(day))
    return None


@cache
def months() -> dict[str, int]:
    """The months' names, whole and shortened, in the languages whose dates are read, by number."""
    from babel.dates import get_month_names

    found = {"sept": 9}
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for number, name in get_month_names(width, locale=language).items():
                found.setdefault(name.casefold().rstrip("."), number)
    return found
