"""Sending under torture: a provider that fails at random, and a sender that is killed at random moments.

    python -m tests.torture --provider resend --recipients 20000 --kills 100 --seed 7 [--cluster]

In the end every recipient was accepted exactly once, and the ledger and the provider agree row by row.
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
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from time import sleep
from urllib.parse import urlsplit

from sqlalchemy import select

from newsletter import feedback
from newsletter.model import DeliveryState
from newsletter.providers.memory import Memory
from newsletter.send import ledger
from newsletter.store.records import DeliveryRecord
from newsletter.workspace import Workspace
from tests.desk import Desk, StillTime
from tests.postgres import Server, serve_postgres
from tests.providers.fakes import (
    KEY,
    BrevoFake,
    Fake,
    MailgunFake,
    MailjetFake,
    PostmarkFake,
    ResendFake,
    SendgridFake,
    SesFake,
    SmtpFake,
    serve,
)

NAME = "network-download-2022-10"
FAKES: dict[str, type[Fake]] = {
    "resend": ResendFake,
    "mailgun": MailgunFake,
    "mailjet": MailjetFake,
    "postmark": PostmarkFake,
    "brevo": BrevoFake,
}
#: Those that can't be asked afterwards: nobody twice, and whoever is in question is listed for a person.
SILENT: dict[str, type[Fake]] = {"ses": SesFake, "sendgrid": SendgridFake, "smtp": SmtpFake}
#: How long a call is waited for, in seconds: less than a fake stalls for, more than a busy machine takes for one.
_TIMEOUT = 1.5
#: `send` ends so when there are unknown deliveries.
_NOT_EVERYBODY = 4
#: What befalls a call, and how often: 30 of 100 are taken and then dropped.
_FAULTS = {"drop": 30, "429": 5, "lose": 5, "500": 5, "stall": 1, "": 54}
_SETTINGS = {
    "mailgun": 'domain = "mg.example.org"\nlookup_delay = 0.02\n',
    "postmark": "lookup_delay = 0.02\n",
    "ses": 'region = "us-east-1"\n',
}


@dataclass(frozen=True)
class Outcome:
    """How it went: runs and kills; calls that the provider saw; whom it took how often, and what the ledger says."""

    runs: int
    kills: int
    taken: Counter[str]
    pairs: set[tuple[str, str]]
    states: Counter[str]
    ledger: set[tuple[str, str]]
    unknown: set[tuple[str, str]]
    listed: int

    @property
    def safe(self) -> bool:
        """Nobody twice; whom the ledger has as submitted was taken, and whoever was taken is submitted or unknown."""
        once = set(self.taken.values()) == {1}
        submitted = {pair for pair in self.ledger if pair not in self.unknown}
        known = set(self.states) <= {DeliveryState.SUBMITTED, DeliveryState.UNKNOWN}
        return once and known and submitted <= self.pairs <= self.ledger and self.listed == len(self.unknown)

    @property
    def fine(self) -> bool:
        """Everybody exactly once, and both sides of one mind."""
        once = set(self.taken.values()) == {1}
        return once and self.pairs == self.ledger and set(self.states) == {DeliveryState.SUBMITTED}


def torture(provider: str, recipients: int, kills: int, seed: int, folder: Path) -> Outcome:
    """Send to some recipients and kill the sender again and again, until it ends by itself."""
    chance = random.Random(seed)
    desk = Desk.make(folder / "desk", StillTime().clock)
    desk.import_people("Email,Lists\n" + "".join(f"r{n}@example.org,Network Download\n" for n in range(recipients)))
    desk.space.approve(NAME, by="Ada")
    with serve({**FAKES, **SILENT}[provider]()) as fake:
        fake.wait = "0.05"
        fake.mood = lambda: chance.choices(list(_FAULTS), list(_FAULTS.values()))[0]
        config = desk.folder / "config.toml"
        host = urlsplit(fake.url)
        table = f'[providers.{provider}]\nbase_url = "{fake.url}"\ntimeout = {_TIMEOUT}\n{_SETTINGS.get(provider, "")}'
        if provider == "smtp":
            table = f'host = "{host.hostname}"\nport = {host.port}\nsecurity = "none"\nbatch_size = 20\n'
            table += f"timeout = {_TIMEOUT}\n"
            told = config.read_text(encoding="utf-8").partition("[providers.smtp]")
            rest = told[2][told[2].index("\n[") :]
            config.write_text(f"{told[0]}[providers.smtp]\n{table}{rest}", encoding="utf-8")
        else:
            config.write_text(f"{config.read_text(encoding='utf-8')}\n{table}", encoding="utf-8")
        runs, killed = _until_done(desk.folder, provider, kills, chance, fake)
        outcome = _outcome(desk.space, fake, runs, killed)
    desk.space.close()
    return outcome


def _outcome(space: Workspace, fake: Fake, runs: int, killed: int) -> Outcome:
    taken = Counter(address for address, _ in fake.taken)
    pairs = {(address, fake.delivery_of(message)) for address, message in fake.taken}
    with space.store.read() as session:
        rows = session.execute(select(DeliveryRecord.id, DeliveryRecord.address, DeliveryRecord.state)).all()
        listed = sum(trouble.deliveries for trouble in feedback.troubles(session, 1) if trouble.state == "unknown")
    ledger = {(address, str(number)) for number, address, _ in rows}
    unknown = {(address, str(number)) for number, address, state in rows if state == DeliveryState.UNKNOWN}
    states = Counter(str(state) for _, _, state in rows)
    return Outcome(runs, killed, taken, pairs, states, ledger, unknown, listed)


def _environment() -> dict[str, str]:
    names = "RESEND_API_KEY MAILGUN_API_KEY POSTMARK_SERVER_TOKEN MAILJET_API_KEY MAILJET_SECRET_KEY BREVO_API_KEY"
    more = "SENDGRID_API_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"
    return {**os.environ, **dict.fromkeys(f"{names} {more}".split(), KEY)}


def _until_done(folder: Path, provider: str, kills: int, chance: random.Random, fake: Fake) -> tuple[int, int]:
    """Runs and kills until a run ends with everybody submitted."""
    command = [sys.executable, "-m", "newsletter", "send", NAME, "--provider", provider, "--confirm", NAME]
    killed = 0
    for run in range(1, kills + 200):
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        patience = chance.uniform(0.3, 1.5) if killed < kills else 600
        try:
            code = process.wait(timeout=patience)
            if code == 0 or (provider in SILENT and code == _NOT_EVERYBODY and _settled(folder)):
                return run, killed
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            fake.quiet()
            killed += 1
    raise AssertionError("send never ended")


def torture_cluster(provider: str, recipients: int, kills: int, seed: int, folder: Path, server: Server) -> Outcome:
    """The same with three workers on PostgreSQL: one is killed at random and replaced, and in the middle PostgreSQL
    itself is restarted.
    """
    chance = random.Random(seed)
    time = StillTime(dt.datetime.now(dt.UTC))
    desk = Desk.make(folder / "desk", time.clock, store=server.fresh_store(folder))
    desk.import_people("Email,Lists\n" + "".join(f"r{n}@example.org,Network Download\n" for n in range(recipients)))
    with serve(FAKES[provider]()) as fake:
        fake.wait = "0.05"
        fake.mood = lambda: chance.choices(list(_FAULTS), list(_FAULTS.values()))[0]
        config = desk.folder / "config.toml"
        table = f'[providers.{provider}]\nbase_url = "{fake.url}"\ntimeout = {_TIMEOUT}\n{_SETTINGS.get(provider, "")}'
        text = config.read_text(encoding="utf-8").replace("sqlite:///newsletter.db", server.url)
        config.write_text(f"{text}\n{table}calls_per_second = 40\n[cluster]\ndead_after = 3\n", encoding="utf-8")
        space = Workspace.open(config.resolve(), time.clock)
        campaign = _begun(space, provider)
        killed = _work_until_done(space, campaign, kills, chance, server)
        outcome = _outcome(space, fake, killed + 3, killed)
    space.close()
    desk.space.close()
    return outcome


def _begun(space: Workspace, provider: str) -> int:
    """An approved and frozen campaign's number."""
    snapshot, _ = space.approve(NAME, by="Ada")
    size = {"mailgun": 1_000, "mailjet": 50}.get(provider, 100)
    mailing = replace(space.campaigns(), stand_in=Memory(recipients=size))
    publication = space.config.publication("network-download")
    plan = mailing.plan(publication, snapshot, segment="", provider=provider)
    return mailing.start(snapshot, plan, publication).id


