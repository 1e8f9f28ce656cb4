"""From the catalog to the site in its folder: what is as it was is kept, the rest is made, by several processes when
that's much.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from newsletter import codec
from newsletter.errors import InputError
from newsletter.model import Snapshot
from newsletter.publish import articles, search
from newsletter.publish.approved import Approved
from newsletter.publish.catalog import Catalog
from newsletter.publish.kept import Kept, Made
from newsletter.publish.planned import Page, Site
from newsletter.publish.site import plan
from newsletter.publish.summary import Summary, summarize
from newsletter.publish.swap import Building, Report

#: Fewer files than this are made by one process; starting others would take longer.
_MANY = 300
#: How many tasks wait for each process, and how many issues or other files are one.
_AHEAD, _ISSUES, _FILES = 3, 4, 40
#: More processes than this aren't started.
_MOST = 4

T = TypeVar("T")
R = TypeVar("R")
#: An issue's name, the paths of its files that are due ("" for its body in feeds), and its snapshot as JSON.
Document = tuple[str, Sequence[str], str]
#: A file's path, and whether it's other than the one in the old site.
Outcome = tuple[str, bool]


@contextmanager
def _no_collection() -> Iterator[None]:
    """While much is read that stays: looking for garbage in it would take as long again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def read_summaries(approved: Approved, kept: Kept, tracking: tuple[str, ...]) -> list[Summary]:
    """The summaries of all issues; only snapshots that weren't seen before are read."""
    with _no_collection():
        known = kept.summaries()
    missing = [slug for slug, digest in approved.digests.items() if digest not in known]
    if missing:
        documents = ((approved.digests[slug], document) for slug, document in approved.read(missing))
        with _workers(len(missing) > _MANY) as pool:
            make = partial(_summarize, tracking=tracking)
            for found in _run(pool, make, make, _parts(documents, _ISSUES)):
                known |= {summary.digest: summary for summary in found}
    summaries = [known[digest] for digest in approved.digests.values()]
    new = [approved.digests[slug] for slug in missing]
    kept.keep_summaries(summaries, new=new, old=len(known) - len(summaries))
    return summaries


def _summarize(documents: list[tuple[str, str]], *, tracking: tuple[str, ...]) -> list[Summary]:
    return [summarize(codec.loads(document, Snapshot), digest, tracking) for digest, document in documents]


@dataclass(frozen=True)
class Workshop:
    """What each process makes files with."""

    catalog: Catalog
    themes: Sequence[Path]
    program: str
    search: bool
    kept: Kept
    building: Building

    @cached_property
    def site(self) -> Site:
        """What is at hand for planning."""
        return Site(self.catalog, self.themes, self.program, self.search, self._body)

    @cached_property
    def pages(self) -> dict[str, Page]:
        """Every file that is due, by its path."""
        return {page.path: page for page in plan(self.site)}

    def __reduce__(self) -> tuple[type[Workshop], tuple[object, ...]]:
        """What another process needs; it plans for itself."""
        return Workshop, (self.catalog, self.themes, self.program, self.search, self.kept, self.building)

    def _body(self, issue: Summary) -> str:
        text = self.kept.body(articles.body_key(self.site, issue))
        if text is None:
            raise InputError("the cache went away while publishing", where=self.kept.workspace, hint="publish again")
        return text

    def make(self, paths: Iterable[str]) -> list[Outcome]:
        """Make files."""
        return [(path, self.building.put(path, self.pages[path].make())) for path in paths]

    def make_issues(self, documents: Iterable[Document]) -> list[Outcome]:
        """Make what needs an issue's snapshot: its name, its files' paths, and the snapshot as JSON."""
        done = []
        for slug, paths, document in documents:
            snapshot = codec.loads(document, Snapshot)
            done += [(path, self.building.put(path, self.pages[path].make(snapshot))) for path in paths if path]
            if "" in paths:
                key = articles.body_key(self.site, self.catalog.by_slug[slug])
                self.kept.keep_body(key, articles.body(self.site.pages, snapshot))
        return done


