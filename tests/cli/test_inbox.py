"""Collecting by command: as a process, and at a terminal of its own."""

from __future__ import annotations

import json

from tests.desk import Desk
from tests.terminal import at_a_terminal
from tests.website import Website

STORY = """<!doctype html><title>Paper praises program</title>
<meta property="og:title" content="Paper praises program"><meta property="og:site_name" content="Example Times">
<meta property="og:description" content="A county's team, in the paper.">
<meta property="article:published_time" content="2022-10-05T08:00:00Z">"""


def allow_loopback(desk: Desk, feeds: str = "") -> None:
    config = desk.folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(f'{text}\n[collect]\nprivate_hosts = ["127.0.0.1"]\n{feeds}', encoding="utf-8")


def test_a_page_is_stored_by_its_address_alone(desk: Desk, website: Website) -> None:
    allow_loopback(desk)
    page = website.put("/story", STORY)
    done = desk.run("items", "add", page)
    assert (done.returncode, done.stdout) == (0, "paper-praises-program\n")
    (found,) = json.loads(desk.run("items", "inbox", "--json").stdout)
    assert (found["outlet"], found["date"], found["source"]) == ("Example Times", "2022-10-05", f"page {page}")
    assert desk.run("items", "inbox", "--keep", "paper-praises-program").returncode == 0
    assert "paper-praises-program" in desk.run("items", "list").stdout
    again = desk.run("items", "add", page)
    assert (again.returncode, "stored already" in again.stderr) == (1, True)


def test_options_win_over_what_the_page_says(desk: Desk, website: Website) -> None:
    allow_loopback(desk)
    desk.run("items", "add", website.put("/story", STORY), "--title", "Our title", "--kind", "report", "--keep")
    shown = json.loads(desk.run("items", "show", "our-title", "--json").stdout)
    assert (shown["kind"], shown["summary"]) == ("report", "A county's team, in the paper.")


def test_a_page_in_a_private_network_is_refused(desk: Desk, website: Website) -> None:
    done = desk.run("items", "add", website.put("/story", STORY))
    assert (done.returncode, "not on the public internet" in done.stderr) == (1, True)


def test_one_feed_that_fails_does_not_keep_the_others_away(desk: Desk, website: Website) -> None:
    entry = "<item><title>T</title><link>https://a.example/t</link></item>"
    good = website.put("/good", f'<rss version="2.0"><channel>{entry}</channel></rss>', "application/rss+xml")
    allow_loopback(desk, f'[collect.feeds.bad]\nurl = "{website.url}/none"\n[collect.feeds.good]\nurl = "{good}"\n')
    done = desk.run("items", "pull")
    assert done.returncode == 1
    assert "feed good: 1 new, 0 known, 0 rejected" in done.stderr
    assert f"Error: {website.url}/none: answered 404" in done.stderr
    unknown = desk.run("items", "pull", "godo")
    assert (unknown.returncode, 'did you mean "good"?' in unknown.stderr) == (1, True)


def test_the_inbox_is_looked_through_with_a_key_for_each(desk: Desk) -> None:
    rows = "".join(f"{title},https://a.example/{title}\n" for title in ("one", "two", "three", "four"))
    (desk.folder / "sent.csv").write_text("title,url\n" + rows)
    desk.run("items", "pull", "--file", "sent.csv", "--from", "Duluth chapter")
    seen = at_a_terminal(desk, "items", "inbox", keys=("k", "d", "x", "s", "q"))
    assert "from Duluth chapter" in seen
    assert "1 kept, 1 dropped, 1 skipped." in seen
    left = [found["slug"] for found in json.loads(desk.run("items", "inbox", "--json").stdout)]
    assert left == ["three", "four"]
    assert "one" in desk.run("items", "list").stdout


def test_at_a_terminal_what_a_page_lacks_is_asked(desk: Desk, website: Website) -> None:
    allow_loopback(desk)
    page = website.put("/bare", "<html><head><title>Bare</title></head><body><p>Told.")
    at_a_terminal(desk, "items", "add", page, keys=("report\n", "What it is about.\n"))
    (found,) = json.loads(desk.run("items", "inbox", "--json").stdout)
    assert (found["kind"], found["summary"]) == ("report", "What it is about.")
