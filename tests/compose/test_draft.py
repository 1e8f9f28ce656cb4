"""A draft: nearly done, from what is new."""

from __future__ import annotations

import datetime as dt

import pytest

from newsletter import collect
from newsletter.collect import forms, items, policies
from newsletter.compose.draft import day_in, write
from newsletter.compose.news import Window, gather
from newsletter.errors import InputError
from newsletter.model import Item, PolicyEntry
from tests.desk import NOW, Desk, StillTime
from tests.terminal import at_a_terminal

DAY, SINCE = dt.date(2022, 10, 12), dt.date(2022, 9, 14)


def drafted(desk: Desk, publication: str = "network-download", used: tuple[str, ...] = (), day: dt.date = DAY) -> str:
    with desk.space.store.read() as session:
        library = collect.library(session)
    series = desk.space.config.publication(publication)
    window = Window(day=day, since=SINCE, told=dict.fromkeys(used, "network-download-2022-08"))
    return write(series, gather(series, library, window)[0], day=day)


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


def test_policies_stand_by_how_far_they_have_come_and_events_by_their_day(desk: Desk) -> None:
    form = {
        "kind": "event",
        "title": "Sooner",
        "url": "https://example.org/s",
        "date": "2022-09-20",
        "starts": "2022-10-20",
    }
    steps = {"title": "Moving", "level": "city", "status": "introduced", "status_date": "2022-10-05", "topics": "leave"}
    with desk.space.store.write() as session:
        items.add(session, forms.read_item(form, base=desk.folder, workspace=desk.folder), NOW)
        policies.add(session, forms.read_policy(steps, base=desk.folder, workspace=desk.folder), NOW)
    text = drafted(desk)
    assert text.index("[[sooner]]") < text.index("[[denver-convening]]")
    text = drafted(desk, "workers-rights")
    assert text.index("[[sf-public-health-leave]]") < text.index("[[moving]]")


def test_a_policy_told_before_comes_as_an_update(desk: Desk) -> None:
    desk.space.approve("network-download-2022-10", by="Dana")
    since = dt.date(2022, 9, 1)
    for publication, reference in (
        ("network-download", "[[sf-public-health-leave | update]]"),
        ("workers-rights", "[[sf-public-health-leave]]"),  # its readers haven't read of it
    ):
        written = desk.space.draft(desk.space.config.publication(publication), dt.date(2022, 11, 20), since, "")
        desk.space.write_draft(written)
        assert reference in written.path.read_text(encoding="utf-8")


def test_the_issue_of_a_month_has_the_day_of_the_last_one() -> None:
    assert day_in(dt.date(2022, 2, 1), dt.date(2022, 1, 31)) == dt.date(2022, 2, 28)
    assert day_in(dt.date(2022, 12, 1), dt.date(2022, 11, 9)) == dt.date(2022, 12, 9)
    assert day_in(dt.date(2022, 12, 1), None) == dt.date(2022, 12, 1)


def test_the_month_and_what_to_leave_out_are_said_by_options(desk: Desk) -> None:
    for title in ("one", "two"):
        address = ("--url", f"https://example.org/{title}", "--date", "2022-11-01")
        desk.run("items", "add", "--kind", "news", "--title", title, *address)
    done = desk.run("draft", "network-download", "--month", "2022-11", "--without", "one")
    assert (done.returncode, done.stdout) == (0, "issues/network-download-2022-11/issue.md\n")
    text = (desk.folder / "issues" / "network-download-2022-11" / "issue.md").read_text(encoding="utf-8")
    assert "date = 2022-11-12" in text
    assert "[[two]]" in text
    assert "[[one]]" not in text
    wrong = desk.run("draft", "network-download", "--month", "2022-12", "--without", "nine")
    assert (wrong.returncode, "is not among what is new" in wrong.stderr) == (1, True)


