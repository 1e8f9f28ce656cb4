"""Commands that act on an issue while it's made: draft, compose, render, check, approve."""

from __future__ import annotations

import datetime as dt
import getpass
from collections.abc import Mapping
from pathlib import Path

import click

from newsletter import codec
from newsletter.cli.arguments import DAY, MONTH
from newsletter.cli.output import (
    as_json,
    emit,
    emit_document,
    many,
    next_step,
    on_a_terminal,
    print_json,
    print_table,
    say,
    workspace,
)
from newsletter.config import Publication
from newsletter.errors import InputError, NewsletterError, NotApproved, NotFound, nearest
from newsletter.merge import reader_links
from newsletter.model import Finding, Picture, PolicyEntry, Prose, Severity, Story
from newsletter.model.text import shown
from newsletter.workspace import Draft, Workspace

issue_argument = click.argument("issue")


@click.command()
@click.argument("publication")
@click.option("--date", "day", type=DAY, help="The issue's date (default: today).")
@click.option("--month", type=MONTH, help="The issue of this month, as 2026-12; dated today in the current month.")
@click.option(
    "--since", type=DAY, help="Take what is dated on this day or later (default: since the last approved issue)."
)
@click.option("--slug", help="The folder's name (default: publication and month).")
@click.option("--without", multiple=True, metavar="SLUG", help="Leave this out; may be repeated.")
@click.option("--again", multiple=True, metavar="SLUG", help="Take an item that was told already; may be repeated.")
@click.option(
    "--from", "source", type=click.Path(path_type=Path), help="Make it of a document: .docx, .md, .html, .zip."
)
@click.option("--all", "everything", is_flag=True, help="Don't ask what to leave out.")
@click.pass_context
def draft(
    ctx: click.Context,
    publication: str,
    day: dt.datetime | None,
    month: dt.datetime | None,
    since: dt.datetime | None,
    slug: str | None,
    without: tuple[str, ...],
    again: tuple[str, ...],
    source: Path | None,
    everything: bool,
) -> None:
    """Write issues/SLUG/issue.md for PUBLICATION, with what is new since its last approved issue: what is dated since
    then, and what was stored since it was approved. What is left out, such as what its readers were told, is listed.

    At a terminal you're shown what there is and asked what to leave out. --from FILE makes the issue of a Word
    document, of what Google Docs exports as Markdown or as a web page, or of any page that was saved; what can't be
    taken of it is listed.
    """
    from newsletter.compose.draft import day_in

    if day and month:
        raise InputError("--date and --month both say when", hint="give one of them")
    with workspace(ctx) as space:
        series = space.config.publication(publication)
        last = space.previous_issue(publication, month.date() if month else dt.date.max)
        date = day.date() if day else space.today()
        if month and month.date() != date.replace(day=1):
            date = day_in(month.date(), last)
        if source:
            if since or without or again or everything:
                raise InputError(
                    "--from takes what the document has", hint="leave out --since, --without, --again, --all"
                )
            _drafted_from(space, series, source, date, slug or "")
            return
        found = space.draft(series, date, since.date() if since else None, slug or "", again)
        unknown = set(without) - {entry.slug for shelf in found.shelves for entry in shelf.entries}
        if unknown:
            what = f'"{min(unknown)}" is not among what is new'
            known = [entry.slug for shelf in found.shelves for entry in shelf.entries]
            raise InputError(what, hint=nearest(min(unknown), known))
        dropped = set(without)
        if not everything and not without and on_a_terminal():
            dropped |= _asked(found)
        path, count = space.write_draft(found, dropped)
        emit(path)
        put_right = f" and {many(len(found.corrections), 'correction')}" if found.corrections else ""
        entries = many(count, "entry", "entries")
        say(f"Dated {found.day}, with {entries} since {found.since}{put_right}. Fill in what is marked TK.")
        for left in found.left_out:
            say(f"Left out {left.entry.slug}: {left.why}. {left.remedy}")
        next_step(f"edit the file, then: newsletter studio {found.slug}, or newsletter check {found.slug}")


