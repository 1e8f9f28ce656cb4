"""Pages from templates. Links between pages are relative, so that the site works from a disk, too."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined, TemplateSyntaxError
from markupsafe import Markup

from newsletter.config import Config, Publication
from newsletter.errors import InputError, TemplateError
from newsletter.languages import direction_of, gettext
from newsletter.model import Photo, Picture, Place, PolicyEntry, Prose, Story
from newsletter.publish import csp, machines
from newsletter.publish.catalog import NATION, Catalog, event_path, replaced, slug_of, step_anchor
from newsletter.publish.pictures import SMALL, shapes
from newsletter.publish.prose import (
    blurb_html,
    inline_html,
    lead_photo,
    legal,
    prose_html,
    stored_html,
    with_archived_copies,
)
from newsletter.publish.sections import Section
from newsletter.publish.summary import Entry
from newsletter.render import words
from newsletter.render.markdown import plain, plain_line
from newsletter.render.templates import frames
from newsletter.resources import TEMPLATES

if TYPE_CHECKING:
    from newsletter.publish.tracker import Line

#: The page for addresses that there aren't.
NOT_FOUND = "404.html"
#: Files of the templates' folders that are published as they are.
_ASSETS = ("style.css", "site.js")
#: Stands for the way to the site's root in what several pages share; Unicode keeps it for private use.
_ROOT = "\ue000"


def asset(themes: Sequence[Path], name: str) -> bytes:
    """A file that is published as it is; an earlier folder's wins."""
    for folder in (*themes, TEMPLATES / "archive"):
        path = folder / name
        if path.exists():
            return path.read_bytes()
    raise InputError(f"no {name}", where=themes[-1] if themes else TEMPLATES)


def _compiled(workspace: Path) -> FileSystemBytecodeCache:
    """Where templates are kept as Python has them, by the digest of their text: to compile them takes a tenth of the
    time of a build that changes one issue.
    """
    folder = workspace / ".cache" / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    return FileSystemBytecodeCache(str(folder))


