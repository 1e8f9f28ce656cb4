"""Several machines: workers on PostgreSQL, of which some die, and PostgreSQL itself for a moment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import StoreError
from newsletter.model import DeliveryState
from newsletter.send import queue
from newsletter.send.rate_limiter import RateLimiter
from newsletter.send.worker import work
from newsletter.store import Store
from newsletter.workspace import system_clock
from tests.desk import Desk, StillTime
from tests.postgres import Server, serve_postgres
from tests.send.test_send import NAME, Flaky, started, submit
from tests.torture import torture_cluster


@pytest.fixture
def server(tmp_path: Path, postgres: str) -> Iterator[Server]:
    """A server of its own: it's going to be restarted. `postgres` says whether there may be one at all."""
    tmp_path.chmod(0o755)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path))
    with serve_postgres(tmp_path / "postgres") as opened:
        yield opened


def test_nobody_is_taken_twice_though_workers_and_the_database_go_down(server: Server, tmp_path: Path) -> None:
    done = torture_cluster("resend", 1_000, 2, 3, tmp_path, server)
    assert done.kills == 2
    assert done.fine, (done.states, done.twice[:5], done.late[:5], done.wrong[:5])


def test_two_senders_share_a_campaign_and_mail_everybody_once(server: Server, tmp_path: Path) -> None:
    store = server.fresh_store(tmp_path)
    desk = Desk.make(tmp_path / "desk", StillTime().clock, store=store)
    desk.import_people("Email,Lists\n" + "".join(f"r{n}@example.org,Network Download\n" for n in range(200)))
    campaign, provider = started(desk.space, size=2), Flaky()
    failed: list[BaseException] = []

    def send() -> None:
        try:
            submit(desk.space, campaign, provider)
        except BaseException as fault:  # told below, by the test itself
            failed.append(fault)

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert failed == []
    assert Counter(provider.kept.values()).total() == len(set(provider.kept.values())) == 203
    assert submit(desk.space, campaign, provider) == {DeliveryState.SUBMITTED: 203}
    desk.space.close()


def test_the_queue_is_made_anew_for_another_version_and_kept_for_the_same(server: Server, tmp_path: Path) -> None:
    store = server.fresh_store(tmp_path)
    queue.prepare(store)
    queue.enqueue(store, [(1, 1), (1, 2)])
    queue.prepare(store)
    assert queue.waiting(store) == {(1, 1), (1, 2)}
    with store.engine.begin() as connection:
        connection.exec_driver_sql("COMMENT ON SCHEMA newsletter_queue IS '0.1'")
    queue.prepare(store)
    assert queue.waiting(store) == set()
    store.close()


def test_a_worker_on_sqlite_says_what_it_needs(desk: Desk) -> None:
    with pytest.raises(StoreError, match="workers need PostgreSQL"):
        work(desk.space.campaigns(), 1, print)


def test_the_pace_holds_for_all_senders_together(store: Store) -> None:
    clock, limiter = system_clock(), RateLimiter(provider="resend", rate=20)
    taken: list[float] = []

    def call() -> None:
        while len(taken) < 20:
            with store.write() as session:
                now = clock.at(session)
                wait = limiter.wait(session, now).seconds
                if not wait:
                    limiter.take(session, 1, now)
                    taken.append(now.timestamp())
            clock.sleep(max(wait, 0.001))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gaps = [later - earlier for earlier, later in zip(sorted(taken), sorted(taken)[1:], strict=False)]
    assert min(gaps) >= 0.049


def test_send_hands_a_campaign_to_the_workers_and_watches_them(server: Server, tmp_path: Path) -> None:
    desk = Desk.make(tmp_path / "desk", system_clock(), store=server.fresh_store(tmp_path))
    desk.import_people("Email,Lists\n" + "".join(f"r{n}@example.org,Network Download\n" for n in range(40)))
    config = desk.folder / "config.toml"
    text = config.read_text(encoding="utf-8").replace("sqlite:///newsletter.db", server.url)
    config.write_text(text, encoding="utf-8")
    assert desk.run("approve", NAME, "--by", "Ada").returncode == 0
    command = [sys.executable, "-m", "newsletter", "worker", "--concurrency", "2"]
    with subprocess.Popen(command, cwd=desk.folder, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr
        assert "works on up to 2 batches" in worker.stderr.readline()
        done = desk.run("send", NAME, "--confirm", NAME)
        assert (done.returncode, "Workers are sending" in done.stderr) == (0, True), done.stderr
        assert done.stdout.splitlines()[-1] == f"{NAME}: 43 submitted"
        assert len(list((desk.folder / "outbox" / NAME).glob("*.eml"))) == 43
        worker.terminate()
        assert worker.wait(timeout=30) == 0
    desk.space.close()
