"""The roster, and letters to those whom an issue speaks of."""

from __future__ import annotations

import email
import email.policy
import json
from pathlib import Path

import pytest

from newsletter.collect import members
from newsletter.errors import NotApproved, TemplateError
from newsletter.model import Member, Place
from tests.desk import ISSUE, NOW, Desk

NAME = "network-download-2022-10"
DANA = Member(slug="dana-reyes", name="Dana Reyes", title="Council Member", email="dana@example.org")
LEE = Member(slug="lee-moss", name="Lee Moss", aliases=("L. Moss",))
TOLD = ISSUE.replace("This month", "Dana Reyes writes that this month").replace("Heard at last", "L. Moss is heard")


@pytest.fixture
def named(desk: Desk) -> Desk:
    with desk.space.store.write() as session:
        for member in (DANA, LEE):
            members.add(session, member, NOW)
    desk.write_issue(NAME, TOLD)
    return desk


def letter(path: Path) -> tuple[email.message.EmailMessage, str]:
    message = email.message_from_bytes(
        path.read_bytes(), _class=email.message.EmailMessage, policy=email.policy.default
    )
    return message, str(message.get_content())


def test_a_heads_up_says_what_the_issue_says_and_is_a_draft(named: Desk) -> None:
    (path,), silent = named.space.courtesy(NAME, named.folder / "letters", after=False)
    message, text = letter(path)
    assert (message["To"], message["X-Unsent"]) == ("Dana Reyes <dana@example.org>", "1")
    assert message["Subject"] == "You're in the next The Network Download"
    assert "Dana Reyes writes that this month eight cities were heard" in " ".join(text.split())
    assert "before October 12, 2022" in text
    assert silent == [LEE]


def test_a_share_kit_has_links_posts_and_the_picture_of_what_was_approved(named: Desk) -> None:
    with named.space.store.write() as session:
        members.replace(session, "lee-moss", Member(slug="lee-moss", name="L. Moss", email="lee@example.org"), NOW)
    with pytest.raises(NotApproved, match="nothing to share"):
        named.space.courtesy(NAME, named.folder / "letters", after=True)
    named.space.approve(NAME, by="Dana")
    paths, _ = named.space.courtesy(NAME, named.folder / "letters", after=True)
    _, text = letter(next(path for path in paths if path.stem == "lee-moss"))
    link = f"https://news.example.org/{NAME}/#hb1-hearing"
    assert f"L. Moss is heard {link}" in text
    assert "https://news.example.org/media/" in text
    assert "Its alt text: The steps of a courthouse" in text


def test_somebody_is_found_by_sponsorship_people_alias_and_name_but_not_by_half_a_name(named: Desk) -> None:
    issue = named.space.compose(NAME)
    found = members.mentions(issue, [DANA, LEE, Member(slug="x", name="Dana Rey"), Member(slug="y", name="eight")])
    assert [mention.member.slug for mention in found] == ["dana-reyes", "y", "lee-moss"]


def test_a_letter_of_ones_own_wins_and_its_faults_are_told(named: Desk) -> None:
    own = named.folder / "templates" / "courtesy" / "before.txt.j2"
    own.parent.mkdir(parents=True)
    own.write_text("About {{ issue.title }}\n\nDear {{ member.title }},\n")
    (path,), _ = named.space.courtesy(NAME, named.folder / "letters", after=False)
    assert letter(path)[1].strip() == "Dear Council Member,"
    own.write_text("{{ nothing }}")
    with pytest.raises(TemplateError, match="courtesy/before"):
        named.space.courtesy(NAME, named.folder / "letters", after=False)


def test_a_name_with_a_line_break_can_add_no_header(named: Desk) -> None:
    done = named.run("members", "add", "--name", "Eve\nBcc: all@example.org", "--email", "eve@example.org")
    assert done.returncode == 0
    shown = json.loads(named.run("members", "show", done.stdout.strip(), "--json").stdout)
    assert shown["name"] == "Eve Bcc: all@example.org"


def test_the_roster_by_command(desk: Desk) -> None:
    done = desk.run("members", "add", "--name", "Dana Reyes", "--place", "Durham, NC", "--alias", "D. Reyes")
    assert done.stdout == "dana-reyes\n"
    assert desk.run("members", "edit", "dana-reyes", "--email", "nonsense").returncode == 1
    desk.run("members", "edit", "dana-reyes", "--email", "dana@example.org")
    with desk.space.store.read() as session:
        assert members.get(session, "dana-reyes").place == Place(state="NC", locality="Durham")
    assert "dana@example.org" in desk.run("members", "list", "--state", "nc").stdout
    assert desk.run("members", "list", "--search", "moss").stdout == ""
    exported = desk.run("members", "export", "-", "--format", "csv").stdout
    (desk.folder / "members.csv").write_text(exported, newline="")
    assert "1 members: 0 added, 0 updated, 1 unchanged" in desk.run("members", "import", "members.csv").stdout
    desk.run("members", "remove", "dana-reyes")
    assert "no member" in desk.run("members", "show", "dana-reyes").stderr


def test_a_members_name_spelled_otherwise_is_pointed_out(named: Desk) -> None:
    named.write_issue(NAME, TOLD.replace("Dana Reyes", "Dana Reyez"))
    findings = json.loads(named.run("check", NAME, "--json").stdout)
    assert [f["message"] for f in findings if f["rule"] == "facts/name-spelled-otherwise"] == [
        '"Dana Reyez" may be Dana Reyes'
    ]


def test_courtesy_by_command(named: Desk) -> None:
    done = named.run("courtesy", NAME)
    assert done.stdout.endswith(f"courtesy/{NAME}/dana-reyes.eml\n")
    assert "Lee Moss has no address" in done.stderr
