"""SpamAssassin's score: read as the program prints it, and asked of the real one where it's installed."""

from __future__ import annotations

import shutil

import pytest

from newsletter.check import spam
from newsletter.errors import InputError
from newsletter.model import Severity
from tests.conftest import needed
from tests.desk import Desk

NAME = "network-download-2022-10"
SAID = """X-Spam-Checker-Version: SpamAssassin 4.0.0
X-Spam-Status: {verdict}, score={points} required=5.0 tests=HTML_MESSAGE,
\tMIME_HTML_ONLY,NO_RELAYS autolearn=no version=4.0.0
Subject: hello

the message"""


def told(points: str) -> spam.Score:
    return spam.score(b"", lambda _: SAID.format(points=points, verdict="Yes" if float(points) >= 5 else "No"))


def test_the_score_and_its_rules_are_read() -> None:
    assert told("-1.2") == spam.Score(-1.2, ("HTML_MESSAGE", "MIME_HTML_ONLY", "NO_RELAYS"))


@pytest.mark.parametrize(
    ("points", "severity"),
    [("2.9", None), ("3.0", Severity.WARNING), ("4.9", Severity.WARNING), ("5.0", Severity.ERROR)],
)
def test_a_score_near_spam_is_a_warning_and_spam_an_error(points: str, severity: Severity | None) -> None:
    found = spam.findings(b"", lambda _: SAID.format(points=points, verdict="No"))
    assert [finding.severity for finding in found] == ([severity] if severity else [])


def test_without_an_answer_one_line_says_so() -> None:
    with pytest.raises(InputError, match="gave no score"):
        spam.score(b"", lambda _: "config: failed to parse")


def test_without_the_program_one_line_says_so(desk: Desk) -> None:
    done = desk.run("check", NAME, "--spam", PATH="/nonexistent")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "needs SpamAssassin" in done.stderr


def test_the_sample_issue_is_no_spam_and_an_offer_of_money_is(desk: Desk) -> None:
    if not shutil.which("spamassassin"):
        needed("spamassassin is not installed")
    assert "0 errors" in desk.run("check", NAME, "--spam").stderr
    gtube = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    (found,) = spam.findings(b"Subject: Test\r\nFrom: a@example.org\r\n\r\n" + gtube + b"\r\n")
    assert (found.severity, "GTUBE" in found.message) == (Severity.ERROR, True)
