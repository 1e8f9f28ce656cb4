"""Whether what issues and policies link to is still there, and still says what it said.

    published(snapshots, policies, ...)     every link, with the places it stands at
    keep(...)                               ask them politely, and remember what came of it

`links check`, `check --links`, the studio and an approval ask by `keep` alone, so that a page that one of them has
asked is known to all.

Hosts are asked side by side, the pages of one host one after the other. What is known of a page is written down as
soon as it has answered, so that a run which is interrupted loses nothing.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urlsplit

from sqlalchemy import select, update

from newsletter.check.links import links_of
from newsletter.check.rules import Subject
from newsletter.collect import captures
from newsletter.config import Config
from newsletter.fetch import AGENT
from newsletter.linkkeeping import copies
from newsletter.linkkeeping.manners import Manners
from newsletter.linkkeeping.visit import Standing, Visit, visit
from newsletter.model import Policy, Snapshot
from newsletter.send import Clock
from newsletter.store import Store
from newsletter.store.records import LinkRecord

__all__ = ["Kept", "Place", "Standing", "keep", "on_the_web", "published"]

_HOSTS_AT_ONCE = 8
#: What was asked within a day isn't asked again, unless that's wanted; a little less, for what runs daily on a timer.
_FRESH = dt.timedelta(hours=23, minutes=30)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link stands: the issue or policy, the words, and the address as it stands there."""

    name: str
    words: str
    url: str


@dataclass(slots=True)
class Kept:
    """What a run did: how many pages were asked, had been asked lately, and were left for the next run."""

    asked: int = 0
    fresh: int = 0
    left: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


def published(
    snapshots: Iterable[Snapshot], policies: Iterable[Policy], config: Config, *, since: dt.date = dt.date.min
) -> dict[str, list[Place]]:
    """Every web page that issues and policies link to, by its address without a fragment, with the places where.

    With `since`, of the issues dated since that day, and the policies that moved since. Our own pages are left out.
    """
    found: dict[str, list[Place]] = {}
    own = tuple(url.rstrip("/") + "/" for url in (config.archive.url, config.service.url))
    for place in (*_in_issues(snapshots, config, since), *_in_policies(policies, since)):
        address = urldefrag(place.url)[0]
        if on_the_web(address) and not f"{address}/".startswith(own):
            places = found.setdefault(address, [])
            if place not in places:
                places.append(place)
    return found


def _in_issues(snapshots: Iterable[Snapshot], config: Config, since: dt.date) -> Iterator[Place]:
    for issue in (snapshot.issue for snapshot in snapshots if snapshot.issue.date >= since):
        for _, words, url in links_of(Subject(issue=issue, variants=(), config=config)):
            yield Place(issue.slug, words, url)


def _in_policies(policies: Iterable[Policy], since: dt.date) -> Iterator[Place]:
    for policy in policies:
        if since > dt.date.min and not policy.moved(since, dt.date.max):
            continue
        yield Place(policy.slug, policy.title, policy.url)
        for link in policy.links:
            yield Place(policy.slug, link.label, link.url)
        for change in policy.history:
            yield Place(policy.slug, f"{change.status}, {change.date}", change.url)


def on_the_web(url: str) -> bool:
    """Whether a link leads to a page."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def keep(
    store: Store,
    urls: Collection[str],
    config: Config,
    clock: Clock,
    *,
    afresh: bool = False,
    copied: Collection[str] = (),
    within: float | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Kept:
    """Ask each of these addresses how it is, the longest unasked first, and write that down; of those that are `copied`
    also what they say. After `within` seconds nothing more is asked.
    """
    now, kept, stopped = clock.now(), Kept(), threading.Event()
    wanted = set(urls)
    with store.write() as session:
        captures.known(session, wanted)
    with store.read() as session:
        rows = [row for row in session.scalars(select(LinkRecord)) if row.url in wanted]
        lacking = copies.lacking(session, copied)
    due = [row for row in rows if afresh or _is_due(row, now, lacking)]
    kept.fresh = len(rows) - len(due)
    agent = f"{AGENT} (+{config.links.contact or config.organization.url})"
    manners = Manners(clock, agent, config.links.pause_seconds, config.collect.private_hosts, stopped)

    def of_host(waiting: list[LinkRecord]) -> None:
        turn, later = waiting[: config.links.per_host], waiting[config.links.per_host :]
        for number, row in enumerate(turn):
            if stopped.is_set():
                return
            whole = row.url in copied
            found = visit(row, manners, config.collect.private_hosts, whole=whole)
            if stopped.is_set():
                return
            _write(store, row, found, now)
            with kept._lock:
                kept.asked += 1
                progress(1)
            if found.busy:
                later = [*turn[number + 1 :], *later]
                break
        with kept._lock:
            kept.left += len(later)
            progress(len(later))

    with _stop_after(within, stopped), ThreadPoolExecutor(_HOSTS_AT_ONCE) as pool:
        try:
            running = [pool.submit(of_host, waiting) for waiting in _by_host(due).values()]
            for each in running:
                each.result()
        finally:
            stopped.set()
    return kept


def _is_due(row: LinkRecord, now: dt.datetime, lacking: Collection[str]) -> bool:
    if row.checked_at is None or now - row.checked_at >= _FRESH:
        return True
    return row.url in lacking and row.standing in (Standing.FINE, Standing.CHANGED, Standing.MOVED)


@contextmanager
def _stop_after(seconds: float | None, stopped: threading.Event) -> Iterator[None]:
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, stopped.set)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _by_host(rows: Iterable[LinkRecord]) -> Mapping[str, list[LinkRecord]]:
    long_ago = dt.datetime.min.replace(tzinfo=dt.UTC)
    hosts: dict[str, list[LinkRecord]] = {}
    for row in sorted(rows, key=lambda row: (row.checked_at or long_ago, row.url)):
        hosts.setdefault(urlsplit(row.url).netloc.lower(), []).append(row)
    return hosts


def _write(store: Store, row: LinkRecord, found: Visit, now: dt.datetime) -> None:
    values = {name: getattr(found, name) for name in ("standing", "fault", "moved_to", "failures")}
    if found.answered:
        values |= {"digest": found.digest, "etag": found.etag, "last_modified": found.last_modified}
        if found.digest and not row.captured:
            values |= {"captured": found.digest, "captured_at": now}
    with store.write() as session:
        session.execute(update(LinkRecord).where(LinkRecord.url == row.url).values(**values, checked_at=now))
        if found.text:
            copies.put(session, row.url, found.digest, found.text, now)
