"""Commands for policies, followed over time."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click
import tomli_w

from newsletter import collect
from newsletter.cli.arguments import DAY, MONTH
from newsletter.cli.entries import export_entries, form_options, format_option, free, given, import_entries, say_doubts
from newsletter.cli.output import as_json, emit, emit_document, many, next_step, print_json, print_table, say, workspace
from newsletter.collect import compilation, forms
from newsletter.collect import policies as tracker
from newsletter.model import Level, Status


@click.group()
def policies() -> None:
    """Policies followed over time: add, status, list, show, import, export."""


@policies.command("add")
@form_options(tuple(key for key in forms.POLICY_KEYS if key != "history"), {"level": Level, "status": Status})
@click.pass_context
def add_policy(ctx: click.Context, /, **options: Any) -> None:
    """Store a policy. It needs a title and a level; --status and --status-date begin its history."""
    with workspace(ctx) as space, space.store.write() as session:
        known = collect.taken(session)
        tracking = space.config.collect.tracking
        policy = forms.read_policy(given(options), base=None, workspace=space.folder, taken=known, tracking=tracking)
        free(policy.slug, known)
        tracker.add(session, policy, space.clock.now())
    emit(policy.slug)
    say_doubts(policy)
    next_step(f"newsletter policies status {policy.slug} STATUS --on DATE")


@policies.command()
@click.argument("slug")
@click.argument("status", type=click.Choice([str(status) for status in Status]))
@click.option("--on", "day", help="The day, as 2026-12-01 (default: today).")
@click.option("--link", "url", default="", help="Where it's told.")
@click.option("--note", default="")
@click.pass_context
def status(ctx: click.Context, slug: str, status: str, day: str | None, url: str, note: str) -> None:
    """Add a dated step to a policy's history."""
    with workspace(ctx) as space:
        form = {"status": status, "date": day or space.today(), "url": url, "note": note}
        change = forms.read_status(form)
        with space.store.write() as session:
            new = tracker.set_status(session, slug, change, space.clock.now())
    say(f"{slug}: {change.status} on {change.date}." if new else "That step is in the history already.")
    next_step(f"newsletter policies show {slug}")


@policies.command("list")
@click.option("--topic", default="")
@click.option("--state", default="", help="Two letters.")
@click.option("--since", type=DAY, help="Only those that moved after this day.")
@click.option("--in-force", type=MONTH, help="Only those that come into force that month.")
@as_json
@click.pass_context
def list_policies(
    ctx: click.Context, topic: str, state: str, since: dt.datetime | None, in_force: dt.datetime | None, as_json: bool
) -> None:
    """Policies by place, with where they stand.

    With --in-force 2026-12, those that take effect or begin to be enforced in that month, with the day.
    """
    with workspace(ctx) as space:
        with space.store.read() as session:
            day = since.date() if since else None
            found = tracker.find(session, topic=topic, state=state.upper(), since=day)
        if in_force:
            found = [policy for policy in found if tracker.steps_into_force(policy, in_force.date())]
        today = space.today()
    if as_json:
        print_json([forms.write_policy(policy) for policy in found])
        return
    rows = []
    for policy in found:
        latest = tracker.steps_into_force(policy, in_force.date())[-1] if in_force else policy.latest(today)
        stand = (latest.status, latest.date) if latest else ("", "")
        rows.append((str(policy.place), policy.slug, *stand, policy.title))
    print_table(("place", "slug", "status", "since", "title"), rows)
    say(f"{many(len(found), 'policy', 'policies')}.")


@policies.command("show")
@click.argument("slug")
@as_json
@click.pass_context
def show_policy(ctx: click.Context, slug: str, as_json: bool) -> None:
    """A policy with its whole history, as `policies import` would read it."""
    with workspace(ctx) as space, space.store.read() as session:
        form = forms.write_policy(tracker.get(session, slug))
    if as_json:
        print_json(form)
    else:
        emit_document(tomli_w.dumps(form, multiline_strings=True))


@policies.command()
@click.option("--since", required=True, type=DAY, help="What moved after this day.")
@click.option("--until", type=DAY, help="Up to this day (default: today).")
@click.option("--topic", default="")
@click.option("--state", default="", help="Two letters.")
@click.option("--format", "form", type=click.Choice(compilation.FORMATS), default="md", show_default=True)
@click.pass_context
def report(
    ctx: click.Context, since: dt.datetime, until: dt.datetime | None, topic: str, state: str, form: str
) -> None:
    """Compile every policy that moved in a span of time, to standard output."""
    with workspace(ctx) as space:
        end = until.date() if until else space.today()
        with space.store.read() as session:
            found = tracker.find(session, topic=topic, state=state.upper(), since=since.date())
    emit_document(compilation.compile_report(found, since.date(), end, form))


@policies.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@as_json
@click.pass_context
def import_policies(ctx: click.Context, path: Path, as_json: bool) -> None:
    """Add or update policies from a TOML, JSON or CSV file; rows that can't be taken are written beside it."""
    import_entries(ctx, path, "policies", as_json)


@policies.command("export")
@click.argument("output", default="-")
@format_option
@click.pass_context
def export_policies(ctx: click.Context, output: str, format_: str | None) -> None:
    """All policies as a file that `policies import` reads back; `-` is standard output."""
    with workspace(ctx) as space, space.store.read() as session:
        export_entries([*tracker.find(session)], "policies", output, format_)
