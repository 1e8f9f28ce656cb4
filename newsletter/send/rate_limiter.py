"""How fast a provider may be called, kept in the store: so it holds for all threads, processes and machines together.

A token bucket that holds one token: a call takes it, and it's back after 1 / `calls_per_second`. When a provider
wants us slower, there's none until it says. After too many calls in a row that weren't taken, the circuit opens.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from newsletter.config import Pace
from newsletter.providers import LONGEST_RETRY_AFTER, Limits
from newsletter.store import insert_new
from newsletter.store.records import PaceRecord

#: So many calls in a row that weren't taken open the circuit.
CIRCUIT = 8
_LONGEST_REST = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """For how many seconds no call may be made, and why; `planned` where somebody wanted it so."""

    seconds: float
    why: str = ""
    planned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimiter:
    """The pace of one provider: `rate` in calls a second (None for any), `per_day` in messages (None for any), days
    being those of `timezone`.
    """

    provider: str
    rate: float | None = None
    per_day: int | None = None
    timezone: dt.tzinfo = dt.UTC

    @classmethod
    def of(cls, provider: str, pace: Pace, limits: Limits, timezone: dt.tzinfo) -> RateLimiter:
        """What the configuration wants, or else the provider's own limit."""
        rate = pace.calls_per_second or limits.calls_per_second
        return cls(provider=provider, rate=rate, per_day=pace.per_day, timezone=timezone)

    def wait(self, session: Session, now: dt.datetime) -> Wait:
        """How long to wait for the next call; 0 seconds when it may be now. Others wait for this transaction. What a
        clock that was ahead has left is put right.
        """
        record = self._record(session)
        if record.ready_at is not None:
            record.ready_at = self._ready_at(record.ready_at, record.why, now)
        return self._wait(record, now)

    def peek(self, session: Session, now: dt.datetime) -> Wait:
        """The same for those who only want to know: nothing is written, and nobody waits."""
        record = session.get(PaceRecord, self.provider)
        return Wait(seconds=0.0) if record is None else self._wait(record, now)

    def _wait(self, record: PaceRecord, now: dt.datetime) -> Wait:
        if self.per_day is not None and self._left(record, now) < 1:
            morning = dt.datetime.combine(self._day(now) + dt.timedelta(days=1), dt.time(), self.timezone)
            why = f"tomorrow: {self.per_day:,} messages a day are sent at most"
            return Wait(seconds=(morning - now).total_seconds(), why=why, planned=True)
        ready_at = self._ready_at(record.ready_at, record.why, now) if record.ready_at else now
        return Wait(seconds=max(0.0, (ready_at - now).total_seconds()), why=record.why)

    def _ready_at(self, stored: dt.datetime, why: str, now: dt.datetime) -> dt.datetime:
        """No later than the pace asks for or, where a provider gave a reason, than a provider is believed."""
        longest = LONGEST_RETRY_AFTER if why else 1 / self.rate if self.rate else 0.0
        return min(stored, now + dt.timedelta(seconds=longest))

    def allowance(self, session: Session, now: dt.datetime) -> int | None:
        """How many messages may go out today still; None where there's no ceiling."""
        return None if self.per_day is None else self._left(self._record(session), now)

    def take(self, session: Session, messages: int, now: dt.datetime) -> None:
        """Take the token, for a call with so many messages; a lookup has none."""
        record = self._record(session)
        if self.rate:
            record.ready_at, record.why = now + dt.timedelta(seconds=1 / self.rate), ""
        if record.day != self._day(now):
            record.day, record.taken = self._day(now), 0
        record.taken += messages

    def give_back(self, session: Session, messages: int) -> None:
        """So many messages of a call weren't taken, so that they don't count for the day."""
        if messages:
            record = self._record(session)
            record.taken = max(0, record.taken - messages)

    def succeeded(self, session: Session) -> None:
        """The provider took something: no failure counts any more."""
        record = self._record(session)
        if record.failures:
            record.failures = 0

    def failed(self, session: Session, rest: float | None, jitter: float, now: dt.datetime, why: str) -> bool:
        """A call wasn't taken. Rest for as long as the provider wants, or else `jitter` (a random part of 1) of a
        time that doubles (AWS Architecture Blog, "Exponential Backoff And Jitter": full jitter). Returns whether the
        circuit opens.
        """
        record = self._record(session)
        record.failures += 1
        seconds = rest if rest is not None else jitter * min(_LONGEST_REST, 2.0**record.failures)
        until = now + dt.timedelta(seconds=seconds)
        if record.ready_at is None or until > record.ready_at:
            record.ready_at, record.why = until, why
        if record.failures < CIRCUIT:
            return False
        record.failures = 0
        return True

    def _left(self, record: PaceRecord, now: dt.datetime) -> int:
        taken = record.taken if record.day == self._day(now) else 0
        return max(0, (self.per_day or 0) - taken)

    def _day(self, now: dt.datetime) -> dt.date:
        return now.astimezone(self.timezone).date()

    def _record(self, session: Session) -> PaceRecord:
        """The provider's row, nobody else's to change until the transaction ends; read once in each."""
        found: PaceRecord | None = session.info.get(self)
        if found is None:
            session.info[self] = found = self._locked(session)
        return found

    def _locked(self, session: Session) -> PaceRecord:
        query = select(PaceRecord).where(PaceRecord.provider == self.provider).with_for_update()
        found = session.scalar(query)
        if found is None:
            values = {"provider": self.provider, "why": "", "failures": 0, "taken": 0}
            session.execute(insert_new(session, PaceRecord), values)
            found = session.scalars(query).one()
        return found


def reset(session: Session, provider: str) -> None:
    """Forget that a provider wanted us to wait, and its failures: a person knows better."""
    row = update(PaceRecord).where(PaceRecord.provider == provider)
    session.execute(row.values(ready_at=None, why="", failures=0))
