"""A Word document comes in as Word shows it, and what can't be taken is said with its words."""

from __future__ import annotations

import io
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from newsletter.compose.documents import Document
from tests.compose.documents import samples as made
from tests.compose.documents.test_documents import read_bytes

RAISED = '<w:vertAlign w:val="superscript"/>'
FIELD = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'


@pytest.fixture
def word(tmp_path: Path) -> Any:
    def read_docx(*body: str, **more: Any) -> Document:
        return read_bytes(tmp_path, "a.docx", made.docx(*body, **more))

    return read_docx


def of(*runs: str) -> str:
    return made.paragraph(*runs)


def instruction(text: str) -> str:
    return f"<w:r><w:instrText>{text}</w:instrText></w:r>"


def halves() -> bytes:
    """A picture whose left half is green, and whose right half, red."""
    image = Image.new("RGB", (40, 20), "green")
    image.paste("red", (20, 0, 40, 20))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("hidden", "styles"),
    [
        (made.run(" not yet", "<w:vanish/>"), ""),
        (
            made.run(" not yet", '<w:rStyle w:val="desk"/>'),
            '<w:style w:type="character" w:styleId="desk"><w:name w:val="Desk"/><w:basedOn w:val="base"/></w:style>'
            '<w:style w:type="character" w:styleId="base"><w:name w:val="B"/><w:rPr><w:vanish/></w:rPr></w:style>',
        ),
        (f'<w:hyperlink r:id="l">{made.run(" not yet", "<w:vanish/>")}</w:hyperlink>', ""),
    ],
)
def test_hidden_text_is_never_taken(word: Any, hidden: str, styles: str) -> None:
    found = word(of(made.run("Vote."), hidden, made.run(" Come.")), styles=styles, links={"l": "https://e.org/s"})
    assert (found.markdown, found.notes) == ("Vote. Come.\n", ("hidden text is left out: “not yet”",))


def test_text_that_a_style_hides_and_its_run_shows_is_taken(word: Any) -> None:
    styles = '<w:style w:type="paragraph" w:styleId="Desk"><w:name w:val="Desk"/><w:rPr><w:vanish/></w:rPr></w:style>'
    shown, hidden = made.run("Shown", '<w:vanish w:val="0"/>'), made.run(" hidden")
    found = word(made.paragraph(shown, hidden, style="Desk"), styles=styles)
    assert (found.markdown, found.notes) == ("Shown\n", ("hidden text is left out: “hidden”",))


def test_a_hidden_row_of_a_table_is_left_out(word: Any) -> None:
    row = f"<w:tr><w:trPr><w:hidden/></w:trPr>{made.cell('Mallory')}{made.cell('7')}</w:tr>"
    found = word(made.table(("Name", "Votes"), ("Ann", "9")).replace("</w:tbl>", f"{row}</w:tbl>"))
    assert "Mallory" not in found.markdown
    assert found.notes == ("a table's hidden row is left out: “Mallory 7”",)


@pytest.mark.parametrize(
    ("cut", "turned", "size", "left"),
    [
        ('r="50000"', "", (20, 20), (0, 128, 0)),
        ('l="50%"', "", (20, 20), (255, 0, 0)),
        ('t="25000" b="25000"', "", (40, 10), (0, 128, 0)),
        ('l="-10000"', "", (40, 20), (0, 128, 0)),
        ("", 'rot="5400000"', (20, 40), (0, 128, 0)),
        ("", 'rot="10800000"', (40, 20), (255, 0, 0)),
        ("", 'flipH="1"', (40, 20), (255, 0, 0)),
        ('r="50000"', 'rot="16200000"', (20, 20), (0, 128, 0)),
    ],
)
def test_a_picture_is_cut_and_turned_as_the_document_shows_it(
    word: Any, cut: str, turned: str, size: tuple[int, int], left: tuple[int, int, int]
) -> None:
    found = word(of(made.picture("image", "A field", cut=cut, turned=turned)), image=halves())
    image = Image.open(io.BytesIO(found.pictures[0].data)).convert("RGB")
    assert image.size == size
    assert image.getpixel((0, 0)) == left


