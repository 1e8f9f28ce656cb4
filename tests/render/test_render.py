from __future__ import annotations

import hashlib
import itertools
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree, html

from newsletter import merge
from newsletter.errors import NotFound
from newsletter.merge import MergeField
from newsletter.model import Block, Issue, PolicyEntry, Prose, Rendered, Section, Story
from newsletter.render import render
from tests.samples import (
    FOLDERS,
    sample_config,
    sample_issue,
    sample_items,
    sample_photo,
    sample_round_up,
)

ISSUES = pytest.mark.parametrize("make", [sample_issue, sample_round_up])
VALUES = {"unsubscribe_url": "https://mail.example.org/u/token?a=1&b=2", "first_name": "Ana <b>", "locality": "Denton"}


def rendered(issue: Issue, variant: str = "default") -> Rendered:
    return render(issue, sample_config(), folders=FOLDERS, variant=variant)


def words(element: etree._Element) -> str:
    return "".join(str(text) for text in element.itertext())


def with_blocks(*blocks: Block) -> Issue:
    return replace(sample_issue(), sections=(Section(heading="One", blocks=blocks, line=1),))


@ISSUES
def test_rendering_is_pure_in_any_process(make: type) -> None:
    program = (
        "import sys, hashlib; from tests import samples; from newsletter.render import render;"
        f"r = render(samples.{make.__name__}(), samples.sample_config(), folders=samples.FOLDERS);"
        "print(hashlib.sha256(repr((r.html, r.text, r.subject)).encode()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    root = Path(__file__).parents[2]
    answer = subprocess.run([sys.executable, "-c", program], env=environment, cwd=root, capture_output=True, check=True)
    here = rendered(make())
    assert (
        answer.stdout.decode().strip()
        == hashlib.sha256(repr((here.html, here.text, here.subject)).encode()).hexdigest()
    )


def test_fifty_renders_in_any_order_and_any_process_give_the_same_bytes() -> None:
    program = Path(__file__).parent / "fifty_renders.py"
    answers = set()
    for seed, zone, language in (("1", "Asia/Tokyo", "C"), ("2", "America/New_York", "C.UTF-8"), ("3", "UTC", "C")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language}
        command = [sys.executable, "-m", "tests.render.fifty_renders", seed]
        answer = subprocess.run(command, env=environment, cwd=program.parents[2], capture_output=True, check=True)
        answers.add(answer.stdout.decode().strip())
    assert len(answers) == 1
    assert answers != {""}


@ISSUES
def test_a_message_begins_with_its_doctype_and_names_its_language(make: type) -> None:
    page = str(rendered(make()).html)
    assert page.startswith("<!doctype html>\n<html")
    assert page.endswith("</html>\n")
    assert re.search(r'<html[^>]* lang="en"', page)


@ISSUES
def test_a_message_stays_well_below_what_gmail_clips(make: type) -> None:
    assert len(rendered(make()).html.merge_html(VALUES).encode()) < 80 * 1024


@ISSUES
def test_one_h1_and_headings_in_order(make: type) -> None:
    levels = [int(h.tag[1]) for h in html.fromstring(str(rendered(make()).html)).iter("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@ISSUES
def test_every_picture_has_an_alternative_and_a_width(make: type) -> None:
    pictures = list(html.fromstring(str(rendered(make()).html)).iter("img"))
    assert pictures
    for picture in pictures:
        assert picture.get("alt") is not None
        assert int(picture.get("width", "0")) <= 600
        assert picture.get("src", "").startswith("https://news.example.org/media/")


@ISSUES
def test_the_foot_says_who_sends_and_why_and_how_to_leave(make: type) -> None:
    issue, config = make(), sample_config()
    result = rendered(issue)
    publication = config.publication(issue.publication)
    sender = config.senders[publication.sender]
    for part in (result.html.merge_html(VALUES), result.text.merge(VALUES)):
        words = re.sub(r"\s+", " ", part).replace("&amp;", "&")
        assert config.organization.name in words
        assert config.organization.postal_address in words
        assert config.lists[publication.list].name in words
        assert sender.reply_to in words
        assert VALUES["unsubscribe_url"] in words
        assert f"https://news.example.org/{issue.slug}/" in words


@ISSUES
def test_merge_fields_reach_all_four_parts(make: type) -> None:
    result = rendered(make())
    assert MergeField(name="unsubscribe_url") in result.html.fields
    assert MergeField(name="unsubscribe_url") in result.text.fields
    assert any(field.name == "first_name" for field in result.preheader.fields)
    assert any(field.name == "first_name" for field in result.html.fields)
    assert any(field.name == "first_name" for field in result.text.fields)
    for part in (result.html.merge_html(VALUES), result.text.merge(VALUES)):
        assert not re.search(r"mf[0-9a-f]{16}x", part)


def test_a_field_in_the_subject_stays_a_field() -> None:
    issue = replace(sample_issue(), subject=merge.parse("News for {{ first_name | you }}"))
    assert rendered(issue).subject.fields == (MergeField(name="first_name", fallback="you"),)


def test_merged_values_are_escaped_in_html_and_plain_in_text() -> None:
    result = rendered(sample_issue())
    assert "Hi Ana &lt;b&gt;," in result.html.merge_html(VALUES)
    assert "Hi Ana <b>," in result.text.merge(VALUES)
    assert 'href="https://mail.example.org/u/token?a=1&amp;b=2"' in result.html.merge_html(VALUES)


def test_the_fallback_stands_in_for_an_unknown_name() -> None:
    assert "Hi friend," in rendered(sample_issue()).html.merge_html({})


def test_a_field_may_be_a_link() -> None:
    issue = with_blocks(
        Prose(markdown="[Leave]({{ unsubscribe_url }}) or [x](https://e.org/?s={{ state | CO }})", line=1)
    )
    result = rendered(issue)
    assert '<a href="https://e.org/?s=CO"' in result.html.merge_html(VALUES)
    assert result.html.merge_html(VALUES).count('href="https://mail.example.org/u/token?a=1&amp;b=2"') == 2
    assert "Leave (https://mail.example.org/u/token?a=1&b=2)" in result.text.merge(VALUES)


def test_a_stored_summary_never_becomes_a_field() -> None:
    stored = replace(
        sample_items()["minnesota-sixty"],
        summary="Ask {{ first_name | us }} %recipient.x%",
        title="{{ unsubscribe_url }}",
    )
    block = Story(item=stored, headline=stored.title, blurb=stored.summary, compact=False, line=3)
    result = rendered(with_blocks(block))
    assert {field.name for field in result.text.fields} == {"unsubscribe_url", "preferences_url"}
    assert len(result.text.fields) == 2
    for part in (result.html.merge_html(VALUES), result.text.merge(VALUES)):
        assert "Ask {{ first_name | us }} %recipient.x%" in part
        assert "{{ unsubscribe_url }}" in part


def test_a_blurb_for_this_issue_may_hold_fields() -> None:
    block = Story(
        item=sample_items()["minnesota-sixty"], headline="H", blurb="For {{ first_name | you }}.", compact=False, line=3
    )
    assert "For you." in rendered(with_blocks(block)).text.merge({})


def test_a_token_can_not_be_forged() -> None:
    issue = with_blocks(Prose(markdown="mf0123456789abcdefx0x https://mf0123456789abcdefx0x {{ first_name }}", line=1))
    assert "mf0123456789abcdefx0x https://mf0123456789abcdefx0x" in rendered(issue).text.merge({})


HOSTILE = "\"'><script>alert(1)</script><mj-raw></mj-text>]]>&nbsp;<!-- <![endif]-->"
HOSTILE += " \u202e\U0001f389\x00\x07 {% raw %} \\u{7b}"


def test_a_hostile_item_is_inert() -> None:
    photo = sample_photo("x", alt=HOSTILE, credit=HOSTILE)
    item = replace(
        sample_items()["minnesota-sixty"],
        title=HOSTILE,
        summary=HOSTILE * 3,
        outlet=HOSTILE,
        author=HOSTILE,
        photo=photo,
        url="javascript:alert(1)",
    )
    card = Story(item=item, headline=HOSTILE, blurb=item.summary, compact=False, line=3)
    quoted = replace(item, url='https://example.org/" onclick="alert(1)')
    row = Story(item=quoted, headline=HOSTILE, blurb="", compact=True, line=4)
    issue = replace(with_blocks(card, row), title=HOSTILE)
    tree = html.fromstring(rendered(issue).html.merge_html(VALUES))
    assert not list(tree.iter("script"))
    assert not [element for element in tree.iter() if element.get("onclick")]
    links = [href for element in tree.iter("a") if (href := element.get("href"))]
    assert all(href.startswith(("https://", "mailto:")) for href in links)
    assert "<script>alert(1)</script>" in words(tree)
    assert all(ord(letter) > 31 or letter in "\n\t" for letter in rendered(issue).text.merge(VALUES))


def test_a_title_with_quotes_stays_whole() -> None:
    issue = replace(sample_issue(), title='The "best" & <only> title \U0001f469\u200d\U0001f4bb')
    tree = html.fromstring(str(rendered(issue).html))
    assert tree.findtext(".//title") == issue.title
    assert [d.get("aria-label") for d in tree.iter("div") if d.get("role") == "article"] == [issue.title]


def test_an_address_that_no_reader_may_follow_is_no_link() -> None:
    issue = sample_round_up()
    entry = next(e for e in issue.entries if isinstance(e, PolicyEntry))
    bad = replace(entry, policy=replace(entry.policy, url="data:text/html,x"))
    section = Section(heading="One", blocks=(bad,), line=1)
    result = rendered(replace(issue, sections=(section,)))
    assert "data:text" not in str(result.html)
    assert "data:text" not in str(result.text)


def test_the_round_up_leads_with_what_moved() -> None:
    page = html.fromstring(str(rendered(sample_round_up()).html))
    headings = [" ".join(words(h).split()) for h in page.iter("h2", "h3")]
    assert headings[:5] == [
        "What moved since September 14, 2022",
        "Passed or enacted",
        "In effect or enforced",
        "Proposed or moving",
        "In court, vetoed or preempted",
    ]


def test_without_moves_there_is_no_empty_box() -> None:
    issue = sample_round_up()
    still = tuple(replace(e, moved=()) for e in issue.entries if isinstance(e, PolicyEntry))
    quiet = (Section(heading="Still", blocks=still, line=1),)
    result = rendered(replace(issue, sections=quiet))
    assert "What moved since September 14" not in str(result.html)
    assert "What moved since September 14" not in str(result.text)


def test_a_policy_tells_its_status_its_dates_and_its_text() -> None:
    text = str(rendered(sample_round_up()).text)
    assert "* Seattle, WA, CB 120294: A pay floor for app-based delivery work" in text
    assert "Passed May 31, 2022 · next: in effect Jan 13, 2024" in text
    assert "Read the ordinance (CB 120294):\nhttps://example.org/text/seattle-app-pay" in text
    assert "Read the measure (Prop G):" in text
    assert "Read the law (HB 2127):" in text


@ISSUES
def test_text_is_wrapped_but_for_addresses(make: type) -> None:
    text = rendered(make()).text.merge(VALUES)
    assert text.endswith("\n")
    assert not [line for line in text.splitlines() if len(line) > 72 and "https://" not in line]
    assert "\n\n\n" not in text


@ISSUES
def test_text_tells_every_entry_with_its_address(make: type) -> None:
    issue = make()
    text = str(rendered(issue).text)
    for entry in issue.entries:
        url = entry.item.url if isinstance(entry, Story) else entry.policy.url
        assert entry.headline.split()[0] in text
        assert url in text


def test_dates_of_events_and_jobs_are_told() -> None:
    for part in (str(rendered(sample_issue()).html), str(rendered(sample_issue()).text)):
        assert "Thursday, October 20, 2022, 4 pm ET" in part
        assert "November 3–5, 2022" in part
        assert "Apply by Nov 15, 2022" in part


def test_the_variant_is_named() -> None:
    assert rendered(sample_issue(), "florida").variant == "florida"


def test_an_issue_with_nothing_in_it_still_renders() -> None:
    result = rendered(replace(sample_issue(), sections=(), hero=None, preheader=merge.parse("")))
    assert "Unsubscribe from" in str(result.html)
    assert "Unsubscribe from" in str(result.text)


def test_an_unknown_publication_is_told() -> None:
    with pytest.raises(NotFound, match="no publication"):
        rendered(replace(sample_issue(), publication="network-downlod"))


@ISSUES
def test_the_html_is_kept_from_gmails_traps(make: type) -> None:
    styles = re.findall(r"<style[^>]*>(.*?)</style>", str(rendered(make()).html), re.DOTALL)
    assert sum(map(len, styles)) < 8 * 1024
    assert not [style for style in styles if re.search(r"@[^{}]*\{[^{}]*@", style)]
    assert "fonts.googleapis.com" not in str(rendered(make()).html)
