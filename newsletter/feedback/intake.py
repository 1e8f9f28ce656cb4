"""Webhook calls into the store: as they came, with their events, and with all that follows, in one transaction.

Calls that come at the same time share a commit: whoever comes first writes for all who wait. A call is over when its
transaction is on the disk, so that whatever was answered with 200 is kept.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from sqlalchemy import insert
from sqlalchemy.orm import Session

from newsletter.feedback.effects import Effects
from newsletter.feedback.events import keep
from newsletter.model import Event
from newsletter.store import Store
from newsletter.store.records import WebhookRecord
from newsletter.tokens import Marks


@dataclass(slots=True, kw_only=True)
class _Call:
    """One webhook call, and what became of it."""

    provider: str
    body: bytes
    events: Sequence[Event]
    done: bool = False
    fault: Exception | None = None


class Intake:
    """Takes in calls that have proved themselves; `keep` may be called from any number of threads."""

    def __init__(
        self,
        store: Store,
        effects: Effects,
        marks: Marks,
        now: Callable[[], dt.datetime],
        types: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._store = store
        self._effects = effects
        self._marks = marks
        self._now, self._types = now, types
        self._waiting: list[_Call] = []
        self._list = threading.Lock()
        self._writing = threading.Lock()

    def keep(self, provider: str, body: bytes, events: Sequence[Event]) -> None:
        """Keep a call; returns when it's durable, raises what the store raises when it isn't."""
        call = _Call(provider=provider, body=body, events=events)
        with self._list:
            self._waiting.append(call)
        with self._writing:
            if not call.done:
                with self._list:
                    calls, self._waiting = self._waiting, []
                self._write_all(calls)
        if call.fault is not None:
            raise call.fault

    def _write_all(self, calls: Sequence[_Call]) -> None:
        """Write calls together; where that fails each by itself, so that one fault isn't everybody's."""
        try:
            self._write(calls)
        except Exception as fault:
            for call in calls:
                call.fault = fault
            if len(calls) > 1:
                for call in calls:
                    call.fault = None
                    self._write_all([call])
        for call in calls:
            call.done = True

    def _write(self, calls: Sequence[_Call]) -> None:
        self._store.transact(partial(self._apply, calls))

    def _apply(self, calls: Sequence[_Call], session: Session) -> None:
        now = self._now()
        session.execute(
            insert(WebhookRecord),
            [
                {"provider": call.provider, "received_at": now, "body": call.body, "events": len(call.events)}
                for call in calls
            ],
        )
        for provider in sorted({call.provider for call in calls}):
            told = [event for call in calls if call.provider == provider for event in call.events]
            fresh = keep(session, provider, told, self._marks, self._types)
            self._effects.apply(session, provider, fresh, now)
