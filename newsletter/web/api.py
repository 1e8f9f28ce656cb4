"""What other programs may do."""

from __future__ import annotations

from flask import Flask

from newsletter.web.site import Site


def register(app: Flask, site: Site) -> None:
    """Add the addresses."""
