"""Where `newsletter send` spends its time: processor time by stage, of one thread.

    python -m benchmarks.profile 200000     a table for RESULTS.md

Each stage's own time, without that of the stages in it. Two clock readings a call of a stage are its cost; signing,
which comes once a reader, is the only stage that they weigh on.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect

from benchmarks import million
from newsletter import tokens
from newsletter.providers.mailgun import Mailgun
from newsletter.providers.wire import Wire
from newsletter.send import ledger, stored_calls
from newsletter.send.batch_sender import BatchSender
from newsletter.send.service import CampaignService

_STAGES: tuple[tuple[Any, str, str], ...] = (
    (CampaignService, "plan", "plan and freeze"),
    (CampaignService, "start", "plan and freeze"),
    (BatchSender, "claim", "claim"),
    (ledger, "_recipients", "claim: values of each reader"),
    (stored_calls, "request_of", "claim: JSON of the stored request"),
    (Mailgun, "form", "encode the form"),
    (Wire, "call", "wire"),
    (BatchSender, "_receipts", "receipts"),
    (BatchSender, "_persist", "record"),
    (tokens.Signer, "sign", "sign links and marks"),
    (tokens.Marks, "mark", "sign links and marks"),
    (DefaultDialect, "do_commit", "commit"),
)


class _Stages:
    """Time by stage; a stack of the time that inner stages took."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._inner: list[tuple[str, float]] = []

    def watch(self, owner: Any, name: str, stage: str) -> None:
        """Have a function's time counted under a stage."""
        run = getattr(owner, name)

        def timed(*given: Any, **more: Any) -> Any:
            self.enter(stage)
            start = time.thread_time()
            try:
                return run(*given, **more)
            finally:
                self.leave(time.thread_time() - start)

        setattr(owner, name, timed)

    def enter(self, stage: str) -> None:
        """A stage begins."""
        self._inner.append((stage, 0.0))

    def leave(self, took: float) -> None:
        """The last stage ends, after so many seconds."""
        stage, inner = self._inner.pop()
        self.spent[stage] += took - inner
        if self._inner:
            around, sum_ = self._inner[-1]
            self._inner[-1] = (around, sum_ + took)

    def sql(self) -> None:
        """Have each statement's time counted with the stage that it's of."""
        begun: list[float] = []

        def before(*_: Any) -> None:
            stage = self._inner[-1][0] if self._inner else "start-up, check of the approval"
            self.enter(f"{stage}: SQL")
            begun.append(time.thread_time())

        def after(*_: Any) -> None:
            self.leave(time.thread_time() - begun.pop())

        event.listen(Engine, "before_cursor_execute", before)
        event.listen(Engine, "after_cursor_execute", after)


def main() -> None:
    """One campaign, one thread, a table."""
    people = int(sys.argv[1])
    stages = _Stages()
    with million.prepared() as desk, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        desk.product(folder, people)
        config = folder / "config.toml"
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("[providers.mailgun]\n", "[providers.mailgun]\nparallel = 1\n"), "utf-8")
        for owner, function, stage in _STAGES:
            stages.watch(owner, function, stage)
        stages.sql()
        start = time.thread_time()
        million.send(folder)
        whole = time.thread_time() - start
    stages.spent["everything else"] = whole - sum(stages.spent.values())
    print(f"\n{people:,} deliveries, one thread, {whole:.1f} s of processor time\n\n| stage | share | ms a call |")
    print("|---|---|---|")
    for stage, took in sorted(stages.spent.items(), key=lambda entry: -entry[1]):
        print(f"| {stage} | {took / whole:.1%} | {took / people * 1e6:.2f} |")


if __name__ == "__main__":
    main()
