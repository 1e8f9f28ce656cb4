"""Leaving a list. The mailbox providers' one-click POST (RFC 8058) comes without a cookie, gets a plain 200, no
redirect, and is never held back by a limit.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request

from newsletter import audience
from newsletter.config import MailingList
from newsletter.store.records import SubscriberRecord
from newsletter.tokens import Claim, Purpose
from newsletter.web.site import Site


def register(app: Flask, site: Site) -> None:
    """Add the pages."""
    pages = _Pages(site)
    # Where the archive's copies of messages lead: they belong to no reader.
    app.add_url_rule("/u/", "without_token", lambda: site.page("unknown.html.j2"))
    app.add_url_rule("/u/<token>", "ask_to_leave", pages.ask)
    app.add_url_rule("/u/<token>", "leave", pages.leave, methods=["POST"])
    app.add_url_rule("/u/<token>/undo", "come_back", pages.undo, methods=["POST"])


class _Pages:
    def __init__(self, site: Site) -> None:
        self._site = site

    def ask(self, token: str) -> Any:
        found = self._read(token)
        if found is None:
            return self._site.unknown()
        claim, mailing_list = found
        self._greet(claim)
        return self._site.page("unsubscribe.html.j2", lists=(claim.list,), mailing_list=mailing_list, token=token)

    def leave(self, token: str) -> Any:
        found = self._read(token)
        if found is None:
            return self._site.unknown()
        claim, mailing_list = found
        one_click = request.form.get("List-Unsubscribe") == "One-Click"
        with self._site.space.store.write() as session:
            source = "one-click" if one_click else "unsubscribe page"
            evidence = {} if one_click else self._site.evidence(source)
            now = self._site.space.clock.now()
            audience.unsubscribe(session, claim.subscriber, claim.list, source=source, now=now, evidence=evidence)
        if one_click:
            return Response("Unsubscribed.\n", content_type="text/plain; charset=utf-8")
        self._greet(claim)
        return self._site.page("unsubscribed.html.j2", lists=(claim.list,), mailing_list=mailing_list, token=token)

    def undo(self, token: str) -> Any:
        found = self._read(token)
        if found is None:
            return self._site.unknown()
        claim, mailing_list = found
        with self._site.space.store.write() as session:
            person = session.get(SubscriberRecord, claim.subscriber)
            if person is None:
                return self._site.unknown()
            source, now = "undone on the unsubscribe page", self._site.space.clock.now()
            evidence = self._site.evidence(source)
            audience.subscribe(session, person.id, claim.list, source=source, evidence=evidence, now=now)
            self._site.greet(person)
        return self._site.page("returned.html.j2", lists=(claim.list,), mailing_list=mailing_list, token=token)

    def _read(self, token: str) -> tuple[Claim, MailingList] | None:
        claim = self._site.claim(Purpose.UNSUBSCRIBE, token)
        mailing_list = self._site.config.lists.get(claim.list) if claim else None
        return (claim, mailing_list) if claim and mailing_list else None

    def _greet(self, claim: Claim) -> None:
        with self._site.space.store.read() as session:
            if person := session.get(SubscriberRecord, claim.subscriber):
                self._site.greet(person)
