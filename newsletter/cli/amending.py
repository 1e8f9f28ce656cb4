"""Commands for what is public already: correct, history, corrections, pages."""

from __future__ import annotations

import getpass
from typing import Any

import click

from newsletter import amendments
from newsletter.amendments import Decision, path_of
from newsletter.cli.arguments import NUMBER
from newsletter.cli.issues import issue_argument
from newsletter.cli.output import (
    as_json,
    emit,
    emit_document,
    next_step,
    on_a_terminal,
    print_json,
    print_table,
    say,
    workspace,
)
from newsletter.errors import InputError, NotApproved, NotFound, nearest
from newsletter.model import Snapshot
from newsletter.workspace import Workspace

by_option = click.option("--by", default="", help="Who decides (default: you, as the system knows you).")


def decision(space: Workspace, by: str) -> Decision:
    """A decision that somebody takes now."""
    return Decision(by=by.strip() or getpass.getuser(), at=space.clock.now(), day=space.today())


@click.command()
@issue_argument
@click.option("--note", default="", help="What was wrong and what is right, in Markdown (default: your editor).")
@click.option("--mail", is_flag=True, help="Draft a mail of it, too, to those alone who were submitted the issue.")
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="With --mail: only this variant's readers.")
@by_option
@click.pass_context
def correct(ctx: click.Context, issue: str, note: str, mail: bool, variants: tuple[str, ...], by: str) -> None:
    """Correct ISSUE, which is out: its page gets a dated note, and so does the publication's next issue.

    With --mail, what no mail has told yet is drafted as one, to be checked, approved and sent like any issue.
    """
    if variants and not mail:
        raise click.UsageError("--variant is for --mail")
    with workspace(ctx) as space:
        found = _published(space, issue)
        if mail:
            space.require_submitted(found.issue, variants)
        elif not note:
            note = _asked(found.issue.slug)
        if note:
            with space.store.write() as session:
                record, new = amendments.correct(session, found.issue, note, decision(space, by))
            emit(f"{record.issue} {record.id}")
            said = "Noted." if new else f"That is noted already, since {record.date}."
            say(f"{said} It will stand on the issue's page, and begin the next draft of {record.publication}.")
        if mail:
            path = space.draft_correction(found.issue, variants)
            emit(path)
            name = path.split("/")[-2]
            next_step(f"edit the file, then: newsletter check {name}, and approve and send it like any issue")
            return
    next_step("newsletter publish")


def _published(space: Workspace, name: str) -> Snapshot:
    """An issue as it is out; NotFound or NotApproved when it isn't."""
    slug = name.strip("/").removesuffix("/issue.md").rpartition("/")[2]
    found = space.published(slug)
    if found:
        return found[0]
    if slug in space.issue_names():
        raise NotApproved("isn't out, so mend its file", where=slug, hint=f"newsletter check {slug}")
    known = [snapshot.issue.slug for snapshot in space.published()]
    raise NotFound(f'no issue "{slug}" is out', hint=nearest(slug, known) or "newsletter status")


def _asked(issue: str) -> str:
    """The note that somebody writes in their editor."""
    if not on_a_terminal():
        raise InputError("what was wrong, and what is right?", where=issue, hint="--note TEXT")
    below = "\n\n<!-- Above this line: what was wrong in the issue, and what is right. -->\n"
    return (click.edit(below, extension=".md") or "").partition("<!--")[0].strip()


@click.command()
@issue_argument
@click.argument("digest", default="")
@as_json
@click.pass_context
def history(ctx: click.Context, issue: str, digest: str, as_json: bool) -> None:
    """What ISSUE has been through: approvals and corrections; with a DIGEST, its text as it was approved then."""
    from newsletter.send import approval

    with workspace(ctx) as space:
        name = issue.strip("/").rpartition("/")[2]
        with space.store.read() as session:
            approvals = approval.history(session, name)
            if not approvals:
                raise NotFound("was never approved", where=name, hint=nearest(name, space.issue_names()))
            corrections = amendments.corrections(session, name)
            text = approval.with_digest(session, name, digest).variants[0].text if digest else None
    if text is not None:
        emit_document(text.merge({}))
        return
    rows: list[dict[str, Any]] = [
        {"at": each.at, "what": "approved", "by": ", ".join(each.by), "id": each.digest[:12], "note": ""}
        for each in approvals
    ]
    for row in corrections:
        what = "taken back" if row.removed_at else "corrected"
        rows.append({"at": row.at, "what": what, "by": row.by, "id": str(row.id), "note": row.note})
    rows.sort(key=lambda row: row["at"])
    if as_json:
        print_json(rows)
        return
    shown = [(f"{r['at']:%Y-%m-%d %H:%M} UTC", r["what"], r["by"], r["id"], _line(r["note"])) for r in rows]
    print_table(("when", "what", "by", "which", "note"), shown)
    next_step(f"newsletter history {name} {approvals[-1].digest[:12]}")