def _drafted_from(space: Workspace, series: Publication, source: Path, day: dt.date, slug: str) -> None:
    made = space.draft_from(series, source, day, slug)
    emit(made.named)
    pictures, entries = many(made.pictures, "picture"), many(made.entries, "stored entry", "stored entries")
    say(f"Dated {day}, with {pictures} and {entries}. Fill in what is marked TK.")
    for note in made.notes:
        say(f"Not as in the document: {note}", fg="yellow")
    for url in made.links:
        say(f"Links to nothing stored: {url}")
    if made.links:
        say("To store one, so that its story is followed: newsletter items add URL --keep")
    next_step(f"newsletter studio {made.slug}, or newsletter check {made.slug}")


def _asked(found: Draft) -> set[str]:
    """The slugs that a person leaves out, chosen by number."""
    numbered: list[str] = []
    for shelf in found.shelves:
        if shelf.entries:
            say(shelf.heading or "In no section's plan", bold=True)
        for entry in shelf.entries:
            numbered.append(entry.slug)
            say(f"{len(numbered):>4}  {entry.title}")
    if not numbered:
        return set()
    while True:
        answer = click.prompt("Leave out (numbers, or Enter for none)", default="", show_default=False, err=True)
        wanted = answer.replace(",", " ").split()
        if all(word.isdecimal() and len(word) < 10 and 0 < int(word) <= len(numbered) for word in wanted):
            return {numbered[int(word) - 1] for word in wanted}
        say(f"Numbers from 1 to {len(numbered)}, with blanks between them.", fg="yellow")


@click.command()
@issue_argument
@as_json
@click.pass_context
def compose(ctx: click.Context, issue: str, as_json: bool) -> None:
    """Show what ISSUE is made of: its sections and, in them, items, policies and text."""
    with workspace(ctx) as space:
        composed = space.compose(issue)
        if as_json:
            print_json(codec.plain(composed))
            return
        emit(composed.title)
        rows = [
            (block.line, section.heading or "(intro)", *_describe(block))
            for section in composed.sections
            for block in section.blocks
        ]
        print_table(("line", "section", "what", "shows"), rows)
        next_step(f"newsletter render {composed.slug}")


def _describe(block: object) -> tuple[str, str]:
    match block:
        case Story():
            return block.item.kind, block.headline
        case PolicyEntry():
            status = f" ({block.status.status}, {block.status.date})" if block.status else ""
            return "policy", f"{block.policy.place}: {block.headline}{status}"
        case Picture():
            return "picture", block.photo.alt
        case Prose():
            return "text", " ".join(block.markdown.split())[:70]
    return "", ""


@click.command()
@issue_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder for the files (default: preview/ISSUE), or one file for review: NAME.html, or NAME.pdf.",
)
@click.option("--text", "to_stdout", flag_value="text", help="Print the plain text instead.")
@click.option("--html", "to_stdout", flag_value="html", help="Print the HTML instead.")
@click.option("--variant", "name", default="default", show_default=True, help="Which of `newsletter variants`.")
@click.pass_context
def render(ctx: click.Context, issue: str, output: Path | None, to_stdout: str | None, name: str) -> None:
    """Make the mail of ISSUE as a reader without a name would get it: mail.html and mail.txt.

    With -o review.html (or .pdf, where Chromium is installed) it makes one file for those who have to say yes: the
    mail, its plain text, links, findings, and who gets what.
    """
    with workspace(ctx) as space:
        composed = space.compose(issue)
        if output and output.suffix.lower() in (".html", ".pdf"):
            space.review(composed, output)
            emit(output)
            next_step(f"show it around, then: newsletter approve {composed.slug}")
            return
        rendered = {each.variant: each for each in space.render(composed)}
        if name not in rendered:
            raise NotFound(f'no variant "{name}"', hint=nearest(name, rendered) or f"there are {', '.join(rendered)}")
        variant = rendered[name]
        values = reader_links(space.unsubscribe_url(0, space.config.publications[composed.publication].list))
        html, text = variant.html.merge_html(values), variant.text.merge(values)
        if to_stdout:
            emit_document(html if to_stdout == "html" else text)
            return
        folder = output or space.folder / "preview" / composed.slug
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "mail.html").write_text(html, encoding="utf-8")
        (folder / "mail.txt").write_text(text, encoding="utf-8")
        emit(folder / "mail.html")
        emit(folder / "mail.txt")
        say(f"Subject: {variant.subject.merge(values)}")
        say(f"{len(html.encode()):,} bytes of HTML; Gmail cuts at 102,000.")
        next_step(f"newsletter check {composed.slug}")


