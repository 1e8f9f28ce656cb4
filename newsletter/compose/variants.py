"""What one variant of an issue holds: the guarded blocks that its readers get, without the stories that they've had,
and their state first.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from newsletter.model import Block, Issue, Story, Variant, states_of


def pick(issue: Issue, variant: Variant) -> Issue:
    """The issue as a variant's readers get it. A guard that isn't among the variant's is closed.

    Sections that end up empty are left out. Within `::: your state first`, what is about the reader's state
    moves to the front; nothing else changes its place.
    """
    sections = []
    for section in issue.sections:
        if section.only and section.only not in variant.guards:
            continue
        blocks = tuple(block for block in section.blocks if _gets(variant, block))
        if blocks or (section.heading and not section.blocks):
            sections.append(replace(section, blocks=_ordered(blocks, variant.state), only=""))
    return replace(issue, sections=tuple(sections))


def _gets(variant: Variant, block: Block) -> bool:
    if isinstance(block, Story) and variant.had.intersection(block.had_in):
        return False
    return not block.only or block.only in variant.guards


def _ordered(blocks: tuple[Block, ...], state: str) -> tuple[Block, ...]:
    found: list[Block] = []
    for fence, group in groupby(blocks, lambda block: block.first):
        members = list(group)
        if fence and state:
            members.sort(key=lambda block: state not in states_of(block))
        found += members
    return tuple(found)
