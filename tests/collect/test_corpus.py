"""Pages, feeds and letters as they really are, each with what should be stored of it."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from newsletter.collect import feeds, forms
from newsletter.collect.letters import read_letter
from newsletter.collect.unfurl import unfurl
from newsletter.config import CollectConfig, Feed
from newsletter.errors import InputError
from newsletter.fetch import Page

CORPUS = Path(__file__).with_name("corpus")
TRACKING = CollectConfig().tracking
TODAY, HERE = dt.date(2026, 11, 26), ZoneInfo("America/New_York")
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><title>Times</title><entry>{}</entry></feed>'
RSS = '<rss version="2.0"><channel><title>Times</title><item>{}</item></channel></rss>'


def cases(name: str) -> list[Any]:
    """The entries of a file, each under its name."""
    tables = tomllib.loads((CORPUS / f"{name}.toml").read_text(encoding="utf-8"))
    (found,) = tables.values()
    return [pytest.param(case, id=case["name"]) for case in found]


def compare(form: dict[str, Any], stored: dict[str, str]) -> None:
    assert {key: str(form.get(key, "")) for key in stored} == stored


@pytest.mark.parametrize("case", cases("pages"))
def test_a_page_is_stored_as_it_is_meant(case: dict[str, Any]) -> None:
    head, inside = case.get("head", ""), case.get("body", "")
    title = case.get("title", "T")
    text = f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{inside}</body></html>"
    body = text.encode(case.get("encoding", "utf-8"))
    headers = {"content-type": case.get("type", "text/html; charset=utf-8")}
    page = Page(url=case.get("url", "https://news.example/story"), status=200, headers=headers, body=body)
    if "rejected" in case:
        with pytest.raises(InputError, match=case["rejected"]):
            unfurl(page, TRACKING, zone=HERE)
    else:
        compare(unfurl(page, TRACKING, zone=HERE), case["stored"])


@pytest.mark.parametrize("case", cases("feeds"))
def test_an_entry_is_stored_as_it_is_meant(case: dict[str, Any]) -> None:
    whole = case.get("feed") or (ATOM if case.get("atom") else RSS).format(case["xml"])
    body = whole.encode(case.get("encoding", "utf-8"))
    page = Page(url="https://times.example/feed", status=200, headers={"content-type": "text/xml"}, body=body)
    (entry,) = feeds.read(Feed(url=page.url), page, TRACKING, TODAY, HERE).entries
    if "rejected" in case:
        assert case["rejected"] in entry.fault
    elif "refused" in case:
        with pytest.raises(InputError, match=case["refused"]):
            forms.read_item(entry.form, base=CORPUS, workspace=CORPUS)
    else:
        assert entry.fault == ""
        compare(entry.form, case["stored"])


@pytest.mark.parametrize("case", cases("letters"))
def test_a_letter_is_stored_as_it_is_meant(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(case["mail"].encode(case.get("encoding", "utf-8")))
    if "rejected" in case:
        with pytest.raises(InputError, match=case["rejected"]):
            read_letter(path, TRACKING, TODAY, HERE)
    else:
        compare(read_letter(path, TRACKING, TODAY, HERE).form, case["stored"])


def test_the_corpus_is_as_large_as_is_said() -> None:
    assert [len(cases(name)) for name in ("pages", "feeds", "letters")] == [80, 54, 35]