def test_at_a_terminal_a_person_is_asked_what_to_leave_out(desk: Desk) -> None:
    seen = at_a_terminal(desk, "draft", "workers-rights", "--date", "2022-10-12", keys=("9 x\n", "1\n"))
    assert "Numbers from 1 to" in seen
    text = (desk.folder / "issues" / "workers-rights-2022-10" / "issue.md").read_text(encoding="utf-8")
    assert "sf-public-health-leave" not in text


def item(desk: Desk, slug: str, date: str, **more: str) -> None:
    form = {"slug": slug, "kind": "news", "title": slug, "url": f"https://example.org/{slug}", "date": date, **more}
    with desk.space.store.write() as session:
        items.add(session, forms.read_item(form, base=desk.folder, workspace=desk.folder), desk.space.clock.now())


def write_issue(desk: Desk, name: str, publication: str, body: str) -> None:
    head = f'+++\npublication = "{publication}"\ntitle = "T"\ndate = 2022-11-10\nsubject = "S"\n+++\n\n'
    desk.write_issue(name, f"{head}Hi.\n\n{body}\n")


def draft_of(desk: Desk, day: dt.date, publication: str = "network-download", *options: str) -> tuple[str, str]:
    done = desk.run("draft", publication, "--date", day.isoformat(), "--slug", f"draft-{day}", *options)
    assert done.returncode == 0, done.stderr
    path = desk.folder / done.stdout.strip()
    return path.read_text(encoding="utf-8"), done.stderr


def test_an_item_stored_after_the_last_approval_is_new_whatever_its_date(desk: Desk, time: StillTime) -> None:
    item(desk, "early", "2022-09-01")
    time.at += dt.timedelta(days=1)
    desk.space.approve("network-download-2022-10", by="Dana")
    time.at += dt.timedelta(days=1)
    item(desk, "late", "2022-09-01")
    series = desk.space.config.publication("network-download")
    shelves = desk.space.draft(series, dt.date(2022, 11, 12), None, "").shelves
    slugs = {entry.slug for shelf in shelves for entry in shelf.entries}
    assert "late" in slugs
    assert "early" not in slugs


def test_since_takes_what_is_dated_on_that_very_day(desk: Desk) -> None:
    item(desk, "that-day", "2022-10-20")
    item(desk, "day-before", "2022-10-19")
    text, _ = draft_of(desk, dt.date(2022, 11, 12), "network-download", "--since", "2022-10-20")
    assert "[[that-day]]" in text


def test_another_publications_draft_takes_nothing_away_and_an_own_draft_does(desk: Desk) -> None:
    item(desk, "shared", "2022-11-01")
    item(desk, "own", "2022-11-02")
    write_issue(desk, "workers-rights-2022-11", "workers-rights", "[[shared]]")
    write_issue(desk, "network-download-2022-11", "network-download", "[[own]]\n\n<!-- [[shared]] -->")
    text, said = draft_of(desk, dt.date(2022, 11, 20), "network-download", "--since", "2022-10-20")
    assert "[[shared]]" in text
    assert "[[own]]" not in text
    assert "Left out own: told in network-download-2022-11 (a draft). To take it: --again own" in said


def test_what_was_told_is_left_out_with_its_issue_and_taken_again_as_a_reminder(desk: Desk) -> None:
    desk.space.approve("network-download-2022-10", by="Dana")
    text, said = draft_of(desk, dt.date(2022, 11, 12), "network-download", "--since", "2022-09-01")
    assert "[[hb1-hearing" not in text
    assert "Left out hb1-hearing: told in network-download-2022-10. To take it: --again hb1-hearing" in said
    text, _ = draft_of(
        desk, dt.date(2022, 11, 13), "network-download", "--since", "2022-09-01", "--again", "hb1-hearing"
    )
    assert "[[hb1-hearing | reminder]]" in text


