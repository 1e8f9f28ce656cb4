"""Links are asked, politely, over real HTTP on loopback; nothing private is asked unless a test allows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from newsletter.check.live import Answer, ask, check_live
from newsletter.check.rules import Subject
from newsletter.model import Severity
from tests.desk import ISSUE, Desk

NAME = "network-download-2022-10"


class Site(BaseHTTPRequestHandler):
    """Answers by path as real sites do."""

    asked: list[tuple[str, str]]

    def _answer(self) -> None:
        type(self).asked.append((self.command, self.path))
        status, location = {
            "/fine": (200, ""),
            "/gone": (404, ""),
            "/removed": (410, ""),
            "/no-head": (405 if self.command == "HEAD" else 200, ""),
            "/broken": (500, ""),
            "/moved": (301, "/fine"),
            "/moved-to-nothing": (302, "/gone"),
            "/loop": (302, "/loop"),
            "/elsewhere": (302, "ftp://example.org/"),
        }[self.path]
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = _answer  # noqa: N815 (the server's names)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    Site.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def answer(url: str, *, allow_private: bool = True) -> Answer:
    return ask([url], sleep=lambda _: None, allow_private=allow_private)[url]


@pytest.mark.parametrize("path", ["/fine", "/no-head", "/moved"])
def test_a_link_that_answers_is_in_order(site: str, path: str) -> None:
    assert answer(site + path) == Answer()


@pytest.mark.parametrize(
    ("path", "fault", "gone"),
    [
        ("/gone", "is gone (404)", True),
        ("/removed", "is gone (410)", True),
        ("/moved-to-nothing", "is gone (404)", True),
        ("/broken", "answered 500", False),
        ("/loop", "redirects more than 5 times", False),
        ("/elsewhere", "gave no usable answer", False),
    ],
)
def test_a_link_that_does_not_is_told(site: str, path: str, fault: str, gone: bool) -> None:
    assert answer(site + path) == Answer(fault, gone=gone)


def test_a_server_that_is_not_there_cannot_be_reached() -> None:
    assert answer("http://127.0.0.1:1/") == Answer("can't be reached", gone=True)


def test_a_private_address_is_never_asked(site: str) -> None:
    assert answer(f"{site}/fine", allow_private=False).fault == "leads to an address that isn't public"
    assert Site.asked == []


def test_a_host_is_asked_one_at_a_time_with_a_pause(site: str) -> None:
    waits: list[float] = []
    ask([f"{site}/fine", f"{site}/gone", f"{site}/moved"], sleep=waits.append, allow_private=True)
    assert waits == [1.0, 1.0]
    assert [path for _, path in Site.asked] == ["/fine", "/gone", "/gone", "/moved", "/fine"]


def test_findings_name_the_place_and_the_words(desk: Desk, site: str) -> None:
    text = ISSUE[: ISSUE.index("Hi {{")] + f"[the ordinance]({site}/gone) and [the report]({site}/broken)\n"
    desk.write_issue(NAME, text)
    subject = Subject(issue=desk.space.compose(NAME), variants=(), config=desk.space.config)
    found = check_live(subject, sleep=lambda _: None, allow_private=True)
    assert [(finding.rule, finding.severity) for finding in found] == [
        ("links/gone", Severity.ERROR),
        ("links/unsure", Severity.WARNING),
    ]
    assert 'the link "the ordinance" is gone (404)' in found[0].message
    assert found[0].where == f"issues/{NAME}/issue.md:10"
