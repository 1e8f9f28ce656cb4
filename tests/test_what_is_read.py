"""What is written is what is read: in both parts of the mail, on the archive's page, in the feed and in the studio."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from html import unescape as html_unescape
from typing import Any, cast

import pytest
from lxml import etree, html
from PIL import Image

from newsletter import merge
from newsletter.check.reports import junit, sarif
from newsletter.collect import transfer
from newsletter.model import Amendments, Finding, Picture, Severity, Snapshot
from newsletter.photos import freeze_photos, photo_bytes
from newsletter.places import state_names
from newsletter.publish import articles
from newsletter.publish.catalog import build
from newsletter.publish.pages import Pages
from newsletter.publish.site import page_of
from newsletter.publish.summary import summarize
from newsletter.review import embedded
from newsletter.studio.state import Studio
from newsletter.workspace import Workspace
from tests.desk import ISSUE, NOW, Desk
from tests.publish.test_publish import contents
from tests.test_photos import SECRET, picture, telling

NAME = "network-download-2022-10"
READER = {"first_name": "Ana <b>", "locality": "El Paso County", "unsubscribe_url": "https://mail.example.org/u/t"}


@dataclass(frozen=True)
class Read:
    """An issue as its readers get it; `anywhere` are the words of every form, on one line each."""

    html: str
    text: str
    page: str
    feed: str

    @property
    def anywhere(self) -> dict[str, str]:
        forms = {"mail": self.html, "page": self.page, "feed": f"<body>{self.feed}</body>"}
        return {**{name: words(form) for name, form in forms.items()}, "text": " ".join(self.text.split())}


def found_in(page: str, path: str) -> list[Any]:
    """What an XPath finds in a page."""
    return list(cast("Any", html.document_fromstring(page).xpath(path)))


def words(page: str) -> str:
    root = html.document_fromstring(page)
    etree.strip_elements(root, "style", "script", "head", with_tail=False)
    return " ".join("".join(str(text) for text in root.itertext()).split())


def read(desk: Desk, body: str, text: str = ISSUE) -> Read:
    desk.write_issue(NAME, f"{text}\n{body}\n")
    space = desk.space
    issue = space.compose(NAME)
    (mail,) = space.render(issue)
    draft = Snapshot(issue=issue, variants=(mail,), digest="", approved_by="", approved_at=NOW)
    themes = space.template_folders("archive")
    catalog = build(
        [summarize(draft, "", space.config.collect.tracking)], (), (), Amendments(), space.config, issue.date
    )
    return Read(
        html=mail.html.merge_html(READER),
        text=mail.text.merge(READER),
        page=page_of(draft, space.config, themes)[f"{NAME}/index.html"].decode(),
        feed=articles.body(Pages(catalog, themes, (), alone=True), draft),
    )


def test_a_comment_is_never_mailed_nor_published(desk: Desk) -> None:
    body = """
Words <!-- SECRET one --> go on.

<!-- SECRET two --> Kept words.

- item <!-- SECRET three -->

> quote <!-- SECRET four -->

<!-- SECRET
five -->

## A heading <!-- SECRET six -->

