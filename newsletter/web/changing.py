"""Changing an address: asked for in the preference center, and done by a link that only the new mailbox gets.

The old mailbox gets a letter with a link that takes the change back: messages are forwarded, and whoever has a reader's
link to the preferences may not be that reader.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Flask, request
from sqlalchemy.orm import Session

from newsletter import audience, transactional
from newsletter.audience.addresses import normalize
from newsletter.audience.moving import change_address
from newsletter.errors import InputError
from newsletter.store.records import NoticeRecord, SubscriberRecord
from newsletter.tokens import Claim, Purpose
from newsletter.web.site import LINK_DAYS, Site, masked


def register(app: Flask, site: Site) -> None:
    """Add the pages."""
    pages = _Pages(site)
    app.add_url_rule("/p/<token>/address", "mail_change", pages.mail, methods=["POST"])
    app.add_url_rule("/address/<token>", "ask_to_change", pages.ask)
    app.add_url_rule("/address/<token>", "change", pages.change, methods=["POST"])


class _Pages:
    def __init__(self, site: Site) -> None:
        self._site = site

    def mail(self, token: str) -> Any:
        """Mail the link to the new address. The answer is the same whoever has it."""
        claim = self._site.claim(Purpose.UNSUBSCRIBE, token)
        with self._site.space.store.read() as session:
            person = session.get(SubscriberRecord, claim.subscriber) if claim else None
        if claim is None or person is None:
            return self._site.unknown()
        self._site.greet(person)
        if self._site.crowded():
            return self._site.page("crowded.html.j2", status=429)
        given = request.form.get("email", "")
        try:
            address = normalize(given)
        except InputError:
            return self._site.page("change.html.j2", status=400, action=f"/p/{token}/address", given=given)
        self._site.ask(transactional.Kind.MOVE, address, "preferences", subscriber=person.id)
        return self._site.page("check_mailbox.html.j2", address=address)

    def ask(self, token: str) -> Any:
        """The page that asks."""
        claim = self._site.claim(Purpose.MOVE, token)
        with self._site.space.store.read() as session:
            return self._answer(session, claim, act=False)

    def change(self, token: str) -> Any:
        """Change the address."""
        claim = self._site.claim(Purpose.MOVE, token)
        return self._site.space.store.transact(lambda session: self._answer(session, claim, act=True))

    def _answer(self, session: Session, claim: Claim | None, *, act: bool) -> Any:
        space, now = self._site.space, self._site.space.clock.now()
        if claim is None:
            return self._site.unknown()
        person = audience.held(session, claim.subscriber) if act else session.get(SubscriberRecord, claim.subscriber)
        if person is None:
            return self._site.unknown()
        self._site.greet(person)
        letter = session.get(NoticeRecord, int(claim.list))
        if letter is not None and letter.address == person.email:
            return self._site.page("address_changed.html.j2", address=letter.address)
        # A letter does its work once: an old one never brings an address back that was left since.
        if letter is None or letter.details.get("used") or now - letter.created_at > dt.timedelta(days=LINK_DAYS):
            return self._site.expired("", ())
        if not act:
            return self._site.page("change_address.html.j2", old=masked(person.email), new=letter.address)
        old = person.email
        try:
            change_address(
                session,
                person,
                letter.address,
                hash_address=space.address_hash,
                source="preference center",
                why="confirmed from the new mailbox" if letter.kind == transactional.Kind.MOVE else "taken back",
                now=now,
            )
        except InputError:  # since the letter went out, it has become somebody else's, or suppressed
            return self._site.expired("", ())
        letter.details = {**letter.details, "used": True}
        if letter.kind == transactional.Kind.MOVE:
            details = {"subscriber": person.id}
            transactional.ask(session, transactional.Kind.MOVED, old, self._site.language(), details, now)
        return self._site.page("address_changed.html.j2", address=letter.address)