def test_a_story_told_under_another_slug_is_known_by_its_address(desk: Desk) -> None:
    desk.space.approve("network-download-2022-10", by="Dana")
    item(desk, "same-story", "2022-11-01", url="http://www.example.org/hb1/#top")
    text, said = draft_of(desk, dt.date(2022, 11, 12), "network-download")
    assert "same-story" not in text
    assert "Left out same-story: told in network-download-2022-10" in said


def test_a_step_on_the_day_of_the_last_issue_is_lost_to_no_issue(desk: Desk) -> None:
    step = {"title": "Sick days", "slug": "sick-days", "level": "city", "status": "in effect"}
    with desk.space.store.write() as session:
        form = forms.read_policy({**step, "status_date": "2022-10-12"}, base=desk.folder, workspace=desk.folder)
        policies.add(session, form, NOW)
    desk.space.approve("network-download-2022-10", by="Dana")  # dated that day, without a word of it
    text, _ = draft_of(desk, dt.date(2022, 11, 12), "network-download")
    assert "[[sick-days]]" in text
    issue = desk.space.compose("draft-2022-11-12")
    (told,) = [entry for entry in issue.entries if isinstance(entry, PolicyEntry) and entry.policy.slug == "sick-days"]
    assert [change.status for change in told.moved] == ["in effect"]


def test_the_issue_of_this_month_is_dated_today(desk: Desk) -> None:
    today = dt.datetime.now(desk.space.config.timezone).date()
    done = desk.run("draft", "workers-rights", "--month", f"{today:%Y-%m}")
    assert f"Dated {today}" in done.stderr


def test_a_draft_speaks_the_publications_language(desk: Desk) -> None:
    path = desk.folder / "config.toml"
    text = path.read_text(encoding="utf-8")
    table = "[publications.workers-rights]\n"
    assert table in text
    path.write_text(text.replace(table, f'{table}language = "es"\n'), encoding="utf-8")
    done = desk.run("draft", "workers-rights", "--date", "2022-11-14")
    assert done.returncode == 0, done.stderr
    text = (desk.folder / done.stdout.strip()).read_text(encoding="utf-8")
    assert "Hola {{ first_name | a todas y todos }}," in text
    assert "| noviembre 2022" in text
    assert "nov 2022" in text


def left_out(desk: Desk, day: dt.date, since: dt.date | None = None, again: tuple[str, ...] = ()) -> dict[str, str]:
    """What a draft of the first publication leaves out, and why, with what to do."""
    found = desk.space.draft(desk.space.config.publication("network-download"), day, since, "next", again)
    return {left.entry.slug: f"{left.why}. {left.remedy}" for left in found.left_out}


def taken(desk: Desk, day: dt.date, since: dt.date | None = None) -> set[str]:
    found = desk.space.draft(desk.space.config.publication("network-download"), day, since, "next")
    return {entry.slug for shelf in found.shelves for entry in shelf.entries}


def policy(desk: Desk, slug: str, *steps: tuple[str, str]) -> None:
    form = {"title": slug, "slug": slug, "level": "city"}
    first = {"status": steps[0][0], "status_date": steps[0][1]} if steps else {}
    with desk.space.store.write() as session:
        read = forms.read_policy({**form, **first}, base=desk.folder, workspace=desk.folder)
        policies.add(session, read, desk.space.clock.now())


def test_the_last_issue_is_the_last_that_was_approved(desk: Desk, time: StillTime) -> None:
    desk.space.approve("network-download-2022-10", by="Dana")
    time.at += dt.timedelta(days=1)
    item(desk, "between", "2022-10-20")
    policy(desk, "moved-between", ("passed", "2022-10-25"))
    write_issue(desk, "unapproved", "network-download", "Words.")  # dated 2022-11-10
    assert {"between", "moved-between"} <= taken(desk, dt.date(2022, 11, 20))


