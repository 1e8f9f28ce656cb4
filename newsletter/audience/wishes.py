"""Wishes to leave that the database couldn't take: beside it, in files, until it can.

A mail program's one-click request is made once. So while somebody else writes to the database for long, or it's away,
a wish is kept in a folder of the workspace. The service and every sender write it into the store before a batch
is sent.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from newsletter import private
from newsletter.audience.consent import unsubscribe
from newsletter.audience.standing import Standing
from newsletter.store import Store
from newsletter.store.records import SubscriptionRecord

FOLDER = "unrecorded-wishes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Somebody wants to leave the lists, by their numbers and names; since `at`."""

    subscriber: int
    lists: Sequence[str]
    source: str
    at: dt.datetime
    evidence: Mapping[str, str] = field(default_factory=dict)

    def carry_out(self, session: Session) -> None:
        """Take them off; not where they have come back since."""
        for name in sorted(self.lists):
            record = session.get(SubscriptionRecord, (self.subscriber, name))
            if record and not (record.status == Standing.ACTIVE and record.changed_at > self.at):
                unsubscribe(
                    session, self.subscriber, name, source=self.source, now=self.at, evidence=dict(self.evidence)
                )


@dataclass(frozen=True, slots=True)
class Wishes:
    """A folder with a file for each wish that isn't in the store yet. Files hold no addresses."""

    folder: Path

    def keep(self, wish: Wish) -> None:
        """Write a wish down, on the disk when this returns; OSError where that isn't possible."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{wish.at:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.json"
        private.write(path, json.dumps({**asdict(wish), "at": wish.at.isoformat()}).encode())

    def carry_out(self, session: Session) -> list[Path]:
        """Do as everybody wished; the files, to be deleted when the transaction is over."""
        done = []
        for path, wish in self._kept():
            wish.carry_out(session)
            done.append(path)
        return done

    def settle(self, store: Store) -> int:
        """Carry all of them out in a transaction of their own; how many there were."""
        if not any(self.folder.glob("*.json")):
            return 0
        done = store.transact(self.carry_out)
        drop(done)
        return len(done)

    def _kept(self) -> Iterator[tuple[Path, Wish]]:
        for path in sorted(self.folder.glob("*.json")):
            try:
                given = json.loads(path.read_text(encoding="utf-8"))
                yield path, Wish(**{**given, "at": dt.datetime.fromisoformat(given["at"])})
            except (OSError, ValueError, KeyError, TypeError):
                continue  # it's left where it is


def drop(paths: Sequence[Path]) -> None:
    """Delete files of wishes that are in the store."""
    for path in paths:
        path.unlink(missing_ok=True)
