"""Campaigns: nobody twice, nobody missed, nobody who left; what was approved is what goes out."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from newsletter import VERSION, amendments, audience, codec, send
from newsletter.amendments import Decision
from newsletter.audience import Reason
from newsletter.errors import BadRecipient, Later, NotApproved, NotSent, Ours, OutcomeUnknown, SendError
from newsletter.model import Call, DeliveryState, Mailbox, Outcome, Receipt, Route, Snapshot
from newsletter.providers import How, Limits, Provider, Recovery
from newsletter.providers.memory import Memory
from newsletter.send import control, decisions, interrupted, ledger
from newsletter.send.heartbeat import heartbeat
from newsletter.send.lock import sole_sender
from newsletter.send.service import CampaignService
from newsletter.send.stored_calls import Envelope
from newsletter.store import open_store
from newsletter.store.records import BatchRecord, CampaignRecord, DeliveryRecord
from newsletter.workspace import Workspace
from tests.desk import ISSUE, NOW, Desk, StillTime
from tests.postgres import fresh

NAME = "network-download-2022-10"
ALL = {"ana@example.org", "ben@example.org", "chi@example.org"}


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, time: StillTime) -> Iterator[Desk]:
    """The sample workspace, once on each kind of database."""
    made = Desk.make(tmp_path / "desk", time.clock)
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres")
        made.space.store.close()
        store = fresh(url, tmp_path)
        made = Desk.make(tmp_path / "other", time.clock, store=store)
    yield made
    made.space.close()


Answer = Callable[[Call], Iterator[Receipt]]


@dataclass
class Flaky(Provider):
    """A provider that keeps messages and fails as it's told, call by call."""

    faults: list[Answer | Exception | None] = field(default_factory=list)
    kept: dict[int, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    provable: bool = True
    limits = Limits(recipients=3)
    name = "flaky"

    def __post_init__(self) -> None:
        self.recovery = Recovery(how=How.LOOKUP, complete=True) if self.provable else Recovery(how=How.NONE)

    @classmethod
    def from_config(cls, table: object, workspace: Path) -> Flaky:
        return cls()

    def route(self) -> Route:
        return Route(type=self.name)

    def send(self, call: Call) -> Iterator[Receipt]:
        self.calls.append(call)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        return fault(call) if fault else self.take(call)

    def take(self, call: Call) -> Iterator[Receipt]:
        for recipient in call.recipients:
            assert recipient.delivery not in self.kept, "a second copy"
            self.kept[recipient.delivery] = recipient.address
        return iter([Receipt(delivery=r.delivery, outcome=Outcome.ACCEPTED) for r in call.recipients])

    def take_and_drop(self, call: Call) -> Iterator[Receipt]:
        self.take(call)
        raise OutcomeUnknown("the answer never came")

    def settle(self, call: Call) -> Iterator[Receipt]:
        for recipient in call.recipients if self.provable else ():
            if recipient.delivery in self.kept:
                yield Receipt(delivery=recipient.delivery, outcome=Outcome.ACCEPTED)


def service(space: Workspace, provider: Provider) -> CampaignService:
    return replace(space.campaigns(), stand_in=provider)


def started(space: Workspace, segment: str = "", size: int = 2) -> CampaignRecord:
    snapshot, _ = space.approve(NAME, by="Ada")
    campaigns = space.campaigns()
    publication = space.config.publication("network-download")
    plan = replace(campaigns.plan(publication, snapshot, segment=segment, provider="files"), batch_size=size)
    return campaigns.start(snapshot, plan, publication)


def submit(space: Workspace, campaign: CampaignRecord, provider: Provider) -> Counter[DeliveryState]:
    with space.store.read() as session:
        campaign = send.get(session, campaign.name)
    return service(space, provider).run(campaign)


def states(space: Workspace, campaign: CampaignRecord) -> dict[str, str]:
    with space.store.read() as session:
        query = select(DeliveryRecord.address, DeliveryRecord.state).where(DeliveryRecord.campaign_id == campaign.id)
        return dict(session.execute(query).all())


def test_everybody_mailable_gets_exactly_one_message(space: Workspace) -> None:
    campaign, provider = started(space), Flaky()
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}
    assert sorted(provider.kept.values()) == sorted(ALL)
    assert [len(call.recipients) for call in provider.calls] == [2, 1]


