"""A draft: nearly done, from what is new."""

from __future__ import annotations

import datetime as dt

from newsletter import collect
from newsletter.compose.draft import draft
from tests.desk import Desk

DAY, SINCE = dt.date(2022, 10, 12), dt.date(2022, 9, 14)


def drafted(desk: Desk, publication: str = "network-download", used: tuple[str, ...] = (), day: dt.date = DAY) -> str:
    with desk.space.store.read() as session:
        library = collect.library(session)
    return draft(desk.space.config.publication(publication), library, day=day, since=SINCE, used=used)


def test_a_draft_has_the_sections_of_its_publication_with_what_is_new(desk: Desk) -> None:
    text = drafted(desk)
    assert text.index("## 🏛️ Policy wins") < text.index("[[hb1-hearing]]") < text.index("## 📅 Coming up")
    assert "- [[denver-convening]]" in text
    assert "- [[organizer-job]]" in text
    assert "[[sf-public-health-leave]]" in text


def test_a_used_item_and_a_closed_job_are_left_out(desk: Desk) -> None:
    assert "[[hb1-hearing]]" not in drafted(desk, used=("hb1-hearing",))
    assert "[[organizer-job]]" not in drafted(desk, day=dt.date(2022, 12, 1))


def test_a_policy_goes_where_its_topic_belongs(desk: Desk) -> None:
    text = drafted(desk, "workers-rights")
    leave = text.index("## 🕰️ Scheduling and leave")
    assert leave < text.index("[[sf-public-health-leave]]") < text.index("## 🏗️")


def test_a_draft_composes_as_it_is(desk: Desk) -> None:
    desk.write_issue("workers-rights-2022-10", drafted(desk, "workers-rights"))
    issue = desk.space.compose("workers-rights-2022-10")
    assert issue.title.startswith("Workers' Rights Round Up: ")
    assert issue.title.endswith("| Oct 2022")
