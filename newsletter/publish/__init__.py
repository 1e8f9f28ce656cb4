"""The archive website and its feeds, built from what was approved.

    publish(snapshots, config, themes=...)      pages, feeds, pictures -> a folder

It's a folder of plain files: no program runs behind it, it opens from a disk as from a server, and it holds
no recipient's data. The same snapshots give the same bytes; only files that differ are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from newsletter.config import Config
from newsletter.model import Snapshot
from newsletter.publish.site import site
from newsletter.publish.swap import Report, swap_in

__all__ = ["Report", "publish"]


def publish(
    snapshots: Iterable[Snapshot], config: Config, *, folder: Path | None = None, themes: Sequence[Path]
) -> Report:
    """Build the archive of `snapshots`, one for each issue, in `folder` (by default the configured one).

    `themes` are template folders, of which an earlier one wins over a later. Raises TemplateError for a
    fault in a template, and InputError for a picture that is gone or a folder that can't be written.
    """
    target = folder or config.folder / config.archive.folder
    return swap_in(site(list(snapshots), config, themes), target)
