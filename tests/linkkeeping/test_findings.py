"""Links of an issue are asked by the one checker that looks after public links, too."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from newsletter.collect import policies
from newsletter.model import Finding, Severity
from tests.desk import ISSUE, NOW, Desk, StillTime
from tests.linkkeeping.test_linkkeeping import article, asked
from tests.website import Reply, Website

NAME = "network-download-2022-10"
HEAD = ISSUE[: ISSUE.index("Hi {{")]


@pytest.fixture
def loopback(desk: Desk) -> Desk:
    """A desk that may ask the website on loopback."""
    settings = desk.folder / "config.toml"
    rules = '\n[collect]\nprivate_hosts = ["127.0.0.1"]\n\n[links]\npause_seconds = 0.0\n'
    settings.write_text(settings.read_text(encoding="utf-8") + rules, encoding="utf-8")
    return replace(desk, space=type(desk.space).open(settings, desk.space.clock))


def found(desk: Desk, *links: str, afresh: bool = False) -> list[Finding]:
    """What is found of an issue that links there."""
    desk.write_issue(NAME, HEAD + "\n\n".join(f"[page {n}]({url})" for n, url in enumerate(links)) + "\n")
    return desk.space.check_links(desk.space.compose(NAME), afresh=afresh)


@pytest.mark.parametrize("path", ["/fine", "/for-now", "/with-a-slash"])
def test_a_link_that_answers_is_in_order(loopback: Desk, website: Website, path: str) -> None:
    website.put("/fine", article("Fine"))
    website.put("/with-a-slash/", article("Fine"))
    website.redirect("/for-now", "/fine")
    website.pages["/with-a-slash"] = Reply(status=301, headers={"Location": "/with-a-slash/"})
    assert found(loopback, website.url + path) == []


@pytest.mark.parametrize(
    ("path", "rule", "words"),
    [
        ("/gone", "links/gone", "is gone (answered 404)"),
        ("/removed", "links/gone", "is gone (answered 410)"),
        ("/for-now-to-nothing", "links/gone", "is gone (answered 404)"),
        ("/broken", "links/unsure", "answered 500"),
        ("/forbidden", "links/unsure", "is not for programs (answered 403), so look yourself"),
        ("/loop", "links/unsure", "redirects in a loop"),
        ("/elsewhere", "links/unsure", "redirects to an address that"),
        ("/moved", "links/moved", "has moved to "),
        ("/article", "links/moved", "leads to a front page now"),
        ("/robots", "links/unsure", "asks programs not to read it"),
    ],
)
def test_a_link_that_does_not_is_named_with_its_place(
    loopback: Desk, website: Website, path: str, rule: str, words: str
) -> None:
    website.put("/robots.txt", "User-agent: *\nDisallow: /robots$\n", type="text/plain")
    website.put("/", article("Front"))
    website.put("/new", article("Fine"))
    website.redirect("/for-now-to-nothing", "/gone")
    website.redirect("/loop", "/loop")
    website.redirect("/elsewhere", "ftp://example.org/")
    website.redirect("/article", "/")
    website.pages["/moved"] = Reply(status=301, headers={"Location": "/new"})
    website.pages |= {"/removed": Reply(status=410), "/broken": Reply(status=500), "/forbidden": Reply(status=403)}
    (finding,) = found(loopback, website.url + path)
    assert finding.rule == rule
    assert words in finding.message
    assert finding.where == f"issues/{NAME}/issue.md:10"
    assert (finding.severity is Severity.ERROR) == (rule == "links/gone")


def test_a_server_that_is_not_there_is_an_error(loopback: Desk) -> None:
    (finding,) = found(loopback, "http://127.0.0.1:9/page")
    assert (finding.rule, finding.severity) == ("links/gone", Severity.ERROR)


def test_a_private_address_is_never_asked(desk: Desk, website: Website) -> None:
    (finding,) = found(desk, website.put("/page", article("Secret")))
    assert "not on the public internet" in finding.message
    assert website.asked == []


def test_a_link_that_is_one_readers_own_is_never_followed(loopback: Desk, website: Website) -> None:
    for path in ("/unsubscribe/abc", "/u?e=ana@example.org", "/hello?n={{ first_name | friend }}"):
        website.put(path, article("Done"))
        found(loopback, website.url + path)
    assert website.asked == []


@pytest.mark.parametrize("status", [200, 404, 500, 403])
def test_a_page_that_was_asked_by_one_is_not_asked_by_the_other_for_a_day(
    loopback: Desk, website: Website, time: StillTime, status: int
) -> None:
    url = website.url + "/page"
    website.pages["/page"] = Reply(article("The whole story").encode(), status=status)
    first = found(loopback, url)
    assert [finding.rule for finding in first] == {
        200: [], 404: ["links/gone"], 500: ["links/unsure"], 403: ["links/unsure"]
    }[status]  # fmt: skip
    loopback.space.approve(NAME, by="Ada")
    time.at += dt.timedelta(hours=23)
    done = loopback.run("links", "list", "--json")
    assert url in done.stdout
    assert found(loopback, url) == first
    assert len(asked(website, "/page")) == 1
    assert found(loopback, url, afresh=True) == first
    assert len(asked(website, "/page")) == 2
    time.at += dt.timedelta(hours=24)
    found(loopback, url)
    assert len(asked(website, "/page")) == 3


def test_an_issue_that_is_published_is_not_asked_anew_by_links_check(loopback: Desk, website: Website) -> None:
    url = website.put("/page", article("The whole story"))
    found(loopback, url)
    loopback.space.approve(NAME, by="Ada")
    with loopback.space.store.read() as session:
        known = {policy.url for policy in policies.find(session)}
    assert url in loopback.space.published_links().keys() - known
    from newsletter.linkkeeping import keep

    kept = keep(loopback.space.store, [url], loopback.space.config, loopback.space.clock)
    assert (kept.asked, kept.fresh) == (0, 1)


def test_a_host_that_was_asked_enough_is_named(loopback: Desk, website: Website) -> None:
    space = loopback.space
    config = replace(space.config, links=replace(space.config.links, per_host=1))
    urls = [website.put(f"/{n}", article("Fine")) for n in range(2)]
    (finding,) = found(replace(loopback, space=replace(space, config=config)), *urls)
    assert (finding.rule, "was not asked" in finding.message) == ("links/unsure", True)


def about(desk: Desk, url: str, number: str = "HB 1234") -> list[Finding]:
    """What is found of an issue about a bill whose page is there."""
    with desk.space.store.write() as session:
        policy = policies.get(session, "sf-public-health-leave")
        policies.replace(session, policy.slug, replace(policy, url=url, number=number), NOW)
    desk.write_issue(NAME, HEAD + "## Wins\n\n[[sf-public-health-leave]]\n")
    return desk.space.check_links(desk.space.compose(NAME), afresh=True)


def test_a_page_about_another_bill_is_pointed_out(loopback: Desk, website: Website) -> None:
    url = website.put("/bill", "<title>House</title><form><table><tr><td>House Bill<td>4321</table></form>")
    (finding,) = about(loopback, url)
    assert (finding.rule, finding.severity) == ("policy/number-not-on-page", Severity.WARNING)
    assert "doesn't name HB 1234" in finding.message
    website.put("/bill", "<title>House Bill 1234</title><p>An act.")
    assert about(loopback, url) == []
    assert [finding.rule for finding in about(loopback, url, "HB 4321")] == ["policy/number-not-on-page"]


def test_a_page_that_is_no_text_is_not_judged(loopback: Desk, website: Website) -> None:
    assert about(loopback, website.put("/bill.pdf", b"%PDF-1.7", "application/pdf")) == []
    assert about(loopback, website.put("/bill.png", b"\x89PNG", "image/png")) == []
