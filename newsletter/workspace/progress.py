"""Where every issue stands, and what it waits for."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newsletter.errors import NewsletterError
from newsletter.model import DeliveryState
from newsletter.workspace.writing import Writing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from newsletter.feedback import CampaignReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where an issue stands and which command it waits for; `due` is when the publication's next one is. An issue whose
    head can't be read has no publication.
    """

    publication: str = ""
    issue: str = ""
    date: dt.date | None = None
    due: dt.date | None = None
    stage: str = "no issue yet"
    missing: str = ""
    next: str = ""

    @classmethod
    def of(
        cls,
        publication: str,
        issue: str,
        day: dt.date,
        due: dt.date | None,
        *,
        persons: tuple[str, ...],
        needed: int,
        reports: list[CampaignReport],
        waits: str,
        missing: str,
    ) -> Stage:
        """The stage of an issue, from who has approved it and its campaigns; `waits` says why a campaign is paused or
        waits, `missing` what the issue's draft lacks.
        """
        counts = sum((report.counts for report in reports), Counter[DeliveryState]())
        done = counts[DeliveryState.SUBMITTED]
        total = counts.total() - counts[DeliveryState.WITHHELD]
        if reports and done == total:
            stage, command = f"submitted to {done:,}", ""
        elif reports:
            stage, command = f"submitted to {done:,} of {total:,}" + (f", {waits}" if waits else ""), "send"
        elif len(persons) >= needed:
            stage, command = "approved", "send"
        elif persons:
            stage, command = f"approved by {', '.join(persons)}, {len(persons)} of {needed}", "approve"
        elif missing:
            stage, command = "draft", "check"
        else:
            stage, command = "draft, waits for approval", "approve"
        return cls(publication=publication, issue=issue, date=day, due=due, stage=stage, missing=missing, next=command)

    def plain(self) -> dict[str, object]:
        """The row for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class Progress(Writing):
    """What is due, drafted, approved and submitted."""

    def status(self) -> list[Stage]:
        """Where each publication's issues stand, newest first; a publication without one has a row as well."""
        from newsletter import feedback
        from newsletter.send import approval

        matters = self.front_matters()
        rows = []
        with self.store.read() as session:
            for slug, publication in self.config.publications.items():
                mine = sorted(((m.date, n) for n, m in matters.items() if m.publication == slug), reverse=True)
                issues = [day for day, name in mine if not matters[name].corrects]
                due = issues[0] + dt.timedelta(days=publication.cadence_days) if issues else None
                if not mine:
                    rows.append(Stage(publication=slug))
                for day, name in mine:
                    persons = approval.approvers(session, name)
                    reports = feedback.report(session, name)
                    rows.append(
                        Stage.of(
                            slug,
                            name,
                            day,
                            due,
                            persons=persons,
                            needed=publication.approvals,
                            reports=reports,
                            waits=self._waits(session, reports),
                            missing="" if persons or reports else self._missing(name),
                        )
                    )
                    due = None
        listed = {row.issue for row in rows}
        broken = (name for name in reversed(self.issue_names()) if name not in listed)
        return [
            *rows,
            *(Stage(issue=name, stage="draft", missing=self._missing(name), next="check") for name in broken),
        ]

    def _waits(self, session: Session, reports: list[CampaignReport]) -> str:
        """Why the first of an issue's campaigns that is paused or waits does so."""
        from newsletter import send

        service = self.campaigns()
        for report in reports:
            found = service.status(session, send.get(session, report.campaign))
            if found.paused:
                return f"paused: {found.paused}"
            if found.until:
                return f"waits until {self.clock_time(found.until)}, for {found.waits_for}"
        return ""

    def _missing(self, name: str) -> str:
        """What stands between a draft and its approval, in a few words; nothing when nothing does."""
        from newsletter.check import blocks

        try:
            issue = self.compose(name)
            errors = [finding for finding in self.check(issue, self.render(issue)) if blocks(finding)]
        except (NewsletterError, OSError, ValueError) as fault:  # whatever is wrong with one hides no other
            return str(fault).splitlines()[0]
        return f"{errors[0].message}" + (f", and {len(errors) - 1} more" if errors[1:] else "") if errors else ""

    def inbox_count(self) -> int:
        """How many collected items nobody has looked at."""
        from newsletter.collect import inbox

        with self.store.read() as session:
            return inbox.count(session)
