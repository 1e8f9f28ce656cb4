"""The preference center: which lists, how much mail, in which language, and a pause."""

from __future__ import annotations

import datetime as dt
from typing import Any

from babel.dates import format_date
from flask import Flask, redirect, request, url_for
from sqlalchemy.orm import Session

from newsletter import audience, notices
from newsletter.audience import Frequency, Standing
from newsletter.audience.addresses import normalize
from newsletter.audience.choices import PAUSES, choose
from newsletter.errors import InputError
from newsletter.languages import LANGUAGES
from newsletter.places import state_names
from newsletter.store.records import SubscriberRecord
from newsletter.tokens import Claim, Purpose
from newsletter.web import forms
from newsletter.web.site import Site


def register(app: Flask, site: Site) -> None:
    """Add the pages."""
    pages = _Pages(site)
    app.add_url_rule("/preferences", "find_link", pages.form)
    app.add_url_rule("/preferences", "mail_link", pages.mail_link, methods=["POST"])
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
        with self._site.space.store.write() as session:
            self._ask(session, notices.Kind.ACCESS, address)
        return self._site.page("check_mailbox.html.j2", address=address)

    def mail_right(self, token: str, kind: str) -> Any:
        """Send the link that gives somebody their data or forgets them: whoever has only this page's link can't."""
        claim = self._site.claim(Purpose.UNSUBSCRIBE, token)
        with self._site.space.store.write() as session:
            person = self._person(session, claim)
            if person is None:
                return self._site.unknown()
            self._ask(session, notices.Kind(kind), person.email)
        return self._site.page("check_mailbox.html.j2", address="")

    def _ask(self, session: Session, kind: notices.Kind, address: str) -> None:
        now = self._site.space.clock.now()
        notices.ask(
            session, kind, address, self._site.language(), {"evidence": self._site.evidence("preferences")}, now
        )

    def show(self, token: str) -> Any:
        claim = self._site.claim(Purpose.UNSUBSCRIBE, token)
        with self._site.space.store.read() as session:
            person = self._person(session, claim)
            if person is None or claim is None:
                return self._site.unknown()
            standing = {row.list: row.status for row in audience.subscriptions(session, person.id)}
        now = self._site.space.clock.now()
        return self._site.page(
            "preferences.html.j2",
            lists=(claim.list,),
            token=token,
            person=person,
            address=_masked(person.email),
            choices={s: one for s, one in self._site.config.lists.items() if one.public or s in standing},
            on={name for name, status in standing.items() if status == Standing.ACTIVE},
            states=state_names(),
            tongues=LANGUAGES,
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
        with self._site.space.store.write() as session:
            person = self._person(session, claim)
            if person is None:
                return self._site.unknown()
            offered = {*self._site.public_lists(), *(row.list for row in audience.subscriptions(session, person.id))}
            evidence = self._site.evidence("preference center")
            now = self._site.space.clock.now()
            choose(session, person, wanted, offered & set(self._site.config.lists), evidence=evidence, now=now)
        return redirect(url_for("preferences", token=token, saved="", lang=wanted.language or None), 303)

    def _person(self, session: Session, claim: Claim | None) -> SubscriberRecord | None:
        person = session.get(SubscriberRecord, claim.subscriber) if claim else None
        if person is not None:
            self._site.greet(person)
        return person


def _masked(address: str) -> str:
    """Enough of an address for its owner to know it by, and for nobody else: links get forwarded."""
    name, _, domain = address.partition("@")
    return f"{name[0]}{'•' * 4}@{domain}"
