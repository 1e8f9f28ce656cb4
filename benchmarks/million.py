"""A campaign to a million people: rate against a bare loop, growth from a hundred thousand, and memory.

    python -m benchmarks.million product 100000     one run by itself, for the benchmark to start; prints JSON

Every run is a process of its own, so that its peak memory is its own, too. The sink is another process, which reads
Mailgun's form and answers as Mailgun does.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from benchmarks.measure import Result, peak
from newsletter import codec, merge, tokens
from newsletter.demo import build
from newsletter.model import Batch, DeliveryState, Recipient, Snapshot
from newsletter.providers.mailgun import Mailgun, Options
from newsletter.store.records import SnapshotRecord
from newsletter.workspace import Workspace, system_clock

_LIST, _ISSUE = "federal-advocacy", "workers-rights-2022-10"
_ENVIRONMENT = {"MAILGUN_API_KEY": "key"}
_CALL = 1_000


def million() -> Result:
    """Deliveries a second for a million, planning and freezing included; the floor has neither plan nor ledger."""
    with tempfile.TemporaryDirectory() as name, _sink() as url:
        folder = Path(name)
        small, large = (_run("product", people, folder, url) for people in (100_000, 1_000_000))
        bare = _run("floor", 1_000_000, folder, url)
    ratio = bare["seconds"] / large["seconds"]
    growth, memory = large["seconds"] / small["seconds"], large["peak"] / small["peak"]
    return Result(
        name="million",
        value=1_000_000 / large["seconds"],
        unit="deliveries/s",
        floor=1_000_000 / bare["seconds"],
        ratio=ratio,
        want="at least 0.6 of the floor; 1M in <= 11 times 100k's time; <= 150 MB, and <= 1.1 of 100k's",
        ok=ratio >= 0.6 and growth <= 11 and large["peak"] <= 150 and memory <= 1.1,
        beside=f"growth {growth:.1f}, peak {large['peak']:.0f} MB, {memory:.2f} of 100k's; "
        f"floor's peak {bare['peak']:.0f} MB; planned and frozen in {large['frozen']:.1f} s",
    )


def _run(kind: str, people: int, folder: Path, url: str) -> dict[str, float]:
    """One run in a process of its own, on a workspace of its own."""
    desk = folder / f"{kind}-{people}"
    _prepare(desk, people, url)
    command = [sys.executable, "-m", "benchmarks.million", kind, str(people), str(desk)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    shutil.rmtree(desk)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _prepare(folder: Path, people: int, url: str) -> None:
    """The demo's workspace with Mailgun and so many people more on one list."""
    build(folder, system_clock(), lambda _: None)
    config = folder / "config.toml"
    table = f'\n[providers.mailgun]\ndomain = "mg.example.org"\nbase_url = "{url}"\n'
    config.write_text(config.read_text(encoding="utf-8") + table, encoding="utf-8")
    with sqlite3.connect(folder / "newsletter.db") as database:
        database.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO subscribers"
            " (email, first_name, last_name, state, locality, role, chapter, language, note, created_at, updated_at)"
            " SELECT 'million' || i || '@example.org', 'Reader', 'Number ' || i, 'CO', 'Denver', '', '', '', '',"
            " '2022-10-01', '2022-10-01' FROM n",
            (people,),
        )
        database.execute(
            "INSERT INTO subscriptions (subscriber_id, list, status, changed_at)"
            " SELECT id, ?, 'active', '2022-10-01' FROM subscribers WHERE email LIKE 'million%@example.org'",
            (_LIST,),
        )
    database.close()


def _product(space: Workspace) -> dict[str, float]:
    """Plan, freeze and submit, as `newsletter send` does."""
    with space.store.read() as session:
        record = session.query(SnapshotRecord).filter_by(issue=_ISSUE).one()
        snapshot = codec.loads(record.document, Snapshot)
    publication = replace(space.config.publication("workers-rights"), list=_LIST)
    mailing = space.campaigns()
    start = time.perf_counter()
    plan = replace(mailing.plan(publication, snapshot, segment="", provider="mailgun"), campaign="million")
    campaign = mailing.start(snapshot, plan, publication)
    frozen = time.perf_counter() - start
    counts = mailing.run(campaign)
    assert set(counts) == {DeliveryState.SUBMITTED}
    return {"seconds": time.perf_counter() - start, "frozen": frozen}


def _floor(space: Workspace) -> dict[str, float]:
    """The same calls from a loop over sqlite3: no plan, no state, no look at who left."""
    batch = _template(space)
    table = space.config.providers["mailgun"].table
    mailgun = Mailgun(table.read(Options), _ENVIRONMENT)
    session = requests.Session()
    session.auth = ("api", "key")
    signer, url = space.signer, f"{table.data['base_url']}/v3/mg.example.org/messages"
    start = time.perf_counter()
    database = sqlite3.connect(space.folder / "newsletter.db")
    rows = database.execute(
        f"SELECT id, email, {', '.join(merge.PERSONAL_FIELDS)} FROM subscribers"
        " JOIN subscriptions ON subscriber_id = id WHERE list = ? AND status = 'active' ORDER BY id",
        (_LIST,),
    )
    while page := rows.fetchmany(_CALL):
        recipients = []
        for number, address, *fields in page:
            values = {name: value for name, value in zip(merge.PERSONAL_FIELDS, fields, strict=True) if value}
            token = signer.sign(tokens.Purpose.UNSUBSCRIBE, tokens.Claim(subscriber=number, list=_LIST))
            values["unsubscribe_url"] = f"{space.config.service.url}/u/{token}"
            recipients.append(Recipient(delivery=number, address=address, values=values))
        form = mailgun.form(replace(batch, recipients=tuple(recipients)))
        with session.post(url, files=form, timeout=60) as answer:
            assert answer.json()["id"]
    database.close()
    return {"seconds": time.perf_counter() - start}


def _template(space: Workspace) -> Batch:
    with space.store.read() as session:
        record = session.query(SnapshotRecord).filter_by(issue=_ISSUE).one()
        content = codec.loads(record.document, Snapshot).variants[0]
    return Batch(
        id=1,
        campaign="floor",
        key="k" * 64,
        tag="tag",
        date=system_clock().now(),
        sender="Desk <desk@example.org>",
        reply_to="",
        content=content,
        headers=(("Precedence", "bulk"),),
        recipients=(),
    )


class _Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    _answer = b'{"id": "<call@mg.example.org>", "message": "Queued. Thank you."}'

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, 1 << 16)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self._answer)))
        self.end_headers()
        self.wfile.write(self._answer)

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


def main() -> None:
    """One run, or the sink."""
    kind = sys.argv[1]
    if kind == "sink":
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
        print(server.server_port, flush=True)
        server.serve_forever()
    import os

    os.environ.update(_ENVIRONMENT)
    space = Workspace.open(Path(sys.argv[3]) / "config.toml", system_clock())
    told = _product(space) if kind == "product" else _floor(space)
    space.close()
    told["peak"] = peak()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