Under it.
"""
    text = ISSUE.replace("Heard at last", "Heard at last <!-- SECRET seven -->")
    found = read(desk, body, text.replace("were in the room.", "were in the room. <!-- SECRET eight -->"))
    for form in (found.html, found.text, found.page, found.feed):
        assert "SECRET" not in form
        assert "Heard at last" in form
    for form in found.anywhere.values():
        for kept in ("Words go on.", "Kept words.", "item", "quote", "A heading", "Under it."):
            assert kept in form


def test_the_line_of_a_fault_below_a_comment_is_that_of_the_file(desk: Desk) -> None:
    desk.write_issue(NAME, f"{ISSUE}\n<!-- a\n\nlong\n\none -->\n\nWords.\n\n\n\n**open\n")
    issue = desk.space.compose(NAME)
    found = desk.space.check(issue, desk.space.render(issue))
    assert [f.where.rpartition(":")[2] for f in found] == [str(ISSUE.count("\n") + 12)]


def test_headings_are_markdown_as_other_text_is(desk: Desk) -> None:
    headings = ["**Policy** wins", "1\\. Title\\!", "Q &amp; A", "[The *law*](https://example.org/law)", "[Ref][1]"]
    body = "".join(f"## {heading}\n\nWords.\n\n" for heading in headings)
    found = read(desk, f"{body}[1]: https://example.org/ref")
    for name, form in found.anywhere.items():
        for heading in ("Policy wins", "1. Title!", "Q & A", "The law", "Ref"):
            assert heading in form, name
        assert not re.search(r"\*\*|\\|&amp;|\]\(|\]\[", form), name
    assert '<a href="https://example.org/law"' in found.html
    assert "The law (https://example.org/law)" in found.text
    assert "https://example.org/ref" in found.html


def test_no_id_is_there_twice(desk: Desk) -> None:
    found = read(desk, "## Same\n\na\n\n## Same\n\nb\n\n## HB1 hearing\n\nc\n\n## **Same**\n\nd\n\n## 🎉 1\n\ne")
    for form in (found.html, found.page):
        ids = Counter(found_in(form, "//@id"))
        assert [name for name, count in ids.items() if count > 1] == []
    links = re.findall(r'href="#([^"]+)"', found.page)
    assert set(links) <= set(found_in(found.page, "//@id"))


def test_numbers_are_kept(desk: Desk) -> None:
    body = '1986. Nobody has touched it.\n\n1. One\n2. Two\n\n![A field](photo.png "us")\n\n3. Three\n\nAnd:'
    found = read(desk, f"{body}\n\n7) Seven\n9) Nine")
    assert "1986. Nobody" in found.text
    for form in (found.html, found.page, found.feed):
        assert "1986. Nobody" in form
        assert re.search(r'<ol[^>]* start="3"', form)
        assert re.search(r'<li[^>]* value="9"', form)
    for line in ("2. Two", "3. Three", "7. Seven", "9. Nine"):
        assert line in found.text


def test_a_table_is_a_table(desk: Desk) -> None:
    found = read(desk, "| Place | Votes |\n|:--|--:|\n| **Doña Ana** | 9 |\n| [Denton](https://example.org/d) | 12 |")
    for form in (found.html, found.page, found.feed):
        assert re.search(r'<th[^>]* scope="col"', form)
        assert re.search(r'<td[^>]* align="right"', form)
        assert "<strong>Doña Ana</strong>" in form
    for first, second in (("Place", "Votes"), ("Doña Ana", "9"), ("Denton (https://example.org/d)", "12")):
        assert f"\n{first:30}  {second:>5}\n" in found.text
    head = "| A name that is long | Another that is as long | And a third one that is, too |"
    wide = read(desk, f"{head}\n|--|--|--|\n| a | b | c |")
    assert "A name that is long: a\nAnother that is as long: b\nAnd a third one that is, too: c" in wide.text


def test_rules_breaks_strikes_and_links_by_reference_are_what_they_say(desk: Desk) -> None:
    body = "One<br>two ~~three~~ [four][x] https://example.org/five.\n\n* * *\n\nSix\n\n[x]: https://example.org/four"
    found = read(desk, body)
    for form in (found.html, found.page, found.feed):
        assert re.search(r"One<br ?/?>\s*two <s>three</s>", form)
        assert 'href="https://example.org/four"' in form
        assert 'href="https://example.org/five"' in form
        assert re.search(r"<hr", form)
    assert "One\ntwo ~three~ four (https://example.org/four) https://example.org/five.\n\n* * *\n\nSix" in found.text


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('Look:\n![A field](photo.png "us")\nthere.', 1),
        ('![A field](photo.png "us")\n![A field](photo.png "us")', 2),
        ('Words ![A field](photo.png "us") and words', 1),
        ('- ![A field](photo.png "us")\n- ![A field](photo.png "us")', 2),
        ('> ![A field](photo.png "us")', 1),
        ('1. Look:\n2. there. ![A field](photo.png "us")\n3. words', 1),
        ('- Look: ![A field](photo.png "us")\n- there.\n  - and words ![A field](photo.png "us")', 2),
        ('> Look: ![A field](photo.png "us") there.\n>\n> and words', 1),
        ('- Look: [![A field](photo.png "us")](https://example.org/)\n- there.', 1),
        ('![A field][1]\n\n[1]: photo.png "us"', 1),
        ('*![A field](photo.png "us")*', 1),
        ("![A field](photo.png 'us')\n*Photo: us*", 1),
    ],
)
def test_a_picture_is_shown_wherever_it_can_stand(desk: Desk, body: str, shown: int) -> None:
    found = read(desk, f"Before.\n\n{body}\n\nAfter.")
    for form in (found.html, found.page, found.feed):
        assert len(re.findall(r'<img[^>]*alt="A field"', form)) == shown
    assert not any("![" in form for form in found.anywhere.values())
    assert found.text.count("[Picture: A field]") == shown
    for piece in re.findall(r"Look:|there\.|Words|and words|Photo: us", body):
        assert all(piece in form for form in found.anywhere.values())


def test_a_list_goes_on_after_a_picture_with_its_numbers(desk: Desk) -> None:
    body = '1. One\n1. Two ![A field](photo.png "us")\n1. Three\n1. Four'
    found = read(desk, body)
    assert re.search(r"1\. One\n2\. Two\n\n\[Picture: A field\].*?3\. Three\n4\. Four", found.text, re.DOTALL)
    for form in (found.html, found.page, found.feed):
        assert re.search(r'A field.*<ol[^>]* start="3"', form, re.DOTALL)
        assert not re.search(r"<li[^>]*>\s*<p", form)


def test_a_fault_below_a_picture_in_a_list_keeps_its_line(desk: Desk) -> None:
    desk.write_issue(NAME, f'{ISSUE}\nWords.\n\n- One ![A field](photo.png "us")\n- **open\n')
    issue = desk.space.compose(NAME)
    found = desk.space.check(issue, desk.space.render(issue))
    assert [f.where.rpartition(":")[2] for f in found] == [str(ISSUE.count("\n") + 5)]


def test_a_mark_speaks_the_publications_language(desk: Desk) -> None:
    settings = desk.folder / "config.toml"
    settings.write_text(settings.read_text("utf-8").replace('language = "en"', 'language = "es"'), "utf-8")
    desk.write_issue(NAME, ISSUE.replace("[[hb1-hearing]]", "[[hb1-hearing | update]]"))
    with closing(Workspace.open(settings, desk.space.clock)) as space:
        assert "Novedades: Heard at last" in [entry.headline for entry in space.compose(NAME).entries]


def test_a_picture_may_lead_somewhere(desk: Desk) -> None:
    found = read(desk, '[![A field](photo.png "us")](https://example.org/there)')
    for form in (found.html, found.page, found.feed):
        assert found_in(form, '//a[@href="https://example.org/there"]//img[@alt="A field"]')


@pytest.mark.parametrize("written", ["Screenshot 2022.png", "Screenshot%202022.png", "Ñandú (1).png"])
def test_a_picture_may_have_any_name(desk: Desk, written: str) -> None:
    name = written.replace("%20", " ")
    (desk.folder / "issues" / NAME / name).write_bytes(picture(kind="PNG"))
    assert len(re.findall('alt="A wall"', read(desk, f'![A wall]({written} "us")').html)) == 1


def test_a_phones_picture_leaves_upright_and_without_where_it_was_taken(desk: Desk) -> None:
    (desk.folder / "issues" / NAME / "phone.jpg").write_bytes(picture((4032, 3024), exif=telling(6)))
    desk.write_issue(
        NAME, ISSUE.replace("teaser", 'hero = "phone.jpg"\nhero_alt = "A wall"\nteaser') + "\n![A wall](phone.jpg)\n"
    )
    issue = desk.space.compose(NAME)
    photos = [issue.hero, *(block.photo for block in issue.blocks if isinstance(block, Picture))]
    (mail,) = desk.space.render(issue)
    studio = Studio(desk.folder / "config.toml", desk.space.clock)
    studio.issue(NAME)
    for photo in photos:
        assert photo
        assert (photo.width, photo.height) == (1200, 1600)
        assert f"media/{photo.name}" in str(mail.html)
        freeze_photos([photo], desk.folder)
        frozen = (desk.folder / "media" / photo.name).read_bytes()
        for data in (photo_bytes(photo, desk.folder), studio.photo(photo.name)[0], frozen):
            assert SECRET not in data
            with Image.open(io.BytesIO(data)) as image:
                assert image.size == (1200, 1600)
    studio.space.close()
    assert "data:image/jpeg" in embedded(mail, issue, desk.space.config)


def test_a_small_picture_is_never_larger_than_it_is(desk: Desk) -> None:
    folder = desk.folder / "issues" / NAME
    (folder / "small.png").write_bytes(picture((80, 40), "PNG"))
    (folder / "large.png").write_bytes(picture((900, 300), "PNG"))
    page = read(desk, "![Small](small.png)\n\n![Large](large.png)").html
    assert found_in(page, '//img[@alt="Small"]/@width') == ["80"]
    wide = 'ancestor::td[contains(@class, "mj-full-width-mobile")]'
    assert found_in(page, f'//img[@alt="Large"][{wide}]')
    assert not found_in(page, f'//img[@alt="Small"][{wide}]')


def test_a_value_is_encoded_for_the_place_it_stands_in(desk: Desk) -> None:
    body = "Hi {{ first_name | friend }}, [c](https://example.org/{{ first_name | x }}/?c={{ locality | a town }}&x=1)."
    found = read(desk, body)
    assert "Hi Ana &lt;b&gt;, " in found.html
    assert 'href="https://example.org/Ana%20%3Cb%3E/?c=El%20Paso%20County&amp;x=1"' in found.html
    assert "Hi Ana <b>, c" in found.text
    assert "(https://example.org/Ana%20%3Cb%3E/?c=El%20Paso%20County&x=1)" in found.text
    for form in (found.page, found.feed):
        assert 'href="https://example.org/x/?c=a%20town&amp;x=1"' in form


def test_arabic_and_hebrew_stand_on_the_right(desk: Desk) -> None:
    found = read(desk, "مرحبا بالعالم\n\n- שלום\n\nEnglish words\n\n## שלום עולם\n\nx")
    for form in (found.html, found.page, found.feed):
        assert re.search(r'<p[^>]* dir="auto"[^>]* align="right"[^>]*>مرحبا', form)
        assert re.search(r'<ul[^>]* dir="rtl"', form)
        assert re.search(r'<p[^>]* dir="auto"(?![^>]*align)[^>]*>English', form)
    assert re.search(r'<h2[^>]* dir="auto" align="right"[^>]*>שלום', found.html)


def test_the_first_words_say_what_the_issue_is_about(desk: Desk) -> None:
    found = read(desk, "")
    title = "HB 1 in court and more"
    day = "October 12, 2022"
    for form in (found.anywhere["mail"], found.anywhere["text"]):
        assert form.index(title) < form.index(day)
        assert " ".join(form.split()[:50]).count("were in the room") <= 1
    assert "\u034f\u200c\u00a0" * 50 in found.html


def test_one_bad_issue_hides_no_other(desk: Desk) -> None:
    desk.write_issue("broken-head", ISSUE.replace('title = "', "title = “", 1))
    desk.write_issue("nobodys", ISSUE.replace('"network-download"', '"network-downlod"', 1))
    desk.write_issue(NAME, f"{ISSUE}\n![][image1]\n\n[image1]: <data:image/jpeg;base64,{'A' * 5000}>\n")
    done = desk.run("status")
    assert done.returncode == 0
    for name in ("broken-head", "nobodys", NAME):
        assert name in done.stdout
    assert "broken-head: issues/broken-head/issue.md:3: not valid TOML" in done.stderr
    assert 'write straight quotes: title = "…"' in done.stderr
    assert max(map(len, done.stderr.splitlines())) < 300


@pytest.mark.parametrize("rule", ["links/gone", "policy/number-not-on-page", "deliverability/spam-score"])
def test_what_is_asked_of_others_fails_a_report_too(rule: str) -> None:
    found = [Finding(rule=rule, severity=Severity.ERROR, where="issues/x/issue.md:3", message="it is so")]
    assert 'failures="1"' in junit(found, "x")
    assert rule in sarif(found)


def test_a_report_fails_on_a_finding_of_no_rule() -> None:
    found = [Finding(rule="links/unheard-of", severity=Severity.ERROR, where="x", message="it is so")]
    with pytest.raises(ValueError, match="links/unheard-of"):
        junit(found, "x")
    with pytest.raises(ValueError, match="links/unheard-of"):
        sarif(found)


def test_the_page_and_the_feed_speak_the_publications_language(desk: Desk) -> None:
    english = read(desk, "Hola.")
    settings = desk.folder / "config.toml"
    text = settings.read_text(encoding="utf-8")
    one = 'language = "en"\n\n[publications.network-download.brand]'
    assert one in text
    settings.write_text(text.replace(one, one.replace('"en"', '"es"')), encoding="utf-8")
    given = f"{merge.parse(ISSUE).merge({})} {' '.join(state_names().values())}"
    with closing(Workspace.open(settings, desk.space.clock)) as space:
        spanish = read(replace(desk, space=space), "Hola.")
        theirs = " ".join(re.split(r"\W+", f"{space.compose(NAME)!r} {space.config!r} {given}")).casefold()
    assert '<html lang="es" dir="ltr"' in spanish.page
    assert "12 de octubre de 2022" in spanish.page
    for first, second in ((english.page, spanish.page), (english.feed, spanish.feed)):
        both = shown_pieces(first) & shown_pieces(second)
        ours = {piece for piece in both if " ".join(re.split(r"\W+", piece)).strip().casefold() not in theirs}
        # The names of formats and of networks are the same in every language.
        assert ours <= {"Atom", "RSS", "JSON Feed", "Bluesky", "LinkedIn", "Facebook", "Mastodon", "X", "WhatsApp"}


@pytest.fixture
def spanish(desk: Desk) -> Iterator[Workspace]:
    """The same workspace, whose archive and publication speak Spanish."""
    settings = desk.folder / "config.toml"
    settings.write_text(settings.read_text("utf-8").replace('language = "en"', 'language = "es"'), encoding="utf-8")
    with closing(Workspace.open(settings, desk.space.clock)) as space:
        yield space


def test_states_have_their_spanish_names(desk: Desk, spanish: Workspace) -> None:
    places = '"New York, NY", "NY", "NM", "WV", "DC"'
    (desk.folder / "item.toml").write_text(
        f'[[items]]\nkind = "post"\ntitle = "Lugares"\nurl = "https://example.org/l"\ndate = 2022-10-01\n'
        f'slug = "lugares"\nsummary = "Algo."\nplaces = [{places}]\n',
        encoding="utf-8",
    )
    with desk.space.store.write() as session:
        transfer.import_file(session, desk.folder / "item.toml", "items", workspace=desk.folder, now=NOW)
    found = read(replace(desk, space=spanish), "[[lugares]]")
    for name in ("mail", "text", "page"):
        for state in ("Nueva York", "Nuevo México", "Virginia Occidental", "Distrito de Columbia", "New York, NY"):
            assert state in found.anywhere[name], name


def test_no_word_of_ours_is_left_in_english_on_any_page_or_feed(desk: Desk, spanish: Workspace) -> None:
    """Every file of the archive, in both languages: what is the same in both has to be the publisher's own words."""
    desk.space.approve(NAME, by="Ada")
    desk.space.publish()
    english = contents(desk.folder / "archive")
    issue = spanish.compose(NAME)
    theirs = f"{issue!r} {spanish.config!r} {merge.parse(ISSUE).merge({})} {SAME}"
    own = f" {' '.join(re.split(r'[^a-zà-ÿ0-9]+', theirs.casefold()))} "
    spanish.approve(NAME, by="Ada")
    spanish.publish()
    left = {}
    for name, data in contents(desk.folder / "archive").items():
        if (
            not name.endswith((".html", ".atom", ".rss", "feed.json", ".md", "llms.txt", "plain.txt"))
            or "as-mailed" in name
        ):
            continue
        both = told_in(name, data) & told_in(name, english.get(name, b"<p></p>"))
        words = {piece: " ".join(re.split(r"[^a-zà-ÿ0-9]+", piece.casefold())).strip() for piece in both}
        if mine := {piece for piece, plain in words.items() if f" {plain} " not in own}:
            left[name] = mine
    assert left == {}


