"""The rate limiter and clocks that are wrong for a while."""

from __future__ import annotations

import datetime as dt

import pytest

from newsletter import send
from newsletter.send import control
from newsletter.send.rate_limiter import RateLimiter
from newsletter.send.status import status_of
from newsletter.workspace import Workspace
from tests.desk import NOW, StillTime
from tests.send.test_send import started

AHEAD = NOW + dt.timedelta(days=366)


@pytest.mark.parametrize(("rate", "longest"), [(2.0, 0.5), (0.1, 10.0), (None, 0.0)])
def test_a_clock_that_was_ahead_leaves_no_longer_wait_than_the_pace_asks_for(
    space: Workspace,
    rate: float | None,
    longest: float,
) -> None:
    limiter = RateLimiter(provider="files", rate=rate)
    with space.store.write() as session:
        RateLimiter(provider="files", rate=1.0).take(session, 1, AHEAD)
    with space.store.write() as session:
        assert limiter.peek(session, NOW).seconds == longest
        assert limiter.wait(session, NOW).seconds == longest
        assert limiter.wait(session, NOW + dt.timedelta(seconds=longest)).seconds == 0


def test_a_wish_to_wait_from_a_clock_that_was_ahead_ends_within_a_day(space: Workspace) -> None:
    limiter = RateLimiter(provider="files", rate=1.0)
    with space.store.write() as session:
        limiter.failed(session, 3_600.0, 0.0, AHEAD, "it is rate-limiting us")
    day = dt.timedelta(days=1)
    with space.store.write() as session:
        assert limiter.peek(session, NOW).seconds == day.total_seconds()
        assert limiter.wait(session, NOW).seconds == day.total_seconds()
    with space.store.write() as session:
        assert limiter.wait(session, NOW + day).seconds == 0


def test_a_status_that_waits_always_says_for_what(space: Workspace, time: StillTime) -> None:
    campaign = started(space)
    slow = RateLimiter(provider=campaign.provider, rate=0.01)
    with space.store.write() as session:
        slow.take(session, 1, time.at)
    with space.store.read() as session:
        status = status_of(session, send.get(session, campaign.name), slow, time.at)
        assert (status.word, status.waits_for) == ("waiting", "the rate limit")
        assert control.due(session, time.at)
