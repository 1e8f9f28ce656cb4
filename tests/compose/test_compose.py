"""issue.md into an Issue; all that is wrong in a file is said at once, each fault with its line."""

from __future__ import annotations

import datetime as dt

import pytest

from newsletter import collect, merge
from newsletter.compose import compose
from newsletter.errors import IssueError
from newsletter.model import Coverage, Issue, Picture, PolicyEntry, Prose, Status, Story
from tests.desk import ISSUE, Desk

NAME = "network-download-2022-10"


def composed(desk: Desk, text: str = ISSUE, previous: dt.date | None = None) -> Issue:
    path = desk.write_issue(NAME, text)
    with desk.space.store.read() as session:
        library = collect.library(session)
    return compose(path, desk.space.config, library, previous=previous)


def with_body(body: str) -> str:
    return ISSUE[: ISSUE.index("Hi {{")] + body


def test_an_issue_has_sections_of_blocks_in_order(desk: Desk) -> None:
    issue = composed(desk)
    assert issue.slug == NAME
    assert [section.heading for section in issue.sections] == ["", "⚖️ In the courts", "🏛️ Policy wins", "📅 Coming up"]
    kinds = [[type(block) for block in section.blocks] for section in issue.sections]
    assert kinds == [[Prose], [Story], [PolicyEntry], [Story, Story]]
    assert issue.preheader == merge.parse("Hello {{ first_name | friend }}: eight cities are heard, and Denver is next")


def test_a_headline_and_a_blurb_can_be_written_for_this_issue_only(desk: Desk) -> None:
    story = next(block for block in composed(desk).blocks if isinstance(block, Story))
    assert story.headline == "Heard at last"
    assert story.item.title == "Eight cities have their day in court"
    assert story.blurb.startswith("{{ first_name | Friend }}, your neighbours")
    assert not story.compact


def test_references_in_a_list_are_compact(desk: Desk) -> None:
    rows = [block for block in composed(desk).blocks if isinstance(block, Story) and block.compact]
    assert [row.item.slug for row in rows] == ["denver-convening", "organizer-job"]


def test_a_policy_shows_where_it_stood_on_the_day_and_what_moved(desk: Desk) -> None:
    entry = next(b for b in composed(desk, previous=dt.date(2022, 9, 14)).blocks if isinstance(b, PolicyEntry))
    assert entry.status
    assert entry.status.status is Status.IN_EFFECT
    assert [change.status for change in entry.moved] == [Status.IN_EFFECT]
    earlier = composed(desk, ISSUE.replace("date = 2022-10-12", "date = 2022-07-01"))
    entry = next(b for b in earlier.blocks if isinstance(b, PolicyEntry))
    assert entry.status
    assert entry.status.status is Status.PASSED


def test_references_on_lines_that_follow_each_other_are_all_taken(desk: Desk) -> None:
    issue = composed(desk, with_body("[[hb1-hearing]]\n[[organizer-job]]\n"))
    assert [entry.line for entry in issue.entries] == [10, 11]


def test_a_block_quote_elsewhere_is_a_quote(desk: Desk) -> None:
    issue = composed(desk, with_body("[[hb1-hearing]]\n\nText.\n\n> Said somebody.\n"))
    assert [type(block) for block in issue.blocks] == [Story, Prose]


def test_a_blank_line_keeps_a_quote_apart_from_the_entry_above(desk: Desk) -> None:
    issue = composed(desk, with_body("[[hb1-hearing]]\n\n> Said somebody.\n"))
    assert [type(block) for block in issue.blocks] == [Story, Prose]
    issue = composed(desk, with_body("[[hb1-hearing]]\n> For this issue.\n\n> Said somebody.\n"))
    assert [type(block) for block in issue.blocks] == [Story, Prose]


def test_comments_are_for_the_desk_only(desk: Desk) -> None:
    issue = composed(desk, with_body("<!-- ask legal -->\n\nHello.\n"))
    (prose,) = issue.blocks
    assert isinstance(prose, Prose)
    assert prose.markdown == "Hello."


def test_a_picture_by_itself_is_a_picture_with_its_size_and_credit(desk: Desk) -> None:
    (picture,) = composed(desk, with_body('![A blue field](photo.png "By us")\n')).blocks
    assert isinstance(picture, Picture)
    assert (picture.photo.alt, picture.photo.credit, picture.photo.width) == ("A blue field", "By us", 1200)


