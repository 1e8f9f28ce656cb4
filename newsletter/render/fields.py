"""Merge fields on their way through Markdown, MJML and CSS inlining.

Those would escape or break `{{ first_name }}`, so that each field travels as a token of letters and digits
and is put back at the end. A token holds a digest of the whole issue: text inside the issue would have to
contain its own digest to forge one.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from newsletter import merge
from newsletter.model import Block, Issue, PolicyEntry, Prose, Story

#: What stands before a field that stands within an address.
_IN_URL = re.compile(r"(?:https?://|mailto:)[^\s\"'<>]*$", re.IGNORECASE)
_LONGEST_URL = 2000


def _placed(field: merge.MergeField, before: str) -> merge.MergeField:
    """The field for the place it stands in; links of the system's own are whole addresses."""
    within = field.name not in merge.SYSTEM_FIELDS and _IN_URL.search(before)
    return replace(field, in_url=True) if within else field


class Fields:
    """The merge fields of one rendering, and their tokens, which hold a digest of what is `rendered`."""

    def __init__(self, rendered: object) -> None:
        self._key = hashlib.sha256(repr(rendered).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self._tokens: dict[merge.MergeField, str] = {}

    def token(self, field: merge.MergeField) -> str:
        """What stands for the field; for a link of the system's own, a token that looks like a link."""
        if field not in self._tokens:
            scheme = "https://" if field.name in merge.SYSTEM_FIELDS else ""
            self._tokens[field] = f"{scheme}mf{self._key}x{len(self._tokens)}x"
        return self._tokens[field]

    def hide(self, text: merge.MergeText) -> str:
        """The text with a token in the place of each field."""
        return "".join(part if isinstance(part, str) else self.token(part) for part in text)

    def reveal(self, text: str) -> merge.MergeText:
        """The text taken apart at its tokens."""
        if not self._tokens:
            return merge.MergeText((text,))
        found = {token: field for field, token in self._tokens.items()}
        parts: list[str | merge.MergeField] = []
        at = 0
        for match in re.finditer("|".join(map(re.escape, found)), text):
            parts.append(text[at : match.start()])
            parts.append(_placed(found[match[0]], text[max(0, match.start() - _LONGEST_URL) : match.start()]))
            at = match.end()
        return merge.MergeText(tuple(part for part in (*parts, text[at:]) if part != ""))

    def mark(self, issue: Issue) -> Issue:
        """The issue with tokens for the fields that staff wrote: in prose, and in blurbs that are not the
        stored summary. What was stored keeps its braces as plain characters.
        """
        sections = tuple(replace(s, blocks=tuple(self._mark(b) for b in s.blocks)) for s in issue.sections)
        return replace(issue, sections=sections)

    def _mark(self, block: Block) -> Block:
        match block:
            case Prose(markdown=markdown):
                return replace(block, markdown=self.hide(merge.parse(markdown)))
            case Story(item=stored, blurb=blurb) | PolicyEntry(policy=stored, blurb=blurb) if blurb != stored.summary:
                return replace(block, blurb=self.hide(merge.parse(blurb)))
        return block
