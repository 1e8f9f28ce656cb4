"""Commands that look after links that are public: check, list, show, diff, copy, accept, replace, restore."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag

import click
from sqlalchemy import select

from newsletter import amendments
from newsletter.cli.amending import by_option, decision
from newsletter.cli.arguments import DAY
from newsletter.cli.output import (
    as_json,
    emit,
    emit_document,
    many,
    next_step,
    print_json,
    print_table,
    progress,
    say,
    workspace,
)
from newsletter.errors import InputError, NotFound, nearest
from newsletter.linkkeeping import Place, Standing, copies, keep
from newsletter.store.records import LinkRecord, ReplacementRecord
from newsletter.workspace import Workspace

#: So many lines of what has changed on a page are shown with all others.
_DIFF_LINES = 20
#: What somebody should look at, the worst first.
_TROUBLE = (Standing.DEAD, Standing.MOVED, Standing.CHANGED, Standing.FAILING, Standing.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """A published link with all that's known of it; `archived` is what pages link to in its place."""

    url: str
    places: tuple[Place, ...]
    record: LinkRecord | None
    archived: str
    changes: tuple[str, ...] = ()
    copied_at: dt.datetime | None = None

    @property
    def standing(self) -> str:
        if self.archived:
            return "replaced"
        return self.record.standing if self.record and self.record.standing else "unasked"

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(place.name for place in self.places))

    @property
    def told(self) -> str:
        if self.archived:
            return f"-> {self.archived}"
        if self.record is None:
            return ""
        moved = f"-> {self.record.moved_to}" if self.record.moved_to else ""
        return "; ".join(filter(None, (moved, self.record.fault)))

    def plain(self) -> dict[str, Any]:
        record = self.record
        return {
            "url": self.url,
            "standing": self.standing,
            "fault": record.fault if record else "",
            "moved_to": record.moved_to if record else "",
            "archived": self.archived,
            "failures": record.failures if record else 0,
            "captured_at": record.captured_at if record else None,
            "checked_at": record.checked_at if record else None,
            "captured": record.captured if record else "",
            "digest": record.digest if record else "",
            "copied_at": self.copied_at,
            "changes": list(self.changes),
            "places": [{"name": p.name, "words": p.words, "url": p.url} for p in self.places],
        }


def _gather(space: Workspace, since: dt.date = dt.date.min) -> dict[str, _Link]:
    """Every published link by its address."""
    found = space.published_links(since)
    with space.store.read() as session:
        records = {row.url: row for row in session.scalars(select(LinkRecord))}
        swapped = {urldefrag(row.url)[0]: row.archived for row in session.scalars(select(ReplacementRecord))}
        dates = copies.dates(session)
        changed = {url: tuple(copies.changes(session, records[url])) for url in dates if url in records}
    return {
        url: _Link(
            url=url,
            places=tuple(places),
            record=records.get(url),
            archived=swapped.get(url, ""),
            changes=changed.get(url, ()),
            copied_at=dates.get(url),
        )
        for url, places in found.items()
    }


def _named(links: Mapping[str, _Link], url: str) -> _Link:
    address = urldefrag(url.strip())[0]
    try:
        return links[address]
    except KeyError:
        hint = nearest(address, links) or "newsletter links list"
        raise NotFound("no issue or policy that is public links there", where=url, hint=hint) from None


@click.group()
def links() -> None:
    """Where published issues and policies link to: check, list, show, diff, copy, accept, replace, restore."""


@links.command()
@click.option("--since", type=DAY, help="Only links of issues dated since then, and of policies that moved since then.")
@click.option("--afresh", is_flag=True, help="Ask those, too, that were asked within the last day.")
@as_json
@click.pass_context
def check(ctx: click.Context, since: dt.datetime | None, afresh: bool, as_json: bool) -> int:
    """Ask every page that is linked to whether it's still there and still says the same. Exit code 3 for dead ones.

    It keeps to each host's robots.txt and takes its time: some minutes for a hundred pages of one host.
    """
    day = since.date() if since else dt.date.min
    with workspace(ctx) as space:
        wanted = [url for url, link in _gather(space, day).items() if not link.archived]
        with progress("Asking", len(wanted)) as advance:
            copied = space.sources()
            kept = keep(space.store, wanted, space.config, space.clock, afresh=afresh, copied=copied, progress=advance)
        found = _gather(space, day)
    trouble = sorted(
        (link for link in found.values() if link.standing in _TROUBLE),
        key=lambda link: (_TROUBLE.index(Standing(link.standing)), link.url),
    )
    if as_json:
        print_json([link.plain() for link in trouble])
    else:
        _print(trouble)
        for link in trouble:
            _print_changes(link)
    counted = Counter(link.standing for link in found.values())
    say(f"{many(kept.asked, 'page')} asked, {kept.fresh} asked lately, {kept.left} left for the next run.")
    say(", ".join(f"{count} {standing}" for standing, count in sorted(counted.items())) + ".")
    dead = next((link for link in trouble if link.standing == Standing.DEAD), None)
    changed = next((link for link in trouble if link.standing == Standing.CHANGED), None)
    for gone in (link for link in trouble if link.standing == Standing.DEAD and link.copied_at):
        say(f"What it said is kept: newsletter links copy {gone.url}")
    if dead:
        next_step(f"newsletter links replace {dead.url} --with ADDRESS_OF_A_COPY")
    elif changed:
        next_step(f"look, then: newsletter links accept {changed.url}")
    return 3 if dead else 0


