"""What all pages share: the workspace, the reader's language, the look, and how much one network may ask."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import Any

from flask import Flask, Response, g, render_template, request
from jinja2 import FileSystemLoader
from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from newsletter.config import Config, MailingList, Publication
from newsletter.languages import LANGUAGES, best, translations
from newsletter.resources import TEMPLATES
from newsletter.store.records import SubscriberRecord
from newsletter.tokens import Claim, Purpose
from newsletter.workspace import Workspace

_LONGEST_TOKEN = 300
#: How long a link to somebody's data, or to forgetting them, can be used.
LINK_DAYS = 7
Answer = Response | str | tuple[str, int]


class Site:
    """The public service of a workspace."""

    def __init__(self, space: Workspace) -> None:
        self.space = space
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limits = parse_many(space.config.service.rate_limit)

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
        g.language = person.language.partition("-")[0]

    def claim(self, purpose: Purpose, token: str) -> Claim | None:
        """What a link's token says; None for whatever isn't one of ours, and for data and forgetting when it's old."""
        claim = self.space.signer.verify(purpose, token[:_LONGEST_TOKEN])
        if claim is not None and purpose in (Purpose.DATA, Purpose.FORGET):
            made = dt.date.fromisoformat(claim.list)
            if self.space.clock.now().date() - made > dt.timedelta(days=LINK_DAYS):
                return None
        return claim

    def unknown(self, fault: Any = None) -> tuple[str, int]:
        """The one answer to everything that leads nowhere, so that it tells nothing."""
        if fault is not None:
            g.refused = True
        return self.page("unknown.html.j2", status=int(getattr(fault, "code", 404)))

    def crowded(self) -> bool:
        """Whether this request is one too many from its network."""
        return not all(self._limiter.hit(limit, _network()) for limit in self._limits)

    def evidence(self, form: str) -> dict[str, str]:
        """What proves later that somebody asked: from where, with what, on which page, in which language."""
        return {
            "form": form,
            "ip": request.remote_addr or "",
            "agent": (request.user_agent.string or "")[:300],
            "page": (request.referrer or "")[:300],
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


def _network() -> str:
    """The caller's network: the first 24 bits of an IPv4 address, 64 of an IPv6 one, since one household has all."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    bits = 24 if address.version == 4 else 64
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))
