"""Submitting a campaign and saying how it stands: what `send` ends with, and `run-due`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NoReturn

import click

from newsletter import send as sending
from newsletter.cli.output import emit, many, next_step, progress, say, workspace
from newsletter.errors import DeliveryIncomplete, NewsletterError, SendError
from newsletter.model import DeliveryState
from newsletter.send import control, decisions, heartbeat, ledger
from newsletter.send.service import CampaignService
from newsletter.send.status import UNFINISHED, CampaignStatus
from newsletter.store.records import CampaignRecord
from newsletter.workspace import Workspace

#: Seconds that watching waits for a batch to become ready.
_SOON = 60.0


def line(counts: Counter[DeliveryState]) -> str:
    """`173 submitted, 2 refused`: deliveries by state."""
    return ", ".join(f"{counts[state]:,} {state}" for state in DeliveryState if counts[state]) or "no deliveries"


def waiting(status: CampaignStatus, space: Workspace) -> str:
    """When and why a campaign waits; nothing where it doesn't."""
    if status.until is None:
        return ""
    why = f", for {status.waits_for}" if status.waits_for else ""
    return f"waits until {space.clock_time(status.until)}{why}"


def again(campaign: CampaignRecord) -> str:
    """The command that goes on with a campaign."""
    return f"newsletter send {campaign.issue}" + (f" --segment {campaign.segment}" if campaign.segment else "")


def deliver(space: Workspace, service: CampaignService, campaign: CampaignRecord) -> None:
    """Submit what is ready, or watch the workers do it; then say how it stands. DeliveryIncomplete unless everybody was
    reached or waits as planned.
    """
    with space.store.read() as session:
        before = ledger.counts(session, campaign.id)
        now = space.clock.at(session)
        workers = 0 if space.store.is_sqlite else heartbeat.serving(session, now, space.config.cluster.dead_after)
    left = sum(before[state] for state in UNFINISHED)
    if before[DeliveryState.PENDING] == before.total() and not service.kind(campaign.provider).keeps:
        _ensure_online(space, service, campaign)
    if left:
        with progress("Submitting", left) as advance:
            if workers:
                _watch(space, campaign, advance)
            else:
                service.run(campaign, advance)
    _summarize(space, service, campaign, begun=bool(left))


def _ensure_online(space: Workspace, service: CampaignService, campaign: CampaignRecord) -> None:
    """Before the first message goes: what its pictures and links lead to must be there. The archive is published where
    it isn't; SendError when that doesn't bring it online.
    """
    snapshot = service.snapshot(campaign)
    found = space.online(snapshot)
    if found.missing:
        say(f"Not online yet: {found.missing[0]}. Publishing the archive.")
        space.publish()
        found = space.online(snapshot)
    if found.missing and snapshot.issue.date > space.today():
        what = f"the issue is dated {snapshot.issue.date}, and its page isn't published before"
        raise SendError(what, where=campaign.name, hint="send it that day, or change its date and approve it again")
    if found.missing:
        what = f"{many(len(found.missing), 'address')} that the mail needs is not online: {found.missing[0]}"
        raise SendError(what, where=campaign.name, hint="newsletter publish --to where it's served from")
    if found.unsure:
        say(f"It can't be told whether the page and the pictures are online: {found.unsure}.", fg="yellow")


def _watch(space: Workspace, campaign: CampaignRecord, advance: Callable[[int], None]) -> None:
    """Hand the campaign to the workers, and follow it until nothing more can go now; Ctrl-C ends the watching only."""
    from newsletter.send import queue

    with space.store.write() as session:
        now = space.clock.at(session)
        control.hurry(session, campaign.id, now)
        numbers = ledger.ready(session, campaign.id, now)
    queue.prepare(space.store)
    queue.enqueue(space.store, [(campaign.id, number) for number in numbers])
    say("Workers are sending. Ctrl-C stops watching, not sending.")
    done = 0
    while True:
        with space.store.read() as session:
            counts = ledger.counts(session, campaign.id)
            ready = ledger.next_ready(session, campaign.id)
            now = space.clock.at(session)
            alive = heartbeat.serving(session, now, space.config.cluster.dead_after)
            stopped = control.is_stopped(session, campaign.id)
        settled = counts.total() - sum(counts[state] for state in UNFINISHED)
        advance(settled - done)
        done = settled
        soon = ready is not None and (ready - now).total_seconds() < _SOON
        if stopped or not alive or not (soon or counts[DeliveryState.SUBMITTING]):
            return
        space.clock.sleep(0.5)


