"""Publishing that is killed at random moments, wherever to: what is there is whole, and right at the end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.publish.destinations.bucket import Bucket
from newsletter.publish.swap import swap_in
from tests.publish.s3 import S3
from tests.publish.test_anywhere import mounted
from tests.publish.test_branch import ENVIRONMENT, branch, git, repository
from tests.publish.test_bucket import bucket, dangling, server, write

__all__ = ["bucket", "mounted", "repository", "server"]

KILLS = 6
FILES = [f"{n}.html" for n in range(40)]
#: Builds one site after another, where a link leads to as `publish` does; every file of one has the same bytes.
BUILD = (
    "import sys; from pathlib import Path; from newsletter.publish.swap import swap_in\n"
    "n = int(sys.argv[2])\n"
    "print('ready', flush=True)\n"
    "while True:\n"
    "    n += 1\n"
    "    swap_in([(f'{i}.html', str(n).encode() * 2000) for i in range(40)], Path(sys.argv[1]).resolve())\n"
)
COMMIT = (
    "import os, sys; from pathlib import Path; from newsletter.publish.destinations.branch import Branch\n"
    "there = Branch(name='pages', repository=Path(sys.argv[1]), environment=dict(os.environ))\n"
    "site = Path(sys.argv[2])\n"
    "n = int(sys.argv[3])\n"
    "print('ready', flush=True)\n"
    "while True:\n"
    "    n += 1\n"
    "    for i in range(10): (site / f'{i}.html').write_text(str(n) * 2000)\n"
    "    there.put(site)\n"
)


def killed(program: str, *arguments: str, seed: int) -> Iterator[int]:
    """Run a program and kill it at a random moment, again and again; the number of each run."""
    chance = random.Random(seed)
    for run in range(KILLS):
        started = subprocess.Popen(
            [sys.executable, "-c", program, *arguments, str(run * 1000)],
            stdout=subprocess.PIPE,
            env=ENVIRONMENT,
            start_new_session=True,
        )
        assert started.stdout
        assert started.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.0, 0.4))
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
        started.stdout.close()
        yield run


def standing(target: Path) -> list[bytes]:
    """The pages that stand where readers look, or wait beside it between two renames."""
    real = target.resolve()
    folder = real if real.exists() else real.with_name(f".{real.name}.old")
    return [path.read_bytes() for path in folder.glob("*.html")] if folder.exists() else []


@pytest.mark.parametrize("place", ["linked", "within"])
def test_a_folder_is_whole_at_any_moment_and_right_at_the_end(tmp_path: Path, place: str) -> None:
    real = tmp_path / "www" / "news"
    real.mkdir(parents=True)
    (tmp_path / "www" / "others.html").write_text("theirs")
    target = real
    if place == "linked":
        target = tmp_path / "site"
        target.symlink_to(real)
    for _ in killed(BUILD, str(target), seed=len(place)):
        pages = standing(target)
        assert len(pages) in (0, len(FILES))
        assert len(set(pages)) <= 1, "pages of two builds side by side"
    swap_in([(name, b"end") for name in FILES], target.resolve())
    assert standing(target) == [b"end"] * len(FILES)
    assert (tmp_path / "www" / "others.html").read_text() == "theirs"
    assert target.is_symlink() == (place == "linked")


def test_a_mounted_folder_has_whole_files_at_any_moment_and_is_right_at_the_end(mounted: Path) -> None:
    for run in killed(BUILD, str(mounted), seed=5):
        for page in standing(mounted):
            number = page[: len(page) // 2000]
            assert page == number * 2000, f"half a file after run {run}"
    swap_in([(name, b"end") for name in FILES], mounted)
    assert standing(mounted) == [b"end"] * len(FILES)
    assert {path.name for path in mounted.iterdir() if path.suffix == ".html"} == set(FILES)


def test_a_branch_is_whole_at_any_moment_and_right_at_the_end(repository: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / ".newsletter-archive").write_text("0.html\n")
    before = git(repository, "status", "--short")
    for _ in killed(COMMIT, str(repository), str(site), seed=9):
        if subprocess.run(
            ["git", "-C", str(repository), "rev-parse", "--quiet", "--verify", "pages"],
            env=ENVIRONMENT,
            capture_output=True,
            check=False,
        ).returncode:
            continue
        pages = {git(repository, "show", f"pages:{n}.html") for n in range(10)}
        assert len(pages) == 1, "files of two builds in one commit"
    for n in range(10):
        (site / f"{n}.html").write_text("end")
    branch(repository).put(site)
    assert {git(repository, "show", f"pages:{n}.html") for n in range(10)} == {"end"}
    assert git(repository, "status", "--short") == before
    assert git(repository, "fsck", "--no-dangling") == ""


def test_two_publishes_at_once_into_a_bucket_leave_a_site_that_works(
    tmp_path: Path, server: S3, bucket: Bucket
) -> None:
    chance = random.Random(2)
    for turn in range(4):
        folders = [
            write(tmp_path / f"{turn}-{one}", **dict.fromkeys(chance.sample("abcdefgh", 5), f"{one}{turn}"))
            for one in "xy"
        ]
        running = [threading.Thread(target=bucket.put, args=(folder,)) for folder in folders]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        bucket.put(folders[0])
        assert dangling(server) == set()
        built = {path.relative_to(folders[0]).as_posix() for path in folders[0].rglob("*.*") if path.is_file()}
        assert built - {".newsletter-archive"} <= server.paths()
