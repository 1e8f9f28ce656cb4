"""Every rule finds its planted fault, and all are silent on a clean issue."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image

from newsletter.check import RULES, check, has_errors, markup
from newsletter.collect import transfer
from newsletter.errors import IssueError
from newsletter.merge import MergeText
from newsletter.model import Finding, Rendered, Severity
from tests.desk import ISSUE, NOW, Desk

NAME = "network-download-2022-10"


def findings(desk: Desk, text: str = ISSUE, spoil: Callable[[Rendered], Rendered] | None = None) -> list[Finding]:
    desk.write_issue(NAME, text)
    issue = desk.space.compose(NAME)
    variants = desk.space.render(issue)
    if not spoil:
        return desk.space.check(issue, variants)
    return check(issue, tuple(map(spoil, variants)), desk.space.config)


def test_a_clean_issue_has_no_findings(desk: Desk) -> None:
    assert findings(desk) == []


def subject(text: str) -> str:
    return ISSUE.replace("📬 Network Download | HB 1 in court | October 2022", text)


def body(text: str) -> str:
    return ISSUE + "\n" + text + "\n"


PREHEADER = "Hello {{ first_name | friend }}: eight cities are heard, and Denver is next"
PLANTED = {
    "content/no-subject": subject(""),
    "content/long-subject": subject("A subject that goes on and on " * 3),
    "content/no-preheader": ISSUE.replace(PREHEADER, ""),
    "content/preheader-length": ISSUE.replace(PREHEADER, "Too short"),
    "content/placeholder": body("Here comes TK."),
    "content/slow-start": ISSUE.replace("This month **eight", "Welcome to this issue of our newsletter. **Eight"),
    "content/pasted-table": body("State\tCities\nFL\t8"),
    "content/left-out": body("| a | b |\n|---|---|\n| 1 | 2 | three |"),
    "content/leftover-marks": body("Said **as it stands ** here."),
    "content/run-together": body("Bring:\na. a pen\nb. a map"),
    "content/broken-letters": body("They donâ€™t."),
    "content/renumbered": body("10. Ten\n11. Eleven\n9. Nine"),
    "content/emphasis-within": body("**(one)**and more**(two)**"),
    "content/empty-heading": body("###\n\nWords."),
    "content/marks-in-plain-text": subject("**News** for October"),
    "content/unseen-characters": subject("News\\u202e for October"),
    "content/used-twice": body("[[hb1-hearing]]"),
    "content/empty-section": body("## Nothing here"),
    "content/nothing": ISSUE[: ISSUE.index("Hi {{")],
    "content/no-teaser": ISSUE.replace("Eight cities are heard in court, and the convening in Denver is next.", ""),
    "content/no-blurb": body("[[bare-item]]"),
    "images/no-alt": body("![](photo.png 'us')"),
    "images/alt-is-file-name": body("![IMG_1234](photo.png 'us')"),
    "images/no-credit": body("![A blue field](photo.png)"),
    "images/too-small": ISSUE.replace("teaser", 'hero = "small.png"\nhero_alt = "Blue"\nhero_credit = "us"\nteaser'),
    "links/malformed": body("[the text](htps://example.org)"),
    "links/unused-definition": body("[the law]: https://example.org/law"),
    "links/insecure": body("[the text](http://example.org/a)"),
    "links/tracking": body("[the text](https://example.org/a?utm_source=x&emci=1)"),
    "links/vague-words": body("[Click here](https://example.org/a)"),
    "links/no-words": body("[](https://example.org/a)"),
    "merge/unknown-field": body("Dear {{ fist_name | friend }}"),
    "merge/no-fallback": body("Dear {{ first_name }}"),
    "merge/foreign-field": body("Dear *|FNAME|*"),
    "merge/not-here": ISSUE.replace("## 📅 Coming up", "## For {{ first_name | you }}"),
    "policy/no-text": body("[[no-text]]"),
    "policy/no-status": body("[[no-status]]"),
    "archive/names-in-one": body("[[names-in-one]]"),
    "facts/past-event": body("[[past-event]]"),
    "facts/closed-job": body("[[closed-job]]"),
    "facts/from-the-future": body("[[future-story]]"),
    "facts/no-outlet": body("[[bare-item]]"),
    "facts/name-spelled-otherwise": body("[[future-story]]\n\nThanks to Nicholas O'Rouke for the draft."),
    "facts/house-words": body("Send us an e-mail."),
    "facts/title-pattern": ISSUE.replace("The Network Download: HB 1 in court and more | Oct 2022", "October news"),
    "images/card-letters": ISSUE.replace("HB 1 in court and more", "法案"),
    "images/long-alt": body(f"![{'word ' * 60}](photo.png 'us')"),
    "images/heavy": body("![A field of noise](noise.png 'us')"),
    "links/shortened": body("[the text](https://bit.ly/3xyz)"),
    "links/somebodys-own": body("[the text](https://example.org/a?who=ana%40example.org)"),
    "links/to-a-document": body("[the text](https://example.org/a.pdf)"),
    "accessibility/heading-order": body("#### Too deep"),
    "accessibility/wordless-heading": body("## 🎉\n\nText."),
    "accessibility/bare-address": body("<https://example.org/a>"),
    "policy/claims-unrecorded": body("[[no-text]] Vetoed by the mayor"),
    "policy/told-as-older": body("[[no-text]] A rule is proposed"),
    "policy/no-place": body("[[no-text]]"),
    "deliverability/shouting": subject("READ THIS MESSAGE NOW"),
    "deliverability/preheader-repeats": subject("Eight cities are heard and Denver is next").replace(
        PREHEADER, "Eight cities are heard and Denver is next"
    ),
    "audience/unknown-guard": body('::: only sate = "FL"\nHello, Florida.\n:::'),
    "audience/empty-guard": body('::: only state = "AK"\nHello, Alaska.\n:::'),
    "audience/guard-for-all": body('::: only not (state = "AK")\nHello, all but Alaska.\n:::'),
    "deliverability/fake-reply": subject("Re: your question"),
}


def inside(mail: Rendered, markup: str) -> Rendered:
    """The mail with some markup at the end of its body."""
    parts = (p.replace("</body>", f"{markup}</body>") if isinstance(p, str) else p for p in mail.html.parts)
    return replace(mail, html=MergeText(tuple(parts)))


SPOILT: dict[str, Callable[[Rendered], Rendered]] = {
    "deliverability/no-unsubscribe": lambda r: replace(r, text=MergeText((r.text.merge({}),))),
    "deliverability/no-postal-address": lambda r: replace(
        r, html=MergeText((r.html.merge({}).replace("100 Example Street", ""), *r.html.fields))
    ),
    "deliverability/clipped": lambda r: replace(r, html=MergeText((*r.html.parts, "<!--" + "x" * 110_000 + "-->"))),
    "deliverability/large": lambda r: replace(r, html=MergeText((*r.html.parts, "<!--" + "x" * 65_000 + "-->"))),
    "clients/css": lambda r: inside(r, '<p style="position:absolute">x</p>'),
    "clients/outlook-widths": lambda r: inside(
        r, '<!--[if mso]><table width="100"><tr><td style="width:200px">x</td></tr></table><![endif]-->'
    ),
    "clients/html": lambda r: inside(r, "<video></video>"),
    "deliverability/stub-text": lambda r: replace(r, text=MergeText(("Read it online.",))),
}


@pytest.fixture(autouse=True)
def more_entries(desk: Desk) -> None:
    noise = random.Random(1).randbytes(700 * 700 * 3)
    Image.frombytes("RGB", (700, 700), noise).save(desk.folder / "noise.png")
    Image.new("RGB", (600, 300), "#335577").save(desk.folder / "small.png")
    extra = desk.folder / "extra.toml"
    extra.write_text(
        """
