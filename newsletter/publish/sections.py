"""The parts of the archive that list things: their folders, their names, and what stands in the menu."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.languages import gettext
from newsletter.model import KINDS, Kind
from newsletter.publish.catalog import SUBJECTS, Catalog
from newsletter.render.words import kind_words


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


@dataclass(frozen=True, slots=True)
class Section:
    """A part by its `folder`, and how links to it are called; `kind` is that of the items it lists, if it lists any.
    `in_menu`: in the menu at the top of every page. A `description` is that of a page whose template has none.
    """

    folder: str
    title: str
    in_menu: bool = False
    kind: Kind | None = None
    description: str = ""

    @property
    def subject(self) -> bool:
        """Whether it lists what stories and policies are about."""
        return self.folder in SUBJECTS

    def named(self, language: str) -> str:
        """The title in a language."""
        return kind_words(self.kind, self.title, language) if self.kind else gettext(language)(self.title)


def sections_of(catalog: Catalog, *, search: bool) -> tuple[Section, ...]:
    """The parts that there are, in the order of the footer: empty ones aren't made, nor linked to."""
    there = (section for section in _all() if _is_there(section, catalog, search=search))
    return tuple(section for section in there if section.folder not in catalog.gone_paths)


def _all() -> Iterator[Section]:
    yield Section("policies", _("Policy tracker"), in_menu=True)
    yield Section("topics", _("Topics"), description=_("Everything we have published, by what it is about."))
    yield Section("places", _("Places"), description=_("Everything we have published, by state and locality."))
    yield Section("people", _("People"), description=_("Whom our stories and policies are about."))
    for kind in KINDS.values():
        if kind.section:
            yield Section(kind.section.folder, kind.section.title, kind.section.in_menu, kind)
    yield Section("search", _("Search"), in_menu=True)


def _is_there(section: Section, catalog: Catalog, *, search: bool) -> bool:
    if section.kind:
        return section.kind.name in catalog.kinds
    if section.subject:
        return bool(catalog.subjects[section.folder])
    return bool(catalog.policies) if section.folder == "policies" else search and bool(catalog.issues)
