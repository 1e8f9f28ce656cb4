"""Other programs are told who joined, left, bounced or complained, by signed calls to the addresses in `[hooks.…]`.

The calls follow Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
A change and the mark that it has to be told are one transaction, so that none is lost; a call may come twice, with the
same `webhook-id`.

    OutgoingWebhooks.gather()    changes that are marked become calls, one for each hook that wants it
    OutgoingWebhooks.deliver()   calls that are due are made
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

import requests
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from newsletter.audience import Reason, Standing
from newsletter.config import Hook
from newsletter.errors import ConfigError
from newsletter.send import Clock
from newsletter.store import Store, insert_new
from newsletter.store.records import ConsentRecord, HookCallRecord, SubscriberRecord, SuppressionRecord

#: How long to wait after each failure, as Standard Webhooks suggests; after the last the call is given up.
_WAITS = tuple(
    dt.timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
_TIMEOUT = 10.0
_PAGE = 200
_STANDINGS = {Standing.ACTIVE: "subscriber.subscribed", Standing.UNSUBSCRIBED: "subscriber.unsubscribed"}
_REASONS = {
    Reason.HARD_BOUNCE: "subscriber.bounced",
    Reason.SOFT_BOUNCES: "subscriber.bounced",
    Reason.COMPLAINT: "subscriber.complained",
}


class OutgoingWebhooks:
    """Tells the configured hooks; `environment` holds their secrets."""

    def __init__(self, store: Store, hooks: Mapping[str, Hook], clock: Clock, environment: Mapping[str, str]) -> None:
        self._store, self._hooks, self._clock, self._environment = store, hooks, clock, environment
        self._http = requests.Session()

    def gather(self) -> int:
        """Make calls of the changes that are marked; how many calls."""
        with self._store.read() as session:
            if not any(
                session.scalar(select(table.id).where(table.tell).limit(1))
                for table in (ConsentRecord, SuppressionRecord)
            ):
                return 0
        with self._store.write() as session:
            calls = [*self._changes(session), *self._stops(session)]
            if calls:
                session.execute(insert_new(session, HookCallRecord), calls)
        return len(calls)

    def _changes(self, session: Session) -> Iterator[dict[str, Any]]:
        query = (
            select(ConsentRecord, SubscriberRecord.email)
            .join(SubscriberRecord, SubscriberRecord.id == ConsentRecord.subscriber_id)
            .where(ConsentRecord.tell)
            .order_by(ConsentRecord.id)
            .limit(_PAGE)
            .with_for_update(skip_locked=True, of=ConsentRecord)
        )
        for row, email in session.execute(query).all():
            row.tell = False
            about = {"email": email, "list": row.list, "source": row.source}
            yield from self._calls(_STANDINGS.get(Standing(row.status)), f"consent {row.id}", about, row.at)

    def _stops(self, session: Session) -> Iterator[dict[str, Any]]:
        query = select(SuppressionRecord).where(SuppressionRecord.tell).order_by(SuppressionRecord.id).limit(_PAGE)
        for row in session.scalars(query.with_for_update(skip_locked=True)).all():
            row.tell = False
            about = {"email": row.email, "list": row.list, "reason": row.reason, "source": row.source}
            yield from self._calls(_REASONS.get(Reason(row.reason)), f"suppression {row.id} {row.at}", about, row.at)

    def _calls(
        self, kind: str | None, identity: str, about: dict[str, Any], at: dt.datetime
    ) -> Iterator[dict[str, Any]]:
        document = json.dumps({"type": kind, "timestamp": at.isoformat(), "data": about}, ensure_ascii=False)
        for name, hook in self._hooks.items():
            if kind in hook.events:
                yield {
                    "hook": name,
                    "identity": "msg_" + hashlib.sha256(f"{identity} {name}".encode()).hexdigest()[:32],
                    "document": document,
                    "created_at": self._clock.now(),
                    "due_at": self._clock.now(),
                    "attempts": 0,
                    "outcome": "",
                }

    def deliver(self, most: int = 100) -> int:
        """Make calls that are due, at most so many; how many were answered well."""
        done = 0
        for _ in range(most):
            call = self._claim()
            if call is None:
                break
            done += self._make(call)
        return done

    def _claim(self) -> HookCallRecord | None:
        now = self._clock.now()
        query = select(HookCallRecord).where(HookCallRecord.due_at <= now).order_by(HookCallRecord.due_at).limit(1)
        with self._store.read() as session:
            if session.scalar(query) is None:
                return None
        with self._store.write() as session:
            call = session.scalar(query.with_for_update(skip_locked=True))
            if call is not None:
                wait = _WAITS[call.attempts] if call.attempts < len(_WAITS) else None
                call.attempts += 1
                call.due_at = now + wait if wait else None
            return call

    def _make(self, call: HookCallRecord) -> int:
        hook = self._hooks.get(call.hook)
        fine, gone, outcome = False, False, "the hook is no longer configured"
        if hook is not None:
            fine, gone, outcome = self._post(hook, call)
        values: dict[str, Any] = {"outcome": outcome}
        if fine or gone or hook is None:
            values["due_at"] = None
        with self._store.write() as session:
            session.execute(update(HookCallRecord).where(HookCallRecord.id == call.id).values(**values))
        return int(fine)

    def _post(self, hook: Hook, call: HookCallRecord) -> tuple[bool, bool, str]:
        """Whether a call was answered well, whether it never will be, and what was answered."""
        body, stamp = call.document.encode(), int(self._clock.now().timestamp())
        try:
            headers = {
                "Content-Type": "application/json",
                "webhook-id": call.identity,
                "webhook-timestamp": str(stamp),
                "webhook-signature": sign(self._environment.get(hook.secret_env, ""), call.identity, stamp, body),
            }
            answer = self._http.post(hook.url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False)
        except ConfigError as fault:
            return False, False, str(fault)
        except requests.RequestException as fault:
            return False, False, type(fault).__name__
        return answer.ok and not answer.is_redirect, answer.status_code == 410, f"answered {answer.status_code}"


def sign(secret: str, identity: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a call: HMAC-SHA256 with the bytes that stand after `whsec_` in Base64."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if len(key) < 24:
        raise ConfigError(
            "the hook's secret must be whsec_ and at least 24 bytes in Base64", hint="newsletter hooks secret"
        )
    signed = hmac.digest(key, f"{identity}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(signed).decode()}"
