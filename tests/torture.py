"""Sending under torture: a vendor as the hostile wire and its own troubles make it, and a sender that is killed.

    python -m tests.torture --provider resend --recipients 20000 --kills 100 --seed 7 [--cluster]

While it runs, people leave. In the end nobody was taken twice, nobody was taken after they had left, and everybody is
submitted, withheld, or listed as unknown for a person; ledger and vendor are held against each other row by row.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import select

from newsletter import audience, feedback, send
from newsletter.model import DeliveryState
from newsletter.send import control, ledger
from newsletter.store.records import DeliveryRecord
from newsletter.workspace import Workspace, system_clock
from tests.desk import Desk
from tests.postgres import Server, serve_postgres
from tests.providers.fakes import KEY, Fake, Interference, serve
from tests.providers.hostile import EVERY
from tests.send.shop import FAKES, OWN, VARIABLES

NAME = "network-download-2022-10"
#: How long a call is waited for, in seconds: less than a fake stalls for, more than a busy machine takes for one.
_TIMEOUT = 1.5
#: What befalls a call, and how often of 1,000; "hostile" is anything that may stand between. A mail server's call is
#: one message, so that it has fewer faults of a hundred.
_FAULTS = {"drop": 150, "429": 40, "lose": 40, "500": 40, "stall": 4, "hostile": 180, "": 546}
_FAULTS_SMTP = {"drop": 6, "429": 6, "lose": 6, "stall": 1, "": 981}
_SETTINGS = {
    "mailgun": 'domain = "mg.example.org"\nlookup_delay = 0.05\n',
    "postmark": "lookup_delay = 0.05\n",
}
#: After so many runs in a row in which nothing changed, what is unknown stays so.
_PATIENCE = 4


@dataclass
class Left:
    """People who left, and when: nothing may be taken for them afterwards."""

    at: dict[str, dt.datetime] = field(default_factory=dict)

    def somebody(self, space: Workspace, chance: random.Random, people: int) -> None:
        """Let three people leave, each in another way."""
        for way in range(3):
            address = f"r{chance.randrange(people)}@example.org"
            with space.store.write() as session:
                person = audience.find(session, address)
                if person is None:
                    continue
                now, hashed = space.clock.now(), space.address_hash(address)
                if way == 0:
                    audience.unsubscribe(session, person.id, "network-download", source="torture", now=now)
                elif way == 1:
                    audience.suppress(session, address, hashed, audience.Reason.MANUAL, source="torture", now=now)
                else:
                    from newsletter.audience import rights

                    rights.forget(session, person, hashed, source="torture", now=now)
            self.at.setdefault(address, dt.datetime.now(dt.UTC))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How it went: runs and kills; whom the vendor took how often, and after they had left; the ledger's states; what
    disagrees between the two; and how many unknown deliveries are listed for a person.
    """

    runs: int
    kills: int
    taken: Counter[str]
    late: list[str]
    states: Counter[str]
    wrong: list[str]
    unknown: int
    listed: int

    @property
    def twice(self) -> list[str]:
        """Who was taken more than once."""
        return [address for address, times in self.taken.items() if times > 1]

    @property
    def fine(self) -> bool:
        """Nobody twice, nobody who left, nobody missed without being named, and both sides of one mind."""
        ended = {DeliveryState.SUBMITTED, DeliveryState.WITHHELD, DeliveryState.UNKNOWN, DeliveryState.REFUSED}
        known = set(self.states) <= {str(state) for state in ended}
        return not (self.twice or self.late or self.wrong) and known and self.listed == self.unknown


def torture(provider: str, recipients: int, kills: int, seed: int, folder: Path) -> Outcome:
    """Send to some recipients and kill the sender again and again, until it ends by itself."""
    chance = random.Random(seed)
    desk = Desk.make(folder / "desk", system_clock())
    _people(desk, recipients)
    if provider == "files":
        _begun(desk.space, provider)
        return _files(desk, kills, chance, recipients)
    with serve(FAKES[provider]()) as fake:
        fake.wait, fake.mood = "0.05", _mood(provider, chance)
        _configure(desk.folder / "config.toml", provider, fake.url)
        space = Workspace.open((desk.folder / "config.toml").resolve(), system_clock())
        _begun(space, provider)  # so that kills hit the sending, not the planning
        space.close()
        left = Left()
        runs, killed = _until_done(desk.folder, provider, kills, chance, fake, left, desk.space, recipients)
        outcome = _outcome(desk.space, fake, runs, killed, left)
    desk.space.close()
    return outcome


def _people(desk: Desk, recipients: int) -> None:
    with desk.space.store.write() as session:
        for name in ("ana", "ben", "chi"):
            known = audience.find(session, f"{name}@example.org")
            assert known
            now = desk.space.clock.now()
            audience.unsubscribe(session, known.id, "network-download", source="torture", now=now)
    rows = "".join(f"r{n}@example.org,Network Download\n" for n in range(recipients))
    desk.import_people("Email,Lists\n" + rows)