#: Names that are the same in every language.
SAME = "Atom RSS JSON Feed iCalendar CSV Bluesky Mastodon Texas Florida California Colorado Wed Sat Tue"


def told_in(name: str, data: bytes) -> set[str]:
    """Every stretch of words of a file: of a page its head, too."""
    text = data.decode()
    if name.endswith(".json"):
        feed = json.loads(text)
        entries = [
            entry[key] for entry in feed["items"] for key in ("title", "summary", "content_html") if key in entry
        ]
        text = "\n".join([feed["title"], feed.get("description", ""), *entries])
    if not name.endswith(".html"):
        text = re.sub(r"https?://\S+|<!\[CDATA\[|\]\]>|<(?:pubDate|lastBuildDate)>[^<]*", "\n", html_unescape(text))
        pieces = re.split(r"<[^>]*>|\n|\"|[:·,(\[\]–]", text)
    else:
        root = html.document_fromstring(text)
        etree.strip_elements(root, "style", "script", with_tail=False)
        described = (
            '//meta[@name="description"]/@content | //meta[@property="og:title" or @property="og:description"]/@content'
        )
        shown = "//@aria-label | //@title | //@alt | //@placeholder | //@data-closed | //@data-copied | //@data-search"
        told = [*root.itertext(), *cast("Any", root.xpath(f"{described} | {shown}"))]
        pieces = [piece for words in told for piece in re.split(r"[·:,(–›]", str(words))]
    cleaned = (piece.strip(" \n:“”«».)") for piece in pieces)
    return {
        piece for piece in cleaned if re.search(r"[^\W\d_]{3}", piece) and not re.search(r"://|^[#&]|\.\w+$", piece)
    }