def test_an_old_picture_is_cut_as_the_document_shows_it(word: Any) -> None:
    shape = '<v:shape alt="A field" style="rotation:90"><v:imagedata r:id="image" cropright="32768f"/></v:shape>'
    found = word(of(f"<w:r><w:pict>{shape}</w:pict></w:r>"), image=halves())
    image = Image.open(io.BytesIO(found.pictures[0].data))
    assert (found.markdown, image.size) == ("![A field](picture-1.png)\n", (20, 20))


def test_a_picture_that_is_cut_to_a_shape_is_said(word: Any) -> None:
    cut = made.picture("image", "A face").replace("<a:xfrm />", '<a:xfrm/><a:prstGeom prst="ellipse"/>')
    found = word(of(cut), image=made.png())
    assert found.notes == (
        "a picture was cut to a shape in the document, and is taken with what was cut off, at “A face”",
    )


@pytest.mark.parametrize(
    ("text", "properties", "shown"),
    [
        ("6", RAISED, "10⁶"),
        ("−3", RAISED, "10⁻³"),
        ("2", '<w:vertAlign w:val="subscript"/>', "10₂"),
        ("6", '<w:position w:val="8"/>', "10⁶"),
        ("6", '<w:rStyle w:val="up"/>', "10⁶"),
        ("th", RAISED, "10th"),
        ("2.5", RAISED, "10^2.5"),
    ],
)
def test_what_is_raised_is_no_digit_of_the_number(word: Any, text: str, properties: str, shown: str) -> None:
    styles = f'<w:style w:type="character" w:styleId="up"><w:name w:val="Up"/><w:rPr>{RAISED}</w:rPr></w:style>'
    found = word(of(made.run("It cost 10"), made.run(text, properties), made.run(" dollars.")), styles=styles)
    assert found.markdown == f"It cost {shown} dollars.\n"
    assert bool(found.notes) == ("^" in shown)


@pytest.mark.parametrize("properties", ["<w:strike/>", "<w:dstrike/>", '<w:rStyle w:val="gone"/>'])
def test_struck_words_stay_struck(word: Any, properties: str) -> None:
    styles = '<w:style w:type="character" w:styleId="gone"><w:name w:val="x"/><w:rPr><w:strike/></w:rPr></w:style>'
    assert word(of(made.run("$50", properties), made.run(" now $40")), styles=styles).markdown == "~~$50~~ now $40\n"


@pytest.mark.parametrize(
    ("checked", "inside", "sign"),
    [("1", made.run("☒"), "☒"), ("0", made.run("☐"), "☐"), ("true", "", "☒"), ("0", "", "☐")],
)
def test_check_boxes_say_yes_and_no(word: Any, checked: str, inside: str, sign: str) -> None:
    box = (
        f'<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="{checked}"/></w14:checkbox></w:sdtPr>'
        f"<w:sdtContent>{inside}</w:sdtContent></w:sdt>"
    )
    assert word(of(box, made.run(" It passed"))).markdown == f"{sign} It passed\n"


@pytest.mark.parametrize(("value", "sign"), [("1", "☒"), ("0", "☐")])
def test_check_boxes_of_old_forms_say_yes_and_no(word: Any, value: str, sign: str) -> None:
    box = f'<w:ffData><w:checkBox><w:default w:val="{value}"/></w:checkBox></w:ffData>'
    field = f'<w:r><w:fldChar w:fldCharType="begin">{box}</w:fldChar></w:r>'
    form = field + instruction(" FORMCHECKBOX ") + FIELD.format("end")
    assert word(of(form, made.run(" It passed"))).markdown == f"{sign} It passed\n"


START, ON = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        ((("State", "For", "No"), (made.cell("TX", START), "12", "3"), (made.cell("", ON), "9", "6")), "| | 9 | 6 |"),
        ((("State", "For", "No"), ("TX", made.cell("12", START), "3"), ("CA", made.cell("", ON), "6")), "| CA | | 6 |"),
        ((("State", "For", "No"), ("TX", "1", made.cell("3", START)), ("CA", "2", made.cell("", ON))), "| CA | 2 | |"),
        (
            (
                ("A", "B", "C"),
                (made.cell("x", '<w:gridSpan w:val="2"/>' + START), "1"),
                (made.cell("", '<w:gridSpan w:val="2"/>' + ON), "2"),
            ),
            "| | | 2 |",
        ),
    ],
)
def test_figures_beside_merged_cells_stay_in_their_columns(word: Any, rows: Any, last: str) -> None:
    found = word(made.table(*rows))
    assert found.markdown.rstrip().split("\n")[-1] == last
    assert "merged cells are taken apart" in found.notes[0]


