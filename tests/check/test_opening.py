"""The first fifty words of an issue."""

from __future__ import annotations

import pytest

from newsletter.check import RULES
from newsletter.check.rules import Subject
from tests.desk import ISSUE, Desk

NAME = "network-download-2022-10"
LEAD = "This month **eight cities** were heard."


def said(desk: Desk, lead: str) -> list[str]:
    assert LEAD in ISSUE
    desk.write_issue(NAME, ISSUE.replace(LEAD, lead))
    issue = desk.space.compose(NAME)
    subject = Subject(issue=issue, variants=(), config=desk.space.config)
    return [message for _, message in RULES["content/slow-start"].run(subject)]


@pytest.mark.parametrize(
    "lead",
    [
        "Welcome to the October edition of the Network Download!",
        "We hope this email finds you well.",
        "**In this month’s issue** we look at HB 1.",
        "Having trouble viewing this? [Look here](https://example.org/a).",
        "View this email in your browser.",
        "We’re excited to share our latest newsletter with you.",
        "Here's your monthly round up.",
        "Can you believe it is October?",
        "Happy Friday!",
        "Bienvenidas a este número.",
    ],
)
def test_what_could_stand_in_any_issue_is_found(desk: Desk, lead: str) -> None:
    assert len(said(desk, lead)) == 1


@pytest.mark.parametrize(
    "lead",
    [
        LEAD,
        "Denver welcomes people to the shelter. Trouble began in May.",
        "The council is happy to hear you on Friday.",
        "Another month of rent is due. " + "Word by word. " * 20 + "Welcome to this issue.",
        "A judge can't decide whether the law reaches this far.",
    ],
)
def test_news_is_not(desk: Desk, lead: str) -> None:
    assert said(desk, lead) == []
