"""Email templates: where they are found, how they are run, and where in them a fault lies.

A template is a folder with `mail.mjml.j2` and `mail.txt.j2`. Both are given:

    issue         the Issue, with its sections, blocks and dates
    publication   name, tagline, brand, partner; also: list, sender, organization
    headlines     the issue's title without the publication's name and the month
    preheader     what stands beside the subject in an inbox
    language      of the publication, such as "en"; direction: ltr or rtl
    _("words")    the words in that language, where there is a translation
    variant       the name of the rendering
    browser_url   the issue's page in the archive
    photo_url(photo), covered_url(entry)    a picture's address; where a policy was told first
    merge(name, fallback)   a merge field, such as merge("unsubscribe_url")

    tests     story, policy, prose, picture: what a block is
    filters   html, text, plain (of Markdown), inline, line and plain_line (of one line of it, such as a heading),
              wrap; and those of `words`; dir, the attributes that say a block's direction
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
    select_autoescape,
)
from jinja2.ext import Extension
from markupsafe import Markup

from newsletter.errors import TemplateError, nearest
from newsletter.languages import gettext
from newsletter.markdown import direction
from newsletter.model import Picture, PolicyEntry, Prose, Story
from newsletter.render import words
from newsletter.render.markdown import plain, plain_line, to_html, to_inline_html, to_inline_text, to_text, wrap
from newsletter.render.mjml import MjmlError, with_places

#: What a block says of its direction, by that of its words; from right to left, they stand on the right.
DIRECTIONS = {"ltr": ' dir="auto"', "rtl": ' dir="auto" align="right"'}
HTML, TEXT = "mail.mjml.j2", "mail.txt.j2"
# What XML does not allow, from wherever it came.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class TemplateSet:
    """The templates in some folders, of which an earlier one wins over a later. Faults in `workspace` are
    told with a path from there.
    """

    def __init__(self, folders: Sequence[Path], workspace: Path, language: str = "en") -> None:
        self.folders = tuple(folders)
        self._workspace = workspace
        self._environment = _environment(self.folders, language)

    def names(self) -> tuple[str, ...]:
        """Every template that can be named, sorted."""
        return tuple(sorted({path.parent.name for folder in self.folders for path in folder.glob(f"*/{HTML}")}))

    def run(self, name: str, file: str, context: Mapping[str, Any], asked_by: str) -> str:
        """The text of one file of a template; TemplateError for what is wrong in it, with its place.

        `asked_by` is where the template is named, for when there is none.
        """
        if name not in self.names():
            hint = nearest(name, self.names()) or f"there are {', '.join(self.names()) or 'none'}"
            raise TemplateError(f'no template "{name}"', where=asked_by, hint=hint)
        try:
            text = self._environment.get_template(f"{name}/{file}").render(context)
        except TemplateSyntaxError as fault:
            raise TemplateError(fault.message or "syntax", where=self._where(fault.filename, fault.lineno)) from fault
        except TemplateNotFound as fault:
            hint = nearest(str(fault.name), self._environment.list_templates())
            raise TemplateError(f'no file "{fault.name}"', where=self._place(fault) or asked_by, hint=hint) from fault
        except UndefinedError as fault:
            unknown = str(fault).partition("' is undefined")[0].lstrip("'")
            raise TemplateError(str(fault), where=self._place(fault), hint=nearest(unknown, context)) from fault
        except Exception as fault:
            # A template is a program of its writer's: whatever it raises is told by its place in it.
            raise TemplateError(str(fault) or type(fault).__name__, where=self._place(fault)) from fault
        return _FORBIDDEN.sub("", text)

    def mjml_error(self, fault: MjmlError, name: str) -> TemplateError:
        """The same fault, at its file and line, or at the template's MJML file."""
        file, _, line = fault.at.rpartition(":")
        filename = self._environment.get_template(file or f"{name}/{HTML}").filename
        return TemplateError(str(fault), where=self._where(filename, line), hint=fault.hint)

    def _place(self, fault: BaseException) -> str:
        within = [(file, line) for file, line in frames(fault) if any(map(Path(file).is_relative_to, self.folders))]
        return self._where(*within[-1]) if within else ""

    def _where(self, file: str | None, line: int | str) -> str:
        path = Path(file or "")
        named = path.relative_to(self._workspace) if path.is_relative_to(self._workspace) else path
        return f"{named}:{line}" if line else str(named)


def frames(fault: BaseException) -> Iterator[tuple[str, int]]:
    """The files and lines that an exception went through, outermost first."""
    step = fault.__traceback__
    while step:
        yield step.tb_frame.f_code.co_filename, step.tb_lineno
        step = step.tb_next


class _Places(Extension):
    """Has every MJML tag of a template say where it stands."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        return with_places(source, name) if name and name.endswith(".mjml.j2") else source


@lru_cache(maxsize=16)
def _environment(folders: tuple[Path, ...], language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True),
        undefined=StrictUndefined,
        extensions=[_Places, "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: Mapping[str, Callable[..., Any]] = {
        "html": lambda markdown: Markup(to_html(markdown)),  # noqa: S704  sanitised
        "inline": lambda markdown: Markup(to_inline_html(markdown)),  # noqa: S704  sanitised
        "text": to_text,
        "line": to_inline_text,
        "dir": lambda words: Markup(DIRECTIONS[direction(Markup(words).striptags())]),  # noqa: S704  constants
        "plain": plain,
        "plain_line": plain_line,
        "wrap": wrap,
        **words.in_language(language),
    }
    environment.filters.update(filters)
    environment.globals["_"] = gettext(language)
    kinds: Mapping[str, type] = {"story": Story, "policy": PolicyEntry, "prose": Prose, "picture": Picture}
    environment.tests.update({name: lambda block, kind=kind: isinstance(block, kind) for name, kind in kinds.items()})
    return environment
