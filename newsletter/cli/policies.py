"""Commands for policies, followed over time."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click
import tomli_w

from newsletter import amendments, collect
from newsletter.cli.amending import by_option, decision
from newsletter.cli.arguments import DAY, MONTH
from newsletter.cli.entries import (
    export_entries,
    form_options,
    format_option,
    free,
    given,
    import_entries,
    in_editor,
    say_doubts,
)
from newsletter.cli.output import as_json, emit, emit_document, many, next_step, print_json, print_table, say, workspace
from newsletter.collect import compilation, forms
from newsletter.collect import policies as tracker
from newsletter.errors import InputError
from newsletter.model import Level, Status

#: The keys of a policy that are options. Its history and provisions are tables, and need a file or the editor.
_OPTIONS = tuple(key for key in forms.POLICY_KEYS if key not in ("history", "provisions"))
_LEVEL, _STATUS = (click.Choice([str(choice) for choice in choices]) for choices in (Level, Status))


@click.group()
def policies() -> None:
    """Policies followed over time: add, status, edit, remove, list, show, import, export."""


@policies.command("add")
@form_options(_OPTIONS, {"level": _LEVEL, "status": _STATUS})
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
@click.argument("status", type=click.Choice([str(status) for status in Status]), required=False)
@click.option("--on", "day", help="The day, as 2026-12-01 (default: today).")
@click.option("--link", "url", default="", help="Where it's told.")
@click.option("--note", default="")
@click.option("--undo", is_flag=True, help="Take the step out again that was recorded last, or the one named.")
@click.pass_context
def status(ctx: click.Context, slug: str, status: str | None, day: str | None, url: str, note: str, undo: bool) -> None:
    """Add a dated step to a policy's history, or take one out again with --undo."""
    if undo:
        _undo(ctx, slug, status or "", day)
        return
    if status is None:
        raise click.UsageError("give a STATUS, or --undo")
    with workspace(ctx) as space:
        form = {"status": status, "date": day or space.today(), "url": url, "note": note}
        change = forms.read_status(form)
        with space.store.write() as session:
            new = tracker.set_status(session, slug, change, space.clock.now())
    say(f"{slug}: {change.status} on {change.date}." if new else "That step is in the history already.")
    next_step(f"newsletter policies show {slug}")


def _undo(ctx: click.Context, slug: str, status: str, day: str | None) -> None:
    on = forms.read_status({"status": status or Status.PROPOSED, "date": day}).date if day else None
    with workspace(ctx) as space, space.store.write() as session:
        step = tracker.undo_status(session, slug, space.clock.now(), status=status, day=on)
    say(f"{slug}: no longer {step.status} on {step.date}.")
    next_step(f"newsletter policies show {slug}")


@policies.command()
@click.argument("slug")
@form_options(
    tuple(key for key in _OPTIONS if key != "slug" and not key.startswith("status")),
    {"level": _LEVEL},
)
@click.pass_context
def edit(ctx: click.Context, /, slug: str, **options: Any) -> None:
    """Change a policy: what the options say, or, without any, all of it in your editor, with its history.

    Its slug stays, since issues name it.
    """
    with workspace(ctx) as space:
        with space.store.read() as session:
            form = forms.write_policy(tracker.get(session, slug))
        changed = {**form, **given(options)} if given(options) else in_editor(form, slug)
        if changed.get("slug", slug) != slug:
            raise InputError("a policy's slug stays as it is, since issues name it", where=slug)
        tracking = space.config.collect.tracking
        policy = forms.read_policy({**changed, "slug": slug}, base=None, workspace=space.folder, tracking=tracking)
        with space.store.write() as session:
            differs = tracker.replace(session, slug, policy, space.clock.now())
    say(f"Changed {slug}." if differs else "Nothing has changed.")
    say_doubts(policy)
    next_step(f"newsletter policies show {slug}")


@policies.command()
@click.argument("slugs", nargs=-1, required=True)
@click.option("--reason", default="", help="Why, for readers who come to the page of one that was public.")
@by_option
@click.pass_context
def remove(ctx: click.Context, slugs: tuple[str, ...], reason: str, by: str) -> None:
    """Delete policies with their history. The page of one that was public says that it's withdrawn.

    Approved issues keep their own copy.
    """
    with workspace(ctx) as space:
        public, used = space.public_policies(), space.used_slugs()
        with space.store.write() as session:
            for slug in dict.fromkeys(slugs):
                tracker.remove(session, slug)
                if slug in public:
                    amendments.withdraw(session, f"policies/{slug}", reason, decision(space, by))
    for slug in dict.fromkeys(slugs):
        told = " Its page says so; newsletter pages restore takes that back." if slug in public else ""
        say(f"Removed {slug}.{told}" + (" An issue still names it." if slug in used else ""))
    next_step("newsletter publish" if public & set(slugs) else "newsletter policies list")


@policies.command("list")
@click.option("--topic", default="")
@click.option("--state", default="", help="Two letters.")
@click.option("--since", type=DAY, help="Only those that moved on this day or later.")
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
@click.option("--since", required=True, type=DAY, help="What moved on this day or later.")
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