def _summarize(space: Workspace, service: CampaignService, campaign: CampaignRecord, *, begun: bool) -> None:
    name = campaign.name
    with space.store.read() as session:
        campaign = sending.get(session, name)
        status = service.status(session, campaign)
    counts = status.counts
    emit(f"{name}: {line(counts)}")
    if begun and (keeps := service.kind(campaign.provider).keeps):
        say(f'Nobody was mailed: provider "{campaign.provider}" writes messages {keeps}.', fg="yellow")
    if status.paused:
        raise DeliveryIncomplete(f"is paused: {status.paused}", where=name, hint=_put_right(campaign, counts))
    if status.planned:
        say(f"{many(counts[DeliveryState.PENDING], 'message')} left; {name} {waiting(status, space)}.")
        picks = campaign.pick_at and not campaign.winner
        next_step(f"newsletter campaigns pick {name} a|b" if picks else "newsletter run-due")
        return
    if not begun and status.finished:
        say("Nothing is left to do.")
    if any(counts[state] for state in (*UNFINISHED, *decisions.NOT_REACHED)):
        _incomplete(space, campaign, status)
    next_step("newsletter publish")


def _put_right(campaign: CampaignRecord, counts: Counter[DeliveryState]) -> str:
    """What to do about a campaign that is paused."""
    if counts[DeliveryState.UNKNOWN] and not counts[DeliveryState.PENDING]:
        return f"newsletter campaigns show {campaign.name}; then newsletter campaigns settle {campaign.name} --as …"
    go_on = again(campaign) if campaign.paused_itself else f"newsletter campaigns resume {campaign.name}"
    return f"put it right, then: {go_on}"


def _incomplete(space: Workspace, campaign: CampaignRecord, status: CampaignStatus) -> NoReturn:
    name, counts = campaign.name, status.counts
    hint = f"{again(campaign)} continues"
    if counts[DeliveryState.UNKNOWN]:
        hint = f"newsletter campaigns show {name}; then newsletter campaigns settle {name} --as submitted|pending"
    elif status.until:
        hint = f"it {waiting(status, space)}; newsletter run-due continues"
    elif any(counts[state] for state in decisions.NOT_REACHED) and not counts[DeliveryState.PENDING]:
        hint = f"newsletter campaigns show {name}; once put right: newsletter campaigns retry {name}"
    raise DeliveryIncomplete(f"not everybody was reached: {line(counts)}", where=name, hint=hint)


@click.command("run-due")
@click.pass_context
def run_due(ctx: click.Context) -> None:
    """Send what is scheduled for now, and go on with what was left; for cron and systemd timers.

    Says nothing when there's nothing to do. A campaign that is paused is named, and is an error when it paused itself.
    """
    with workspace(ctx) as space:
        service = space.campaigns()
        with space.store.write() as session:
            now = space.clock.at(session)
            due = control.due(session, now)
            winners = {campaign.name: control.pick_by_clicks(session, campaign, now) for campaign in due}
            paused = control.paused(session)
        for name, winner in winners.items():
            if winner:
                say(f"{name}: subject {winner} has won by clicks.")
        faults: list[NewsletterError] = []
        for campaign in due:
            try:
                if not _waits(space, service, campaign):
                    deliver(space, service, campaign)
            except NewsletterError as fault:
                faults.append(fault)
        for campaign in paused:
            faults += _paused(space, campaign)
        for other in faults[1:]:
            say(str(other), fg="red")
        if faults:
            raise faults[0]


def _waits(space: Workspace, service: CampaignService, campaign: CampaignRecord) -> bool:
    """Whether all that is left of a campaign waits as planned, for a ceiling of the day, say."""
    with space.store.read() as session:
        status = service.status(session, campaign)
    asking = status.counts[DeliveryState.UNKNOWN] + status.counts[DeliveryState.SUBMITTING]
    return status.planned and status.until is not None and not asking


def _paused(space: Workspace, campaign: CampaignRecord) -> list[NewsletterError]:
    """A campaign that is paused: said each time, and an error where no person paused it."""
    if not campaign.paused_itself:
        say(f"{campaign.name} is paused: {campaign.paused_why}")
        return []
    with space.store.read() as session:
        hint = _put_right(campaign, ledger.counts(session, campaign.id))
    return [DeliveryIncomplete(f"paused itself: {campaign.paused_why}", where=campaign.name, hint=hint)]