def shown_pieces(page: str) -> set[str]:
    """Every stretch of words of a page, and what it says to those who listen."""
    root = html.document_fromstring(page)
    etree.strip_elements(root, "style", "script", "head", with_tail=False)
    told = [*root.itertext(), *found_in(page, "//@aria-label | //@title")]
    pieces = (piece.strip(" \n:“”«».") for words in told for piece in re.split(r"[·:,(]", str(words)))
    return {piece for piece in pieces if re.search(r"[^\W\d_]{2}", piece)}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("[One](https://example.org/1)\n[Two](https://example.org/2)", "One Two"),
        ("**One**\n**Two**\n*Three*", "One Two Three"),
        ("`one`\n`two`", "one two"),
        ("~~one~~\n[**Two**](https://example.org/2)\n[**Three**](https://example.org/3)", "one Two Three"),
        ("Hi.\n\n- **a**\n  **b**\n\n> *c*\n> *d*", "a b c d"),
        ("by {{ first_name | friend }} **Ann**\n{{ locality | place }}\n*Mayor*", "Ann El Paso County Mayor"),
        ("https://example.org/1\nhttps://example.org/2", "https://example.org/1 https://example.org/2"),
    ],
)
def test_a_lines_end_between_marked_words_is_a_blank(desk: Desk, body: str, told: str) -> None:
    found = read(desk, f"Words.\n\n{body}")
    assert told in found.anywhere["mail"]
    if "{{" not in body:
        for name in ("page", "feed"):
            assert told in found.anywhere[name], name


