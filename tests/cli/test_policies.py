"""Policies are put right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.desk import Desk

NAME = "network-download-2022-10"
TOLD = "sf-public-health-leave"


def shown(desk: Desk, slug: str) -> str:
    return desk.run("policies", "show", slug).stdout


@pytest.fixture
def policy(desk: Desk) -> str:
    add = ("policies", "add", "--title", "Ranges", "--place", "Denver, CO", "--level", "city")
    assert desk.run(*add, "--status", "proposed", "--status-date", "2022-10-01").returncode == 0
    return "ranges"


def test_a_policy_is_changed_by_options_and_keeps_its_history(desk: Desk, policy: str) -> None:
    done = desk.run("policies", "edit", policy, "--title", "Salary ranges", "--url", "https://a.example/?utm_source=n")
    assert done.returncode == 0, done.stderr
    text = shown(desk, policy)
    assert 'title = "Salary ranges"' in text
    assert 'url = "https://a.example/"' in text
    assert 'status = "proposed"' in text
    assert "Nothing has changed" in desk.run("policies", "edit", policy, "--title", "Salary ranges").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("edit", "no-such", "--title", "x"), 'no policy "no-such"'),
        (("edit", "ranges", "--url", "https://[tbd].org"), '"url" must be an address'),
        (("remove", "no-such"), 'no policy "no-such"'),
        (("status", "ranges"), "give a STATUS, or --undo"),
        (("status", "ranges", "passed", "--undo"), "no such step"),
        (("status", "ranges", "--undo", "--on", "2021-01-01"), "no such step"),
    ],
)
def test_what_cannot_be_done_is_one_line(desk: Desk, policy: str, arguments: tuple[str, ...], said: str) -> None:
    done = desk.run("policies", *arguments)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "proposed" in shown(desk, policy)


def test_the_step_that_was_recorded_last_is_taken_out_again(desk: Desk, policy: str) -> None:
    desk.run("policies", "status", policy, "enacted", "--on", "2022-10-05")
    desk.run("policies", "status", policy, "passed", "--on", "2022-10-03")
    done = desk.run("policies", "status", policy, "--undo")
    assert "no longer passed on 2022-10-03" in done.stderr
    assert "passed" not in shown(desk, policy)
    done = desk.run("policies", "status", policy, "enacted", "--undo", "--on", "2022-10-05")
    assert "no longer enacted" in done.stderr
    assert shown(desk, policy).count("status =") == 1


def test_a_policy_that_was_public_leaves_a_page_that_says_so(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")
    desk.space.publish()
    page = desk.folder / "archive" / "policies" / TOLD / "index.html"
    assert page.is_file()
    done = desk.run("policies", "remove", TOLD, "--reason", "It was another city's.", "--by", "Ada")
    assert done.returncode == 0, done.stderr
    assert "Its page says so" in done.stderr
    desk.space.publish()
    assert "It was another city" in page.read_text(encoding="utf-8")
    assert f"policies/{TOLD}" not in (desk.folder / "archive" / "index.html").read_text(encoding="utf-8")


def test_a_policy_that_nobody_was_told_of_goes_without_a_page(desk: Desk, policy: str, tmp_path: Path) -> None:
    done = desk.run("policies", "remove", policy)
    assert "Its page" not in done.stderr
    assert desk.run("policies", "show", policy).returncode == 1
    assert "policies/ranges" not in desk.run("pages", "list").stdout
