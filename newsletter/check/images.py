"""Rules about pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from newsletter.check.rules import Found, Subject, rule
from newsletter.errors import InputError
from newsletter.lettering import missing
from newsletter.model import Photo, Picture, PolicyEntry, Severity, Story
from newsletter.photos import photo_bytes

_MOST_BYTES = 1_000_000


def _photos(subject: Subject) -> Iterator[tuple[str, Photo, str]]:
    """Every picture that is shown, with its place and what it belongs to."""
    if subject.issue.hero:
        yield f"{subject.issue.path}: hero", subject.issue.hero, "the hero picture"
    for block in subject.issue.blocks:
        match block:
            case Picture(photo=photo):
                yield subject.at(block.line), photo, "the picture"
            case Story() if block.item.photo and not block.compact:
                yield subject.at(block.line), block.item.photo, f'the photo of "{block.item.slug}"'
            case PolicyEntry() if block.policy.photo and not block.compact:
                yield subject.at(block.line), block.policy.photo, f'the photo of "{block.policy.slug}"'


@rule("images/no-alt", Severity.ERROR)
def no_alt(subject: Subject) -> Found:
    """A picture without alternative text (WCAG 1.1.1)."""
    for where, photo, what in _photos(subject):
        if not photo.alt.strip():
            yield where, f"{what} has no alternative text"


@rule("images/alt-is-file-name", Severity.WARNING)
def alt_is_file_name(subject: Subject) -> Found:
    """Alternative text that is only a file's name tells nothing."""
    for where, photo, what in _photos(subject):
        if re.fullmatch(r"\S+\.(jpe?g|png|gif|webp)|(img|dsc)[-_ ]?\d+", photo.alt.strip(), re.IGNORECASE):
            yield where, f'{what} has a file name for alternative text, "{photo.alt}"'


@rule("images/no-credit", Severity.WARNING)
def no_credit(subject: Subject) -> Found:
    """A picture without a credit."""
    for where, photo, what in _photos(subject):
        if not photo.credit.strip():
            yield where, f"{what} has no credit"


@rule("images/too-small", Severity.WARNING)
def too_small(subject: Subject) -> Found:
    """The hero picture is shown 600 wide and needs twice that to be sharp."""
    hero = subject.issue.hero
    if hero and hero.width < 1200:
        yield f"{subject.issue.path}: hero", f"the hero picture is {hero.width} pixels wide; 1200 look sharp"


@rule("images/heavy", Severity.WARNING)
def heavy(subject: Subject) -> Found:
    """All pictures together should stay under 1 MB: many readers pay for it."""
    total = 0
    for photo in subject.issue.photos.values():
        with suppress(InputError):  # a picture that is gone is found by those who want to show it
            total += len(photo_bytes(photo, subject.config.folder))
    if total > _MOST_BYTES:
        yield subject.issue.path, f"the pictures weigh {total:,} bytes together; {_MOST_BYTES:,} is much"


@rule("images/card-letters", Severity.WARNING)
def card_letters(subject: Subject) -> Found:
    """The picture for social networks shows the title, in a font that hasn't every script."""
    if lacking := missing(subject.issue.title):
        yield f"{subject.issue.path}: title", f'the share card has no letters for "{lacking[:20]}" and shows boxes'


@rule("images/old-format", Severity.WARNING)
def old_format(subject: Subject) -> Found:
    """A picture that was stored as WebP or AVIF, which Outlook on Windows doesn't show."""
    for where, photo, what in _photos(subject):
        if photo.name.rpartition(".")[2] not in ("jpg", "jpeg", "png", "gif"):
            yield where, f"{what} is in a format that Outlook on Windows doesn't show; store {photo.file} once more"


@rule("images/long-alt", Severity.WARNING)
def long_alt(subject: Subject) -> Found:
    """Alternative text over 200 characters is read out in one breath."""
    for where, photo, what in _photos(subject):
        if len(photo.alt) > 200:
            yield where, f"{what} has {len(photo.alt)} characters of alternative text"
