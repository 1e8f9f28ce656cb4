"""Rules about the finished mail as those read it who listen, zoom, or turn the colours off.

They are what the Email Markup Consortium's reports (https://emailmarkup.org) name as missing most, and what WCAG 2.2
asks that a machine can see in a mail. The reports are made with Parcel's checker, whose own list is longer: it has
rules for VML, of which our templates have none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from newsletter.check.accessibility import contrast
from newsletter.check.rules import Found, Subject, rule
from newsletter.check.seen import Element, Run, is_hidden, runs, shown, style_of, tree_of, words_of
from newsletter.model import Severity

_WHERE = "html part"
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SMALLEST, _TIGHTEST = 14, 1.1
#: From so many pixels on, words are large: 24, or 18.66 where they're bold (WCAG 1.4.3).
_LARGE, _LARGE_BOLD = 24.0, 18.66


def on_the_page(name: str, severity: Severity) -> Callable[[Callable[[Element], Iterator[str]]], object]:
    """Register a rule about the mail's HTML, given its root."""

    def register(find: Callable[[Element], Iterator[str]]) -> Callable[[Subject], Found]:
        def run(subject: Subject) -> Found:
            page = subject.largest
            yield from ((_WHERE, message) for message in (find(tree_of(page)) if page else ()))

        run.__doc__ = find.__doc__
        return rule(name, severity)(run)

    return register


def _shown(root: Element, *tags: str) -> Iterator[Element]:
    """The elements that are shown, of some tags."""
    return (element for element in shown(root) if element.tag in tags)


def _wrappers(root: Element) -> list[Element]:
    """`<html>`, and what stands directly in `<body>`: some programs drop everything around that."""
    body = root.find("body")
    inside = (
        [child for child in body if isinstance(child.tag, str) and not is_hidden(child)] if body is not None else []
    )
    return [root, *inside]


@on_the_page("accessibility/language", Severity.ERROR)
def language(root: Element) -> Iterator[str]:
    """`lang` stands on <html> and on each direct child of <body>, since some programs drop <html> (WCAG 3.1.1)."""
    for element in _wrappers(root):
        if not _TAG.fullmatch(str(element.get("lang", ""))):
            yield f"<{element.tag}> doesn't say its language with lang"


@on_the_page("accessibility/direction", Severity.ERROR)
def direction(root: Element) -> Iterator[str]:
    """`dir` stands on <html> and on each direct child of <body>: ltr or rtl."""
    for element in _wrappers(root):
        if element.get("dir") not in ("ltr", "rtl", "auto"):
            yield f"<{element.tag}> doesn't say its direction with dir"


@on_the_page("accessibility/no-title", Severity.ERROR)
def no_title(root: Element) -> Iterator[str]:
    """<title> says what the mail is about (WCAG 2.4.2)."""
    title = root.find("head/title")
    if title is None or not re.search(r"\w", title.text or ""):
        yield "there is no <title> with words"


@on_the_page("accessibility/character-set", Severity.ERROR)
def character_set(root: Element) -> Iterator[str]:
    """A <meta> names the character set: without it, letters with accents break."""
    metas = [f"{meta.get('charset', '')} {meta.get('content', '')}".lower() for meta in root.iter("meta")]
    if not any("utf-8" in meta for meta in metas):
        yield "no <meta> says that the characters are UTF-8"


@on_the_page("accessibility/viewport", Severity.ERROR)
def viewport(root: Element) -> Iterator[str]:
    """A <meta name="viewport"> lets phones show words in their size, and readers zoom (WCAG 1.4.4)."""
    found = [str(meta.get("content", "")).lower() for meta in root.iter("meta") if meta.get("name") == "viewport"]
    if not any("width=device-width" in content.replace(" ", "") for content in found):
        yield "no <meta> names the viewport's width"
    for content in found:
        plain = content.replace(" ", "")
        if re.search(r"user-scalable=(no|0)|maximum-scale=[01](\.\d+)?(?!\d)", plain):
            yield f'the viewport "{content}" forbids to zoom'


