"""What people decide on the command line about campaigns, and whom they ask for."""

from __future__ import annotations

import pytest

from newsletter import audience, send
from newsletter.workspace import Workspace
from tests.cli.test_arguments import fault, main_ok
from tests.desk import Desk

NAME = "network-download-2022-10"


def test_a_campaign_that_is_done_is_not_paused(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.space.approve(NAME, by="Ada")
    main_ok(desk, "send", NAME, "--confirm", NAME)
    said = fault(desk, capsys, "campaigns", "pause", NAME)
    assert f"{NAME}: is done: 3 submitted" in said
    with desk.space.store.read() as session:
        assert send.get(session, NAME).paused_at is None


def test_the_reason_of_a_pause_is_one_clean_line(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")
    main_ok(desk, "send", NAME, "--at", "2026-12-31 09:00", "--confirm", NAME)
    for given, kept in (("a wrong\nlink\x1b[2J ", "a wrong link[2J"), (" \n", "somebody paused it")):
        main_ok(desk, "campaigns", "pause", NAME, "--why", given)
        with desk.space.store.read() as session:
            assert send.get(session, NAME).paused_why == kept
        main_ok(desk, "campaigns", "resume", NAME)


@pytest.fixture
def tagged(desk: Desk) -> Desk:
    """A workspace in which somebody has a tag, with a segment that names another."""
    desk.import_people("Email,Lists,Tags\ngus@example.org,Network Download,donor\n", "tagged.csv")
    config = desk.folder / "config.toml"
    segment = '\n[segments.slip]\nname = "Slip"\nwhere = "not tag = \'doner\'"\n'
    config.write_text(config.read_text(encoding="utf-8") + segment, encoding="utf-8")
    return Desk(Workspace.open(config, desk.space.clock))


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "out.csv", "--segment", "slip"),
        ("list", "--segment", "slip"),
        ("list", "--where", 'not tag = "doner"'),
        ("list", "--where", 'segment = "slip"'),
    ],
)
def test_a_tag_that_does_not_exist_is_refused_wherever_people_are_asked_for(
    tagged: Desk, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert 'no tag "doner"' in fault(tagged, capsys, "subscribers", *arguments)
    assert "no issue" in fault(tagged, capsys, "subscribers", "list", "--where", 'not received = "no-such-issue"')
    main_ok(tagged, "subscribers", "list", "--where", 'tag = "donor"')


def test_what_is_edited_by_hand_is_kept_in_the_form_that_an_import_keeps(desk: Desk) -> None:
    address = "ana@example.org"
    main_ok(desk, "subscribers", "edit", address, "--role", "Elected Official", "--locality", "x" * 500)
    with desk.space.store.read() as session:
        person = audience.find(session, address)
        assert person
        assert (person.role, person.locality) == ("elected", "x" * 200)
