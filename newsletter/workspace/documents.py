"""Issues drafted from documents that people wrote elsewhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from newsletter import collect
from newsletter.config import Publication
from newsletter.errors import InputError
from newsletter.links import canonical
from newsletter.markdown.links import links
from newsletter.model import Item, Policy, address_of
from newsletter.workspace.opened import Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class FromDocument:
    """An issue that was made of a document: its file, how many pictures and stored entries it has, the links that lead
    to nothing stored, and what couldn't be taken.
    """

    slug: str
    named: str
    pictures: int
    entries: int
    links: tuple[str, ...]
    notes: tuple[str, ...]


class Documents(Opened):
    """Makes issues of documents."""

    def draft_from(self, publication: Publication, source: Path, day: dt.date, slug: str) -> FromDocument:
        """Write an issue.md of a document, with its pictures beside it; links to what is stored become references."""
        from newsletter.compose import references
        from newsletter.compose.documents import read
        from newsletter.compose.documents.references import with_references
        from newsletter.compose.draft import slug_of, write_document

        name = slug or slug_of(publication, day)
        path, named = self.issues / name / "issue.md", f"issues/{name}/issue.md"
        if path.exists():
            raise InputError("exists already", where=named, hint="edit it, or give another --slug")
        tracking = self.config.collect.tracking
        document = read(source, tracking)
        with self.store.read() as session:
            library = collect.library(session)
        known = {address_of(canonical(entry.url, tracking)): entry for entry in library.values() if entry.url}

        def stored(url: str) -> Item | Policy | None:
            return known.get(address_of(canonical(url, tracking)))

        markdown = with_references(document.markdown, stored)
        taken = next((one.name for one in document.pictures if (path.parent / one.name).exists()), "")
        if taken:
            raise InputError("exists already", where=f"issues/{name}/{taken}", hint="move it, or give another --slug")
        path.parent.mkdir(parents=True, exist_ok=True)
        for picture in document.pictures:
            (path.parent / picture.name).write_bytes(picture.data)
        path.write_text(
            write_document(publication, document.title, markdown, day=day, language=self.config.language(publication)),
            encoding="utf-8",
        )
        return FromDocument(
            slug=name,
            named=named,
            pictures=len(document.pictures),
            entries=len(references(path) & library.keys()),
            links=tuple(url for url in dict.fromkeys(link.url for link in links(markdown)) if _is_new(url, stored)),
            notes=document.notes,
        )


def _is_new(url: str, stored: Callable[[str], Item | Policy | None]) -> bool:
    """Whether an address is of a page that isn't stored."""
    return url.lower().startswith(("http://", "https://")) and stored(url) is None
