"""An archive on a git branch: a commit where something changed, and nothing of the user's touched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from newsletter.errors import PublishError
from newsletter.publish.destinations.branch import Branch
from newsletter.publish.destinations.files import RECORD
from tests.desk import Desk

NAME = "network-download-2022-10"
PERSON = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}
ENVIRONMENT = {**os.environ, **PERSON}


def git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository in the middle of somebody's work: staged, changed and new files."""
    folder = tmp_path / "repository"
    git(tmp_path, "init", "--quiet", "--initial-branch", "main", str(folder))
    for name in ("kept", "changed", "staged"):
        (folder / name).write_text("first\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    (folder / "changed").write_text("second\n")
    (folder / "staged").write_text("second\n")
    git(folder, "add", "staged")
    (folder / "new").write_text("new\n")
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "a").mkdir(parents=True)
    (folder / "index.html").write_bytes(b"one\r\n")
    (folder / "a" / "index.html").write_text("a\n")
    (folder / ".newsletter-archive").write_text("index.html\n")
    return folder


def branch(repository: Path, name: str = "pages", remote: str = "") -> Branch:
    return Branch(name=name, repository=repository, remote=remote, environment=ENVIRONMENT)


def work(repository: Path) -> tuple[str, str, str, dict[str, str]]:
    """All that's the user's: status, what's staged, HEAD, and the files."""
    files = {path.name: path.read_text() for path in repository.iterdir() if path.is_file()}
    return git(repository, "status", "--short"), git(repository, "diff", "--cached"), git(repository, "log"), files


def listed(repository: Path, name: str = "pages") -> set[str]:
    return set(git(repository, "ls-tree", "-r", "--name-only", name).splitlines())


def test_the_archive_is_a_commit_and_the_users_work_is_as_it_was(repository: Path, site: Path) -> None:
    before = work(repository)
    done = branch(repository).put(site)
    assert (done.written, done.unchanged, done.removed) == (2, 0, 0)
    assert listed(repository) == {"index.html", "a/index.html", RECORD}
    assert git(repository, "cat-file", "-s", "pages:index.html") == "5"  # byte by byte
    assert work(repository) == before


def test_nothing_changed_is_no_commit(repository: Path, site: Path) -> None:
    branch(repository).put(site)
    first = git(repository, "rev-parse", "pages")
    done = branch(repository).put(site)
    assert (done.written, done.unchanged) == (0, 2)
    assert git(repository, "rev-parse", "pages") == first


def test_a_change_is_a_commit_on_the_last_one_and_others_files_stay(
    repository: Path, site: Path, tmp_path: Path
) -> None:
    branch(repository).put(site)
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "other"), "pages")
    (tmp_path / "other" / "CNAME").write_text("news.example.org\n")
    git(tmp_path / "other", "add", "CNAME")
    git(tmp_path / "other", "commit", "--quiet", "--message", "mine")
    with pytest.raises(PublishError, match="is checked out"):
        branch(repository).put(site)
    git(repository, "worktree", "remove", str(tmp_path / "other"))
    (site / "a" / "index.html").unlink()
    (site / "b.html").write_text("b\n")
    done = branch(repository).put(site)
    assert (done.written, done.unchanged, done.removed) == (1, 1, 1)
    assert listed(repository) == {"index.html", "b.html", "CNAME", RECORD}
    assert git(repository, "rev-list", "--count", "pages") == "3"


def test_the_branch_that_is_checked_out_and_other_peoples_branches_are_refused(repository: Path, site: Path) -> None:
    git(repository, "branch", "theirs")
    for name, why in (("main", "checked out"), ("theirs", "not an archive"), ("..", "no name")):
        with pytest.raises(PublishError, match=why):
            branch(repository, name).put(site)


def test_it_is_pushed_only_when_asked_also_later(repository: Path, site: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", str(tmp_path / "remote"))
    git(repository, "remote", "add", "origin", str(tmp_path / "remote"))
    branch(repository).put(site)
    assert git(tmp_path / "remote", "branch") == ""
    branch(repository, remote="origin").put(site)
    assert git(tmp_path / "remote", "rev-parse", "pages") == git(repository, "rev-parse", "pages")
    with pytest.raises(PublishError, match="nowhere"):
        branch(repository, remote="nowhere").put(site)


def test_a_fresh_clone_goes_on_from_what_is_at_the_remote(repository: Path, site: Path, tmp_path: Path) -> None:
    branch(repository).put(site)
    git(tmp_path, "clone", "--quiet", "--branch", "main", str(repository), str(tmp_path / "clone"))
    (site / "index.html").write_text("two\n")
    branch(tmp_path / "clone", remote="origin").put(site)
    assert git(repository, "rev-list", "--count", "pages") == "2"


def test_a_branch_that_moved_meanwhile_is_not_overwritten(repository: Path, site: Path) -> None:
    made = branch(repository)
    made.put(site)
    old = git(repository, "rev-parse", "pages")
    (site / "index.html").write_text("two\n")
    made.put(site)
    with pytest.raises(PublishError, match="moved meanwhile"):
        made._advance(old, old)


def test_what_another_program_tells_git_of_itself_leads_nowhere_else(repository: Path, site: Path) -> None:
    misled = {**ENVIRONMENT, "GIT_INDEX_FILE": str(repository / ".git" / "index"), "GIT_DIR": "/nowhere"}
    before = work(repository)
    Branch(name="pages", repository=repository, environment=misled).put(site)
    assert work(repository) == before


def test_a_folder_without_a_repository_is_one_line(tmp_path: Path, site: Path) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(PublishError, match="no git repository"):
        branch(tmp_path / "bare").put(site)


def test_publish_commits_from_the_command_line(desk: Desk, repository: Path) -> None:
    desk.space.approve(NAME, by="Ada")
    done = desk.run("publish", "--to", "git:pages", "--repository", str(repository), **PERSON)
    assert done.returncode == 0, done.stderr
    assert f"{NAME}/index.html" in listed(repository)
    assert "--repository and --push" in desk.run("publish", "--push").stderr
