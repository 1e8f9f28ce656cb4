"""Commands about sending an issue: send, report."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass

import click

from newsletter import send as sending
from newsletter.cli.arguments import NUMBER
from newsletter.cli.delivering import deliver, line, waiting
from newsletter.cli.issues import issue_argument
from newsletter.cli.output import as_json, emit, many, next_step, print_json, print_table, progress, say, workspace
from newsletter.config import Publication
from newsletter.errors import DeliveryIncomplete, InputError, SendError
from newsletter.model import DeliveryState, Snapshot
from newsletter.send import Plan, control
from newsletter.send.schedule import moment
from newsletter.send.service import CampaignService
from newsletter.store.records import CampaignRecord
from newsletter.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What was asked for: which issue, to whom, by whom, when; and what was confirmed already."""

    issue: str
    segment: str
    provider: str
    at: str
    dry_run: bool
    confirm: str
    confirm_count: int | None


@click.command()
@issue_argument
@click.option("--segment", default="", help="Only a segment of the list.")
@click.option("--provider", default="", help="Another provider than the publication's.")
@click.option("--at", default="", metavar="TIME", help='Later, as in "2026-12-01 09:00", on the workspace\'s clock.')
@click.option("--only-new", is_flag=True, help="To those who joined since it was sent, once.")
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@click.option("--rehearse", is_flag=True, help="Do it all on a copy of the store, into rehearsal/.")
@click.option("--test", "tests", multiple=True, metavar="TO", help="Send a test there instead.")
@click.option("--variant", default="default", metavar="NAME|all", help="Which variant a test is of.", show_default=True)
@click.option("--confirm", default="", metavar="NAME", help="The issue's name, for scripts that can't be asked.")
@click.option("--confirm-count", type=NUMBER, metavar="N", help="How many messages, where that's unlike the last time.")
@click.argument("more", nargs=-1, metavar="[TO]...")
@click.pass_context
def send(
    ctx: click.Context,
    issue: str,
    more: tuple[str, ...],
    segment: str,
    provider: str,
    at: str,
    only_new: bool,
    dry_run: bool,
    rehearse: bool,
    tests: tuple[str, ...],
    variant: str,
    confirm: str,
    confirm_count: int | None,
) -> None:
    """Send ISSUE to its list, as approved; run again, it continues the same campaign.

    With --test, one variant goes to some addresses, or to those of a test list in config.toml, by its name.
    """
    if more and not tests:
        raise click.UsageError("addresses are only for --test; an issue goes to its list")
    if at and only_new:
        raise click.UsageError("--only-new goes out at once; leave out --at")
    with workspace(ctx) as space:
        service = space.campaigns()
        if tests:
            _test(space, service, issue, (*tests, *more), provider, variant)
            return
        name = space.issue_path(issue).parent.name
        if rehearse:
            _rehearse(space, service, name, segment)
            return
        order = _Order(
            issue=name,
            segment=segment,
            provider=provider,
            at=at,
            dry_run=dry_run,
            confirm=confirm,
            confirm_count=confirm_count,
        )
        with space.store.read() as session:
            campaign = sending.find(session, sending.campaign_name(name, segment))
        if campaign is None:
            campaign = _start(space, service, order)
        elif only_new:
            _add_new(space, service, campaign, order)
        elif not _continue(space, service, campaign, order):
            return
        if campaign is not None and not dry_run:
            deliver(space, service, campaign)


def _rehearse(space: Workspace, service: CampaignService, name: str, segment: str) -> None:
    """Send for real, but into a folder and on a copy, and hold the count against the last campaign."""
    from newsletter.send.rehearsal import rehearse

    snapshot = space.approved(name)
    publication = space.config.publication(snapshot.issue.publication)
    with progress("Rehearsing", None) as advance:
        done = rehearse(service, snapshot, publication, space.folder / "rehearsal", segment=segment, progress=advance)
    emit(f"{done.folder}: {line(done.counts)}")
    if done.last is not None and done.difference is not None:
        say(f"The last campaign to this list had {done.last:,} deliveries; this is {done.difference:+.1%}.")
    next_step(f"newsletter send {name}")


def _start(space: Workspace, service: CampaignService, order: _Order) -> CampaignRecord | None:
    """Show the plan, ask, and freeze the audience. None after a dry run, and when it's for later."""
    name = order.issue
    snapshot = space.approved(name)
    publication = space.config.publication(snapshot.issue.publication)
    at = moment(order.at, space.config.timezone, space.clock.now()) if order.at else None
    carrier = order.provider or publication.provider
    plan = service.plan(publication, snapshot, segment=order.segment, provider=carrier)
    _show(space, service, snapshot, plan, at)
    if order.dry_run:
        next_step(f"newsletter send {name}" + (f" --segment {order.segment}" if order.segment else ""))
        return None
    confirmed(name, order.confirm, "sending")
    _confirm_count(plan, publication, order.confirm_count)
    campaign = service.start(snapshot, plan, publication, at=at)
    if at is None:
        return campaign
    say(f"{campaign.name} goes out at {space.clock_time(at)}, by newsletter run-due.")
    next_step(f"newsletter campaigns show {campaign.name}")
    return None


