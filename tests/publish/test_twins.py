"""The archive for programs that read words."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from newsletter.model import Item, Photo, Picture, Policy, Section, Snapshot, Story
from newsletter.publish import twins
from newsletter.publish.robots import TRAINING, robots_txt
from newsletter.workspace import Workspace
from tests.publish.test_publish import NAME, found, parsed
from tests.publish.test_site import LEAVE, build, policies, snapshot
from tests.samples import sample_issue

__all__ = ["policies", "snapshot"]


def test_issues_and_policies_have_a_twin_in_markdown(
    space: Workspace, snapshot: Snapshot, policies: list[Policy]
) -> None:
    told = replace(snapshot, issue=replace(snapshot.issue, title="An [Act] <b>", teaser="Of *note*"))
    build(space, [told], policies)
    site = space.folder / "archive"
    for folder in (NAME, f"policies/{LEAVE}"):
        page = parsed(site / folder / "index.html")
        (twin,) = found(page, "//link[@type='text/markdown']/@href")
        assert (site / folder / twin).is_file(), folder
    text = (site / NAME / "index.md").read_text(encoding="utf-8")
    assert text.startswith("# An \\[Act\\] \\<b\\>\n")
    assert "](<https://" in text
    assert "{{" not in text
    assert "first_name" not in text
    assert "- 20" in (site / "policies" / LEAVE / "index.md").read_text(encoding="utf-8")
    guide = (site / "llms.txt").read_text(encoding="utf-8")
    assert f"/{NAME}/index.md): Of \\*note\\*" in guide
    assert f"/policies/{LEAVE}/index.md)" in guide


def test_the_settings_say_who_may_read() -> None:
    base = "https://news.example.org"
    assert robots_txt("all", base) == f"User-agent: *\nAllow: /\nSitemap: {base}/sitemap.xml\n"
    assert robots_txt("none", base) == "User-agent: *\nDisallow: /\n"
    barred = robots_txt("no-training", base)
    assert all(f"User-agent: {name}\n" in barred for name in TRAINING)
    assert barred.endswith(robots_txt("all", base))


@pytest.mark.parametrize("who", ["all", "no-training", "none"])
def test_robots_txt_follows_the_settings(space: Workspace, snapshot: Snapshot, who: str) -> None:
    config = replace(space.config, archive=replace(space.config.archive, robots=who))
    build(replace(space, config=config), [snapshot])
    text = (space.folder / "archive" / "robots.txt").read_text()
    assert text == robots_txt(who, space.config.archive.url.rstrip("/"))


def test_a_twin_says_when_where_and_whose_and_shows_the_pictures() -> None:
    photo = Photo(name="a.jpg", file="a.jpg", width=600, height=400, alt="A [wall]", credit="Photo: us")
    day = dt.date(2022, 11, 3)
    common: dict[str, Any] = {"url": "https://example.org/x", "date": day, "summary": "Stored words."}
    event = Item(slug="e", kind="event", title="E", starts=day, time="6 pm", venue="City Hall", **common)
    job = Item(slug="j", kind="job", title="J", closes=day, venue="Durham", **common)
    clip = Item(slug="c", kind="news", title="C", outlet="The Post", author="Ann", photo=photo, **common)
    stories = [
        Story(item=one, headline=one.title, blurb=one.summary, compact=compact, line=1)
        for one, compact in ((event, False), (job, True), (clip, False))
    ]
    issue = replace(
        sample_issue(),
        hero=replace(photo, name="hero.jpg"),
        sections=(Section(heading="", blocks=(*stories, Picture(photo=photo, url="https://e.org/", line=2)), line=1),),
    )
    text = twins.issue_text(issue, "The Download", "en", "https://news.example.org/media")
    for words in (
        "Thursday, November 3, 2022, 6 pm · City Hall",
        "Apply by Nov 3, 2022 · Durham",
        "The Post · Ann · Nov 3, 2022",
        "![A \\[wall\\]](<https://news.example.org/media/hero.jpg>)\n\nCredit: Photo: us",
        "[![A \\[wall\\]](<https://news.example.org/media/a.jpg>)](<https://e.org/>)\n\nCredit: Photo: us",
    ):
        assert words in text
    assert text.count("Stored words.") == 2  # a row has none
