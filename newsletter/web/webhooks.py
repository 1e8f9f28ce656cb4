"""What providers tell, at `/webhooks/<provider>`, where the provider is named as in config.toml.

A call proves itself by its raw bytes before anything in it is read; it's answered with 200 when it's on the disk.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from flask import Flask, Response, request

from newsletter import providers
from newsletter.errors import NewsletterError, WebhookError
from newsletter.feedback.effects import Effects
from newsletter.feedback.intake import Intake
from newsletter.providers import Provider
from newsletter.web.site import Site

#: The largest call that is read, in bytes; SendGrid's hold up to a thousand events.
LARGEST = 8 * 1024 * 1024
#: So many kinds of refusals are logged at most.
_MOST_KINDS = 100
_log = logging.getLogger(__name__)
_security = logging.getLogger("newsletter.security")


def register(app: Flask, site: Site) -> None:
    """Add the one address."""
    app.add_url_rule("/webhooks/<name>", "webhook", _Calls(site).take, methods=["POST"])


class _Calls:
    def __init__(self, site: Site) -> None:
        self._site = site
        space = site.space
        self._intake = Intake(
            space.store,
            Effects(space.config.feedback, space.address_hash),
            space.marks,
            space.clock.now,
            {slug: one.type for slug, one in space.config.providers.items()},
        )
        self._known: dict[str, Provider | None] = {}
        self._loading, self._logging = threading.Lock(), threading.Lock()
        self._logged: set[tuple[str, str]] = set()

    def take(self, name: str) -> Any:
        provider = self._provider(name)
        if provider is None:
            return _said(404, "There is nothing here.")
        request.max_content_length = LARGEST
        body = request.get_data(cache=False)
        try:
            events = provider.parse_webhook(body, dict(request.headers))
        except WebhookError as fault:
            self._log(name, str(fault), _security)
            return _said(403, "Not accepted.")
        except NewsletterError as fault:
            self._log(name, str(fault))
            return _said(503, "Try again later.")
        try:
            self._intake.keep(name, body, events)
        except NewsletterError as fault:
            # They try again, and nothing is lost.
            self._log(name, str(fault))
            return _said(503, "Try again later.")
        return _said(200, "Kept.")

    def _provider(self, name: str) -> Provider | None:
        """The provider of that name, made at first use; None for one that has no webhooks or isn't in config.toml."""
        if name not in self._site.config.providers:
            return None
        with self._loading:
            if name not in self._known:
                self._known[name] = self._load(name)
            return self._known[name]

    def _load(self, name: str) -> Provider | None:
        try:
            provider = providers.load(self._site.config.providers[name], self._site.space.folder)
        except NewsletterError as fault:
            self._log(name, str(fault))
            return None
        return provider if type(provider).parse_webhook is not Provider.parse_webhook else None

    def _log(self, name: str, why: str, log: logging.Logger = _log) -> None:
        """Log each kind of refusal once: a vendor that's set up wrongly calls again and again."""
        with self._logging:
            if (name, why) in self._logged or len(self._logged) >= _MOST_KINDS:
                return
            self._logged.add((name, why))
        log.warning("webhooks of %s: %s", name, why)


def _said(status: int, what: str) -> Response:
    return Response(f"{what}\n", status=status, content_type="text/plain; charset=utf-8")