def _show(space: Workspace, service: CampaignService, snapshot: Snapshot, plan: Plan, at: dt.datetime | None) -> None:
    """The whole plan on standard error, and its sum on standard output."""
    publication = space.config.publication(snapshot.issue.publication)
    unapproved = service.unapproved(publication, snapshot)
    test = snapshot.issue.subject_test
    say(f"Issue      {snapshot.issue.title}")
    say(f"Subject    {snapshot.issue.subject}")
    if test:
        say(f"   or      {test.subject}")
        say(f"           half of {test.share:.0%} of the readers each; after {test.hours:g} hours the rest")
    approved = f"{snapshot.approved_at:%Y-%m-%d %H:%M} UTC"
    day = (at or space.clock.now()).astimezone(space.config.timezone).date()
    if snapshot.issue.date != day:
        say(f"Dated      {snapshot.issue.date}, and goes out on {day}", fg="yellow")
    say(f"Approved   by {', '.join(space.approvers(snapshot.issue.slug))}, {approved}, {snapshot.digest[:12]}")
    say(f"To         list {plan.list}" + (f", segment {plan.segment}" if plan.segment else ""))
    if corrects := snapshot.issue.corrects:
        variants = f" as {', '.join(corrects.variants)}" if corrects.variants else ""
        say(f"           only those who were submitted {corrects.issue}{variants}")
    if plan.whole:
        say(f'           segment "{plan.segment}" is the whole list', fg="yellow")
    say(f"Messages   {plan.deliveries:,} in {many(plan.batches, 'batch', 'batches')}{_compared(plan)}")
    if len(plan.variants) > 1:
        say("Variants   " + ", ".join(f"{count:,} {name}" for name, count in plan.variants.items()))
    if unapproved:
        readers = many(unapproved, "reader gets", "readers get")
        say(f"           {readers} the default: their variant is newer than the approval", fg="yellow")
    say(f"Left out   {_left_out(plan)}")
    keeps = service.kind(plan.provider).keeps
    say(f"Provider   {plan.provider}" + (f": writes messages {keeps}; nobody is mailed" if keeps else _pace(plan)))
    if at:
        say(f"When       {space.clock_time(at)}")
    emit(f"{plan.campaign} {plan.deliveries}")


def _left_out(plan: Plan) -> str:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(plan.reasons.items()))
    people = {
        "already have this issue": plan.already,
        f"suppressed ({reasons})": plan.suppressed,
        "paused": plan.paused,
        "not confirmed": plan.pending,
        "unsubscribed": plan.unsubscribed,
    }
    return ", ".join(f"{count:,} {why}" for why, count in people.items() if count) or "nobody"


def _compared(plan: Plan) -> str:
    if plan.difference is None:
        return ""
    return f", {plan.difference:+.1%} on the last campaign's {plan.last:,}" if plan.difference else ", as the last time"


def _pace(plan: Plan) -> str:
    told = [f"at most {plan.rate:g} calls a second"] if plan.rate else []
    told += [f"at most {plan.per_day:,} messages a day"] if plan.per_day else []
    if plan.seconds:
        days, hours, minutes = plan.seconds / 86_400, plan.seconds / 3_600, plan.seconds / 60
        least = f"{days:.0f} days" if days >= 1 else f"{hours:.1f} hours" if hours >= 1 else f"{minutes:.1f} minutes"
        told.append(f"{least} at least" if minutes >= 1 else f"{plan.seconds:.0f} seconds at least")
    return f": {', '.join(told)}" if told else ""


def _add_new(space: Workspace, service: CampaignService, campaign: CampaignRecord, order: _Order) -> None:
    """Add those who joined since to the campaign, after its plan and a yes."""
    if campaign.canceled_at or campaign.paused_at:
        how = "canceled" if campaign.canceled_at else f"paused: {campaign.paused_why}"
        raise SendError(f"is {how}", where=campaign.name, hint=f"newsletter campaigns show {campaign.name}")
    snapshot = service.snapshot(campaign)
    publication = space.config.publication(snapshot.issue.publication)
    plan = service.plan(publication, snapshot, segment=order.segment, provider=campaign.provider, campaign=campaign)
    if not plan.deliveries:
        raise SendError("nobody has joined since it was sent", where=campaign.name, hint="newsletter campaigns list")
    _show(space, service, snapshot, plan, None)
    if not order.dry_run:
        confirmed(order.issue, order.confirm, "sending")
        service.add_new(campaign, plan, publication)