def test_line_ends_of_windows_and_a_mark_change_nothing(desk: Desk) -> None:
    plain = composed(desk)
    path = desk.write_issue(NAME, "")
    path.write_bytes(b"\xef\xbb\xbf" + ISSUE.replace("\n", "\r\n").encode())
    with desk.space.store.read() as session:
        assert compose(path, desk.space.config, collect.library(session)) == plain


def test_everything_wrong_is_said_at_once_with_its_line(desk: Desk) -> None:
    body = "# Title\n\n[[hb1-hearin]]\n\nSee [[organizer-job]] soon.\n\n<div>x</div>\n\n"
    body += "![x](none.jpg)\n\n- [[nope]]\n- text\n"
    with pytest.raises(IssueError) as caught:
        composed(desk, with_body(body).replace('"network-download"', '"network-downlod"'))
    lines = str(caught.value).splitlines()
    where = f"issues/{NAME}/issue.md"
    assert lines[0] == f'{where}:2: no publication "network-downlod" (did you mean "network-download"?)'
    assert f"{where}:10: a # heading is the issue's title" in lines[1]
    assert f'{where}:12: no stored item or policy "hb1-hearin" (did you mean "hb1-hearing"?)' in lines
    assert any(line.startswith(f"{where}:14: [[organizer-job]] stands inside other text") for line in lines)
    assert any(line.startswith(f"{where}:16: HTML is not used") for line in lines)
    assert any(line.startswith(f"{where}:18: no picture none.jpg") for line in lines)
    assert any(line.startswith(f'{where}:20: no stored item or policy "nope"') for line in lines)
    assert any(line.startswith(f'{where}:21: "text" is no reference') for line in lines)
    assert len(lines) == 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: there is no front matter"),
        ("+++\ntitle = 1\n", ":1: the front matter has no closing"),
        (ISSUE.replace("title =", "titel ="), ':3: unknown key "titel" (did you mean "title"?)'),
        (ISSUE.replace("date = 2022-10-12", 'date = "soon"'), ':4: "date" must be a date'),
        (ISSUE.replace("date = 2022-10-12", "date = "), ":4: not valid TOML"),
        (ISSUE.replace("date = 2022-10-12\n", ""), '"date" is missing'),
        (ISSUE.replace("teaser", "hero = 'none.jpg'\nteaser"), ":7: no picture none.jpg"),
    ],
)
def test_broken_front_matter_is_one_line_with_its_place(desk: Desk, text: str, said: str) -> None:
    with pytest.raises(IssueError) as caught:
        composed(desk, text)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["My Issue", "a#b", "Ünï", "a%20b", "a_b"])
def test_a_folder_that_is_no_slug_is_refused(desk: Desk, name: str) -> None:
    path = desk.write_issue(name, ISSUE)
    with desk.space.store.read() as session, pytest.raises(IssueError, match="is no slug"):
        compose(path, desk.space.config, collect.library(session))


def test_another_encoding_is_said_with_the_line_of_the_first_bad_byte(desk: Desk) -> None:
    path = desk.write_issue(NAME, "")
    path.write_bytes(ISSUE.replace("**eight cities**", "ocho años").encode("cp1252", "replace"))
    with pytest.raises(IssueError, match=r"issue.md:12: not UTF-8"):
        compose(path, desk.space.config, {})


def test_the_same_file_and_items_give_the_same_issue(desk: Desk) -> None:
    assert composed(desk) == composed(desk)


def test_a_policy_says_where_it_was_covered_first(desk: Desk) -> None:
    desk.space.approve("network-download-2022-10", by="Dana")
    again = ISSUE.replace("2022-10-12", "2022-11-12").replace("[[hb1-hearing]]", "[[hb1-hearing | reminder]]")
    desk.write_issue("network-download-2022-11", again)
    later = desk.space.compose("network-download-2022-11")
    (policy,) = [entry for entry in later.entries if isinstance(entry, PolicyEntry)]
    assert policy.covered == Coverage(
        issue="network-download-2022-10", publication="The Network Download", date=dt.date(2022, 10, 12)
    )
    (mail,) = desk.space.render(later)
    link = "https://news.example.org/network-download-2022-10/#sf-public-health-leave"
    assert f'href="{link}"' in str(mail.html)
    assert "First covered in The Network Download, October 2022" in str(mail.html)
    assert link in str(mail.text)


def test_what_is_told_for_the_first_time_has_no_earlier_coverage(desk: Desk) -> None:
    desk.space.approve("network-download-2022-10", by="Dana")
    issue = desk.space.compose("network-download-2022-10")
    assert [entry.covered for entry in issue.entries if isinstance(entry, PolicyEntry)] == [None]
