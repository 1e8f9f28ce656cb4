"""From an empty inbox and three feeds to approved issues of both publications, by the documented commands alone."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.website import Website


@dataclass(frozen=True)
class Person:
    """Somebody at a desk, with a shell and an editor."""

    folder: Path

    def runs(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "newsletter", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONUTF8": "1"},
        )
        assert done.returncode == code, done.stderr
        return done.stdout

    def edits(self, name: str, *changes: tuple[str, str]) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert re.search(old, text), old
            text = re.sub(old, new, text, count=1)
        path.write_text(text, encoding="utf-8")


def photo() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((1600, 900), 20).convert("RGB").save(out, "JPEG", quality=60)
    return out.getvalue()


def rss(title: str, url: str, entries: list[tuple[str, str, str]]) -> str:
    items = "".join(
        f"<item><title>{name}</title><link>{url}/{slug}?utm_source=feed</link><description>{summary}</description>"
        f"<pubDate>Wed, 26 Oct 2022 09:00:00 GMT</pubDate>"
        f'<enclosure url="{url}/photo.jpg" type="image/jpeg" length="1"/></item>'
        for slug, name, summary in entries
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'


def atom(url: str) -> str:
    return (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Network events</title>'
        f'<entry><id>1</id><title>Members meet in Durham</title><link href="{url}/durham"/>'
        "<updated>2022-10-27T10:00:00Z</updated><summary>An evening for members and friends.</summary></entry></feed>"
    )


POLICIES = """title,place,level,number,url,summary,topics,status,status_date
Denver wage theft ordinance,"Denver, CO",city,CB 22-0614,https://example.org/denver,"Workers who are not paid can recover three times what they are owed.",wages,passed,2022-10-18
Los Angeles fair work week,"Los Angeles, CA",city,CF 19-0229,https://example.org/la,"Workers in shops learn their hours two weeks ahead.",scheduling,in effect,2022-10-21
"""  # noqa: E501 (rows of a table)
BLOG = [
    ("buses", "Cities welcome people who arrive by bus", "Beds, lawyers and school places were found within days."),
    ("meals", "School meals for everybody, one board at a time", "Boards in three states voted for free meals."),
]
NEWS = [
    ("organizers", "Baristas win their first contract", "It took eleven months, and it raises every wage in the shop."),
    ("praise", "County program praised", "A county's response team was in the paper."),
]


PEOPLE = """Email,First Name,State,Lists,Status
ana@example.org,Ana,NC,Network Download; Workers' Rights Round Up,subscribed
"""
#: What each publication is called, and what its draft has to hold.
PUBLICATIONS = {
    "network-download": ("The Network Download", "[[cities-welcome-people-who-arrive-by-bus]]"),
    "workers-rights": ("Workers' Rights Round Up", "[[denver-wage-theft-ordinance]]"),
}


@pytest.fixture
def person(tmp_path: Path, website: Website) -> Person:
    """A new workspace whose config names three feeds."""
    desk = Person(tmp_path)
    desk.runs("init", "desk")
    desk = Person(tmp_path / "desk")
    website.put("/photo.jpg", photo(), "image/jpeg")
    feeds = {
        "blog": (rss("Network blog", website.url, BLOG), 'kind = "post"'),
        "news": (rss("Example Times", website.url, NEWS), 'topics = ["workers\' rights"]'),
        "events": (atom(website.url), 'kind = "event"\nplaces = ["Durham, NC"]'),
    }
    tables = ['[collect]\nprivate_hosts = ["127.0.0.1"]\n']
    for name, (body, settings) in feeds.items():
        address = website.put(f"/{name}.xml", body, "application/xml")
        tables.append(f'[collect.feeds.{name}]\nurl = "{address}"\n{settings}\n')
    config = desk.folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8") + "\n" + "\n".join(tables), encoding="utf-8")
    return desk


def keep_everything(person: Person) -> None:
    waiting = json.loads(person.runs("items", "inbox", "--json"))
    assert len(waiting) == 5
    for found in waiting:
        words = ("--photo-alt", "People on the steps of a town hall", "--photo-credit", "Photo: sample")
        if found["kind"] == "event":
            person.runs("items", "edit", found["slug"], "--starts", "2022-12-06", "--venue", "City Hall")
        elif found["lacks"]:
            person.runs("items", "edit", found["slug"], *words)
        person.runs("items", "inbox", "--keep", found["slug"])


def write_issue(person: Person, publication: str, name: str) -> str:
    """What a person adds to a draft: the words that only a person has."""
    issue = person.runs("draft", publication, "--month", "2022-11", "--since", "2022-10-15").strip()
    person.edits(
        issue,
        (
            r"TK: two or three sentences[^\n]*",
            "This month shows what a council can do in a few weeks, and how it reads on paper.",
        ),
        ('preheader = ""', 'preheader = "What councils and boards decided this month, with the texts"'),
        ('teaser = ""', 'teaser = "What councils and boards decided this month."'),
        (r'title = "[^"]*"', f'title = "{name}: A contract, a vote and more | Nov 2022"'),
        (r'subject = "[^"]*"', 'subject = "📬 A contract and a vote | November 2022"'),
    )
    return issue.split("/")[1]


def test_both_publications_go_from_an_empty_inbox_to_an_approved_issue(person: Person) -> None:
    assert json.loads(person.runs("items", "inbox", "--json")) == []
    person.runs("items", "pull")
    keep_everything(person)
    (person.folder / "policies.csv").write_text(POLICIES, encoding="utf-8")
    person.runs("policies", "import", "policies.csv")
    Image.new("RGB", (400, 120), "#224466").save(person.folder / "media" / "partner-logo.png")
    (person.folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
    person.runs("subscribers", "import", "people.csv", "--yes")
    for publication, (name, held) in PUBLICATIONS.items():
        issue = write_issue(person, publication, name)
        assert held in (person.folder / "issues" / issue / "issue.md").read_text(encoding="utf-8")
        findings = json.loads(person.runs("check", issue, "--json"))
        assert [finding for finding in findings if finding["severity"] == "error"] == []
        person.runs("render", issue)
        person.runs("approve", issue, "--by", "Dana Reyes")
    stages = {row["issue"]: row["stage"] for row in json.loads(person.runs("status", "--json"))}
    assert stages == {"network-download-2022-11": "approved", "workers-rights-2022-11": "approved"}
    person.runs("items", "pull")
    assert json.loads(person.runs("items", "inbox", "--json")) == []
