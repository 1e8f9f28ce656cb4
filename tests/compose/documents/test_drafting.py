"""An issue out of a document, by the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from newsletter.collect import items
from newsletter.compose.documents.references import with_references
from newsletter.model import Item
from tests.compose.documents import samples as made
from tests.desk import Desk


def written(desk: Desk, tmp_path: Path, *body: str, **more: Any) -> tuple[str, str]:
    source = tmp_path / "november.docx"
    source.write_bytes(made.docx(*body, **more))
    done = desk.run("draft", "network-download", "--date", "2022-11-12", "--from", str(source))
    assert done.returncode == 0, done.stderr
    return (desk.folder / done.stdout.strip()).read_text(encoding="utf-8"), done.stderr


def test_a_word_document_becomes_an_issue_that_composes(desk: Desk, tmp_path: Path) -> None:
    text, said = written(
        desk,
        tmp_path,
        made.paragraph(made.run("Heard at last"), style="Title"),
        made.paragraph(made.run("In the courts"), style="Heading1"),
        made.paragraph(made.link("hb1", "Eight cities, one judge"), made.run(" – the whole day.")),
        made.paragraph(made.run("See "), made.link("other", "a page"), made.run(".")),
        made.paragraph(made.picture("image", "A courthouse")),
        made.table(("State", "Cities"), ("FL", "8")),
        links={"hb1": "http://www.example.org/hb1/?utm_source=x", "other": "https://example.net/p"},
        comments=("Right?",),
        image=made.png(size=(400, 300)),
    )
    assert 'title = "The Network Download: Heard at last | Nov 2022"' in text
    assert "## In the courts\n\n[[hb1-hearing]] Eight cities, one judge\n> the whole day.\n" in text
    assert "![A courthouse](picture-1.png)" in text
    assert "Links to nothing stored: https://example.net/p" in said
    assert "Not as in the document: a comment is left out: “Right?”" in said
    issue = desk.space.compose("network-download-2022-11")
    (mail,) = desk.space.render(issue)
    html = str(mail.html)
    assert "Eight cities, one judge" in html
    assert "<table" in html
    assert "FL" in html


def test_only_what_is_stored_counts_as_a_stored_entry(desk: Desk, tmp_path: Path) -> None:
    _, said = written(desk, tmp_path, made.paragraph(made.run("Write [[slug]] where [[hb1-hearing]] stands.")))
    assert "with 0 pictures and 1 stored entry" in said


def test_what_only_a_draft_of_news_takes_is_refused_with_a_document(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Hi.\n", encoding="utf-8")
    done = desk.run("draft", "network-download", "--from", str(tmp_path / "a.md"), "--since", "2022-10-01")
    assert (done.returncode, "leave out --since" in done.stderr) == (1, True)


def test_a_document_that_is_not_there_writes_nothing(desk: Desk, tmp_path: Path) -> None:
    done = desk.run("draft", "workers-rights", "--date", "2022-11-12", "--from", str(tmp_path / "none.docx"))
    assert done.returncode == 1
    assert "none.docx" in done.stderr
    assert not (desk.folder / "issues" / "workers-rights-2022-11").exists()


def test_lists_of_links_become_rows_and_links_within_sentences_stay(desk: Desk) -> None:
    with desk.space.store.read() as session:
        stored = items.get(session, "hb1-hearing")

    def known(url: str) -> Item | None:
        return stored if "hb1" in url else None

    text = (
        "- [One](https://e.org/hb1)\n- [Two](<https://e.org/hb1(x)>): more\n\n- [One](https://e.org/hb1)\n- none\n\n"
        "Read [this](https://e.org/hb1) now.\n\n<https://e.org/hb1>\n\n[no](https://e.org/other)\n"
    )
    assert with_references(text, known) == (
        "- [[hb1-hearing]] One\n- [[hb1-hearing]] Two\n  > more\n\n- [One](https://e.org/hb1)\n- none\n\n"
        "Read [this](https://e.org/hb1) now.\n\n[[hb1-hearing]]\n\n[no](https://e.org/other)\n"
    )
