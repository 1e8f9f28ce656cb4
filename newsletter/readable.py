"""What a page says to those who read it, as a digest: the same as long as its text is.

Of HTML it's the article that trafilatura finds, without menus, comments and what stands around; of anything else, the
bytes themselves.
"""

from __future__ import annotations

import hashlib
import logging
import unicodedata

_HTML = {"text/html", "application/xhtml+xml", ""}


def digest(body: bytes, media_type: str) -> str:
    """SHA-256 of a page's readable text in hexadecimal, blanks and line ends aside; empty when it has none."""
    if media_type not in _HTML:
        return hashlib.sha256(body).hexdigest() if body else ""
    from trafilatura import extract

    # What it can't read, it tells its log; here that's no text.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    text = extract(body, include_comments=False, include_tables=True, favor_precision=True) or ""
    words = unicodedata.normalize("NFKC", text).split()
    return hashlib.sha256(" ".join(words).encode()).hexdigest() if words else ""
