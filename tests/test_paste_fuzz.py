"""Whatever is typed or pasted is in the finished mail or in a finding, and no mark is left in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html

from newsletter.compose import documents
from newsletter.compose.editing import set_markdown
from newsletter.errors import IssueError
from newsletter.markdown.source import without_comments
from newsletter.model import Finding, Issue, Rendered
from newsletter.workspace import Workspace
from tests.desk import ISSUE, Desk

NAME = "network-download-2022-10"
MARKS = ("{{", "}}", "[[", "]]", "](", "**", "<!--", "-->", "![", "||")
#: What people type, and what Word, Google Docs, Outlook and browsers leave behind; each § is a word of its own.
FRAGMENTS = (
    *("§ § §", "**§** and *§*", "** § **", "**§", "*§ §* §", "__§__", "_§", "~~§~~ §", "`§ §`"),
    *("``` \n§\n```", "~~~\n§\n~~~", "- §\n- §", "* §\n  * §", "+ §\n\n  §", "1. §\n2. §", "1) §\n3) §"),
    *("7. §", "a. §\nb. §", "- [ ] §", "• §\n• §", "·\t§", "o\t§", "> §\n> §", "> > §", "> - §", "# §"),
    *("## §", "### §", "#### §", "##§", "§\n===", "§\n---", "---", "* * *", "***§***"),
    *("[§](https://example.org/§)", "[§] (https://example.org/)", "[§][§]", "[§]"),
    *("[§]: https://example.org/§", "[§](§)", "[](§)", "https://example.org/§", "www.example.org/§"),
    *("<https://example.org/§>", "§@example.org", "[§](mailto:a@example.org)", "![§](photo.png)"),
    *('![§](photo.png "§")', "![§](missing.png)", "![](photo.png)", "- § ![§](photo.png)"),
    *("> ![§](photo.png) §", "| § | § |\n|---|---|\n| § | § |", "| § |\n| § |"),
    *("§ | §\n--|--\n§ | § | §", "§\t§\n§\t§", "|§|", "{{ first_name | § }}", "{{first_name}} §"),
    *("{{ § }}", "{% § %}", "*|§|*", "[[§]]", "[[hb1-hearing]] §", "§ [[hb1-hearing]] §", "<b>§</b>"),
    *("<p>§<br>§</p>", "§<br>§", "<o:p>§</o:p>", "<span style='x'>§</span>", "&nbsp;§&amp;§"),
    *("§ &lt;§&gt;", "a < § > b", "<!-- § -->", "§ <!-- § --> §", "<!-- §", "§ -->", "[//]: # (§)"),
    *("<!– § –>", "§[^1]\n\n[^1]: §", "[^1]: §", "§\\\n§", "§  \n§", "\\*§\\*", "\\[§\\]", "    §"),
    *("\t§", "§\u00a0§", "§\u2028§", "\ufeff§", "§\u200b§", '::: only state = "FL"\n§\n:::'),
    *("::: §\n§\n:::", ":::\n§", "Term\n: §", "==§==", "H~2~§", "x^2^ §", "$§$", "§ :smile: §"),
    *("1986. §", "– §\n– §", "“§”", "'§'", "§--§", "(§)", "§...", "#§ §", "@§", "§*§*§", "§_§_§", "\\§"),
    *("$1,000 §", "5 * 3 * §", "§ ** 2"),
)
PIECES = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4)
GAPS = st.sampled_from(["\n\n", "\n", " "])
FEW = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def numbered(pieces: list[str], gap: str) -> str:
    """The pieces with a word of its own, such as `wort3x`, for each §."""
    text, count = gap.join(pieces), 0
    while "§" in text:
        count += 1
        text = text.replace("§", f"wort{count}x", 1)
    return text


def words_in(text: str) -> set[str]:
    return set(re.findall(r"wort\d+x", text))


def hold_to_it(space: Workspace, written: str) -> None:
    """Every word that is written for readers is in both parts, or in a finding; so is every mark that is left."""
    try:
        issue = space.compose(NAME)
        (mail, *_) = space.render(issue)
    except IssueError as refused:
        faults = [str(problem.where) for problem in refused.problems]
    else:
        faults = []
        _hold(space, issue, mail, written)
    assert all(re.search(r"issue\.md:\d+", place) for place in faults)


def _hold(space: Workspace, issue: Issue, mail: Rendered, written: str) -> None:
    found = space.check(issue, (mail,))
    said = " ".join(f"{finding.message} {lines_at(space, finding)}" for finding in found)
    values = dict.fromkeys((field.name for field in mail.html.fields), "Ana")
    page, text = mail.html.merge_html(values), mail.text.merge(values)
    kept = words_in(without_comments(written)[0]) - words_in(said)
    # What is for some readers only, and what stands for a name that is known, isn't in everybody's mail.
    kept -= words_in(" ".join(re.findall(r"\{\{.*?\}\}|::: only.*?:::", written, re.DOTALL)))
    assert kept <= words_in(page), (written, "html")
    assert kept <= words_in(text), (written, "text")
    for part in (*shown(page), text):
        left = [mark for mark in MARKS if mark in part]
        assert not left or any(f.rule.startswith(("content/", "merge/", "links/")) for f in found), (written, left)


def lines_at(space: Workspace, finding: Finding) -> str:
    """The lines of the file that a finding points at: the one named, and those of its paragraph."""
    place = re.search(r"issue\.md:(\d+)$", finding.where)
    lines = (space.issues / NAME / "issue.md").read_text(encoding="utf-8").split("\n")
    return " ".join(lines[int(place[1]) - 1 : int(place[1]) + 1]) if place else ""


def shown(page: str) -> Iterator[str]:
    root = html.document_fromstring(page)
    for element in root.iter("code", "style", "head"):
        element.text = ""
        for child in list(element):
            element.remove(child)
    yield "".join(map(str, root.itertext()))


@FEW
@given(PIECES, GAPS)
def test_nothing_that_is_typed_into_an_issue_disappears(desk: Desk, pieces: list[str], gap: str) -> None:
    written = numbered(pieces, gap)
    desk.write_issue(NAME, f"{ISSUE}\nWords.\n\n{written}\n")
    hold_to_it(desk.space, written)


@FEW
@given(PIECES, GAPS)
def test_nothing_that_is_pasted_into_the_studio_disappears(desk: Desk, pieces: list[str], gap: str) -> None:
    written = numbered(pieces, gap)
    line = ISSUE.split("\n").index("Hi {{ first_name | friend }},") + 1
    desk.write_issue(NAME, set_markdown(ISSUE, line, written))
    hold_to_it(desk.space, written)


#: What Word, Outlook, Google Docs and browsers write into pages.
HTML = (
    *("<p>§</p>", "<p>§ <b>§ </b>§</p>", "<p><i>§</i><b>§</b></p>", "<div>§<div>§</div></div>", "§"),
    *("<br>§<br>§", "<ul><li>§<li>§<ul><li>§</ul></ul>", "<ol start=3><li>§</li></ol>"),
    *("<ul>§<li>§</li></ul>", "<li>§</li>", "<h1>§</h1>", "<h2>§</h2>"),
    *("<h2><a href='https://e.org/§'>§</a></h2>", "<h3>§<br>§</h3>", "<h6>§</h6>"),
    *("<table><tr><td>§</td><td>§</td></tr></table>",),
    *("<table><tr><th>§</th></tr><tr><td>§</td><td>§</td></tr></table>",),
    *("<table><tr><td><ul><li>§</li></ul></td></tr></table>",),
    *("<table><caption>§</caption><tr><td>§</td></tr></table>",),
    *("<a href='https://e.org/a?utm_source=§'>§</a>", "<a href='#x'>§</a>", "<a name='x'>§</a>"),
    *("<a href='javascript:§'>§</a>",),
    *("<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>·  </span>§</p>",),
    *("<blockquote>§<p>§</p></blockquote>", "<pre>§\n  §</pre>", "<code>§</code>"),
    *("<p>**§ [§]( {{§ [[§]] &lt;!-- §</p>", "<o:p>§</o:p>", "<font color=red>§</font>"),
    *("<span style='font-weight:700'>§</span>", "<center>§</center>", "<dl><dt>§<dd>§</dl>"),
    *("<p>§<sup>§</sup> <sub>§</sub></p>", "<s>§</s>", "<u>§</u>", "<mark>§</mark>", "<p>1. §</p>"),
    *("<p># §</p>", "<p>§ | §</p>", "<details><summary>§</summary>§</details>"),
    *("<figure><figcaption>§</figcaption></figure>", "<button>§</button>"),
    *("<a href='https://e.org/§'><table><tr><td>§</td></tr></table></a>", "<a href='tel:§'>§</a>"),
    *("<a href='https://e.org/§'><h3>§</h3><p>§</p></a>", "<a href='https://e.org/§'><div>§</div></a>"),
    *("<table><tr><td rowspan=2>§</td><td>§</td></tr><tr><td>§</td></tr></table>",),
    *("<p style='mso-hide:all'>§</p>", "<p style='display:none'>§</p>", "<div><br></div>", "<p>§<br></p>"),
    *("<p>§<br>• §<br>• §</p>", "<p>§<br><br>§</p>", "<ul><li>§<br>1. §</li><li># §</li></ul>"),
    *("<p>§<b>: §</b>§</p>", "<strong><p>§</p><p>§</p></strong>", "<svg><text>§</text></svg>"),
    *("<input type=checkbox checked> §", "<select><option>§<option>§</select>", "<ruby>§<rt>§</rt></ruby>"),
    *("<ol type=a><li>§<li value=7>§</ol>", "<ol><li>§</ol><ol><li>§</ol>", "<p>&lt;b&gt; § &amp;nbsp;</p>"),
    *("<span style='display:block'>§</span>", "<iframe src='https://e.org/v'>§</iframe>", "<video>§</video>"),
)


@FEW
@given(st.lists(st.sampled_from(HTML), min_size=1, max_size=4))
def test_nothing_of_a_page_disappears_on_its_way_into_the_mail(desk: Desk, pieces: list[str]) -> None:
    path = desk.folder / "page.html"
    path.write_text(f"<body>{numbered(pieces, '')}</body>", encoding="utf-8")
    found = documents.read(path, ("utm_*",))
    page = html.document_fromstring(path.read_text(encoding="utf-8"))
    shown_there = words_in("".join(map(str, page.itertext())))
    lost = shown_there - words_in(found.markdown) - words_in(found.title) - words_in(" ".join(found.notes))
    assert lost == set(), (pieces, found)
    desk.write_issue(NAME, f"{ISSUE}\nWords.\n\n{found.markdown}\n")
    hold_to_it(desk.space, found.markdown)
