"""The mail as Outlook on Windows lays it out, with the official MJML to tell how wide things ought to be."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from newsletter.check.outlook import misfits, outlook_view
from newsletter.config import Config
from newsletter.model import Issue, Prose, Section
from newsletter.render import mjml_source, render
from newsletter.render.specimen import specimen
from tests.conftest import needed
from tests.samples import FOLDERS, sample_config, sample_issue, sample_round_up

#: The oracle: another version may count otherwise.
MJML = "mjml@4.15.3"
TEMPLATES = ("network-download", "press-bulletin", "state-download", "workers-rights")
_WIDTH = re.compile(r"width:(\d+)(?:\.\d+)?px")
_FOR_OUTLOOK = re.compile(r"<!--\[if mso[^\]]*\]>(.*?)<!\[endif\]-->", re.DOTALL)


def issues() -> list[tuple[str, Issue, Config]]:
    config = sample_config()
    publication = config.publications["network-download"]
    made = [("sample", sample_issue(), config), ("round-up", sample_round_up(), config)]
    for name in TEMPLATES:
        by = replace(publication, template=name)
        made.append((name, specimen(by), replace(config, publications={**config.publications, by.slug: by})))
    return made


EVERY = pytest.mark.parametrize(("issue", "config"), [made[1:] for made in issues()], ids=[m[0] for m in issues()])


def widths(page: str) -> list[int]:
    return [int(width) for comment in _FOR_OUTLOOK.findall(page) for width in _WIDTH.findall(comment)]


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """MJML as its makers have it, from npm, in a folder of its own."""
    if not shutil.which("npm"):
        needed("npm is not installed: no official MJML to compare with")
    folder = tmp_path_factory.mktemp("mjml")
    install = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), MJML]
    try:
        subprocess.run(install, check=True, capture_output=True, timeout=240)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        needed(f"npm can't install {MJML} here")

    def compiled(source: str) -> str:
        (folder / "in.mjml").write_text(source, encoding="utf-8")
        program = folder / "node_modules" / ".bin" / "mjml"
        command = [str(program), str(folder / "in.mjml"), "-s", "--config.validationLevel", "skip"]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    return compiled


@EVERY
def test_every_width_for_outlook_is_that_of_the_official_mjml(
    issue: Issue, config: Config, official: Callable[[str], str]
) -> None:
    source = mjml_source(issue, config, folders=FOLDERS)
    ours = widths(str(render(issue, config, folders=FOLDERS).html))
    assert ours == widths(official(source))
    assert len(ours) > 10


@EVERY
def test_nothing_is_wider_in_outlook_than_the_place_it_stands_in(issue: Issue, config: Config) -> None:
    found = list(misfits(str(render(issue, config, folders=FOLDERS).html)))
    assert [fault for fault in found if fault.width > fault.room] == []
    # What is narrower is one picture in its cell; columns fill theirs.
    assert all(fault.what.startswith("1 cell ") for fault in found)


def test_a_column_that_is_too_wide_is_seen_through_the_comments() -> None:
    page = (
        '<html><body><!--[if mso | IE]><table width="600" style="width:600px"><tr><td style="padding:0 8px">'
        '<table><tr><td style="width:300px">a</td><td style="width:300px">b</td></tr></table>'
        "</td></tr></table><![endif]-->"
        '<!--[if !mso]><!--><table width="900"><tr><td>c</td></tr></table><!--<![endif]--></body></html>'
    )
    assert "900" not in outlook_view(page)
    assert [(fault.width, fault.room) for fault in misfits(page)] == [(600, 584)]


def test_lists_have_their_marks_within_the_column_in_outlook() -> None:
    section = Section(heading="One", blocks=(Prose(markdown="- a\n\n1. b", line=1),), line=1)
    page = str(render(replace(sample_issue(), sections=(section,)), sample_config(), folders=FOLDERS).html)
    for tag in ("ul", "ol"):
        style = re.search(rf'<{tag}[^>]* style="([^"]*)"', page)
        assert style
        # Outlook before 2021 hangs the mark into the margin, and knows no padding on lists.
        assert "margin:0 0 14px 24px" in style[1]
        assert "padding:0" in style[1]