def test_what_a_draft_leaves_out_is_listed_with_its_reason(desk: Desk, time: StillTime) -> None:
    desk.space.approve("network-download-2022-10", by="Dana")
    time.at += dt.timedelta(days=1)
    item(desk, "far", "2022-11-01", kind="event", starts="2023-06-01")
    item(desk, "past", "2022-11-01", kind="event", starts="2022-11-05")
    with desk.space.store.write() as session:
        undated = Item(slug="undated", kind="event", title="U", url="https://example.org/u", date=dt.date(2022, 11, 1))
        items.add(session, undated, time.at)
    item(desk, "closed", "2022-11-01", kind="job", closes="2022-11-10")
    item(desk, "later-job", "2022-12-01", kind="job")
    item(desk, "future", "2022-12-24")
    policy(desk, "stepless")
    policy(desk, "to-come", ("in effect", "2022-12-15"))
    day = dt.date(2022, 11, 20)
    found = left_out(desk, day)
    assert found["far"] == "it starts on 2023-06-01, over 75 days ahead. To take it: --again far"
    assert found["past"] == "it started on 2022-11-05. To take it: --again past"
    assert found["undated"] == "nobody knows when it starts. To say it: newsletter items edit undated"
    assert found["closed"] == "it closed on 2022-11-10. To take it: --again closed"
    assert found["later-job"] == "it's dated 2022-12-01, after the issue. To take it: --again later-job"
    assert found["future"] == "it's dated 2022-12-24, after the issue. To take it: --again future"
    assert found["stepless"] == "no status is known. To set one: newsletter policies status stepless"
    assert found["to-come"] == "its first step is on 2022-12-15, after the issue. To take it: write [[to-come]]"
    assert taken(desk, day).isdisjoint(found)
    assert "far" not in left_out(desk, day, again=("far",))


def test_what_is_old_and_was_there_before_the_last_approval_is_not_listed(desk: Desk, time: StillTime) -> None:
    item(desk, "old", "2022-05-01")
    item(desk, "over", "2022-05-01", kind="event", starts="2022-05-05")
    time.at += dt.timedelta(days=1)
    desk.space.approve("network-download-2022-10", by="Dana")
    assert {"old", "over"}.isdisjoint(left_out(desk, dt.date(2022, 11, 20)))


def test_a_policy_that_another_draft_names_is_left_out_and_listed(desk: Desk, time: StillTime) -> None:
    desk.space.approve("network-download-2022-10", by="Dana")
    time.at += dt.timedelta(days=1)
    policy(desk, "twice", ("passed", "2022-11-01"))
    write_issue(desk, "other", "network-download", "[[twice]]")
    day = dt.date(2022, 11, 20)
    assert left_out(desk, day)["twice"] == "told in other (a draft). To take it: write [[twice]]"
    assert "twice" not in taken(desk, day)


def test_since_takes_what_is_dated_from_then_on_whenever_it_was_stored(desk: Desk, time: StillTime) -> None:
    desk.space.approve("network-download-2022-10", by="Dana")
    time.at += dt.timedelta(days=1)
    item(desk, "before", "2022-10-19")
    item(desk, "after", "2022-10-20")
    policy(desk, "moved-before", ("passed", "2022-10-01"))
    day, since = dt.date(2022, 11, 20), dt.date(2022, 10, 20)
    assert taken(desk, day, since) & {"before", "after", "moved-before"} == {"after"}
    found = left_out(desk, day, since)
    assert found["before"] == "it's dated 2022-10-19, before 2022-10-20. To take it: --again before"
    assert found["moved-before"].startswith("its last step is of 2022-10-01, before 2022-10-20.")


def test_what_cannot_be_drafted_is_said(desk: Desk) -> None:
    policy(desk, "a-policy", ("passed", "2022-11-01"))
    series, day = desk.space.config.publication("network-download"), dt.date(2022, 11, 20)
    with pytest.raises(InputError, match="--since 2022-12-20 is after the issue's day"):
        desk.space.draft(series, day, dt.date(2022, 12, 20), "")
    with pytest.raises(InputError, match="--again is for items"):
        desk.space.draft(series, day, None, "", ("a-policy",))
