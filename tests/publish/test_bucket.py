"""An archive in a bucket: only what changed, nothing of others, and whole whenever one looks."""

from __future__ import annotations

import os
import posixpath
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from newsletter import config
from newsletter.errors import InputError, PublishError
from newsletter.publish.destinations import Put
from newsletter.publish.destinations.bucket import Bucket
from newsletter.publish.destinations.files import RECORD, cache_control, media_type
from tests.desk import Desk
from tests.publish.s3 import S3, serve_s3

KEYS = {"AWS_ACCESS_KEY_ID": "test-key", "AWS_SECRET_ACCESS_KEY": "test-secret"}
NAME = "network-download-2022-10"


@pytest.fixture
def server() -> Iterator[S3]:
    with serve_s3() as served:
        yield served


@pytest.fixture
def bucket(server: S3) -> Iterator[Bucket]:
    settings = Config(retries={"mode": "standard", "total_max_attempts": 1}, s3={"addressing_style": "path"})
    client: Any = boto3.client(
        "s3",
        endpoint_url=server.url,
        region_name="us-east-1",
        config=settings,
        aws_access_key_id="test-key",
        aws_secret_access_key="test-secret",
    )
    yield Bucket(client=client, name="news", prefix="site/")
    client.close()


def write(folder: Path, **pages: str) -> Path:
    """A site: `index` links to every page, every page to a picture of its own and to the next page."""
    names = list(pages)
    files = {"index.html": "".join(f'<a href="{name}/index.html">x</a>' for name in names), "feed.atom": "<feed/>"}
    for number, (name, text) in enumerate(pages.items()):
        following = names[(number + 1) % len(names)]
        body = f'<img src="../media/{name}.png"><a href="../{following}/index.html">n</a>{text}'
        files |= {f"{name}/index.html": body, f"media/{name}.png": f"picture of {name}"}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    (folder / ".newsletter-archive").write_text("index.html\n")
    return folder


def dangling(server: S3) -> set[str]:
    """What the pages in the bucket that a reader can come to refer to, and isn't there."""
    keys, seen, missing = server.paths(), set(), set()
    waiting = ["index.html"] if "index.html" in keys else []
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        body = server.things[f"news/site/{page}"].body.decode()
        for link in re.findall(r'(?:href|src)="([^"]+)"', body):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(page), link))
            if target not in keys:
                missing.add(target)
            elif target.endswith(".html"):
                waiting.append(target)
    return missing


def counts(put: Put) -> tuple[int, int, int]:
    return put.written, put.unchanged, put.removed


def test_everything_goes_up_once_with_its_type_and_how_long_it_may_be_kept(
    tmp_path: Path, server: S3, bucket: Bucket
) -> None:
    folder = write(tmp_path, a="A", b="B")
    assert counts(bucket.put(folder)) == (6, 0, 0)
    assert server.paths() == {
        "index.html",
        "feed.atom",
        "a/index.html",
        "b/index.html",
        "media/a.png",
        "media/b.png",
        RECORD,
    }
    page, feed = (server.things[f"news/site/{name}"] for name in ("index.html", "feed.atom"))
    assert (page.type, page.cache) == ("text/html; charset=utf-8", "public, max-age=300")
    assert feed.type == "application/atom+xml"
    server.changes.clear()
    assert counts(bucket.put(folder)) == (0, 6, 0)
    assert server.changes == []


def test_only_what_changed_goes_up_and_only_what_was_put_there_goes(tmp_path: Path, server: S3, bucket: Bucket) -> None:
    bucket.put(write(tmp_path / "one", a="A", b="B"))
    other = server.things["news/site/index.html"]
    server.things["news/site/CNAME"] = other
    server.things["news/elsewhere/index.html"] = other
    assert counts(bucket.put(write(tmp_path / "two", a="A", c="C"))) == (4, 2, 2)
    assert "CNAME" in server.paths()
    assert "news/elsewhere/index.html" in server.things
    assert not {"b/index.html", "media/b.png"} & server.paths()


def test_what_somebody_else_changed_is_put_right(tmp_path: Path, server: S3, bucket: Bucket) -> None:
    folder = write(tmp_path, a="A")
    bucket.put(folder)
    server.things["news/site/a/index.html"] = server.things["news/site/index.html"]
    del server.things["news/site/media/a.png"]
    assert counts(bucket.put(folder)) == (2, 2, 0)


def test_a_bucket_whose_etags_are_no_hashes_is_known_by_its_record(tmp_path: Path, server: S3, bucket: Bucket) -> None:
    server.own_tags = True
    folder = write(tmp_path, a="A")
    bucket.put(folder)
    assert counts(bucket.put(folder)) == (0, 4, 0)


def test_another_time_to_keep_pages_changes_their_headers(tmp_path: Path, server: S3, bucket: Bucket) -> None:
    folder = write(tmp_path, a="A")
    bucket.put(folder)
    longer = Bucket(client=bucket.client, name=bucket.name, prefix=bucket.prefix, cache_seconds=900)
    assert counts(longer.put(folder)) == (4, 0, 0)
    assert server.things["news/site/index.html"].cache == "public, max-age=900"


def test_pages_go_up_after_what_they_refer_to(tmp_path: Path, server: S3, bucket: Bucket) -> None:
    bucket.put(write(tmp_path / "one", a="A"))
    server.changes.clear()
    bucket.put(write(tmp_path / "two", a="A2", b="B"))
    order = [key.removeprefix("news/site/") for method, key in server.changes if method == "PUT"]
    assert order[0] == order[-1] == RECORD
    assert order.index("media/b.png") < order.index("b/index.html") < order.index("a/index.html")
    assert order.index("b/index.html") < order.index("index.html")