[[items]]
slug = "bare-item"
kind = "news"
title = "A bare item"
url = "https://example.org/bare"
date = 2022-10-01

[[items]]
slug = "past-event"
kind = "event"
title = "A convening that was"
url = "https://example.org/past"
date = 2022-08-01
starts = 2022-09-01
summary = "It was good."

[[items]]
slug = "closed-job"
kind = "job"
title = "A job that was"
url = "https://example.org/closed"
date = 2022-08-01
closes = 2022-10-01
summary = "It is taken."

[[items]]
slug = "future-story"
kind = "post"
title = "A story that has not happened"
url = "https://example.org/future"
date = 2022-12-01
summary = "It will be told."
people = ["Nicholas O'Rourke"]

[[items]]
slug = "names-in-one"
kind = "post"
title = "Many people in one cell"
url = "https://example.org/many"
date = 2022-10-01
summary = "They met."
people = ["Ana Lee, Bob Poe, Cy Roe, Di Moe"]

[[policies]]
slug = "no-text"
title = "A policy without its text"
level = "city"
history = [{ status = "passed", date = 2022-10-01 }]

[[policies]]
slug = "no-status"
title = "A policy that nobody has touched"
level = "city"
url = "https://example.org/policy"
""",
        encoding="utf-8",
    )
    with desk.space.store.write() as session:
        transfer.import_file(session, extra, "items", workspace=desk.folder, now=NOW)
        transfer.import_file(session, extra, "policies", workspace=desk.folder, now=NOW)


#: Their tests stand below, as those of `markup` in test_markup, with those of sending, and with those of publishing.
ELSEWHERE = {
    "accessibility/contrast",
    "archive/folder-taken",
    "content/used-before",
    "content/used-elsewhere",
    "images/old-format",
}


@pytest.mark.parametrize(
    "rule",
    sorted(
        rule.id
        for rule in RULES.values()
        if not rule.asked and rule.id not in ELSEWHERE and rule.run.__module__ != markup.__name__
    ),
)
def test_each_rule_finds_its_planted_fault(desk: Desk, rule: str) -> None:
    assert rule in PLANTED or rule in SPOILT, "plant a fault for every rule"
    found = findings(desk, PLANTED.get(rule, ISSUE), SPOILT.get(rule))
    assert rule in {finding.rule for finding in found}
    for finding in found:
        assert finding.severity is RULES[finding.rule].severity
        assert finding.where
        assert "\n" not in finding.message


def test_a_colour_that_cannot_be_read_is_found(desk: Desk) -> None:
    config = desk.space.config
    publication = config.publication("network-download")
    pale = replace(publication, brand=replace(publication.brand, accent="#9bd0ff"))
    issue = desk.space.compose(NAME)
    changed = replace(config, publications={**config.publications, pale.slug: pale})
    (finding,) = check(issue, desk.space.render(issue), changed)
    assert finding.rule == "accessibility/contrast"
    assert "[publications.network-download.brand] accent" in finding.where


@pytest.mark.parametrize("name", ["press", "2022", "workers-rights", "topics"])
def test_an_issue_whose_folder_the_archive_needs_is_found_before_it_is_approved(desk: Desk, name: str) -> None:
    desk.write_issue(name, ISSUE)
    issue = desk.space.compose(name)
    assert "archive/folder-taken" in {f.rule for f in desk.space.check(issue, desk.space.render(issue))}
    refused = desk.run("draft", "network-download", "--slug", name)
    assert refused.returncode == 1
    assert f'the archive has another folder "{name}"' in refused.stderr


WAIVER = """waivers = [
    { rule = "facts/past-event", about = "past-event", by = "Ada", reason = "we tell how it went" },
]
"""


def test_a_waiver_names_rule_place_person_and_reason_and_is_kept_with_the_approval(desk: Desk) -> None:
    text = body("[[past-event]]").replace("teaser", WAIVER + "teaser")
    (finding,) = findings(desk, text)
    assert finding.waived == "Ada: we tell how it went"
    assert not has_errors([finding])
    done = desk.run("check", NAME)
    assert done.returncode == 0
    assert "(waived by Ada: we tell how it went)" in done.stdout
    snapshot, _ = desk.space.approve(NAME, by="Bo")
    assert snapshot.issue.waivers[0].by == "Ada"


def test_a_waiver_of_one_finding_does_not_cover_another(desk: Desk) -> None:
    text = body("[[past-event]]\n\n[[closed-job]]").replace("teaser", WAIVER + "teaser")
    assert [finding.rule for finding in findings(desk, text) if not finding.waived] == ["facts/closed-job"]


@pytest.mark.parametrize("missing", ["rule", "about", "by", "reason"])
def test_a_waiver_without_one_of_its_four_words_is_refused(desk: Desk, missing: str) -> None:
    text = ISSUE.replace("teaser", re.sub(rf'{missing} = "[^"]*"', f'{missing} = ""', WAIVER) + "teaser")
    with pytest.raises(IssueError, match=f'a waiver needs its "{missing}"'):
        findings(desk, text)


def test_findings_are_told_to_a_pipeline(desk: Desk) -> None:
    desk.write_issue(NAME, body("Here comes TK."))
    log = json.loads(desk.run("check", NAME, "--sarif").stdout)
    (result,) = log["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("content/placeholder", "error")
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == f"issues/{NAME}/issue.md"
    assert location["region"]["startLine"] > 20
    assert {rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]} == set(RULES)
    suite = etree.fromstring(desk.run("check", NAME, "--junit").stdout.encode())
    assert suite.get("failures") == "1"
    assert suite.find("testcase/failure") is not None


@pytest.mark.parametrize(
    "text",
    [
        *("Bring:\na. a pen\nb. a map", "a) a pen\nb) a map", "(i) a pen\n(ii) a map", "Bring:\n2. a pen\n3. a map"),
        *("Bring:\n– a pen\n– a map", "— a pen\n— a map", "Bring: • a pen • a map", "Bring:\n– a pen"),
        *("Term\n: what it is", "Rent : what one pays\nLease : what one signs"),
    ],
)
def test_a_list_that_runs_on_in_one_paragraph_is_found_at_its_line(desk: Desk, text: str) -> None:
    (finding,) = findings(desk, body(text))
    assert finding.rule == "content/run-together"
    assert int(finding.where.rpartition(":")[2]) > ISSUE.count("\n") + 1


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Bring:\n\n- a. one\n- b. two",
            "A. Smith came.",
            "Place • Date • Author",
            "He came – as ever –\nand went.",
            "At 6 : 30",
        ),
        *(
            "Roses are red,  \n– violets are blue",
            "1. one\n2. two",
            "Said on\n– Monday –\nthat it's over.",
            "Note: it's so.",
        ),
    ],
)
def test_what_only_looks_like_a_list_is_left_alone(desk: Desk, text: str) -> None:
    assert "content/run-together" not in {finding.rule for finding in findings(desk, body(text))}


@pytest.mark.parametrize(
    ("text", "unused"),
    [
        ("The [law][x].\n\n[x]: https://example.org/x\n[y]: https://example.org/y", ["y"]),
        ("## The [law]\n\nWords.\n\n[Law]: https://example.org/x", []),
        ('![A field][p]\n\n[p]: photo.png "us"\n[q]: photo.png', ["q"]),
        ("Words.\n\n- [law][]\n\n[law]: https://example.org/x", []),
        ("> [a [b]][law]\n\n[law]: https://example.org/x", []),
    ],
)
def test_a_definition_that_no_link_names_is_found(desk: Desk, text: str, unused: list[str]) -> None:
    found = [finding for finding in findings(desk, body(text)) if finding.rule == "links/unused-definition"]
    assert [re.findall(r"\[(\w+)\]", finding.message)[0] for finding in found] == unused
    for finding, label in zip(found, unused, strict=True):
        line = int(finding.where.rpartition(":")[2])
        assert body(text).split("\n")[line - 1].startswith(f"[{label}]")


def test_there_are_at_least_forty_rules() -> None:
    assert len(RULES) >= 40
    assert all(rule.summary for rule in RULES.values())


def test_an_item_of_an_earlier_issue_is_told_again_only_on_purpose(desk: Desk) -> None:
    assert findings(desk) == []
    desk.space.approve(NAME, by="Ada")
    later = "network-download-2022-11"
    text = ISSUE.replace("2022-10-12", "2022-10-26").replace("[[denver-convening]]", "[[denver-convening | reminder]]")
    desk.write_issue(later, text)
    issue = desk.space.compose(later)
    found = desk.space.check(issue, desk.space.render(issue))
    assert {finding.rule for finding in found} == {"content/used-before"}
    assert ['"hb1-hearing" stood in' in found[0].message, '"organizer-job" stood in' in found[1].message] == [
        True,
        True,
    ]
    assert "Reminder: National convening" in [entry.headline for entry in issue.entries]


def test_the_same_address_under_another_slug_is_found(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")
    again = desk.folder / "again.toml"
    again.write_text(
        '[[items]]\nslug = "hb1-again"\nkind = "news"\ntitle = "The same"\nurl = "https://www.example.org/hb1/"\n'
        'date = 2022-10-02\nsummary = "The same story."\noutlet = "Sample"\n',
        encoding="utf-8",
    )
    with desk.space.store.write() as session:
        transfer.import_file(session, again, "items", workspace=desk.folder, now=NOW)
    later = ISSUE[: ISSUE.index("## ")].replace("2022-10-12", "2022-10-26") + "## News\n\n[[hb1-again]]\n"
    desk.write_issue("network-download-2022-11", later)
    issue = desk.space.compose("network-download-2022-11")
    (finding,) = desk.space.check(issue, desk.space.render(issue))
    assert finding.rule == "content/used-before"


def test_repeats_go_by_the_order_of_approvals_and_never_accuse_what_was_approved(desk: Desk) -> None:
    later = "network-download-2022-11"
    desk.write_issue(later, ISSUE.replace("2022-10-12", "2022-10-26"))
    desk.space.approve(later, by="Ada")
    early = desk.space.compose(NAME)
    assert {f.rule for f in desk.space.check(early, desk.space.render(early))} == {"content/used-before"}
    again = desk.space.compose(later)
    assert desk.space.check(again, desk.space.render(again)) == []


def test_another_publications_issue_is_a_warning_that_names_the_setting(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")
    other = ISSUE.replace('publication = "network-download"', 'publication = "workers-rights"')
    desk.write_issue("workers-rights-2022-11", other.replace("2022-10-12", "2022-11-12"))
    issue = desk.space.compose("workers-rights-2022-11")
    found = [f for f in desk.space.check(issue, desk.space.render(issue)) if f.rule.startswith("content/used")]
    assert {(f.rule, f.severity) for f in found} == {("content/used-elsewhere", Severity.WARNING)}
    assert all("skip_repeats_days" in f.message for f in found)


def test_errors_come_first_and_block(desk: Desk) -> None:
    found = findings(desk, body("[Click here](https://example.org/a)\n\nTK"))
    assert [finding.severity for finding in found] == [Severity.ERROR, Severity.WARNING]
    assert has_errors(found)
    assert not has_errors(found[1:])


def test_a_finding_in_the_file_names_its_line(desk: Desk) -> None:
    text = body("Here comes TK.")
    line = text[: text.index("Here comes")].count("\n") + 1
    (finding,) = [f for f in findings(desk, text) if f.rule == "content/placeholder"]
    assert finding.where == f"issues/{NAME}/issue.md:{line}"


def test_approve_and_send_refuse_while_there_are_errors(desk: Desk) -> None:
    desk.write_issue(NAME, body("Here comes TK."))
    assert desk.run("check", NAME).returncode == 3
    for command in (("approve", NAME), ("send", NAME, "--confirm", NAME)):
        done = desk.run(*command)
        assert done.returncode == 3
        assert "the check found 1 error" in done.stderr
    assert not (desk.folder / "outbox").exists()


def test_a_hidden_photo_of_a_compact_row_needs_no_alternative_text(desk: Desk, tmp_path: Path) -> None:
    assert desk.run("items", "edit", "hb1-hearing", "--photo", "small.png", "--photo-alt", "Blue").returncode == 0
    assert findings(desk, ISSUE) == []