def build(shop: Workshop, approved: Approved) -> Report:
    """Build the site and put it in the place of the old one."""
    building = shop.building
    with _no_collection():
        before, pages = shop.kept.made(), shop.pages
    target, new = str(building.target), str(building.new)
    made: dict[str, Made] = {}
    for path, page in pages.items():
        one = before.get(path)
        if one and one.key == page.key and path in building.before and one.untouched(f"{target}/{path}"):
            building.keep(path)
            made[path] = one
    report = Report(unchanged=len(made))
    changed = []
    for path, written in _make(shop, approved, [path for path in shop.pages if path not in made]):
        report.written += written
        if written:
            changed.append(path)
        report.unchanged += not written
        stat = os.stat(f"{new}/{path}")  # noqa: PTH116 (thousands of them)
        made[path] = Made(shop.pages[path].key, stat.st_size, stat.st_mtime_ns)
    names = [*shop.pages, *(_index(shop, changed, report) if "search" in shop.site.sections else ())]
    report.removed = building.finish(names, changed)
    shop.kept.keep_made(made)
    return report


def _make(shop: Workshop, approved: Approved, stale: list[str]) -> Iterator[Outcome]:
    """Make what is stale; feeds come last, since they hold the bodies of issues."""
    wanted: dict[str, list[str]] = defaultdict(list)
    feeds: list[str] = []
    others: list[str] = []
    for path in stale:
        if issue := shop.pages[path].issue:
            wanted[issue].append(path)
        else:
            (feeds if path.rpartition("/")[2].startswith("feed.") else others).append(path)
    if feeds:
        for summary in _without_body(shop):
            wanted[summary.slug].append("")
    documents: Iterator[Document] = ((slug, wanted[slug], document) for slug, document in approved.read(list(wanted)))
    with _workers(len(stale) > _MANY, shop) as pool:
        for done in _run(pool, shop.make_issues, _issues_in_worker, _parts(documents, _ISSUES)):
            yield from done
        for done in _run(pool, shop.make, _files_in_worker, _parts([*others, *feeds], _FILES)):
            yield from done


def _without_body(shop: Workshop) -> list[Summary]:
    keys = {articles.body_key(shop.site, issue): issue for issue in articles.in_feeds(shop.site)}
    shop.kept.forget_bodies(set(keys))
    return [issue for key, issue in keys.items() if shop.kept.body(key) is None]


def _index(shop: Workshop, changed: list[str], report: Report) -> list[str]:
    """Build the search index where a page changed that it holds, else keep it; gives its files."""
    building = shop.building
    old = [name for name in building.before if name.startswith(f"{search.INDEX}/")]
    gone = building.before - shop.pages.keys() - set(old)
    if old and not any(map(search.holds, gone)) and not any(map(search.holds, changed)):
        for name in old:
            building.keep(name)
        report.unchanged += len(old)
        return old
    search.build_index(building.new)
    names = []
    for path in sorted((building.new / search.INDEX).rglob("*")):
        if path.is_file():
            name, data = path.relative_to(building.new).as_posix(), path.read_bytes()
            path.unlink()
            written = building.put(name, data)
            report.written += written
            report.unchanged += not written
            names.append(name)
            if written:
                changed.append(name)
    return names


@contextmanager
def _workers(many: bool, shop: Workshop | None = None) -> Iterator[ProcessPoolExecutor | None]:
    """Other processes, one for each further core, when there's much to do; None when this one does it alone."""
    cores = os.cpu_count() or 1
    if not many or cores < 2:
        yield None
        return
    # A forked process has all that was planned; elsewhere it's sent, and plans for itself.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(min(cores, _MOST) - 1, context, initializer=_start, initargs=(shop,)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _run(
    pool: ProcessPoolExecutor | None, here: Callable[[T], R], there: Callable[[T], R], tasks: Iterable[T]
) -> Iterator[R]:
    """What the tasks give, in any order. This process does those for which the others have no time, so that only a few
    wait and memory doesn't grow with them.
    """
    waiting: deque[Future[R]] = deque()
    for task in tasks:
        while waiting and waiting[0].done():
            yield waiting.popleft().result()
        if pool is None or len(waiting) >= _AHEAD * (min(os.cpu_count() or 1, _MOST) - 1):
            yield here(task)
        else:
            waiting.append(pool.submit(there, task))
    while waiting:
        yield waiting.popleft().result()


def _parts(things: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(things)
    while part := list(islice(iterator, size)):
        yield part


_shop: Workshop | None = None


def _start(shop: Workshop | None) -> None:
    global _shop
    _shop = shop
    gc.freeze()  # what the parent made is never collected here, so that its pages stay shared


def _issues_in_worker(documents: list[Document]) -> list[Outcome]:
    assert _shop  # noqa: S101 (every process was started with one)
    return _shop.make_issues(documents)


def _files_in_worker(paths: list[str]) -> list[Outcome]:
    assert _shop  # noqa: S101 (every process was started with one)
    return _shop.make(paths)
