"""A git branch as the place of an archive: a commit made with git's plumbing, beside what the user has checked out.

Neither the working tree nor the index of the repository is touched. The branch moves from the old commit to the new
one in one step, or not at all; where nothing changed there's no commit.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.errors import PublishError
from newsletter.publish.destinations.files import RECORD, Put, files_of

_FILE = "100644"
#: What `git update-ref` takes for a branch that mustn't be there yet.
_NOTHING = ""
#: Variables with which a hook or another program would lead git to its own index or repository.
_MISLEADING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The branch `name` of the `repository` that a folder belongs to; pushed to the `remote`, where one is given."""

    name: str
    repository: Path
    remote: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def put(self, folder: Path) -> Put:
        """Commit the archive, and push it if that's wanted, though nothing had to be committed."""
        self._require_usable()
        parent = self._commit(f"refs/heads/{self.name}")
        started = parent or self._commit(f"refs/remotes/{self.remote or 'origin'}/{self.name}")
        there = self._tree(started) if started else {}
        ours = self._ours(there, started)
        files = self._store(folder)
        strangers = {path: entry for path, entry in there.items() if path not in ours and path not in files}
        record = "".join(f"{path}\n" for path in files)
        files[RECORD] = (_FILE, self._git("hash-object", "-w", "--stdin", stdin=record))
        tree = self._write_tree({**strangers, **files})
        done = Put(removed=len([path for path in ours if path in there and path not in files]))
        for path, entry in files.items():
            if path != RECORD:
                done.unchanged += there.get(path) == entry
                done.written += there.get(path) != entry
        if started and tree == self._git("rev-parse", f"{started}^{{tree}}"):
            if not parent:
                self._git("update-ref", f"refs/heads/{self.name}", started, _NOTHING)
            done.note = f"Nothing has changed since {started[:12]}; there's no new commit."
        else:
            commit = self._write_commit(tree, started, done)
            self._advance(commit, parent)
            done.note = f"Committed {commit[:12]} to {self.name}."
        if self.remote:
            self._git("push", "--quiet", self.remote, f"refs/heads/{self.name}:refs/heads/{self.name}")
            done.note += f" Pushed to {self.remote}."
        return done

    def _require_usable(self) -> None:
        if not self._succeeds("rev-parse", "--git-dir"):
            hint = "git init, or name one: --repository FOLDER"
            raise PublishError("there is no git repository", where=self.repository, hint=hint)
        if not self._succeeds("check-ref-format", "--branch", self.name):
            raise PublishError(f'"{self.name}" is no name for a branch', hint="--to git:pages")
        if f"branch refs/heads/{self.name}" in self._git("worktree", "list", "--porcelain").splitlines():
            what = f'the branch "{self.name}" is checked out, and files that are there are never touched'
            raise PublishError(what, where=self.repository, hint="give another branch: --to git:pages")

    def _commit(self, ref: str) -> str:
        """The commit that a ref stands at; empty where there's none."""
        return self._git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", missing=True)

    def _tree(self, commit: str) -> dict[str, tuple[str, str]]:
        """Mode and object of every file of a commit."""
        found = {}
        for line in self._git("ls-tree", "-r", "-z", "--full-tree", commit).split("\0"):
            head, _, path = line.partition("\t")
            if path:
                mode, _, thing = head.split()
                found[path] = (mode, thing)
        return found

    def _ours(self, there: Mapping[str, tuple[str, str]], commit: str) -> set[str]:
        """What was put on the branch before; a branch with other things on it is never taken over."""
        if RECORD in there:
            return {RECORD, *self._git("cat-file", "blob", f"{commit}:{RECORD}").splitlines()}
        if there:
            hint = "give a new branch, such as --to git:pages"
            raise PublishError(f'the branch "{self.name}" is not an archive of ours', where=self.repository, hint=hint)
        return set()

    def _store(self, folder: Path) -> dict[str, tuple[str, str]]:
        """The archive's files as objects of the repository, byte by byte as they are."""
        files = files_of(folder)
        paths = "".join(f"{path.resolve()}\n" for path in files.values())
        stored = self._git("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=paths).splitlines()
        return {path: (_FILE, thing) for path, thing in zip(files, stored, strict=True)}

    def _write_tree(self, files: Mapping[str, tuple[str, str]]) -> str:
        """The tree of these files, put together in an index of our own."""
        with tempfile.TemporaryDirectory() as place:
            index = {"GIT_INDEX_FILE": str(Path(place) / "index")}
            entries = "".join(f"{mode} {thing}\t{path}\0" for path, (mode, thing) in files.items())
            self._git("update-index", "-z", "--index-info", stdin=entries, extra=index)
            return self._git("write-tree", extra=index)

    def _write_commit(self, tree: str, parent: str, done: Put) -> str:
        message = f"Publish the archive\n\n{done.written} written, {done.removed} removed\n"
        return self._git("commit-tree", tree, *(["-p", parent] if parent else []), "-F", "-", stdin=message)

    def _advance(self, commit: str, parent: str) -> None:
        """Let the branch stand at a commit, if it still stands where it did."""
        try:
            self._git("update-ref", "-m", "publish", f"refs/heads/{self.name}", commit, parent or _NOTHING)
        except PublishError as fault:
            raise PublishError(f'the branch "{self.name}" has moved meanwhile', hint="publish again") from fault

    def _succeeds(self, *arguments: str) -> bool:
        return self._run(arguments).returncode == 0

    def _git(
        self, *arguments: str, stdin: str = "", extra: Mapping[str, str] | None = None, missing: bool = False
    ) -> str:
        """What git answers; empty if that fails and may be `missing`, else PublishError with git's last line."""
        done = self._run(arguments, stdin, extra)
        if done.returncode == 0:
            return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")
        if missing:
            return ""
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        told = next((line for line in said if line.startswith(("fatal:", "error:", " ! "))), said[-1])
        raise PublishError(f"git {arguments[0]}: {told.strip()}", where=self.repository)

    def _run(
        self, arguments: tuple[str, ...], stdin: str = "", extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        kept = {name: value for name, value in self.environment.items() if name not in _MISLEADING}
        environment = {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(extra or {})}
        try:
            return subprocess.run(  # noqa: S603 (git, with arguments apart)
                ["git", "-C", str(self.repository), *arguments],  # noqa: S607 (whichever git the user has)
                input=stdin.encode("utf-8", "surrogateescape"),
                capture_output=True,
                env=environment,
                check=False,
            )
        except FileNotFoundError:
            raise PublishError("git is not installed", hint="install it, or publish into a folder") from None
