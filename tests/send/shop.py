"""A workspace whose publication goes by a vendor's fake, at a time that stands still."""

from __future__ import annotations

import atexit
import datetime as dt
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from newsletter import audience, send
from newsletter.audience import rights
from newsletter.model import DeliveryState, Event, EventType
from newsletter.send import control
from newsletter.send.service import CampaignService
from newsletter.store import Store
from newsletter.store.records import BatchRecord, CampaignRecord, DeliveryRecord
from newsletter.workspace import Workspace
from tests.desk import Desk, StillTime
from tests.providers import fakes
from tests.providers.fakes import KEY, Fake, serve

NAME = "network-download-2022-10"
FAKES: dict[str, type[Fake]] = {
    "resend": fakes.ResendFake,
    "mailgun": fakes.MailgunFake,
    "postmark": fakes.PostmarkFake,
    "mailjet": fakes.MailjetFake,
    "sendgrid": fakes.SendgridFake,
    "brevo": fakes.BrevoFake,
    "ses": fakes.SesFake,
    "smtp": fakes.SmtpFake,
}
OWN = {"mailgun": 'domain = "mg.example.org"\n', "ses": 'region = "us-east-1"\n', "smtp": 'security = "none"\n'}
VARIABLES = (
    *("RESEND_API_KEY", "MAILGUN_API_KEY", "POSTMARK_SERVER_TOKEN", "MAILJET_API_KEY", "MAILJET_SECRET_KEY"),
    *("SENDGRID_API_KEY", "BREVO_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "NEWSLETTER_SMTP_PASSWORD"),
)


@dataclass
class Shop:
    """A desk with its vendor at the other end of the wire."""

    desk: Desk
    vendor: str
    fake: Fake
    time: StillTime
    people: list[str]

    @property
    def space(self) -> Workspace:
        """The workspace."""
        return self.desk.space

    @property
    def service(self) -> CampaignService:
        """All that sending needs, by the settings as they are now."""
        return self.space.campaigns()

    def configure(self, old: str, new: str) -> None:
        """Change config.toml, as a person would between two runs."""
        path = self.desk.folder / "config.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        again = Workspace.open(path.resolve(), self.time.clock)
        again.__dict__["store"] = self.space.store
        self.desk = Desk(again)

    def start(self) -> CampaignRecord:
        """Freeze the approved issue's audience."""
        with self.space.store.read() as session:
            snapshot = send.latest(session, NAME)
        assert snapshot
        publication = self.space.config.publication("network-download")
        planned = self.service.plan(publication, snapshot, segment="", provider=self.vendor)
        return self.service.start(snapshot, planned, publication)

    def send(self, *, resume: bool = True) -> Counter[DeliveryState]:
        """Send, or send again: a campaign that paused itself is resumed, as the command does."""
        with self.space.store.write() as session:
            campaign = send.find(session, NAME)
            if campaign is not None and campaign.paused_at and resume:
                control.resume(session, campaign)
        with self.space.store.read() as session:
            campaign = send.find(session, NAME)
        return self.service.run(campaign or self.start())

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.time.at += dt.timedelta(**span)

    @property
    def campaign(self) -> CampaignRecord:
        """The campaign as it stands."""
        with self.space.store.read() as session:
            return send.get(session, NAME)

    @property
    def states(self) -> Counter[str]:
        """Deliveries by state."""
        with self.space.store.read() as session:
            return Counter(str(state) for state in session.scalars(select(DeliveryRecord.state)))

    def of(self, address: str) -> DeliveryRecord:
        """The delivery to an address."""
        with self.space.store.read() as session:
            return session.scalars(select(DeliveryRecord).where(DeliveryRecord.address == address)).one()

    def errors(self) -> str:
        """Every word that the ledger keeps of what went wrong."""
        with self.space.store.read() as session:
            told = [*session.scalars(select(DeliveryRecord.error)), *session.scalars(select(BatchRecord.error))]
        return " ".join(told)

    @property
    def copies(self) -> Counter[str]:
        """How many messages the vendor took for each address."""
        return Counter(address for address, _ in self.fake.taken)

    def leave(self, address: str) -> None:
        """Somebody unsubscribes."""
        with self.space.store.write() as session:
            person = audience.find(session, address)
            assert person
            audience.unsubscribe(session, person.id, "network-download", source="test", now=self.time.at)

    def erase(self, address: str) -> None:
        """Somebody is forgotten."""
        with self.space.store.write() as session:
            person = audience.find(session, address)
            assert person
            rights.forget(session, person, self.space.address_hash(address), source="test", now=self.time.at)

    def suppress(self, address: str) -> None:
        """Somebody is suppressed."""
        with self.space.store.write() as session:
            hashed = self.space.address_hash(address)
            audience.suppress(session, address, hashed, audience.Reason.MANUAL, source="test", now=self.time.at)

    def event(self, address: str, kind: EventType, name: str = "") -> Event:
        """An event of the delivery to an address, as the vendor would tell it."""
        delivery = self.of(address)
        mark = self.space.marks.mark(self.campaign.nonce, delivery.id)
        return Event(id=name or f"{kind}-{delivery.id}", type=kind, at=self.time.at, mark=mark, address=address)

    def once(self) -> bool:
        """Whether everybody has exactly one copy."""
        return sorted(self.copies) == sorted(self.people) and set(self.copies.values()) == {1}


def _stocked(folder: Path, people: int, store: Store | None = None) -> Desk:
    """A desk with so many readers and its issue approved."""
    time = StillTime()
    desk = Desk.make(folder, time.clock, store=store)
    with desk.space.store.write() as session:
        for name in ("ana", "ben", "chi"):
            known = audience.find(session, f"{name}@example.org")
            assert known
            audience.unsubscribe(session, known.id, "network-download", source="test", now=time.at)
    readers = (f"r{number}@example.org" for number in range(people))
    desk.import_people("Email,Lists\n" + "".join(f"{reader},Network Download\n" for reader in readers))
    desk.space.approve(NAME, by="Ada")
    return desk


@cache
def _made(people: int) -> Path:
    """A stocked desk on SQLite, made once for all tests of a process, to be copied."""
    keep = tempfile.TemporaryDirectory()
    atexit.register(keep.cleanup)
    _stocked(Path(keep.name) / "desk", people).space.close()
    return Path(keep.name) / "desk"


@contextmanager
def shop(
    folder: Path,
    vendor: str,
    people: int = 8,
    *,
    settings: str = "",
    store: Store | None = None,
) -> Iterator[Shop]:
    """A shop with so many readers on one list, whose issue is approved; `settings` are more lines of the provider's
    table.
    """
    time = StillTime()
    patch = pytest.MonkeyPatch()
    for name in VARIABLES:
        patch.setenv(name, KEY)
    if store is None:
        shutil.copytree(_made(people), folder / "desk")
    else:
        store = _stocked(folder / "desk", people, store).space.store
    readers = [f"r{number}@example.org" for number in range(people)]
    with serve(FAKES[vendor]()) as fake:
        fake.clock = lambda: time.at
        config = folder / "desk" / "config.toml"
        text = config.read_text(encoding="utf-8")
        if vendor == "smtp":
            head, _, rest = text.partition("[providers.smtp]")
            text = head + rest[rest.index("\n[") :]
            where = f'host = "{urlsplit(fake.url).hostname}"\nport = {urlsplit(fake.url).port}\n'
        else:
            where = f'base_url = "{fake.url}"\n'
        table = f"\n[providers.{vendor}]\n{where}timeout = 10.0\n{OWN.get(vendor, '')}{settings}\n"
        config.write_text(text + table, encoding="utf-8")
        space = Workspace.open(config.resolve(), time.clock)
        if store is not None:
            space.__dict__["store"] = store
        made = Shop(Desk(space), vendor, fake, time, readers)
        try:
            yield made
        finally:
            made.space.close()
            patch.undo()
