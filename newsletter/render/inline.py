"""Styles moved onto the elements, because some mail programs read no `<style>`."""

from __future__ import annotations

import logging
import re
from functools import cache, lru_cache
from typing import Any

_LEFT_ALONE = re.compile(r"<style(?=[^>]*>(?!\s*/\*inline\*/))")
_PREFORMATTED = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL)
_IGNORE = '<style data-premailer="ignore"'
_OPTIONS = {
    "strip_important": False,  # or columns stay stacked on a desktop
    "disable_basic_attributes": ["align", "bgcolor", "height", "valign", "width"],
    "keep_style_tags": False,  # of the inlined ones, that is; what is ignored is kept
    "remove_classes": False,
    "align_floating_images": False,  # none of ours float, and looking costs half of all
    "allow_network": False,
    "allow_loading_external_files": False,
    "disable_validation": True,
    "cssutils_logging_level": logging.CRITICAL,
}


def inline(html: str) -> str:
    """The page with the rules of its `/*inline*/` styles written onto the elements they match.

    Every other `<style>` stays as it is: media queries and MJML's own rules can't be inlined, and reading
    CSS is most of what this costs. The doctype, which premailer drops, is put back, and white space is squeezed,
    but for that of code.
    """
    page = _inliner()(_LEFT_ALONE.sub(_IGNORE, html), **_OPTIONS).transform().replace(_IGNORE, "<style")
    pieces = _PREFORMATTED.split(page)
    squeezed = (piece if number % 2 else re.sub(r"\s*\n\s*", "\n", piece) for number, piece in enumerate(pieces))
    return "<!doctype html>\n" + "".join(squeezed).strip() + "\n"


@cache
def _inliner() -> type[Any]:
    """premailer, but that a template's rules are read once: they are the same in each of its mails."""
    from premailer import Premailer  # slow to import, and the archive has no use for it

    @lru_cache(maxsize=32)
    def rules(css: str, number: int) -> Any:
        return Premailer("", **_OPTIONS)._parse_style_rules(css, number)

    class Inliner(Premailer):  # type: ignore[misc]  # premailer tells no types
        def _parse_style_rules(self, css_body: str, ruleset_index: int) -> Any:
            return rules(css_body, ruleset_index)

    return Inliner