def _print(found: list[_Link]) -> None:
    print_table(
        ("standing", "page", "in", "what"),
        [(link.standing, link.url, _few(link.names), link.told) for link in found],
    )


def _print_changes(link: _Link) -> None:
    """The first lines of what has changed."""
    _print_diff(link.changes[:_DIFF_LINES])
    if len(link.changes) > _DIFF_LINES:
        say(f"{many(len(link.changes) - _DIFF_LINES, 'more line')}: newsletter links diff {link.url}")


def _print_diff(lines: Iterable[str]) -> None:
    for line in lines:
        emit(line, fg={"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))


def _few(names: list[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


@links.command("list")
@click.option(
    "--standing", type=click.Choice([*map(str, Standing), "replaced", "unasked"]), help="Only those that stand so."
)
@as_json
@click.pass_context
def list_(ctx: click.Context, standing: str | None, as_json: bool) -> None:
    """Every published link as it stood when it was asked last. Nobody is asked."""
    with workspace(ctx) as space:
        found = [link for link in _gather(space).values() if standing in (None, link.standing)]
    found.sort(key=lambda link: link.url)
    if as_json:
        print_json([link.plain() for link in found])
        return
    _print(found)
    next_step("newsletter links show URL" if found else "newsletter links check")


@links.command()
@click.argument("url")
@as_json
@click.pass_context
def show(ctx: click.Context, url: str, as_json: bool) -> None:
    """What is known of the page URL, and every place that links to it."""
    with workspace(ctx) as space:
        link = _named(_gather(space), url)
        zone = space.config.timezone
    if as_json:
        print_json(link.plain())
        return
    emit(f"{link.url}: {link.standing}" + (f", {link.told}" if link.told else ""))
    record = link.record
    captured, asked = (record.captured_at, record.checked_at) if record else (None, None)
    for what, at in (("captured", captured), ("asked last", asked), ("copied", link.copied_at)):
        if at:
            emit(f"{what:<10} {at.astimezone(zone):%Y-%m-%d %H:%M %Z}")
    print_table(("in", "words"), [(place.name, place.words) for place in link.places])
    if link.standing == Standing.CHANGED:
        next_step(f"newsletter links accept {link.url}")
    elif link.standing in (Standing.DEAD, Standing.MOVED):
        next_step(f"newsletter links replace {link.url} --with {(record and record.moved_to) or 'ADDRESS_OF_A_COPY'}")


@links.command()
@click.argument("url")
@click.pass_context
def diff(ctx: click.Context, url: str) -> None:
    """What the page URL says otherwise than when it was captured, as a unified diff."""
    with workspace(ctx) as space:
        link = _named(_gather(space), url)
    if link.copied_at is None:
        raise _no_copy(link)
    _print_diff(link.changes)
    if link.changes:
        next_step(f"newsletter links accept {link.url}")
    else:
        say(
            "Its lines are those that are kept." if link.standing != Standing.CHANGED else "Its first text wasn't kept."
        )


@links.command()
@click.argument("url")
@click.pass_context
def copy(ctx: click.Context, url: str) -> None:
    """Print what the page URL said when it could be read last."""
    with workspace(ctx) as space:
        link = _named(_gather(space), url)
        with space.store.read() as session:
            found = copies.newest(session, link.url)
        if found is None:
            raise _no_copy(link)
        say(f"As read on {found.taken_at.astimezone(space.config.timezone):%Y-%m-%d}:")
    emit_document(found.text + "\n")


def _no_copy(link: _Link) -> NotFound:
    what = "no copy is kept: only of what policies rest on, and where it could be read"
    return NotFound(what, where=link.url, hint="newsletter links check")


@links.command()
@click.argument("url")
@click.pass_context
def accept(ctx: click.Context, url: str) -> None:
    """What the page URL says now is fine: hold it against this from now on."""
    with workspace(ctx) as space:
        link = _named(_gather(space), url)
        with space.store.write() as session:
            record = session.get(LinkRecord, link.url)
            if record is None or not record.digest:
                raise InputError("nothing is known of what it says", where=link.url, hint="newsletter links check")
            record.captured, record.captured_at = record.digest, record.checked_at
            if record.standing == Standing.CHANGED:
                record.standing = Standing.FINE
    say("From now on it's held against what it said when it was asked last.")
    next_step("newsletter links list --standing changed")


@links.command()
@click.argument("url")
@click.option("--with", "archived", required=True, metavar="ADDRESS", help="Where pages link to in its place.")
@by_option
@click.pass_context
def replace(ctx: click.Context, url: str, archived: str, by: str) -> None:
    """Let issue pages link to an archived copy of URL, or to where it is now. What was mailed can't be changed."""
    with workspace(ctx) as space:
        link = _named(_gather(space), url)
        with space.store.write() as session:
            amendments.replace_link(session, _forms(link), archived.strip(), decision(space, by))
    say(f"{many(len(link.names), 'issue or policy', 'issues and policies')} will link there.")
    next_step("newsletter publish")


@links.command()
@click.argument("url")
@click.pass_context
def restore(ctx: click.Context, url: str) -> None:
    """Let pages link to URL itself again."""
    with workspace(ctx) as space:
        link = _named(_gather(space), url)
        with space.store.write() as session:
            if not amendments.keep_link(session, _forms(link)):
                raise InputError("isn't replaced", where=link.url, hint="newsletter links list --standing replaced")
    say("Pages will link to it again.")
    next_step("newsletter publish")


def _forms(link: _Link) -> set[str]:
    """The address in every form in which it stands somewhere: with and without a fragment."""
    return {link.url, *(place.url for place in link.places)}
