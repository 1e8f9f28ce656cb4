"""The command that builds the archive and puts it where it's served from: publish."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from newsletter.cli.output import emit, many, next_step, say, workspace
from newsletter.config.rules import require_base_url
from newsletter.errors import InputError, NewsletterError
from newsletter.workspace import Workspace, system_clock

#: Seconds between two looks at what the archive is built from.
_LOOK = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """Where the archive goes, under which address, and whether its links are checked first."""

    to: str
    base_url: str
    check: bool
    repository: Path | None
    push: str


@click.command()
@click.option("--to", default="", metavar="WHERE", help="A folder, s3://bucket/prefix, or git:BRANCH.")
@click.option("--base-url", default="", metavar="URL", help="Its address, if not the one in config.toml.")
@click.option("--check", is_flag=True, help="Look for broken links in it; with any, it goes nowhere. Exit code 3.")
@click.option(
    "--watch", is_flag=True, help="Do it again whenever an approval, a policy, a template or a setting changes."
)
@click.option(
    "--repository",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="With git:BRANCH: the repository (default: the workspace's).",
)
@click.option(
    "--push", is_flag=False, flag_value="origin", default="", metavar="[REMOTE]", help="Push the branch, too."
)
@click.pass_context
def publish(
    ctx: click.Context, to: str, base_url: str, check: bool, watch: bool, repository: Path | None, push: str
) -> int:
    """Build the archive website of all approved issues, and put it where it's served from.

    By default that's the folder in config.toml. What goes to a bucket or a branch is built there first. Only what
    changed is written.
    """
    _check_places(to, base_url)
    order = _Order(to=to, base_url=base_url, check=check, repository=repository, push=push)
    if watch:
        _watch(ctx, order)
        return 0
    with workspace(ctx) as space:
        return _publish(space, order)


def _check_places(to: str, base_url: str) -> None:
    """InputError for a --to or --base-url that can't be one."""
    scheme = re.match(r"([a-z][a-z0-9+.-]*)://", to, re.IGNORECASE)
    if scheme and scheme[1] != "s3":
        hint = "a folder, s3://bucket/prefix, or git:BRANCH"
        raise InputError(f'the archive can\'t be published to "{to}"', hint=hint)
    try:
        if base_url:
            require_base_url("--base-url", base_url)
    except ValueError as fault:
        raise InputError(str(fault), hint="--base-url https://news.example.org/") from None


def _publish(space: Workspace, order: _Order) -> int:
    """Build, check if wanted, and put it there; the exit code."""
    from newsletter.publish.destinations import destination, is_elsewhere

    elsewhere = None
    if is_elsewhere(order.to) or order.repository or order.push:
        elsewhere = destination(order.to, space.config, repository=order.repository, push=order.push)
    folder = Path(order.to) if order.to and elsewhere is None else space.folder / space.config.archive.folder
    report = space.publish(folder, base_url=order.base_url)
    emit(folder / "index.html")
    say(f"{report.written} pages written, {report.unchanged} unchanged, {report.removed} removed.")
    if report.waiting:
        say(f"Not yet, for they are dated later: {', '.join(report.waiting)}.", fg="yellow")
    url = order.base_url or space.config.archive.url
    if order.check and not _is_whole(folder, url):
        next_step("mend what the links are in, then: newsletter publish --check")
        return 3
    if elsewhere is None:
        next_step(f"put {folder.name}/ on the web at {url}, or: newsletter publish --to s3://BUCKET or git:BRANCH")
        return 0
    done = elsewhere.put(folder)
    say(f"{done.note} {done.written} files written, {done.unchanged} unchanged, {done.removed} removed.")
    next_step(f"look at {url}")
    return 0


def _is_whole(folder: Path, url: str) -> bool:
    """Whether nothing in the archive leads nowhere; what does is told."""
    from newsletter.publish.crawl import crawl

    broken = crawl(folder, url)
    for link in broken:
        emit(f"{link.page}: {link.link}: {link.why}")
    say(f"{many(len(broken), 'broken link')}.")
    return not broken


def _watch(ctx: click.Context, order: _Order) -> None:
    """Publish now and after every change, until Ctrl-C or a signal to end. What's wrong is told once, and tried again
    when something changes.
    """
    say("Watching; end with Ctrl-C.")
    clock, seen, told = system_clock(), "", ""
    with _ended_by_signal():
        while True:
            try:
                with workspace(ctx) as space:
                    mark = space.archive_mark()
                    if mark != seen:
                        seen = mark
                        _publish(space, order)
                told = ""
            except NewsletterError as fault:
                if str(fault) != told:
                    told = str(fault)
                    say(f"Error: {told}", fg="red")
            clock.sleep(_LOOK)


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """End quietly when somebody presses Ctrl-C or a service manager stops the program."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        say("Stopped.")
    finally:
        signal.signal(signal.SIGTERM, before)
