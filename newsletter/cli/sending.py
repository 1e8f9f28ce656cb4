"""Commands that act on campaigns: send, report, campaigns."""

from __future__ import annotations

import sys
from collections import Counter
from typing import NoReturn

import click

from newsletter import send as sending
from newsletter.cli.issues import issue_argument
from newsletter.cli.output import as_json, many, next_step, print_json, print_table, progress, say, workspace
from newsletter.errors import DeliveryIncomplete, InputError, SendError
from newsletter.model import DeliveryState
from newsletter.send import ledger
from newsletter.send.mailing import Mailing
from newsletter.store.records import CampaignRecord
from newsletter.workspace import Workspace

_OPEN = (DeliveryState.PENDING, DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)


@click.command()
@issue_argument
@click.option("--segment", default="", help="Only a segment of the list.")
@click.option("--provider", default="", help="Another provider than the publication's.")
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@click.option("--rehearse", is_flag=True, help="Do it all on a copy of the store, into rehearsal/.")
@click.option("--test", "tests", multiple=True, metavar="TO", help="Send a test there instead.")
@click.option("--confirm", default="", metavar="NAME", help="The issue's name, for scripts that can't be asked.")
@click.argument("more", nargs=-1, metavar="[TO]...")
@click.pass_context
def send(
    ctx: click.Context,
    issue: str,
    more: tuple[str, ...],
    segment: str,
    provider: str,
    dry_run: bool,
    rehearse: bool,
    tests: tuple[str, ...],
    confirm: str,
) -> None:
    """Send ISSUE to its list, as approved; run again, it continues the same campaign.

    With --test, each variant goes to some addresses, or to those of a test list in config.toml, by its name.
    """
    if more and not tests:
        raise click.UsageError("addresses are only for --test; an issue goes to its list")
    with workspace(ctx) as space:
        mailing = space.mailing()
        if tests:
            _test(space, mailing, issue, (*tests, *more), provider)
            return
        name = space.issue_path(issue).parent.name
        if rehearse:
            _rehearse(space, mailing, name, segment)
            return
        with space.store.read() as session:
            campaign = sending.find(session, sending.campaign_name(name, segment))
        if campaign is None:
            campaign = _start(space, mailing, name, segment, provider, dry_run=dry_run, confirm=confirm)
        else:
            _continue(space, campaign, name, dry_run=dry_run, confirm=confirm)
        if campaign is None or dry_run:
            return
        with space.store.read() as session:
            before = ledger.counts(session, campaign.id)
        with progress("Submitting", sum(before[state] for state in _OPEN)) as advance:
            counts = mailing.run(campaign, advance)
        _summarize(campaign.name, counts)


def _rehearse(space: Workspace, mailing: Mailing, name: str, segment: str) -> None:
    """Send for real, but into a folder and on a copy, and hold the count against the last campaign."""
    from newsletter.send.rehearsal import rehearse

    snapshot = space.approved(name)
    publication = space.config.publication(snapshot.issue.publication)
    with progress("Rehearsing", None) as advance:
        done = rehearse(mailing, snapshot, publication, space.folder / "rehearsal", segment=segment, progress=advance)
    click.echo(f"{done.folder}: {_line(done.counts)}")
    if done.last is not None and done.difference is not None:
        say(f"The last campaign to this list had {done.last:,} deliveries; this is {done.difference:+.1%}.")
    next_step(f"newsletter send {name}")


def _start(
    space: Workspace, mailing: Mailing, name: str, segment: str, provider: str, *, dry_run: bool, confirm: str
) -> CampaignRecord | None:
    """Show the plan, ask, and freeze the audience. None after a dry run."""
    snapshot = space.approved(name)
    publication = space.config.publication(snapshot.issue.publication)
    plan = mailing.plan(publication, snapshot, segment=segment, provider=provider or publication.provider)
    people = {
        "already have this issue": plan.already,
        "suppressed": plan.suppressed,
        "not confirmed": plan.pending,
        "unsubscribed": plan.unsubscribed,
    }
    unapproved = mailing.unapproved(publication, snapshot)
    left_out = ", ".join(f"{count:,} {why}" for why, count in people.items() if count) or "nobody"
    say(f"Issue      {snapshot.issue.title}")
    say(f"Subject    {snapshot.issue.subject}")
    moment = f"{snapshot.approved_at:%Y-%m-%d %H:%M} UTC"
    say(f"Approved   by {', '.join(space.approvers(name))}, {moment}, {snapshot.digest[:12]}")
    say(f"To         list {plan.list}" + (f", segment {segment}" if segment else ""))
    say(f"Messages   {plan.deliveries:,} in {many(plan.batches, 'batch', 'batches')}")
    if len(plan.variants) > 1:
        say("Variants   " + ", ".join(f"{count:,} {name}" for name, count in plan.variants.items()))
    if unapproved:
        readers = many(unapproved, "reader gets", "readers get")
        say(f"           {readers} the default: their variant is newer than the approval", fg="yellow")
    say(f"Left out   {left_out}")
    say(f"Provider   {plan.provider}")
    click.echo(f"{plan.campaign} {plan.deliveries}")
    if dry_run:
        next_step(f"newsletter send {name}" + (f" --segment {segment}" if segment else ""))
        return None
    _confirm(name, confirm)
    return mailing.start(snapshot, plan, publication)