def _mood(provider: str, chance: random.Random) -> Callable[[], str | Interference]:
    """What befalls the next call."""
    faults = _FAULTS_SMTP if provider == "smtp" else _FAULTS
    hostile = [one for one in EVERY if not one.pause]

    def mood() -> str | Interference:
        fault = chance.choices(list(faults), list(faults.values()))[0]
        return chance.choice(hostile) if fault == "hostile" else fault

    return mood


def _configure(config: Path, provider: str, url: str) -> None:
    text = config.read_text(encoding="utf-8")
    where = f'base_url = "{url}"\n'
    if provider == "smtp":
        head, _, rest = text.partition("[providers.smtp]")
        text = head + rest[rest.index("\n[") :]
        where = f'host = "{urlsplit(url).hostname}"\nport = {urlsplit(url).port}\n'
    own = _SETTINGS.get(provider, OWN.get(provider, ""))
    table = f"[providers.{provider}]\n{where}timeout = {_TIMEOUT}\ncalls_per_second = 60\n{own}"
    config.write_text(f"{text}\n{table}\n", encoding="utf-8")


def _outcome(space: Workspace, fake: Fake, runs: int, killed: int, left: Left) -> Outcome:
    with space.store.read() as session:
        nonce = send.get(session, NAME).nonce
        rows = session.execute(select(DeliveryRecord.id, DeliveryRecord.address, DeliveryRecord.state)).all()
        listed = sum(trouble.deliveries for trouble in feedback.troubles(session, 1) if trouble.state == "unknown")
    smtp = not fake.sending
    took = {(fake.delivery_of(message), address) for address, message in fake.taken}
    marks = {number: str(number) if smtp else space.marks.mark(nonce, number) for number, *_ in rows}
    numbers = {mark: number for number, mark in marks.items()}
    known = {number: (address, state) for number, address, state in rows}
    wrong = [
        f"{mark} {address}: the ledger says {known.get(numbers.get(mark, -1))}"
        for mark, address in took
        if known.get(numbers.get(mark, -1), ("", ""))[1] not in (DeliveryState.SUBMITTED, DeliveryState.UNKNOWN)
    ]
    reached = {numbers.get(mark) for mark, _ in took}
    wrong += [
        f"{number}: submitted, and never taken"
        for number, (_, state) in known.items()
        if state == DeliveryState.SUBMITTED and number not in reached
    ]
    late = [
        address
        for (address, _), at in zip(fake.taken, fake.times, strict=True)
        if address in left.at and at > left.at[address]
    ]
    states = Counter(str(state) for _, _, state in rows)
    return Outcome(
        runs=runs,
        kills=killed,
        taken=Counter(address for address, _ in fake.taken),
        late=late,
        states=states,
        wrong=wrong,
        unknown=states[DeliveryState.UNKNOWN],
        listed=listed,
    )


def _environment() -> dict[str, str]:
    return {**os.environ, **dict.fromkeys(VARIABLES, KEY)}


def _until_done(
    folder: Path,
    provider: str,
    kills: int,
    chance: random.Random,
    fake: Fake,
    left: Left,
    space: Workspace,
    people: int,
) -> tuple[int, int]:
    """Runs and kills until nothing more changes by itself."""
    command = [sys.executable, "-m", "newsletter", "send", NAME, "--provider", provider, "--confirm", NAME]
    killed, still, before = 0, 0, (-1, -1)
    for run in range(1, kills + 3_000):
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(timeout=_patience(chance) if killed < kills else 600)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            fake.quiet()  # nothing is under way any more when somebody leaves
            killed += 1
            left.somebody(space, chance, people)
            continue
        open_, unknown = _open(folder)
        if not open_ and not unknown:
            return run, killed
        still = still + 1 if (open_, unknown) == before and not open_ else 0
        before = (open_, unknown)
        if still >= _PATIENCE:
            return run, killed
        if not open_:
            time.sleep(_TIMEOUT + 2)  # for a log to be old enough
    raise AssertionError("send never ended")


def _patience(chance: random.Random) -> float:
    """For how many seconds a run lives: from before it has opened the database to well into the sending."""
    return chance.uniform(0.4, 3.5)


def _open(folder: Path) -> tuple[int, int]:
    """How many deliveries are still to be done, and how many are unknown."""
    with sqlite3.connect(f"file:{folder / 'newsletter.db'}?mode=ro", uri=True) as database:
        rows = dict(database.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall())
    database.close()
    if not rows:
        return 1, 0
    return rows.get("pending", 0) + rows.get("submitting", 0), rows.get("unknown", 0)