def test_a_block_of_code_keeps_its_lines_and_blanks(desk: Desk) -> None:
    poem = "Roses are red,\n    Violets are blue,\n\nthe end."
    found = read(desk, f"Words.\n\n```\n{poem}\n```\n\n- one\n\n  ~~~ python\n  if x:\n      y()\n  ~~~")
    for form in (found.html, found.page, found.feed):
        shown = ["".join(map(str, element.itertext())).strip("\n") for element in found_in(form, "//pre")]
        assert shown == [poem, "if x:\n    y()"]
    assert "\n    Roses are red,\n        Violets are blue,\n\n    the end.\n" in found.text


def test_a_picture_that_leads_somewhere_says_where_in_the_plain_text(desk: Desk) -> None:
    found = read(desk, '[![A field](photo.png "us")](https://example.org/there)')
    assert "[Picture: A field]:\nhttps://example.org/there\nCredit: us\n" in found.text


@pytest.mark.parametrize(
    ("written", "alt"),
    [
        ("A wall\nof bricks", "A wall of bricks"),
        ("The mayor \\[left\\] \\*speaks\\*", "The mayor [left] *speaks*"),
        ("A *red* wall & more", "A red wall & more"),
        ("Ann ❤️ 👩‍👧", "Ann ❤️ 👩‍👧"),
        ("नमस्ते e\u0301 10\u00a0km", "नमस्ते e\u0301 10 km"),
        ("In C:\\\\docs", "In C:\\docs"),
        ('It\'s "here" <now>', 'It\'s "here" <now>'),
    ],
)
def test_what_a_picture_shows_is_read_as_it_was_written(desk: Desk, written: str, alt: str) -> None:
    found = read(desk, f'![{written}](photo.png "us")')
    for form in (found.html, found.page, found.feed):
        assert alt in [str(name) for name in found_in(form, "//img/@alt")]
    assert f"[Picture: {alt}]" in found.text


