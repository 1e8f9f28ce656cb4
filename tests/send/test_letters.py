"""The service's own mail follows the ledger's rules: never twice on hope, and never taken for a delivery."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.store.records import NoticeRecord
from newsletter.transactional import Kind, ask
from tests.send.shop import FAKES, Shop, shop
from tests.send.test_nobody_twice import lost, saying


def asked(opened: Shop) -> None:
    with opened.space.store.write() as session:
        details = {"lists": ["network-download"], "evidence": {}}
        ask(session, Kind.JOIN, "new@example.org", "en", details, opened.time.at)


def delivered(opened: Shop, times: int = 12) -> None:
    """Let the background job run so often, with the time between that it wants."""
    for _ in range(times):
        opened.space.transactional_mail().deliver()
        opened.later(hours=5)


def joined(tmp_path: Path, vendor: str) -> object:
    return shop(tmp_path, vendor, 1)


@pytest.mark.parametrize("vendor", [*FAKES])
@pytest.mark.parametrize("fault", ["no answer", "500 after it was taken"])
def test_a_letter_whose_answer_is_lost_is_not_sent_twice(tmp_path: Path, vendor: str, fault: str) -> None:  # S26
    with shop(tmp_path, vendor, 1) as opened:
        opened.configure('provider = "files"', f'provider = "{vendor}"')
        asked(opened)
        if vendor == "smtp":
            opened.fake.mood = iter(["drop", *[""] * 99]).__next__
        else:
            opened.fake.faults = [lost() if fault == "no answer" else saying(500, {"message": "oops"})]
        delivered(opened)
        assert opened.copies == {"new@example.org": 1}


@pytest.mark.parametrize("vendor", [*FAKES])
def test_a_letter_that_was_certainly_not_taken_is_sent_later(tmp_path: Path, vendor: str) -> None:
    with shop(tmp_path, vendor, 1) as opened:
        opened.configure('provider = "files"', f'provider = "{vendor}"')
        asked(opened)
        if vendor == "smtp":
            opened.fake.mood = iter(["429", *[""] * 99]).__next__
        else:
            opened.fake.faults = ["429"]
        delivered(opened)
        assert opened.copies == {"new@example.org": 1}


@pytest.mark.parametrize("vendor", [vendor for vendor in FAKES if vendor != "smtp"])
def test_a_letter_carries_a_mark_that_is_no_delivery(tmp_path: Path, vendor: str) -> None:
    with shop(tmp_path, vendor, 1) as opened:
        opened.configure('provider = "files"', f'provider = "{vendor}"')
        asked(opened)
        delivered(opened, 1)
        mark = opened.fake.delivery_of(opened.fake.taken[0][1])
        assert opened.space.marks.delivery(mark) is None
        assert not mark.isdecimal()
        with opened.space.store.read() as session:
            assert session.query(NoticeRecord).one().outcome == "sent"