def test_a_row_that_begins_at_a_later_column_stays_there(word: Any) -> None:
    row = f'<w:tr><w:trPr><w:gridBefore w:val="1"/></w:trPr>{made.cell("9")}{made.cell("6")}</w:tr>'
    found = word(made.table(("State", "For", "No"), ("TX", "1", "2")).replace("</w:tbl>", f"{row}</w:tbl>"))
    assert found.markdown.endswith("| | 9 | 6 |\n")


def test_lists_keep_their_numbers_across_paragraphs(word: Any) -> None:
    def entry(text: str) -> str:
        return made.paragraph(made.run(text), numbered=2)

    found = word(entry("Call"), entry("Ask"), of(made.run("It's free.")), entry("Sign"), of(made.run("As in step 3.")))
    assert found.markdown == "1. Call\n2. Ask\n\nIt's free.\n\n3. Sign\n\nAs in step 3.\n"


@pytest.mark.parametrize(
    ("levels", "entries", "markdown"),
    [
        ([made.level(0, "decimal", "%1.", start=5)], [0, 0], "5. w\n6. w\n"),
        ([made.level(0, "decimal", "(%1)")], [0, 0], "1. w\n2. w\n"),
        ([made.level(0, "lowerLetter", "%1)")], [0, 0], "- a) w\n- b) w\n"),
        ([made.level(0, "upperRoman", "%1.", start=3)], [0, 0], "- III. w\n- IV. w\n"),
        ([made.level(0, "decimal", "Article %1:")], [0, 0], "- Article 1: w\n- Article 2: w\n"),
        (
            [made.level(0, "decimal", "%1."), made.level(1, "decimal", "%1.%2.")],
            [0, 1, 1, 0, 1],
            "1. w\n   - 1.1. w\n   - 1.2. w\n2. w\n   - 2.1. w\n",
        ),
        ([made.level(0, "none", "")], [0], "w\n"),
    ],
)
def test_lists_count_as_word_shows_it(word: Any, levels: list[str], entries: list[int], markdown: str) -> None:
    numbering = "".join(made.counted(9, *levels))
    body = [made.paragraph(made.run("w"), numbered=9, at_level=level) for level in entries]
    assert word(*body, numbering=numbering).markdown == markdown


def test_a_check_list_keeps_its_boxes(word: Any) -> None:
    numbering = "".join(made.counted(9, made.level(0, "bullet", "☐")))
    assert word(made.paragraph(made.run("Call"), numbered=9), numbering=numbering).markdown == "- ☐ Call\n"


def test_a_list_that_begins_anew_is_one_of_its_own(word: Any) -> None:
    again = (
        '<w:num w:numId="8"><w:abstractNumId w:val="2"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>'
    )
    body = [made.paragraph(made.run(text), numbered=number) for text, number in (("a", 2), ("b", 2), ("c", 8))]
    assert word(*body, numbering=again).markdown == "1. a\n2. b\n\n1) c\n"


def test_headings_and_styles_that_count_keep_their_numbers(word: Any) -> None:
    numbering = "".join(made.counted(9, made.level(0, "decimal", "%1.")))
    style = (
        '<w:style w:type="paragraph" w:styleId="House"><w:name w:val="House"/><w:basedOn w:val="Heading2"/>'
        '<w:pPr><w:numPr><w:numId w:val="9"/></w:numPr></w:pPr></w:style>'
    )
    body = [made.paragraph(made.run(text), style="House") for text in ("Wages", "Leave")]
    assert word(*body, numbering=numbering, styles=style).markdown == "## 1\\. Wages\n\n## 2\\. Leave\n"


