"""A story that somebody has just had through another publication is left out for them, and for nobody else."""

from __future__ import annotations

import json

import pytest

from tests.desk import ISSUE, Desk
from tests.send.test_variants import received, send

NAME = "network-download-2022-10"
OTHER = "workers-rights-2022-10"
ROUND_UP = """+++
publication = "workers-rights"
title = "Workers' Rights Round Up: HB 1 in court | Oct 2022"
date = 2022-10-10
subject = "Round Up | HB 1 in court | October 2022"
preheader = "Eight cities are heard in court, and what that means for local laws"
teaser = "Eight cities are heard in court."
+++

Hello.

## In the courts

[[hb1-hearing]]
"""


@pytest.fixture
def two(desk: Desk) -> Desk:
    """Chi reads both publications, Rae the Round Up only, the others the Network Download."""
    config = desk.folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    never = "skip_repeats_days = 0"
    assert text.count(never) == 1
    config.write_text(text.replace(never, "skip_repeats_days = 7"), encoding="utf-8")
    desk.import_people("Email,First Name,Lists\nrae@example.org,Rae,Workers' Rights Round Up\n")
    desk.write_issue(OTHER, ROUND_UP)
    return desk


def mail(desk: Desk, name: str) -> None:
    for command in (("approve", name), ("send", name, "--confirm", name)):
        done = desk.run(*command)
        assert done.returncode == 0, done.stderr


def test_whoever_had_a_story_this_week_does_not_get_it_again(two: Desk) -> None:
    mail(two, OTHER)
    send(two)
    texts = received(two)
    assert {name: "Heard at last" in text for name, text in texts.items()} == {"ana": True, "ben": True, "chi": False}
    assert "In the courts" not in texts["chi"], "a section that has nothing left is left out"
    told = json.loads(two.run("explain", NAME, "chi@example.org", "--json").stdout)
    assert (told["variant"], told["had already"]) == ("h1", ["hb1-hearing"])
    assert "without what they had in" in two.run("variants", NAME).stdout


def test_the_archive_keeps_the_whole_issue(two: Desk) -> None:
    mail(two, OTHER)
    send(two)
    assert two.run("publish").returncode == 0
    page = (two.folder / "archive" / NAME / "index.html").read_text(encoding="utf-8")
    assert "Heard at last" in page


def test_without_the_setting_a_repeat_is_a_warning_that_names_it(two: Desk) -> None:
    mail(two, OTHER)
    config = two.folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("skip_repeats_days = 7\n", ""), encoding="utf-8")
    done = two.run("check", NAME)
    assert done.returncode == 0
    assert f'"hb1-hearing" stood in {OTHER}' in done.stdout
    assert "skip_repeats_days" in done.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("date = 2022-10-10", "date = 2022-09-30"),
        ("[[hb1-hearing]]", '::: only state = "TX"\n[[hb1-hearing]]\n:::'),
    ],
    ids=["more than a week ago", "told to some only"],
)
def test_what_not_all_its_readers_have_just_had_is_told_to_everybody(two: Desk, old: str, new: str) -> None:
    two.write_issue(OTHER, ROUND_UP.replace(old, new))
    mail(two, OTHER)
    two.write_issue(NAME, ISSUE.replace("[[hb1-hearing]]", "[[hb1-hearing | reminder]]"))
    send(two)
    assert all("Heard at last" in text for text in received(two).values())


def test_an_update_is_told_to_everybody(two: Desk) -> None:
    mail(two, OTHER)
    two.write_issue(NAME, ISSUE.replace("[[hb1-hearing]]", "[[hb1-hearing | update]]"))
    send(two)
    assert all("Heard at last" in text for text in received(two).values())


def test_nobody_has_had_what_was_approved_and_not_sent(two: Desk) -> None:
    assert two.run("approve", OTHER).returncode == 0
    send(two)
    assert all("Heard at last" in text for text in received(two).values())


def test_a_number_of_days_that_makes_no_sense_is_told(two: Desk) -> None:
    config = two.folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("days = 7", "days = -1"), encoding="utf-8")
    done = two.run("config", "check")
    assert done.returncode != 0
    assert '"skip_repeats_days" must be from 0 to 365 days' in done.stderr
