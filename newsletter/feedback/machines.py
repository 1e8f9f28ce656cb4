"""Which opens and clicks no person did: link scanners and mail programs that fetch everything ahead.

A function of all that is known of a delivery, in which more knowledge only ever adds marks: in whatever order the
events come, the same ones are marked in the end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.model import EventType

#: Different links of one message within so many seconds are a scanner's, from this many on.
_BURST = 3
_BURST_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of one event of a delivery; `link` is where a click led."""

    id: int
    type: EventType
    at: dt.datetime
    link: str = ""


def machines(events: Sequence[Seen], seconds: float) -> set[int]:
    """Of one delivery's events, the ids of those that a machine did: what came before the message had been delivered
    for so many `seconds`, and clicks on several links at once.
    """
    delivered = min((event.at for event in events if event.type is EventType.DELIVERED), default=None)
    acts = [event for event in events if event.type in (EventType.OPENED, EventType.CLICKED)]
    early = {
        event.id for event in acts if delivered is not None and event.at < delivered + dt.timedelta(seconds=seconds)
    }
    return early | _bursts([event for event in acts if event.type is EventType.CLICKED])


def _bursts(clicks: Sequence[Seen]) -> set[int]:
    span = dt.timedelta(seconds=_BURST_SECONDS)
    found: set[int] = set()
    for first in clicks:
        together = [click for click in clicks if first.at <= click.at <= first.at + span]
        if len({click.link for click in together}) >= _BURST:
            found.update(click.id for click in together)
    return found
