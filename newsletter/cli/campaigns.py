"""Commands that act on campaigns: list, show, pause, resume, move, cancel, pick, settle."""

from __future__ import annotations

import click

from newsletter import send as sending
from newsletter.cli.output import as_json, many, next_step, print_json, print_table, say, workspace
from newsletter.cli.sending import clock_time, confirmed, line
from newsletter.errors import SendError
from newsletter.model import DeliveryState
from newsletter.send import control, ledger
from newsletter.send.schedule import moment


@click.group()
def campaigns() -> None:
    """Sendings: list, show, pause, resume, move, cancel, pick, settle."""


@campaigns.command("list")
@as_json
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """Every campaign with its deliveries by state."""
    from newsletter import feedback

    with workspace(ctx) as space, space.store.read() as session:
        rows = feedback.report(session)
        if as_json:
            print_json([row.plain() for row in rows])
            return
        states = list(DeliveryState)
        print_table(("campaign", *states), [(row.campaign, *(row.counts[state] for state in states)) for row in rows])


@campaigns.command()
@click.argument("name")
@as_json
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """How campaign NAME stands, and its batches that are not done, with the reason."""
    from newsletter import feedback

    with workspace(ctx) as space, space.store.read() as session:
        campaign = sending.get(session, name)
        rows = feedback.troubles(session, campaign.id)
        if as_json:
            print_json([row.plain() for row in rows])
            return
        say(f"{campaign.name}: {line(ledger.counts(session, campaign.id))}")
        ready, now = ledger.next_ready(session, campaign.id), space.clock.now()
        if campaign.paused_at:
            say(f"Paused since {clock_time(campaign.paused_at, space)}: {campaign.paused_why}", fg="yellow")
        if ready and ready > now:
            say(f"The next batch may go at {clock_time(ready, space)}.")
        if campaign.pick_at:
            for arm, (messages, clicked) in sorted(control.clicks(session, campaign.id).items()):
                say(f"Subject {arm}: {messages:,} submitted, {clicked:,} clicked")
            verdict = (
                f"{campaign.winner} has won"
                if campaign.winner
                else f"clicks decide at {clock_time(campaign.pick_at, space)}"
            )
            say(f"Two subjects: {verdict}.")
        print_table(
            ("batch", "state", "messages", "tag", "why"),
            [(row.batch, row.state, row.deliveries, row.tag, row.why) for row in rows],
        )


@campaigns.command()
@click.argument("name")
@click.option("--why", default="somebody paused it", show_default=True)
@click.pass_context
def pause(ctx: click.Context, name: str, why: str) -> None:
    """Submit nothing more of campaign NAME until it's resumed; calls under way end."""
    with workspace(ctx) as space, space.store.write() as session:
        campaign = sending.get(session, name)
        control.pause(session, campaign.id, why, space.clock.now())
        say(f"{name} is paused: {line(ledger.counts(session, campaign.id))}.")
    next_step(f"newsletter campaigns resume {name}")


@campaigns.command()
@click.argument("name")
@click.pass_context
def resume(ctx: click.Context, name: str) -> None:
    """Let campaign NAME go on, by `send`, `run-due` or the workers."""
    with workspace(ctx) as space, space.store.write() as session:
        campaign = sending.get(session, name)
        control.resume(session, campaign.id)
        issue = campaign.issue
    say(f"{name} may go on.")
    next_step(f"newsletter send {issue}")


@campaigns.command()
@click.argument("name")
@click.argument("time")
@click.pass_context
def move(ctx: click.Context, name: str, time: str) -> None:
    """Let campaign NAME, which waits for its time, go out at another TIME, as in "2026-12-01 09:00"."""
    with workspace(ctx) as space:
        at = moment(time, space.config.timezone, space.clock.now())
        with space.store.write() as session:
            campaign = sending.get(session, name)
            counts = ledger.counts(session, campaign.id)
            if counts[DeliveryState.PENDING] != counts.total():
                raise SendError(f"has begun: {line(counts)}", where=name, hint=f"newsletter campaigns pause {name}")
            control.reschedule(session, campaign.id, at)
        say(f"{name} goes out at {clock_time(at, space)}, by newsletter run-due.")


@campaigns.command()
@click.argument("name")
@click.option("--confirm", default="", metavar="NAME", help="The campaign's name, for scripts that can't be asked.")
@click.pass_context
def cancel(ctx: click.Context, name: str, confirm: str) -> None:
    """Withhold for good what of campaign NAME is still pending. What is submitted can't be called back."""
    with workspace(ctx) as space:
        with space.store.read() as session:
            campaign = sending.get(session, name)
            counts = ledger.counts(session, campaign.id)
        say(f"{name}: {line(counts)}")
        confirmed(name, confirm, "canceling")
        with space.store.write() as session:
            canceled = control.cancel(session, campaign.id, "canceled", space.clock.now())
        say(f"{many(canceled, 'message')} will not be sent.")


@campaigns.command()
@click.argument("name")
@click.argument("subject", type=click.Choice(["a", "b"]))
@click.pass_context
def pick(ctx: click.Context, name: str, subject: str) -> None:
    """Give those of campaign NAME who still wait the subject that won."""
    with workspace(ctx) as space, space.store.write() as session:
        campaign = sending.get(session, name)
        if campaign.pick_at is None:
            raise SendError("has one subject", where=name, hint='write "subject_b" into issue.md before approving')
        if campaign.winner:
            raise SendError(f"subject {campaign.winner} has won already", where=name)
        batches = control.pick(session, campaign, subject, space.clock.now())
        issue = campaign.issue
    say(f"Subject {subject} goes to the rest, in {many(batches, 'batch', 'batches')}.")
    next_step(f"newsletter send {issue}")


@campaigns.command()
@click.argument("name")
@click.option("--batch", type=int, help="Only this batch (default: all that are unknown).")
@click.option("--as", "state", type=click.Choice(["submitted", "pending"]), required=True)
@click.pass_context
def settle(ctx: click.Context, name: str, batch: int | None, state: str) -> None:
    """Say what became of deliveries whose outcome is unknown, after you looked it up at the provider.

    `submitted`: they went out. `pending`: they certainly did not, and will be sent by the next `send`.
    """
    with workspace(ctx) as space:
        with space.store.write() as session:
            campaign = sending.get(session, name)
            settled = ledger.settle_by_hand(
                session, campaign.id, DeliveryState(state), batch=batch, now=space.clock.now()
            )
        say(f"{settled} deliveries are now {state}.")
        next_step(f"newsletter send {campaign.issue}" if state == "pending" else f"newsletter report {campaign.issue}")
