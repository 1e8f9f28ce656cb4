"""Nobody gets two, whatever a vendor answers: the faults that people met in the field, each by its root."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter import send
from newsletter.errors import Ours, SendError, StoreError
from newsletter.feedback import keep
from newsletter.model import DeliveryState, EventType
from newsletter.send import control, decisions, ledger
from newsletter.store.records import BatchRecord, SubscriberRecord
from tests.postgres import fresh
from tests.providers.fakes import MailgunFake, PostmarkFake, ResendFake, SmtpFake
from tests.providers.fakes.base import Interference, Said
from tests.send.shop import Shop, shop

Submitted = DeliveryState.SUBMITTED


def lost(taken: bool = True) -> Interference:
    """A call whose answer never comes."""
    return Interference("no answer", reaches=taken, answer=lambda _: b"", resets=True)


def saying(status: int, body: object = "", *, taken: bool = True) -> Interference:
    """A call that's answered by something else than the vendor."""
    return Interference(f"{status}", reaches=taken, answer=lambda _: Said(status, body).raw)


@pytest.fixture(params=["mailgun", "postmark"])
def looked_up(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path, request.param, 8, settings="batch_size = 4") as opened:
        yield opened


@pytest.fixture(params=["resend", "brevo", "mailjet"])
def replayed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path, request.param, 8, settings="parallel = 1") as opened:
        yield opened


@pytest.mark.parametrize("answer", ["535 5.7.8 Authentication failed", "454 4.7.0 Temporary authentication failure"])
def test_what_a_server_took_before_it_closed_and_then_refused_the_login_stays_taken(
    tmp_path: Path, answer: str
) -> None:  # S1
    with shop(tmp_path, "smtp", 100, settings='batch_size = 100\nusername = "me"\nparallel = 1\n') as opened:
        fake = opened.fake
        assert isinstance(fake, SmtpFake)
        fake.for_good, fake.offers = False, ("AUTH PLAIN LOGIN",)
        fake.answers = {
            "RCPT": ["250 fine"] * 70 + ["421 4.7.0 too many messages"],
            "AUTH": ["235 fine"] + [answer] * 9,
        }
        if answer.startswith("535"):
            with pytest.raises(Ours, match="does not accept the login"):
                opened.send()
            assert opened.states == {"submitted": 70, "pending": 30}
            fake.answers["AUTH"].clear()
        opened.send()
        assert opened.send() == {Submitted: 100}
        assert opened.once()


@pytest.mark.parametrize("vendor", ["sendgrid", "mailgun", "brevo"])
def test_credits_that_run_out_while_a_call_is_being_halved_cost_nobody_a_second_copy(
    tmp_path: Path, vendor: str
) -> None:  # S2
    with shop(tmp_path, vendor, 8, settings="parallel = 1") as opened:
        opened.fake.refuse = {"r5@example.org"}
        opened.fake.trouble, opened.fake.spare = "credits", 2
        with pytest.raises(Ours, match=r"(?i)credits|402"):
            opened.send()
        taken = len(opened.fake.taken)
        assert 0 < taken <= 7
        assert opened.states["submitted"] == taken
        assert opened.campaign.paused_itself
        opened.fake.trouble = ""
        assert opened.send() == {Submitted: 7, DeliveryState.REFUSED: 1}
        assert set(opened.copies.values()) == {1}


def test_a_search_in_another_stream_would_find_nothing_so_it_asks_the_right_one(tmp_path: Path) -> None:  # S3
    with shop(tmp_path, "postmark", 8, settings="batch_size = 4\nparallel = 1\n") as opened:
        opened.fake.faults = [lost()]
        opened.send()
        opened.later(minutes=20)
        assert opened.send() == {Submitted: 8}
        assert opened.once()


def test_a_lookup_past_what_the_vendor_keeps_proves_nothing(looked_up: Shop) -> None:  # S4
    looked_up.fake.faults = [lost(), lost()]
    looked_up.send()
    looked_up.later(days=60)
    looked_up.send()
    assert looked_up.states["unknown"] > 0
    assert set(looked_up.copies.values()) == {1}
    assert "keeps its log for" in looked_up.errors() or "has caught up" in looked_up.errors()


