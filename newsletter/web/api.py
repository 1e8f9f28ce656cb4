"""What other programs may do, at `/api/v1`, with a key: find, add, update and unsubscribe people.

Requests are held against the API's own description (see `newsletter.web.openapi`). Faults are told as problem details
(RFC 9457).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any, NoReturn

from flask import Flask, Response, request
from jsonschema import Draft202012Validator
from sqlalchemy.orm import Session

from newsletter import audience, transactional
from newsletter.audience import keys, profile, rights
from newsletter.audience.addresses import normalize
from newsletter.audience.fields import PROFILE
from newsletter.audience.keys import Scope
from newsletter.errors import InputError
from newsletter.model.text import clean
from newsletter.store.records import SubscriberRecord
from newsletter.web.openapi import describe
from newsletter.web.site import Site

BASE = "/api/v1"
_SOURCE = "API"
Answer = tuple[int, dict[str, Any]]


class _Problem(Exception):
    """A request that can't be served; `status` is HTTP's."""

    def __init__(self, status: int, title: str, detail: str = "") -> None:
        super().__init__(title)
        self.status, self.title, self.detail = status, title, detail


def register(app: Flask, site: Site) -> None:
    """Add the addresses."""
    api = _Api(site)
    app.add_url_rule(f"{BASE}/openapi.json", "openapi", api.describe)
    for path, name, method, scope, serve in (
        ("/lists", "api_lists", "GET", Scope.READ, api.lists),
        ("/subscribers", "api_find", "GET", Scope.READ, api.find),
        ("/subscribers", "api_add", "POST", Scope.WRITE, api.add),
        ("/subscribers/<int:number>", "api_show", "GET", Scope.READ, api.show),
        ("/subscribers/<int:number>", "api_update", "PATCH", Scope.WRITE, api.update),
        ("/subscribers/<int:number>/unsubscribe", "api_unsubscribe", "POST", Scope.WRITE, api.unsubscribe),
    ):
        app.add_url_rule(BASE + path, name, api.guarded(scope, serve), methods=[method])


def _json(status: int, document: Any, kind: str = "application/json") -> Response:
    body = json.dumps(document, default=_plain, ensure_ascii=False) + "\n"
    # A browser that is led here shows no page of what somebody may have put into a field.
    headers = {"Content-Disposition": 'attachment; filename="api.json"'}
    return Response(body, status, headers=headers, content_type=kind)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)


class _Api:
    def __init__(self, site: Site) -> None:
        self._site, self._space = site, site.space
        config = site.config
        self._description = describe(config.service.url, config.lists, config.attributes)
        self._public = describe(config.service.url, site.public_lists(), ())
        schemas = self._description["components"]["schemas"]
        checker = Draft202012Validator.FORMAT_CHECKER
        self._schemas = {
            name: Draft202012Validator(schemas[name], format_checker=checker)
            for name in ("NewSubscriber", "Changes", "Unsubscription")
        }

    def guarded(self, scope: Scope, serve: Callable[..., Answer]) -> Callable[..., Response]:
        """The operation behind its key, with every fault told as a problem."""
        store = self._space.store

        def answer(**path: int) -> Response:
            def work(session: Session) -> Answer:
                self._authorize(session, scope)
                if path and path["number"] > 2**53:
                    raise _Problem(404, "Nobody has that number")
                return serve(session, **path)

            try:
                with store.read() as session:
                    self._authorize(session, scope)
                    done = work(session) if scope is Scope.READ else None
                return _json(*(done or store.transact(work)))
            except _Problem as fault:
                return _problem(fault)

        return answer

    def _authorize(self, session: Session, scope: Scope) -> None:
        scopes = self._scopes(session)
        if scopes is None:
            self._site.security.note("API key refused", "there's none, or it's unknown or revoked")
            raise _Problem(401, "A key is needed", "Authorization: Bearer …; newsletter keys make NAME")
        if scope not in scopes:
            self._site.security.note("API key refused", f"it isn't good for {scope}")
            raise _Problem(403, f'The key is not good for "{scope}"')

    def _scopes(self, session: Session) -> frozenset[Scope] | None:
        """What the request's key is good for; None where there's no good one."""
        word, _, key = request.headers.get("Authorization", "").partition(" ")
        return keys.check(session, key.strip(), self._space.clock.now()) if word.lower() == "bearer" else None

    def describe(self) -> Response:
        """The description, with the names of what isn't public for those alone who have a key."""
        with self._space.store.read() as session:
            known = self._scopes(session)
        return _json(200, self._public if known is None else self._description)

    def lists(self, session: Session) -> Answer:
        del session
        known = self._space.config.lists
        return 200, {"lists": [{"list": slug, "name": one.name} for slug, one in known.items()]}

    def find(self, session: Session) -> Answer:
        person = audience.find(session, _address(request.args.get("email", "")))
        return 200, {"subscribers": [self._told(session, person)] if person else []}

    def show(self, session: Session, number: int) -> Answer:
        return 200, self._told(session, _person(session, number))

    def add(self, session: Session) -> Answer:
        given = self._read("NewSubscriber")
        address, lists, now = _address(given["email"]), given["lists"], self._space.clock.now()
        if "consent" in given:
            return 200, self._add_consented(session, address, given, now)
        if self._site.crowded_by_programs(session, lists):
            raise _Problem(429, "Too many requests", "letters to confirm are limited by list and in all")
        evidence = {**self._site.evidence(_SOURCE), "language": PROFILE["language"].fit(given.get("language", ""))}
        fields = {name: text for name, field in PROFILE.items() if (text := field.fit(given.get(name, "")))}
        details = {"lists": lists, "profile": fields, "evidence": evidence}
        language = evidence["language"] or self._site.config.archive.language
        transactional.ask(session, transactional.Kind.JOIN, address, language, details, now)
        return 202, {"id": None, "email": address, "lists": dict.fromkeys(lists, audience.Standing.PENDING)}

    def _add_consented(self, session: Session, address: str, given: dict[str, Any], now: dt.datetime) -> dict[str, Any]:
        """Add somebody whose consent was given elsewhere; whoever left or was stopped since stays so."""
        consent, lists = given["consent"], given["lists"]
        at = min(_moment(consent["at"]), now)
        if audience.reason_of(session, self._space.address_hash(address), *lists):
            raise _Problem(409, "The address is suppressed", "It may only be added by its owner, who confirms by mail")
        person, _ = audience.person_of(session, address, now)
        rows = audience.subscriptions(session, person.id, held=True)
        left = {
            one for row in rows if row.status == audience.Standing.UNSUBSCRIBED for one in self._site.names(row.list)
        }
        if gone := [name for name in lists if name in left]:
            raise _Problem(
                409, "They have left the list", f"{', '.join(gone)}: leave out the consent, and they are mailed"
            )
        evidence = {"consented_at": consent["at"], "consent": clean(consent["source"])}
        for name in sorted(lists):
            audience.subscribe(session, person.id, name, source=_SOURCE, evidence=evidence, now=now, back=False)
        person.consented_at = max(at, person.consented_at or at)
        profile.change(session, person, given, now)
        return self._told(session, person)

    def update(self, session: Session, number: int) -> Answer:
        person = _person(session, number, held=True)
        profile.change(session, person, self._read("Changes"), self._space.clock.now())
        return 200, self._told(session, person)

    def unsubscribe(self, session: Session, number: int) -> Answer:
        person, wanted = _person(session, number, held=True), self._read("Unsubscription")
        rows = audience.subscriptions(session, person.id)
        for row in rows:
            if "list" not in wanted or row.list == wanted["list"] or wanted["list"] in self._site.names(row.list):
                audience.unsubscribe(session, person.id, row.list, source=_SOURCE, now=self._space.clock.now())
        return 200, self._told(session, person)

    def _told(self, session: Session, person: SubscriberRecord) -> dict[str, Any]:
        session.flush()
        return {
            "id": person.id,
            "email": person.email,
            **{name: getattr(person, name) for name in PROFILE},
            "attributes": person.attributes,
            "tags": rights.tags(session, person.id),
            "lists": {row.list: row.status for row in audience.subscriptions(session, person.id)},
            "suppressed": audience.reason_of(session, self._space.address_hash(person.email)),
            "paused_until": person.paused_until,
        }

    def _read(self, schema: str) -> dict[str, Any]:
        """The request's body, as described."""
        if request.mimetype != "application/json":
            raise _Problem(415, "The request isn't JSON", "Content-Type: application/json")
        try:
            given = json.loads(request.get_data())
            json.dumps(given, ensure_ascii=False).encode()  # half of a surrogate pair is no text
        except (ValueError, RecursionError):
            raise _Problem(400, "The request isn't valid JSON") from None
        fault = next(iter(self._schemas[schema].iter_errors(given)), None)
        if fault is not None:
            where = "/".join(str(step) for step in fault.absolute_path)
            raise _Problem(400, "The request isn't as described", f"{where or 'the whole'}: {fault.message[:300]}")
        return dict(given)


def _person(session: Session, number: int, *, held: bool = False) -> SubscriberRecord:
    person = audience.held(session, number) if held else session.get(SubscriberRecord, number)
    if person is None:
        raise _Problem(404, "Nobody has that number")
    return person


def _address(text: str) -> str:
    try:
        return normalize(text)
    except InputError as fault:
        raise _Problem(400, "Not an address", str(fault)) from None


def problem(status: int, title: str) -> Response:
    """A fault that was found before any operation began."""
    return _problem(_Problem(status, title))


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment.astimezone(dt.UTC) if moment.tzinfo else _unclear()
    except (ValueError, OverflowError):
        return _unclear()


def _unclear() -> NoReturn:
    raise _Problem(400, "The request isn't as described", "consent/at: a time such as 2026-11-24T09:30:00Z")


def _problem(fault: _Problem) -> Response:
    document = {"title": fault.title, "status": fault.status, **({"detail": fault.detail} if fault.detail else {})}
    answer = _json(fault.status, document, "application/problem+json")
    if fault.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
