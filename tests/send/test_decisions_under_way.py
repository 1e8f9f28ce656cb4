"""What people decide while a campaign is under way, in whatever order, and what a provider tells late: nobody is
mailed twice, nor before the time that was set, nor after leaving.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter import send
from newsletter.errors import NotSent, Ours, OutcomeUnknown, ProviderError
from newsletter.feedback import keep
from newsletter.feedback.effects import Effects
from newsletter.model import Call, DeliveryState, EventType, Outcome, Receipt
from newsletter.providers import Limits
from newsletter.send import control, decisions, rate_limiter
from newsletter.send.lock import sole_sender
from newsletter.store.records import BatchRecord, PaceRecord
from tests.providers.fakes import MailgunFake, SmtpFake
from tests.send.shop import NAME, Shop, shop
from tests.send.test_nobody_twice import lost
from tests.send.test_send import Flaky

FIVE_DAYS = dt.timedelta(days=5)


def cancel(opened: Shop) -> None:
    with opened.space.store.write() as session:
        control.cancel(session, opened.campaign.id, "canceled", opened.time.at)


def pause(opened: Shop) -> None:
    with opened.space.store.write() as session:
        control.pause(session, opened.campaign.id, "a wrong link", opened.time.at)


def unsubscribe(opened: Shop) -> None:
    opened.leave("r2@example.org")


@pytest.mark.parametrize("act", [cancel, pause, unsubscribe])
def test_a_call_that_waited_for_its_turn_is_not_repeated_after_somebody_decided_otherwise(
    tmp_path: Path, act: Callable[[Shop], None]
) -> None:
    with shop(tmp_path, "resend", 6) as opened:
        opened.fake.faults = [lost(taken=False)] * 99
        opened.send()
        opened.fake.faults = []
        before = len(opened.fake.times)
        with opened.space.store.write() as session:
            control.resume(session, opened.campaign)
            pace = session.get_one(PaceRecord, "resend")
            pace.ready_at, pace.why = opened.time.at + dt.timedelta(seconds=25), "Resend is rate-limiting us"
        waited = opened.time.clock.sleep

        def decided(seconds: float) -> None:
            waited(seconds)
            act(opened)

        object.__setattr__(opened.space.clock, "sleep", decided)
        opened.service.run(opened.campaign)
        assert opened.fake.taken == []
        assert len(opened.fake.times) == before


def test_a_person_settles_nothing_that_is_in_somebodys_hands(tmp_path: Path) -> None:
    with shop(tmp_path, "sendgrid", 4) as opened:
        opened.fake.faults = [lost()]
        opened.send()
        with sole_sender(opened.space.store, NAME):
            done = opened.desk.run("campaigns", "settle", NAME, "--as", "pending", "--confirm", NAME)
        assert (done.returncode, "is being sent by another process" in done.stderr) == (1, True)
        assert opened.states == {"unknown": 4}
        with opened.space.store.write() as session:
            campaign = opened.campaign.id
            assert not decisions.under_way(session, campaign, None, {"worker@here"}), "its call has ended"
            session.get_one(BatchRecord, (campaign, 1)).worker = "worker@here"
            session.flush()
            assert decisions.under_way(session, campaign, None, {"worker@here"})
            assert not decisions.under_way(session, campaign, None, {"worker@there"})


@pytest.mark.parametrize("vendor", ["postmark", "sendgrid", "ses", "mailgun"])
def test_an_event_keeps_those_from_being_mailed_again_whom_a_person_had_settled_as_pending(
    tmp_path: Path, vendor: str
) -> None:
    with shop(tmp_path, vendor, 4) as opened:
        opened.fake.faults = [lost()]
        opened.send()
        with opened.space.store.write() as session:
            decisions.settle_by_hand(session, opened.campaign.id, DeliveryState.PENDING, batch=None, now=opened.time.at)
            told = [opened.event(address, EventType.DELIVERED) for address in opened.people]
        with opened.space.store.write() as session:
            new = keep(session, vendor, told, opened.space.marks)
            effects = Effects(opened.space.config.feedback, opened.space.address_hash)
            effects.apply(session, vendor, new, opened.time.at)
        assert opened.states == {"submitted": 4}
        opened.send()
        assert opened.once()


def scheduled(opened: Shop) -> None:
    with opened.space.store.read() as session:
        snapshot = send.latest(session, NAME)
    assert snapshot
    publication = opened.space.config.publication("network-download")
    plan = opened.service.plan(publication, snapshot, segment="", provider=opened.vendor)
    opened.service.start(snapshot, plan, publication, at=opened.time.at + FIVE_DAYS)


def join(opened: Shop) -> None:
    opened.desk.import_people("Email,Lists\nlate@example.org,Network Download\n")
    opened.people.append("late@example.org")
    snapshot, publication = (
        opened.service.snapshot(opened.campaign),
        opened.space.config.publication("network-download"),
    )
    plan = opened.service.plan(publication, snapshot, segment="", provider=opened.vendor, campaign=opened.campaign)
    opened.service.add_new(opened.campaign, plan, publication)


def resumed(opened: Shop) -> None:
    pause(opened)
    with opened.space.store.write() as session:
        control.resume(session, send.get(session, NAME))


def hurried(opened: Shop) -> None:
    with opened.space.store.write() as session:
        control.hurry(session, opened.campaign.id, opened.time.at)


def moved_over(opened: Shop) -> None:
    opened.service.move(opened.campaign, opened.vendor)


@pytest.mark.parametrize("verb", [join, resumed, hurried, moved_over])
def test_nothing_goes_before_its_time_whatever_is_done_before(tmp_path: Path, verb: Callable[[Shop], None]) -> None:
    with shop(tmp_path, "resend", 5) as opened:
        scheduled(opened)
        verb(opened)
        opened.send()
        assert opened.fake.taken == []
        with opened.space.store.read() as session:
            assert control.due(session, opened.time.at) == []
        opened.later(days=5)
        opened.send()
        assert opened.once()


def test_a_campaign_that_everybodys_server_put_off_waits_for_another_try_and_can_be_scheduled(tmp_path: Path) -> None:
    with shop(tmp_path, "smtp", 4, settings="parallel = 1") as opened:
        fake = opened.fake
        assert isinstance(fake, SmtpFake)
        fake.answers = {"END": ["451 4.7.1 greylisted, try again later"]}
        opened.send()
        with opened.space.store.write() as session:
            status = opened.service.status(session, opened.campaign)
            assert (status.word, status.planned) == ("waiting", False)
            control.reschedule(session, opened.campaign.id, opened.time.at + FIVE_DAYS)
        with opened.space.store.read() as session:
            status = opened.service.status(session, opened.campaign)
        assert (status.word, status.until) == ("scheduled", opened.time.at + FIVE_DAYS)
        fake.answers = {}
        opened.later(days=1)
        opened.send()
        assert fake.taken == []
        opened.later(days=5)
        opened.send()
        assert opened.once()


@pytest.mark.parametrize("size", [1, 3, 12])
def test_refusals_that_turn_out_to_be_ours_are_taken_back(tmp_path: Path, size: int) -> None:
    """An account that is closed after the first messages, in words that could be about the reader."""
    with shop(tmp_path, "smtp", 12, settings=f"parallel = 1\nbatch_size = {size}") as opened:
        fake = opened.fake
        assert isinstance(fake, SmtpFake)
        said = (f"550 5.2.1 session x{n}ab: no mail is taken for <r{n}@example.org>" for n in range(12))
        fake.answers = {"RCPT": ["250 2.1.5 fine", *said]}
        with pytest.raises(Ours, match="refused for everybody in a row"):
            opened.send()
        assert opened.campaign.paused_itself
        assert opened.states["refused"] == 0
        fake.answers = {}
        opened.send()
        assert opened.once()


def test_mailboxes_that_are_gone_are_refused_though_there_are_many_where_others_are_taken(tmp_path: Path) -> None:
    with shop(tmp_path, "smtp", 12, settings="parallel = 1") as opened:
        fake = opened.fake
        assert isinstance(fake, SmtpFake)
        fake.refuse = set(opened.people[3:9])
        opened.send()
        assert opened.states == {"submitted": 6, "refused": 6}
        assert not opened.campaign.paused_at


def test_a_log_that_shows_some_of_a_call_which_is_taken_whole_proves_all_of_it(tmp_path: Path) -> None:
    """Mailgun's events come one by one, and may be late: mailgun/mailgun-php#720."""
    with shop(tmp_path, "mailgun", 6) as opened:
        fake = opened.fake
        assert isinstance(fake, MailgunFake)
        opened.fake.faults = [lost()]
        opened.send()
        shown = fake.taken[:2]
        opened.later(hours=2)
        kept, fake.taken[:] = list(fake.taken), shown
        opened.send()
        fake.taken[:] = kept
        opened.send()
        assert opened.states == {"submitted": 6}
        assert opened.once()


