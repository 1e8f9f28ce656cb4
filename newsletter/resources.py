"""Where the files that come with the product lie: email and page templates, sample issues, example config.

In an installed wheel they stand inside the package; in a source checkout they stand at its top level,
where designers and writers look for them.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent


def _find(inside: str, beside: str) -> Path:
    path = _PACKAGE / inside
    return path if path.exists() else _CHECKOUT / beside


TEMPLATES = _find("templates", "templates")
SAMPLE_ISSUES = _find("demo/issues", "issues")
EXAMPLE_CONFIG = _find("config.example.toml", "config.example.toml")
