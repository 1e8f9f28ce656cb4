"""What `newsletter serve` does beside answering: it mails what people asked for, tells other programs, and drops what
is too old.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from newsletter import retention
from newsletter.errors import NewsletterError
from newsletter.workspace import Workspace

#: Seconds between two looks at what is due, and between two looks at what is too old.
_LOOK = 1.0
_PRUNE = 3_600.0


class Errands:
    """A thread of its own; `complain` gets one line for whatever goes wrong, and it goes on."""

    def __init__(self, space: Workspace, complain: Callable[[str], None]) -> None:
        self._space, self._complain = space, complain
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="errands", daemon=True)
        self._told = ""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is under way."""
        self._stopping.set()
        self._thread.join(30)

    def _run(self) -> None:
        pruned = -_PRUNE
        notices, hooks = self._space.notices(), self._space.hooks()
        while not self._stopping.wait(_LOOK):
            self._try(notices.deliver)
            self._try(hooks.gather)
            self._try(hooks.deliver)
            if time.monotonic() - pruned > _PRUNE:
                pruned = time.monotonic()
                self._try(self._prune)

    def _prune(self) -> None:
        with self._space.store.write() as session:
            retention.prune(session, self._space.config.retention, self._space.clock.now())

    def _try(self, errand: Callable[[], object]) -> None:
        try:
            errand()
        except NewsletterError as fault:
            if str(fault) != self._told:
                self._told = str(fault)
                self._complain(self._told)