@pytest.mark.parametrize(
    ("paragraph", "markdown"),
    [
        (made.paragraph(made.run("Own"), style="Own"), "## Own\n"),
        (made.paragraph(made.run("Own"), more='<w:outlineLvl w:val="0"/>'), "## Own\n"),
        (made.paragraph(made.run("Own"), style="Contents"), "Own\n"),
        (made.paragraph(made.run("Own"), style="Heading1", more='<w:outlineLvl w:val="9"/>'), "Own\n"),
    ],
)
def test_headings_are_what_word_calls_headings(word: Any, paragraph: str, markdown: str) -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="Own"><w:name w:val="News Head"/><w:basedOn w:val="Heading1"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="Contents"><w:name w:val="TOC Heading"/><w:basedOn w:val="Heading1"/>'
        '<w:pPr><w:outlineLvl w:val="9"/></w:pPr></w:style>'
    )
    found = word(of(made.run("First.")), paragraph, styles=styles)
    assert found.markdown == f"First.\n\n{markdown}"


@pytest.mark.parametrize(
    ("inside", "markdown"),
    [
        ('<w:fldSimple w:instr="REF x"><w:r><w:t>the clerk</w:t></w:r></w:fldSimple>', "Ask the clerk now\n"),
        (f"<w:bdo><w:dir><w:smartTag>{made.run('the clerk')}</w:smartTag></w:dir></w:bdo>", "Ask the clerk now\n"),
        (
            '<w:fldSimple w:instr=\'HYPERLINK "https://e.org/c" \\o "tip"\'>'
            f"{made.run('the clerk')}</w:fldSimple>",
            "Ask [the clerk](https://e.org/c) now\n",
        ),
        (
            FIELD.format("begin") + instruction('HYPERLINK "https://e.org/c" \\l "place" \\o "tip"')
            + FIELD.format("separate") + made.run("the clerk") + FIELD.format("end"),
            "Ask [the clerk](https://e.org/c#place) now\n",
        ),
        (
            FIELD.format("begin") + instruction("IF") + FIELD.format("begin") + instruction("MERGEFIELD X")
            + FIELD.format("separate") + made.run("inner") + FIELD.format("end") + instruction("= 1")
            + FIELD.format("separate") + made.run("the clerk") + FIELD.format("end"),
            "Ask the clerk now\n",
        ),
        (
            "<w:r><w:ruby><w:rt><w:r><w:t>kan</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢</w:t></w:r></w:rubyBase>"
            "</w:ruby></w:r>",
            "Ask 漢 (kan) now\n",
        ),
        ("<w:r><w:t>a</w:t><w:cr/><w:t>b</w:t></w:r>", "Ask a\\\nb now\n"),
        ('<w:r><w:br w:type="page"/></w:r>', "Ask\n\nnow\n"),
        ('<w:r><w:t>a.</w:t><w:br w:type="column"/><w:t>B</w:t></w:r>', "Ask a.\n\nB now\n"),
        ('<w:r><w:sym w:font="Wingdings" w:char="F0E0"/></w:r>', "Ask → now\n"),
        (made.run("à", '<w:rFonts w:ascii="Wingdings" w:hAnsi="Wingdings"/>'), "Ask → now\n"),
        ('<w:r><w:pict><v:shape><v:textpath string="the clerk"/></v:shape></w:pict></w:r>', "Ask the clerk now\n"),
    ],
)  # fmt: skip
def test_words_come_from_wherever_word_keeps_them(word: Any, inside: str, markdown: str) -> None:
    found = word(of(made.run("Ask "), inside, made.run(" now")))
    assert (found.markdown, found.notes) == (markdown, ())


def test_a_document_within_the_document_is_taken_as_words(word: Any) -> None:
    found = word(
        of(made.run("Before.")),
        '<w:altChunk r:id="more0"/>',
        of(made.run("After.")),
        related={"chunk.htm": ("aFChunk", "<html><body><p>One</p><p>Two</p></body></html>")},
    )
    assert found.markdown == "Before.\n\nOne\n\nTwo\n\nAfter.\n"
    assert found.notes == ("a document within this one is taken as plain words: “One Two”",)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (made.picture("none", "Ann"), "a picture isn't taken, it isn't in the document, at “Ann”"),
        (made.picture("more0", "Ann"), "a picture isn't taken, it isn't in the document, at “Ann”"),
        (made.link("none", "the clerk"), "a link has no address in the document, at “the clerk”"),
        ('<w:r><w:footnoteReference w:id="7"/></w:r>', "a footnote's words aren't in the document, at “Words.”"),
        ("<m:oMath><m:r><m:t>E=mc</m:t></m:r></m:oMath>", "a formula can't be taken, at “E=mc”"),
    ],
)
def test_what_is_missing_costs_no_more_than_itself(word: Any, body: str, said: str) -> None:
    found = word(of(made.run("Words."), body), related={"media/none.png": ("image", "")})
    assert found.markdown.startswith("Words.")
    assert found.notes == (said,)