@pytest.mark.parametrize(
    ("vendor", "old", "new"),
    [
        ("mailgun", 'domain = "mg.example.org"', 'domain = "mail.example.org"'),
        ("postmark", "timeout = 10.0", 'timeout = 10.0\nstream = "news"'),
    ],
)
def test_a_lookup_in_another_place_than_the_call_went_to_proves_nothing(
    tmp_path: Path, vendor: str, old: str, new: str
) -> None:  # S5
    with shop(tmp_path, vendor, 8, settings="batch_size = 4\nparallel = 1\n") as opened:
        opened.fake.faults = [lost()]
        opened.send()
        opened.configure(old, new)
        opened.later(minutes=40)
        opened.send()
        assert opened.states["unknown"] == 4
        assert set(opened.copies.values()) == {1}
        if vendor == "postmark":
            assert "it went elsewhere than the settings say now: stream" in opened.errors()


def test_another_key_may_be_another_accounts_so_it_proves_no_absence(
    looked_up: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up.fake.faults = [lost(taken=False)]
    looked_up.send()
    looked_up.later(hours=1)
    looked_up.fake.authorized = lambda headers: True  # type: ignore[method-assign]
    for name in ("MAILGUN_API_KEY", "POSTMARK_SERVER_TOKEN"):
        monkeypatch.setenv(name, "the-key-of-another-account")
    looked_up.send()
    assert looked_up.states["unknown"] == 4
    assert "settings say now: key" in looked_up.errors()


def test_a_key_belongs_to_a_call_as_it_was_made(tmp_path: Path) -> None:  # S6
    """One bad address makes two calls of one; two messages are taken, and their answer is lost."""
    with shop(tmp_path, "brevo", 4, settings="parallel = 1") as opened:
        opened.fake.refuse = {"r3@example.org"}
        opened.fake.faults = ["", saying(502, "<html>")]
        opened.send()
        opened.send()
        assert set(opened.copies.values()) == {1}
        assert opened.states == {"submitted": 3, "refused": 1}


def test_an_events_proof_settles_what_was_unknown_and_no_hand_can_make_it_pending(tmp_path: Path) -> None:  # S7
    with shop(tmp_path, "sendgrid", 6) as opened:
        opened.fake.faults = [lost()]
        assert opened.send() == {DeliveryState.UNKNOWN: 6}
        with opened.space.store.write() as session:
            told = [opened.event(f"r{n}@example.org", EventType.DELIVERED) for n in range(4)]
            keep(session, "sendgrid", told, opened.space.marks)
            found = decisions.in_question(session, opened.campaign.id)
            assert (found.unknown, found.proved) == (6, 4)
            decisions.settle_by_hand(session, opened.campaign.id, DeliveryState.PENDING, batch=None, now=opened.time.at)
        assert opened.states == {"submitted": 4, "pending": 2}


@pytest.mark.parametrize(
    "body",
    [{}, {"TotalCount": 4}, {"Messages": None, "TotalCount": 0}, [], "<html>", {"Messages": [{}], "TotalCount": 1}],
)
def test_a_lookup_without_what_it_must_have_is_no_answer(tmp_path: Path, body: object) -> None:  # S32
    with shop(tmp_path, "postmark", 8, settings="batch_size = 4\nparallel = 1\n") as opened:
        opened.fake.faults = [lost()]
        opened.send()
        opened.later(minutes=20)
        opened.fake.faults = [saying(200, body)] * 3
        opened.send()
        assert set(opened.copies.values()) == {1}
        assert opened.states["unknown"] == 4


@pytest.mark.parametrize("body", [{}, {"items": []}, {"items": [1, 2], "paging": {}}, {"paging": {"next": "x"}}, "[]"])
def test_events_without_what_they_must_have_are_no_answer(tmp_path: Path, body: object) -> None:
    with shop(tmp_path, "mailgun", 8, settings="batch_size = 4\nparallel = 1\n") as opened:
        opened.fake.faults = [lost()]
        opened.send()
        opened.later(minutes=40)
        opened.fake.faults = [saying(200, body)] * 3
        opened.send()
        assert set(opened.copies.values()) == {1}


def test_a_log_whose_next_page_is_always_the_same_ends(looked_up: Shop) -> None:  # S33
    looked_up.fake.faults = [lost()]
    looked_up.send()
    looked_up.later(minutes=40)
    looked_up.fake.__class__ = {MailgunFake: _EndlessMailgun, PostmarkFake: _EndlessPostmark}[type(looked_up.fake)]
    looked_up.send()
    assert looked_up.states["unknown"] == 4
    assert "again and again" in looked_up.errors()


class _EndlessMailgun(MailgunFake):
    def look(self, path: str, query: dict[str, list[str]]) -> Said:
        item = {"event": "accepted", "recipient": "x@example.org", "message": {}}
        return Said(200, {"items": [item], "paging": {"next": f"{self.url}{path}?page=1"}})


class _EndlessPostmark(PostmarkFake):
    def look(self, path: str, query: dict[str, list[str]]) -> Said:
        return Said(200, {"TotalCount": 10**6, "Messages": [{"Metadata": {"delivery": "x"}}]})


def test_time_alone_proves_no_absence(looked_up: Shop) -> None:  # S34
    """Nothing of ours was accepted after the lost call, so that the log may be as old as the call."""
    looked_up.fake.faults = [lost(), lost()]
    looked_up.send()
    looked_up.fake.lag = looked_up.fake.retention / 2
    looked_up.later(hours=2)
    looked_up.send()
    assert set(looked_up.copies.values()) == {1}
    assert looked_up.states["unknown"] > 0
    assert "has caught up" in looked_up.errors()


def test_a_log_that_shows_a_later_call_of_ours_proves_that_an_earlier_one_never_came(looked_up: Shop) -> None:
    looked_up.fake.faults = [lost(taken=False)]
    looked_up.send()
    looked_up.later(hours=2)
    looked_up.desk.import_people("Email,Lists\nlate@example.org,Network Download\n")
    snapshot, publication = (
        looked_up.service.snapshot(looked_up.campaign),
        looked_up.space.config.publication("network-download"),
    )
    more = looked_up.service.plan(
        publication, snapshot, segment="", provider=looked_up.vendor, campaign=looked_up.campaign
    )
    looked_up.service.add_new(looked_up.campaign, more, publication)
    looked_up.send()
    assert looked_up.send() == {Submitted: 9}
    assert set(looked_up.copies.values()) == {1}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        *((200, body) for body in ("<html>hello</html>", '{"id": "<x', "", "\ufeff{}", "null", '{"id": null}', "[1]")),
        *((status, "") for status in (202, 204, 302, 307, 408, 409, 425, 500, 502, 503, 504, 520)),
    ],
)
@pytest.mark.parametrize("vendor", ["mailgun", "sendgrid", "ses", "resend", "brevo", "postmark", "mailjet"])
def test_only_an_answer_that_the_vendor_documents_as_not_taken_is_one(
    tmp_path: Path, vendor: str, status: int, body: str
) -> None:  # S35
    if vendor == "sendgrid" and status == 202:
        pytest.skip("that is SendGrid's own way to say that it took the call")
    with shop(tmp_path, vendor, 4) as opened:
        opened.fake.faults = [saying(status, body)]
        opened.send()
        opened.send()
        assert set(opened.copies.values()) == {1}
        assert opened.states["pending"] == 0


