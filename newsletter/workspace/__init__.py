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

import itertools
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.audience import columns, importing, undoing
from newsletter.audience.exports import unpacked
from newsletter.audience.planning import Choices, ImportPlan, plan_import
from newsletter.audience.survey import survey
from newsletter.links import host_of
from newsletter.workspace.approving import Approving
from newsletter.workspace.designing import Designing
from newsletter.workspace.documents import Documents
from newsletter.workspace.opened import system_clock
from newsletter.workspace.progress import Progress, Stage
from newsletter.workspace.publishing import Publishing
from newsletter.workspace.writing import Draft

__all__ = ["Draft", "Stage", "Workspace", "system_clock"]

if TYPE_CHECKING:
    from newsletter.collect.pull import Intake
    from newsletter.outgoing_webhooks import OutgoingWebhooks
    from newsletter.transactional import TransactionalMail


class Workspace(Approving, Progress, Designing, Documents, Publishing):
    """An opened workspace with all that can be done in it."""

    def intake(self) -> Intake:
        """All that collecting needs."""
        from newsletter.collect.pull import Intake

        return Intake(
            store=self.store,
            workspace=self.folder,
            rules=self.config.collect,
            own_host=host_of(self.config.organization.url),
            now=self.clock.now(),
            today=self.today(),
            zone=self.config.timezone,
        )

    def transactional_mail(self) -> TransactionalMail:
        """The service's own mails."""
        from newsletter.transactional import TransactionalMail

        return TransactionalMail(self.store, self.config, self.clock, self.service_url, self.address_hash)

    def outgoing_webhooks(self) -> OutgoingWebhooks:
        """The programs that are told of changes."""
        from newsletter.outgoing_webhooks import OutgoingWebhooks

        environment = os.environ if self.environment is None else self.environment
        return OutgoingWebhooks(self.store, self.config.hooks, self.clock, environment)

    def import_people(
        self,
        path: Path,
        *,
        choices: Choices | None = None,
        lists: tuple[str, ...] = (),
        rejects: Path | None = None,
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> importing.Report:
        """Bring an export of people in, all of it or nothing; of an archive, each table in it.

        `choices` are what somebody decided about its columns and words, and are remembered for exports with the same
        header; `lists` are for rows that name none; rejected rows go to `rejects`, by default beside the file or, where
        that can't be written, into the workspace.
        """
        with unpacked(path) as files:
            plans = [self.import_plan(file, choices, lists) for file in files]
            return self.import_planned(path, plans, rejects=rejects, dry_run=dry_run, progress=progress)

    def import_plan(self, path: Path, choices: Choices | None = None, lists: tuple[str, ...] = ()) -> ImportPlan:
        """How a file would be read; InputError where something has to be decided first."""
        found, hashed = survey(path), self.address_hash
        with self.store.read() as session:
            return plan_import(
                session, found, choices or Choices(), self.config, default_lists=lists, hash_address=hashed
            )

    def import_planned(
        self,
        path: Path,
        plans: Sequence[ImportPlan],
        *,
        rejects: Path | None = None,
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> importing.Report:
        """Bring files in as they were planned, as one import that is named after `path`."""
        with tempfile.TemporaryDirectory() as nowhere, self.store.write() as session:
            record = importing.begin(session, path.name, self.clock.now())
            report = importing.Report(number=record.id)
            for plan in plans:
                file = plan.survey.path
                aside = rejects or self._rejects(Path(nowhere, file.name) if dry_run else path, file)
                report.add(importing.import_people(session, file, plan.rules, record, aside, progress=progress))
                columns.remember(session, plan.survey.header, plan.mapping, plan.skipped, self.clock.now())
            if dry_run:
                session.rollback()
                report.rejects_files = []
        return report

    def _rejects(self, given: Path, file: Path) -> Path:
        """A free name for the rejected rows of a file, beside the one that was given or in the workspace."""
        beside = given.parent if os.access(given.parent, os.W_OK) else self.folder
        names = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
        return next(path for end in names if not (path := beside / f"{file.stem}.rejects{end}.csv").exists())

    def undo_import(self, number: int) -> undoing.Undone:
        """Take back what an import added and changed."""
        with self.store.write() as session:
            return undoing.undo(session, number, self.clock.now())