def _line(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


@click.group()
def corrections() -> None:
    """Corrections of issues that are out: list, remove."""


@corrections.command("list")
@as_json
@click.pass_context
def list_corrections(ctx: click.Context, as_json: bool) -> None:
    """Every correction, where it has been told, and where it has been mailed."""
    with workspace(ctx) as space, space.store.read() as session:
        rows = [row for row in amendments.corrections(session) if row.removed_at is None]
        there = amendments.telling(session, space.issue_names())
    plain = [
        {
            "id": row.id,
            "issue": row.issue,
            "date": row.date,
            "told_in": row.told_in if row.told_in in there else "",
            "mailed_in": row.mailed_in if row.mailed_in in there else "",
            "by": row.by,
            "note": row.note,
        }
        for row in rows
    ]
    if as_json:
        print_json(plain)
        return
    header = ("id", "issue", "date", "told in", "mailed in", "by", "note")
    print_table(header, [[_line(str(v)) or "-" if k != "id" else v for k, v in row.items()] for row in plain])
    next_step("newsletter correct ISSUE")


@corrections.command("remove")
@click.argument("number", type=NUMBER)
@click.pass_context
def remove_correction(ctx: click.Context, number: int) -> None:
    """Take correction NUMBER back. What was drafted or mailed with it stays."""
    with workspace(ctx) as space, space.store.write() as session:
        record = amendments.remove(session, number, space.clock.now())
        say(f"{record.issue} is without that correction.")
    next_step("newsletter publish")


@click.group()
def pages() -> None:
    """Pages of the archive that are public: list, move, withdraw, restore."""


@pages.command("list")
@as_json
@click.pass_context
def list_pages(ctx: click.Context, as_json: bool) -> None:
    """Every page that has moved or is gone."""
    with workspace(ctx) as space, space.store.read() as session:
        rows = amendments.pages(session)
    if as_json:
        keys = ("path", "moved_to", "reason", "date", "by")
        print_json([{key: getattr(row, key) for key in keys} for row in rows])
        return
    print_table(
        ("page", "leads to", "since", "by", "reason"),
        [(row.path, row.moved_to or "(gone)", row.date, row.by, _line(row.reason)) for row in rows],
    )
    next_step("newsletter pages withdraw PATH")


@pages.command()
@click.argument("old")
@click.argument("new")
@by_option
@click.pass_context
def move(ctx: click.Context, old: str, new: str, by: str) -> None:
    """Let the address OLD lead to the page NEW.

    When you give an issue's folder another name, do this before you approve it anew: it counts as the same issue then,
    and nobody is mailed it twice.
    """
    with workspace(ctx) as space:
        before, after = (path_of(path, space.config.archive.url) for path in (old, new))
        if after not in space.issue_names():
            _require_page(space, after)
        with space.store.write() as session:
            amendments.move(session, before, after, decision(space, by))
    say(f"{before} leads to {after}.")
    next_step("newsletter publish")


def _require_page(space: Workspace, path: str) -> None:
    """NotFound when there is neither an approved issue nor a file of the built archive at a path."""
    built = space.folder / space.config.archive.folder / path
    if space.published(path) or built.is_file() or (built / "index.html").is_file():
        return
    known = [snapshot.issue.slug for snapshot in space.published()]
    raise NotFound("there is no such page", where=path, hint=nearest(path, known) or "newsletter publish, and look")


@pages.command()
@click.argument("path")
@click.option("--reason", default="", help="Why, in words that readers see.")
@by_option
@click.pass_context
def withdraw(ctx: click.Context, path: str, reason: str, by: str) -> None:
    """Let the page PATH go: an issue by its name, any other page by its address. The address then says so."""
    with workspace(ctx) as space:
        gone = path_of(path, space.config.archive.url)
        _require_page(space, gone)
        with space.store.write() as session:
            amendments.withdraw(session, gone, reason, decision(space, by))
    say(f"{gone} is gone with the next publish. Mail that is out can't be called back.")
    next_step(f"newsletter publish, or newsletter pages restore {gone}")


@pages.command()
@click.argument("path")
@click.pass_context
def restore(ctx: click.Context, path: str) -> None:
    """Take back that the page PATH went or moved."""
    with workspace(ctx) as space:
        given = path_of(path, space.config.archive.url)
        with space.store.write() as session:
            amendments.restore(session, given)
    say(f"{given} is its own page again, where there still is one.")
    next_step("newsletter publish")
