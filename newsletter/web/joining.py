"""Joining lists: the form, which may stand on any website, and the confirmation from the mailbox."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Flask, request
from sqlalchemy.orm import Session

from newsletter import audience, transactional
from newsletter.audience import Confirmation, Reason
from newsletter.audience.addresses import normalize
from newsletter.errors import InputError
from newsletter.places import state_names
from newsletter.store.records import SubscriberRecord
from newsletter.tokens import Claim, Purpose
from newsletter.transactional import asked_by
from newsletter.web import forms
from newsletter.web.site import LINK_DAYS, Site

#: A field that people don't see, and that programs fill in.
HONEYPOT = "website"


def register(app: Flask, site: Site) -> None:
    """Add the pages."""
    pages = _Pages(site)
    app.add_url_rule("/subscribe", "subscribe_form", pages.form)
    app.add_url_rule("/subscribe", "subscribe", pages.subscribe, methods=["POST"])
    app.add_url_rule("/confirm/<token>", "ask_to_confirm", pages.ask)
    app.add_url_rule("/confirm/<token>", "confirm", pages.confirm, methods=["POST"])
    app.add_url_rule("/confirm/<token>/again", "ask_again", pages.again, methods=["POST"])


class _Pages:
    def __init__(self, site: Site) -> None:
        self._site = site

    def form(self) -> Any:
        return self._form(200, "")

    def _form(self, status: int, fault: str) -> Any:
        lists = self._site.public_lists()
        asked = request.values.getlist("list")
        return self._site.page(
            "subscribe.html.j2",
            lists=tuple(asked),
            status=status,
            choices=lists,
            asked=asked or (list(lists) if len(lists) == 1 else []),
            states=state_names(),
            honeypot=HONEYPOT,
            given=request.form,
            fault=fault,
        )

    def subscribe(self) -> Any:
        lists = self._site.public_names(*request.form.getlist("list"))
        if self._site.crowded(*lists):
            return self._site.page("crowded.html.j2", status=429)
        try:
            address = normalize(request.form.get("email", ""))
        except InputError:
            return self._form(400, "address")
        if not lists:
            return self._form(400, "list")
        if not request.form.get(HONEYPOT):
            self._site.ask(transactional.Kind.JOIN, address, "subscribe page", lists, forms.profile(request.form))
        return self._site.page("check_mailbox.html.j2", lists=tuple(lists), address=address)

    def ask(self, token: str) -> Any:
        claim = self._site.claim(Purpose.CONFIRM, token)
        if claim is None:
            return self._site.unknown()
        with self._site.space.store.read() as session:
            return self._confirmed(session, claim, token, act=False)

    def confirm(self, token: str) -> Any:
        claim = self._site.claim(Purpose.CONFIRM, token)
        if claim is None:
            return self._site.unknown()
        return self._site.space.store.transact(lambda session: self._confirmed(session, claim, token, act=True))

    def _confirmed(self, session: Session, claim: Claim, token: str, *, act: bool) -> Any:
        """The page that asks, or that says what became of it."""
        space, now = self._site.space, self._site.space.clock.now()
        named, number = asked_by(claim.list)
        lists = self._site.names(*named)
        person = audience.held(session, claim.subscriber) if act else session.get(SubscriberRecord, claim.subscriber)
        if person is None or not lists:
            return self._site.unknown()
        self._site.greet(person)
        evidence = self._site.evidence("confirmation from the mailbox")
        within = dt.timedelta(days=LINK_DAYS)
        found, joined = audience.confirm(
            session, person.id, lists, number, within=within, evidence=evidence, now=now, act=act
        )
        if found is Confirmation.EXPIRED:
            return self._site.expired(f"/confirm/{token}/again", lists)
        if found is Confirmation.JOINED and not act:
            return self._site.page("confirm.html.j2", lists=lists, names=self._site.list_names(lists))
        if joined:
            person.consented_at = now
            audience.lift(session, space.address_hash(person.email), reason=Reason.ERASED)
            transactional.ask(
                session, transactional.Kind.WELCOME, person.email, self._site.language(), {"lists": joined}, now
            )
        choices = space.service_url("p", Purpose.UNSUBSCRIBE, person.id, lists[0])
        path = choices.removeprefix(space.config.service.url.rstrip("/"))
        return self._site.page("confirmed.html.j2", lists=lists, names=self._site.list_names(lists), choices=path)

    def again(self, token: str) -> Any:
        """Mail a fresh letter in the place of one that has expired."""
        claim = self._site.claim(Purpose.CONFIRM, token)
        lists = self._site.names(*asked_by(claim.list)[0]) if claim else ()
        return self._site.mail_again(claim, lists) if claim else self._site.unknown()
