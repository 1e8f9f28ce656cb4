"""Links are asked, politely, over real HTTP on loopback; nothing private is asked unless a test allows it."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.check.live import Answer, Memory, ask, check_live, names_bill
from newsletter.check.rules import Subject
from newsletter.collect import policies
from newsletter.model import Finding, Severity
from tests.desk import ISSUE, NOW, Desk
from tests.timing import is_linear
from tests.website import Website

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


HERE = ("127.0.0.1",)


def answer(url: str, *private_hosts: str) -> Answer:
    return ask([url], sleep=lambda _: None, private_hosts=private_hosts or HERE)[url]


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
    assert answer(f"{site}/fine", "intranet.example").fault == "leads to an address that isn't public"
    assert Site.asked == []


def test_a_host_is_asked_one_at_a_time_with_a_pause(site: str) -> None:
    waits: list[float] = []
    ask([f"{site}/fine", f"{site}/gone", f"{site}/moved"], sleep=waits.append, private_hosts=HERE)
    assert waits == [1.0, 1.0]
    assert [path for _, path in Site.asked] == ["/fine", "/gone", "/gone", "/moved", "/fine"]


def test_findings_name_the_place_and_the_words(desk: Desk, site: str) -> None:
    text = ISSUE[: ISSUE.index("Hi {{")] + f"[the ordinance]({site}/gone) and [the report]({site}/broken)\n"
    desk.write_issue(NAME, text)
    subject = Subject(issue=desk.space.compose(NAME), variants=(), config=desk.space.config)
    found = check_live(subject, sleep=lambda _: None, private_hosts=HERE)
    assert [(finding.rule, finding.severity) for finding in found] == [
        ("links/gone", Severity.ERROR),
        ("links/unsure", Severity.WARNING),
    ]
    assert 'the link "the ordinance" is gone (404)' in found[0].message
    assert found[0].where == f"issues/{NAME}/issue.md:10"


def live(desk: Desk, site: str, memory: Memory | None = None) -> list[Finding]:
    subject = Subject(issue=desk.space.compose(NAME), variants=(), config=desk.space.config)
    return check_live(subject, sleep=lambda _: None, private_hosts=HERE, memory=memory)


def test_what_answered_well_is_asked_again_after_a_day_and_what_did_not_at_once(desk: Desk, site: str) -> None:
    text = ISSUE[: ISSUE.index("Hi {{")] + f"[the ordinance]({site}/gone) and [the report]({site}/fine)\n"
    desk.write_issue(NAME, text)
    path = desk.folder / ".cache" / "links.json"
    for hours, asked in ((0, ["/fine", "/gone"]), (23, ["/gone"]), (25, ["/fine", "/gone"])):
        Site.asked.clear()
        found = live(desk, site, Memory(path, NOW + dt.timedelta(hours=hours)))
        assert [finding.rule for finding in found] == ["links/gone"]
        assert sorted({path for _, path in Site.asked}) == asked


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"x": 3}'])
def test_a_broken_memory_is_an_empty_one(tmp_path: Path, broken: str) -> None:
    memory = Memory(tmp_path / "links.json", NOW)
    memory.path.write_text(broken)
    assert not memory.knows("x")
    memory.add(["y"])
    assert memory.knows("y")


def about(desk: Desk, url: str, number: str = "HB 1234") -> None:
    with desk.space.store.write() as session:
        policy = policies.get(session, "sf-public-health-leave")
        policies.replace(session, policy.slug, replace(policy, url=url, number=number), NOW)
    desk.write_issue(NAME, ISSUE[: ISSUE.index("Hi {{")] + "## Wins\n\n[[sf-public-health-leave]]\n")


def test_a_page_about_another_bill_is_pointed_out(desk: Desk, website: Website) -> None:
    about(desk, website.put("/bill", "<h1>House Bill 4321</h1>"))
    (found,) = live(desk, website.url)
    assert (found.rule, found.severity) == ("policy/number-not-on-page", Severity.WARNING)
    assert "doesn't name HB 1234" in found.message
    website.put("/bill", "<h1>House Bill 1234</h1>")
    assert live(desk, website.url) == []


def test_a_page_that_is_no_text_is_not_judged(desk: Desk, website: Website) -> None:
    about(desk, website.put("/bill.pdf", b"%PDF-1.7", "application/pdf"))
    assert live(desk, website.url) == []


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("HB 1234", "H.B. 1234 was passed"),
        ("HB 1234", "see <b>House Bill No. 1234</b>"),
        ("HB 1234", "HB1234"),
        ("HB 1234", "hb-01234"),
        ("CB 22-0614", "Council Bill 22-0614"),
        ("CF 19-0229", "Council File: 19-0229-S1"),
        ("Prop G", "Proposition G? no: Prop. G"),
        ("Ord. 2022-15", "ORD 2022-015"),
    ],
)
def test_a_bill_is_known_however_it_is_written(number: str, text: str) -> None:
    assert names_bill(text, number)


@pytest.mark.parametrize(
    ("number", "text"),
    [("HB 1234", "HB 12345"), ("HB 1234", "SB 1234"), ("HB 123", "HB 1234"), ("CB 22-0614", "CB 22-0615")],
)
def test_another_bill_is_another(number: str, text: str) -> None:
    assert not names_bill(text, number)


@given(st.sampled_from(["HB", "SB", "AB", "CF"]), st.integers(1, 99999), st.sampled_from(["", " ", ". ", "-", " No. "]))
def test_a_number_is_found_in_any_usual_dress(letters: str, digits: int, between: str) -> None:
    assert names_bill(f"On Monday, {letters}{between}{digits} became law.", f"{letters} {digits}")
    assert not names_bill(f"On Monday, {letters}{between}{digits}0 became law.", f"{letters} {digits}")


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_page_and_any_number_are_survived(text: str, number: str) -> None:
    names_bill(text, number)


@pytest.mark.parametrize("piece", [" ", "hb ", "HB -", "hb 0", "."])
def test_a_long_page_takes_no_more_than_its_share_of_time(piece: str) -> None:
    assert is_linear(lambda size: names_bill("hb" + piece * (size // len(piece)), "HB 1234"))
