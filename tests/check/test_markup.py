"""Every test of accessible mail finds its fault, and every sample and every component passes all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsletter.check import markup
from newsletter.check.rules import RULES, Subject
from newsletter.check.seen import runs
from newsletter.merge import MergeText
from newsletter.model import Rendered
from newsletter.workspace import Workspace
from tests.desk import Desk

NAME = "network-download-2022-10"
#: The rules of the module, by their names.
TESTS = sorted(name for name, one in RULES.items() if one.run.__module__ == markup.__name__)
PAGE = """<!doctype html><html lang="en" dir="ltr"><head>
<title>News of October</title><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<style>@media (prefers-color-scheme:dark){{ .page{{background:#111111 !important}}
.t{{color:#eeeeee !important}} }}</style>
</head><body><div lang="en" dir="ltr" class="page" style="background:#ffffff"><div class="t" style="color:#222222">
<h1>News</h1>{body}</div></div></body></html>"""
WORDS = "<p>Words that stand around a link and are many enough.</p>"


def page(body: str = WORDS, *changes: tuple[str, str]) -> str:
    text = PAGE.format(body=body)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def found(desk_space: Workspace, text: str) -> list[str]:
    issue = desk_space.compose(NAME)
    mail = Rendered(
        issue=NAME,
        variant="all",
        preheader=MergeText(("x",)),
        subject=MergeText(("x",)),
        html=MergeText((text,)),
        text=MergeText(("x",)),
    )
    subject = Subject(issue=issue, variants=(mail,), config=desk_space.config)
    return [f"{name}: {message}" for name in TESTS for _, message in RULES[name].run(subject)]


#: By rule, pages with the fault; each has that fault and no other.
FAULTS: dict[str, list[str]] = {
    "accessibility/language": [
        page(WORDS, ('<html lang="en"', "<html")),
        page(WORDS, ('<div lang="en"', "<div")),
        page(WORDS, ('<html lang="en"', '<html lang="english please"')),
        page(WORDS, ("</div></body>", '</div><div dir="ltr">Another.</div></body>')),
    ],
    "accessibility/direction": [
        page(WORDS, ('lang="en" dir="ltr"><head>', 'lang="en"><head>')),
        page(WORDS, ('dir="ltr" class="page"', 'class="page"')),
        page(WORDS, ('dir="ltr" class="page"', 'dir="left" class="page"')),
    ],
    "accessibility/no-title": [
        page(WORDS, ("News of October", " – ")),
        page(WORDS, ("<title>News of October</title>", "")),
    ],
    "accessibility/character-set": [page(WORDS, ('<meta charset="utf-8">', "")), page(WORDS, ("utf-8", "latin-1"))],
    "accessibility/viewport": [
        page(WORDS, ('<meta name="viewport" content="width=device-width, initial-scale=1">', "")),
        page(WORDS, ("initial-scale=1", "initial-scale=1, user-scalable=no")),
        page(WORDS, ("initial-scale=1", "maximum-scale=1.0")),
        page(WORDS, ("width=device-width", "width=600")),
    ],
    "accessibility/color-schemes": [
        page(WORDS, ('<meta name="color-scheme" content="light dark">', "")),
        page(WORDS, ('"supported-color-schemes" content="light dark"', '"supported-color-schemes" content="light"')),
    ],
    "accessibility/picture-without-alt": [page('<img src="a.png">'), page('<p>A <span><img src="b.png"></span></p>')],
    "accessibility/nameless-link": [
        page('<a href="https://a.example"></a>'),
        page('<a href="https://a.example"><img src="a.png" alt=""></a>'),
        page('<a href="https://a.example"><span> </span></a>'),
    ],
    "accessibility/same-words": [
        page('<a href="https://a.example/1">The report</a> <a href="https://a.example/2">The Report</a>'),
        page('<a href="https://a.example/1"><img src="a" alt="Map"></a><br><a href="https://a.example/2">Map</a>'),
    ],
    "accessibility/unmarked-link": [
        page(
            '<p>Words that stand around <a href="https://a.example" style="text-decoration:none">a link</a> here.</p>'
        ),
    ],
    "accessibility/layout-table": [
        page("<table><tr><td>x</td></tr></table>"),
        page('<table role="presentation"><tr><td><table role="grid"><tr><td>x</td></tr></table></td></tr></table>'),
    ],
    "accessibility/data-table": [
        page("<table><tr><th>Place</th></tr><tr><td>x</td></tr></table>"),
        page('<table role="none"><tr><th scope="col">Place</th></tr><tr><td>x</td></tr></table>'),
    ],
    "accessibility/headings": [
        page("<h1>Another</h1>"),
        page("<h3>Too deep</h3>"),
        page("<h2> </h2>"),
        page(WORDS, ("<h1>News</h1>", "<p>News</p>")),
    ],
    "accessibility/broken-list": [page("<ul><p>one</p></ul>"), page("<div><li>one</li></div>")],
    "accessibility/text-contrast": [
        page('<p style="color:#999999">Pale</p>'),
        page('<p style="color:#ddd;background-color:#fff">Paler</p>'),
        page('<table role="none"><tr><td bgcolor="#333333">Dark on dark</td></tr></table>'),
        page('<img src="a" alt="Words of a picture" style="color:rgb(240, 240, 240)">'),
        page(WORDS, (".t{color:#eeeeee", ".t{color:#222222")),
        page('<p style="color:#222222">Left as it was in the dark</p>'),
    ],
    "accessibility/small-text": [
        page('<p style="font-size:12px">Small</p>'),
        page('<p style="font-size:9pt">Small</p>'),
        page('<p style="font-size:.7em">Small</p>'),
        page('<small style="font-size:80%">Small</small>'),
    ],
    "accessibility/tight-lines": [
        page('<p style="line-height:1">x y</p>'),
        page('<p style="line-height:14px">x y</p>'),
    ],
    "accessibility/justified": [page('<p style="text-align:justify">x</p>'), page('<p align="justify">x</p>')],
    "accessibility/capitals": [page('<p style="text-transform:uppercase">Words</p>')],
    "accessibility/typed-list": [page("<p>• one<br>• two</p>"), page("<div>◦ one<br>◦ two</div>")],
}


@pytest.mark.parametrize("name", TESTS)
def test_each_test_finds_its_fault(space: Workspace, name: str) -> None:
    for text in FAULTS[name]:
        assert {line.partition(":")[0] for line in found(space, text)} == {name}, text


def test_a_page_without_faults_passes_all(space: Workspace) -> None:
    good = (
        '<h2>One</h2><p>See <a href="https://a.example/1">The report</a>.</p><h2>Two</h2><p>See '
        '<a href="https://a.example/2">The report</a>.</p><ul><li>one</li></ul>'
        '<table><caption>Votes</caption><tr><th scope="col">Place</th></tr><tr><td>x</td></tr></table>'
        '<table role="presentation"><tr><td>x</td></tr></table><img src="a" alt="">'
        '<p style="display:none;font-size:1px;color:#ffffff">Hidden</p>'
    )
    assert found(space, page(good)) == []


def test_words_are_seen_in_the_colours_of_the_scheme() -> None:
    text = page(WORDS)
    light, dark = (next(run for run in runs(text, dark=dark) if "around" in run.words).look for dark in (False, True))
    assert (light.color, light.ground) == ("#222222", "#ffffff")
    assert (dark.color, dark.ground) == ("#eeeeee", "#111111")


def test_every_component_of_every_template_passes_all(space: Workspace) -> None:
    for template in space.templates():
        for publication, mail in space.render_specimens(template).items():
            assert found(space, mail.html.merge({})) == [], (template, publication)


def test_markdown_of_every_form_passes_all(desk: Desk) -> None:
    body = (
        "### A heading\n\n"
        "- one\n- two\n\n1. one\n2. two\n\n> A quote\n\n| Place | Votes |\n|--|--:|\n| Denton | 9 |\n\n"
        '~~gone~~ `code` **bold** *slant* https://example.org/bare\n\n![A field](photo.png "us")\n\n* * *\n'
    )
    path = desk.folder / "issues" / NAME / "issue.md"
    desk.write_issue(NAME, path.read_text(encoding="utf-8") + "\n## More\n\n" + body)
    (mail,) = desk.space.render(desk.space.compose(NAME))
    assert found(desk.space, mail.html.merge({"first_name": "Ana"})) == []


def test_the_documents_name_every_test() -> None:
    text = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")
    assert [name for name in TESTS if not re.search(rf"`{name}`", text)] == []