@on_the_page("accessibility/color-schemes", Severity.WARNING)
def color_schemes(root: Element) -> Iterator[str]:
    """<meta name="color-scheme"> and "supported-color-schemes" say that there are colours for light and dark."""
    for name in ("color-scheme", "supported-color-schemes"):
        found = (str(meta.get("content", "")) for meta in root.iter("meta") if meta.get("name") == name)
        if not any("light" in content and "dark" in content for content in found):
            yield f'no <meta name="{name}"> names light and dark'


@on_the_page("accessibility/picture-without-alt", Severity.ERROR)
def picture_without_alt(root: Element) -> Iterator[str]:
    """Every <img> has an alt; an empty one for what only adorns (WCAG 1.1.1)."""
    for image in _shown(root, "img"):
        if image.get("alt") is None:
            yield f"the picture {str(image.get('src', ''))[-40:]} has no alt"


@on_the_page("accessibility/nameless-link", Severity.ERROR)
def nameless_link(root: Element) -> Iterator[str]:
    """A link says where it leads: by its words, or by the alt of its picture (WCAG 2.4.4)."""
    for link in _shown(root, "a"):
        if link.get("href") is not None and not words_of(link):
            yield f"the link to {str(link.get('href'))[:60]} has no name"


@on_the_page("accessibility/same-words", Severity.WARNING)
def same_words(root: Element) -> Iterator[str]:
    """Links with the same words lead to the same place, unless the heading above tells them apart (WCAG 2.4.4)."""
    known: dict[tuple[str, str], str] = {}
    heading = ""
    for element in _shown(root, "a", "h1", "h2", "h3", "h4", "h5", "h6"):
        if element.tag != "a":
            heading = words_of(element)
            continue
        words, target = words_of(element).casefold(), str(element.get("href", ""))
        if words and target and known.setdefault((words, heading), target) != target:
            yield f'two links named "{words[:60]}" lead to different places'


@on_the_page("accessibility/unmarked-link", Severity.WARNING)
def unmarked_link(root: Element) -> Iterator[str]:
    """A link within a sentence is underlined: colour alone isn't seen by everybody (WCAG 1.4.1)."""
    for link in _shown(root, "a"):
        block = link.getparent()
        if block is None or block.tag not in ("p", "li", "td", "span", "em", "strong"):
            continue
        around = "".join(map(str, block.itertext()))
        if style_of(link).get("text-decoration") == "none" and len(around.strip()) > len(words_of(link)) + 20:
            yield f'the link "{words_of(link)[:60]}" isn\'t underlined'


def _is_data(table: Element) -> bool:
    """Whether a table has headings or a caption of its own."""
    cells = (element for element in table.iter("th", "caption") if next(element.iterancestors("table")) is table)
    return next(cells, None) is not None


@on_the_page("accessibility/layout-table", Severity.ERROR)
def layout_table(root: Element) -> Iterator[str]:
    """A table that only places things has role="presentation": it's else read out as rows and columns."""
    for table in _shown(root, "table"):
        if table.get("role") not in ("presentation", "none") and not _is_data(table):
            yield 'a table has neither headings nor role="presentation"'


@on_the_page("accessibility/data-table", Severity.ERROR)
def data_table(root: Element) -> Iterator[str]:
    """A table of data says which cells are headings, and of what; it isn't marked as layout (WCAG 1.3.1)."""
    for table in _shown(root, "table"):
        if not _is_data(table):
            continue
        if table.get("role") in ("presentation", "none"):
            yield 'a table with headings has role="presentation"'
        if any(cell.get("scope") not in ("col", "row", "colgroup", "rowgroup") for cell in table.iter("th")):
            yield "a heading of a table has no scope"


@on_the_page("accessibility/headings", Severity.WARNING)
def headings(root: Element) -> Iterator[str]:
    """The mail has one <h1>; no heading is empty, and none skips a level (WCAG 1.3.1)."""
    found = list(_shown(root, "h1", "h2", "h3", "h4", "h5", "h6"))
    firsts = sum(heading.tag == "h1" for heading in found)
    if firsts != 1:
        yield f"there are {firsts} <h1>; one says what the mail is"
    before = 0
    for heading in found:
        level = int(str(heading.tag)[1])
        if not words_of(heading):
            yield f"an <h{level}> is empty"
        elif level > before + 1:
            yield f'<h{level}> "{words_of(heading)[:60]}" skips a level'
        before = level