def test_a_call_that_is_still_under_way_is_asked_again_by_the_same_key_until_it_answers(tmp_path: Path) -> None:  # S36
    with shop(tmp_path, "resend", 6) as opened:
        fake = opened.fake
        assert isinstance(fake, ResendFake)
        busy = Said(409, {"name": "concurrent_idempotent_requests", "message": "under way"}).raw
        under_way = Interference("409", reaches=False, answer=lambda _: busy)
        fake.faults = [lost(), under_way, under_way]
        assert opened.send() == {Submitted: 6}
        assert opened.once()
        assert len(fake.keys) == 1


def test_two_campaigns_of_an_issue_that_begin_at_once_give_nobody_two(tmp_path: Path, postgres: str) -> None:  # S37
    with shop(tmp_path, "resend", 40, store=fresh(postgres, tmp_path)) as opened:
        snapshot, _ = opened.space.approve("network-download-2022-10", by="Ada")
        publication = opened.space.config.publication("network-download")
        with opened.space.store.write() as session:
            for person in session.scalars(select(SubscriberRecord)):
                person.state = "FL"
        plans = [
            opened.service.plan(publication, snapshot, segment=segment, provider="resend")
            for segment in ("", "florida")
        ]
        begun, refused = [], []

        def begin(number: int) -> None:
            try:
                begun.append(opened.service.start(snapshot, plans[number], publication))
            except SendError as fault:
                refused.append(str(fault))

        threads = [threading.Thread(target=begin, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for campaign in begun:
            opened.service.run(campaign)
        assert len(begun) + len(refused) == 2
        assert opened.once()
        assert all("has just begun" in line for line in refused)


@pytest.mark.parametrize(
    ("vendor", "minutes"), [("brevo", 15), ("brevo", 20), ("resend", 24 * 60), ("mailjet", 24 * 60)]
)
def test_a_key_past_the_shortest_time_that_is_documented_proves_nothing(
    tmp_path: Path, vendor: str, minutes: int
) -> None:  # S38
    with shop(tmp_path, vendor, 4) as opened:
        opened.fake.faults = [lost(), *[saying(503)] * 99]
        opened.send()
        opened.fake.faults = []
        opened.later(minutes=minutes)
        opened.send()
        assert opened.states == {"unknown": 4}
        assert set(opened.copies.values()) == {1}
        assert "forgets a call after" in opened.errors()


@pytest.mark.parametrize(
    "wish", ["1000000000", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "60s", "-5", "soon", "1e99"]
)
def test_a_wish_to_wait_that_nobody_can_mean_is_left_alone(tmp_path: Path, wish: str) -> None:  # S21, S40
    with shop(tmp_path, "resend", 4) as opened:
        opened.fake.wait = wish
        opened.fake.faults = ["429"]
        assert opened.send() == {Submitted: 4}
        assert sum(opened.time.waits) < 100


def test_a_long_wish_to_wait_is_bounded_told_and_reset_by_resuming(tmp_path: Path) -> None:  # S40
    with shop(tmp_path, "resend", 4) as opened:
        opened.fake.wait = "200000"
        opened.fake.faults = ["429"]
        assert opened.send() == {DeliveryState.PENDING: 4}
        with opened.space.store.read() as session:
            status = opened.service.status(session, opened.campaign)
        assert status.until
        assert (status.until - opened.time.at).total_seconds() == 86_400
        assert "Too many requests" in status.waits_for
        with opened.space.store.write() as session:
            control.resume(session, send.get(session, opened.campaign.name))
        assert opened.send() == {Submitted: 4}


def test_an_answer_that_the_database_cannot_take_is_kept_beside_it_and_recorded_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # S41
    with shop(tmp_path, "sendgrid", 6) as opened:
        opened.start()
        real = ledger.write

        def full(*given: object) -> None:
            raise StoreError("database or disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(ledger, "write", full)
            with pytest.raises(StoreError, match="the next send records the answers"):
                opened.send()
        assert ledger.write is real
        assert opened.states == {"submitting": 6}
        assert len(list((opened.desk.folder / "unrecorded-answers").iterdir())) == 1
        assert opened.send() == {Submitted: 6}
        assert list((opened.desk.folder / "unrecorded-answers").iterdir()) == []
        assert opened.once()


@pytest.mark.parametrize(
    "stored",
    [
        '{"sender": "Desk <desk@example.org>", "reply_to": "", "headers": [["Precedence", "bulk"]], "recipients": '
        '[{"delivery": %d, "address": "%s", "values": {"unsubscribe_url": "https://x"}}]}',
        '{"sender": "Desk <desk@example.org>", "reply_to": "", "headers": [["Precedence", "bulk"]], "recipients": '
        '[[%d, "%s", {"unsubscribe_url": "https://x"}]]}',
    ],
    ids=["0.1", "0.2 to 0.5"],
)
def test_what_an_older_release_left_in_the_middle_of_a_call_is_understood_and_named(
    tmp_path: Path, stored: str
) -> None:  # S39
    with shop(tmp_path, "mailgun", 1) as opened:
        opened.fake.faults = [lost(taken=False)]
        opened.send()
        delivery = opened.of("r0@example.org")
        with opened.space.store.write() as session:
            batch = session.scalars(select(BatchRecord)).one()
            batch.request, batch.route, batch.worker = stored % (delivery.id, delivery.address), "", ""
            session.merge(batch)
        opened.later(hours=1)
        assert opened.send() == {DeliveryState.UNKNOWN: 1}
        assert "earlier release" in opened.errors()
        with opened.space.store.write() as session:
            done = decisions.settle_by_hand(
                session, opened.campaign.id, DeliveryState.PENDING, batch=None, now=opened.time.at
            )
        assert done == 1
        assert opened.send() == {Submitted: 1}
