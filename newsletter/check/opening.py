"""The first fifty words: what machines sum up, and what people decide by whether they read on."""

from __future__ import annotations

import re

from newsletter import merge
from newsletter.check.rules import Found, Subject, rule
from newsletter.markdown import plain
from newsletter.model import Prose, Severity

_WORDS = 50
#: What could stand at the head of any issue, of anybody.
_BOILERPLATE = re.compile(
    r"""
      welcome\ to\ (?!the\ first\b)(?:this|the|our|another|a)\ [^.!?]*(?:issue|edition|newsletter|round\ ?up)
    | (?:this|the)\ (?:email|message|newsletter)\ finds\ you
    | in\ this\ (?:week|month)?(?:'s|’s)?\ ?(?:issue|edition|newsletter)\b
    | (?:view|read|open)\ (?:this|it|the)\ [^.!?]{0,30}in\ (?:your|a|the)\ browser | view\ (?:in|online)
    | trouble\ (?:viewing|reading|seeing)\b
    | can(?:'t|’t|not)\ see\ (?:this|the)\ (?:email|message|newsletter|images|pictures)
    | you(?:'re|’re|\ are)\ receiving\ this
    | happy\ (?:mon|tues|wednes|thurs|fri)day
    | (?:pleased|excited|happy|thrilled|delighted|proud)\ to\ (?:share|present|announce|bring|send)\ [^.!?]*
      (?:issue|edition|newsletter|round\ ?up|update)
    | (?:here\ is|here(?:'s|’s))\ (?:this|your|our|the)\ (?:week|month|latest|monthly|weekly)[^.!?]*
      (?:issue|edition|newsletter|round\ ?up|digest)
    | it(?:'s|’s)\ that\ time\ of\ | can\ you\ believe\ it | where\ (?:has|did)\ the\ time
    | another\ (?:week|month|year)\ (?:has|is)\ (?:gone|passed|over|behind)
    | bienvenid[oa]s?\ a\ (?:este|esta|nuestr[oa])\ [^.!?]*(?:número|edición|boletín)
    | en\ (?:este|esta)\ (?:número|edición|boletín)\b | esperamos\ que\ (?:este|se\ encuentre)
    """,
    re.IGNORECASE | re.VERBOSE,
)


def opening(markdown: str) -> str:
    """The first fifty words of a text, with fallbacks for merge fields."""
    return " ".join(plain(merge.parse(markdown).merge({})).split()[:_WORDS])


@rule("content/slow-start", Severity.WARNING)
def slow_start(subject: Subject) -> Found:
    """The first fifty words could stand in any issue. Programs quote and sum them up beside the subject."""
    first = next((block for block in subject.issue.blocks if isinstance(block, Prose)), None)
    if first is not None and (found := _BOILERPLATE.search(opening(first.markdown))):
        message = f'"{found[0].strip()}" says nothing of this issue; begin with what has happened'
        yield subject.at(first.line), message