@on_the_page("accessibility/broken-list", Severity.ERROR)
def broken_list(root: Element) -> Iterator[str]:
    """<ul> and <ol> hold <li>, and <li> stand in them (WCAG 1.3.1)."""
    for element in _shown(root, "ul", "ol"):
        if any(isinstance(child.tag, str) and child.tag not in ("li", "script", "template") for child in element):
            yield f"a <{element.tag}> holds something else than <li>"
    for item in _shown(root, "li"):
        above = item.getparent()
        if above is None or above.tag not in ("ul", "ol", "menu"):
            yield "a <li> stands outside of a list"


def on_the_words(name: str, severity: Severity) -> Callable[[Callable[[Run], Iterator[str]]], object]:
    """Register a rule about the words that are shown; it's given each run of them."""

    def register(find: Callable[[Run], Iterator[str]]) -> Callable[[Subject], Found]:
        def run(subject: Subject) -> Found:
            page = subject.largest
            for words in runs(page) if page else ():
                yield from ((_WHERE, message) for message in find(words))

        run.__doc__ = find.__doc__
        return rule(name, severity)(run)

    return register


@rule("accessibility/text-contrast", Severity.ERROR)
def text_contrast(subject: Subject) -> Found:
    """Words stand out from what is behind them, in light and dark, alternative texts included (WCAG 1.4.3)."""
    page = subject.largest
    for dark in (False, True) if page else ():
        told: set[tuple[str, str]] = set()
        for run in runs(page, dark=dark):
            color, ground = run.look.color, run.look.ground
            if not color or not ground or (color, ground) in told or not re.search(r"\w", run.words):
                continue
            ratio, needed = contrast(color, ground), 3.0 if _is_large(run) else 4.5
            if ratio < needed:
                told.add((color, ground))
                scheme = ", in the dark" if dark else ""
                said = f"{color} on {ground} has a contrast of {ratio:.1f}; {needed:g} is needed{scheme}"
                yield _WHERE, f'{said}: "{run.words[:40]}"'


def _is_large(run: Run) -> bool:
    return run.look.size >= _LARGE or (run.look.bold and run.look.size >= _LARGE_BOLD)


@on_the_words("accessibility/small-text", Severity.WARNING)
def small_text(run: Run) -> Iterator[str]:
    """Words are at least 14 pixels high."""
    if 0 < run.look.size < _SMALLEST and re.search(r"\w", run.words):
        yield f'"{run.words[:40]}" is {run.look.size:g} pixels high; {_SMALLEST} can be read'


@on_the_words("accessibility/tight-lines", Severity.WARNING)
def tight_lines(run: Run) -> Iterator[str]:
    """Lines don't touch: they're at least a tenth higher than their letters."""
    look = run.look
    if not run.is_picture and look.line is not None and look.line < _TIGHTEST:
        yield f'"{run.words[:40]}" has lines {look.line:g} times as high as its letters; {_TIGHTEST} is needed'


@on_the_words("accessibility/justified", Severity.WARNING)
def justified(run: Run) -> Iterator[str]:
    """Text isn't justified: the gaps between words make it hard to read (WCAG 1.4.8)."""
    if run.look.align == "justify":
        yield f'"{run.words[:40]}" is justified'


@on_the_words("accessibility/capitals", Severity.WARNING)
def capitals(run: Run) -> Iterator[str]:
    """Words aren't set in capitals by the style sheet: some programs read them out letter by letter."""
    if run.look.capitals and re.search(r"[^\W\d_]{2}", run.words):
        yield f'"{run.words[:40]}" is set in capitals'


@on_the_page("accessibility/typed-list", Severity.WARNING)
def typed_list(root: Element) -> Iterator[str]:
    """Lines that begin with a bullet are a list, and are marked up as one (WCAG 1.3.1)."""
    for block in _shown(root, "p", "div"):
        pieces = [block.text, *(child.tail for child in block if child.tag == "br")]
        typed = [text.strip() for text in pieces if text and re.match(r"\s*[•◦▪‣●○■·*]\s", text)]
        if len(typed) > 1:
            yield f'"{typed[0][:40]}" and what follows are lines with bullets, and no list'