def test_a_correction_reaches_those_alone_who_were_submitted_the_issue(space: Workspace) -> None:
    campaign, provider = started(space), Flaky()
    submit(space, campaign, provider)
    decision = Decision(by="Ada", at=NOW, day=NOW.date())
    with space.store.write() as session:
        query = select(DeliveryRecord).where(DeliveryRecord.address == "ben@example.org")
        session.scalars(query).one().state = DeliveryState.UNKNOWN
        amendments.correct(session, space.published(NAME)[0].issue, "It was nine.", decision)
    space.draft_correction(space.published(NAME)[0].issue, ["default"])
    snapshot, _ = space.approve(f"{NAME}-correction", by="Ada")
    mailing, publication = space.campaigns(), space.config.publication("network-download")
    plan = mailing.plan(publication, snapshot, segment="", provider="files")
    assert (plan.deliveries, plan.last, plan.reasons) == (2, None, {})
    correction = mailing.start(snapshot, plan, publication)
    assert set(states(space, correction)) == {"ana@example.org", "chi@example.org"}
    with pytest.raises(SendError, match="of those who were submitted network-download-2022-10"):
        mailing.plan(publication, snapshot, segment="", provider="files")


def test_sending_again_sends_nothing(space: Workspace) -> None:
    campaign, provider = started(space), Flaky()
    submit(space, campaign, provider)
    submit(space, campaign, provider)
    assert len(provider.calls) == 2


def test_the_ledger_is_written_before_the_wire(space: Workspace) -> None:
    campaign = started(space)
    seen: list[tuple[str, str, str, str]] = []

    def look(call: Call) -> Iterator[Receipt]:
        with space.store.read() as session:
            record = session.get_one(BatchRecord, (campaign.id, call.batch))
            state = session.get_one(DeliveryRecord, call.recipients[0].delivery).state
            seen.append((state, record.key, record.tag, record.request))
        return provider.take(call)

    provider = Flaky()
    provider.faults = [look]
    submit(space, campaign, provider)
    state, key, tag, request = seen[0]
    assert state == DeliveryState.SUBMITTING
    assert (key, tag) == (provider.calls[0].key, provider.calls[0].tag)
    assert provider.calls[0].recipients[0].address in request


def test_someone_who_left_between_plan_and_claim_gets_nothing(space: Workspace) -> None:
    campaign, provider = started(space), Flaky()
    with space.store.write() as session:
        ana, ben = (audience.find(session, f"{name}@example.org") for name in ("ana", "ben"))
        assert ana
        assert ben
        audience.unsubscribe(session, ana.id, "network-download", source="test", now=NOW)
        audience.suppress(session, ben.email, "hash", Reason.COMPLAINT, source="test", now=NOW)
    counts = submit(space, campaign, provider)
    assert counts == {DeliveryState.SUBMITTED: 1, DeliveryState.WITHHELD: 2}
    assert set(provider.kept.values()) == {"chi@example.org"}


@pytest.mark.parametrize("name", ["", "network-download"])
def test_someone_who_paused_or_was_suppressed_for_the_list_after_the_plan_gets_nothing(
    space: Workspace, name: str
) -> None:
    campaign, provider = started(space), Flaky()
    with space.store.write() as session:
        ana, ben, chi = (audience.find(session, f"{who}@example.org") for who in ("ana", "ben", "chi"))
        assert ana
        assert ben
        assert chi
        ana.paused_until = NOW + dt.timedelta(weeks=2)
        audience.suppress(session, ben.email, "hash", Reason.MANUAL, source="test", now=NOW, name=name)
        audience.suppress(session, chi.email, "other", Reason.MANUAL, source="test", now=NOW, name="workers-rights")
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 1, DeliveryState.WITHHELD: 2}
    assert set(provider.kept.values()) == {"chi@example.org"}


def test_a_person_deleted_after_planning_gets_nothing(space: Workspace) -> None:
    campaign, provider = started(space), Flaky()
    with space.store.write() as session:
        session.delete(audience.find(session, "ana@example.org"))
    assert submit(space, campaign, provider)[DeliveryState.WITHHELD] == 1
    assert "ana@example.org" not in provider.kept.values()


def test_an_answer_that_never_came_is_settled_by_what_the_provider_proves(space: Workspace) -> None:
    campaign, provider = started(space), Flaky()
    provider.faults = [provider.take_and_drop, OutcomeUnknown("dropped before it was taken")]
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}
    assert sorted(provider.kept.values()) == sorted(ALL)


def resumed(space: Workspace, campaign: CampaignRecord) -> str:
    """Resume a campaign; why it was paused."""
    with space.store.write() as session:
        found = send.get(session, campaign.name)
        why = found.paused_why
        control.resume(session, found)
    return why