def test_a_clock_that_was_ahead_when_a_call_was_made_proves_nothing_of_its_age(tmp_path: Path) -> None:
    with shop(tmp_path, "brevo", 4) as opened:
        opened.fake.faults = [lost()] * 99
        opened.send()
        before = len(opened.fake.times)
        opened.fake.faults = []
        opened.later(minutes=-40)
        with opened.space.store.write() as session:
            rate_limiter.reset(session, "brevo")
        opened.send()
        assert len(opened.fake.times) == before
        assert opened.states == {"unknown": 4}
        assert "a clock is wrong" in opened.errors()


def test_a_batch_is_never_larger_than_its_provider_takes_now(tmp_path: Path) -> None:
    with shop(tmp_path, "sendgrid", 12) as opened:
        opened.start()
        opened.configure("[providers.sendgrid]\n", "[providers.sendgrid]\nbatch_size = 4\n")
        opened.send()
        assert opened.once()
        assert len(opened.fake.bodies) == 3


def test_an_answer_that_was_kept_for_another_store_is_left_where_it_is(tmp_path: Path) -> None:
    with shop(tmp_path, "resend", 4) as opened:
        opened.fake.faults = [lost(taken=False)]
        opened.send()
        folder = opened.desk.folder / "unrecorded-answers"
        folder.mkdir(exist_ok=True)
        kept = folder / f"{opened.campaign.id}-99-key.json"
        kept.write_text('{"batch": 99, "key": "key", "receipts": []}', encoding="utf-8")
        opened.send()
        assert opened.once()


