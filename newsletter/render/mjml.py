"""MJML, checked and compiled to HTML.

mjml-python lets unknown tags and attributes pass in silence, so that they are checked here first, against
the tables below: the part of MJML 4 and 5 that both its own and the official compiler carry out alike.
MJML is held to be XML here (`<br/>`, `&#160;`).

Every MJML tag says where it was written, in an attribute `at="template:line"` that `with_places` adds to a
template's source and that is gone from the HTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

import mjml
from lxml import etree

from newsletter.errors import nearest

_PADDING = {"padding", "padding-top", "padding-right", "padding-bottom", "padding-left"}
_BORDER = {"border", "border-top", "border-right", "border-bottom", "border-left", "border-radius"}
_FONT = {"font-family", "font-size", "font-style", "font-weight", "letter-spacing", "line-height", "color"}
_BLOCK = {"css-class", "mj-class", *_PADDING}
_LEAF = {*_BLOCK, "align", "container-background-color"}

#: The tags and what each may carry.
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    tag: frozenset(names)
    for tag, names in {
        "mjml": {"lang", "dir", "owa"},
        "mj-head": set[str](),
        "mj-title": set[str](),
        "mj-preview": set[str](),
        "mj-breakpoint": {"width"},
        "mj-style": {"inline"},
        "mj-attributes": set[str](),
        "mj-raw": set[str](),
        "mj-body": {"background-color", "css-class", "width"},
        "mj-wrapper": {*_BLOCK, *_BORDER, "background-color", "full-width", "text-align"},
        "mj-section": {*_BLOCK, *_BORDER, "background-color", "direction", "full-width", "text-align"},
        "mj-group": {"css-class", "mj-class", "width", "direction", "vertical-align", "background-color"},
        "mj-column": {
            *_BLOCK,
            *_BORDER,
            *(f"inner-{name}" for name in (*_BORDER, "background-color")),
            *("background-color", "direction", "vertical-align", "width"),
        },
        "mj-text": {*_LEAF, *_FONT, "height", "text-decoration", "text-transform"},
        "mj-table": {*_LEAF, *_FONT, "border", "cellpadding", "cellspacing", "role", "table-layout", "width"},
        "mj-image": {
            *(
                *_LEAF,
                *_BORDER,
                "alt",
                "fluid-on-mobile",
                "font-size",
                "height",
                "href",
                "rel",
                "src",
                "target",
                "title",
            ),
            "width",
        },
        "mj-button": {
            *(*_LEAF, *_FONT, *_BORDER, "background-color", "height", "href", "inner-padding", "rel", "target"),
            *("text-align", "text-decoration", "text-transform", "title", "vertical-align", "width"),
        },
        "mj-divider": {*_LEAF, "border-color", "border-style", "border-width", "width"},
        "mj-spacer": {*_BLOCK, "container-background-color", "height"},
    }.items()
}
_EVERY = frozenset[str]().union(*ATTRIBUTES.values())
# Only inside <mj-attributes>.
_DEFAULTS: Mapping[str, frozenset[str]] = {"mj-all": _EVERY, "mj-class": _EVERY | {"name"}}
_HINTS = {"mj-include": "include with Jinja: {% include %}", "mj-font": "use fonts that readers have"}

_AT = re.compile(r' at="([^"]*)"')
_TAG = re.compile(r"<(mjml|mj-[\w-]+)(?=[\s/>])")
# The compiler counts "0 8px" as no padding at all where it counts widths for Outlook; "0px 8px" it reads.
_PADDINGS = re.compile(r'\s(?:inner-)?padding(?:-\w+)?="[^"<>]*"')
_ZERO = re.compile(r"(?<![\w.])0(?![\w.%])")
_ELEMENT = re.compile(r"""<[A-Za-z](?:[^<>"']|"[^"]*"|'[^']*')*>""")
#: What the compiler would write into an attribute as "\\n", "\\\\" or "\\u{301}": all but plain ASCII.
_SPELLED_OUT = re.compile(r"[^ -\[\]-~]")
#: A line's end between two words that are marked; the compiler drops white space with a line's end in it.
_BETWEEN_WORDS = re.compile(
    r"(</(?:a|abbr|b|big|cite|code|del|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|tt|u|var)>)"
    r"\s*\n\s*(?=<[a-z])"
)
_TITLE = re.compile(r"<mj-title(?: [^>]*)?>(.*?)</mj-title>", re.DOTALL)


class MjmlError(ValueError):
    """What is wrong, `at` which "template:line" (empty if nobody knows), and a hint."""

    def __init__(self, what: str, at: str = "", hint: str = "") -> None:
        self.at, self.hint = at, hint
        super().__init__(what)


def with_places(source: str, name: str) -> str:
    """A template's source in which every MJML tag says where it stands."""
    lines = (
        _TAG.sub(lambda match, at=f"{name}:{number}": f'{match[0]} at="{at}"', line)  # type: ignore[misc]
        for number, line in enumerate(source.split("\n"), 1)
    )
    return "\n".join(lines)


def without_places(source: str) -> str:
    """The MJML without what says where its tags were written."""
    return _AT.sub("", source)


def compile_mjml(source: str) -> str:
    """HTML of an MJML text; MjmlError for what is no MJML.

    A `<mj-style inline="inline">` becomes a `<style>` that begins with `/*inline*/`.
    """
    check(source)
    # The compiler writes a title into an attribute without escaping it, so it never gets to see it.
    title = _TITLE.search(source)
    bare = without_places(_TITLE.sub("", source)).replace('<mj-style inline="inline">', "<mj-style>/*inline*/")
    bare = _PADDINGS.sub(lambda found: _ZERO.sub("0px", found[0]), bare)
    bare = _ELEMENT.sub(_in_plain_ascii, _BETWEEN_WORDS.sub(r"\1 ", bare))
    try:
        page = mjml.mjml2html(bare, fonts={})
    except ValueError as fault:
        raise MjmlError(f"MJML: {fault}") from None
    words = html.escape(html.unescape(title[1]).strip()) if title else ""
    page = re.sub(r"<title>.*?</title>", "", page, count=1, flags=re.DOTALL)
    page = page.replace("<head>", f"<head><title>{words}</title>", 1)
    page = re.sub(r'<div( aria-label="[^"]*")?(?= aria-roledescription="email")', "<div", page, count=1)
    return page.replace('<div aria-roledescription="email"', f'<div aria-label="{words}" aria-roledescription="email"')


def _in_plain_ascii(tag: re.Match[str]) -> str:
    """A tag whose attributes have other letters as references; a line's end is a blank, as XML has it."""
    return _SPELLED_OUT.sub(lambda found: " " if found[0] in "\n\r\t" else f"&#{ord(found[0])};", tag[0])


def check(source: str) -> None:
    """Raise MjmlError for the first tag or attribute that is unknown, or for what is no XML."""
    try:
        root = etree.fromstring(source.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as fault:
        raise _syntax(source, fault) from None
    if root.tag != "mjml":
        raise MjmlError(f"MJML begins with <mjml>, not <{root.tag}>")
    for element in root.iter():
        if isinstance(element.tag, str) and element.tag.startswith("mj"):
            _check_element(element)


def _check_element(element: etree._Element) -> None:
    tag, at = str(element.tag), element.get("at", "")
    parent = element.getparent()
    inside = str(parent.tag) if parent is not None else ""
    known = {**ATTRIBUTES, **_DEFAULTS} if inside == "mj-attributes" else ATTRIBUTES
    if tag not in known:
        raise MjmlError(f"unknown MJML tag <{tag}>", at, _HINTS.get(tag) or nearest(tag, known))
    for name in map(str, element.attrib):
        if name != "at" and name not in known[tag]:
            raise MjmlError(f'unknown attribute "{name}" on <{tag}>', at, nearest(name, known[tag]))
    if tag == "mj-image" and inside != "mj-attributes" and "alt" not in element.attrib:
        raise MjmlError('<mj-image> without "alt"', at, 'write alt="" for a picture that only decorates')


def _syntax(source: str, fault: etree.XMLSyntaxError) -> MjmlError:
    """XML's complaint, at the nearest tag at or before the place it speaks of."""
    message = str(fault.msg).split(", line")[0]
    opened = re.search(r"(\S+) line (\d+) and (\S+)", message)
    line = int(opened[2]) if opened else fault.lineno or 1
    what = f"<{opened[1]}> is not closed before </{opened[3]}>" if opened else message
    before = "\n".join(source.split("\n")[:line])
    places = _AT.findall(before)
    hint = "MJML is XML: close every tag, and write &#160; for &nbsp;"
    return MjmlError(f"MJML: {what}", places[-1] if places else "", hint)
