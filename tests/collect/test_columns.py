"""Tables as people keep them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from newsletter.collect import items, transfer
from newsletter.collect.columns import keys_of
from newsletter.collect.forms import ITEM_KEYS
from newsletter.errors import InputError
from newsletter.store import Store
from tests.desk import NOW

HEADER = ("Headline", "Link", "Type", "Published", "Source", "Tags")
ROW = ("Rent board meets", "https://a.example/1?utm_source=n", "Press Release", "11/05/2026", "Times", "rent; repair")


def imported(store: Store, path: Path) -> transfer.Report:
    with store.write() as session:
        return transfer.import_file(session, path, "items", workspace=path.parent, now=NOW, tracking=("utm_*",))


def workbook(path: Path, *rows: tuple[str, ...]) -> Path:
    """A sheet as spreadsheets write it (ECMA-376), with its texts inline."""
    cells = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>" for row in rows
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/s.xml"/></Relationships>',
        )
        archive.writestr("xl/worksheets/s.xml", f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>')
    return path


@pytest.mark.parametrize("ending", ["csv", "tsv", "xlsx"])
def test_a_table_is_read_with_peoples_headers_and_words(store: Store, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"stories.{ending}"
    if ending == "xlsx":
        workbook(path, HEADER, ROW)
    else:
        mark = "," if ending == "csv" else "\t"
        path.write_text("\n".join(mark.join(cells) for cells in (HEADER, ROW)), encoding="utf-8")
    report = imported(store, path)
    assert (report.added, report.rejected) == (1, [])
    with store.read() as session:
        item = items.get(session, "rent-board-meets")
    assert (item.kind, item.url, str(item.date)) == ("press", "https://a.example/1", "2026-11-05")
    assert (item.outlet, item.topics) == ("Times", ("rent", "repair"))


def test_a_story_is_known_by_its_address_and_keeps_what_a_row_does_not_say(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("title,url,kind,date,outlet\nOne,https://a.example/1,news,2026-11-05,Times\n")
    imported(store, path)
    path.write_text("title,url,kind,date\nOne more,https://www.a.example/1/?utm_source=n,news,2026-11-05\n")
    report = imported(store, path)
    assert (report.added, report.updated) == (0, 1)
    with store.read() as session:
        assert [(item.title, item.outlet) for item in items.find(session)] == [("One more", "Times")]


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_rejected_rows_are_imported_once_they_are_put_right(store: Store, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    if ending == "csv":
        path.write_text("title,url,kind,date\nOne,https://[tbd].org,news,2026-11-05\n")
    else:
        path.write_text('[{"title": "One", "url": "https://[tbd].org", "kind": "news", "date": "2026-11-05"}]')
    rejects = imported(store, path).rejects_file
    assert rejects
    rejects.write_text(rejects.read_text().replace("https://[tbd].org", "https://a.example/1"))
    report = imported(store, rejects)
    assert (report.added, report.rejected) == (1, [])


def test_a_keys_own_name_counts_before_other_words() -> None:
    assert keys_of(["Headline", "title"], ITEM_KEYS) == ["headline", "title"]
    assert keys_of(["Web address", "E-mail"], ITEM_KEYS) == ["url", "e_mail"]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04broken", b"no workbook"])
def test_what_is_no_workbook_is_one_line(store: Store, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(data)
    with pytest.raises(InputError, match="workbook"):
        imported(store, path)
