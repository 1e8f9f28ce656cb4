"""Search by Pagefind, where it's installed: its index lies beside the pages, and readers' browsers do the searching."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from newsletter.errors import InputError
from newsletter.publish.planned import Page, Site

#: The folder that Pagefind writes.
INDEX = "pagefind"
#: What our page uses of the several user interfaces that Pagefind writes.
_USED = ("pagefind-entry.json", "pagefind-ui.css", "pagefind-ui.js", "pagefind-worker.js")


def installed() -> bool:
    """Whether there's a Pagefind to build the index with."""
    return importlib.util.find_spec("pagefind") is not None


def pages(site: Site) -> Iterator[Page]:
    """The page to search on, where there is an index."""
    if "search" in site.sections:
        yield site.page("search/index.html", "search.html.j2", [])


def holds(path: str) -> bool:
    """Whether the index may hold a page: an issue, or a policy."""
    folder, _, name = path.rpartition("/")
    return name == "index.html" and (folder.count("/") == 0 or folder.startswith("policies/"))


def build_index(folder: Path) -> None:
    """Index the site in `folder`; InputError with what Pagefind says when it fails."""
    command = [sys.executable, "-m", "pagefind", "--site", str(folder), "--output-subdir", INDEX, "--quiet"]
    try:
        done = subprocess.run(  # noqa: S603 (this Python, and our own folder)
            command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
        )
    except OSError as fault:
        raise InputError(f"the search index can't be built: {fault.strerror}", where=folder) from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise InputError(f"the search index can't be built: {said[-1] if said else 'Pagefind failed'}", where=folder)
    for path in (folder / INDEX).glob("pagefind-*"):
        if path.name not in _USED:
            path.unlink()