def _continue(space: Workspace, campaign: CampaignRecord, name: str, *, dry_run: bool, confirm: str) -> None:
    """Say how far the campaign is, and ask when there's anything left to do."""
    with space.store.read() as session:
        counts = ledger.counts(session, campaign.id)
        snapshot = sending.latest(session, name)
    say(f"Campaign {campaign.name} of {campaign.created_at:%Y-%m-%d %H:%M} UTC: {_line(counts)}")
    if snapshot and snapshot.approved_at > campaign.created_at:
        say("It goes on with what was approved when it began, not with the newer approval.", fg="yellow")
    if not dry_run and any(counts[state] for state in _OPEN):
        _confirm(name, confirm)


def _confirm(name: str, given: str) -> None:
    if not given:
        if not sys.stdin.isatty():
            raise InputError("sending has to be confirmed", where=name, hint=f"add --confirm {name}")
        given = click.prompt(f'Type "{name}" to send', err=True)
    if given.strip() != name:
        raise SendError(f'"{given}" is not the issue\'s name; nothing was sent', where=name)


def _test(space: Workspace, mailing: Mailing, issue: str, addresses: tuple[str, ...], provider: str) -> None:
    from newsletter.audience.addresses import normalize

    composed = space.compose(issue)
    variants = space.render(composed)
    findings = space.check(composed, variants)
    publication = space.config.publication(composed.publication)
    note = f", {many(len(findings), 'finding')}" if findings else ""
    named = [address for name in addresses for address in space.config.test_addresses(name)]
    to = list(dict.fromkeys(normalize(address) for address in named))
    carrier = provider or publication.provider
    accepted = mailing.test(publication, variants, to, provider=carrier, note=note)
    say(f"{accepted} of {len(to) * len(variants)} test messages accepted by {carrier}.")
    if accepted < len(to) * len(variants):
        raise DeliveryIncomplete("not every test message was accepted", where=composed.slug)
    next_step(f"newsletter approve {composed.slug}")


def _line(counts: Counter[DeliveryState]) -> str:
    return ", ".join(f"{counts[state]:,} {state}" for state in DeliveryState if counts[state]) or "no deliveries"


def _summarize(name: str, counts: Counter[DeliveryState]) -> None:
    click.echo(f"{name}: {_line(counts)}")
    left = [state for state in (*_OPEN, DeliveryState.REFUSED) if counts[state]]
    if left:
        _incomplete(name, counts)
    next_step("newsletter publish")


def _incomplete(name: str, counts: Counter[DeliveryState]) -> NoReturn:
    hint = f"newsletter send {name.partition('.')[0]} continues"
    if counts[DeliveryState.UNKNOWN]:
        hint = f"newsletter campaigns show {name}; then newsletter campaigns settle {name} --as submitted|pending"
    elif counts[DeliveryState.REFUSED] and not counts[DeliveryState.PENDING]:
        hint = f"newsletter campaigns show {name}"
    raise DeliveryIncomplete(f"not everybody was reached: {_line(counts)}", where=name, hint=hint)


@click.command()
@issue_argument
@as_json
@click.pass_context
def report(ctx: click.Context, issue: str, as_json: bool) -> None:
    """What became of ISSUE's messages: deliveries by state, for each of its campaigns."""
    from newsletter import feedback

    with workspace(ctx) as space:
        name = space.issue_path(issue).parent.name
        with space.store.read() as session:
            rows = feedback.report(session, name)
        if as_json:
            print_json([row.plain() for row in rows])
            return
        if not rows:
            say("Not sent yet.")
            next_step(f"newsletter send {name} --dry-run")
            return
        states = list(DeliveryState)
        table = [(row.campaign, *(row.counts[state] for state in states), row.left) for row in rows]
        print_table(("campaign", *states, "left the list since"), table)


@click.group()
def campaigns() -> None:
    """Sendings: list, show, settle."""


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
    """The batches of campaign NAME that are not done, and why."""
    from newsletter import feedback

    with workspace(ctx) as space, space.store.read() as session:
        campaign = sending.get(session, name)
        rows = feedback.troubles(session, campaign.id)
        if as_json:
            print_json([row.plain() for row in rows])
            return
        say(f"{campaign.name}: {_line(ledger.counts(session, campaign.id))}")
        print_table(
            ("batch", "state", "messages", "tag", "why"),
            [(row.batch, row.state, row.deliveries, row.tag, row.why) for row in rows],
        )


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
