"""The archive website and its feeds, built from what was approved.

    snapshots -> summary -> catalog -> plan of pages -> build -> swap

It's a folder of plain files: no program runs behind it, it opens from a disk as from a server, and it holds
no recipient's data. The same input gives the same bytes; only files that differ are written.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model import Amendments, Member, Policy
from newsletter.publish import catalog, search
from newsletter.publish.approved import Approved
from newsletter.publish.build import Workshop, build, read_summaries
from newsletter.publish.ids import PublicId
from newsletter.publish.kept import Kept
from newsletter.publish.planned import program
from newsletter.publish.swap import Report, begin, followed

__all__ = ["Approved", "Report", "publish"]


def publish(
    approved: Approved,
    config: Config,
    *,
    today: dt.date,
    themes: Sequence[Path],
    policies: Iterable[Policy] = (),
    members: Sequence[Member] = (),
    amendments: Amendments | None = None,
    ids: Mapping[str, PublicId] | None = None,
    folder: Path | None = None,
    searchable: bool | None = None,
) -> Report:
    """Build the archive of what is approved in `folder` (by default the configured one), as it is on `today`.

    `policies` are the stored ones, whose history goes on after an issue; `members` the roster, whose addresses are
    never shown; `ids` those by which readers' programs know what was published before, by key; `themes` template
    folders, of which an earlier one wins over a later. There's a search where it's `searchable`: by default, where
    Pagefind is installed. Raises TemplateError for a fault in a template, and InputError for a picture that is gone or
    a folder that can't be written.
    """
    target = followed(folder or config.folder / config.archive.folder)
    made_by = program(themes, config.collect.tracking)
    kept = Kept(config.folder, made_by, target)
    try:
        with FileLock(kept.lock()):
            summaries = read_summaries(approved, kept, config.collect.tracking)
            public = catalog.build(summaries, policies, members, amendments or Amendments(), config, today, ids)
            with_search = search.installed() if searchable is None else searchable
            report = build(Workshop(public, tuple(themes), made_by, with_search, kept, begin(target)), approved)
            report.ids = public.ids.changed
            report.waiting = tuple(f"{one.slug} ({one.day})" for one in summaries if one.date > today)
            return report
    except OSError as fault:
        raise InputError(f"the archive can't be written: {fault.strerror}", where=target) from None
    finally:
        gc.unfreeze()
