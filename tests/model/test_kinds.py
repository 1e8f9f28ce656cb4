"""One table says what is known of each kind of item: a row more, and the kind works everywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import feedparser
import pytest
from lxml import html

from newsletter.errors import InputError
from newsletter.languages import translations
from newsletter.model import KINDS, ArchiveSection, Kind, is_site_folder, kind_of, kind_said
from newsletter.model.kinds import register
from tests.desk import ISSUE, Desk

ROOT = Path(__file__).parents[2]
NAME = "network-download-2022-10"
#: A program of somebody else's, which knows three kinds more.
PROGRAM = """
from newsletter.cli import main
from newsletter.model.kinds import ArchiveSection, Kind, register

spanish = {
    "Podcast": "Pódcast", "Listen to the episode": "Escuchar el episodio", "Podcasts": "Pódcasts",
    "What we say aloud.": "Lo que decimos en voz alta.", "All episodes": "Todos los episodios",
}
register(
    Kind(
        name="podcast", kicker="Podcast", link="Listen to the episode", words=("episode", "pódcast"),
        schema=("PodcastEpisode",), translations={"es": spanish},
        section=ArchiveSection(
            folder="podcasts", title="Podcasts", description="What we say aloud.", all="All episodes", in_menu=True
        ),
    )
)
register(
    Kind(
        name="grant", kicker="Grant", link="Read the call", dated_by="closes", deadline="Closes {day}",
        section=ArchiveSection(
            folder="grants", title="Grants", description="Money to be had.", all="All grants", empty="None is open."
        ),
    )
)
register(
    Kind(
        name="course", kicker="Training", link="Sign up", words=("workshop",), dated_by="starts",
        section=ArchiveSection(folder="trainings", title="Trainings", description="Learn.", all="All trainings"),
    )
)
main()
"""
ITEMS = """kind,title,url,date,summary,topics,starts,closes
Episode,Renters win,https://example.org/pod/1,2022-10-05,"An hour with tenants.",housing,,
podcast,An old one,https://example.org/pod/0,2022-01-05,"Long ago.",housing,,
grant,Money for clinics,https://example.org/grant,2022-10-01,"Up to ten thousand.",housing,,2099-12-01
grant,Money that was,https://example.org/grant/old,2022-10-01,"It is gone.",housing,,2022-11-01
workshop,Budget school,https://example.org/course,2022-10-02,"Six evenings.",housing,2022-11-20,
"""


class Other:
    """The command line with the kinds of another program."""

    def __init__(self, desk: Desk) -> None:
        self.folder = desk.folder
        (self.folder / "ours.py").write_text(PROGRAM, encoding="utf-8")

    def run(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "ours.py", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)},
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def other(desk: Desk) -> Other:
    (desk.folder / "more.csv").write_text(ITEMS, encoding="utf-8")
    settings = desk.folder / "config.toml"
    text = settings.read_text(encoding="utf-8")
    plan = '{ heading = "📰 In the news", kinds = ["news"] },'
    assert plan in text
    more = '{ heading = "Listen", kinds = ["podcast"] }, { heading = "Act", kinds = ["grant", "course"] },'
    settings.write_text(text.replace(plan, f"{plan} {more}"), encoding="utf-8")
    found = Other(desk)
    assert "5 added" in found.run("items", "import", "more.csv")
    return found


def test_a_kind_that_is_added_is_collected_and_drafted(other: Other) -> None:
    added = ("--title", "Landlords answer", "--url", "https://example.org/pod/2", "--date", "2022-10-06")
    other.run("items", "add", "--kind", "podcast", *added)
    assert json.loads(other.run("items", "show", "landlords-answer", "--json"))["kind"] == "podcast"
    assert "renters-win" in other.run("items", "list", "--kind", "episode")
    assert "is not one of" in other.run("items", "list", "--kind", "podcats", code=2)
    other.run("draft", "network-download", "--date", "2022-11-12", "--since", "2022-10-01", "--all")
    draft = (other.folder / "issues" / "network-download-2022-11" / "issue.md").read_text(encoding="utf-8")
    listen, act = draft.partition("## Listen")[2].split("## Act")
    assert "[[landlords-answer]]" in listen
    assert "[[renters-win]]" in listen
    assert "- [[budget-school]]\n- [[money-for-clinics]]" in act


def test_a_kind_that_is_added_is_checked_mailed_and_archived(desk: Desk, other: Other) -> None:
    cards = ("renters-win", "money-for-clinics", "money-that-was", "budget-school")
    body = "\n## Listen\n\n" + "".join(f"[[{slug}]]\n\n" for slug in cards) + "- [[an-old-one]]\n"
    late = ISSUE.replace("date = 2022-10-12", "date = 2023-01-12")
    desk.write_issue(NAME, late + body)
    found = other.run("check", NAME, code=3)
    assert 'the grant "money-that-was" closed on 2022-11-01' in found
    assert 'the course "budget-school" was on 2022-11-20' in found
    desk.write_issue(NAME, ISSUE + body)
    other.run("render", NAME, "--output", "out")
    page, text = (next((other.folder / "out").rglob(f"*.{end}")).read_text(encoding="utf-8") for end in ("html", "txt"))
    for part in (page, text):
        for said in ("Podcast", "Listen to the episode", "Closes Dec 1, 2099", "Read the call", "Sign up"):
            assert said in part
        assert "Sunday, November 20, 2022" in part
    other.run("approve", NAME, "--by", "Ada")
    other.run("publish")
    site = other.folder / "archive"
    listed = (site / "podcasts" / "index.html").read_text(encoding="utf-8")
    for said in ("What we say aloud.", "Renters win", "An old one"):
        assert said in listed
    grants = (site / "grants" / "index.html").read_text(encoding="utf-8")
    assert "Money for clinics" in grants
    assert "Money that was" not in grants
    assert sorted(path.name for path in (site / "trainings").glob("*.ics")) == ["budget-school.ics", "calendar.ics"]
    front = html.parse(str(site / "index.html"))
    assert front.xpath('//header//a[@href="podcasts/index.html"]/text()') == ["Podcasts"]
    assert front.xpath('//a[@href="podcasts/index.html"][text()="All episodes"]')
    assert "Listen to the episode" in (site / NAME / "index.html").read_text(encoding="utf-8")
    assert "Renters win" in str(feedparser.parse((site / "feed.atom").read_bytes()).entries)
    assert "Renters win" in str(feedparser.parse((site / "topics" / "housing" / "feed.rss").read_bytes()).entries)


def test_a_kind_that_is_added_speaks_the_language_of_the_page(desk: Desk, other: Other) -> None:
    settings = desk.folder / "config.toml"
    settings.write_text(re.sub('(?m)^language = "en"', 'language = "es"', settings.read_text("utf-8")), "utf-8")
    desk.write_issue(NAME, f"{ISSUE}\n[[renters-win]]\n")
    other.run("render", NAME, "--output", "out")
    assert "Escuchar el episodio" in next((other.folder / "out").rglob("*.html")).read_text(encoding="utf-8")


def test_without_its_kind_an_item_is_one_line(desk: Desk, other: Other) -> None:
    desk.write_issue(NAME, f"{ISSUE}\n[[renters-win]]\n")
    assert other.run("compose", NAME)
    settings = desk.folder / "config.toml"
    settings.write_text(settings.read_text("utf-8").replace('kinds = ["podcast"]', 'kinds = ["news"]'), "utf-8")
    settings.write_text(settings.read_text("utf-8").replace('["grant", "course"]', '["job"]'), "utf-8")
    done = desk.run("render", NAME)
    assert done.returncode == 1
    assert '"podcast" is not a kind of item' in done.stderr
    assert "Traceback" not in done.stderr
    assert desk.run("items", "list").returncode == 0


@pytest.mark.parametrize(
    ("name", "words", "folder", "why"),
    [
        ("policy", (), "", "a kind of item already"),
        ("news", (), "", "a kind of item already"),
        ("webinar", (), "", "a kind of item already"),
        ("podcast", ("white paper",), "", "a kind of item already"),
        ("podcast", ("White-Paper",), "", 'write "White-Paper" as "white paper"'),
        ("Pod Cast", (), "", "not a kind's name"),
        ("a" * 21, (), "", "not a kind's name"),
        ("podcast", (), "search", "another folder"),
        ("podcast", (), "jobs", "another folder"),
        ("podcast", (), "2024", "not a folder's name"),
        ("podcast", (), "a/b", "not a folder's name"),
    ],
)
def test_a_kind_that_cannot_be_is_refused(name: str, words: tuple[str, ...], folder: str, why: str) -> None:
    section = ArchiveSection(folder=folder, title="T", description="D", all="A") if folder else None
    with pytest.raises(ValueError, match=re.escape(why)):
        register(Kind(name=name, kicker="K", link="L", words=words, section=section))
    assert name not in KINDS or name in ("news",)


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
def test_every_text_of_the_table_has_its_translation(kind: Kind) -> None:
    spanish = translations("es")
    for text in filter(None, kind.texts()):
        assert spanish.gettext(text) != text


def test_the_documents_name_every_kind() -> None:
    for name in ("docs/collect.md", "config.example.toml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert all(re.search(rf"\b{kind}\b", text) for kind in KINDS)


def test_a_kind_is_known_by_what_people_call_it() -> None:
    for said, name in (
        ("Press Release", "press"),
        ("white_paper", "report"),
        ("JOB-POSTING", "job"),
        (" News ", "news"),
    ):
        kind = kind_said(said)
        assert kind
        assert kind.name == name
    assert kind_said("poem") is None
    with pytest.raises(InputError, match="press"):
        kind_of("pres")
    assert is_site_folder("events")
    assert not is_site_folder("videos")


def test_no_module_and_no_template_knows_a_kind_by_its_name() -> None:
    names = "|".join(KINDS)
    compared = re.compile(
        rf"""kind\b[^\n"']{{0,12}}(==|!=|\bis\b|\bin\b)[^\n"']{{0,4}}["']({names})["']|case ["']({names})["']"""
    )
    files = [*(ROOT / "newsletter").rglob("*.py"), *(ROOT / "templates").rglob("*.j2")]
    found = [f"{path}: {match[0]}" for path in files for match in compared.finditer(path.read_text(encoding="utf-8"))]
    assert found == []
