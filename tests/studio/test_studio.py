"""The studio's answers: who is let in, what is shown, and what is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from newsletter.collect import forms, inbox, items
from newsletter.model import Place
from newsletter.studio import Studio, create_app
from newsletter.studio.preview import in_scheme, inbox_rows
from newsletter.workspace import system_clock
from tests.desk import ISSUE, NOW, Desk

NAME = "network-download-2022-10"
BASE = f"/issues/{NAME}/"


class Here(FlaskClient):
    """Asks by this machine's name, unless a test says otherwise."""

    def open(self, *arguments: Any, **options: Any) -> TestResponse:
        return super().open(*arguments, **{"base_url": "http://127.0.0.1:8765", **options})


@pytest.fixture
def studio(desk: Desk) -> Iterator[Studio]:
    opened = Studio(desk.folder / "config.toml", system_clock())
    yield opened
    opened.space.close()


@pytest.fixture
def client(studio: Studio) -> FlaskClient:
    app = create_app(studio, 8765)
    app.test_client_class = Here
    return app.test_client()


def token(page: TestResponse) -> dict[str, str]:
    return dict(re.findall(r'name="(token|seen)" value="([^"]+)"', page.text))


def line(part: str) -> str:
    return str(ISSUE.split("\n").index(next(row for row in ISSUE.split("\n") if f"[[{part}]]" in row)) + 1)


def post(client: FlaskClient, act: str, **form: str) -> TestResponse:
    return client.post(f"{BASE}{act}", data={**token(client.get(BASE)), **form})


