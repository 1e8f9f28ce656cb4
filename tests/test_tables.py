"""TOML as people and word processors write it: what is wrong is told with what to write instead."""

from __future__ import annotations

import pytest

from newsletter.errors import ConfigError
from newsletter.tables import Document


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("title = “News”", 'write straight quotes: title = "…"'),
        ('title = "News”', 'write straight quotes: title = "…"'),
        ("title = „News“", 'write straight quotes: title = "…"'),
        ("title = «News»", 'write straight quotes: title = "…"'),
        ("subject = ‘News’", 'write straight quotes: subject = "…"'),
        ('“title” = "News"', 'write straight quotes: title = "…"'),
        ("title = News of the day", 'put words between quotes: title = "…"'),
        ('title = "The "best" news"', r'write \" for a quote within quotes: title = "the \"word\""'),
        ('title =\u00a0"News"', "there is a blank that isn't a plain one; delete it and type it again"),
        ("title: News", 'write title = "…"'),
        ("date = 2022–10–12", "write a date as date = 2022-10-12"),
        ("date = “2022-10-12”", "write a date as date = 2022-10-12"),
        ("date = Oct 12, 2022", "write a date as date = 2022-10-12"),
        ("starts = 12.10.2022", "write a date as starts = 2022-10-12"),
    ],
)
def test_a_slip_is_told_with_its_line_and_what_to_write(line: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Document.parse(f"a = 1\n{line}\n\nb = 2\n", "issue.md", first_line=2)
    told = str(refused.value)
    assert told.startswith("issue.md:3: not valid TOML: ")
    assert told.endswith(f"({hint})")
    assert "\n" not in told