def test_what_nobody_can_prove_pauses_the_campaign_stays_unknown_and_is_not_sent_again(space: Workspace) -> None:
    campaign, provider = started(space), Flaky(provable=False)
    provider.faults = [provider.take_and_drop]
    counts = submit(space, campaign, provider)
    assert counts == {DeliveryState.UNKNOWN: 2, DeliveryState.PENDING: 1}
    assert resumed(space, campaign).startswith("the answer never came; files can't tell who was taken")
    assert submit(space, campaign, provider) == {DeliveryState.UNKNOWN: 2, DeliveryState.SUBMITTED: 1}
    assert len(provider.calls) == 2


@pytest.mark.parametrize(("state", "calls"), [(DeliveryState.SUBMITTED, 2), (DeliveryState.PENDING, 3)])
def test_a_person_settles_what_is_unknown(space: Workspace, state: DeliveryState, calls: int) -> None:
    campaign, provider = started(space), Flaky(provable=False)
    provider.faults = [OutcomeUnknown("no answer")]
    submit(space, campaign, provider)
    resumed(space, campaign)
    with space.store.write() as session:
        assert decisions.settle_by_hand(session, campaign.id, state, batch=None, now=NOW) == 2
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}
    assert len(provider.calls) == calls


def test_a_busy_provider_is_tried_again_after_the_time_it_asked_for(space: Workspace, time: StillTime) -> None:
    campaign, provider = started(space), Flaky()
    provider.faults = [Later("slow down", retry_after=17.0), None]
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}
    assert time.waits == [17.0]


def test_a_provider_that_stays_away_pauses_the_campaign_and_leaves_everything_pending(
    space: Workspace, time: StillTime
) -> None:
    campaign, provider = started(space), Flaky()
    provider.faults = [Later("gone")] * 8
    assert submit(space, campaign, provider) == {DeliveryState.PENDING: 3}
    assert time.waits == [2, 4, 8, 16, 32, 60, 60]
    with space.store.write() as session:
        found = send.get(session, campaign.name)
        assert found.paused_why == "8 calls in a row weren't taken; the last one: gone"
    assert submit(space, campaign, provider) == {DeliveryState.PENDING: 3}
    assert len(provider.calls) == 8
    resumed(space, campaign)
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}


def test_a_provider_that_refuses_us_pauses_the_campaign_with_nobody_blamed(space: Workspace) -> None:
    campaign, provider = started(space), Flaky()
    provider.faults = [Ours("wrong key", hint="set another")]
    with pytest.raises(Ours, match="wrong key"):
        submit(space, campaign, provider)
    assert set(states(space, campaign).values()) == {DeliveryState.PENDING}
    assert resumed(space, campaign) == "wrong key (set another)"
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}


def test_when_nothing_can_leave_this_machine_the_run_ends_with_everybody_pending(space: Workspace) -> None:
    campaign, provider = started(space), Flaky()
    provider.faults = [NotSent("no name")]
    with pytest.raises(NotSent, match="no name"):
        submit(space, campaign, provider)
    assert set(states(space, campaign).values()) == {DeliveryState.PENDING}
    assert resumed(space, campaign) == ""
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}


def test_a_network_that_fails_in_the_middle_is_tried_again(space: Workspace, time: StillTime) -> None:
    campaign, provider = started(space), Flaky()
    provider.faults = [None, NotSent("no route"), NotSent("no route")]
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}
    assert time.waits == [2, 4]


def test_what_was_accepted_before_a_refusal_in_the_same_call_stays_accepted(space: Workspace) -> None:
    campaign, provider = started(space, size=3), Flaky()

    def half(call: Call) -> Iterator[Receipt]:
        yield from provider.take(replace(call, recipients=call.recipients[:2]))
        raise Ours("the password was changed")

    provider.faults = [half]
    with pytest.raises(Ours):
        submit(space, campaign, provider)
    assert Counter(states(space, campaign).values()) == {DeliveryState.SUBMITTED: 2, DeliveryState.PENDING: 1}
    resumed(space, campaign)
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}


@pytest.mark.parametrize("fault", [Later("slower"), NotSent("gone"), OutcomeUnknown("no answer")])
def test_what_was_accepted_before_any_other_fault_stays_accepted(space: Workspace, fault: Exception) -> None:
    campaign, provider = started(space, size=3), Flaky()

    def half(call: Call) -> Iterator[Receipt]:
        yield from provider.take(replace(call, recipients=call.recipients[:2]))
        raise fault

    provider.faults = [half]
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}
    assert sorted(provider.kept.values()) == sorted(ALL)


