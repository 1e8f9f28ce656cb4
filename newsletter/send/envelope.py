"""What all messages of a campaign have in common: sender and list headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from newsletter.config import Config, Publication, Sender
from newsletter.merge import MergeText
from newsletter.model import Mailbox, Rendered, ascii_address
from newsletter.send.stored_calls import Envelope

_SENDER_ID = 15


def mailbox(sender: Sender) -> Mailbox:
    """A configured sender as messages have it."""
    return Mailbox(name=sender.name, address=ascii_address(sender.address))


def envelope(
    config: Config,
    publication: Publication,
    campaign: str,
    variants: Iterable[Rendered],
    *,
    unsubscribe_url: Callable[[int], str],
    mark: Callable[[int], str],
    subject_b: MergeText | None = None,
) -> Envelope:
    """The envelope of a publication's mail, with the content of each variant."""
    sender = config.senders[publication.sender]
    return Envelope(
        campaign=campaign,
        sender=mailbox(sender),
        reply_to=ascii_address(sender.reply_to) if sender.reply_to else "",
        headers=list_headers(config, publication, campaign),
        contents={variant.variant: variant for variant in variants},
        subject_b=subject_b,
        unsubscribe_url=unsubscribe_url,
        mark=mark,
    )


def list_headers(config: Config, publication: Publication, campaign: str) -> tuple[tuple[str, str], ...]:
    """List-Id (RFC 2919), Feedback-ID (Gmail's postmaster pages) and Precedence.

    Nothing in them differs from reader to reader; the SenderId at the right of Feedback-ID never changes.
    """
    domain = mailbox(config.senders[publication.sender]).address.rpartition("@")[2]
    mailing_list = config.lists[publication.list]
    name = f'"{mailing_list.name}" ' if re.fullmatch(r"[ !#-\[\]-~]+", mailing_list.name) else ""
    sender_id = re.sub(r"[^a-z0-9]", "", domain.lower())[:_SENDER_ID].ljust(5, "0")
    return (
        ("List-Id", f"{name}<{mailing_list.slug}.{domain}>"),
        ("Feedback-ID", f"{campaign}:{publication.slug}:{mailing_list.slug}:{sender_id}"),
        ("Precedence", "bulk"),
    )