def _continue(space: Workspace, service: CampaignService, campaign: CampaignRecord, order: _Order) -> bool:
    """Say how far the campaign is, and ask when there's anything left to do; whether there is, now."""
    with space.store.read() as session:
        status = service.status(session, campaign)
        snapshot = sending.latest(session, order.issue)
    say(f"Campaign {campaign.name} of {campaign.created_at:%Y-%m-%d %H:%M} UTC: {line(status.counts)}")
    if campaign.canceled_at:
        raise SendError("is canceled", where=campaign.name, hint="draft a new issue, or send to a segment")
    if campaign.paused_at and not campaign.paused_itself:
        hint = f"newsletter campaigns resume {campaign.name}"
        raise SendError(f"is paused: {campaign.paused_why}", where=campaign.name, hint=hint)
    if order.at:
        hint = f'newsletter campaigns move {campaign.name} "{order.at}"'
        raise SendError("is there already", where=campaign.name, hint=hint)
    if order.provider and order.provider != campaign.provider:
        hint = f"newsletter campaigns move {campaign.name} --provider {order.provider}"
        raise SendError(f'goes by provider "{campaign.provider}"', where=campaign.name, hint=hint)
    if status.word == "scheduled":
        say(f"It {waiting(status, space)}; newsletter run-due sends it.")
        next_step(f'newsletter campaigns move {campaign.name} TIME, or "now"')
        return False
    if campaign.paused_at:
        say(f"It paused itself: {campaign.paused_why}. Sending again resumes it.", fg="yellow")
    if snapshot and snapshot.approved_at > campaign.created_at:
        say("It goes on with what was approved when it began, not with the newer approval.", fg="yellow")
    if not order.dry_run and not status.finished:
        confirmed(order.issue, order.confirm, "sending")
        if campaign.paused_at:
            with space.store.write() as session:
                control.resume(session, sending.get(session, campaign.name))
    return True


def confirmed(name: str, given: str, act: str) -> None:
    """Go on only if the name is typed, or was given; SendError or InputError if not."""
    if not given:
        if not sys.stdin.isatty():
            raise InputError(f"{act} has to be confirmed", where=name, hint=f"add --confirm {name}")
        given = click.prompt(f'{act.capitalize()} has to be confirmed: type "{name}"', err=True)
    if given.strip() != name:
        raise SendError(f'"{given}" is not its name; nothing was done', where=name)


def _confirm_count(plan: Plan, publication: Publication, given: int | None) -> None:
    """Where there are many more or many fewer messages than the last time, their number has to be given, too."""
    if plan.difference is None or abs(plan.difference) <= publication.largest_change:
        return
    what = f"{plan.deliveries:,} messages are {plan.difference:+.1%} on the last campaign's {plan.last:,}"
    if given is None:
        if not sys.stdin.isatty():
            raise InputError(what, where=plan.campaign, hint=f"if that's right: --confirm-count {plan.deliveries}")
        given = click.prompt(f"{what}. Type how many", type=int, err=True)
    if given != plan.deliveries:
        raise SendError(f"{given:,} is not the number of messages; nothing was sent", where=plan.campaign)


def _test(
    space: Workspace, service: CampaignService, issue: str, addresses: tuple[str, ...], provider: str, variant: str
) -> None:
    from newsletter.audience.addresses import normalize

    composed = space.compose(issue)
    variants = space.render(composed)
    findings = space.check(composed, variants)
    publication = space.config.publication(composed.publication)
    chosen = tuple(v for v in variants if variant in (v.variant, "all"))
    if not chosen:
        known = ", ".join(v.variant for v in variants)
        raise InputError(f'no variant "{variant}"', where=composed.slug, hint=f"there are {known}, or all")
    note = f", {many(len(findings), 'finding')}" if findings else ""
    named = [address for name in addresses for address in space.config.test_addresses(name)]
    to = list(dict.fromkeys(normalize(address) for address in named))
    carrier = provider or publication.provider
    accepted = service.test(publication, chosen, to, provider=carrier, note=note, photos=composed.photos)
    keeps = service.kind(carrier).keeps
    nobody = f": it writes messages {keeps}, and mails nobody" if keeps else ""
    say(f"{accepted} of {many(len(to) * len(chosen), 'test message')} accepted by {carrier}{nobody}.")
    if accepted < len(to) * len(chosen):
        raise DeliveryIncomplete("not every test message was accepted", where=composed.slug)
    next_step(f"newsletter approve {composed.slug}")


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