def _work_until_done(space: Workspace, campaign: int, kills: int, chance: random.Random, server: Server) -> int:
    """Three workers, until nothing is open any more; how many of them were killed."""
    log = (space.folder / "workers.log").open("wb")
    command = [sys.executable, "-m", "newsletter", "worker", "--concurrency", "3"]

    def hire() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=space.folder, env=_environment(), stdout=log, stderr=log)

    workers, killed, restarted = [hire() for _ in range(3)], 0, False
    try:
        for _ in range(2_000):
            sleep(0.5 if killed >= kills else chance.uniform(0.5, 2.0))
            if killed < kills:
                victim = chance.randrange(3)
                workers[victim].kill()
                workers[victim].wait()
                workers[victim] = hire()
                killed += 1
            if not restarted and killed >= kills // 2:
                server.restart()
                restarted = True
            if killed >= kills and _finished(space, campaign):
                return killed
        raise AssertionError("the workers never ended")
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()
        log.close()


def _finished(space: Workspace, campaign: int) -> bool:
    states = (DeliveryState.PENDING, DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)
    with space.store.read() as session:
        counts = ledger.counts(session, campaign)
    return not any(counts[state] for state in states)


def _settled(folder: Path) -> bool:
    """Whether nothing more can go out: all is submitted or in question."""
    with sqlite3.connect(f"file:{folder / 'newsletter.db'}?mode=ro", uri=True) as database:
        query = "SELECT count(*) FROM deliveries WHERE state IN ('pending', 'submitting')"
        (left,) = database.execute(query).fetchone()
    database.close()
    return bool(left == 0)


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--provider", choices=[*FAKES, *SILENT, "all"], default="all")
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--cluster", action="store_true", help="three workers on PostgreSQL, which is restarted")
    given = parser.parse_args()
    fine = True
    for provider in [*FAKES, *SILENT] if given.provider == "all" else [given.provider]:
        with tempfile.TemporaryDirectory() as name:
            folder, much = Path(name), (given.recipients, given.kills, given.seed)
            if given.cluster:
                with serve_postgres(folder / "postgres") as server:
                    done = torture_cluster(provider, *much, folder, server)
            else:
                done = torture(provider, *much, folder)
        good = done.safe if provider in SILENT else done.fine
        fine &= good
        most = max(done.taken.values(), default=0)
        verdict = "ok   " if good else "WRONG"
        told = f"{len(done.taken):,} recipients, none more than {most} time(s), {done.runs} runs, {done.kills} killed"
        print(f"{verdict} {provider}, seed {given.seed}: {told}, ledger {dict(done.states)}", flush=True)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
