"""What people decide about a campaign under way: its time, its pace, its end, its second subject, who joined since."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import audience, feedback, send
from newsletter.config import Pace
from newsletter.errors import InputError
from newsletter.model import Call, DeliveryState, Event, EventType, Receipt
from newsletter.providers.memory import Memory
from newsletter.send import control
from newsletter.send.clock import Clock
from newsletter.send.heartbeat import heartbeat
from newsletter.send.rate_limiter import RateLimiter
from newsletter.send.schedule import moment
from newsletter.store.records import BatchRecord, CampaignRecord, DeliveryRecord
from newsletter.workspace import Workspace, system_clock
from tests.desk import ISSUE, NOW, Desk, StillTime
from tests.send.test_send import NAME, Flaky, desk, service, started, states, submit  # noqa: F401 (the fixture)

NEW_YORK = ZoneInfo("America/New_York")


def crowd(desk: Desk, people: int) -> None:  # noqa: F811
    desk.import_people("Email,Lists\n" + "".join(f"r{n}@example.org,Network Download\n" for n in range(people)))


def record(space: Workspace, campaign: CampaignRecord) -> CampaignRecord:
    with space.store.read() as session:
        return send.get(session, campaign.name)


def test_a_paused_campaign_submits_nothing_until_it_is_resumed(space: Workspace) -> None:
    campaign, provider = started(space), Flaky()
    with space.store.write() as session:
        control.pause(session, campaign.id, "a wrong link", NOW)
        control.pause(session, campaign.id, "another reason", NOW)
    assert submit(space, campaign, provider) == {DeliveryState.PENDING: 3}
    assert record(space, campaign).paused_why == "a wrong link"
    with space.store.write() as session:
        control.resume(session, send.get(session, campaign.name))
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}


def test_a_canceled_campaign_mails_nobody_more_and_forgets_nobody_who_was_mailed(space: Workspace) -> None:
    campaign, provider = started(space, size=1), Flaky()

    def cancel_after(call: Call) -> Iterator[Receipt]:
        with space.store.write() as session:
            assert control.cancel(session, campaign.id, "canceled", NOW) == 2
        return provider.take(call)

    provider.faults = [cancel_after]
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 1, DeliveryState.WITHHELD: 2}
    assert len(provider.calls) == 1


def test_a_scheduled_campaign_goes_out_at_its_time_and_not_before(space: Workspace, time: StillTime) -> None:
    snapshot, _ = space.approve(NAME, by="Ada")
    campaigns, publication = space.campaigns(), space.config.publication("network-download")
    plan = campaigns.plan(publication, snapshot, segment="", provider="files")
    campaign = campaigns.start(snapshot, plan, publication, at=NOW + dt.timedelta(hours=3))
    provider = Flaky()
    assert submit(space, campaign, provider) == {DeliveryState.PENDING: 3}
    with space.store.write() as session:
        assert control.due(session, time.at) == []
        control.reschedule(session, campaign.id, NOW + dt.timedelta(hours=2))
    time.at += dt.timedelta(hours=2)
    with space.store.read() as session:
        assert [found.name for found in control.due(session, time.at)] == [campaign.name]
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}
    with space.store.read() as session:
        assert control.due(session, time.at) == []


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-12-01 09:00", "2026-12-01T14:00:00+00:00"),
        ("2026-07-01 09:00", "2026-07-01T13:00:00+00:00"),
        ("2026-12-01T09:00:30", "2026-12-01T14:00:30+00:00"),
        ("2026-11-01 01:30-05:00", "2026-11-01T06:30:00+00:00"),
    ],
)
def test_a_time_is_meant_on_the_workspaces_clock(text: str, utc: str) -> None:
    assert moment(text, NEW_YORK, NOW).isoformat() == utc


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-03-08 02:30", "the clocks go forward"),
        ("2026-11-01 01:30", r"comes twice.*2026-11-01 01:30-04:00.* or .*2026-11-01 01:30-05:00"),
        ("2022-10-12 10:59", "is past"),
        ("2026-12-01", "has no time of day"),
        ("tomorrow", "can't read the time"),
    ],
)
def test_a_time_that_is_none_is_told(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        moment(text, NEW_YORK, NOW)


def test_who_joined_since_gets_the_issue_once(desk: Desk) -> None:  # noqa: F811
    space = desk.space
    campaign, provider = started(space), Flaky()
    submit(space, campaign, provider)
    crowd(desk, 3)
    campaigns, publication = space.campaigns(), space.config.publication("network-download")
    for expected in (3, 0):
        snapshot = campaigns.snapshot(campaign)
        plan = campaigns.plan(publication, snapshot, segment="", provider="files", campaign=campaign)
        assert plan.deliveries == expected
        campaigns.add_new(campaign, replace(plan, batch_size=2), publication)
        assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 6}
    assert Counter(provider.kept.values()).most_common(1)[0][1] == 1


def test_a_day_has_its_ceiling_and_the_rest_goes_out_the_next(desk: Desk, time: StillTime) -> None:  # noqa: F811
    crowd(desk, 4)
    space, provider = desk.space, Memory()
    campaign = started(space, size=2)
    limiter = RateLimiter.of("files", Pace(per_day=4), provider.limits, NEW_YORK)

    def run() -> Counter[DeliveryState]:
        campaigns = service(space, provider)
        with heartbeat(space.store, space.clock) as mine:
            sender = replace(campaigns.sender(campaign, mine), limiter=limiter)
            return send.submit(sender, campaigns.provider)

    assert run() == {DeliveryState.SUBMITTED: 4, DeliveryState.PENDING: 3}
    assert run() == {DeliveryState.SUBMITTED: 4, DeliveryState.PENDING: 3}
    time.at += dt.timedelta(hours=13)  # past midnight in New York
    assert run() == {DeliveryState.SUBMITTED: 7}


def two_subjects(desk: Desk, people: int = 400) -> CampaignRecord:  # noqa: F811
    crowd(desk, people)
    text = ISSUE.replace("\npreheader", '\nsubject_b = "The other subject"\ntest_share = 0.5\npreheader', 1)
    desk.write_issue(NAME, text)
    return started(desk.space, size=50)


def test_half_of_a_share_gets_either_subject_and_the_rest_waits_for_the_winner(desk: Desk) -> None:  # noqa: F811
    campaign, provider = two_subjects(desk), Memory()
    space = desk.space

    def run() -> Counter[DeliveryState]:
        campaigns = service(space, provider)
        return campaigns.run(record(space, campaign))

    first = run()
    other = sum(b"The other subject" in message[:3_000] for message in provider.messages.values())
    assert first[DeliveryState.SUBMITTED] == len(provider.messages)
    assert 0.4 * 403 < first[DeliveryState.SUBMITTED] < 0.6 * 403
    assert 0.4 < other / len(provider.messages) < 0.6
    with space.store.write() as session:
        assert control.pick(session, send.get(session, campaign.name), "b", space.clock.now()) > 0
        assert control.pick(session, send.get(session, campaign.name), "a", space.clock.now()) == 0
    assert run() == {DeliveryState.SUBMITTED: 403}
    later = sum(b"The other subject" in message[:3_000] for message in provider.messages.values())
    assert later - other == 403 - first[DeliveryState.SUBMITTED]


def clicked(session: Session, space: Workspace, campaign: CampaignRecord, name: str, delivery: int) -> Event:
    address = session.get_one(DeliveryRecord, delivery).address
    mark = space.marks.mark(campaign.nonce, delivery)
    return Event(id=name, type=EventType.CLICKED, at=NOW, mark=mark, address=address)


def test_after_some_hours_clicks_say_which_subject_won(desk: Desk, time: StillTime) -> None:  # noqa: F811
    campaign, provider = two_subjects(desk), Memory()
    space = desk.space
    service(space, provider).run(campaign)
    with space.store.write() as session:
        query = select(DeliveryRecord.id).join(
            BatchRecord,
            (BatchRecord.campaign_id == DeliveryRecord.campaign_id) & (BatchRecord.number == DeliveryRecord.batch),
        )
        for arm, clicks in (("a", 3), ("b", 9)):
            chosen = session.scalars(query.where(BatchRecord.arm == arm).limit(clicks)).all()
            events = [clicked(session, space, campaign, f"{arm}{n}", n) for n in chosen]
            assert len(feedback.keep(session, "files", [*events, *events], space.marks)) == clicks
        assert {arm: clicked for arm, (_, clicked) in control.clicks(session, campaign.id).items()} == {"a": 3, "b": 9}
        assert control.pick_by_clicks(session, send.get(session, campaign.name), time.at) == ""
    time.at += dt.timedelta(hours=4)
    with space.store.write() as session:
        (due,) = control.due(session, time.at)
        assert control.pick_by_clicks(session, due, time.at) == "b"
    assert service(space, provider).run(record(space, campaign)) == {DeliveryState.SUBMITTED: 403}


def test_whoever_unsubscribes_before_their_batch_is_claimed_gets_nothing(desk: Desk) -> None:  # noqa: F811
    """A race: people leave in one thread while another sends. No two claims have the same time here, so that
    a batch's says how many had left before it.
    """
    crowd(desk, 600)
    space, provider = desk.space, Flaky()
    campaign = started(space, size=5)
    gone: list[str] = []
    gone_at: dict[dt.datetime, int] = {}
    seconds = itertools.count()
    real = system_clock()

    def now() -> dt.datetime:
        at = NOW + dt.timedelta(seconds=next(seconds))
        gone_at[at] = len(gone)
        return at

    def take(call: Call) -> Iterator[Receipt]:
        left = gone[: gone_at[call.date]]
        assert not set(left).intersection(recipient.address for recipient in call.recipients)
        return provider.take(call)

    provider.faults = [take] * 1_000

    def leave() -> None:
        chance = random.Random(3)
        for number in chance.sample(range(600), 120):
            with space.store.write() as session:
                person = audience.find(session, f"r{number}@example.org")
                assert person
                audience.unsubscribe(session, person.id, "network-download", source="test", now=NOW)
            gone.append(f"r{number}@example.org")

    leaving = threading.Thread(target=leave)
    leaving.start()
    racing = Workspace(space.config, Clock(now=now, sleep=real.sleep, jitter=real.jitter))
    racing.__dict__["store"] = space.store
    with space.store.write() as session:
        for batch in session.scalars(select(BatchRecord)):
            batch.ready_at = NOW
    submit(racing, campaign, provider)
    leaving.join()
    withheld = {address for address, state in states(space, campaign).items() if state == DeliveryState.WITHHELD}
    assert withheld <= set(gone)
    assert withheld.isdisjoint(provider.kept.values())
    assert len(provider.kept) + len(withheld) == 603
    assert len(withheld) > 0