def test_one_bad_recipient_is_found_by_calls_that_are_each_in_the_ledger(space: Workspace) -> None:
    campaign, provider = started(space, size=3), Flaky()

    def choosy(call: Call) -> Iterator[Receipt]:
        bad = [r for r in call.recipients if r.address == "ben@example.org"]
        if bad and len(call.recipients) > 1:
            raise BadRecipient("one of them is no address")
        if bad:
            return iter([Receipt(delivery=bad[0].delivery, outcome=Outcome.REFUSED, detail="no address")])
        return provider.take(call)

    provider.faults = [choosy] * 9
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 2, DeliveryState.REFUSED: 1}
    assert len({call.key for call in provider.calls}) == len(provider.calls)
    with space.store.read() as session:
        tags = set(session.scalars(select(BatchRecord.tag)))
    assert {call.tag for call in provider.calls if len(call.recipients) == 1} <= tags


def test_a_recipient_that_the_provider_names_is_tried_alone_at_once(space: Workspace) -> None:
    campaign, provider = started(space, size=3), Flaky()

    def named(call: Call) -> Iterator[Receipt]:
        bad = [r.delivery for r in call.recipients if r.address == "ben@example.org"]
        if bad and len(call.recipients) > 1:
            raise BadRecipient("one of them is no address", suspects=bad)
        return provider.take(call)

    provider.faults = [named] * 9
    assert submit(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}
    assert [len(call.recipients) for call in provider.calls] == [3, 2, 1]


def test_one_refused_recipient_is_final_and_the_rest_goes_out(space: Workspace) -> None:
    campaign, provider = started(space, size=3), Memory(refuse=frozenset(("ben@example.org",)))
    counts = submit(space, campaign, provider)
    assert counts == {DeliveryState.SUBMITTED: 2, DeliveryState.REFUSED: 1}
    assert states(space, campaign)["ben@example.org"] == DeliveryState.REFUSED


def sealed(space: Workspace, campaign: CampaignRecord) -> Envelope:
    return space.campaigns()._envelope(campaign)


def claimed(space: Workspace, campaign: CampaignRecord, worker: str = "w", number: int | None = None) -> Call:
    """A batch claimed as a worker does."""
    with space.store.write() as session:
        found = send.get(session, campaign.name)
        now, route = space.clock.now(), Route(type="flaky")
        call = ledger.claim(session, found, sealed(space, campaign), now, route=route, worker=worker, number=number)
    assert call
    return call


def test_a_batch_after_an_interruption_has_the_bytes_it_had_before(space: Workspace, time: StillTime) -> None:
    campaign = started(space)
    first = claimed(space, campaign)
    time.clock.sleep(3_600)
    moved = replace(sealed(space, campaign), sender=Mailbox(name="Somebody else", address="x@example.org"))
    with space.store.write() as session:
        (number,) = interrupted.numbers(session, campaign.id)
        found = interrupted.take_over(session, send.get(session, NAME), number, moved, time.at, worker="me")
    assert found
    assert found.call == first
    assert found.open == {recipient.delivery for recipient in first.recipients}


def test_those_put_off_go_on_while_the_others_of_their_batch_are_in_question(space: Workspace, time: StillTime) -> None:
    campaign, provider = started(space, size=3), Flaky(provable=False)

    def half(call: Call) -> Iterator[Receipt]:
        provider.take(replace(call, recipients=call.recipients[:1]))
        outcomes = (Outcome.UNKNOWN, Outcome.DEFERRED, Outcome.DEFERRED)
        return iter([Receipt(delivery=r.delivery, outcome=o) for r, o in zip(call.recipients, outcomes, strict=True)])

    provider.faults = [half]
    submit(space, campaign, provider)
    resumed(space, campaign)
    assert submit(space, campaign, provider) == {DeliveryState.UNKNOWN: 1, DeliveryState.SUBMITTED: 2}
    assert [call.batch for call in provider.calls] == [1, 2]
    with space.store.write() as session:
        found = send.get(session, campaign.name)
        again = interrupted.take_over(session, found, 1, sealed(space, campaign), time.at, worker="me")
    assert again
    assert again.open == {provider.calls[0].recipients[0].delivery}
    assert again.call.key == provider.calls[0].key
    with space.store.read() as session:
        why = interrupted.why_not_again(session, campaign.id, again.call, time.at)
    assert "could mail them" in why, "to send the whole call again would reach those who have a batch of their own"