@pytest.mark.parametrize("mark", ["begin", "separate", "end"])
def test_half_a_field_takes_no_words_with_it(word: Any, mark: str) -> None:
    found = word(
        of(made.run("One"), FIELD.format(mark), instruction(" PAGE "), made.run(" two")), of(made.run("Three"))
    )
    assert found.markdown == "One two\n\nThree\n"


def test_what_stands_on_each_page_is_said(word: Any) -> None:
    header = made.part("hdr", of(made.run("EMBARGOED")))
    found = word(of(made.run("Words.")), related={"header1.xml": ("header", header)})
    assert found.notes == ("what stands at the head of each page is left out: “EMBARGOED”",)


def test_what_was_moved_is_taken_once_and_said(word: Any) -> None:
    moved = '<w:moveFrom w:id="1">{0}</w:moveFrom>{1}<w:moveTo w:id="2">{0}</w:moveTo>'
    found = word(of(moved.format(made.run("Moved."), made.run("Stays. "))))
    assert found.markdown == "Stays. Moved.\n"
    assert found.notes == ("a tracked change: what was moved is taken at its new place: “Moved.”",)


def test_a_field_that_nobody_has_filled_in_is_no_text(word: Any) -> None:
    control = (
        "<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr>"
        f"<w:sdtContent>{made.run('Click here to enter text.')}</w:sdtContent></w:sdt>"
    )
    found = word(of(made.run("Name: "), control))
    assert found.markdown == "Name:\n"
    assert found.notes == ("a field that nobody has filled in is left out: “Click here to enter text.”",)


def test_a_document_is_read_whatever_its_main_part_is_called(word: Any) -> None:
    assert word(of(made.run("Words.")), main="word/document2.xml").markdown == "Words.\n"


def test_a_heading_below_other_words_stays_in_its_place(word: Any) -> None:
    found = word(of(made.run("First.")), made.paragraph(made.run("Midway"), style="Heading1"), of(made.run("Below.")))
    assert (found.title, found.markdown) == ("", "First.\n\n## Midway\n\nBelow.\n")


@pytest.mark.parametrize(
    "rule",
    [
        made.paragraph(made.run("Above"), more='<w:pBdr><w:bottom w:val="single"/></w:pBdr>'),
        made.paragraph(made.run("Above"), '<w:r><w:pict><v:rect o:hr="t"/></w:pict></w:r>'),
        made.paragraph(made.run("Above")) + made.paragraph(more='<w:pBdr><w:top w:val="single"/></w:pBdr>'),
    ],
)
def test_rules_stay_rules(word: Any, rule: str) -> None:
    assert word(rule, of(made.run("Below"))).markdown == "Above\n\n* * *\n\nBelow\n"


def test_a_video_keeps_its_address(word: Any) -> None:
    video = (
        '<x:webVideoPr xmlns:x="urn:x" embeddedHtml="&lt;iframe src=&quot;https://v.example.org/a?b=1&amp;amp;c=2&quot;'
        '&gt;"/>'
    )
    found = word(of(made.picture("image", "Our video", inside=video)), image=made.png())
    assert found.markdown == "[![Our video](picture-1.png)](https://v.example.org/a?b=1&c=2)\n"


@pytest.mark.parametrize(
    "alt",
    [
        "A picture containing sky&#10;&#10;Description automatically generated with low confidence",
        "Ein Bild, das Himmel enthält.&#10;&#10;KI-generierte Inhalte können fehlerhaft sein.",
        "Imagen que contiene cielo&#10;Descripción generada automáticamente",
    ],
)
def test_a_description_by_a_program_is_asked_for_anew(word: Any, alt: str) -> None:
    found = word(of(made.picture("image", alt)), image=made.png())
    assert "TK what the picture shows" in found.markdown
    assert "a program's own description of a picture is left out" in found.notes[0]