@pytest.mark.parametrize("words", ["1. Wages", "2) Leave", "- A dash", "+ Plus", "> Greater", "# Hash", "In C #"])
def test_a_headings_number_or_sign_stays_everywhere(desk: Desk, words: str) -> None:
    found = read(desk, f"## {words}\n\nOne.\n\n## Other\n\nTwo.")
    for name, form in found.anywhere.items():
        assert words in form, name
    assert found.anywhere["mail"].count(words) == 2  # in the contents, too


def test_a_year_behind_a_list_stays_a_year(desk: Desk) -> None:
    found = read(desk, "Words.\n\n1. First\n2. Then\n\n2022. That was the year.\n\n> 1. a\n>\n> 1999. b")
    for name, form in found.anywhere.items():
        assert "2022. That was the year." in form, name
        assert "1999. b" in form, name


def test_signs_that_say_yes_or_no_stay(desk: Desk) -> None:
    found = read(desk, "✓ Denver: yes\n✗ Aurora: no\n\n✔ Boulder")
    for name, form in found.anywhere.items():
        assert all(words in form for words in ("✓ Denver: yes", "✗ Aurora: no", "✔ Boulder")), name


def test_a_blurb_of_a_row_is_read_in_every_form(desk: Desk) -> None:
    found = read(desk, "## Rows\n\n- [[denver-convening]]\n  > Words of this issue only.")
    for name, form in found.anywhere.items():
        assert "Words of this issue only." in form, name


def test_when_where_and_whose_is_read_in_every_form(desk: Desk) -> None:
    found = read(desk, "")
    for name, form in found.anywhere.items():
        for told in ("Wednesday, November 2, 2022", "Apply by Nov 15, 2022", "Oct 3, 2022", "Gainesville, FL"):
            assert told in form, (name, told)