class Pages:
    """The pages of one site. `sections` are the parts of the site that there are."""

    def __init__(
        self, catalog: Catalog, themes: Sequence[Path], sections: Sequence[Section], *, alone: bool = False
    ) -> None:
        config: Config = catalog.config
        self._themes = tuple(themes)
        self.config, self.catalog = config, catalog
        self.base = config.archive.url.rstrip("/")
        self.assets = {name: asset(themes, name) for name in _ASSETS}
        self.assets["style.css"] += _brands(config.publications.values())
        self.names = {name: name if alone else _named(name, data) for name, data in self.assets.items()}
        self._led: Callable[[str], str] = with_archived_copies(
            replaced(catalog.amendments), gettext(config.archive.language)
        )
        self._alone, self._sections = alone, tuple(sections)
        self._environments: dict[str, Environment] = {}
        self._rows: dict[tuple[str, str, int, str], str] = {}
        self.gettext = gettext(config.archive.language)

    def _in(self, language: str) -> Environment:
        """The templates, speaking a language."""
        if language not in self._environments:
            self._environments[language] = self._environment(language)
        return self._environments[language]

    def _language(self, values: Mapping[str, Any]) -> str:
        """That of the publication which a page is about, else the archive's."""
        about, issue = values.get("publication"), values.get("issue")
        known = self.config.publications
        slug = about if isinstance(about, str) else str(getattr(issue, "publication", ""))
        publication = about if isinstance(about, Publication) else known.get(slug)
        return self.config.language(publication) if publication else self.config.archive.language

    def _environment(self, language: str) -> Environment:
        config, catalog, alone = self.config, self.catalog, self._alone
        environment = Environment(
            loader=FileSystemLoader(self._themes),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            bytecode_cache=None if alone else _compiled(config.folder),
        )
        environment.filters |= words.in_language(language)
        environment.filters |= {
            "lead_photo": lead_photo,
            "html": stored_html,
            "blurb": blurb_html,
            "prose": prose_html,
            "plain": plain,
            "plain_line": plain_line,
            "inline": inline_html,
            "srcset": (lambda *_: "") if alone else srcset,
            "slug": slug_of,
            "event_path": event_path,
            "step_anchor": step_anchor,
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
            "issues": catalog.by_slug,
            "policies": catalog.policy,
            "published": list(catalog.publications),
            "sections": frozenset(section.folder for section in self._sections),
            "listed": [(one.folder, one.named(language), one.in_menu) for one in self._sections],
            "small": SMALL,
            "alone": alone,
            "today": catalog.today,
            "base": self.base,
            "csp": csp,
            "style": self.names["style.css"],
            "script": self.names["site.js"],
            "json_ld": machines.JsonLd(catalog, self.base),
            "about": catalog.subject_folder,
            "place_folder": catalog.place_folder,
            "nation": NATION,
            "subscribe": self._subscribe,
            "share": lambda text, url: machines.share_links(text, url, gettext(language)("Email")),
            "Place": Place,
            "row": partial(self._row, language),
            "_": gettext(language),
            "language": language,
            "direction": direction_of(language),
        }
        return environment

    def _subscribe(self, publication: Publication | None = None) -> str:
        """Where somebody joins by email: the service's form, with the publication's list chosen; empty where no list is
        open to all.
        """
        lists = [name for name, one in self.config.lists.items() if one.public]
        if not lists:
            return ""
        chosen = f"?list={publication.list}" if publication and publication.list in lists else ""
        return f"{self.config.service.url.rstrip('/')}/subscribe{chosen}"

    def render(self, path: str, template: str, **values: Any) -> bytes:
        """The page at `path`; TemplateError with the template's file and line for what is wrong in it."""
        return self.text(template, path=path, **values).encode()

    def text(self, template: str, *, path: str, **values: Any) -> str:
        """The text of a template for the page at `path`."""
        # A server gives this page for any address, however deep: its links begin at the archive's root.
        up = urlsplit(f"{self.base}/").path if path == NOT_FOUND else "../" * path.count("/")

        def to(target: str) -> str:
            """The relative address of another page or file of the site."""
            return up + target

        canonical = f"{self.base}/{path.removesuffix('index.html')}"
        try:
            environment = self._in(self._language(values))
            page = environment.get_template(template).render(to=to, path=path, canonical=canonical, **values)
            return self._led(legal(page))
        except TemplateSyntaxError as fault:
            raise TemplateError(fault.message or "syntax", where=f"{fault.filename}:{fault.lineno}") from fault
        except Exception as fault:
            # A template is a program of its writer's: whatever it raises is told by its place in it.
            raise TemplateError(str(fault) or type(fault).__name__, where=self._place(fault) or template) from fault

    def _row(self, language: str, macro: str, thing: Entry | Line, to: Callable[[str], str], level: str = "") -> Markup:
        """What a macro of the parts makes of an entry or a line; many pages show the same, so that it's made once."""
        made = self._rows.get((language, macro, id(thing), level))
        if made is None:
            given = (level,) if level else ()
            make = getattr(self._in(language).get_template("parts.html.j2").module, macro)
            made = self._rows[language, macro, id(thing), level] = str(
                make(thing, lambda target: _ROOT + target, *given)
            )
        return Markup(made.replace(_ROOT, to("")))  # noqa: S704 (a template made it)

    def _place(self, fault: BaseException) -> str:
        within = [(f, line) for f, line in frames(fault) if any(map(Path(f).is_relative_to, self._themes))]
        return "{}:{}".format(*within[-1]) if within else ""

    def url(self, path: str) -> str:
        """The absolute address of a page or file."""
        return f"{self.base}/{path}"


def _brands(publications: Iterable[Publication]) -> bytes:
    """Each publication's colours as a class. They are checked to be #rrggbb when the settings are read."""
    rules = (
        f".of-{one.slug} {{ --accent-day: {one.brand.accent}; --accent-night: {one.brand.accent_dark};"
        f" --banner: {one.brand.banner}; }}\n"
        for one in publications
    )
    return "".join(rules).encode()


def _named(name: str, data: bytes) -> str:
    """A file's public name, which changes with its content, so that it may be kept for ever."""
    stem, _, ending = name.rpartition(".")
    return f"assets/{stem}.{hashlib.sha256(data).hexdigest()[:10]}.{ending}"


def srcset(photo: Photo, kind: str, to: Callable[[str], str]) -> str:
    """The files of a picture in one format, as a page names them."""
    return ", ".join(f"{to(f'media/{s.name}')} {s.width}w" for s in shapes(photo) if s.format == kind)
