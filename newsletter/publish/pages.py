"""Pages from templates. Links between pages are relative, so that the site works from a disk, too."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateSyntaxError
from markupsafe import Markup

from newsletter import merge
from newsletter.config import Config
from newsletter.errors import TemplateError
from newsletter.model import Issue, Photo, Picture, PolicyEntry, Prose, Snapshot, Story
from newsletter.render import words
from newsletter.render.markdown import plain, to_html
from newsletter.render.templates import frames

# What neither XML nor UTF-8 can hold. It comes with imports, and says nothing to a reader.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Pages:
    """The pages of one site, whose stylesheet is `style` and whose issues are `issues`, newest first."""

    def __init__(self, config: Config, themes: Sequence[Path], style: str, issues: list[Snapshot]) -> None:
        self._config = config
        self._themes = tuple(themes)
        self.base = config.archive.url.rstrip("/")
        environment = Environment(
            loader=FileSystemLoader(self._themes),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {name: getattr(words, name) for name in words.__all__}
        environment.filters |= {
            "lead_photo": lead_photo,
            "html": stored_html,
            "blurb": blurb_html,
            "prose": prose_html,
            "plain": plain,
        }
        environment.tests |= {
            "story": lambda block: isinstance(block, Story),
            "policy": lambda block: isinstance(block, PolicyEntry),
            "prose": lambda block: isinstance(block, Prose),
            "picture": lambda block: isinstance(block, Picture),
        }
        environment.globals |= {
            "archive": config.archive,
            "organization": config.organization,
            "publications": config.publications,
            "issue_slugs": {snapshot.issue.slug for snapshot in issues},
            "published": {snapshot.issue.publication for snapshot in issues},
            "base": self.base,
            "style": style,
            "json_ld": self._json_ld,
        }
        self._environment = environment

    def render(self, path: str, template: str, **values: Any) -> bytes:
        """The page at `path`; TemplateError with the template's file and line for what is wrong in it."""
        return self.text(template, path=path, **values).encode()

    def text(self, template: str, *, path: str, **values: Any) -> str:
        """The text of a template for the page at `path`."""

        def to(target: str) -> str:
            """The relative address of another page or file of the site."""
            return posixpath.relpath(target, posixpath.dirname(path) or ".")

        canonical = f"{self.base}/{path.removesuffix('index.html')}"
        try:
            page = self._environment.get_template(template).render(to=to, path=path, canonical=canonical, **values)
            return legal(page)
        except TemplateSyntaxError as fault:
            raise TemplateError(fault.message or "syntax", where=f"{fault.filename}:{fault.lineno}") from fault
        except Exception as fault:
            # A template is a program of its writer's: whatever it raises is told by its place in it.
            raise TemplateError(str(fault) or type(fault).__name__, where=self._place(fault) or template) from fault

    def _place(self, fault: BaseException) -> str:
        within = [(f, line) for f, line in frames(fault) if any(map(Path(f).is_relative_to, self._themes))]
        return "{}:{}".format(*within[-1]) if within else ""

    def picture_url(self, photo: Photo) -> str:
        """A picture's absolute address."""
        return f"{self.base}/media/{photo.name}"

    def issue_url(self, issue: Issue) -> str:
        """An issue's absolute address."""
        return f"{self.base}/{issue.slug}/"

    def _json_ld(self, snapshot: Snapshot) -> Markup:
        """schema.org's NewsArticle, safe inside a script element."""
        issue, organization = snapshot.issue, self._config.organization
        publication = self._config.publications[issue.publication]
        data = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": issue.title[:110],
            "description": issue.teaser,
            "datePublished": issue.date.isoformat(),
            "inLanguage": self._config.archive.language,
            "mainEntityOfPage": self.issue_url(issue),
            "isPartOf": {"@type": "Periodical", "name": publication.name},
            "publisher": {"@type": "Organization", "name": organization.name, "url": organization.url},
            "author": {"@type": "Organization", "name": organization.name, "url": organization.url},
            **({"image": [self.picture_url(photo)]} if (photo := lead_photo(issue)) else {}),
        }
        text = json.dumps(data, ensure_ascii=False, sort_keys=True)
        return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))  # noqa: S704 (escaped just here)


def legal(text: str) -> str:
    """The text without the characters that a page or a feed may not hold."""
    return _FORBIDDEN.sub("", text)


def lead_photo(issue: Issue) -> Photo | None:
    """The picture that stands for an issue: its hero, or the first that an entry has."""
    photos = (entry.item.photo if isinstance(entry, Story) else entry.policy.photo for entry in issue.entries)
    return issue.hero or next(filter(None, photos), None)


def stored_html(markdown: str) -> Markup:
    """Stored Markdown as safe HTML; braces in it mean nothing."""
    return Markup(to_html(markdown))  # noqa: S704 (sanitised)


def prose_html(markdown: str) -> Markup:
    """Markdown that staff wrote for the issue, with the fallbacks of its merge fields."""
    return Markup(to_html(merge.parse(markdown).merge({})))  # noqa: S704 (sanitised)


def blurb_html(entry: Story | PolicyEntry) -> Markup:
    """An entry's blurb: staff's own words, or those that are stored."""
    stored = entry.item.summary if isinstance(entry, Story) else entry.policy.summary
    return stored_html(stored) if entry.blurb == stored else prose_html(entry.blurb)
