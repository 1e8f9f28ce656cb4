"""Rules about reading with eyes, ears and fingers (WCAG 2.2)."""

from __future__ import annotations

import re

from newsletter.check.links import written_links
from newsletter.check.rules import Found, Subject, rule
from newsletter.markdown import parse, plain_line
from newsletter.model import Prose, Severity

_ENOUGH = 4.5
_DARK_GROUND = "#191f27"


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two #rrggbb colours, from 1 to 21 (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@rule("accessibility/contrast", Severity.ERROR)
def low_contrast(subject: Subject) -> Found:
    """The publication's colours must be readable where they are used (WCAG 1.4.3)."""
    brand = subject.publication.brand
    pairs = (
        ("accent", brand.accent, "#ffffff", "white"),
        ("accent_dark", brand.accent_dark, _DARK_GROUND, "near-black"),
        ("banner", brand.banner, "#ffffff", "the white words on it"),
    )
    for key, colour, ground, named in pairs:
        ratio = contrast(colour, ground)
        if ratio < _ENOUGH:
            where = f"{subject.config.path.name}: [publications.{subject.publication.slug}.brand] {key}"
            yield where, f"{colour} has a contrast of {ratio:.1f} with {named}; {_ENOUGH} is needed"


@rule("accessibility/heading-order", Severity.WARNING)
def heading_order(subject: Subject) -> Found:
    """Headings inside a text go one level down at a time: ### comes before #### (WCAG 1.3.1)."""
    for section in subject.issue.sections:
        depth = 2 if section.heading else 1
        for block in section.blocks:
            if not isinstance(block, Prose):
                continue
            for token in parse(block.markdown):
                if token.type != "heading_open":
                    continue
                level = int(token.tag[1])
                if level > depth + 1:
                    line = block.line + (token.map[0] if token.map else 0)
                    yield subject.at(line), f'"{"#" * level}" skips a level'
                depth = level


@rule("accessibility/wordless-heading", Severity.WARNING)
def wordless_heading(subject: Subject) -> Found:
    """A heading of emoji alone is read out as their names."""
    for section in subject.issue.sections:
        if section.heading and not re.search(r"[^\W_]", plain_line(section.heading)):
            yield subject.at(section.line), f'the heading "{section.heading}" has no words'


@rule("accessibility/bare-address", Severity.WARNING)
def bare_address(subject: Subject) -> Found:
    """An address as the words of a link is read out letter by letter (WCAG 2.4.4)."""
    for where, words, _ in written_links(subject, merging=True):
        if re.match(r"https?://|www\.", words, re.IGNORECASE):
            yield where, f"the link {words[:60]} has its address for words"
