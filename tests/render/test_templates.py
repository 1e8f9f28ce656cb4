from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.config import Config
from newsletter.errors import TemplateError
from newsletter.model import Rendered
from newsletter.render import render
from newsletter.render.mjml import MjmlError, check, compile_mjml
from tests.samples import FOLDERS, sample_config, sample_issue

PAGE = """<mjml lang="en">
  <mj-body>
    <mj-section><mj-column>
      {}
    </mj-column></mj-section>
  </mj-body>
</mjml>
"""
GOOD = '<mj-text><a href="{{ merge("unsubscribe_url") }}">Leave</a></mj-text>'


def with_template(name: str) -> Config:
    config = sample_config()
    publication = replace(config.publications["network-download"], template=name)
    return replace(config, publications={**config.publications, "network-download": publication})


def own(folder: Path, mjml: str, text: str = "{{ publication.name }}") -> Rendered:
    """The sample issue by a template of the workspace's own; MJML is on line 4 of its page."""
    (folder / "own").mkdir()
    (folder / "own" / "mail.mjml.j2").write_text(PAGE.replace("{}", mjml), encoding="utf-8")
    (folder / "own" / "mail.txt.j2").write_text(text, encoding="utf-8")
    return render(sample_issue(), with_template("own"), folders=(folder, *FOLDERS))


def test_a_workspaces_own_template_wins(tmp_path: Path) -> None:
    result = own(tmp_path, GOOD)
    assert "Leave</a>" in str(result.html)
    assert str(result.text) == "The Network Download\n"


def test_an_edited_template_is_read_again(tmp_path: Path) -> None:
    own(tmp_path, GOOD)
    (tmp_path / "own" / "mail.txt.j2").write_text("Changed, and longer", encoding="utf-8")
    assert (
        str(render(sample_issue(), with_template("own"), folders=(tmp_path, *FOLDERS)).text) == "Changed, and longer\n"
    )


@pytest.mark.parametrize(
    ("mjml", "file", "what"),
    [
        ("{{ isue.title }}", "mail.mjml.j2:4", "'isue' is undefined (did you mean \"issue\"?)"),
        ("{{ issue.hed }}", "mail.mjml.j2:4", "has no attribute 'hed'"),
        ("{% if %}", "mail.mjml.j2:4", "Expected an expression"),
        ("{{ issue.title|shout }}", "mail.mjml.j2:4", "No filter named 'shout'"),
        ("{{ 1 / 0 }}", "mail.mjml.j2:4", "division by zero"),
        ('{{ merge("frist_name") }}', "mail.mjml.j2:4", 'no merge field "frist_name"; did you mean "first_name"?'),
        ('{% include "base/layot.mjml.j2" %}', "mail.mjml.j2:4", 'did you mean "base/layout.mjml.j2"?'),
        ("<mj-txt>a</mj-txt>", "mail.mjml.j2:4", 'unknown MJML tag <mj-txt> (did you mean "mj-text"?)'),
        (
            '<mj-text colour="red">a</mj-text>',
            "mail.mjml.j2:4",
            'unknown attribute "colour" on <mj-text> (did you mean "color"?)',
        ),
        ('<mj-include path="x.mjml" />', "mail.mjml.j2:4", "include with Jinja"),
        ('<mj-image src="https://example.org/x.png" />', "mail.mjml.j2:4", '<mj-image> without "alt"'),
        ("<mj-text>a<br>b</mj-text>", "mail.mjml.j2:4", "<br> is not closed before </mj-text>"),
        ("<mj-text><p>a</mj-text>", "mail.mjml.j2:4", "<p> is not closed"),
        ("<mj-text>a &nbsp; b</mj-text>", "mail.mjml.j2:4", "&#160;"),
        ('<mj-text>\n"a" < "b"</mj-text>', "mail.mjml.j2:4", "MJML is XML"),
    ],
)
def test_a_fault_in_a_template_is_told_with_its_line(tmp_path: Path, mjml: str, file: str, what: str) -> None:
    with pytest.raises(TemplateError) as caught:
        own(tmp_path, mjml)
    assert caught.value.where == str(tmp_path / "own" / file)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fault_in_a_shared_piece_is_told_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "pieces.mjml.j2").write_text(
        "{% macro x() %}\n\n<mj-text wid='1'>a</mj-text>{% endmacro %}", encoding="utf-8"
    )
    with pytest.raises(TemplateError) as caught:
        own(tmp_path, '{% import "pieces.mjml.j2" as p %}{{ p.x() }}')
    assert caught.value.where == str(tmp_path / "pieces.mjml.j2:3")


def test_a_fault_in_the_text_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(TemplateError) as caught:
        own(tmp_path, GOOD, "a\nb\n{{ nothing }}")
    assert caught.value.where == str(tmp_path / "own" / "mail.txt.j2:3")


def test_a_fault_in_the_workspace_is_told_with_a_path_from_there(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "email"
    (folder / "own").mkdir(parents=True)
    (folder / "own" / "mail.mjml.j2").write_text("{{ nothing }}", encoding="utf-8")
    config = replace(with_template("own"), path=tmp_path / "config.toml")
    with pytest.raises(TemplateError, match=r"^templates/email/own/mail\.mjml\.j2:1: 'nothing' is undefined"):
        render(sample_issue(), config, folders=(folder, *FOLDERS))


def test_a_missing_template_is_told_with_the_nearest_name() -> None:
    with pytest.raises(TemplateError) as caught:
        render(sample_issue(), with_template("network-downlaod"), folders=FOLDERS)
    assert 'did you mean "network-download"?' in str(caught.value)
    assert "[publications.network-download]" in str(caught.value)


def test_a_template_without_its_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mail.mjml.j2").write_text(PAGE.format("<mj-text>a</mj-text>"), encoding="utf-8")
    with pytest.raises(TemplateError, match=r'no file "own/mail\.txt\.j2"'):
        render(sample_issue(), with_template("own"), folders=(tmp_path, *FOLDERS))


def test_mjml_begins_with_mjml() -> None:
    with pytest.raises(MjmlError, match="begins with <mjml>"):
        check("<html></html>")


def test_empty_mjml_is_told() -> None:
    with pytest.raises(MjmlError, match="MJML"):
        compile_mjml("")


def test_what_the_compiler_refuses_is_told() -> None:
    with pytest.raises(MjmlError, match="MJML"):
        compile_mjml("<mjml><mj-body></mj-body><mj-section></mj-section></mjml>")
