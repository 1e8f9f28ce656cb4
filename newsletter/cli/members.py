"""Commands for the roster, and for the letters to those whom an issue speaks of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import tomli_w

from newsletter.cli.entries import export_entries, form_options, format_option, given, import_entries, in_editor
from newsletter.cli.output import as_json, emit, emit_document, many, next_step, print_json, print_table, say, workspace
from newsletter.collect import forms
from newsletter.collect import members as roster


@click.group()
def members() -> None:
    """People whom issues speak of: add, list, show, edit, remove, import, export."""


@members.command()
@form_options(forms.MEMBER_KEYS, {})
@click.pass_context
def add(ctx: click.Context, /, **options: Any) -> None:
    """Put somebody on the roster. It needs a name."""
    with workspace(ctx) as space, space.store.write() as session:
        member = forms.read_member(given(options), taken=roster.slugs(session))
        roster.add(session, member, space.clock.now())
    emit(member.slug)
    next_step("newsletter members list")


@members.command("list")
@click.option("--state", default="", help="Two letters.")
@click.option("--search", default="", help="Words in the name or title.")
@as_json
@click.pass_context
def list_members(ctx: click.Context, state: str, search: str, as_json: bool) -> None:
    """Members by name."""
    with workspace(ctx) as space, space.store.read() as session:
        found = roster.find(session, state=state.upper(), text=search)
    if as_json:
        print_json([forms.write_member(member) for member in found])
        return
    rows = [(member.slug, member.name, member.title, str(member.place), member.email) for member in found]
    print_table(("slug", "name", "title", "place", "address"), rows)
    say(f"{many(len(found), 'member')}.")


@members.command()
@click.argument("slug")
@as_json
@click.pass_context
def show(ctx: click.Context, slug: str, as_json: bool) -> None:
    """A member, as `members import` would read it."""
    with workspace(ctx) as space, space.store.read() as session:
        form = forms.write_member(roster.get(session, slug))
    if as_json:
        print_json(form)
    else:
        emit_document(tomli_w.dumps(form))


@members.command()
@click.argument("slug")
@form_options(tuple(key for key in forms.MEMBER_KEYS if key != "slug"), {})
@click.pass_context
def edit(ctx: click.Context, /, slug: str, **options: Any) -> None:
    """Change a member: what the options say, or, without any, in your editor."""
    with workspace(ctx) as space:
        with space.store.read() as session:
            form = forms.write_member(roster.get(session, slug))
        changed = {**form, **given(options)} if given(options) else in_editor(form, slug)
        with space.store.write() as session:
            differs = roster.replace(session, slug, forms.read_member(changed), space.clock.now())
    say(f"Changed {slug}." if differs else "Nothing has changed.")


@members.command()
@click.argument("slugs", nargs=-1, required=True)
@click.pass_context
def remove(ctx: click.Context, slugs: tuple[str, ...]) -> None:
    """Take people off the roster."""
    with workspace(ctx) as space, space.store.write() as session:
        for slug in slugs:
            roster.remove(session, slug)
    say(f"Removed {many(len(slugs), 'member')}.")


@members.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@as_json
@click.pass_context
def import_members(ctx: click.Context, path: Path, as_json: bool) -> None:
    """Add or update members from a TOML, JSON or CSV file; rows that can't be taken are written beside it."""
    import_entries(ctx, path, "members", as_json)


@members.command("export")
@click.argument("output", default="-")
@format_option
@click.pass_context
def export_members(ctx: click.Context, output: str, format_: str | None) -> None:
    """All members as a file that `members import` reads back; `-` is standard output."""
    with workspace(ctx) as space, space.store.read() as session:
        export_entries([*roster.find(session)], "members", output, format_)


@click.command()
@click.argument("issue")
@click.option("--after", is_flag=True, help="The share kit, once the issue is out; else the heads-up before.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A folder (default: courtesy/ISSUE).")
@click.pass_context
def courtesy(ctx: click.Context, issue: str, after: bool, output: Path | None) -> None:
    """Write a letter to everybody on the roster whom ISSUE speaks of, as drafts for your mail program.

    Before: a heads-up with what is said and when. After: a share kit with the link and words to post. Nothing is sent.
    """
    with workspace(ctx) as space:
        folder = output or space.folder / "courtesy" / space.issue_path(issue).parent.name
        letters, silent = space.courtesy(issue, folder, after=after)
    for path in letters:
        emit(path)
    for member in silent:
        say(f"{member.name} has no address: newsletter members edit {member.slug} --email ADDRESS", fg="yellow")
    kind = "share kit" if after else "heads-up"
    say(f"{many(len(letters), kind)} written. Open them in your mail program; nothing was sent.")
    next_step(f"newsletter send {issue}" if not after else "newsletter status")
