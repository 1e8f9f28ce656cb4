"""Commands that act on campaigns: list, show, pause, resume, move, retry, set-aside, cancel, pick, settle."""

from __future__ import annotations

import click

from newsletter import send as sending
from newsletter.cli.arguments import NUMBER
from newsletter.cli.delivering import again, line, waiting
from newsletter.cli.output import as_json, emit, many, next_step, print_json, print_table, say, workspace
from newsletter.cli.sending import confirmed
from newsletter.errors import InputError, SendError
from newsletter.model import DeliveryState
from newsletter.model.text import clean
from newsletter.send import control, decisions, heartbeat, ledger
from newsletter.send.lock import sole_sender
from newsletter.send.schedule import moment
from newsletter.store.records import CampaignRecord
from newsletter.workspace import Workspace

_confirm = click.option("--confirm", default="", metavar="NAME", help="The campaign's name, for scripts.")
_PAUSED = "somebody paused it"
_STATES = [str(state) for state in DeliveryState]


@click.group()
def campaigns() -> None:
    """Sendings: list, show, pause, resume, move, retry, set-aside, cancel, pick, settle."""


@campaigns.command("list")
@as_json
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List every campaign, how it stands, and its deliveries by state."""
    from newsletter import feedback

    with workspace(ctx) as space, space.store.read() as session:
        service = space.campaigns()
        reports = feedback.report(session)
        stati = [service.status(session, sending.get(session, row.campaign)) for row in reports]
        if as_json:
            more = [
                {"status": s.word, "paused": s.paused, "waits_until": s.until, "waits_for": s.waits_for} for s in stati
            ]
            print_json([{**row.plain(), **extra} for row, extra in zip(reports, more, strict=True)])
            return
        states = [state for state in DeliveryState if any(row.counts[state] for row in reports)]
        rows = [
            (row.campaign, status.word, *(row.counts[state] for state in states))
            for row, status in zip(reports, stati, strict=True)
        ]
        print_table(("campaign", "status", *states), rows)
        for row, status in zip(reports, stati, strict=True):
            if status.paused or status.until:
                say(f"{row.campaign}: {f'paused: {status.paused}' if status.paused else waiting(status, space)}")


@campaigns.command()
@click.argument("name")
@click.option("--people", type=click.Choice(_STATES), metavar="STATE", help="Print the addresses in a state instead.")
@as_json
@click.pass_context
def show(ctx: click.Context, name: str, people: str | None, as_json: bool) -> None:
    """Show how campaign NAME stands, and its batches that are not done, with the reason.

    With --people refused, say, it prints who is in that state, one a line, with the reason.
    """
    from newsletter import feedback

    with workspace(ctx) as space, space.store.read() as session:
        campaign = sending.get(session, name)
        if people:
            rows = feedback.people(session, campaign.id, DeliveryState(people))
            if as_json:
                print_json([{"address": address, "why": why} for address, why in rows])
            for address, why in () if as_json else rows:
                emit(f"{address}\t{why}")
            return
        troubles = feedback.troubles(session, campaign.id)
        if as_json:
            print_json([row.plain() for row in troubles])
            return
        status = space.campaigns().status(session, campaign)
        say(f"{campaign.name}: {status.word}; {line(status.counts)}")
        say(
            f"Provider {campaign.provider}, list {campaign.list}"
            + (f", segment {campaign.segment}" * bool(campaign.segment))
        )
        if campaign.paused_at:
            say(f"Paused since {space.clock_time(campaign.paused_at)}: {campaign.paused_why}", fg="yellow")
        if status.until:
            say(f"It {waiting(status, space)}.")
        _show_subjects(space, campaign)
        print_table(
            ("batch", "state", "messages", "tag", "why"),
            [(row.batch, row.state, row.deliveries, row.tag, row.why) for row in troubles],
        )


def _not_canceled(campaign: CampaignRecord) -> None:
    if campaign.canceled_at:
        raise SendError("is canceled", where=campaign.name, hint="draft a new issue, or send to a segment")


def _show_subjects(space: Workspace, campaign: CampaignRecord) -> None:
    if campaign.pick_at is None:
        return
    with space.store.read() as session:
        for arm, (messages, clicked) in sorted(control.clicks(session, campaign.id).items()):
            say(f"Subject {arm}: {messages:,} submitted, {clicked:,} clicked")
    decided = f"clicks decide at {space.clock_time(campaign.pick_at)}"
    say(f"Two subjects: {f'{campaign.winner} has won' if campaign.winner else decided}.")


@campaigns.command()
@click.argument("name")
@click.option("--why", default=_PAUSED, show_default=True)
@click.pass_context
def pause(ctx: click.Context, name: str, why: str) -> None:
    """Pause campaign NAME: submit nothing more until it's resumed; calls under way end."""
    with workspace(ctx) as space, space.store.write() as session:
        campaign = sending.get(session, name)
        status = space.campaigns().status(session, campaign)
        if status.finished or status.canceled:
            how = "canceled" if status.canceled else "done"
            raise SendError(f"is {how}: {line(status.counts)}", where=name, hint="there is nothing to pause")
        control.pause(session, campaign.id, clean(why) or _PAUSED, space.clock.at(session))
        say(f"{name} is paused: {line(ledger.counts(session, campaign.id))}.")
    next_step(f"newsletter campaigns resume {name}")