def test_a_late_answer_wins_over_pending_and_unknown_and_over_nothing_else(space: Workspace, time: StillTime) -> None:
    campaign = started(space, size=3)
    late = claimed(space, campaign, worker="slow")
    accepted = [Receipt(delivery=r.delivery, outcome=Outcome.ACCEPTED, message_id="m") for r in late.recipients]
    deferred = [Receipt(delivery=r.delivery, outcome=Outcome.DEFERRED) for r in late.recipients]
    with space.store.write() as session:
        ledger.record(session, campaign.id, late, deferred, time.at, lambda _: 0.0)
    quick = claimed(space, campaign, worker="quick")
    with space.store.write() as session:
        ledger.record(session, campaign.id, late, accepted, time.at, lambda _: 0.0)
    assert set(states(space, campaign).values()) == {DeliveryState.SUBMITTING}, "another call of theirs is under way"
    with space.store.write() as session:
        assert "answer to an earlier call" in session.get_one(BatchRecord, (campaign.id, 1)).error
        ledger.record(session, campaign.id, quick, deferred, time.at, lambda _: 0.0)
        ledger.record(session, campaign.id, late, accepted, time.at, lambda _: 0.0)
        # The batch still has the second call's key, so that the first call's answer is a late one.
    assert set(states(space, campaign).values()) == {DeliveryState.SUBMITTED}


def test_what_a_batch_sent_is_forgotten_when_nothing_of_it_is_in_question(space: Workspace) -> None:
    campaign, provider = started(space), Flaky()
    submit(space, campaign, provider)
    with space.store.read() as session:
        assert set(session.scalars(select(BatchRecord.request))) == {""}


def in_threads(space: Workspace, campaign: CampaignRecord, provider: Provider) -> Counter[DeliveryState]:
    campaigns = service(space, provider)
    with heartbeat(space.store, space.clock) as mine:
        return send.submit(campaigns.sender(campaign, mine), campaigns.provider, parallel=3)


def test_several_threads_mail_everybody_once(space: Workspace) -> None:
    campaign, provider = started(space, size=1), Flaky()
    assert in_threads(space, campaign, provider) == {DeliveryState.SUBMITTED: 3}
    assert sorted(provider.kept.values()) == sorted(ALL)


def test_a_thread_that_is_refused_ends_the_others_and_is_told(space: Workspace) -> None:
    campaign, provider = started(space, size=1), Flaky(faults=[Ours("wrong key")] * 3)
    with pytest.raises(Ours, match="wrong key"):
        in_threads(space, campaign, provider)
    assert set(states(space, campaign).values()) == {DeliveryState.PENDING}


@pytest.mark.parametrize(
    ("limits", "content", "fit"),
    [
        (Limits(recipients=500, bytes=50_000_000), 98_000, 500),
        (Limits(recipients=500, bytes=50_000_000), 248_000, 200),
        (Limits(recipients=500, bytes=50_000_000), 60_000_000, 0),
        (Limits(recipients=1_000, bytes=25_000_000, copies=False), 1_000_000, 1_000),
        (Limits(recipients=1_000, bytes=2_000_000, copies=False), 1_000_000, 500),
        (Limits(recipients=100), 10**9, 100),
    ],
)
def test_a_call_holds_as_many_as_the_provider_takes_bytes(limits: Limits, content: int, fit: int) -> None:
    assert limits.batch_size(content) == fit


def test_a_segment_first_and_the_whole_list_later_is_one_copy_each(space: Workspace) -> None:
    provider = Flaky()
    submit(space, started(space, segment="florida"), provider)
    assert set(provider.kept.values()) == {"ana@example.org", "ben@example.org"}
    submit(space, started(space), provider)
    assert sorted(provider.kept.values()) == sorted(ALL)


def test_a_list_that_reaches_nobody_is_an_error(space: Workspace) -> None:
    snapshot, _ = space.approve(NAME, by="Ada")
    publication = replace(space.config.publication("network-download"), list="federal-advocacy")
    with pytest.raises(SendError, match="nobody to send to"):
        space.campaigns().plan(publication, snapshot, segment="", provider="files")


def test_the_plan_counts_who_gets_nothing_and_why(space: Workspace) -> None:
    snapshot, _ = space.approve(NAME, by="Ada")
    plan = space.campaigns().plan(space.config.publication("network-download"), snapshot, segment="", provider="files")
    assert (plan.deliveries, plan.pending, plan.unsubscribed, plan.suppressed) == (3, 1, 2, 0)