def written(desk: Desk) -> str:
    return (desk.space.issues / NAME / "issue.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("host", ["evil.example:8765", "127.0.0.1", "localhost:9999", "127.0.0.1.evil.example:8765"])
def test_another_name_than_this_machines_is_refused(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765"])
def test_this_machines_names_are_let_in(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


def test_a_page_elsewhere_can_change_nothing(client: FlaskClient, desk: Desk) -> None:
    form = {**token(client.get(BASE)), "line": line("hb1-hearing")}
    assert client.post(f"{BASE}drop", data=form, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post(f"{BASE}drop", data={**form, "token": "guessed"}).status_code == 403
    assert client.post(f"{BASE}drop", data={"line": form["line"], "seen": form["seen"]}).status_code == 403
    assert written(desk) == ISSUE


@pytest.mark.parametrize("act", ["move", "drop", "undo", "links", "write", "head", "insert"])
def test_get_changes_nothing(client: FlaskClient, desk: Desk, act: str) -> None:
    assert client.get(f"{BASE}{act}", query_string={"line": line("hb1-hearing")}).status_code in (404, 405)
    assert written(desk) == ISSUE


def test_the_panel_tells_inbox_size_parts_and_findings_beside_their_place(client: FlaskClient, desk: Desk) -> None:
    desk.write_issue(NAME, ISSUE.replace("The whole story", "here"))
    panel = client.get(f"{BASE}panel").text
    assert "Gmail cuts at 102,000" in panel
    introduction = panel.partition("<h3>Introduction</h3>")[2].partition("<h3>")[0]
    assert "links/vague-words" in introduction


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("phone", "<!doctype html>"),
        ("desktop", "Heard at last"),
        ("text", "<pre>"),
        ("source", "&lt;!doctype html&gt;"),
        ("nonsense", "Heard at last"),
    ],
)
def test_every_view_shows_the_issue(client: FlaskClient, view: str, words: str) -> None:
    assert words in client.get(f"{BASE}frame?view={view}").text


def test_the_archive_page_and_its_pictures_come_from_here(client: FlaskClient) -> None:
    page = client.get(f"{BASE}frame?view=page&scheme=dark", follow_redirects=True)
    assert "Heard at last" in page.text
    style = re.search(r'href="\.\./(style\.css\?[^"]+)"', page.text)
    assert style is not None
    assert "min-width: 0" in client.get(f"/archive/{style.group(1).replace('&amp;', '&')}").text
    picture = re.search(r"/archive/media/[\w.]+", client.get(f"{BASE}frame").text)
    assert picture is not None
    with client.get(picture.group()) as answer:
        assert answer.data.startswith(b"\x89PNG")


def test_a_reader_sees_their_own_variant_and_name(client: FlaskClient, desk: Desk) -> None:
    desk.write_issue(NAME, ISSUE + '\n::: only state = "TX"\n\nOnly Texas reads this.\n\n:::\n')
    assert "Only Texas reads this" not in client.get(f"{BASE}frame").text
    mine = client.get(f"{BASE}frame?reader=Chi@example.org").text
    assert "Only Texas reads this" in mine
    assert "Hi Chi," in mine
    assert "g1: 1 readers" in client.get(f"{BASE}panel").text
    assert "nobody has that address" in client.get(f"{BASE}panel?reader=who@example.org").text


def test_frames_run_no_script_and_load_nothing_from_elsewhere(client: FlaskClient) -> None:
    for path in (f"{BASE}frame", f"/archive/{NAME}/", "/templates/network-download/network-download"):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "http" not in policy.replace("'self'", "")


HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)> "q" \u202e \U0001f600 {{ first_name }} %recipient.x%'


def test_hostile_items_are_inert(client: FlaskClient, desk: Desk) -> None:
    with desk.space.store.write() as session:
        old = items.get(session, "organizer-job")
        hostile = replace(
            old,
            title=HOSTILE,
            summary=HOSTILE * 200,
            url="javascript:alert(3)",
            outlet=HOSTILE,
            author=HOSTILE,
            time=HOSTILE,
            venue=HOSTILE,
            topics=(HOSTILE,),
            people=(HOSTILE,),
            places=(Place(state="FL", locality=HOSTILE),),
        )
        items.replace(session, "organizer-job", hostile, desk.space.clock.now())
    for path in (f"{BASE}frame", f"{BASE}frame?view=text", f"{BASE}frame?view=source", f"/archive/{NAME}/", BASE):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert not re.search(r'href="\s*javascript:', page)


def test_what_is_broken_is_told_and_mended_with_the_next_save(client: FlaskClient, desk: Desk) -> None:
    desk.write_issue(NAME, ISSUE + "\n[[no-such-item]]\n\n<b>html</b>\n")
    panel, frame = client.get(f"{BASE}panel").text, client.get(f"{BASE}frame").text
    for page in (panel, frame):
        assert "no stored item or policy" in page
        assert f"issues/{NAME}/issue.md:{len(ISSUE.splitlines()) + 2}" in page
    desk.write_issue(NAME, ISSUE)
    assert "Heard at last" in client.get(f"{BASE}frame").text


def test_a_broken_config_is_told_and_mended_with_the_next_save(client: FlaskClient, desk: Desk) -> None:
    path = desk.folder / "config.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text("nonsense = 3\n" + text, encoding="utf-8")
    assert "config.toml:1" in client.get(BASE).text
    path.write_text(text, encoding="utf-8")
    assert client.get(BASE).status_code == 200


def test_a_template_of_ones_own_is_followed(client: FlaskClient, desk: Desk) -> None:
    desk.run("templates", "copy", "network-download")
    path = desk.folder / "templates" / "email" / "network-download" / "mail.txt.j2"
    path.write_text("{{ nothing_of_that_name }}")
    assert "templates/email/network-download/mail.txt.j2:1" in client.get(f"{BASE}frame").text


def test_moving_writes_the_file_and_can_be_taken_back(client: FlaskClient, desk: Desk) -> None:
    assert post(client, "move", line=line("denver-convening"), direction="down").status_code == 303
    assert written(desk).endswith("- [[organizer-job]]\n- [[denver-convening]]\n")
    assert post(client, "undo").status_code == 303
    assert written(desk) == ISSUE
    assert post(client, "undo").status_code == 409


def test_dropping_takes_the_part_with_its_blurb(client: FlaskClient, desk: Desk) -> None:
    post(client, "drop", line=line("hb1-hearing"))
    assert "hb1-hearing" not in written(desk)
    assert "your neighbours" not in written(desk)


def test_a_file_that_changed_meanwhile_is_not_written_over(client: FlaskClient, desk: Desk) -> None:
    form = {**token(client.get(BASE)), "line": line("hb1-hearing")}
    desk.write_issue(NAME, ISSUE + "\nA word more.\n")
    answer = client.post(f"{BASE}drop", data=form)
    assert (answer.status_code, "has changed meanwhile" in answer.text) == (409, True)
    assert written(desk).endswith("A word more.\n")


def test_words_are_changed_where_they_are_shown_and_taken_back(client: FlaskClient, desk: Desk) -> None:
    post(client, "write", line=line("hb1-hearing"), headline="Heard", blurb="In their own words.")
    assert "[[hb1-hearing]] Heard\n> In their own words.\n" in written(desk)
    post(client, "head", was_subject="x", subject="A new subject", was_teaser="same", teaser="same")
    assert 'subject = "A new subject"' in written(desk)
    assert "Eight cities are heard in court, and the convening" in written(desk)
    heading = str(ISSUE.split("\n").index("## 🏛️ Policy wins") + 1)
    post(client, "write", line=heading, heading="Wins")
    assert "## Wins\n" in written(desk)
    for _ in range(3):
        post(client, "undo")
    assert written(desk) == ISSUE


def test_a_headings_marks_are_in_the_field_that_changes_it(client: FlaskClient, desk: Desk) -> None:
    desk.write_issue(NAME, ISSUE.replace("## 🏛️ Policy wins", "## 🏛️ **Policy** wins"))
    assert 'name="heading" value="🏛️ **Policy** wins"' in client.get(f"{BASE}panel").text


def test_an_item_of_the_inbox_is_kept_and_put_into_a_section(client: FlaskClient, desk: Desk) -> None:
    form = {"kind": "news", "title": "Fresh", "slug": "fresh", "url": "https://example.org/f", "date": "2022-10-10"}
    with desk.space.store.write() as session:
        item = forms.read_item(form, base=desk.folder, workspace=desk.folder)
        inbox.put(session, item, "by hand", NOW)
    assert "Fresh (inbox)" in client.get(f"{BASE}panel").text
    heading = str(ISSUE.split("\n").index("## 🏛️ Policy wins") + 1)
    assert post(client, "insert", line=heading, entry="fresh").status_code == 303
    assert written(desk).index("[[sf-public-health-leave]]") < written(desk).index("[[fresh]]")
    assert "Fresh" in client.get(f"{BASE}frame").text
    assert post(client, "insert", line=heading, entry="nothing-like-it").status_code == 409
    assert "nothing-like-it" not in written(desk)


def test_a_mistyped_reader_is_told_beside_the_issue(client: FlaskClient) -> None:
    for reader in ("nobody@example.org", "no address"):
        page = client.get(BASE, query_string={"reader": reader})
        assert page.status_code == 200
        assert 'role="alert">As reader: ' in page.text
        assert "Parts" in page.text


@pytest.mark.parametrize("bad", ["", "0", "-1", "99999", "x", "1e3"])
def test_a_line_that_holds_nothing_is_refused(client: FlaskClient, desk: Desk, bad: str) -> None:
    assert post(client, "drop", line=bad).status_code == 409
    assert written(desk) == ISSUE


@pytest.mark.parametrize("path", ["/issues/none/", "/archive/media/none.png", "/archive/media/..%2fconfig.toml", "/x"])
def test_what_is_not_there_is_a_page_that_says_so(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_a_change_is_told_as_soon_as_it_is_saved(studio: Studio, desk: Desk) -> None:
    studio.issue(NAME)
    seen = studio.stamp()
    assert studio.wait(seen, 0.1) == seen
    desk.write_issue(NAME, ISSUE + "\n")
    assert studio.wait(seen, 5) != seen


def test_the_dark_is_shown_on_a_light_screen_and_the_other_way_round() -> None:
    css = "@media (prefers-color-scheme:dark){a{}} @media screen and (prefers-color-scheme: light){b{}}"
    css += " :root{color-scheme:light dark}"
    assert in_scheme(css, "dark") == (
        "@media (min-width: 0){a{}} @media screen and (max-width: 0){b{}} :root{color-scheme:dark}"
    )
    assert '<meta name="color-scheme" content="light">' in in_scheme(
        '<meta name="color-scheme" content="light dark">', "light"
    )


def test_an_inbox_row_is_cut_where_the_program_cuts() -> None:
    gmail, iphone = inbox_rows("S" * 60, "P" * 90)
    assert (len(gmail.preheader), len(gmail.preheader_cut)) == (40, 50)
    assert (len(iphone.subject), len(iphone.subject_cut)) == (38, 22)
