"""Rules about what mail programs support, by a dated table of facts (`client_support.json`, from caniemail.com).

Only what degrades badly is a finding: where a program that lacks a feature still shows the message well, the
feature stands in DEGRADES with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lxml import etree, html

from newsletter.check.rules import Found, Subject, rule
from newsletter.model import Severity

#: Features that may be missing: what a reader then sees is as good.
DEGRADES = {
    "at-rule media": "columns stay as wide as the screen lets them",
    "media hover": "nothing changes under the pointer",
    "media prefers-color-scheme": "the light colours are shown",
    "media prefers-reduced-motion": "there is no motion in mail that lacks it",
    "pseudo :hover": "nothing changes under the pointer",
    "pseudo :link": "links have the colour of the element",
    "pseudo :visited": "links have the colour of the element",
    "pseudo :active": "nothing changes while a link is pressed",
    "pseudo :focus": "the program's own mark of the focus is shown",
    "element abbr": "the letters are shown",
    "element body": "its styles stand on the table within it, too",
    "element wbr": "a long word breaks elsewhere",
    "attribute aria-describedby": "the text is read without it",
    "attribute aria-hidden": "an ornament is read out",
    "attribute aria-label": "the visible words are read out",
    "attribute aria-labelledby": "the visible words are read out",
    "attribute loading": "pictures are loaded at once",
    "attribute target": "mail programs open links in a new place anyway",
    "property border-radius": "corners are square",
    "property border-spacing": "the table's cellspacing stands beside it",
    "property box-shadow": "there is no shadow",
    "property box-sizing": "mail's boxes have no border",
    "property cursor": "the pointer has its usual shape",
    "property height": "a box is as high as what it holds",
    "property white-space": "a long line of code doesn't break",
    "property hyphens": "words aren't broken",
    "property max-height": "the hidden preheader is hidden by other means as well",
    "property opacity": "it's shown in full",
    "property outline": "the program's own mark of the focus is shown",
    "property overflow": "the hidden preheader is hidden by other means as well",
    "property overflow-wrap": "a long word may be wider than its column",
    "property text-decoration": "links look as the program has them",
    "property text-decoration-color": "the line has the colour of the words",
    "property text-decoration-thickness": "the line has its usual thickness",
    "property text-shadow": "there is no shadow",
    "property text-underline-offset": "the line is where it usually is",
    "property text-wrap": "lines break where they break",
    "property transition": "changes are sudden",
    "property word-break": "a long word may be wider than its column",
    "property word-spacing": "words have their usual distance",
    "property word-wrap": "a long word may be wider than its column",
}
_DECLARATION = re.compile(r"(?:^|[;{])\s*([a-z-]+)\s*:\s*([^;{}]+)", re.IGNORECASE)
_AT_RULE = re.compile(r"@([a-z-]+)([^{;]*)", re.IGNORECASE)
_PSEUDO = re.compile(r"(?<=[\w\]).*\s,}])(::?[a-z-]+)", re.IGNORECASE)
_FUNCTION = re.compile(r"\b([a-z-]+)\(", re.IGNORECASE)
_UNIT = re.compile(r"\b\d*\.?\d+([a-z]+)\b", re.IGNORECASE)


@cache
def unsupported() -> dict[str, tuple[str, ...]]:
    """The clients that lack each feature, by the feature's name, such as `property position`."""
    table = json.loads(Path(__file__).with_name("client_support.json").read_text(encoding="utf-8"))
    return {row["feature"]: tuple(row["clients"]) for row in table["features"]}


def features_of(markup: str) -> Iterator[str]:
    """Every feature that a mail uses, as the table names them: elements, attributes, and the terms of its CSS.

    What stands in comments, as that for Outlook's conditional ones, isn't looked at.
    """
    for element in html.document_fromstring(markup).iter(etree.Element):
        tag = str(element.tag)
        kind = str(element.get("type", "text"))
        yield f"input {kind}" if tag == "input" else f"element {tag}"
        yield from (f"attribute {name}" for name in map(str, element.keys()))
        if tag == "style":
            yield from _of_sheet(element.text or "")
        elif style := element.get("style"):
            yield from _of_declarations(style)


def _of_sheet(css: str) -> Iterator[str]:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    for name, rest in _AT_RULE.findall(css):
        yield f"at-rule {name.lower()}"
        yield from (f"media {feature.lower()}" for feature in re.findall(r"\(\s*([a-z-]+)", rest, re.IGNORECASE))
    for selector in re.findall(r"([^{}@;]+)\{", css):
        yield from (f"pseudo {name.lower()}" for name in _PSEUDO.findall(f" {selector}"))
    for block in re.findall(r"\{([^{}]*)\}", css):
        yield from _of_declarations(block)


def _of_declarations(css: str) -> Iterator[str]:
    for name, value in _DECLARATION.findall(css):
        words = value.lower().replace("!important", "").strip()
        yield f"property {name.lower()}"
        yield f"declaration {name.lower()}:{words}"
        yield from (f"function {function}" for function in _FUNCTION.findall(words))
        yield from (f"unit {unit}" for unit in _UNIT.findall(words))


def _lacking(subject: Subject, *, css: bool) -> Found:
    largest = max((str(variant.html) for variant in subject.variants), key=len, default="")
    used = sorted(set(features_of(largest))) if largest else ()
    for feature in used:
        is_css = feature.partition(" ")[0] not in ("element", "attribute", "input")
        clients = unsupported().get(feature, ())
        if clients and is_css == css and feature not in DEGRADES:
            yield "html part", f"{feature} is not supported by {', '.join(clients)}"


@rule("clients/css", Severity.WARNING)
def css(subject: Subject) -> Found:
    """CSS that a mail program which many readers have doesn't support (caniemail.com)."""
    yield from _lacking(subject, css=True)


@rule("clients/html", Severity.WARNING)
def html_(subject: Subject) -> Found:
    """HTML that a mail program which many readers have doesn't support (caniemail.com)."""
    yield from _lacking(subject, css=False)