def test_approving_binds_to_every_word(desk: Desk) -> None:
    space = desk.space
    snapshot, new = space.approve(NAME, by="Ada")
    assert new
    assert space.approve(NAME, by="ADA") == (snapshot, False)
    desk.write_issue(NAME, ISSUE.replace("This month", "This long month"))
    with pytest.raises(NotApproved, match="changed since Ada approved it"):
        space.approved(NAME)


def test_a_change_of_an_item_or_a_setting_voids_the_approval(desk: Desk) -> None:
    space = desk.space
    space.approve(NAME, by="Ada")
    with space.store.write() as session:
        from newsletter.collect import items

        item = items.get(session, "hb1-hearing")
        items.replace(session, item.slug, replace(item, summary="Another summary."), NOW)
    with pytest.raises(NotApproved):
        space.approved(NAME)


def test_what_was_approved_goes_out_though_the_draft_has_changed(desk: Desk) -> None:
    space = desk.space
    campaign, provider = started(space), Memory()
    desk.write_issue(NAME, ISSUE.replace("This month", "This ruined month"))
    space.campaigns()
    submit(space, campaign, provider)
    for raw in provider.messages.values():
        body = email.message_from_bytes(raw, policy=email.policy.default).get_body(("plain",))
        assert body
        assert "This month" in body.get_content()


def test_a_snapshot_comes_back_from_the_store_as_it_went_in(space: Workspace) -> None:
    snapshot, _ = space.approve(NAME, by="Ada")
    with space.store.read() as session:
        assert send.latest(session, NAME) == snapshot
        ((number, digest),) = send.all_latest(session, {}).values()
        ((_, document),) = send.documents(session, [number])
    assert digest == snapshot.digest
    assert document == codec.dumps(snapshot)
    assert codec.loads(codec.dumps(snapshot), Snapshot) == snapshot
    assert codec.digest(VERSION, snapshot.issue, *snapshot.variants) == snapshot.digest


def test_two_senders_at_once_are_one_too_many_on_sqlite(space: Workspace) -> None:
    if not space.store.is_sqlite:
        return  # there they share the work: tests/send/test_cluster.py
    campaign = started(space)
    with sole_sender(space.store, campaign.name), pytest.raises(SendError, match="by another process"):
        submit(space, campaign, Flaky())


def test_no_person_passes_through_the_process_when_the_audience_is_frozen(space: Workspace) -> None:
    snapshot, _ = space.approve(NAME, by="Ada")
    mailing, publication = space.campaigns(), space.config.publication("network-download")
    plan = mailing.plan(publication, snapshot, segment="", provider="files")
    reading: list[str] = []

    @event.listens_for(space.store.engine, "after_cursor_execute")
    def _note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().startswith("SELECT") and "subscribers" in statement:
            reading.append(statement)

    mailing.start(snapshot, plan, publication)
    assert reading == []


def _kill_at_random(folder: Path, seed: int) -> int:
    """Run `send` and kill it after a random moment, until it ends by itself; how many runs it took."""
    chance = random.Random(seed)
    command = [sys.executable, "-m", "newsletter", "send", NAME, "--confirm", NAME]
    for attempt in range(1, 40):
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if process.wait(timeout=chance.uniform(0.4, 0.9) + attempt * 0.2) == 0:
                return attempt
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    raise AssertionError("send never ended")


@pytest.mark.parametrize("seed", [1, 2])
def test_killing_send_at_any_moment_never_mails_twice_nor_misses_anybody(
    tmp_path: Path, time: StillTime, seed: int
) -> None:
    desk = Desk.make(tmp_path / "desk", time.clock)
    people = "".join(f"reader{n}@example.org,Network Download\n" for n in range(4_000))
    desk.import_people("Email,Lists\n" + people)
    desk.space.approve(NAME, by="Ada")
    desk.space.close()
    runs = _kill_at_random(desk.folder, seed)
    files = list((desk.folder / "outbox" / NAME).iterdir())
    addresses = [line for f in files for line in f.read_bytes()[:200].split(b"\r\n") if line.startswith(b"To: ")]
    assert runs > 1, "it was never interrupted"
    assert len(files) == len(addresses) == len(set(addresses)) == 4_003
    store = open_store(desk.space.config.database, desk.folder)
    with store.read() as session:
        counted = session.execute(select(DeliveryRecord.state, func.count()).group_by(DeliveryRecord.state))
        assert dict(counted.all()) == {DeliveryState.SUBMITTED: 4_003}
    store.close()
