"""Where a built archive may be put, so that the world sees it.

    destination("s3://bucket/news", ...)    an S3-compatible bucket
    destination("git:pages", ...)           a branch of a git repository

It's built in a folder first, whole, and carried over from there. A destination keeps a list of what was put there, so
that what others put beside it is left alone. In the middle of it, no page refers to a file that isn't there yet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.publish.destinations.files import Put

__all__ = ["Destination", "Put", "destination", "is_elsewhere"]


class Destination(Protocol):
    """Takes a built archive."""

    def put(self, folder: Path) -> Put:
        """Bring the destination to what is in the folder; PublishError in one line for what stands in the way."""


def is_elsewhere(to: str) -> bool:
    """Whether that names a bucket or a branch rather than a folder."""
    return to.startswith(("s3:", "git:"))


def destination(to: str, config: Config, *, repository: Path | None = None, push: str = "") -> Destination:
    """The bucket or branch that `to` names. Of a branch, `repository` is by default the workspace's, and `push` the
    remote that it's pushed to, if at all.
    """
    if to.startswith("git:"):
        from newsletter.publish.destinations.branch import Branch

        return Branch(name=to.removeprefix("git:"), repository=repository or config.folder, remote=push)
    if repository or push:
        raise InputError("--repository and --push are for --to git:BRANCH", where=to)
    from newsletter.publish.destinations.bucket import Bucket

    return Bucket.of(to, config.s3)