@pytest.mark.parametrize("ends", [None, OutcomeUnknown("the answer never came"), NotSent("no connection")])
def test_who_has_no_answer_beside_refusals_that_are_ours_is_pending_only_where_that_is_certain(
    tmp_path: Path, ends: ProviderError | None
) -> None:
    """Five are refused alike, and of the other three, who were taken, nothing is heard."""

    def refuses(call: Call) -> Iterator[Receipt]:
        if not isinstance(ends, NotSent):
            provider.take(replace(call, recipients=call.recipients[5:]))
        for recipient in call.recipients[:5]:
            yield Receipt(delivery=recipient.delivery, outcome=Outcome.REFUSED, detail="550 5.2.1 no")
        if ends is not None:
            raise ends

    provider = Roomy(provable=False, faults=[refuses])
    with shop(tmp_path, "smtp", 8) as opened:
        campaign = opened.start()
        with pytest.raises(Ours, match="refused for everybody in a row"):
            replace(opened.service, stand_in=provider).run(campaign)
        assert opened.campaign.paused_itself
        unheard = "pending" if isinstance(ends, NotSent) else "unknown"
        assert opened.states == Counter(pending=5) + Counter({unheard: 3})


class Roomy(Flaky):
    """Takes a whole list in one call."""

    limits = Limits(recipients=100)
