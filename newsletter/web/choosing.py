"""The preference center: which lists, how much mail, in which language, and a pause."""

from __future__ import annotations

import datetime as dt
from typing import Any

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date
from flask import Flask, redirect, request, url_for
from sqlalchemy.orm import Session

from newsletter import audience, transactional
from newsletter.audience import Frequency, Standing
from newsletter.audience.addresses import normalize
from newsletter.audience.choices import PAUSES, choose
from newsletter.errors import InputError
from newsletter.languages import LANGUAGES
from newsletter.places import state_names
from newsletter.store.records import SubscriberRecord
from newsletter.tokens import Claim, Purpose
from newsletter.web import forms
from newsletter.web.site import Site, masked


def register(app: Flask, site: Site) -> None:
    """Add the pages."""
    pages = _Pages(site)
    app.add_url_rule("/preferences", "find_link", pages.form)
    app.add_url_rule("/preferences", "mail_link", pages.mail_link, methods=["POST"])
    # Where the archive's copies of messages lead: they belong to no reader.
    app.add_url_rule("/p/", "without_reader", pages.form)
    app.add_url_rule("/p/<token>", "preferences", pages.show)
    app.add_url_rule("/p/<token>", "choose", pages.save, methods=["POST"])
    app.add_url_rule("/p/<token>/<any(data, forget):kind>", "mail_right", pages.mail_right, methods=["POST"])


class _Pages:
    def __init__(self, site: Site) -> None:
        self._site = site

    def form(self) -> Any:
        return self._site.page("find_link.html.j2", fault="", given="")

    def mail_link(self) -> Any:
        if self._site.crowded():
            return self._site.page("crowded.html.j2", status=429)
        given = request.form.get("email", "")
        try:
            address = normalize(given)
        except InputError:
            return self._site.page("find_link.html.j2", status=400, fault="address", given=given)
        self._site.ask(transactional.Kind.ACCESS, address, "preferences")
        return self._site.page("check_mailbox.html.j2", address=address)

    def mail_right(self, token: str, kind: str) -> Any:
        """Send the link that gives somebody their data or forgets them: whoever has only this page's link can't."""
        claim = self._site.claim(Purpose.UNSUBSCRIBE, token)
        with self._site.space.store.read() as session:
            person = self._person(session, claim)
        if person is None:
            return self._site.unknown()
        if self._site.crowded():
            return self._site.page("crowded.html.j2", status=429)
        self._site.ask(transactional.Kind(kind), person.email, "preferences")
        return self._site.page("check_mailbox.html.j2", address="")

    def show(self, token: str) -> Any:
        claim = self._site.claim(Purpose.UNSUBSCRIBE, token)
        with self._site.space.store.read() as session:
            person = self._person(session, claim)
            if person is None or claim is None:
                return self._site.unknown()
            rows = audience.subscriptions(session, person.id)
        known = self._site.names(*(row.list for row in rows))
        now = self._site.space.clock.now()
        return self._site.page(
            "preferences.html.j2",
            lists=self._site.names_of(claim.list),
            token=token,
            person=person,
            address=masked(person.email),
            choices={s: one for s, one in self._site.config.lists.items() if one.public or s in known},
            on=self._site.names(*(row.list for row in rows if row.status == Standing.ACTIVE)),
            states=state_names(),
            tongues={**_own(person.language), **LANGUAGES},
            frequencies=tuple(Frequency),
            pauses=PAUSES,
            paused_until=self._day(person.paused_until) if (person.paused_until or now) > now else "",
            saved="saved" in request.args,
        )

    def _day(self, at: dt.datetime | None) -> str:
        local = at.astimezone(self._site.config.timezone) if at else None
        return format_date(local, "long", locale=self._site.language())

    def save(self, token: str) -> Any:
        claim = self._site.claim(Purpose.UNSUBSCRIBE, token)
        wanted = forms.choices(request.form)
        evidence = self._site.evidence("preference center")

        def work(session: Session) -> bool:
            person = audience.held(session, claim.subscriber) if claim else None
            if person is None:
                return False
            names = [*self._site.public_lists(), *(row.list for row in audience.subscriptions(session, person.id))]
            offered = {
                slug: [name for name in names if slug in self._site.names(name)] for slug in self._site.names(*names)
            }
            choose(session, person, wanted, offered, evidence=evidence, now=self._site.space.clock.now())
            return True

        if not self._site.space.store.transact(work):
            return self._site.unknown()
        return redirect(url_for("preferences", token=token, saved="", lang=wanted.language), 303)

    def _person(self, session: Session, claim: Claim | None) -> SubscriberRecord | None:
        person = session.get(SubscriberRecord, claim.subscriber) if claim else None
        if person is not None:
            self._site.greet(person)
        return person


def _own(language: str) -> dict[str, str]:
    """The entry of a reader's own language, where it isn't one that the pages are in, so that saving keeps it."""
    if language in LANGUAGES:
        return {}
    try:
        return {language: Locale.parse(language, sep="-").display_name or language} if language else {"": ""}
    except (ValueError, UnknownLocaleError):
        return {language: language}
