"""A run: submit what is pending of a campaign, after finding out what an earlier run left open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing

from newsletter.model import DeliveryState
from newsletter.providers import Provider
from newsletter.send import control, ledger
from newsletter.send.batch_sender import BatchSender, Providers
from newsletter.send.lock import sole_sender


def submit(sender: BatchSender, load: Callable[[str], Provider], *, parallel: int = 1) -> Counter[DeliveryState]:
    """Submit what is pending; the deliveries by state at the end. Run again, it continues. `load` opens a provider by
    its slug, for each of `parallel` threads.

    Ours and NotSent are raised, with everything recorded, when the provider refuses us or nothing can leave this
    machine.
    """
    with sole_sender(sender.store, sender.campaign.name, queued=True), closing(Providers(load)) as providers:
        providers(sender.campaign.provider).route()  # what can't work is said before anything is claimed
        sender.write_spooled()
        with sender.store.write() as session:
            control.hurry(session, sender.campaign.id, sender.clock.at(session))
        sender.resolve(providers)
        if parallel == 1:
            sender.send_all(providers)
        else:
            _in_parallel(sender, load, parallel)
    with sender.store.read() as session:
        return ledger.counts(session, sender.campaign.id)


def _in_parallel(sender: BatchSender, load: Callable[[str], Provider], parallel: int) -> None:
    """As many threads as wanted. The first that fails, and Ctrl-C, let the others end their calls."""

    def send() -> None:
        with closing(Providers(load)) as own:
            sender.send_all(own)

    sender.step = 1.0
    with ThreadPoolExecutor(parallel) as pool:
        running = [pool.submit(send) for _ in range(parallel)]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        finally:
            sender.stopped.set()
    for future in running:
        future.result()
