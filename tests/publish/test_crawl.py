"""`publish --check` finds what leads nowhere, and `--watch` follows what the archive is made of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from newsletter.publish.crawl import Broken, crawl
from tests.desk import ISSUE, Desk

NAME = "network-download-2022-10"
BASE = "https://news.example.org/sub/"


def site(folder: Path, body: str, **files: str) -> Path:
    """A site of a page, a second page with a place, and a picture."""
    (folder / "two").mkdir(parents=True)
    (folder / "index.html").write_text(f"<!doctype html><title>x</title><body>{body}", encoding="utf-8")
    (folder / "two" / "index.html").write_text('<h1 id="here">x</h1><h2 id="é">y</h2>', encoding="utf-8")
    (folder / "p.png").write_bytes(b"x")
    (folder / ".newsletter-archive").write_text("href=nothing")
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "link",
    [
        *("two/index.html", "two/", "two", "./two/#here", "#", "#top", "?q=1", "two/#%C3%A9", "two/#:~:text=x", ""),
        *(f"{BASE}", f"{BASE}two/#here", "/sub/two/", "/other/site", "https://else.example.org/x", "mailto:a@b.c"),
        *("data:image/png;base64,xx", "//else.example.org/x", BASE.rstrip("/"), "tel:1"),
    ],
)
def test_a_link_that_leads_somewhere_or_out_is_fine(tmp_path: Path, link: str) -> None:
    assert crawl(site(tmp_path, f'<a href="{link}">x</a>'), BASE) == []


@pytest.mark.parametrize(
    ("body", "link", "why"),
    [
        ('<a href="three/">x</a>', "three/", "no such page"),
        ('<a href="two/#there">x</a>', "two/#there", 'no place "there"'),
        ('<a href="#there">x</a>', "#there", 'no place "there"'),
        (f'<a href="{BASE}three/#x">x</a>', f"{BASE}three/#x", "no such page"),
        ('<a href="/sub/three">x</a>', "/sub/three", "no such page"),
        ('<a href="../x">x</a>', "../x", "out of the archive"),
        ('<img src="q.png">', "q.png", "picture is missing"),
        ('<img src="p.png" srcset="p.png 1x, q.webp 2x">', "q.webp", "picture is missing"),
        (f'<meta property="og:image" content="{BASE}q.png">', f"{BASE}q.png", "picture is missing"),
        ('<meta http-equiv="Refresh" content="0; URL=three/">', "three/", "no such page"),
        ('<link rel="stylesheet" href="s.css">', "s.css", "no such page or file"),
        ('<a href="http://[x">x</a>', "http://[x", "no address"),
    ],
)
def test_what_leads_nowhere_is_found_with_its_page(tmp_path: Path, body: str, link: str, why: str) -> None:
    (found,) = crawl(site(tmp_path, body), BASE)
    assert (found.page, found.link) == ("index.html", link)
    assert why in found.why


def test_feeds_data_and_styles_are_looked_into(tmp_path: Path) -> None:
    missing = f"{BASE}gone/"
    folder = site(
        tmp_path,
        "",
        feed_atom=f'<feed><entry><content>&lt;a href="{missing}"&gt;x&lt;/a&gt; {BASE}two/</content></entry></feed>',
        sitemap_xml=f"<urlset><url><loc>{missing}</loc></url></urlset>",
        feed_json=f'{{"items": [{{"url": "{missing}"}}]}}',
        s_css="body{background:url('q.png')} p{background:url(p.png)}",
        broken_json="{",
        broken_xml="<",
    )
    assert crawl(folder, BASE) == [
        *(Broken(page, missing, "there is no such page or file") for page in ("feed.atom", "feed.json")),
        Broken("s.css", "q.png", "the picture is missing"),
        Broken("sitemap.xml", missing, "there is no such page or file"),
    ]


def test_the_archive_itself_has_no_broken_link_under_any_address(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")
    done = desk.run("publish", "--check")
    assert (done.returncode, "0 broken links" in done.stderr) == (0, True), done.stdout
    done = desk.run("publish", "--base-url", "http://127.0.0.1:8000/sub/", "--to", "elsewhere", "--check")
    assert done.returncode == 0, done.stdout
    assert "http://127.0.0.1:8000/sub/" in (desk.folder / "elsewhere" / "sitemap.xml").read_text()
    assert "must be an address" in desk.run("publish", "--base-url", "example.org").stderr


def test_an_archive_with_a_broken_link_goes_nowhere(desk: Desk) -> None:
    own = desk.folder / "templates" / "archive"
    own.mkdir(parents=True)
    (own / "404.html.j2").write_text('<!doctype html><html lang="en"><title>x</title><a href="no.html">x</a></html>')
    desk.space.approve(NAME, by="Ada")
    done = desk.run("publish", "--check", "--to", "git:pages", "--repository", ".")
    assert done.returncode == 3
    assert "404.html: no.html: leads nowhere from other addresses" in done.stdout
    assert "git" not in done.stderr


def test_watching_follows_approvals_survives_mistakes_and_stops_cleanly(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")
    watching = subprocess.Popen(
        [sys.executable, "-m", "newsletter", "publish", "--watch"],
        cwd=desk.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    stuck = threading.Timer(240, watching.kill)
    stuck.start()

    def until(words: str) -> None:
        assert watching.stderr
        for line in watching.stderr:
            if words in line:
                return
        raise AssertionError(f"it never said {words!r}")

    try:
        until("pages written")
        desk.write_issue(NAME, ISSUE.replace("This month", "This busy month"))
        desk.space.approve(NAME, by="Ada")
        until("pages written")
        assert "This busy month" in (desk.folder / "archive" / NAME / "index.html").read_text(encoding="utf-8")
        config = desk.folder / "config.toml"
        text = config.read_text(encoding="utf-8")
        config.write_text("nonsense", encoding="utf-8")
        until("Error: ")
        config.write_text(text.replace('title = "Blog + latest news"', 'title = "Fresh"'), encoding="utf-8")
        until("pages written")
        assert "Fresh" in (desk.folder / "archive" / "index.html").read_text(encoding="utf-8")
        watching.send_signal(signal.SIGTERM)
        until("Stopped.")
        assert watching.wait(30) == 0
    finally:
        stuck.cancel()
        watching.kill()
        watching.wait()
        if watching.stderr:
            watching.stderr.close()


def test_a_place_of_a_kind_that_is_not_known_is_refused_and_makes_no_folder(desk: Desk) -> None:
    for place in ("ftp://example.org/news", "https://example.org"):
        done = desk.run("publish", "--to", place)
        assert (done.returncode != 0, done.stderr.count("\n")) == (True, 1)
        assert f'can\'t be published to "{place}"' in done.stderr
    assert not [path for path in desk.folder.iterdir() if path.name.endswith(":")]