@campaigns.command()
@click.argument("name")
@click.pass_context
def resume(ctx: click.Context, name: str) -> None:
    """Resume campaign NAME: `send`, `run-due` or the workers go on with it at once."""
    with workspace(ctx) as space, space.store.write() as session:
        campaign = sending.get(session, name)
        _not_canceled(campaign)
        control.resume(session, campaign)
        say(f"{name} may go on.")
        next_step(again(campaign))


@campaigns.command()
@click.argument("name")
@click.argument("time", default="")
@click.option("--provider", default="", help="Give what is pending to another provider.")
@_confirm
@click.pass_context
def move(ctx: click.Context, name: str, time: str, provider: str, confirm: str) -> None:
    """Reschedule campaign NAME to another TIME, as in "2026-12-01 09:00", or "now"; or move it to another provider.

    Only what is pending moves to another provider: what one has taken, or may have, stays with it.
    """
    if not time and not provider:
        raise click.UsageError('name a TIME, "now", or --provider')
    with workspace(ctx) as space:
        if provider:
            _change_provider(space, name, provider, confirm)
        if time:
            _reschedule(space, name, time)


def _change_provider(space: Workspace, name: str, provider: str, confirm: str) -> None:
    service = space.campaigns()
    with space.store.read() as session:
        campaign = sending.get(session, name)
        counts = ledger.counts(session, campaign.id)
    service.kind(provider)
    if not counts[DeliveryState.PENDING]:
        raise SendError(f"has nothing pending: {line(counts)}", where=name, hint=f"newsletter campaigns show {name}")
    unknown = counts[DeliveryState.UNKNOWN] + counts[DeliveryState.SUBMITTING]
    say(f"{many(counts[DeliveryState.PENDING], 'pending message')} would go by {provider}, not by {campaign.provider}.")
    if unknown:
        say(f"{many(unknown, 'message')} in question stay with {campaign.provider}.")
    confirmed(name, confirm, "moving")
    moved = service.move(campaign, provider)
    say(f"{many(moved, 'message')} will go by {provider}.")
    next_step(again(campaign))


def _reschedule(space: Workspace, name: str, time: str) -> None:
    with space.store.write() as session:
        now = space.clock.at(session)
        at = now if time == "now" else moment(time, space.config.timezone, now)
        campaign = sending.get(session, name)
        counts = ledger.counts(session, campaign.id)
        if counts[DeliveryState.PENDING] != counts.total():
            raise SendError(f"has begun: {line(counts)}", where=name, hint=f"newsletter campaigns pause {name}")
        control.reschedule(session, campaign.id, at)
    if time == "now":
        say(f"{name} may go out now.")
        next_step(again(campaign))
    else:
        say(f"{name} goes out at {space.clock_time(at)}, by newsletter run-due.")


@campaigns.command()
@click.argument("name")
@click.option("--batch", type=NUMBER, help="Only those of this batch.")
@click.option("--reason", default="", metavar="WORDS", help="Only those whose reason holds these words.")
@_confirm
@click.pass_context
def retry(ctx: click.Context, name: str, batch: int | None, reason: str, confirm: str) -> None:
    """Make refused deliveries of campaign NAME pending again, once what they were refused for has been put right.

    They are shown by reason first. Addresses that these refusals suppressed are let go; who is suppressed for something
    else, or has left since, is withheld all the same.
    """
    with workspace(ctx) as space:
        with space.store.read() as session:
            campaign = sending.get(session, name)
            _not_canceled(campaign)
            now = space.clock.at(session)
            found = decisions.retry_refused(session, campaign, now, batch=batch, reason=reason, dry_run=True)
        if not found:
            raise SendError("has no refused deliveries like that", where=name, hint=f"newsletter campaigns show {name}")
        print_table(("refused", "why"), [(count, why) for why, count in found.most_common()])
        confirmed(name, confirm, f"trying {many(found.total(), 'delivery', 'deliveries')} again")
        with space.store.write() as session:
            now = space.clock.at(session)
            forgiven = decisions.suppressed_by(session, campaign, batch, reason)
            for address in forgiven:
                space.campaigns().forgive(session, address)
            done = decisions.retry_refused(session, campaign, now, batch=batch, reason=reason, dry_run=False)
        if forgiven:
            say(f"{many(len(forgiven), 'address is', 'addresses are')} no longer suppressed.")
        say(f"{many(done.total(), 'delivery is', 'deliveries are')} pending again.")
    next_step(again(campaign))


