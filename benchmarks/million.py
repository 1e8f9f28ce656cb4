"""A campaign to a million people: its rate against a loop without our code, its growth from 100,000, and its memory.

    python -m benchmarks.million 200000                      product and floor in pairs, at one size
    python -m benchmarks.million send FOLDER [PROFILE]       one run by itself, for the benchmark to start; prints JSON

The product's run is `newsletter send`, from the check of the approval to the last receipt; the floor is
`benchmarks.floor`. Every run is a process of its own, so that its peak memory is its own, too. The sink is another
process, which takes Mailgun's form apart, answers as Mailgun does, and counts.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import requests

from benchmarks.measure import Result, peak
from newsletter.demo import build
from newsletter.model import Call, Snapshot
from newsletter.providers.mailgun import Mailgun, Options
from newsletter.providers.merging import Template
from newsletter.send.envelope import envelope
from newsletter.workspace import Workspace, system_clock

_LIST, _SOURCE, _ISSUE = "federal-advocacy", "workers-rights-2022-10", "round-up"
_ENVIRONMENT = {"MAILGUN_API_KEY": "key"}
_SMALL, _QUICK, _LARGE = 100_000, 200_000, 1_000_000
_RATIO, _GROWTH, _MEMORY = 0.5, 11, 150


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """Product and floor, one after the other, at one size: what each said, and how many bytes a recipient cost."""

    people: int
    product: dict[str, float]
    floor: dict[str, float]

    @property
    def ratio(self) -> float:
        return self.floor["seconds"] / self.product["seconds"]

    def line(self) -> str:
        """The pair for people."""
        sides = (
            f"{name} {side['seconds']:.1f} s, {self.people / side['seconds']:,.0f}/s, peak {side['peak']:.0f} MB, "
            f"{side['bytes'] / self.people:,.0f} bytes each"
            for name, side in (("product", self.product), ("floor", self.floor))
        )
        return f"{self.people:,}: ratio {self.ratio:.3f}; {'; '.join(sides)}; frozen in {self.product['frozen']:.1f} s"


def million() -> Result:
    """Deliveries a second of `newsletter send` to a million, planning and freezing included; the floor has no plan,
    doesn't look at who left, and doesn't keep what it sent.
    """
    with prepared() as desk:
        small, quick, large = desk.pair(_SMALL), desk.median(_QUICK, 3), desk.pair(_LARGE)
    growth = large.product["seconds"] / small.product["seconds"]
    wire = large.product["bytes"] / large.floor["bytes"]
    most = large.product["peak"]
    return Result(
        name="million",
        value=_LARGE / large.product["seconds"],
        unit="deliveries/s",
        floor=_LARGE / large.floor["seconds"],
        ratio=large.ratio,
        want=f"at least {_RATIO} of the floor at 200,000 and at 1,000,000; 1M in <= {_GROWTH} times 100k's time; "
        f"<= {_MEMORY} MB",
        ok=min(large.ratio, quick.ratio) >= _RATIO and growth <= _GROWTH and most <= _MEMORY,
        beside=f"{quick.ratio:.2f} at 200,000; growth {growth:.1f}; peak {most:.0f} MB, {small.product['peak']:.0f} at "
        f"100,000, floor's {large.floor['peak']:.0f}; {wire:.3f} of the floor's bytes; "
        f"planned and frozen in {large.product['frozen']:.1f} s",
    )


@dataclass(frozen=True)
class Desk:
    """A prepared workspace, copied for every run, and the sink's address."""

    folder: Path
    url: str

    def median(self, people: int, pairs: int) -> _Pair:
        """Of some pairs, the one whose ratio is in the middle."""
        return sorted((self.pair(people) for _ in range(pairs)), key=lambda pair: pair.ratio)[pairs // 2]

    def pair(self, people: int) -> _Pair:
        """Both, one after the other, with a word on standard error."""
        product = self._run(people, self.product, [sys.executable, "-m", "benchmarks.million", "send"])
        floor = self._run(people, self._floor, [sys.executable, "-m", "benchmarks.floor"])
        done = _Pair(people=people, product=product, floor=floor)
        print(done.line(), file=sys.stderr, flush=True)
        return done

    def _run(self, people: int, prepare: Any, command: list[str]) -> dict[str, float]:
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as name:
            folder = Path(name)
            prepare(folder, people)
            os.sync()
            done = subprocess.run([*command, str(folder)], check=True, stdout=subprocess.PIPE, text=True)
        told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        seen: dict[str, float] = requests.post(f"{self.url}/seen", timeout=60).json()
        assert seen["recipients"] == people, f"{people} people, {seen['recipients']} on the wire"
        return {**told, **seen}

    def product(self, folder: Path, people: int) -> None:
        """A copy of the workspace with so many people."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        with sqlite3.connect(folder / "newsletter.db") as database:
            database.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO subscribers"
                " (email, first_name, last_name, state, locality, role, chapter, language, note, attributes,"
                " frequency, created_at, updated_at)"
                " SELECT 'million' || i || '@example.org', 'Reader', 'Number ' || i, 'CO', 'Denver', '', '', '', '',"
                " '{}', '', '2022-10-01', '2022-10-01' FROM n",
                (people,),
            )
            database.execute(
                "INSERT INTO subscriptions (subscriber_id, list, status, changed_at)"
                " SELECT id, ?, 'active', '2022-10-01' FROM subscribers WHERE email LIKE 'million%@example.org'",
                (_LIST,),
            )
        database.close()

    def _floor(self, folder: Path, people: int) -> None:
        shutil.copy(self.folder / "template.json", folder)
        with sqlite3.connect(folder / "ledger.db") as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(
                "CREATE TABLE deliveries (id INTEGER PRIMARY KEY, address TEXT NOT NULL, first_name TEXT NOT NULL,"
                " last_name TEXT NOT NULL, state TEXT NOT NULL, locality TEXT NOT NULL,"
                " status TEXT NOT NULL DEFAULT 'pending', message_id TEXT NOT NULL DEFAULT '')"
            )
            database.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                " INSERT INTO deliveries (id, address, first_name, last_name, state, locality)"
                " SELECT i, 'million' || i || '@example.org', 'Reader', 'Number ' || i, 'CO', 'Denver' FROM n",
                (people,),
            )
        database.close()


@contextmanager
def prepared() -> Iterator[Desk]:
    """The sample's workspace with Mailgun, one list emptied, and an approved issue for it; and the sink."""
    with tempfile.TemporaryDirectory() as name, _sink() as url:
        folder = Path(name) / "desk"
        build(folder, system_clock(), lambda _: None)
        config = folder / "config.toml"
        text = config.read_text(encoding="utf-8").replace('list = "workers-rights"', f'list = "{_LIST}"')
        table = f'\n[providers.mailgun]\ndomain = "mg.example.org"\nbase_url = "{url}"\n'
        config.write_text(text + table, encoding="utf-8")
        (folder / "issues" / _ISSUE).mkdir()
        source = (folder / "issues" / _SOURCE / "issue.md").read_text(encoding="utf-8")
        source = re.sub(r"\[\[([\w-]+)(?: \| \w+)?\]\]", r"[[\1 | update]]", source)  # it tells the same again
        (folder / "issues" / _ISSUE / "issue.md").write_text(source, encoding="utf-8")
        space = Workspace.open(config, system_clock())
        snapshot, _ = space.approve(_ISSUE, by="benchmark")
        (folder / "template.json").write_text(json.dumps(_template(space, snapshot, url)), encoding="utf-8")
        space.close()
        with sqlite3.connect(folder / "newsletter.db") as database:
            database.execute("DELETE FROM subscriptions WHERE list = ?", (_LIST,))
        database.close()
        yield Desk(folder, url)


def _template(space: Workspace, snapshot: Snapshot, url: str) -> dict[str, Any]:
    """What the floor has to know of a call, as data: the same words on the wire, and what differs from reader to
    reader.
    """
    content, publication = snapshot.variants[0], space.config.publication(snapshot.issue.publication)
    common = envelope(space.config, publication, _ISSUE, [content], unsubscribe_url=lambda _: "", mark=lambda _: "")
    call = Call(
        batch=1,
        campaign=_ISSUE,
        key="",
        tag=f"{'0' * 16}-1-1",
        date=system_clock().now(),
        sender=common.sender,
        reply_to=common.reply_to,
        content=content,
        headers=(
            *common.headers,
            ("List-Unsubscribe", "<%recipient.unsubscribe%>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ),
        recipients=(),
    )
    fields = Mailgun(Options(domain="mg.example.org", base_url=url), _ENVIRONMENT).form(call)
    variables = Template(content, str).variables
    return {
        "url": f"{url}/v3/mg.example.org/messages",
        "service": space.config.service.url,
        "key": "of the floor's own",
        "list": _LIST,
        "fields": [(name, value) for name, (_, value) in fields if name not in ("to", "recipient-variables")],
        "merge": [(name, escaped, field.name, field.fallback or "") for name, escaped, field in variables],
    }


class _Sink(BaseHTTPRequestHandler):
    """Takes each call's form apart, so far that it knows its recipients."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[Counter[str]] = Counter()
    lock: ClassVar[threading.Lock] = threading.Lock()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/seen":
            with self.lock:
                answer: dict[str, Any] = dict(self.seen)
                self.seen.clear()
        else:
            boundary = self.headers["Content-Type"].partition("boundary=")[2].encode()
            parts = (part.partition(b"\r\n\r\n") for part in body.split(b"--" + boundary))
            form = {head.partition(b'name="')[2].partition(b'"')[0]: value[:-2] for head, _, value in parts}
            people = form[b"to"].count(b",") + 1
            assert form[b"recipient-variables"].count(b'"mark"') == people
            with self.lock:
                self.seen.update(calls=1, bytes=len(body), recipients=people)
                number = self.seen["calls"]
            answer = {"id": f"<{number}.0123456789abcdef@mg.example.org>", "message": "Queued. Thank you."}
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def _sink() -> Iterator[str]:
    """A process that takes what comes, on a port of its own choice."""
    command = [sys.executable, "-m", "benchmarks.million", "sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def send(folder: Path) -> dict[str, float]:
    """`newsletter send`, as somebody would type it; `frozen` is when the first batch was claimed, in seconds."""
    from newsletter.cli import cli

    os.environ.update(_ENVIRONMENT)
    command = ["--config", str(folder / "config.toml"), "send", _ISSUE, "--provider", "mailgun", "--confirm", _ISSUE]
    began, start = time.time(), time.perf_counter()
    cli(command, standalone_mode=False)
    seconds = time.perf_counter() - start
    with sqlite3.connect(folder / "newsletter.db") as database:
        query = (
            "SELECT (julianday(min(called_at)) - julianday('1970-01-01')) * 86400"
            " FROM batches JOIN campaigns ON id = campaign_id WHERE issue = ?"
        )
        ((first,),) = database.execute(query, (_ISSUE,)).fetchall()
        query = "SELECT DISTINCT state FROM deliveries WHERE issue = ?"
        assert database.execute(query, (_ISSUE,)).fetchall() == [("submitted",)]
    database.close()
    return {"seconds": seconds, "frozen": first - began, "peak": peak()}


def main() -> None:
    """One run, the sink, or pairs at some sizes."""
    kind = sys.argv[1]
    if kind == "sink":
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
        print(server.server_port, flush=True)
        server.serve_forever()
    elif kind == "send":
        print(json.dumps(send(Path(sys.argv[2]))))
    else:
        with prepared() as desk:
            for people in sys.argv[1:]:
                ratios = [desk.pair(int(people)).ratio for _ in range(3)]
                print(f"{int(people):,}: ratio {statistics.median(ratios):.3f} (of {len(ratios)} pairs)")


if __name__ == "__main__":
    main()
