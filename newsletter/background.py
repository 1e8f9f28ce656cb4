"""The background jobs of `newsletter serve`: send transactional mail, call outgoing webhooks, record requests to leave
that the database couldn't take, and prune what is too old.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from newsletter import retention
from newsletter.audience.wishes import FOLDER, Wishes
from newsletter.errors import NewsletterError, described
from newsletter.workspace import Workspace

#: Seconds between two looks at what is due, and between two looks at what is too old.
_LOOK = 1.0
_PRUNE = 3_600.0


class BackgroundJobs:
    """A thread of its own; `complain` gets one line for whatever goes wrong, and it goes on. `failures` counts how
    often something did.
    """

    def __init__(self, space: Workspace, complain: Callable[[str], None], *, look: float = _LOOK) -> None:
        self._space, self._complain, self._look = space, complain, look
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)
        self._told = ""
        self.failures = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is under way."""
        self._stopping.set()
        self._thread.join(30)

    def _run(self) -> None:
        pruned = -_PRUNE
        mail, webhooks = self._space.transactional_mail(), self._space.outgoing_webhooks()
        wishes = Wishes(self._space.folder / FOLDER)
        while not self._stopping.wait(self._look):
            for job in (lambda: wishes.settle(self._space.store), mail.deliver, webhooks.gather, webhooks.deliver):
                self._try(job)
            if time.monotonic() - pruned > _PRUNE:
                pruned = time.monotonic()
                self._try(self._prune)

    def _prune(self) -> None:
        rules, now = self._space.config.retention, self._space.clock.now()
        self._space.store.transact(partial(retention.prune, rules=rules, now=now))

    def _try(self, job: Callable[[], object]) -> None:
        try:
            job()
        except Exception as fault:
            self.failures += 1
            # Of what isn't ours the message may hold an address.
            told = str(fault) if isinstance(fault, NewsletterError) else described(fault)
            if told != self._told:
                self._told = told
                self._complain(told)
