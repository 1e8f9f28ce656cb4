"""Characters that nobody sees, and marks where a text is shown as it was typed."""

from __future__ import annotations

import re

from newsletter.check.rules import Found, Subject, rule
from newsletter.model import Picture, Severity

# Embeddings, overrides and isolates show words in another order than they stand in (Unicode TR 36, Trojan Source).
_BIDI = "\u202a-\u202e\u2066-\u2069"
_UNSEEN = re.compile(
    f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u2028-\u2029{_BIDI}"
    "\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\uffff\U000e0001-\U000e007f]"
)
#: Letters of symbol fonts, such as Wingdings: every other font shows an empty box.
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010fffd]")
#: The size that Obsidian and others write behind what a picture shows.
_SIZE = re.compile(r"\|\s*\d{1,4}(?:\s*[x×]\s*\d{1,4})?\s*$")
# Between letters of one word, joiners belong to scripts and emoji; direction marks to texts of two directions.
_STRAY_JOINER = re.compile("[\u200c\u200d](?![^\x00-\u02ff])|(?<![^\x00-\u02ff])[\u200c\u200d]")
_MARKS = re.compile(
    r"""
      \*\*[^*]+\*\* | (?<![\w*])\*\w[^*\n]*\w\*(?![\w*]) | (?<!\w)__[^_]+__(?!\w) | (?<!\w)_\w[^_\n]*\w_(?!\w)
    | ~~[^~]+~~ | `[^`]+` | !?\[[^\]]*\]\([^)]*\) | \[\[ | \]\] | <!-- | </?[a-z][\w-]*(?:\s[^<>]*)?/?>
    | ^\s*\#{1,6}\s | \\[\\*_`\[\]()\#!.~-]
    | &(?:[a-z]{2,8}|\#\d{2,6}|\#x[0-9a-f]{2,6});
    """,
    re.IGNORECASE | re.VERBOSE,
)


@rule("content/marks-in-plain-text", Severity.ERROR)
def marks_in_plain_text(subject: Subject) -> Found:
    """The subject, the title, headlines and the like are shown as they are typed: no Markdown, no HTML, no entities."""
    for passage in subject.passages():
        if not passage.is_markdown:
            for match in _MARKS.finditer(passage.text):
                yield passage.around(match.start()), f'"{match[0][:60]}" is shown as it stands; write plain words'
    for block in subject.issue.blocks:
        if isinstance(block, Picture) and (size := _SIZE.search(block.photo.alt)):
            yield subject.at(block.line), f"\"{size[0]}\" is read out as it stands; a picture's size can't be set"


#: What UTF-8 becomes where it's read as Windows' letters: é, ’, and a blank that doesn't break.
# In capitals, such as MANHÃ”, the sign behind is one of the sentence.
_BROKEN = re.compile(
    "[ÂÃ][\u0080-\u009f¡-ª¬-º¼-¿]|(?<![A-ZÀ-Ý])[ÂÃ][\u00a0«»€‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œžŸ]"
    "|â€[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|ðŸ."
)


@rule("content/broken-letters", Severity.ERROR)
def broken_letters(subject: Subject) -> Found:
    """Letters that were saved in one encoding and read in another: donâ€™t, cafÃ©."""
    for passage in subject.passages():
        for match in _BROKEN.finditer(passage.text):
            around = passage.text[max(0, match.start() - 10) : match.end() + 10].split("\n")[0]
            yield passage.around(match.start()), f'"{around.strip()}" has letters of another encoding; type it again'


@rule("content/unseen-characters", Severity.ERROR)
def unseen_characters(subject: Subject) -> Found:
    """Characters that turn the direction of words, or that nobody sees, and letters of symbol fonts: they deceive
    readers and filters, or are shown as empty boxes.
    """
    for passage in subject.passages():
        for pattern in (_UNSEEN, _STRAY_JOINER):
            for match in pattern.finditer(passage.text):
                if match[0] == "\u00ad" and passage.is_markdown:
                    continue  # where a long word may be broken
                yield passage.around(match.start()), f"there is an unseen character, U+{ord(match[0]):04X}; delete it"
        for match in _PRIVATE.finditer(passage.text):
            what = f"U+{ord(match[0]):04X} is a letter of a symbol font, and shown as an empty box; write another sign"
            yield passage.around(match.start()), what
