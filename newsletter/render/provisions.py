"""Provisions in words, and those of many policies side by side."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from babel.numbers import format_currency, format_decimal

from newsletter.languages import gettext, locale
from newsletter.model import Policy, Provision, Unit


@dataclass(frozen=True, slots=True)
class Row:
    """What a policy provides on a topic for some people: what holds today, and what comes next; one may be missing."""

    policy: Policy
    covers: str
    now: Provision | None
    next: Provision | None


def amount(provision: Provision, language: str = "en") -> str:
    """`$15.50 an hour`, `80 hours`, `60%`; the note alone where there's no number."""
    if not provision.amount or provision.unit is None:
        return provision.note
    _ = gettext(language)
    if provision.unit in (Unit.DOLLARS, Unit.DOLLARS_AN_HOUR):
        money = format_currency(provision.amount, "USD", locale=locale(language))
        return _("{amount} an hour").format(amount=money) if provision.unit is Unit.DOLLARS_AN_HOUR else money
    number = format_decimal(provision.amount, locale=locale(language))
    one, several = {
        Unit.HOURS: (_("{amount} hour"), _("{amount} hours")),
        Unit.DAYS: (_("{amount} day"), _("{amount} days")),
        Unit.WEEKS: (_("{amount} week"), _("{amount} weeks")),
        Unit.MONTHS: (_("{amount} month"), _("{amount} months")),
        Unit.PERCENT: ("{amount}%", "{amount}%"),
    }[provision.unit]
    return (one if number == "1" else several).format(amount=number)


def compared(policies: Iterable[Policy], today: dt.date) -> dict[str, list[Row]]:
    """The provisions of policies by topic, in the order of topics and places: what holds today and what comes next."""
    topics: dict[str, list[Row]] = defaultdict(list)
    for policy in policies:
        steps: dict[tuple[str, str], list[Provision]] = defaultdict(list)
        for one in policy.provisions:
            steps[one.topic, one.covers].append(one)
        for (topic, covers), all_ in steps.items():
            past = [one for one in all_ if one.date <= today]
            ahead = [one for one in all_ if one.date > today]
            row = Row(policy, covers, past[-1] if past else None, ahead[0] if ahead else None)
            topics[topic].append(row)
    return {
        topic: sorted(rows, key=lambda row: (str(row.policy.place), row.policy.title, row.covers))
        for topic, rows in sorted(topics.items(), key=lambda pair: pair[0].casefold())
    }
