"""Links that are public are looked after: politely, without forgetting, and with a way to mend what rots."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter.config import Config, LinksConfig
from newsletter.linkkeeping import Kept, Standing, keep
from newsletter.store import Store
from newsletter.store.records import LinkRecord
from tests.desk import ISSUE, Desk, StillTime
from tests.samples import sample_config
from tests.website import Reply, Website, serve_website

NAME = "network-download-2022-10"
COPY = "https://web.archive.org/web/2022/https://example.org/page"
DAY = dt.timedelta(days=1)


def article(text: str, menu: str = "Home") -> str:
    """A page with a menu, an article and a footer."""
    words = " ".join([text] * 12)
    return (
        f'<!doctype html><html lang="en"><head><title>{text}</title></head><body><nav><a href="/">{menu}</a></nav>'
        f"<article><h1>{text}</h1><p>{words}</p><p>{words}</p></article><footer>{menu}</footer></body></html>"
    )


class Keeper:
    """Asks the pages of loopback websites, a day after the last time."""

    def __init__(self, store: Store, time: StillTime, **rules: object) -> None:
        self.store, self.time = store, time
        sample = sample_config()
        self.config: Config = replace(
            sample,
            collect=replace(sample.collect, private_hosts=("127.0.0.1", "localhost")),
            links=LinksConfig(**rules),  # type: ignore[arg-type]
        )

    def ask(self, *urls: str, afresh: bool = False) -> Kept:
        return keep(self.store, urls, self.config, self.time.clock, afresh=afresh)

    def again(self, *urls: str) -> LinkRecord:
        """Ask on the next day; how the first of them stands."""
        self.time.at += DAY
        self.ask(*urls)
        return self.known(urls[0])

    def known(self, url: str) -> LinkRecord:
        with self.store.read() as session:
            return session.get_one(LinkRecord, url)


@pytest.fixture
def keeper(store: Store, time: StillTime) -> Keeper:
    return Keeper(store, time)


def asked(website: Website, path: str = "") -> list[str]:
    return [there for there, _ in website.asked if not path or there == path]


def test_a_page_that_stays_is_fine_and_is_held_against_what_it_said_first(website: Website, keeper: Keeper) -> None:
    url = website.put("/page", article("Denton takes a stand"))
    assert keeper.again(url).standing == Standing.FINE
    website.put("/page", article("Denton takes a stand", menu="Sale today"))
    found = keeper.again(url)
    assert (found.standing, found.captured == found.digest) == (Standing.FINE, True)


def test_a_page_that_says_something_else_in_silence_is_found(website: Website, keeper: Keeper) -> None:
    url = website.put("/page", article("The vote is on Monday"))
    first = keeper.again(url)
    website.put("/page", article("The vote is on Tuesday"))
    found = keeper.again(url)
    assert (found.standing, found.captured) == (Standing.CHANGED, first.captured)
    assert keeper.again(url).standing == Standing.CHANGED
    website.put("/page", article("The vote is on Monday"))
    assert keeper.again(url).standing == Standing.FINE


def test_a_document_is_compared_byte_by_byte(website: Website, keeper: Keeper) -> None:
    url = website.put("/bill.pdf", b"%PDF-1.4 one", type="application/pdf")
    assert keeper.again(url).standing == Standing.FINE
    website.put("/bill.pdf", b"%PDF-1.4 two", type="application/pdf")
    assert keeper.again(url).standing == Standing.CHANGED


def test_a_page_is_asked_only_for_what_is_new(website: Website, keeper: Keeper) -> None:
    modified = "Wed, 12 Oct 2022 09:00:00 GMT"
    url = website.put("/page", article("A"), ETag='"1"', Last_Modified=modified)
    keeper.again(url)
    assert keeper.again(url).standing == Standing.FINE
    headers = website.asked[-1][1]
    assert (headers["If-None-Match"], headers["If-Modified-Since"]) == ('"1"', modified)
    website.put("/page", article("B"), ETag='"2"')
    assert keeper.again(url).standing == Standing.CHANGED
    found = keeper.again(url)  # answers 304 now, and is still not what it was
    assert (found.standing, found.etag) == (Standing.CHANGED, '"2"')


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_gone_is_dead(website: Website, keeper: Keeper, status: int) -> None:
    website.pages["/page"] = Reply(status=status)
    assert keeper.again(website.url + "/page").standing == Standing.DEAD


def test_a_page_that_fails_is_dead_only_at_the_third_time_in_a_row(website: Website, keeper: Keeper) -> None:
    website.pages["/page"] = Reply(status=500)
    url = website.url + "/page"
    assert [keeper.again(url).standing for _ in range(2)] == [Standing.FAILING] * 2
    website.put("/page", article("Back again"))
    assert keeper.again(url).failures == 0
    website.pages["/page"] = Reply(status=500)
    assert [keeper.again(url).standing for _ in range(3)] == [Standing.FAILING, Standing.FAILING, Standing.DEAD]
    assert keeper.known(url).captured


def test_a_host_that_answers_nobody_is_told_in_words(keeper: Keeper) -> None:
    found = keeper.again("http://127.0.0.1:9/page")
    assert (found.standing, found.fault) == (Standing.FAILING, "can't be reached, or stopped answering")


def test_a_private_address_is_never_asked(website: Website, store: Store, time: StillTime) -> None:
    keeper = Keeper(store, time)
    keeper.config = sample_config()
    found = keeper.again(website.put("/page", "secret"))
    assert "not on the public internet" in found.fault
    assert website.asked == []


def test_a_page_that_moved_for_good_is_told_with_its_new_address(website: Website, keeper: Keeper) -> None:
    end = website.put("/new", article("Still here"))
    website.pages["/old"] = Reply(status=301, headers={"Location": "/newer"})
    website.pages["/newer"] = Reply(status=308, headers={"Location": end})
    found = keeper.again(website.url + "/old")
    assert (found.standing, found.moved_to) == (Standing.MOVED, end)


def test_a_redirect_for_now_and_a_slash_more_are_no_moves(website: Website, keeper: Keeper) -> None:
    website.put("/new", article("Still here"))
    website.put("/same/", article("Still here"))
    website.redirect("/old", "/new")
    website.pages["/same"] = Reply(status=301, headers={"Location": "/same/"})
    assert keeper.again(website.url + "/old").standing == Standing.FINE
    assert keeper.again(website.url + "/same").standing == Standing.FINE


def test_an_article_that_leads_to_the_front_page_is_told(website: Website, keeper: Keeper) -> None:
    website.put("/", article("Welcome"))
    found = keeper.again(website.redirect("/2019/story", "/"))
    assert (found.standing, found.fault) == (Standing.MOVED, "leads to a front page now")


@pytest.mark.parametrize("status", [401, 403, 429, 451])
def test_a_page_that_is_not_for_programs_is_never_called_dead(website: Website, keeper: Keeper, status: int) -> None:
    website.pages["/page"] = Reply(status=status)
    for _ in range(4):
        assert keeper.again(website.url + "/page").standing == Standing.REFUSED


def test_robots_txt_is_kept_to_and_read_once_a_run(website: Website, keeper: Keeper) -> None:
    website.put("/robots.txt", "User-agent: *\nDisallow: /private*.html$\nAllow: /\n", type="text/plain")
    website.put("/private-1.html", article("Not for you"))
    fine = website.put("/public", article("For all"))
    assert keeper.again(website.url + "/private-1.html", fine).standing == Standing.REFUSED
    assert keeper.known(fine).standing == Standing.FINE
    assert asked(website, "/private-1.html") == []
    assert len(asked(website, "/robots.txt")) == 1


def test_rules_for_our_own_name_win(website: Website, keeper: Keeper) -> None:
    website.put("/robots.txt", "User-agent: newsletter-desk\nDisallow: /\n\nUser-agent: *\nAllow: /", type="text/plain")
    assert keeper.again(website.put("/page", article("A"))).standing == Standing.REFUSED


def test_where_robots_txt_cannot_be_had_nothing_is_asked(website: Website, keeper: Keeper) -> None:
    website.pages["/robots.txt"] = Reply(status=503)
    found = keeper.again(website.put("/page", article("A")))
    assert (found.standing, found.fault) == (
        Standing.REFUSED,
        "its robots.txt answered 503, so that nobody may ask for pages",
    )
    assert asked(website, "/page") == []


def test_a_redirect_to_another_host_keeps_to_that_hosts_rules(website: Website, keeper: Keeper) -> None:
    with serve_website() as other:
        other.put("/robots.txt", "User-agent: *\nDisallow: /", type="text/plain")
        found = keeper.again(website.redirect("/page", other.put("/end", article("A"))))
        assert found.standing == Standing.REFUSED
        assert asked(other, "/end") == []


def test_a_host_is_asked_slowly_and_as_slowly_as_it_wants(website: Website, keeper: Keeper, time: StillTime) -> None:
    urls = [website.put(f"/{n}", article(f"Page {n}")) for n in range(3)]
    keeper.ask(*urls)
    assert sum(time.waits) == pytest.approx(3.0)  # robots.txt, and three pages
    website.put("/robots.txt", "User-agent: *\nCrawl-delay: 7\n", type="text/plain")
    time.waits.clear()
    keeper.again(*urls)
    assert sum(time.waits) == pytest.approx(1 + 7 * 2)


def test_a_run_asks_a_host_only_so_often_and_the_next_one_goes_on(
    website: Website, store: Store, time: StillTime
) -> None:
    keeper = Keeper(store, time, per_host=2)
    urls = [website.put(f"/{n}", article(f"Page {n}")) for n in range(5)]
    first = keeper.ask(*urls)
    assert (first.asked, first.fresh, first.left) == (2, 0, 3)
    second = keeper.ask(*urls)
    assert (second.asked, second.fresh, second.left) == (2, 2, 1)
    assert len({path for path in asked(website) if path != "/robots.txt"}) == 4


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_is_busy_is_left_alone_for_this_run(website: Website, keeper: Keeper, status: int) -> None:
    website.pages["/a"] = Reply(status=status)
    urls = [website.url + "/a", *(website.put(f"/b{n}", article("B")) for n in range(3))]
    kept = keeper.ask(*urls)
    assert (kept.asked, kept.left) == (1, 3)


def test_what_was_asked_lately_is_not_asked_again_unless_that_is_wanted(website: Website, keeper: Keeper) -> None:
    url = website.put("/page", article("A"))
    keeper.ask(url)
    assert (keeper.ask(url).fresh, len(asked(website, "/page"))) == (1, 1)
    assert (keeper.ask(url, afresh=True).asked, len(asked(website, "/page"))) == (1, 2)


def test_who_asks_is_said_with_where_to_complain(website: Website, store: Store, time: StillTime) -> None:
    Keeper(store, time, contact="desk@example.org").ask(website.put("/page", article("A")))
    agents = {headers["User-Agent"] for _, headers in website.asked}
    assert agents == {"newsletter-desk (+desk@example.org)"}


def test_a_run_that_breaks_down_keeps_what_it_has_found(website: Website, keeper: Keeper) -> None:
    urls = [website.put(f"/{n}", article(f"Page {n}")) for n in range(4)]

    def stop_after_two(_more: int) -> None:
        if len([path for path in asked(website) if path != "/robots.txt"]) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keep(keeper.store, urls, keeper.config, keeper.time.clock, progress=stop_after_two)
    with keeper.store.read() as session:
        known = session.scalars(select(LinkRecord).where(LinkRecord.checked_at.is_not(None))).all()
    assert len(known) == 2
    assert keeper.ask(*urls).asked == 2


@pytest.fixture
def shop(desk: Desk, website: Website) -> Desk:
    """The desk with an issue that is out and links to the website, by `http://127.0.0.1:…/page#part`."""
    settings = desk.folder / "config.toml"
    rules = '\n[collect]\nprivate_hosts = ["127.0.0.1"]\n\n[links]\npause_seconds = 0.0\n'
    settings.write_text(settings.read_text(encoding="utf-8") + rules, encoding="utf-8")
    page = f"{website.put('/page', article('The whole story'))}#part"
    site = website.url
    desk.write_issue(NAME, ISSUE.replace("https://example.org/story", page))
    with desk.space.store.write() as session:
        from newsletter.store.records import ItemRecord, PolicyRecord

        for record in (*session.scalars(select(ItemRecord)), *session.scalars(select(PolicyRecord))):
            record.url = record.url.replace("https://example.org", site)
    desk.space.approve(NAME, by="Ada")
    for path in ("/hb1", "/jobs/organizer", "/convening", "/sf/prop-g"):
        website.put(path, article(path))
    return desk


def test_the_links_of_published_issues_and_policies_are_checked_and_told(shop: Desk, website: Website) -> None:
    done = shop.run("links", "check", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, []), done.stderr
    assert {path for path in asked(website) if path != "/robots.txt"} == {
        *("/page", "/hb1", "/jobs/organizer", "/convening", "/sf/prop-g")
    }
    website.pages["/page"] = Reply(status=404)
    website.put("/hb1", article("Something else entirely"))
    done = shop.run("links", "check", "--afresh")
    assert done.returncode == 3
    rows = [line.split()[:3] for line in done.stdout.splitlines()[1:]]
    assert rows == [["dead", f"{website.url}/page", NAME], ["changed", f"{website.url}/hb1", NAME]]
    assert f"newsletter links replace {website.url}/page" in done.stderr


def test_a_dead_link_is_replaced_on_the_page_when_staff_say_so_and_can_come_back(shop: Desk, website: Website) -> None:
    url = f"{website.url}/page"
    page = shop.folder / "archive" / NAME / "index.html"
    website.pages["/page"] = Reply(status=410)
    assert shop.run("links", "check").returncode == 3
    assert shop.run("links", "replace", url, "--with", COPY).returncode == 0
    shop.space.publish()
    assert f'href="{COPY}"' in page.read_text(encoding="utf-8")
    assert f'href="{url}#part"' not in page.read_text(encoding="utf-8")
    assert shop.run("links", "check", "--afresh").returncode == 0
    assert "replaced" in shop.run("links", "show", f"{url}#part").stdout
    assert shop.run("links", "restore", url).returncode == 0
    shop.space.publish()
    assert f'href="{url}#part"' in page.read_text(encoding="utf-8")
    assert "isn't replaced" in shop.run("links", "restore", url).stderr


def test_a_change_that_is_fine_is_accepted(shop: Desk, website: Website) -> None:
    shop.run("links", "check")
    website.put("/page", article("The whole story, with a correction"))
    shop.run("links", "check", "--afresh")
    url = f"{website.url}/page"
    listed = shop.run("links", "list", "--standing", "changed", "--json")
    assert listed.returncode == 0, listed.stderr
    assert [row["url"] for row in json.loads(listed.stdout)] == [url]
    assert shop.run("links", "accept", url).returncode == 0
    assert shop.run("links", "list", "--standing", "changed").stdout == ""
    assert shop.run("links", "check", "--afresh", "--json").stdout == "[]\n"


def test_since_asks_only_the_links_of_what_is_new(shop: Desk, website: Website) -> None:
    assert shop.run("links", "check", "--since", "2022-10-01").returncode == 0
    assert "/sf/prop-g" in asked(website)
    website.asked.clear()
    assert shop.run("links", "check", "--since", "2022-10-13", "--afresh").returncode == 0
    assert asked(website) == []


def test_a_link_that_is_nowhere_and_a_copy_that_is_none_are_refused(shop: Desk, website: Website) -> None:
    for arguments, why in (
        (("show", "https://example.org/none"), "no issue or policy"),
        (("accept", f"{website.url}/page"), "nothing is known"),
        (("replace", f"{website.url}/page", "--with", "nonsense"), "is no address of a copy"),
        (("replace", f"{website.url}/page", "--with", "javascript:alert(1)"), "is no address of a copy"),
    ):
        done = shop.run("links", *arguments)
        assert (done.returncode, why in done.stderr) == (1, True), done.stderr


def test_a_page_is_captured_when_its_item_is_stored(shop: Desk, website: Website) -> None:
    url = website.put("/fresh", article("The mayor signs"))
    assert shop.run("items", "add", url, "--keep").returncode == 0
    with shop.space.store.read() as session:
        assert session.get_one(LinkRecord, url).captured
    website.put("/fresh", article("The mayor does not sign"))
    text = (shop.space.issue_path(NAME)).read_text(encoding="utf-8")
    Path(shop.space.issue_path(NAME)).write_text(text + "\n- [[the-mayor-signs]]\n", encoding="utf-8")
    shop.space.approve(NAME, by="Ada")
    found = json.loads(shop.run("links", "check", "--json").stdout)
    assert [(row["url"], row["standing"]) for row in found] == [(url, "changed")]


@pytest.mark.parametrize("status", [999, 403, 405, 406, 429, 430, 451, 401])
def test_a_page_that_wants_no_programs_is_refused_and_never_dead(website: Website, keeper: Keeper, status: int) -> None:
    url = website.put("/page", article("Words"))
    website.pages["/page"] = Reply(status=status)
    keeper.ask(url)
    for _ in range(4):
        assert keeper.again(url).standing == Standing.REFUSED


def test_a_host_whose_robots_txt_fails_is_refused_and_never_dead(website: Website, keeper: Keeper) -> None:
    website.pages["/robots.txt"] = Reply(status=502)
    url = website.put("/page", article("Words"))
    keeper.ask(url)
    for _ in range(4):
        assert keeper.again(url).standing == Standing.REFUSED


def test_a_robots_txt_that_redirects_in_a_loop_is_as_none(website: Website, keeper: Keeper) -> None:
    website.redirect("/robots.txt", "/robots.txt")
    url = website.put("/page", article("Words"))
    keeper.ask(url)
    assert keeper.known(url).standing == Standing.FINE
