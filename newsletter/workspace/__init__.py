"""The workspace: a folder with config.toml, issues/ and the store, in which the pipeline comes together.

The command line, the studio and the public service work through this and hold no logic of their own.

opened      settings, store, folders, clock
writing     drafting, composing, rendering, checking
designing   templates
approving   approval, review, corrections, courtesy
publishing  the archive website
progress    where every issue stands
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from newsletter import tokens
from newsletter.audience import columns, importing
from newsletter.audience.exports import open_export
from newsletter.workspace.approving import Approving
from newsletter.workspace.designing import Designing
from newsletter.workspace.opened import system_clock
from newsletter.workspace.progress import Progress, Stage
from newsletter.workspace.publishing import Publishing
from newsletter.workspace.writing import Draft

__all__ = ["Draft", "Stage", "Workspace", "system_clock"]

if TYPE_CHECKING:
    from newsletter.collect.pull import Intake
    from newsletter.hooks import Hooks
    from newsletter.notices import Notices


class Workspace(Approving, Progress, Designing, Publishing):
    """An opened workspace with all that can be done in it."""

    def intake(self) -> Intake:
        """All that collecting needs."""
        from newsletter.collect.pull import Intake

        return Intake(
            store=self.store,
            workspace=self.folder,
            rules=self.config.collect,
            own_host=urlsplit(self.config.organization.url).hostname or "",
            now=self.clock.now(),
            today=self.today(),
        )

    def notices(self) -> Notices:
        """The service's own mails."""
        from newsletter.notices import Notices

        return Notices(self.store, self.config, self.clock, self.service_url, self.address_hash)

    def hooks(self) -> Hooks:
        """The programs that are told of changes."""
        from newsletter.hooks import Hooks

        environment = os.environ if self.environment is None else self.environment
        return Hooks(self.store, self.config.hooks, self.clock, environment)

    def import_people(
        self,
        path: Path,
        *,
        mapping: Mapping[str, str] | None = None,
        lists: tuple[str, ...] = (),
        rejects: Path | None = None,
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> importing.Report:
        """Bring an export of people in, all of it or nothing.

        `mapping` is which column each field is in (by default guessed) and is remembered for exports with the
        same header; `lists` are for rows that name none; rejected rows go to `rejects`, by default beside the
        file or, where that can't be written, into the workspace.
        """
        with open_export(path) as table:
            header = table.header
        beside = path.parent if os.access(path.parent, os.W_OK) else self.folder
        rules = importing.Rules(
            mapping=columns.guess(header, self.config.attributes) if mapping is None else mapping,
            lists=self.config.lists,
            default_lists=lists,
            attributes=self.config.attributes,
            hash_address=tokens.AddressHash(self.config.secret(self.environment)),
            rejects=rejects or beside / f"{path.stem}.rejects.csv",
        )
        with self.store.write() as session:
            report = importing.import_people(session, path, rules, self.clock.now(), progress=progress)
            columns.remember(session, header, rules.mapping, self.clock.now())
            if dry_run:
                session.rollback()
        return report
