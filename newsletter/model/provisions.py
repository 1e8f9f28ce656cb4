"""What a policy provides, in values that can be compared: so much, of what, for whom, from which day."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What an amount counts."""

    DOLLARS = "dollars"
    DOLLARS_AN_HOUR = "dollars an hour"
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """One step of a policy on a topic: from `date` on, `amount` (a decimal number, empty where there's none) of `unit`
    holds for those whom it `covers` (empty for all).
    """

    topic: str
    date: dt.date
    amount: str = ""
    unit: Unit | None = None
    covers: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.amount and not re.fullmatch(r"\d{1,12}(\.\d{1,4})?", self.amount):
            raise ValueError(f'"amount" must be a number such as 15.50, not "{self.amount[:40]}"')
        if bool(self.amount) != bool(self.unit):
            raise ValueError('"amount" and "unit" belong together')
