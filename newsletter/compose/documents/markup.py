"""Markdown and HTML as files hold them, made into HTML whose meaning stands in its elements."""

from __future__ import annotations

import logging
import re

from markdown_it import MarkdownIt

#: Google Docs names its headings so.
_ANCHOR = re.compile(r"[ \t]*\{#[\w.-]+\}[ \t]*$", re.MULTILINE)


def to_html(markdown: str) -> str:
    """Markdown, with tables and struck words, as HTML; other HTML in it stays text."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.validateLink = _may_lead  # type: ignore[method-assign]  # the library's own way to allow data: pictures
    return str(parser.render(_ANCHOR.sub("", markdown.replace("\r\n", "\n"))))


def _may_lead(url: str) -> bool:
    return not re.match(r"\s*(?:javascript|vbscript|file):", url, re.IGNORECASE)


def inlined(html: str) -> str:
    """A page with its style sheet's rules on its elements: Google Docs says by classes what is bold. A sheet that
    can't be read is left out.
    """
    from premailer import Premailer

    # Word hides its list marks from other programs in this.
    html = re.sub(r"<!\[(?:if [^\]]*|endif)\]>", "", html)
    try:
        made = Premailer(
            html,
            keep_style_tags=False,
            remove_classes=False,
            disable_validation=True,
            allow_network=False,
            disable_leftover_css=True,
            cssutils_logging_level=logging.CRITICAL,
        ).transform()
    except (
        Exception
    ):  # of premailer's, lxml's and cssutils' own kinds: whatever is wrong with the sheet, the words stay
        logging.getLogger(__name__).debug("a document's style sheet can't be read", exc_info=True)
        return html
    return str(made)
