"""What is put right without a judgement, and nothing else."""

from __future__ import annotations

import pytest

from newsletter.compose.fixes import fixed, fixed_template
from tests.desk import ISSUE, Desk

TRACKING = ("utm_*", "fbclid")
HEAD = '+++\ntitle = "•\u00a0 T https://e.org/?utm_source=x"\n+++\n\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a](https://e.org/x?utm_source=y&id=1)", "[a](https://e.org/x?id=1)"),
        ("<https://e.org/x?fbclid=1>", "<https://e.org/x>"),
        ("[a](https://e.org/L_(b)?utm_a=1)", "[a](https://e.org/L_(b))"),
        ("•\tOne\n•\tTwo", "+ One\n+ Two"),
        ("a\u00a0 b and c \u00a0d\u00a0", "a b and c d"),
        ("10\u00a0km", "10\u00a0km"),
        ("`•\u00a0 code`", "`•\u00a0 code`"),
        ("Words <!-- •\tdesk https://e.org/?utm_a=1 --> end", "Words <!-- •\tdesk https://e.org/?utm_a=1 --> end"),
        ("a <!– •\tdesk –> b", "a <!– •\tdesk –> b"),
        ("`<!--` and •\n•\tOne <!-- x -->", "`<!--` and •\n+ One <!-- x -->"),
        ("[a](https://EXAMPLE.org)", "[a](https://EXAMPLE.org)"),
    ],
)
def test_an_issue_is_put_right_and_what_means_something_stays(before: str, after: str) -> None:
    assert fixed(f"{HEAD}{before}\n", TRACKING) == f"{HEAD}{after}\n"
    windows = f"{HEAD}{before}\n".replace("\n", "\r\n")
    assert fixed(windows, TRACKING) == f"{HEAD}{after}\n".replace("\n", "\r\n")


def test_fixing_twice_is_as_once() -> None:
    once = fixed(f"{HEAD}•\tOne\n\n[a](https://e.org/?utm_a=1)\n", TRACKING)
    assert fixed(once, TRACKING) == once


def test_zeros_among_lengths_get_their_unit_in_templates() -> None:
    text = '<mj-section padding="0 8px" x="0 8px"><mj-text padding="0" inner-padding=\'10px 0 0\' padding="{{ a }} 0">'
    assert fixed_template(text) == (
        '<mj-section padding="0px 8px" x="0 8px">'
        '<mj-text padding="0" inner-padding=\'10px 0px 0px\' padding="{{ a }} 0">'
    )


def test_check_fix_shows_what_it_changed(desk: Desk) -> None:
    name = "network-download-2022-10"
    desk.write_issue(name, ISSUE.replace("https://example.org/story", "https://example.org/story?utm_source=x"))
    done = desk.run("check", name, "--fix")
    assert (done.returncode, done.stdout) == (0, "")
    assert (
        "+This month **eight cities** were heard. [The whole story](https://example.org/story) is below." in done.stderr
    )
    assert (desk.space.issues / name / "issue.md").read_text(encoding="utf-8") == ISSUE
    assert "nothing that can be put right" in desk.run("check", name, "--fix").stderr
