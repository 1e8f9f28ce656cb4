"""Leaving a list. The mailbox providers' one-click POST (RFC 8058) comes without a cookie, gets a plain 200, no
redirect, and is never held back by a limit. It's kept even where the database can't take it.
"""

from __future__ import annotations

import datetime as dt
import logging
from contextlib import suppress
from typing import Any

from flask import Flask, Response, request
from sqlalchemy.orm import Session

from newsletter import audience
from newsletter.audience.wishes import FOLDER, Wish, Wishes
from newsletter.errors import StoreError
from newsletter.store.records import SubscriberRecord
from newsletter.tokens import Claim, Purpose
from newsletter.web.site import Site, masked

#: For so long somebody may take back that they left; later they join again, with a letter to confirm.
UNDO = dt.timedelta(hours=1)
#: How long the database is waited for, in seconds, before a wish is kept in a file: while an import writes for a
#: minute, fifty who leave in a second would otherwise wait for one another.
_PATIENCE = 0.1
_ONE_CLICK, _ON_THE_PAGE = "one-click", "unsubscribe page"
_log = logging.getLogger(__name__)


def register(app: Flask, site: Site) -> None:
    """Add the pages."""
    pages = _Pages(site)
    # Where the archive's copies of messages lead: they belong to no reader.
    app.add_url_rule("/u/", "without_token", lambda: site.page("unknown.html.j2"))
    app.add_url_rule("/u/<token>", "ask_to_leave", pages.ask)
    app.add_url_rule("/u/<token>", "leave", pages.leave, methods=["POST"])
    app.add_url_rule("/u/<token>/undo", "come_back", pages.undo, methods=["POST"])
    app.add_url_rule("/u/<token>/again", "join_again", pages.again, methods=["POST"])


class _Pages:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._wishes = Wishes(site.space.folder / FOLDER)

    def ask(self, token: str) -> Any:
        claim = self._site.claim(Purpose.UNSUBSCRIBE, token)
        if claim is None:
            return self._site.unknown()
        return self._page("unsubscribe.html.j2", claim, token)

    def leave(self, token: str) -> Any:
        claim = self._site.claim(Purpose.UNSUBSCRIBE, token)
        if claim is None:
            return self._site.unknown()
        one_click = request.form.get("List-Unsubscribe") == "One-Click"
        wish = Wish(
            subscriber=claim.subscriber,
            lists=self._site.names_of(claim.list),
            source=_ONE_CLICK if one_click else _ON_THE_PAGE,
            at=self._site.space.clock.now(),
            evidence={} if one_click else self._site.evidence(_ON_THE_PAGE),
        )
        try:
            self._site.space.store.transact(wish.carry_out, patience=_PATIENCE)
        except StoreError as fault:
            self._wishes.keep(wish)
            _log.warning("somebody's wish to leave is kept in a file until the database takes it: %s", fault.what)
        if one_click:
            return Response("Unsubscribed.\n", content_type="text/plain; charset=utf-8")
        return self._page("unsubscribed.html.j2", claim, token)

    def undo(self, token: str) -> Any:
        claim = self._site.claim(Purpose.UNSUBSCRIBE, token)
        if claim is None:
            return self._site.unknown()
        source, space = "undone on the unsubscribe page", self._site.space
        evidence = self._site.evidence(source)

        def work(session: Session) -> Any:
            person = audience.held(session, claim.subscriber)
            if person is None:
                return self._site.unknown()
            names = self._site.names_of(claim.list)
            stopped = audience.reason_of(session, space.address_hash(person.email), *names)
            back = (
                []
                if stopped
                else audience.undo(
                    session,
                    person.id,
                    names,
                    (_ONE_CLICK, _ON_THE_PAGE),
                    within=UNDO,
                    source=source,
                    evidence=evidence,
                    now=space.clock.now(),
                )
            )
            if not back:
                self._site.greet(person)
                return self._site.expired(f"/u/{token}/again", (claim.list,))
            return None

        return space.store.transact(work) or self._page("returned.html.j2", claim, token)

    def again(self, token: str) -> Any:
        """Mail a letter with which somebody who left may join again."""
        claim = self._site.claim(Purpose.UNSUBSCRIBE, token)
        lists = self._site.names(claim.list) if claim else ()
        return self._site.mail_again(claim, lists) if claim else self._site.unknown()

    def _page(self, name: str, claim: Claim, token: str) -> tuple[str, int]:
        person = None
        # Where the database is away, the page needn't know whose it is.
        with suppress(StoreError), self._site.space.store.read() as session:
            person = session.get(SubscriberRecord, claim.subscriber)
        if person is not None:
            self._site.greet(person)
        return self._site.page(
            name,
            lists=self._site.names_of(claim.list),
            list_name=self._site.list_name(claim.list),
            address=masked(person.email) if person else "",
            token=token,
        )
