"""What a page doesn't show its readers, or shows beside its text: out of it, and into the notes."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Comment, Tag

from newsletter.compose.documents.excerpt import short

_NEVER_SHOWN = ("head", "script", "style", "meta", "link", "title", "xml", "template", "base", "datalist")
_HIDDEN = re.compile(r"(?:^|;)(?:display:none|visibility:hidden|opacity:0(?:\.0*)?(?:;|!|$))")
_FLAT = re.compile(r"(?:^|;)(?:max-)?height:0(?:px)?(?:;|!|$)")
#: Comments that mail programs and browsers write for themselves.
_FOR_PROGRAMS = re.compile(r"\s*(?:\[(?:if|endif)|<!|/?\*|saved from|StartFragment|EndFragment|\s*$)", re.IGNORECASE)


def style_of(element: Tag) -> str:
    """An element's style, in lower case and without blanks."""
    return "".join(str(element.get("style", "")).lower().split())


def without_the_unseen(page: BeautifulSoup) -> list[str]:
    """Take out what nobody sees; a note on each that has words. What `mso-hide` hides, it hides in Outlook alone."""
    notes = []
    for element in page.find_all(_NEVER_SHOWN):
        element.decompose()
    for comment in page.find_all(string=lambda text: isinstance(text, Comment)):
        if re.search(r"\w", comment) and not _FOR_PROGRAMS.match(comment):
            notes.append(f"a comment is left out: “{short(comment)}”")
        comment.extract()
    for element in page.find_all(_is_hidden):
        if not element.decomposed:
            if re.search(r"\w", words := element.get_text(" ")):
                notes.append(f"hidden text is left out: “{short(words)}”")
            element.decompose()
    return notes


def _is_hidden(element: Tag) -> bool:
    style = style_of(element)
    is_flat = "overflow:hidden" in style and _FLAT.search(style) is not None
    return is_flat or element.has_attr("hidden") or _HIDDEN.search(style) is not None


def without_comments(page: BeautifulSoup) -> list[str]:
    """Take out what was said beside the text in Google Docs, and in Word when it saves a page."""
    notes = []
    for mark in page.select('a[href^="#cmnt_ref"], a[href*="_msoanchor"], .msocomtxt'):
        if mark.decomposed:
            continue
        box = mark if "msocomtxt" in (mark.get("class") or ()) else mark.find_parent("div") or mark.find_parent("p")
        words = re.sub(r"^\[\w+\]", "", (box or mark).get_text(" ", strip=True)).strip()
        notes.append(f"a comment is left out: “{short(words)}”")
        (box or mark).decompose()
    for mark in page.select('a[href^="#cmnt"], a[href*="_msocom"], .MsoCommentReference, [style*="mso-comment"]'):
        if not mark.decomposed:
            (mark.find_parent("sup") or mark).decompose()
    for deleted in page.find_all("del", attrs={"cite": True}):  # a tracked change of Word's pages
        notes.append(f"a tracked change: what was deleted is left out: “{short(deleted.get_text())}”")
        deleted.decompose()
    return notes