def _files(desk: Desk, kills: int, chance: random.Random, recipients: int) -> Outcome:
    """The same with the folder: whom it took stands in it."""
    command = [sys.executable, "-m", "newsletter", "send", NAME, "--provider", "files", "--confirm", NAME]
    killed = runs = 0
    while True:
        runs += 1
        process = subprocess.Popen(command, cwd=desk.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if process.wait(timeout=_patience(chance) if killed < kills else 600) == 0:
                break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
    names = sorted((desk.folder / "outbox" / NAME).iterdir())
    heads = [path.read_bytes()[:200].partition(b"\r\n")[0].removeprefix(b"To: ").decode() for path in names]
    with desk.space.store.read() as session:
        states = Counter(str(state) for state in session.scalars(select(DeliveryRecord.state)))
    wrong = [] if len(heads) == recipients == states["submitted"] else [f"{len(heads)} files of {recipients}"]
    desk.space.close()
    return Outcome(
        runs=runs, kills=killed, taken=Counter(heads), late=[], states=states, wrong=wrong, unknown=0, listed=0
    )


def torture_cluster(provider: str, recipients: int, kills: int, seed: int, folder: Path, server: Server) -> Outcome:
    """The same with three workers on PostgreSQL: one is killed at random and replaced, and in the middle PostgreSQL
    itself is restarted.
    """
    chance = random.Random(seed)
    desk = Desk.make(folder / "desk", system_clock(), store=server.fresh_store(folder))
    _people(desk, recipients)
    with serve(FAKES[provider]()) as fake:
        fake.wait, fake.mood = "0.05", _mood(provider, chance)
        config = desk.folder / "config.toml"
        _configure(config, provider, fake.url)
        text = config.read_text(encoding="utf-8").replace("sqlite:///newsletter.db", server.url)
        config.write_text(f"{text}\n[cluster]\ndead_after = 3\n", encoding="utf-8")
        space = Workspace.open(config.resolve(), system_clock())
        campaign = _begun(space, provider)
        left = Left()
        killed = _work_until_done(space, campaign, kills, chance, server, left, recipients)
        outcome = _outcome(space, fake, killed + 3, killed, Left())
    space.close()
    desk.space.close()
    return outcome


def _begun(space: Workspace, provider: str) -> int:
    """An approved and frozen campaign's number."""
    snapshot, _ = space.approve(NAME, by="Ada")
    for name in VARIABLES:
        os.environ.setdefault(name, KEY)
    service, publication = space.campaigns(), space.config.publication("network-download")
    return service.start(snapshot, service.plan(publication, snapshot, segment="", provider=provider), publication).id


def _work_until_done(
    space: Workspace, campaign: int, kills: int, chance: random.Random, server: Server, left: Left, people: int
) -> int:
    """Three workers, until nothing more changes by itself; how many of them were killed."""
    log = (space.folder / "workers.log").open("wb")
    command = [sys.executable, "-m", "newsletter", "worker", "--concurrency", "3"]

    def hire() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=space.folder, env=_environment(), stdout=log, stderr=log)

    workers, killed, restarted = [hire() for _ in range(3)], 0, False
    changed, before = time.monotonic(), Counter[DeliveryState]()
    try:
        for _ in range(20_000):
            time.sleep(0.5 if killed >= kills else chance.uniform(0.5, 2.0))
            if killed < kills:
                victim = chance.randrange(3)
                workers[victim].kill()
                workers[victim].wait()
                workers[victim] = hire()
                killed += 1
                left.somebody(space, chance, people)
            if not restarted and killed >= kills // 2:
                server.restart()
                restarted = True
            counts = _resumed(space, campaign)
            if counts != before:
                before, changed = counts, time.monotonic()
            open_ = counts[DeliveryState.PENDING] + counts[DeliveryState.SUBMITTING]
            unknown = counts[DeliveryState.UNKNOWN]
            settled = not open_ and (not unknown or time.monotonic() - changed > 40)
            if killed >= kills and settled:
                return killed
        raise AssertionError("the workers never ended")
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()
        log.close()


def _resumed(space: Workspace, campaign: int) -> Counter[DeliveryState]:
    """The campaign's states; it's resumed where it paused itself, as a person would."""
    with space.store.write() as session:
        record = send.get(session, NAME)
        if record.paused_at:
            control.resume(session, record)
        return ledger.counts(session, campaign)


def main() -> int:
    """Parse, run, print."""
    names = [*FAKES, "files"]
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--provider", choices=[*names, "all"], default="all")
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--cluster", action="store_true", help="three workers on PostgreSQL, which is restarted")
    given = parser.parse_args()
    fine = True
    for provider in names if given.provider == "all" else [given.provider]:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as name:
            folder, much = Path(name), (given.recipients, given.kills, given.seed)
            if given.cluster:
                folder.chmod(0o755)
                with serve_postgres(folder / "postgres") as server:
                    done = torture_cluster(provider, *much, folder, server)
            else:
                done = torture(provider, *much, folder)
        fine &= done.fine
        print(
            f"{'ok   ' if done.fine else 'WRONG'} {provider}, seed {given.seed}: {len(done.taken):,} taken, "
            f"{len(done.twice)} twice, {len(done.late)} after they left, {done.runs} runs, {done.kills} killed, "
            f"ledger {dict(done.states)}, {done.listed} listed as unknown, {len(done.wrong)} disagree, "
            f"{time.monotonic() - begun:.0f} s",
            *done.wrong[:5],
            *done.twice[:5],
            *done.late[:5],
            flush=True,
        )
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