@campaigns.command("set-aside")
@click.argument("name")
@_confirm
@click.pass_context
def set_aside(ctx: click.Context, name: str, confirm: str) -> None:
    """Set practice campaign NAME aside, so that its issue can be sent for real.

    Only a campaign that mailed nobody: one of provider files, whose messages are in a folder.
    """
    with workspace(ctx) as space:
        with space.store.read() as session:
            campaign = sending.get(session, name)
            mailed = sorted(space.campaigns().mailed_by(session, campaign))
        if mailed:
            raise SendError(f"mailed people by {', '.join(mailed)}", where=name, hint="only practice can be set aside")
        confirmed(name, confirm, "setting aside")
        with space.store.write() as session:
            new = control.set_aside(session, sending.get(session, name))
    say(f"{name} is now {new}; nobody counts as having the issue by it.")
    next_step(again(campaign))


@campaigns.command()
@click.argument("name")
@_confirm
@click.pass_context
def cancel(ctx: click.Context, name: str, confirm: str) -> None:
    """Cancel campaign NAME: withhold for good what is still pending. What is submitted can't be called back."""
    with workspace(ctx) as space:
        with space.store.read() as session:
            campaign = sending.get(session, name)
            counts = ledger.counts(session, campaign.id)
        say(f"{name}: {line(counts)}")
        confirmed(name, confirm, "canceling")
        with space.store.write() as session:
            canceled = control.cancel(session, campaign.id, "canceled", space.clock.at(session))
            counts = ledger.counts(session, campaign.id)
        say(f"{many(canceled, 'message')} will not be sent.")
        unknown = counts[DeliveryState.UNKNOWN] + counts[DeliveryState.SUBMITTING]
        if unknown:
            what = (
                "may have gone out" if unknown == 1 else "may have gone out; what turns out not to have won't be sent"
            )
            say(f"{many(unknown, 'message')} {what}.", fg="yellow")


@campaigns.command()
@click.argument("name")
@click.argument("subject", type=click.Choice(["a", "b"]))
@click.pass_context
def pick(ctx: click.Context, name: str, subject: str) -> None:
    """Pick the SUBJECT that won, for those of campaign NAME who still wait."""
    with workspace(ctx) as space, space.store.write() as session:
        campaign = sending.get(session, name)
        if campaign.pick_at is None:
            raise SendError("has one subject", where=name, hint='write "subject_b" into issue.md before approving')
        if campaign.winner:
            raise SendError(f"subject {campaign.winner} has won already", where=name)
        _not_canceled(campaign)
        batches = control.pick(session, campaign, subject, space.clock.at(session))
        say(f"Subject {subject} goes to the rest, in {many(batches, 'batch', 'batches')}.")
        next_step(again(campaign))


@campaigns.command()
@click.argument("name")
@click.option("--batch", type=NUMBER, help="Only this batch (default: all that are unknown).")
@click.option("--as", "state", type=click.Choice(["submitted", "pending"]), required=True)
@_confirm
@click.pass_context
def settle(ctx: click.Context, name: str, batch: int | None, state: str, confirm: str) -> None:
    """Record what became of deliveries whose outcome is unknown, after you looked it up at the provider.

    `submitted`: they went out. `pending`: they certainly did not, and will be sent by the next `send`. Those of which
    the provider's own events tell went out, and become submitted.
    """
    with workspace(ctx) as space:
        with space.store.read() as session:
            campaign = sending.get(session, name)
            found = decisions.in_question(session, campaign.id, batch)
        if not found.unknown:
            raise InputError("has no unknown deliveries" + (f" in batch {batch}" if batch else ""), where=name)
        say(f"{many(found.unknown, 'delivery is', 'deliveries are')} unknown.")
        if found.proved:
            say(f"{many(found.proved, 'was', 'were')} delivered, bounced or opened since, so they went out: submitted.")
        rest = found.unknown - found.proved
        if state == "pending" and rest:
            say(
                f"{many(rest, 'reader')} will be mailed by the next send. If they had it, they get it twice.",
                fg="yellow",
            )
        confirmed(name, confirm, f"settling {rest:,} as {state}")
        dead_after = space.config.cluster.dead_after
        with sole_sender(space.store, name), space.store.write() as session:
            now = space.clock.at(session)
            if decisions.under_way(session, campaign.id, batch, heartbeat.alive(session, now, dead_after)):
                raise SendError("is being sent or looked into now", where=name, hint="settle it when that has ended")
            settled = decisions.settle_by_hand(session, campaign.id, DeliveryState(state), batch=batch, now=now)
        say(f"{many(settled, 'delivery is', 'deliveries are')} now {state}.")
        next_step(again(campaign) if state == "pending" else f"newsletter report {campaign.issue}")
