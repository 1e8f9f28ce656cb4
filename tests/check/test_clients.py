"""What mail programs don't support is pointed out, unless the message is as good without it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.check.clients import DEGRADES, css, features_of, html_, unsupported
from newsletter.check.rules import Subject
from newsletter.workspace import Workspace
from tests.desk import Desk

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("markup", "feature"),
    [
        ("<form></form>", "element form"),
        ("<video></video>", "element video"),
        ("<p><svg></svg>", "element svg"),
        ("<input type=checkbox>", "input checkbox"),
        ("<p style='display: flex'>", "declaration display:flex"),
        ("<p style='color:red;position:absolute'>", "property position"),
        ("<p style='width:calc(100% - 2rem)'>", "unit rem"),
        ("<p style='background:linear-gradient(red, blue)'>", "function linear-gradient"),
        ("<style>p::before{content:'x'}</style>", "pseudo ::before"),
        ("<style>@import url(x.css);</style>", "at-rule import"),
        ("<style>@media (hover: hover){p{color:red}}</style>", "media hover"),
    ],
)
def test_a_feature_is_seen_wherever_it_stands(markup: str, feature: str) -> None:
    assert feature in set(features_of(f"<html><body>{markup}</body></html>"))
    assert feature in unsupported() or feature == "input checkbox"


def test_what_only_outlook_reads_is_not_looked_at() -> None:
    assert "element form" not in set(features_of("<html><body><!--[if mso]><form></form><![endif]--></body></html>"))


def test_every_template_is_silent(space: Workspace) -> None:
    for template in space.templates():
        for publication, mail in space.render_specimens(template).items():
            issue = space.compose("network-download-2022-10")
            subject = Subject(issue=issue, variants=(mail,), config=space.config)
            assert [*css(subject), *html_(subject)] == [], (template, publication)


def test_a_template_of_ones_own_that_uses_them_is_not(desk: Desk) -> None:
    desk.run("templates", "copy", "network-download")
    path = desk.folder / "templates" / "email" / "network-download" / "mail.mjml.j2"
    text = path.read_text(encoding="utf-8")
    assert "<mj-text" in text
    added = '<mj-raw><form style="position:absolute"></form></mj-raw>\n'
    place = text.rindex("<mj-section")
    path.write_text(text[:place] + added + text[place:], encoding="utf-8")
    rules = {f["rule"] for f in json.loads(desk.run("check", "network-download-2022-10", "--json").stdout)}
    assert {"clients/css", "clients/html"} <= rules


def test_every_exception_is_one_that_the_table_needs() -> None:
    assert set(DEGRADES) <= set(unsupported())


@given(st.text(max_size=300))
def test_any_markup_is_survived(text: str) -> None:
    list(features_of(f"<html><head><style>{text}</style></head><body style='{text}'>{text}</body></html>"))


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refresh", ROOT / "scripts" / "refresh_client_support.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_made_of_the_packages_data_and_of_nothing_else(script: ModuleType) -> None:
    def entry(title: str, category: str, **outlook: str) -> dict[str, object]:
        return {
            "title": title,
            "category": category,
            "url": "https://x.example/",
            "stats": {"outlook": {"windows": outlook}},
        }

    data = {
        "last_update_date": "2026-01-02 03:04:05 +0000",
        "data": [
            entry("position", "css", v2007="n"),
            entry("mended", "css", v2007="n", v2026="y #1"),
            entry("left, right and top", "css", v2007="n"),
            entry("<video> element", "html", v2007="n #2"),
            entry("HTML5 semantics", "html", v2007="n"),
            entry("webp", "image", v2007="n"),
        ],
    }
    table = json.loads(script.table(data))
    assert table["updated"] == "2026-01-02"
    assert [row["feature"] for row in table["features"]] == [
        "element video",
        "property left",
        "property position",
        "property right",
        "property top",
    ]
    assert table["features"][0]["clients"] == ["Outlook on Windows"]
    assert script.table(data) == script.table(data)
