"""Joining lists: the form, which may stand on any website, and the confirmation from the mailbox."""

from __future__ import annotations

from typing import Any

from flask import Flask, request

from newsletter import audience, notices
from newsletter.audience import Reason
from newsletter.audience.addresses import normalize
from newsletter.errors import InputError
from newsletter.places import state_names
from newsletter.store.records import SubscriberRecord
from newsletter.tokens import Purpose
from newsletter.web import forms
from newsletter.web.site import Site

#: A field that people don't see, and that programs fill in.
HONEYPOT = "website"


def register(app: Flask, site: Site) -> None:
    """Add the pages."""
    pages = _Pages(site)
    app.add_url_rule("/subscribe", "subscribe_form", pages.form)
    app.add_url_rule("/subscribe", "subscribe", pages.subscribe, methods=["POST"])
    app.add_url_rule("/confirm/<token>", "ask_to_confirm", pages.ask)
    app.add_url_rule("/confirm/<token>", "confirm", pages.confirm, methods=["POST"])


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
        if self._site.crowded():
            return self._site.page("crowded.html.j2", status=429)
        lists = [name for name in dict.fromkeys(request.form.getlist("list")) if name in self._site.public_lists()]
        try:
            address = normalize(request.form.get("email", ""))
        except InputError:
            return self._form(400, "address")
        if not lists:
            return self._form(400, "list")
        if not request.form.get(HONEYPOT):
            self._ask(address, lists)
        return self._site.page("check_mailbox.html.j2", lists=tuple(lists), address=address)

    def _ask(self, address: str, lists: list[str]) -> None:
        details = {
            "lists": lists,
            "profile": {key: value for key, value in forms.profile(request.form).items() if value},
            "evidence": self._site.evidence("subscribe page"),
        }
        with self._site.space.store.write() as session:
            now = self._site.space.clock.now()
            notices.ask(session, notices.Kind.JOIN, address, self._site.language(), details, now)

    def ask(self, token: str) -> Any:
        claim = self._site.claim(Purpose.CONFIRM, token)
        lists = self._lists(claim.list) if claim else ()
        with self._site.space.store.read() as session:
            person = session.get(SubscriberRecord, claim.subscriber) if claim else None
        if person is None or not lists:
            return self._site.unknown()
        self._site.greet(person)
        return self._site.page("confirm.html.j2", lists=lists, names=self._names(lists))

    def confirm(self, token: str) -> Any:
        claim = self._site.claim(Purpose.CONFIRM, token)
        lists = self._lists(claim.list) if claim else ()
        space, now = self._site.space, self._site.space.clock.now()
        with space.store.write() as session:
            person = session.get(SubscriberRecord, claim.subscriber) if claim else None
            if person is None or not lists:
                return self._site.unknown()
            self._site.greet(person)
            evidence = self._site.evidence("confirmation from the mailbox")
            joined = [
                name
                for name in lists
                if audience.subscribe(session, person.id, name, source="confirmed by mail", evidence=evidence, now=now)
            ]
            if joined:
                person.consented_at = now
                audience.lift(session, space.address_hash(person.email), reason=Reason.ERASED)
                notices.ask(session, notices.Kind.WELCOME, person.email, self._site.language(), {"lists": joined}, now)
            choices = space.service_url("p", Purpose.UNSUBSCRIBE, person.id, lists[0])
        path = choices.removeprefix(space.config.service.url.rstrip("/"))
        return self._site.page("confirmed.html.j2", lists=lists, names=self._names(lists), choices=path)

    def _lists(self, named: str) -> tuple[str, ...]:
        return tuple(name for name in named.split(",") if name in self._site.config.lists)

    def _names(self, lists: tuple[str, ...]) -> list[str]:
        return [self._site.config.lists[name].name for name in lists]
