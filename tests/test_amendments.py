"""What is public can be put right: notes, other addresses, pages that go, archived links; and all of it undone."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter import amendments
from newsletter.amendments import Decision, path_of
from newsletter.errors import InputError, NotFound
from newsletter.model import DeliveryState, Gone, Moved, Replacement
from newsletter.store import Store
from newsletter.store.records import CampaignRecord, DeliveryRecord, SubscriptionRecord
from tests.desk import ISSUE, NOW, Desk

NAME = "network-download-2022-10"
NOTE = "We wrote that eight cities sued. It was **nine**."
ADA = Decision(by="Ada", at=NOW, day=dt.date(2022, 10, 12))
BASE = "https://news.example.org/"


def page(desk: Desk, path: str = NAME) -> str:
    desk.space.publish()
    return (desk.folder / "archive" / path / "index.html").read_text(encoding="utf-8")


def drafted(desk: Desk, day: dt.date) -> str:
    draft = desk.space.draft(desk.space.config.publication("network-download"), day, None, "")
    desk.space.write_draft(draft)
    return draft.path.read_text(encoding="utf-8")


@pytest.fixture
def out(desk: Desk) -> Desk:
    """The desk with its issue approved and noted as wrong."""
    desk.space.approve(NAME, by="Ada")
    with desk.space.store.write() as session:
        amendments.correct(session, desk.space.published(NAME)[0].issue, NOTE, ADA)
    return desk


def test_a_correction_stands_on_the_issues_page_with_its_date(out: Desk) -> None:
    text = page(out)
    assert "It was <strong>nine</strong>." in text
    assert "2022-10-12" in text
    assert "nine" not in (out.folder / "archive" / NAME / "as-mailed.html").read_text(encoding="utf-8")


def test_a_correction_that_is_taken_back_is_on_no_page(out: Desk) -> None:
    assert out.run("corrections", "remove", "1").returncode == 0
    assert "nine" not in page(out)
    assert "no correction 1" in out.run("corrections", "remove", "1").stderr


def test_what_was_taken_back_stays_in_the_history_and_can_be_noted_again(out: Desk) -> None:
    out.run("corrections", "remove", "1")
    assert "taken back" in out.run("history", NAME).stdout
    assert "Corrections" not in drafted(out, dt.date(2022, 11, 12))
    assert out.run("correct", NAME, "--note", NOTE).returncode == 0
    assert "nine" in page(out)


def test_a_correction_by_mail_that_stands_on_no_page_is_never_approved(out: Desk) -> None:
    text = ISSUE.partition("## ")[0].replace("+++\n\n", f'corrects = "{NAME}"\n+++\n\n', 1)
    out.write_issue("october-right", text)
    assert "no such correction stands" in out.run("approve", "october-right").stderr


def test_the_same_correction_twice_is_one(out: Desk) -> None:
    done = out.run("correct", NAME, "--note", f"  {NOTE}\n")
    assert (done.returncode, "already" in done.stderr) == (0, True)
    assert len(json.loads(out.run("corrections", "list", "--json").stdout)) == 1


@pytest.mark.parametrize(
    "note", ["", " \n", "# Loud", "Fine.\n\n::: only all", "[[hb1-hearing]]", "Hi {{ first_name }}", "<b>x</b>"]
)
def test_a_correction_is_nothing_but_paragraphs(out: Desk, note: str) -> None:
    issue = out.space.published(NAME)[0].issue
    with out.space.store.write() as session, pytest.raises(InputError, match="correction"):
        amendments.correct(session, issue, note, ADA)


def test_only_what_is_out_can_be_corrected(desk: Desk) -> None:
    assert "isn't out" in desk.run("correct", NAME, "--note", NOTE).stderr
    assert "no issue" in desk.run("correct", "nothing", "--note", NOTE).stderr
    desk.space.approve(NAME, by="Ada")
    assert "--note TEXT" in desk.run("correct", NAME).stderr


def test_the_next_draft_begins_with_the_correction_once(out: Desk) -> None:
    text = drafted(out, dt.date(2022, 11, 12))
    assert text.index("## Corrections") < text.index("## 🏛️ Policy wins")
    assert NOTE in text
    assert f"({BASE}{NAME}/)" in text
    assert "Corrections" not in drafted(out, dt.date(2022, 12, 12))


def test_a_correction_of_a_draft_that_was_thrown_away_waits_again(out: Desk) -> None:
    drafted(out, dt.date(2022, 11, 12))
    (out.space.issues / "network-download-2022-11" / "issue.md").unlink()
    assert NOTE in drafted(out, dt.date(2022, 12, 12))


def test_a_draft_with_corrections_composes(out: Desk) -> None:
    drafted(out, dt.date(2022, 11, 12))
    assert out.space.compose("network-download-2022-11").sections[1].heading == "Corrections"


def test_another_publications_draft_is_without_it(out: Desk) -> None:
    draft = out.space.draft(out.space.config.publication("workers-rights"), dt.date(2022, 11, 12), None, "")
    assert draft.corrections == {}


def test_staff_see_every_approval_and_its_text(out: Desk) -> None:
    out.write_issue(NAME, ISSUE.replace("eight cities", "nine cities"))
    out.space.approve(NAME, by="Ben")
    rows = json.loads(out.run("history", NAME, "--json").stdout)
    assert sorted(row["what"] for row in rows) == ["approved", "approved", "corrected"]
    first = next(row["id"] for row in rows if row["by"] == "Ada" and row["what"] == "approved")
    assert "eight cities" in out.run("history", NAME, first).stdout
    assert "no approval" in out.run("history", NAME, "%").stderr
    assert "never approved" in out.run("history", "nothing").stderr


def test_an_old_address_leads_to_the_new_one(out: Desk) -> None:
    assert out.run("pages", "move", "old-name", NAME).returncode == 0
    assert f"{NAME}/" in page(out, "old-name")


def test_an_issue_under_a_new_name_is_the_same_issue(out: Desk) -> None:
    assert out.run("send", NAME, "--confirm", NAME).returncode == 0
    (out.space.issues / NAME).rename(out.space.issues / "october")
    assert out.run("pages", "move", NAME, "october").returncode == 0
    assert "Heard at last" in page(out)  # until the new name is approved
    out.space.approve("october", by="Ada")
    assert "nine" in page(out, "october")
    assert "Heard at last" not in page(out)
    assert "october" in page(out)
    assert NAME not in (out.folder / "archive" / "sitemap.xml").read_text()
    assert "3 have the issue" in out.run("send", "october", "--confirm", "october").stderr
    assert out.run("correct", "october", "--mail").returncode == 0


def test_a_withdrawn_page_is_gone_with_its_reason_and_can_come_back(out: Desk) -> None:
    page(out)
    assert out.run("pages", "withdraw", f"{BASE}{NAME}/", "--reason", "Somebody asked us to.").returncode == 0
    text = page(out)
    assert "Somebody asked us to." in text
    assert "Heard at last" not in text
    assert NAME not in (out.folder / "archive" / "index.html").read_text(encoding="utf-8")
    assert out.run("pages", "restore", NAME).returncode == 0
    assert "Heard at last" in page(out)
    assert "neither moved" in out.run("pages", "restore", NAME).stderr


def test_what_is_no_page_neither_goes_nor_is_led_to(out: Desk) -> None:
    for arguments in (
        ("withdraw", "nothing"),
        ("move", "old", "nothing"),
        ("withdraw", "../secret"),
        ("move", "/", "x"),
    ):
        assert out.run("pages", *arguments).returncode == 1


@pytest.mark.parametrize("text", ["a/b", "/a/b/", f"{BASE}a/b/", f"{BASE}a/b/index.html", " a/b "])
def test_a_page_may_be_named_by_path_or_address(text: str) -> None:
    assert path_of(text, BASE) == "a/b"


@pytest.mark.parametrize(
    "text", ["", "/", BASE, "https://else.example.org/a", "a?b=1", "a#b", "../a", ".git", "a//b", "a\\b"]
)
def test_what_is_no_path_of_the_archive_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        path_of(text, BASE)


def test_an_address_leads_straight_to_the_newest_and_never_in_a_circle(store: Store) -> None:
    with store.write() as session:
        amendments.move(session, "a", "b", ADA)
        amendments.move(session, "b", "c", ADA)
        assert amendments.read(session).moved == (Moved(old="a", new="c"), Moved(old="b", new="c"))
        amendments.move(session, "c", "a", ADA)
        assert amendments.read(session).moved == (Moved(old="b", new="a"), Moved(old="c", new="a"))
        with pytest.raises(InputError, match="same address"):
            amendments.move(session, "a", "a", ADA)
        amendments.withdraw(session, "a", "", ADA)
        assert amendments.read(session).gone == (Gone(path="a", date=ADA.day),)
        with pytest.raises(InputError, match="is gone"):
            amendments.move(session, "d", "a", ADA)
        with pytest.raises(NotFound):
            amendments.restore(session, "d")


def test_a_replaced_link_is_gone_from_the_page_until_it_is_kept_again(out: Desk) -> None:
    url, copy = "https://example.org/hb1", "https://web.archive.org/web/2022/https://example.org/hb1"
    assert f'href="{url}"' in page(out)
    with out.space.store.write() as session:
        amendments.replace_link(session, [url], copy, ADA)
        assert amendments.read(session).replacements == (Replacement(url=url, archived=copy),)
    assert f'href="{copy}"' in page(out)
    assert f'href="{url}"' not in page(out)
    with out.space.store.write() as session:
        assert amendments.keep_link(session, [url]) == 1
    assert f'href="{url}"' in page(out)


def mail(desk: Desk, *arguments: str) -> str:
    """Draft, approve and send a correction by mail; the name of its campaign."""
    done = desk.run("correct", NAME, "--mail", *arguments)
    assert done.returncode == 0, done.stderr
    name = Path(done.stdout.strip().splitlines()[-1]).parent.name
    assert desk.run("check", name).returncode == 0
    assert "not approved" in desk.run("send", name, "--confirm", name).stderr
    assert desk.run("approve", name).returncode == 0
    return name


def mailed(desk: Desk, campaign: str) -> dict[str, str]:
    with desk.space.store.read() as session:
        query = select(DeliveryRecord.address, DeliveryRecord.state).join(CampaignRecord)
        return dict(session.execute(query.where(CampaignRecord.name == campaign)).all())


def test_a_correction_by_mail_reaches_those_who_were_submitted_the_issue_and_nobody_twice(out: Desk) -> None:
    assert out.run("send", NAME, "--confirm", NAME).returncode == 0
    out.import_people("Email,Lists\nnew@example.org,Network Download\n", "more.csv")
    with out.space.store.write() as session:
        gone = select(SubscriptionRecord).join(
            DeliveryRecord, DeliveryRecord.subscriber_id == SubscriptionRecord.subscriber_id
        )
        for row in session.scalars(gone.where(DeliveryRecord.address == "ben@example.org")):
            row.status = "unsubscribed"
    name = mail(out)
    for _ in range(2):
        assert out.run("send", name, "--confirm", name).returncode == 0
    assert mailed(out, name) == {"ana@example.org": "submitted", "chi@example.org": "submitted"}
    letters = list((out.folder / "outbox" / name).glob("*.eml"))
    assert len(letters) == 2
    assert all(f"{BASE}{NAME}/" in letter.read_text().replace("=\n", "") for letter in letters)
    out.space.publish()
    assert not (out.folder / "archive" / name).exists()
    assert "no correction waits" in out.run("correct", NAME, "--mail").stderr


def test_a_correction_by_mail_may_be_for_one_variant_alone(desk: Desk) -> None:
    desk.write_issue(
        NAME, ISSUE.replace("[[sf-public-health-leave]]", '::: only state = "TX"\n[[sf-public-health-leave]]\n:::')
    )
    desk.space.approve(NAME, by="Ada")
    assert desk.run("send", NAME, "--confirm", NAME).returncode == 0
    wrong = desk.run("correct", NAME, "--note", NOTE, "--mail", "--variant", "g9")
    assert 'did you mean "g1"?' in wrong.stderr
    assert desk.run("corrections", "list").stdout == ""
    assert desk.run("correct", NAME, "--note", NOTE).returncode == 0
    name = mail(desk, "--variant", "g1")
    assert "only those who were submitted" in desk.run("send", name, "--dry-run").stderr
    assert desk.run("send", name, "--confirm", name).returncode == 0
    assert set(mailed(desk, name)) == {"chi@example.org"}


def test_a_correction_neither_dates_nor_measures_the_next_issue(out: Desk) -> None:
    assert out.run("send", NAME, "--confirm", NAME).returncode == 0
    with out.space.store.write() as session:
        delivery = select(DeliveryRecord).where(DeliveryRecord.address != "ana@example.org")
        for row in session.scalars(delivery):
            row.state = DeliveryState.REFUSED
    name = mail(out)
    assert out.run("send", name, "--confirm", name).returncode == 0
    assert len(mailed(out, name)) == 1
    out.write_issue(
        "next", ISSUE.replace("2022-10-12", "2027-10-12").replace("[[hb1-hearing]]", "[[hb1-hearing | update]]")
    )
    assert out.space.compose("next").since == dt.date(2022, 10, 12)
    out.write_issue("next", ISSUE.replace("2022-10-12", "2022-11-11"))
    publication = out.space.config.publication("network-download")
    snapshot = out.space.published(NAME)[0]
    with out.space.store.read() as session:
        from newsletter import send

        target = out.space.campaigns().target(publication, snapshot, "")
        plan = send.plan(session, "next", target, provider="files", batch_size=10, now=NOW)
    assert plan.last == 3


def test_a_correction_by_mail_of_what_nobody_was_submitted_is_refused(out: Desk) -> None:
    assert "submitted to nobody" in out.run("correct", NAME, "--mail").stderr
    assert not (out.space.issues / f"{NAME}-correction").exists()