@pytest.mark.parametrize("status", [0, 500, 503])
def test_a_publish_that_fails_anywhere_leaves_a_site_that_works_and_the_next_one_finishes(
    tmp_path: Path, server: S3, bucket: Bucket, status: int
) -> None:
    chance = random.Random(status)
    bucket.put(write(tmp_path / "0", a="A", b="B", c="C"))
    failed = 0
    for turn in range(1, 13):
        pages = {name: f"{name}{turn}" for name in chance.sample("abcdefgh", 4)}
        folder, left = write(tmp_path / str(turn), **pages), chance.randrange(14)
        seen: list[str] = []

        def fault(method: str, key: str, seen: list[str] = seen, left: int = left) -> int | None:
            seen.append(key)
            return status if len(seen) > left else None

        server.fault = fault
        try:
            bucket.put(folder)
        except PublishError:
            failed += 1
        assert dangling(server) == set()
        server.fault = lambda method, key: None
        if chance.random() < 0.5:
            bucket.put(folder)
            assert dangling(server) == set()
            built = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.is_file()}
            assert server.paths() == (built | {RECORD}) - {".newsletter-archive"}
    assert failed > 4


def test_a_publish_that_is_killed_leaves_a_site_that_works_and_the_next_one_finishes(
    tmp_path: Path, server: S3, bucket: Bucket
) -> None:
    bucket.put(write(tmp_path / "0", a="A", b="B", c="C"))
    folder = write(tmp_path / "1", **{name: f"{name}1" for name in "bcdefgh"})
    program = (
        "import sys; from pathlib import Path; from newsletter.config import S3;"
        "from newsletter.publish.destinations.bucket import Bucket;"
        "Bucket.of('s3://news/site', S3(endpoint=sys.argv[1])).put(Path(sys.argv[2]))"
    )
    for left in (1, 3, 5, 2, 1):
        running = subprocess.Popen([sys.executable, "-c", program, server.url, str(folder)], env={**os.environ, **KEYS})
        seen: list[str] = []

        def kill(
            _method: str, key: str, seen: list[str] = seen, left: int = left, running: subprocess.Popen[bytes] = running
        ) -> int | None:
            seen.append(key)
            if len(seen) > left:
                running.kill()
                return 0
            return None

        server.fault = kill
        assert running.wait(60) == -signal.SIGKILL
        assert dangling(server) == set()
    server.fault = lambda method, key: None
    bucket.put(folder)
    assert not {"a/index.html", "media/a.png"} & server.paths()
    assert counts(bucket.put(folder)) == (0, 16, 0)


def test_a_place_with_other_peoples_files_is_refused(tmp_path: Path, server: S3, bucket: Bucket) -> None:
    folder = write(tmp_path, a="A")
    bucket.put(folder)
    del server.things[f"news/site/{RECORD}"]
    server.changes.clear()
    with pytest.raises(PublishError, match="not an archive of ours"):
        bucket.put(folder)
    assert server.changes == []


def test_a_record_that_cannot_be_read_is_one_line(tmp_path: Path, server: S3, bucket: Bucket) -> None:
    bucket.put(write(tmp_path, a="A"))
    key = f"news/site/{RECORD}"
    server.things[key] = server.things["news/site/index.html"]
    with pytest.raises(PublishError, match="can't be read"):
        bucket.put(tmp_path)


@pytest.mark.parametrize("url", ["s3://", "s3:bucket", "s3://A/b", "s3://a b/c", "s3://ab/c?x"])
def test_what_names_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="is no bucket"):
        Bucket.of(url, config.S3())


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("media/0f1e2d3c4b5a6978.jpg", True),
        ("media/0f1e2d3c4b5a6978-800.avif", True),
        ("style.0f1e2d3c4b.css", True),
        ("index.html", False),
        ("policies.csv", False),
        ("0f1e2d3c4b5a6978/index.html", False),
        ("search/search.js", False),
    ],
)
def test_what_has_a_hash_in_its_name_is_kept_for_good(path: str, kept: bool) -> None:
    assert ("immutable" in cache_control(path, 300)) == kept


def test_every_kind_of_file_has_its_type() -> None:
    types = {
        "events/a.ics": "text/calendar; charset=utf-8",
        "feed.json": "application/feed+json",
        "policies.json": "application/json",
        "a.avif": "image/avif",
        "a.jpg": "image/jpeg",
        "a.unknown-kind": "application/octet-stream",
    }
    assert {path: media_type(path) for path in types} == types


def test_publish_uploads_from_the_command_line(desk: Desk, server: S3) -> None:
    desk.space.approve(NAME, by="Ada")
    done = desk.run("publish", "--to", "s3://news/site", "--check", AWS_ENDPOINT_URL_S3=server.url, **KEYS)
    assert done.returncode == 0, done.stderr
    assert f"{NAME}/index.html" in server.paths()
    settings = desk.folder / "config.toml"
    settings.write_text(f'{settings.read_text()}\n[s3]\nendpoint = "{server.url}"\nregion = "eu-central-1"\n')
    again = desk.run("publish", "--to", "s3://news/site", **KEYS)
    assert " 0 files written" in again.stderr, again.stderr
