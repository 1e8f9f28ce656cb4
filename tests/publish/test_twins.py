"""The archive for programs that read words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.model import Policy, Snapshot
from newsletter.publish.robots import TRAINING, robots_txt
from newsletter.workspace import Workspace
from tests.publish.test_publish import NAME, found, parsed
from tests.publish.test_site import LEAVE, build, policies, snapshot

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