def test_words_and_pictures_of_a_text_box_come_once(word: Any) -> None:
    inside = f"<w:txbxContent>{of(made.run('Boxed.'), made.picture('image', 'Ann'))}</w:txbxContent>"
    box = (
        '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:inline><wp:docPr id="7" name="T"/>'
        f"<a:graphic><a:graphicData><wps:wsp><wps:txbx>{inside}</wps:txbx></wps:wsp></a:graphicData></a:graphic>"
        f"</wp:inline></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox>{inside}</v:textbox></v:shape>"
        "</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    found = word(of(made.run("Before."), box), image=made.png())
    assert found.markdown == "Before.\n\nBoxed.\n\n![Ann](picture-1.png)\n"


#: Wherever Word keeps words; each § is a word of its own.
_RUNS = (
    *(made.run("§"), made.run("§", "<w:vanish/>"), made.run("§", RAISED), made.run("§", '<w:rStyle w:val="none"/>')),
    *(made.link("none", "§"), made.link("l", "§"), made.inserted("§"), made.deleted("§")),
    f'<w:fldSimple w:instr="PAGE">{made.run("§")}</w:fldSimple>',
    f'<w:fldSimple w:instr="HYPERLINK &quot;https://e.org/&quot;">{made.run("§")}</w:fldSimple>',
    FIELD.format("begin") + instruction("IF") + FIELD.format("separate") + made.run("§") + FIELD.format("end"),
    f"<w:sdt><w:sdtPr/><w:sdtContent>{made.run('§')}</w:sdtContent></w:sdt>",
    f"<w:moveTo>{made.run('§')}</w:moveTo>",
    f"<w:bdo><w:customXml>{made.run('§')}</w:customXml></w:bdo>",
    f"<w:r><w:ruby><w:rt>{made.run('§')}</w:rt><w:rubyBase>{made.run('§')}</w:rubyBase></w:ruby></w:r>",
    '<w:r><w:t>§</w:t><w:br w:type="page"/><w:t>§</w:t><w:cr/><w:t>§</w:t><w:tab/><w:br/></w:r>',
    f"<w:r><w:pict><v:shape><v:textbox><w:txbxContent>{of(made.run('§'))}</w:txbxContent></v:textbox></v:shape>"
    "</w:pict></w:r>",
    '<w:r><w:pict><v:shape><v:textpath string="§"/></v:shape></w:pict></w:r>',
    '<w:r><w:footnoteReference w:id="4"/></w:r><w:r><w:commentReference w:id="4"/></w:r>',
    "<m:oMath><m:r><m:t>§</m:t></m:r></m:oMath>",
    *(made.picture("image", "§"), made.picture("none", "§")),
    *(FIELD.format("begin") + instruction("PAGE") + made.run("§"), FIELD.format("end") + made.run("§")),
)
_RUN = st.lists(st.sampled_from(_RUNS), min_size=1, max_size=3).map("".join)
_PARAGRAPH = st.builds(
    made.paragraph,
    _RUN,
    style=st.sampled_from(["", "Title", "Heading1", "Heading2", "Quote", "none"]),
    numbered=st.sampled_from([0, 0, 1, 2, 7]),
    at_level=st.sampled_from([0, 1, 8]),
)
_TABLE = st.builds(
    lambda one, other, merged: made.table(
        (made.cell("§"), made.cell("§", merged)), (f"<w:tc>{one}</w:tc>", f"<w:tc>{other}</w:tc>")
    ),
    _PARAGRAPH,
    _PARAGRAPH,
    st.sampled_from(["", START, '<w:gridSpan w:val="2"/>']),
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.one_of(_PARAGRAPH, _TABLE), min_size=1, max_size=4))
def test_no_word_of_a_document_disappears_without_a_note(pieces: list[str]) -> None:
    body, count = "".join(pieces), 0
    while "§" in body:
        body, count = body.replace("§", f"w{count}w", 1), count + 1
    with TemporaryDirectory() as folder:
        data = made.docx(body, links={"l": "https://e.org/"}, image=made.png())
        found = read_bytes(Path(folder), "a.docx", data)
    said = f"{found.markdown} {found.title} {' '.join(found.notes)}"
    assert {f"w{number}w" for number in range(count)} <= set(re.findall(r"w\d+w", said))
