"""Rules about the message as a mailbox provider and the law see it."""

from __future__ import annotations

import html
import re

from newsletter.check.rules import Found, Subject, rule
from newsletter.model import Severity

#: Gmail clips a message whose HTML is over about 102 KB; merged values need some of the room.
CLIPPED_BYTES = 102_000
BUDGET_BYTES = 90_000
_FEWEST_WORDS = 40


def _has_unsubscribe(subject: Subject, part: str) -> bool:
    return all(
        any(field.name == "unsubscribe_url" for field in getattr(variant, part).fields) for variant in subject.variants
    )


@rule("deliverability/no-unsubscribe", Severity.ERROR)
def no_unsubscribe(subject: Subject) -> Found:
    """A visible unsubscribe link has to stand in both parts (CAN-SPAM, 15 USC 7704; Gmail and Yahoo's rules)."""
    for part in ("html", "text"):
        if not _has_unsubscribe(subject, part):
            yield f"{part} part", 'there is no unsubscribe link; templates write it as {{ merge("unsubscribe_url") }}'


@rule("deliverability/no-postal-address", Severity.ERROR)
def no_postal_address(subject: Subject) -> Found:
    """The sender's postal address has to stand in every message (CAN-SPAM, 15 USC 7704(a)(5))."""
    wanted = _words(subject.config.organization.postal_address)
    for variant in subject.variants:
        for part in ("html", "text"):
            if wanted not in _words(str(getattr(variant, part))):
                yield f"{part} part", "the postal address of the organization is missing"


@rule("deliverability/clipped", Severity.ERROR)
def clipped(subject: Subject) -> Found:
    """Gmail cuts a message over 102 KB of HTML, and its unsubscribe link with it."""
    for variant in subject.variants:
        size = len(str(variant.html).encode())
        if size > CLIPPED_BYTES:
            yield f"variant {variant.variant}", f"the HTML has {size:,} bytes; Gmail cuts it at {CLIPPED_BYTES:,}"


@rule("deliverability/large", Severity.WARNING)
def large(subject: Subject) -> Found:
    """HTML over 90 KB comes close to where Gmail cuts."""
    for variant in subject.variants:
        size = len(str(variant.html).encode())
        if BUDGET_BYTES < size <= CLIPPED_BYTES:
            yield f"variant {variant.variant}", f"the HTML has {size:,} bytes; the budget is {BUDGET_BYTES:,}"


@rule("deliverability/stub-text", Severity.WARNING)
def stub_text(subject: Subject) -> Found:
    """A plain-text part that says much less than the HTML looks like spam and serves nobody."""
    for variant in subject.variants:
        words = len(str(variant.text).split())
        if words < _FEWEST_WORDS:
            yield f"variant {variant.variant}", f"the plain-text part has only {words} words"


@rule("deliverability/fake-reply", Severity.ERROR)
def fake_reply(subject: Subject) -> Found:
    """A subject that pretends to be an answer or a forward (Gmail's sender rules; 15 USC 7704(a)(2))."""
    if re.match(r"\s*(re|fwd?)\s*:", str(subject.issue.subject), re.IGNORECASE):
        yield f"{subject.issue.path}: subject", "the subject pretends to be a reply or a forward"


def _words(text: str) -> str:
    """A text less its markup and spacing, to compare by."""
    bare = html.unescape(re.sub(r"<[^>]*>", " ", text))
    return " ".join(re.sub(r"[^\w]+", " ", bare).split()).lower()


@rule("deliverability/shouting", Severity.WARNING)
def shouting(subject: Subject) -> Found:
    """Capitals and rows of exclamation marks in the subject make filters and readers wary."""
    text = str(subject.issue.subject)
    letters = [letter for letter in text if letter.isalpha()]
    if len(letters) > 8 and sum(map(str.isupper, letters)) > 0.7 * len(letters):
        yield f"{subject.issue.path}: subject", "the subject is all in capitals"
    elif re.search(r"[!?]{2,}|\${2,}", text):
        yield f"{subject.issue.path}: subject", "the subject has a row of ! or ? or $"


@rule("deliverability/preheader-repeats", Severity.WARNING)
def preheader_repeats(subject: Subject) -> Found:
    """A preheader that says the subject again wastes the only line readers see before they open."""
    subject_words, preheader_words = (
        set(_words(str(t)).split()) for t in (subject.issue.subject, subject.issue.preheader)
    )
    if len(preheader_words) > 3 and len(preheader_words - subject_words) <= 2:
        yield f"{subject.issue.path}: preheader", "the preheader repeats the subject"
