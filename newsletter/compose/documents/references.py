"""Links of a document that lead to stored items, made into references to these."""

from __future__ import annotations

import re
from collections.abc import Callable

from newsletter.model import Item, Policy

_LINK = re.compile(
    r"(?P<mark>(?:- )?)\[(?P<words>(?:\\.|[^\[\]\\])+)\]\((?P<url><[^>]*>|[^()\s]+)\)(?P<rest>[^\n]*)", re.DOTALL
)
_ALONE = re.compile(r"(?P<mark>(?:- )?)<?(?P<url>https?://\S+?)>?(?P<words>)(?P<rest>)")


def with_references(markdown: str, stored: Callable[[str], Item | Policy | None]) -> str:
    """The Markdown with `[[slug]]` where a paragraph, or each entry of a list, begins with a link to something stored:
    the link's words are the headline, unless they are the stored title, and what follows is the blurb. A link within
    a sentence stays a link.
    """
    return "\n\n".join(_block(block, stored) for block in markdown.rstrip("\n").split("\n\n")) + "\n"


def _block(block: str, stored: Callable[[str], Item | Policy | None]) -> str:
    lines = block.split("\n")
    if len(lines) > 1 and not all(line.startswith("- ") for line in lines):
        return block
    made = [_reference(line, stored) for line in lines]
    return "\n".join(line for line in made if line) if all(made) else block


def _reference(line: str, stored: Callable[[str], Item | Policy | None]) -> str:
    found = _LINK.fullmatch(line) or _ALONE.fullmatch(line)
    entry = stored(found["url"].strip("<>")) if found else None
    if found is None or entry is None:
        return ""
    headline = re.sub(r"\\(.)", r"\1", found["words"]).strip("* ")
    mark, blurb = found["mark"], found["rest"].lstrip(" :–—-,.")
    words = f" {headline}" if headline and headline != entry.title else ""
    below = f"\n{'  ' if mark else ''}> {blurb}" if blurb else ""
    return f"{mark}[[{entry.slug}]]{words}{below}"
