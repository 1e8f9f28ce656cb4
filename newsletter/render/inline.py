"""Styles moved onto the elements, because some mail programs read no `<style>`."""

from __future__ import annotations

import logging
import re

_LEFT_ALONE = re.compile(r"<style(?=[^>]*>(?!\s*/\*inline\*/))")
_IGNORE = '<style data-premailer="ignore"'


def inline(html: str) -> str:
    """The page with the rules of its `/*inline*/` styles written onto the elements they match.

    Every other `<style>` stays as it is: media queries and MJML's own rules can't be inlined, and reading
    CSS is most of what this costs. The doctype, which premailer drops, is put back, and white space is squeezed.
    """
    from premailer import Premailer  # slow to import, and the archive has no use for it

    premailer = Premailer(
        _LEFT_ALONE.sub(_IGNORE, html),
        strip_important=False,  # or columns stay stacked on a desktop
        disable_basic_attributes=["align", "bgcolor", "height", "valign", "width"],
        keep_style_tags=False,  # of the inlined ones, that is; what is ignored is kept
        remove_classes=False,
        align_floating_images=False,  # none of ours float, and looking costs half of all
        allow_network=False,
        allow_loading_external_files=False,
        disable_validation=True,
        cssutils_logging_level=logging.CRITICAL,
    )
    page = premailer.transform().replace(_IGNORE, "<style")
    return "<!doctype html>\n" + re.sub(r"\s*\n\s*", "\n", page).strip() + "\n"
