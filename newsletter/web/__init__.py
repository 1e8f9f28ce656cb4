"""The public service: what readers reach from a message. For now, leaving a list.

GET and HEAD show a page and change nothing, however often a link scanner opens it; POST acts. The mailbox
providers' one-click POST (RFC 8058) comes without a cookie and gets a plain 200, no redirect.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, render_template, request
from jinja2 import FileSystemLoader

from newsletter import audience
from newsletter.config import MailingList
from newsletter.resources import TEMPLATES
from newsletter.tokens import Claim, Purpose
from newsletter.workspace import Workspace

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
_LONGEST_TOKEN = 300


def create_app(space: Workspace) -> Flask:
    """The WSGI application of a workspace."""
    app = Flask(__name__, static_folder=None)
    app.jinja_options = {"autoescape": True}
    app.jinja_loader = FileSystemLoader([space.folder / "templates" / "web", TEMPLATES / "web"])
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    app.after_request(_guard)
    pages = _Pages(space)
    for code in (404, 405, 413):
        app.register_error_handler(code, pages.unknown)
    app.add_url_rule("/", view_func=pages.home)
    app.add_url_rule("/style.css", view_func=pages.style)
    app.add_url_rule("/u/", view_func=pages.without_token)
    app.add_url_rule("/u/<token>", "ask", pages.ask)
    app.add_url_rule("/u/<token>", "leave", pages.leave, methods=["POST"])
    return app


def _guard(response: Response) -> Response:
    response.headers.update(_HEADERS)
    return response


class _Pages:
    """The pages of the service; only those that answer POST change anything."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    def home(self) -> str:
        return self._page("home.html.j2")

    def style(self) -> Response:
        css = (TEMPLATES / "web" / "style.css").read_text(encoding="utf-8")
        return Response(css, content_type="text/css; charset=utf-8")

    def without_token(self) -> str:
        """Where the archive's copies of messages lead: they belong to no reader."""
        return self._page("unknown.html.j2")

    def ask(self, token: str) -> Any:
        found = self._read(token)
        return self._page("unsubscribe.html.j2", mailing_list=found[1]) if found else self.unknown()

    def leave(self, token: str) -> Any:
        found = self._read(token)
        if found is None:
            return self.unknown()
        claim, mailing_list = found
        one_click = request.form.get("List-Unsubscribe") == "One-Click"
        with self._space.store.write() as session:
            source = "one-click" if one_click else "unsubscribe page"
            now = self._space.clock.now()
            audience.unsubscribe(session, claim.subscriber, claim.list, source=source, now=now)
        if one_click:
            return Response("Unsubscribed.\n", content_type="text/plain; charset=utf-8")
        return self._page("unsubscribed.html.j2", mailing_list=mailing_list)

    def unknown(self, fault: Any = None) -> tuple[str, int]:
        """The one answer to everything that leads nowhere, so that it tells nothing."""
        return self._page("unknown.html.j2"), int(getattr(fault, "code", 404))

    def _read(self, token: str) -> tuple[Claim, MailingList] | None:
        claim = self._space.signer.verify(Purpose.UNSUBSCRIBE, token[:_LONGEST_TOKEN])
        mailing_list = self._space.config.lists.get(claim.list) if claim else None
        return (claim, mailing_list) if claim and mailing_list else None

    def _page(self, name: str, **values: Any) -> str:
        config = self._space.config
        return render_template(name, organization=config.organization, archive=config.archive, **values)
