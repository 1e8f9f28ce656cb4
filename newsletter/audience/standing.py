"""Where people stand: on a list, with how much mail they want, and why an address is never mailed."""

from __future__ import annotations

from enum import StrEnum


class Standing(StrEnum):
    """A person's standing on one list."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"


class Frequency(StrEnum):
    """How much mail a person wants at most; `days` is how long they are left alone after a message, a day less than
    the word says, so that what goes out on the same weekday or the same day of the month still reaches them.
    """

    EVERY = ""
    WEEKLY = "weekly"
    MONTHLY = "monthly"

    @property
    def days(self) -> int:
        """Days between two messages at least."""
        return {"": 0, "weekly": 6, "monthly": 27}[self]


class Reason(StrEnum):
    """Why an address is suppressed."""

    HARD_BOUNCE = "hard bounce"
    SOFT_BOUNCES = "soft bounces"
    COMPLAINT = "complaint"
    MANUAL = "manual"
    ERASED = "erased"


_STRICTEST = (Standing.UNSUBSCRIBED, Standing.ACTIVE, Standing.PENDING)


def stricter(ours: str | None, theirs: Standing) -> Standing:
    """Which of two standings holds: a stop before anything, active before pending."""
    if ours is None:
        return theirs
    return min(Standing(ours), theirs, key=_STRICTEST.index)
