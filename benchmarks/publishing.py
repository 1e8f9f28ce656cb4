"""The archive of 1,000 issues of 12 items with 2,000 policies: built whole, after one change, and after none.

Its peer is Pelican, which builds the same 1,000 issues as articles, with its own theme, tags, and feeds.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from sqlalchemy.orm import Session

from benchmarks.measure import Result, seconds
from benchmarks.rendering import sixteen_items
from newsletter import codec, merge
from newsletter.collect import policies
from newsletter.model import (
    Issue,
    Item,
    Level,
    Photo,
    Place,
    Policy,
    PolicyEntry,
    Prose,
    Section,
    Snapshot,
    Status,
    StatusChange,
    Story,
)
from newsletter.places import states
from newsletter.send import latest
from newsletter.store.records import ApprovalRecord, SnapshotRecord
from newsletter.workspace import Workspace

_ISSUES, _ITEMS, _POLICIES, _PLACES = 1_000, 12, 2_000, 300
_FULL, _ONE, _MEMORY = 20.0, 1.0, 300
_FIRST = dt.date(2005, 1, 5)
_TOPICS = [f"topic {number}" for number in range(30)]
_WORDS = (
    "council",
    "county",
    "members",
    "voted",
    "budget",
    "tenants",
    "workers",
    "schedule",
    "court",
    "river",
    "hearing",
    "plan",
    "public",
)
_KINDS = (
    *("post", "post", "news", "news", "report", "press", "video", "news"),
    *("event", "job"),
)
_PUBLISH = """
import json, sys, time
from pathlib import Path
import newsletter.publish
from newsletter.workspace import Workspace, system_clock
space = Workspace.open(Path(sys.argv[1]), system_clock())
start = time.perf_counter()
report = space.publish(searchable=False)
print(json.dumps([time.perf_counter() - start, report.written, report.unchanged]))
"""


def publish() -> Result:
    """A full build, in a process of its own that has read its modules, against Pelican's; then one issue changed, and
    nothing changed. Pelican writes 1,087 files where this writes 8,708, so what's compared is the time for a file.
    """
    with tempfile.TemporaryDirectory() as name:
        space = sixteen_items(Path(name) / "desk")
        chance = random.Random(1)
        fill(space, chance)
        space.close()
        config = space.config.path
        full, files, _, peak = _published(config)
        peer, pages = _pelican(Path(name) / "pelican", random.Random(1))
        _change_one(space)
        one, written, _, _ = _published(config)
        none, rewritten, unchanged, _ = _published(config)
        space.close()
    each, theirs = 1000 * full / files, 1000 * peer / pages
    ok = full <= _FULL and one <= _ONE and not rewritten and peak <= _MEMORY and each <= theirs
    return Result(
        name="publish",
        value=full,
        unit="s",
        floor=peer,
        ratio=full / peer,
        want=f"at most {_FULL:g} s, {_MEMORY} MB, Pelican's time for a file; one issue in {_ONE:g} s; none rewritten",
        ok=ok,
        beside=f"{files:,} files at {each:.2g} ms, Pelican's {pages:,} at {theirs:.2g} ms; peak {peak:.0f} MB; "
        f"one issue {one:.2f} s ({written} files); nothing {none:.2f} s, {rewritten} of {unchanged:,} files rewritten",
    )


def fill(space: Workspace, chance: random.Random) -> None:
    """Approve the issues, and store the policies."""
    stored = [_policy(number, chance) for number in range(_POLICIES)]
    template = space.approve("sixteen", by="bench")[0]
    photo = next(iter(template.issue.photos.values()))
    now = space.clock.now()
    with space.store.write() as session:
        for policy in stored:
            policies.add(session, policy, now)
    with space.store.write() as session:
        for number in range(_ISSUES):
            issue = _issue(number, stored, photo, chance)
            _store(session, dataclasses.replace(template, issue=issue), now)


def _store(session: Session, snapshot: Snapshot, now: dt.datetime) -> None:
    digest = codec.digest(snapshot.issue, *snapshot.variants)
    record = SnapshotRecord(
        issue=snapshot.issue.slug,
        digest=digest,
        document=codec.dumps(dataclasses.replace(snapshot, digest=digest)),
        approved_by="bench",
        approved_at=now,
    )
    session.add(record)
    session.flush()
    session.add(ApprovalRecord(snapshot_id=record.id, by="bench", at=now))


def _sentence(chance: random.Random, length: int) -> str:
    return " ".join(chance.choices(_WORDS, k=length)).capitalize() + "."


def _place(number: int) -> Place:
    place = number % _PLACES
    return Place(state=states()[place % len(states())], locality=f"City {place}")


def _policy(number: int, chance: random.Random) -> Policy:
    day = _FIRST + dt.timedelta(days=chance.randrange(7000))
    steps = [Status.PROPOSED, Status.PASSED, Status.IN_EFFECT][: chance.randint(1, 3)]
    return Policy(
        slug=f"policy-{number}",
        title=f"Policy number {number} on {chance.choice(_WORDS)}",
        place=_place(number),
        level=Level.CITY,
        number=f"CB {number}",
        url=f"https://example.org/policy/{number}",
        summary=_sentence(chance, 30),
        topics=(chance.choice(_TOPICS),),
        history=tuple(StatusChange(status=s, date=day + dt.timedelta(days=90 * n)) for n, s in enumerate(steps)),
    )


def _issue(number: int, stored: list[Policy], photo: Photo, chance: random.Random) -> Issue:
    day = _FIRST + dt.timedelta(days=7 * number)
    blocks: list[Story | PolicyEntry] = []
    for place in range(len(_KINDS)):
        item = Item(
            slug=f"story-{number}-{place}",
            kind=_KINDS[place],
            title=f"Story {place} of issue {number}",
            url=f"https://example.org/{number}/{place}",
            summary=_sentence(chance, 35),
            date=day - dt.timedelta(days=place),
            photo=photo if place < 2 else None,
            topics=(chance.choice(_TOPICS),),
            places=(_place(chance.randrange(_PLACES)),),
            starts=day + dt.timedelta(days=20) if _KINDS[place] == "event" else None,
            closes=day + dt.timedelta(days=30) if _KINDS[place] == "job" else None,
        )
        blocks.append(Story(item=item, headline=item.title, blurb=item.summary, compact=place > 5, line=place))
    blocks += [_told(policy, day) for policy in chance.sample(stored, _ITEMS - len(_KINDS))]
    prose = Prose(markdown=f"Hi {{{{ first_name | friend }}}},\n\n{_sentence(chance, 60)}", line=1)
    return Issue(
        slug=f"issue-{number}",
        publication=("network-download", "workers-rights")[number % 2],
        title=f"Issue number {number}: {_sentence(chance, 6)}",
        date=day,
        since=day - dt.timedelta(days=7),
        subject=merge.parse("Subject"),
        preheader=merge.parse("Preheader"),
        teaser=_sentence(chance, 15),
        hero=photo,
        sections=(Section(heading="", blocks=(prose,), line=1), Section(heading="All", blocks=tuple(blocks), line=2)),
    )


def _told(policy: Policy, day: dt.date) -> PolicyEntry:
    return PolicyEntry(
        policy=policy,
        headline=policy.title,
        blurb=policy.summary,
        status=policy.latest(day),
        moved=(),
        compact=False,
        line=50,
    )


def _change_one(space: Workspace) -> None:
    with space.store.write() as session:
        snapshot = latest(session, "issue-500")
        assert snapshot
        changed = dataclasses.replace(snapshot.issue, teaser="Something else that was approved since.")
        _store(session, dataclasses.replace(snapshot, issue=changed), space.clock.now())


def _published(config: Path) -> tuple[float, int, int, float]:
    """Seconds, files written and kept, and the megabytes that all its processes had to themselves or shared."""
    process = subprocess.Popen([sys.executable, "-c", _PUBLISH, str(config)], stdout=subprocess.PIPE, text=True)
    peak = [0.0]
    watch = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    watch.start()
    out, _ = process.communicate()
    assert process.returncode == 0
    taken, written, unchanged = json.loads(out)
    return taken, written, unchanged, peak[0]


def _watch(pid: int, peak: list[float]) -> None:
    while True:
        try:
            main = psutil.Process(pid)
            memory = [one.memory_full_info().pss for one in (main, *main.children(recursive=True))]
        except psutil.Error:
            if not psutil.pid_exists(pid):
                return
            continue
        peak[0] = max(peak[0], sum(memory) / 2**20)
        time.sleep(0.05)


def _pelican(folder: Path, chance: random.Random) -> tuple[float, int]:
    """How long Pelican takes for the same issues as Markdown, and how many files it writes."""
    stored = [_policy(number, chance) for number in range(_POLICIES)]
    content = folder / "content"
    content.mkdir(parents=True)
    photo = Photo(name="photo.png", file="photo.png", width=1200, height=675, alt="A blue field")
    for number in range(_ISSUES):
        issue = _issue(number, stored, photo, chance)
        (content / f"{issue.slug}.md").write_text("\n".join(_markdown(issue)), encoding="utf-8")
    settings = {"SITEURL": "https://news.example.org", "FEED_DOMAIN": "https://news.example.org"}
    lines = [f"{key} = {value!r}" for key, value in settings.items()]
    lines += ["AUTHOR = SITENAME = 'News'", "PATH = 'content'", "TIMEZONE = 'UTC'", "LOAD_CONTENT_CACHE = False"]
    lines += ["TAG_FEED_ATOM = 'feeds/tag-{slug}.atom.xml'", "CATEGORY_FEED_ATOM = 'feeds/{slug}.atom.xml'"]
    (folder / "pelicanconf.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pelican", "content", "-s", "pelicanconf.py", "-o", "output", "-q"]
    taken = seconds(lambda: subprocess.run(command, cwd=folder, check=True, capture_output=True))
    written = [path for path in (folder / "output").rglob("*") if path.is_file()]
    assert len(written) >= _ISSUES
    return taken, len(written)


def _markdown(issue: Issue) -> Iterator[str]:
    topics = sorted({topic for entry in issue.stories for topic in entry.item.topics})
    yield f"Title: {issue.title}\nDate: {issue.date}\nCategory: {issue.publication}\nTags: {', '.join(topics)}\n"
    yield f"Slug: {issue.slug}\nSummary: {issue.teaser}\n"
    for block in issue.blocks:
        if isinstance(block, Prose):
            yield f"{block.markdown}\n"
        elif isinstance(block, Story):
            picture = "![A blue field](https://news.example.org/photo.png)\n\n" if block.item.photo else ""
            yield f"### [{block.headline}]({block.item.url})\n\n{picture}{block.blurb}\n"
        elif isinstance(block, PolicyEntry):
            yield f"### {block.headline}\n\n{block.blurb}\n\n[Read the ordinance]({block.policy.url})\n"
