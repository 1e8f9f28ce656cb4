"""A draft: nearly done, from what is new."""

from __future__ import annotations

import datetime as dt

from newsletter import collect
from newsletter.collect import forms, items, policies
from newsletter.compose.draft import day_in, write
from newsletter.compose.news import Window, gather
from newsletter.model import PolicyEntry
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
