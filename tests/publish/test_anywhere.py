"""Publishing into whatever folder there is, whatever its entries are called."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.config import parse
from newsletter.errors import ConfigError, InputError
from newsletter.model import Snapshot, Story
from newsletter.publish.crawl import crawl
from newsletter.publish.swap import MANIFEST, swap_in
from newsletter.workspace import Workspace
from tests.desk import Desk
from tests.publish.test_publish import NAME, built, found, parsed
from tests.publish.test_site import snapshot

__all__ = ["snapshot"]

FIRST = [("index.html", b"1"), ("a/index.html", b"1"), ("media/x.jpg", b"x"), ("feed.atom", b"1")]
SECOND = [("index.html", b"2"), ("b/index.html", b"2"), ("media/x.jpg", b"x"), ("feed.atom", b"2")]


def names(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".newsletter") for part in path.relative_to(folder).parts)
    }


@pytest.mark.parametrize("there", [True, False])
def test_a_link_to_a_folder_is_followed(desk: Desk, tmp_path: Path, there: bool) -> None:
    root = tmp_path / "www"
    if there:
        root.mkdir()
    (desk.folder / "archive").symlink_to(root)
    desk.space.approve(NAME, by="Ada")
    for _ in range(2):
        desk.space.publish()
        assert (desk.folder / "archive").is_symlink()
        assert (root / NAME / "index.html").is_file()


def test_a_link_that_leads_to_itself_is_one_line(desk: Desk) -> None:
    (desk.folder / "archive").symlink_to("archive")
    done = desk.run("publish")
    assert done.returncode == 1
    assert "leads" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "mounted"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "none", str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_mounted_folder_is_changed_file_by_file(mounted: Path) -> None:
    assert swap_in(FIRST, mounted).written == 4
    (mounted / "CNAME").write_text("theirs")
    report = swap_in(SECOND, mounted)
    assert (report.written, report.unchanged, report.removed) == (3, 1, 1)
    assert names(mounted) == {*dict(SECOND), "CNAME"}
    assert (mounted / "index.html").read_bytes() == b"2"
    assert (mounted / MANIFEST).read_text().splitlines() == sorted(dict(SECOND))
    again = swap_in(SECOND, mounted)
    assert (again.written, again.unchanged, again.removed) == (0, 4, 0)


def test_a_mounted_folder_takes_a_whole_archive(desk: Desk, mounted: Path) -> None:
    desk.space.approve(NAME, by="Ada")
    report = desk.space.publish(mounted)
    assert (mounted / NAME / "index.html").is_file()
    assert desk.space.publish(mounted).unchanged == report.written


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_whose_parent_cannot_be_written_to_is_changed_file_by_file(tmp_path: Path) -> None:
    target = tmp_path / "read-only" / "www"
    target.mkdir(parents=True)
    target.parent.chmod(0o555)
    try:
        swap_in(FIRST, target)
        swap_in(SECOND, target)
        assert names(target) == set(dict(SECOND))
    finally:
        target.parent.chmod(0o755)


@pytest.mark.parametrize("under", ["", "news/archive/"])
def test_the_page_for_what_is_not_there_works_at_any_address(desk: Desk, under: str) -> None:
    desk.space.approve(NAME, by="Ada")
    url = f"https://news.example.org/{under}"
    desk.space.publish(base_url=url)
    archive = desk.folder / "archive"
    links = [link for link in found(parsed(archive / "404.html"), "//@href | //@src") if ":" not in link]
    assert len(links) > 5
    for link in links:
        if not link.startswith("#"):
            assert link.startswith(f"/{under}")
            assert (archive / link.removeprefix(f"/{under}")).is_file(), link
    assert crawl(archive, url) == []
    page = archive / "404.html"
    page.write_text(page.read_text().replace(f'href="/{under}index.html"', 'href="index.html"'))
    assert {(broken.page, broken.link) for broken in crawl(archive, url)} == {("404.html", "index.html")}


def with_people(snapshot: Snapshot, *people: str, slug: str = "") -> Snapshot:
    sections = []
    for section in snapshot.issue.sections:
        blocks = tuple(
            replace(block, item=replace(block.item, people=people, slug=slug or block.item.slug))
            if isinstance(block, Story)
            else block
            for block in section.blocks
        )
        sections.append(replace(section, blocks=blocks))
    return replace(snapshot, issue=replace(snapshot.issue, sections=tuple(sections)))


def test_no_name_is_too_long_for_the_archive(space: Workspace, snapshot: Snapshot) -> None:
    many = ", ".join(f"Councilmember Number{n} von Longname" for n in range(14))
    other, script = many + " and more", "людмила " * 60
    built(space, with_people(snapshot, many, other, script))
    folders = [path.name for path in (space.folder / "archive" / "people").iterdir() if path.is_dir()]
    assert len(folders) == len(set(folders)) >= 3
    assert all(len(name) <= 80 for name in folders)


def test_a_slug_that_is_too_long_for_a_file_is_named(space: Workspace, snapshot: Snapshot) -> None:
    with pytest.raises(InputError, match=r"too long for a file's name.*shorter slug"):
        built(space, replace(snapshot, issue=replace(snapshot.issue, slug="x" * 250)))


@pytest.mark.parametrize("key", ["events", "2022", "policies", "topics", "assets"])
def test_a_publication_never_takes_a_folder_of_the_archive(desk: Desk, key: str) -> None:
    text = (desk.folder / "config.toml").read_text()
    renamed = text.replace("[publications.workers-rights", f"[publications.{key}")
    with pytest.raises(ConfigError, match=f'"{key}" is a folder that the archive has for something else'):
        parse(renamed, desk.folder / "config.toml")


def test_an_issue_that_is_dated_later_waits_for_its_day(space: Workspace, snapshot: Snapshot) -> None:
    later = replace(snapshot, issue=replace(snapshot.issue, slug="later", date=dt.date(2031, 1, 5)))
    report = built(space, snapshot, later)
    assert report.waiting == ("later (2031-01-05)",)
    archive = space.folder / "archive"
    assert (archive / NAME / "index.html").is_file()
    assert not (archive / "later").exists()
    assert b"2031" not in (archive / "feed.atom").read_bytes() + (archive / "sitemap.xml").read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--to", "."),
        ("--to", ".."),
        ("--to", "config.toml"),
        ("--to", ""),
        ("--base-url", "https://example.org/a b/"),
        ("--base-url", "https://example.org/?x=1"),
        ("--base-url", "https://example.org/#x"),
        ("--base-url", "example.org"),
        ("--base-url", "ftp://example.org/"),
        ("--base-url", "https://[tbd].org/"),
    ],
)
def test_a_place_that_can_be_none_is_one_line(desk: Desk, arguments: tuple[str, str]) -> None:
    desk.space.approve(NAME, by="Ada")
    done = desk.run("publish", *arguments)
    assert "Traceback" not in done.stderr
    if arguments[1]:
        assert done.returncode in (1, 2)
        assert done.stderr.startswith(("Error", "Usage"))