@click.command()
@issue_argument
@as_json
@click.pass_context
def variants(ctx: click.Context, issue: str, as_json: bool) -> None:
    """Who of the list gets which part of ISSUE: each guarded part, and each variant, with its readers."""
    with workspace(ctx) as space:
        composed = space.compose(issue)
        reach = space.reach(composed)
    if as_json:
        print_json(
            {
                "readers": reach.readers,
                "guards": [codec.plain(guard) for guard in reach.guards],
                "variants": {variant.name: count for variant, count in reach.variants.items()},
            }
        )
        return
    if reach.guards:
        guards = [(guard.name, guard.expression, guard.readers, guard.fault) for guard in reach.guards]
        print_table(("part", "for readers who are", "readers", "fault"), guards)
        emit()
    rows = [
        (v.name, count, v.state or "-", *(" and ".join(sorted(held)) or "-" for held in (v.guards, v.had)))
        for v, count in reach.variants.items()
    ]
    columns = ("variant", "readers", "state first", "guarded parts for", "without what they had in")
    width = 5 if composed.repeated else 4
    print_table(columns[:width], [row[:width] for row in rows])
    say(f"{reach.readers:,} readers, {many(len(rows), 'rendering')}.")
    next_step(f"newsletter render {composed.slug} --variant NAME")


@click.command()
@issue_argument
@click.argument("address")
@as_json
@click.pass_context
def explain(ctx: click.Context, issue: str, address: str, as_json: bool) -> None:
    """Why somebody would get ISSUE or not, and which variant of it."""
    from newsletter.audience.addresses import normalize

    with workspace(ctx) as space:
        composed = space.compose(issue)
        told = space.explain(composed, normalize(address))
    if as_json:
        print_json(told)
        return
    for key, value in told.items():
        emit(f"{key:<12} {', '.join(map(str, value)) if isinstance(value, list) else value}")


@click.command()
@issue_argument
@as_json
@click.option("--links", "with_links", is_flag=True, help="Ask every link whether it answers, too.")
@click.option("--afresh", is_flag=True, help="Ask those links, too, that were asked within the last day.")
@click.option("--spam", "with_spam", is_flag=True, help="Ask SpamAssassin for its score, too, where it's installed.")
@click.option("--fix", is_flag=True, help="Put right first what needs no judgement, and show what was changed.")
@click.option("--sarif", "report", flag_value="sarif", help="Print SARIF 2.1.0, for a pipeline.")
@click.option("--junit", "report", flag_value="junit", help="Print JUnit's XML, for a pipeline.")
@click.pass_context
def check(
    ctx: click.Context,
    issue: str,
    as_json: bool,
    with_links: bool,
    afresh: bool,
    with_spam: bool,
    fix: bool,
    report: str | None,
) -> int:
    """Say what is wrong with ISSUE. Errors block approval and sending; exit code 3 when there are any."""
    from newsletter.check import blocks, reports

    with workspace(ctx) as space:
        if fix:
            space.compose(issue)  # what can't be read isn't changed
            _show_fixes(space.fix(issue))
        composed = space.compose(issue)
        variants = space.render(composed)
        findings = space.check(composed, variants)
        if with_links:
            findings += space.check_links(composed, afresh=afresh)
        if with_spam:
            findings += space.check_spam(composed, variants[0])
    if as_json:
        print_json([codec.plain(finding) for finding in findings])
    elif report:
        emit_document(reports.sarif(findings) if report == "sarif" else reports.junit(findings, composed.slug))
    else:
        for finding in findings:
            _print_finding(finding)
    errors = sum(map(blocks, findings))
    waived = sum(bool(finding.waived) for finding in findings)
    counts = [many(errors, "error"), many(len(findings) - errors - waived, "warning")]
    say(f"{', '.join([*counts, *([f'{waived} waived'] if waived else [])])} in {composed.path}.")
    next_step(f"mend the errors, then: newsletter check {issue}" if errors else f"newsletter approve {issue}")
    return 3 if errors else 0


