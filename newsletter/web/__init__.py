"""The public service: what readers reach from a message, and what providers and programs call.

GET and HEAD show a page and change nothing, however often a link scanner opens it; POST acts. No page needs a cookie
or JavaScript.

leaving     unsubscribing, with one press or one click
joining     the subscribe form, and confirming
choosing    the preference center
rights      somebody's data, and forgetting them
mangled     links that come otherwise than they were mailed
webhooks    what providers tell
api         what other programs may do
limits      how often mail may be asked for
security    the log of what was refused
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.middleware.proxy_fix import ProxyFix

from newsletter.errors import NewsletterError, described
from newsletter.web import api, changing, choosing, joining, leaving, rights, webhooks
from newsletter.web.mangled import Unmangled
from newsletter.web.site import Site
from newsletter.web.webhooks import LARGEST
from newsletter.workspace import Workspace

__all__ = ["LARGEST", "create_app"]

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
#: The largest form that is read, in bytes.
_LARGEST_FORM = 64 * 1024
#: Seconds after which programs may try again what the database couldn't take.
_AGAIN = "30"
_log = logging.getLogger(__name__)


class _Service(Flask):
    """Logs faults by the page and the place in our code: paths hold tokens, and messages may hold addresses."""

    def log_exception(self, exc_info: Any) -> None:
        """Log what Flask would log with its path and its message."""
        rule = request.url_rule.rule if request.url_rule else "no page"
        _log.error("a fault of ours at %s %s: %s", request.method, rule, described(exc_info[1]))


def create_app(space: Workspace) -> Flask:
    """The WSGI application of a workspace."""
    space.keyring()  # what can't be used is said now, not to the first reader
    app = _Service(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_FORM
    app.config["MAX_FORM_PARTS"] = 200
    app.json.sort_keys = False  # type: ignore[attr-defined]
    site = Site(space)
    site.prepare(app)
    app.after_request(_guard)
    if space.config.service.url.startswith("https:"):
        app.after_request(_always_https)

    def failed(fault: HTTPException) -> Any:
        asked_api = request.path.startswith(api.BASE)
        answer = app.make_response(api.problem(fault.code or 500, fault.name) if asked_api else site.unknown(fault))
        if isinstance(fault, MethodNotAllowed) and fault.valid_methods:
            answer.headers["Allow"] = ", ".join(sorted(fault.valid_methods))
        return answer

    def busy(fault: Exception) -> Any:
        """What can't be done now: the database is away, or somebody else has it."""
        if isinstance(fault, NewsletterError):
            _log.error("%s %s: %s", request.method, request.url_rule, fault)
        status = 503 if isinstance(fault, NewsletterError) else 500
        if request.path.startswith(api.BASE):
            answer = api.problem(status, "Try again later" if status == 503 else "Internal Server Error")
        else:
            answer = app.make_response(site.page("busy.html.j2", status=status))
        answer.headers["Retry-After"] = _AGAIN
        return answer

    for code in (404, 405, 413):
        app.register_error_handler(code, failed)
    app.register_error_handler(500, busy)
    app.register_error_handler(NewsletterError, busy)
    app.add_url_rule("/", "home", lambda: site.page("home.html.j2"))
    app.add_url_rule("/style.css", "style", site.style)
    for part in (leaving, joining, choosing, changing, rights, webhooks, api):
        part.register(app, site)
    app.wsgi_app = Unmangled(app.wsgi_app, lambda: space.signer)  # type: ignore[method-assign]  # Flask's own way
    if proxies := space.config.service.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
    return app


def _always_https(response: Response) -> Response:
    """Have browsers keep to https for a year (RFC 6797); whether subdomains do is not ours to say."""
    response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def _guard(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
