"""Types of options and arguments: numbers and days that the database and the calendar can hold."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from newsletter.model import KINDS, kind_said

#: The largest number that a column of PostgreSQL's INTEGER holds.
_LARGEST = 2**31 - 1
#: Years outside of these are slips, and sums with them leave the calendar.
_YEARS = range(1900, 2200)


class _Day(click.DateTime):
    """A day or a month, at midnight."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        """Refuse years that nobody means."""
        found: dt.datetime = super().convert(value, param, ctx)
        if found.year not in _YEARS:
            self.fail(f"{value} is not between the years {_YEARS[0]} and {_YEARS[-1]}", param, ctx)
        return found


class _KindName(click.ParamType[str]):
    """A kind of item, by its name or as people call it."""

    name = "kind"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 (click's own signature)
        """The kinds there are."""
        return f"[{'|'.join(KINDS)}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The kind's name."""
        kind = kind_said(str(value))
        if kind is None:
            self.fail(f"{value!r} is not one of {', '.join(KINDS)}", param, ctx)
        return kind.name


KIND = _KindName()
#: A number of something: a row, a page, how many.
NUMBER = click.IntRange(1, _LARGEST)
PORT = click.IntRange(0, 65_535)
#: Threads, or calls at a time.
THREADS = click.IntRange(1, 1_000)
DAYS = click.IntRange(0, 36_500)
DAY = _Day(["%Y-%m-%d"])
MONTH = _Day(["%Y-%m"])
