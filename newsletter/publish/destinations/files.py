"""The files of a built archive: which there are, what they are, how long they may be kept, in what order they go up."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

#: Lists, at a destination, what was put there.
RECORD = ".newsletter-published"
#: Hidden names that belong on the web.
_SHOWN = {".well-known", ".nojekyll"}
#: What Python's table lacks, or has otherwise than a browser wants it.
_TYPES = {
    ".atom": "application/atom+xml",
    ".avif": "image/avif",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ics": "text/calendar; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".rss": "application/rss+xml",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".xml": "application/xml",
}
#: A file whose name holds a hash of its content.
_HASHED = re.compile(r"(?:.*[._-])?[0-9a-f]{10,64}(?:[._-]\w+)?\.(?:avif|webp|jpe?g|png|gif|svg|css|js|woff2?)")
#: What leads machines to pages.
_GUIDES = re.compile(r"(?:.*/)?(?:feed\.json|sitemap[^/]*\.xml|robots\.txt|pagefind-entry\.json|[^/]+\.(?:atom|rss))")


@dataclass(slots=True)
class Put:
    """How many files of a destination were written, left as they were, or taken away; and what else to tell."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0
    note: str = ""


def files_of(folder: Path) -> dict[str, Path]:
    """The files of a built archive by their path in it, sorted: neither hidden ones nor links."""
    found = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") and part not in _SHOWN for part in parts)
        if not hidden and path.is_file() and not path.is_symlink():
            found["/".join(parts)] = path
    return found


def media_type(path: str) -> str:
    """The Content-Type of a file, by its name; text is UTF-8."""
    if path.endswith("feed.json"):
        return "application/feed+json"  # JSON Feed 1.1
    suffix = Path(path).suffix.lower()
    return _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"


def cache_control(path: str, seconds: int) -> str:
    """The Cache-Control of a file: for good where the name changes with the content (RFC 8246), else some seconds."""
    if _HASHED.fullmatch(path.rpartition("/")[2]):
        return "public, max-age=31536000, immutable"
    return f"public, max-age={seconds}"


def rank(path: str, *, new: bool) -> int:
    """In which order files go up, so that nothing leads to what isn't there: first what pages show, then new pages,
    to which nothing leads yet, then the changed ones that lead to them, then what leads machines to pages.
    """
    if _GUIDES.fullmatch(path):
        return 3
    if path.endswith(".html"):
        return 1 if new else 2
    return 0
