"""Somebody's data, and forgetting them: by links that only their mailbox gets, and that end after some days."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, Response
from sqlalchemy.orm import Session

from newsletter.audience import rights
from newsletter.store.records import SubscriberRecord
from newsletter.tokens import Purpose
from newsletter.web.site import Site


def register(app: Flask, site: Site) -> None:
    """Add the pages."""
    pages = _Pages(site)
    app.add_url_rule("/data/<token>", "ask_for_data", pages.ask_for_data)
    app.add_url_rule("/data/<token>", "data", pages.data, methods=["POST"])
    app.add_url_rule("/forget/<token>", "ask_to_forget", pages.ask_to_forget)
    app.add_url_rule("/forget/<token>", "forget", pages.forget, methods=["POST"])


class _Pages:
    def __init__(self, site: Site) -> None:
        self._site = site

    def ask_for_data(self, token: str) -> Any:
        return self._ask(Purpose.DATA, token, "data.html.j2")

    def ask_to_forget(self, token: str) -> Any:
        return self._ask(Purpose.FORGET, token, "forget.html.j2")

    def _ask(self, purpose: Purpose, token: str, page: str) -> Any:
        with self._site.space.store.read() as session:
            person = self._person(session, purpose, token)
        return self._site.page(page) if person else self._site.unknown()

    def data(self, token: str) -> Any:
        with self._site.space.store.read() as session:
            person = self._person(session, Purpose.DATA, token)
            if person is None:
                return self._site.unknown()
            document = json.dumps(rights.held(session, person), default=str, ensure_ascii=False, indent=2) + "\n"
        headers = {"Content-Disposition": 'attachment; filename="newsletter-data.json"'}
        return Response(document, content_type="application/json", headers=headers)

    def forget(self, token: str) -> Any:
        space = self._site.space

        def work(session: Session) -> bool:
            person = self._person(session, Purpose.FORGET, token)
            if person is None:
                return False
            hashed, now = space.address_hash(person.email), space.clock.now()
            rights.forget(session, person, hashed, source="asked by mail", now=now)
            return True

        return self._site.page("forgotten.html.j2") if space.store.transact(work) else self._site.unknown()

    def _person(self, session: Session, purpose: Purpose, token: str) -> SubscriberRecord | None:
        claim = self._site.claim(purpose, token)
        person = session.get(SubscriberRecord, claim.subscriber) if claim else None
        if person is not None:
            self._site.greet(person)
        return person