def _show_fixes(changed: Mapping[str, tuple[str, str]]) -> None:
    """What was changed, as a diff, on standard error: the findings alone are the command's data."""
    from difflib import unified_diff

    for name, (before, after) in changed.items():
        lines = unified_diff(before.splitlines(), after.splitlines(), f"{name} (before)", name, lineterm="", n=0)
        for line in lines:
            say(shown(line), fg="red" if line.startswith("-") else "green" if line.startswith("+") else None)
    say(f"Changed {many(len(changed), 'file')}." if changed else "There is nothing that can be put right by itself.")


def _print_finding(finding: Finding) -> None:
    kind, colour = str(finding.severity), "red" if finding.severity is Severity.ERROR else "yellow"
    if finding.waived:
        kind, colour = "waived", "cyan"
    waived = f" (waived by {finding.waived})" if finding.waived else ""
    rest = shown(f"{finding.where}: {finding.message} [{finding.rule}]{waived}")
    click.echo(f"{click.style(f'{kind:7}', fg=colour)} {rest}")


@click.command()
@issue_argument
@click.option("--by", default="", help="Who approves (default: you, as the system knows you).")
@click.pass_context
def approve(ctx: click.Context, issue: str, by: str) -> None:
    """Freeze ISSUE as it is now: this is what goes out and what is archived. Any later change voids it."""
    from newsletter.send import uses
    from newsletter.send.approval import told

    with workspace(ctx) as space:
        snapshot, new = space.approve(issue, by=by.strip() or getpass.getuser())
        emit(f"{snapshot.issue.slug} {snapshot.digest[:12]}")
        needed, persons = space.config.publications[snapshot.issue.publication].approvals, space.approvers(issue)
        said = told(persons, needed)
        say(f"{said[:1].upper()}{said[1:]}." if new else f"Nothing has changed; {said} already.")
        for fault in space.keep_sources(snapshot.issue):
            say(f"Not copied as it was: {fault}", fg="yellow")
        somebody = f"newsletter approve {snapshot.issue.slug} --by NAME, by somebody else"
        with space.store.read() as session:
            is_out = bool(uses.variants(session, snapshot.issue.slug))
        ready = "newsletter publish" if is_out else f"newsletter send {snapshot.issue.slug} --dry-run"
        next_step(somebody if len(persons) < needed else ready)


@click.command()
@issue_argument
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Into an HTML page, with pictures side by side.")
@click.pass_context
def diff(ctx: click.Context, issue: str, output: Path | None) -> None:
    """What has changed in ISSUE since it was approved, as its readers would see it.

    Pictures need Chromium.
    """
    from newsletter.send import approval

    with workspace(ctx) as space:
        composed = space.compose(issue)
        with space.store.read() as session:
            snapshot = approval.latest(session, composed.slug)
        if snapshot is None:
            raise NotApproved("not approved yet", where=composed.path, hint=f"newsletter approve {composed.slug}")
        variants = space.render(composed, also=[variant.variant for variant in snapshot.variants])
        lines = approval.changes(snapshot, variants)
        if output:
            space.picture_changes(composed, snapshot, variants, output)
            emit(output)
        for line in lines if not output else ():
            emit(line, fg={"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))
        try:
            space.approved(issue)
            say(f"Nothing has changed since {snapshot.approved_by} approved it.")
        except NewsletterError as fault:
            say(str(fault))
            next_step(f"newsletter approve {composed.slug}")
