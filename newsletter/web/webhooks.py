"""What providers tell, at `/webhooks/<provider>`, where the provider is named as in config.toml.

A call proves itself by its raw bytes before anything in it is read; it's answered with 200 when it's on the disk.
"""

from __future__ import annotations

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


def register(app: Flask, site: Site) -> None:
    """Add the one address."""
    app.add_url_rule("/webhooks/<name>", "webhook", _Calls(site).take, methods=["POST"])


class _Calls:
    def __init__(self, site: Site) -> None:
        self._site = site
        space = site.space
        self._intake = Intake(
            space.store, Effects(space.config.feedback, space.address_hash), space.marks, space.clock.now
        )
        self._known: dict[str, Provider | None] = {}
        self._loading = threading.Lock()

    def take(self, name: str) -> Any:
        provider = self._provider(name)
        if provider is None:
            return _said(404, "There is nothing here.")
        request.max_content_length = LARGEST
        body = request.get_data(cache=False)
        try:
            events = provider.parse_webhook(body, dict(request.headers))
        except WebhookError:
            return _said(403, "Not accepted.")
        try:
            self._intake.keep(name, body, events)
        except NewsletterError:
            # They try again, and nothing is lost.
            return _said(503, "Try again later.")
        return _said(200, "Kept.")

    def _provider(self, name: str) -> Provider | None:
        """The provider of that name, made at first use; None for one that has no webhooks or isn't set up."""
        with self._loading:
            if name not in self._known:
                self._known[name] = self._load(name)
            return self._known[name]

    def _load(self, name: str) -> Provider | None:
        config = self._site.config.providers.get(name)
        if config is None:
            return None
        try:
            provider = providers.load(config, self._site.space.folder)
        except NewsletterError:
            return None
        return provider if type(provider).parse_webhook is not Provider.parse_webhook else None


def _said(status: int, what: str) -> Response:
    return Response(f"{what}\n", status=status, content_type="text/plain; charset=utf-8")
