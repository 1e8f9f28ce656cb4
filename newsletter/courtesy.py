"""Letters to those whom an issue speaks of: a heads-up before it goes out, a share kit after.

They are drafts for a mail program (`X-Unsent: 1`, as Outlook and others understand it), one file a member.
The program never sends them: a person reads each, adds a word, and sends it as their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2 import TemplateError as JinjaError

from newsletter import merge
from newsletter.collect.members import Mention
from newsletter.config import Config
from newsletter.errors import InputError, TemplateError
from newsletter.model import Issue, Member, Photo, PolicyEntry, Prose, Story
from newsletter.render import words
from newsletter.render.markdown import plain

#: Characters that the shortest of the usual networks takes in a post, less a link's 23 and a blank.
_POST_CHARACTERS = 280 - 24


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that an issue says of somebody: where, what, and where the archive has it."""

    section: str
    headline: str
    words: str
    link: str
    photo: Photo | None
    photo_url: str

    @property
    def post(self) -> str:
        """A post's words, without the link; short enough for every network."""
        text = self.headline or self.words
        return text if len(text) <= _POST_CHARACTERS else text[: _POST_CHARACTERS - 1].rpartition(" ")[0] + "…"


def write_letters(
    issue: Issue, found: Sequence[Mention], config: Config, folder: Path, *, after: bool, themes: Sequence[Path]
) -> tuple[list[Path], list[Member]]:
    """Write a draft for each member with an address into `folder`; also gives the members without one.

    `themes` hold `before.txt.j2` and `after.txt.j2`, of which an earlier folder wins: the first line is the
    subject, the rest the letter. Raises TemplateError for a fault in one, InputError for a folder that can't be
    written.
    """
    environment = Environment(
        loader=FileSystemLoader(themes),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),  # the letters are plain text
    )
    environment.filters |= {"long_day": words.long_day, "month": words.month}
    name = "after.txt.j2" if after else "before.txt.j2"
    publication = config.publications[issue.publication]
    ordered = sorted(found, key=lambda mention: mention.member.slug)
    written: list[Path] = []
    silent: list[Member] = []
    for _, group in groupby(ordered, key=lambda mention: mention.member.slug):
        mentions = list(group)
        member = mentions[0].member
        if not member.email:
            silent.append(member)
            continue
        try:
            text = environment.get_template(name).render(
                member=member,
                first_name=member.name.split()[0],
                issue=issue,
                publication=publication,
                sender=config.senders[publication.sender],
                organization=config.organization,
                told=[_told(mention, issue, config) for mention in mentions],
                link=f"{config.archive.url.rstrip('/')}/{issue.slug}/",
            )
        except JinjaError as fault:
            raise TemplateError(fault.message or "syntax", where=f"courtesy/{name}") from fault
        written.append(_draft(folder / f"{member.slug}.eml", member, text, config, publication.sender))
    return written, silent


def _told(mention: Mention, issue: Issue, config: Config) -> Told:
    block, archive = mention.block, config.archive.url.rstrip("/")
    slug, headline, said, photo = "", "", "", None
    match block:
        case Story():
            slug, headline, said, photo = block.item.slug, block.headline, block.blurb, block.item.photo
        case PolicyEntry():
            slug, headline, said, photo = block.policy.slug, block.headline, block.blurb, block.policy.photo
        case Prose():
            said = block.markdown
        case _:
            photo = block.photo
    return Told(
        section=mention.section or "the introduction",
        headline=headline,
        words=plain(merge.parse(said).merge({})),
        link=f"{archive}/{issue.slug}/" + (f"#{slug}" if slug else ""),
        photo=photo,
        photo_url=f"{archive}/media/{photo.name}" if photo else "",
    )


def _draft(path: Path, member: Member, text: str, config: Config, sender: str) -> Path:
    subject, _, body = text.strip().partition("\n")
    message = EmailMessage(policy=SMTP)
    message["X-Unsent"] = "1"
    message["From"] = Address(config.senders[sender].name, addr_spec=config.senders[sender].address)
    message["To"] = Address(member.name, addr_spec=member.email)
    message["Subject"] = subject.strip()
    message.set_content(body.strip() + "\n")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(message.as_bytes())
    except OSError as fault:
        raise InputError(f"can't write the draft: {fault.strerror}", where=path) from None
    return path
