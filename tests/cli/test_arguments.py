"""Numbers and times on the command line: what no database or calendar holds is one clear line."""

from __future__ import annotations

import pytest

from newsletter.cli import main
from tests.desk import Desk

NAME = "network-download-2022-10"
HUGE = "999999999999999999999"
LAST = "9999-12-31"


def fault(desk: Desk, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The last line of what a command says when it fails."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(desk.folder / "config.toml"), *arguments])
    said = capsys.readouterr().err
    assert ended.value.code, arguments
    assert "Traceback" not in said
    return said.splitlines()[-1]


def test_a_time_that_is_far_ahead_is_refused_in_one_line(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.space.approve(NAME, by="Ada")
    for time in (f"{LAST} 23:59", f"{LAST} 23:59-12:00"):
        assert "more than 10 years ahead" in fault(desk, capsys, "send", NAME, "--at", time, "--confirm", NAME)
    for time in ("0001-01-01 00:00", "0001-01-01 00:00+14:00"):
        assert "is past" in fault(desk, capsys, "send", NAME, "--at", time, "--confirm", NAME)
    main_ok(desk, "send", NAME, "--at", "2026-12-31 09:00", "--confirm", NAME)
    for time in (f"{LAST} 23:59", f"{LAST} 23:59+00:00"):
        assert "more than 10 years ahead" in fault(desk, capsys, "campaigns", "move", NAME, time)


def main_ok(desk: Desk, *arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(desk.folder / "config.toml"), *arguments])
    assert not ended.value.code


@pytest.mark.parametrize(
    "arguments",
    [
        ("campaigns", "settle", NAME, "--as", "pending", "--batch", HUGE),
        ("campaigns", "settle", NAME, "--as", "pending", "--batch", "-1"),
        ("campaigns", "retry", NAME, "--batch", HUGE),
        ("send", NAME, "--confirm-count", HUGE),
        ("subscribers", "import", "--undo", HUGE),
        ("corrections", "remove", HUGE),
        ("subscribers", "list", "--page", HUGE),
        ("subscribers", "list", "--since", LAST),
        ("subscribers", "list", "--before", "0001-01-01"),
        ("draft", "network-download", "--date", LAST),
        ("draft", "network-download", "--date", "0001-01-01"),
        ("draft", "network-download", "--month", "9999-12"),
        ("draft", "network-download", "--since", LAST),
        ("policies", "list", "--since", LAST),
        ("policies", "list", "--in-force", "9999-12"),
        ("policies", "report", "--since", LAST),
        ("items", "gaps", "--days", HUGE),
        ("serve", "--port", "70000"),
        ("serve", "--threads", HUGE),
        ("studio", "--port", HUGE),
        ("worker", "--concurrency", "0"),
        ("worker", "--concurrency", HUGE),
    ],
)
def test_a_number_or_a_day_that_cannot_be_is_refused_in_one_line(
    desk: Desk, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert "is not" in fault(desk, capsys, *arguments)


def test_a_day_that_a_timezone_carries_out_of_the_calendar_is_no_day(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    config = desk.folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("America/New_York", "Asia/Tokyo"), encoding="utf-8")
    assert "is no day" in fault(desk, capsys, "subscribers", "list", "--where", 'joined before "0001-01-01"')
