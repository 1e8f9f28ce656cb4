"""What the pages said that policies rest on is kept at an approval, compared, and there when they're gone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from newsletter.collect import policies
from newsletter.model import Link
from newsletter.store.records import CopyRecord
from tests.desk import NOW, Desk
from tests.linkkeeping.test_findings import HEAD, NAME, loopback
from tests.linkkeeping.test_linkkeeping import article, asked
from tests.pdf import pdf
from tests.website import Reply, Website

__all__ = ["loopback"]  # a fixture

SLUG = "sf-public-health-leave"
BILL = (
    "<title>Prop G</title><nav>Menu {}</nav><p>Section 1. Leave of {} hours.</p><p>Section 2. It begins in October.</p>"
)


@pytest.fixture
def bill(loopback: Desk, website: Website) -> str:
    """The page that the policy of an issue rests on."""
    url = website.put("/bill", BILL.format(1, 80))
    with loopback.space.store.write() as session:
        policy = policies.get(session, SLUG)
        document = Link(label="The text", url=f"{website.url}/text.PDF")
        policies.replace(session, SLUG, replace(policy, url=f"{url}#top", links=(document,)), NOW)
    website.put("/text.PDF", pdf("Leave of 80 hours"), "application/pdf")
    loopback.write_issue(NAME, f"{HEAD}## Wins\n\n[[{SLUG}]]\n")
    return url


def copies(desk: Desk) -> dict[str, tuple[str, str]]:
    with desk.space.store.read() as session:
        return {row.url.rpartition("/")[2]: (row.text, row.issue) for row in session.scalars(select(CopyRecord))}


def approved(desk: Desk) -> list[str]:
    return desk.space.keep_sources(desk.space.approve(NAME, by="Ada")[0].issue)


def test_approving_keeps_what_a_policys_page_and_document_say(loopback: Desk, bill: str) -> None:
    assert approved(loopback) == []
    assert copies(loopback) == {
        "bill": ("Prop G\nSection 1. Leave of 80 hours.\nSection 2. It begins in October.", NAME),
        "text.PDF": ("Leave of 80 hours", NAME),
    }


def test_the_command_approves_though_no_source_can_be_had(loopback: Desk, website: Website, bill: str) -> None:
    website.pages["/bill"] = Reply(status=500)
    website.pages["/text.PDF"] = Reply(b"\x89PNG", type="image/png")
    done = loopback.run("approve", NAME, "--by", "Ada")
    assert done.returncode == 0
    assert f"Not copied as it was: {bill}: answered 500" in done.stderr
    assert f"{website.url}/text.PDF: it has no text" in done.stderr
    assert loopback.space.approvers(NAME) == ("Ada",)


def test_where_copies_are_not_wanted_nobody_is_asked(loopback: Desk, website: Website, bill: str) -> None:
    links = replace(loopback.space.config.links, copies=False)
    space = replace(loopback.space, config=replace(loopback.space.config, links=links))
    assert approved(replace(loopback, space=space)) == []
    assert website.asked == []


def test_a_source_on_a_private_address_is_not_asked(desk: Desk, website: Website) -> None:
    with desk.space.store.write() as session:
        policy = policies.get(session, SLUG)
        policies.replace(session, SLUG, replace(policy, url=website.put("/bill", "secret")), NOW)
    desk.write_issue(NAME, f"{HEAD}## Wins\n\n[[{SLUG}]]\n")
    (fault,) = approved(desk)
    assert "not on the public internet" in fault
    assert website.asked == []


def test_what_has_changed_since_is_shown_as_a_diff_and_can_be_accepted(
    loopback: Desk, website: Website, bill: str
) -> None:
    approved(loopback)
    website.put("/bill", BILL.format(2, 40))
    done = loopback.run("links", "check", "--afresh")
    assert "changed" in done.stdout
    assert "-Section 1. Leave of 80 hours." in done.stdout
    assert "+Section 1. Leave of 40 hours." in done.stdout
    assert "Menu" not in done.stdout
    assert loopback.run("links", "diff", bill).stdout in done.stdout
    (row,) = [row for row in json.loads(loopback.run("links", "list", "--json").stdout) if row["url"] == bill]
    assert "+Section 1. Leave of 40 hours." in row["changes"]
    assert loopback.run("links", "accept", bill).returncode == 0
    assert loopback.run("links", "diff", bill).stdout == ""


def test_a_menu_that_changes_is_no_change_of_a_source(loopback: Desk, website: Website, bill: str) -> None:
    approved(loopback)
    website.put("/bill", BILL.format(2, 80))
    assert "changed" not in loopback.run("links", "check", "--afresh").stdout


def test_a_source_that_changed_between_two_approvals_is_named(loopback: Desk, website: Website, bill: str) -> None:
    approved(loopback)
    website.put("/bill", BILL.format(1, 40))
    loopback.run("links", "check", "--afresh")
    assert approved(loopback) == [
        f"{bill}: it says something else than when it was captured (newsletter links diff {bill})"
    ]
    assert {text for text, _ in copies(loopback).values() if "40" in text}


def test_the_copy_is_offered_when_the_page_is_gone(loopback: Desk, website: Website, bill: str) -> None:
    approved(loopback)
    website.pages["/bill"] = Reply(status=404)
    done = loopback.run("links", "check", "--afresh")
    assert done.returncode == 3
    assert f"What it said is kept: newsletter links copy {bill}" in done.stderr
    assert "Section 1. Leave of 80 hours." in loopback.run("links", "copy", bill).stdout


def test_a_page_without_a_copy_says_so(loopback: Desk, website: Website, bill: str) -> None:
    loopback.space.approve(NAME, by="Ada")
    for command in ("copy", "diff"):
        done = loopback.run("links", command, bill)
        assert (done.returncode, "no copy is kept" in done.stderr) == (1, True)


def test_a_copy_is_taken_though_the_page_was_asked_today(loopback: Desk, website: Website, bill: str) -> None:
    other = article("A story")
    website.put("/story", other)
    loopback.write_issue(NAME, f"{HEAD}[the bill]({bill}) and [a story]({website.url}/story)\n\n[[{SLUG}]]\n")
    loopback.space.check_links(loopback.space.compose(NAME))
    before = len(asked(website, "/bill"))
    assert approved(loopback) == []
    assert len(asked(website, "/bill")) == before
    assert set(copies(loopback)) == {"bill", "text.PDF"}


def test_nothing_of_a_copy_is_published(loopback: Desk, website: Website, bill: str) -> None:
    approved(loopback)
    loopback.space.publish()
    for path in (loopback.folder / "archive").rglob("*"):
        assert not path.is_file() or b"Leave of 80 hours" not in path.read_bytes()
