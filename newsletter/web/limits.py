"""How often mail may be asked for, by network, by list, and in all. Counted in this process; how much one mailbox may
get is counted in the store (see `newsletter.transactional`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from newsletter.config import Service
from newsletter.web.security import network

#: By what the limits are divided while most who ask don't confirm.
_SLOWER = 4


class Limits:
    """The limits of the settings, and what has been asked for."""

    def __init__(self, rules: Service) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._network, self._list, self._all = (
            parse_many(limit) for limit in (rules.rate_limit, rules.list_limit, rules.total_limit)
        )

    def reached(self, lists: Sequence[str], *, slow: bool, by_network: bool) -> str:
        """Count a request; which limit it's beyond, or nothing."""
        for limit, name in self._of(lists, by_network=by_network):
            item = type(limit)(max(limit.amount // _SLOWER, 1), limit.multiples) if slow else limit
            if not self._limiter.hit(item, name):
                return f"{item} {name.partition(' ')[0]}"
        return ""

    def _of(self, lists: Sequence[str], *, by_network: bool) -> Iterator[tuple[RateLimitItem, str]]:
        if by_network:
            yield from ((limit, f"network {network()}") for limit in self._network)
        yield from ((limit, f"list {name}") for name in lists for limit in self._list)
        yield from ((limit, "all") for limit in self._all)
