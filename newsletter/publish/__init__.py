"""The archive website and its feeds, built from what was approved.

    publish(snapshots, config, themes=...)      pages, feeds, pictures -> a folder

It's a folder of plain files: no program runs behind it, it opens from a disk as from a server, and it holds
no recipient's data. The same snapshots give the same bytes; only files that differ are written.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from newsletter.config import Config
from newsletter.model import Amendments, Snapshot
from newsletter.publish.site import site
from newsletter.publish.swap import Report, swap_in
from newsletter.render.markdown import to_html

__all__ = ["Report", "publish"]


def publish(
    snapshots: Iterable[Snapshot],
    config: Config,
    *,
    folder: Path | None = None,
    themes: Sequence[Path],
    amendments: Amendments = Amendments(),  # noqa: B008 (frozen)
) -> Report:
    """Build the archive of `snapshots`, one for each issue, in `folder` (by default the configured one), with what
    staff decided about its pages.

    `themes` are template folders, of which an earlier one wins over a later. Raises TemplateError for a
    fault in a template, and InputError for a picture that is gone or a folder that can't be written.
    """
    target = folder or config.folder / config.archive.folder
    return swap_in(_amended(site(list(snapshots), config, themes), amendments), target)


def _amended(files: Iterable[tuple[str, bytes]], amendments: Amendments) -> Iterator[tuple[str, bytes]]:
    notes: dict[str, str] = {}
    for correction in amendments.corrections:
        note = f'<aside><p>Corrected <time datetime="{correction.date}">{correction.date}</time></p>'
        path = f"{correction.issue}/index.html"
        notes[path] = notes.get(path, "") + f"{note}{to_html(correction.note)}</aside>"
    for path, data in files:
        if path.endswith("index.html"):
            page = data.decode()
            for swap in amendments.replacements:
                page = page.replace(f'href="{escape(swap.url)}"', f'href="{escape(swap.archived)}"')
            data = page.replace("</article>", notes.get(path, "") + "</article>", 1).encode()
        yield path, data
    for moved in amendments.moved:
        target = escape(posixpath.relpath(moved.new, moved.old) + "/index.html")
        yield f"{moved.old}/index.html", _bare("Moved", f'<a href="{target}">This page has moved.</a>', target)
    for gone in amendments.gone:
        yield f"{gone.path}/index.html", _bare("Gone", f"This page is gone. {escape(gone.reason)}")


def _bare(title: str, body: str, leads_to: str = "") -> bytes:
    refresh = f'<meta http-equiv="refresh" content="0; url={leads_to}">' if leads_to else ""
    head = f'<meta charset="utf-8"><title>{title}</title><meta name="robots" content="noindex">{refresh}'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><p>{body}</p></body></html>\n'.encode()
