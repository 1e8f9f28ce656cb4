"""Links as they are kept: judged, canonical, without what says who clicked and where."""

from __future__ import annotations

from newsletter.links.address import Address, host_of, join, judged
from newsletter.links.tracking import addresses_in, canonical, cleaned_text, is_tracking
from newsletter.links.wrappers import unwrapped

__all__ = [
    "Address",
    "addresses_in",
    "canonical",
    "cleaned_text",
    "host_of",
    "is_tracking",
    "join",
    "judged",
    "unwrapped",
]
