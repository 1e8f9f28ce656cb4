"""What all pages share: the workspace, the reader's language, the look, what a link says, and how much may be asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask, Response, g, render_template, request
from jinja2 import FileSystemLoader
from sqlalchemy.orm import Session

from newsletter import transactional
from newsletter.audience.fields import PROFILE
from newsletter.config import Config, MailingList, Publication
from newsletter.languages import LANGUAGES, best, translations
from newsletter.model.text import clean
from newsletter.resources import TEMPLATES
from newsletter.store.records import SubscriberRecord
from newsletter.tokens import Claim, Purpose
from newsletter.transactional import Kind
from newsletter.web.limits import Limits
from newsletter.web.security import SecurityLog
from newsletter.workspace import Workspace

_LONGEST_TOKEN = 600
#: How long a link to confirm, to somebody's data, or to forgetting them, can be used.
LINK_DAYS = 7
Answer = Response | str | tuple[str, int]


class Site:
    """The public service of a workspace."""

    def __init__(self, space: Workspace) -> None:
        self.space = space
        self.security = SecurityLog()
        self._limits = Limits(space.config.service)

    @property
    def config(self) -> Config:
        """What was decided."""
        return self.space.config

    def prepare(self, app: Flask) -> None:
        """Set the app up for this site's templates."""
        app.jinja_loader = FileSystemLoader([*self.space.template_folders("web")])
        app.jinja_options = {"autoescape": True, "extensions": ["jinja2.ext.i18n"], "trim_blocks": True}
        environment: Any = app.jinja_env
        environment.install_gettext_callables(
            lambda text: translations(self.language()).gettext(text),
            lambda one, many, n: translations(self.language()).ngettext(one, many, n),
            newstyle=True,
        )

    def page(self, name: str, *, lists: tuple[str, ...] = (), status: int = 200, **values: Any) -> tuple[str, int]:
        """A page in the reader's language, in the look of the publication that goes to one of the lists."""
        look = self.publication(lists)
        return render_template(
            name,
            organization=self.config.organization,
            archive=self.config.archive,
            language=self.language(),
            languages=LANGUAGES,
            look=look.slug if look else "",
            longest={name: field.longest for name, field in PROFILE.items()},
            **values,
        ), status

    def publication(self, lists: tuple[str, ...] = ()) -> Publication | None:
        """The publication that goes to one of the lists, or the first there is."""
        known = list(self.config.publications.values())
        return next((p for name in lists for p in known if p.list == name), known[0] if known else None)

    def public_lists(self) -> dict[str, MailingList]:
        """The lists that anybody may join."""
        return {slug: one for slug, one in self.config.lists.items() if one.public}

    def language(self) -> str:
        """The language that was chosen on the page, that the reader has told us, or that their browser asks for."""
        # Of a request that was refused, the body may not be readable.
        chosen = (request.args if "refused" in g else request.values).get("lang", "")
        if chosen in LANGUAGES:
            return chosen
        known = g.get("language", "")
        if known in LANGUAGES:
            return str(known)
        return best(list(request.accept_languages.values()), self.config.archive.language)

    def greet(self, person: SubscriberRecord) -> None:
        """Speak a known reader's language for the rest of this request."""
        g.language = person.language.partition("-")[0].lower()

    def claim(self, purpose: Purpose, token: str) -> Claim | None:
        """What a link's token says; None for whatever isn't one of ours, and for data and forgetting when it's old."""
        claim = self.space.signer.verify(purpose, token[:_LONGEST_TOKEN])
        if claim is None:
            self.security.note("link refused", f"no token of ours for {purpose.name.lower()}")
        elif purpose in (Purpose.DATA, Purpose.FORGET):
            made = dt.date.fromisoformat(claim.list)
            if self.space.clock.now().date() - made > dt.timedelta(days=LINK_DAYS):
                return None
        return claim

    def names(self, *lists: str) -> tuple[str, ...]:
        """The lists of config.toml that are meant by these names, of which some may be old ones."""
        found = (self.config.list_named(name) for name in lists)
        return tuple(dict.fromkeys(one.slug for one in found if one))

    def public_names(self, *lists: str) -> tuple[str, ...]:
        """Those of them that anybody may join."""
        return tuple(name for name in self.names(*lists) if name in self.public_lists())

    def names_of(self, name: str) -> tuple[str, ...]:
        """All names under which somebody may stand on the list that a link names: the one that it had when the link was
        mailed, and the one that it has now.
        """
        return tuple(dict.fromkeys((name, *self.names(name))))

    def list_name(self, name: str) -> str:
        """What readers know a list as; the name in their link, where config.toml has no such list any more."""
        found = self.config.list_named(name)
        return found.name if found else name

    def list_names(self, lists: Sequence[str]) -> list[str]:
        """What readers know lists as."""
        return [self.list_name(name) for name in lists]

    def unknown(self, fault: Any = None) -> tuple[str, int]:
        """The one answer to everything that leads nowhere, so that it tells nothing."""
        if fault is not None:
            g.refused = True
        return self.page("unknown.html.j2", status=int(getattr(fault, "code", 404)))

    def expired(self, again: str, lists: tuple[str, ...]) -> tuple[str, int]:
        """The page of a link that was good once, from which a fresh letter can be asked for at the path `again`."""
        return self.page("expired.html.j2", lists=lists, again=again, status=410)

    def mail_again(self, claim: Claim, lists: Sequence[str]) -> tuple[str, int]:
        """Mail the owner of a link a fresh letter to confirm."""
        with self.space.store.read() as session:
            person = session.get(SubscriberRecord, claim.subscriber)
        if person is None or not lists:
            return self.unknown()
        self.greet(person)
        if self.crowded(*lists):
            return self.page("crowded.html.j2", status=429)
        self.ask(Kind.JOIN, person.email, "a letter that had expired", lists)
        return self.page("check_mailbox.html.j2", address="")

    def ask(
        self,
        kind: Kind,
        address: str,
        form: str,
        lists: Sequence[str] = (),
        profile: Mapping[str, str] | None = None,
        subscriber: int = 0,
    ) -> None:
        """Write down that somebody asked for mail, with the evidence; `subscriber` is who asked, where the mail goes to
        an address that isn't theirs yet.
        """
        details: dict[str, Any] = {"lists": list(lists), "profile": dict(profile or {}), "subscriber": subscriber}
        details["evidence"] = self.evidence(form)
        details = {name: value for name, value in details.items() if value}
        language, now = self.language(), self.space.clock.now()
        self.space.store.transact(lambda session: transactional.ask(session, kind, address, language, details, now))

    def crowded(self, *lists: str) -> bool:
        """Whether this request for mail is one too many: of its network, for one of the lists, or in all."""
        with self.space.store.read() as session:
            return self._crowded(session, lists, by_network=True)

    def crowded_by_programs(self, session: Session, lists: Sequence[str]) -> bool:
        """The same for a program with a key, whose network isn't the reader's."""
        return self._crowded(session, lists, by_network=False)

    def _crowded(self, session: Session, lists: Sequence[str], *, by_network: bool) -> bool:
        slow = transactional.mostly_unconfirmed(session, self.space.clock.now())
        reached = self._limits.reached(lists, slow=slow, by_network=by_network)
        if reached:
            self.security.note("limit reached", reached + (", most who ask don't confirm" if slow else ""))
        return bool(reached)

    def evidence(self, form: str) -> dict[str, str]:
        """What proves later that somebody asked: from where, with what, on which page, in which language."""
        return {
            "form": form,
            "ip": request.remote_addr or "",
            "agent": clean(request.user_agent.string or "")[:300],
            "page": clean(request.referrer or "")[:300],
            "language": self.language(),
        }

    def style(self) -> Response:
        """The style sheet, with the colours of the publication that `look` names."""
        css = (TEMPLATES / "web" / "style.css").read_text(encoding="utf-8")
        own = self.space.folder / "templates" / "web" / "style.css"
        css = own.read_text(encoding="utf-8") if own.exists() else css
        chosen = self.config.publications.get(request.args.get("look", ""))
        if chosen:
            css += f":root {{ --accent: {chosen.brand.accent}; }}\n"
            css += f"@media (prefers-color-scheme: dark) {{ :root {{ --accent: {chosen.brand.accent_dark}; }} }}\n"
        return Response(css, content_type="text/css; charset=utf-8")


def masked(address: str) -> str:
    """Enough of an address for its owner to know it by, and for nobody else: links get forwarded."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}{'•' * 4}@{domain}"
