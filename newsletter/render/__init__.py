"""An Issue made into mail, the same bytes every time: nothing here knows a clock, a network or chance.

fields      merge fields become tokens that survive all of what follows, and fields again at the end
templates   Jinja2 makes MJML, and the plain text
mjml        MJML is checked and compiled to HTML
inline      styles go onto the elements
markdown, words   what templates are given to write with
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from newsletter.config import Config
from newsletter.errors import nearest
from newsletter.languages import direction_of
from newsletter.merge import FIELDS, MergeField
from newsletter.model import Issue, Photo, PolicyEntry, Rendered
from newsletter.render.fields import Fields
from newsletter.render.inline import inline
from newsletter.render.mjml import MjmlError, compile_mjml, without_places
from newsletter.render.templates import HTML, TEXT, TemplateSet
from newsletter.render.words import headlines

__all__ = ["mjml_source", "render"]


def render(issue: Issue, config: Config, *, folders: Sequence[Path], variant: str = "default") -> Rendered:
    """The issue as HTML and plain text, by its publication's template.

    `folders` hold templates; the first that has one wins. NotFound for a publication that isn't configured,
    TemplateError with file:line for whatever is wrong in a template.
    """
    publication = config.publication(issue.publication)
    name = publication.template or publication.slug
    asked_by = f"{config.path.name}: [publications.{publication.slug}]"
    fields = Fields(issue)
    context = _context(issue, config, fields, variant)
    templates = TemplateSet(folders, config.folder, config.language(publication))
    try:
        html = inline(compile_mjml(templates.run(name, HTML, context, asked_by)))
    except MjmlError as fault:
        raise templates.mjml_error(fault, name) from fault
    text = _tidy(templates.run(name, TEXT, context, asked_by))
    return Rendered(
        issue=issue.slug,
        variant=variant,
        subject=issue.subject,
        preheader=issue.preheader,
        html=fields.reveal(html),
        text=fields.reveal(text),
    )


def mjml_source(issue: Issue, config: Config, *, folders: Sequence[Path]) -> str:
    """What `render` compiles: the issue as MJML, with tokens for merge fields."""
    publication = config.publication(issue.publication)
    name = publication.template or publication.slug
    context = _context(issue, config, Fields(issue), "default")
    templates = TemplateSet(folders, config.folder, config.language(publication))
    return without_places(templates.run(name, HTML, context, config.path.name))


def _context(issue: Issue, config: Config, fields: Fields, variant: str) -> dict[str, Any]:
    publication = config.publication(issue.publication)
    language = config.language(publication)
    archive = config.archive.url.rstrip("/")

    def merge(name: str, fallback: str | None = None) -> str:
        if name not in FIELDS:
            raise ValueError(f'no merge field "{name}"; {nearest(name, FIELDS) or "there are " + ", ".join(FIELDS)}')
        return fields.token(MergeField(name=name, fallback=fallback))

    def photo_url(photo: Photo) -> str:
        return f"{archive}/media/{photo.name}"

    def covered_url(entry: PolicyEntry) -> str:
        return f"{archive}/{entry.covered.issue}/#{entry.policy.slug}" if entry.covered else ""

    return {
        "issue": fields.mark(issue),
        "publication": publication,
        "list": config.lists[publication.list],
        "sender": config.senders[publication.sender],
        "organization": config.organization,
        "headlines": headlines(issue, publication),
        "preheader": fields.hide(issue.preheader),
        "language": language,
        "direction": direction_of(language),
        "variant": variant,
        "browser_url": f"{archive}/{issue.corrects.issue if issue.corrects else issue.slug}/",
        "merge": merge,
        "photo_url": photo_url,
        "covered_url": covered_url,
    }


def _tidy(text: str) -> str:
    """No white space at the ends of lines, and never more than one empty line."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"
