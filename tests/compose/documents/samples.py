"""Documents as people's programs save them, made for the tests: Word's files, Google Docs' exports, Outlook's pages."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape

from PIL import Image

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
_V = "urn:schemas-microsoft-com:vml"
_NAMES = (
    f'xmlns:w="{_W}" xmlns:r="{_R}" xmlns:wp="{_DRAWING}/wordprocessingDrawing" xmlns:a="{_DRAWING}/main" '
    f'xmlns:pic="{_DRAWING}/picture" xmlns:v="{_V}" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
)


def png(colour: str = "teal", size: tuple[int, int] = (40, 30)) -> bytes:
    """A picture."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def run(text: str, style: str = "") -> str:
    """Words of a paragraph."""
    return f'<w:r>{f"<w:rPr>{style}</w:rPr>" if style else ""}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def paragraph(*runs: str, style: str = "", numbered: int = 0, at_level: int = 0, more: str = "") -> str:
    """A paragraph, perhaps with a style or as an entry of a list, or with `more` properties."""
    known = f'<w:pStyle w:val="{style}"/>' if style else ""
    if numbered:
        known += f'<w:numPr><w:ilvl w:val="{at_level}"/><w:numId w:val="{numbered}"/></w:numPr>'
    known += more
    return f"<w:p>{f'<w:pPr>{known}</w:pPr>' if known else ''}{''.join(runs)}</w:p>"


def link(relation: str, text: str) -> str:
    """A link, whose address is in the relations."""
    return f'<w:hyperlink r:id="{relation}">{run(text)}</w:hyperlink>'


def inserted(text: str) -> str:
    """A tracked insertion."""
    return f'<w:ins w:id="90" w:author="Bo" w:date="2026-11-01T00:00:00Z">{run(text)}</w:ins>'


def deleted(text: str) -> str:
    """A tracked deletion."""
    return (
        '<w:del w:id="91" w:author="Bo" w:date="2026-11-01T00:00:00Z">'
        f'<w:r><w:delText xml:space="preserve">{text}</w:delText></w:r></w:del>'
    )


def picture(relation: str, alt: str = "", *, cut: str = "", turned: str = "", inside: str = "") -> str:
    """A picture within the line: what is cut off of it, how it's turned, what is said of it inside."""
    return (
        f'<w:r><w:drawing><wp:inline xmlns:wp="{_DRAWING}/wordprocessingDrawing">'
        f'<wp:docPr id="1" name="P" descr="{alt}"/>'
        f'<a:graphic xmlns:a="{_DRAWING}/main"><a:graphicData uri="{_DRAWING}/picture">'
        f'<pic:pic xmlns:pic="{_DRAWING}/picture"><pic:blipFill><a:blip r:embed="{relation}">{inside}</a:blip>'
        f"<a:srcRect {cut}/></pic:blipFill><pic:spPr><a:xfrm {turned}/></pic:spPr></pic:pic>"
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )


def cell(text: str, properties: str = "") -> str:
    """A cell of a table, with its properties."""
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(run(text))}</w:tc>"


def table(*rows: tuple[str, ...]) -> str:
    """A table of words, or of cells."""
    cells = ("".join(one if one.startswith("<w:tc>") else cell(one) for one in row) for row in rows)
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"


def commented(number: int, *runs: str) -> str:
    """Words that somebody has commented on."""
    return (
        f'<w:commentRangeStart w:id="{number}"/>{"".join(runs)}<w:commentRangeEnd w:id="{number}"/>'
        f'<w:r><w:commentReference w:id="{number}"/></w:r>'
    )


def docx(
    *body: str,
    links: dict[str, str] | None = None,
    comments: tuple[str, ...] = (),
    image: bytes | None = None,
    styles: str = "",
    numbering: str = "",
    related: dict[str, tuple[str, str]] | None = None,
    main: str = "word/document.xml",
) -> bytes:
    """A Word document of these paragraphs and tables; `related` has further parts, by name, of a kind and a text."""
    relations = [
        f'<Relationship Id="{name}" Type="{_R}/hyperlink" Target="{url}" TargetMode="External"/>'
        for name, url in (links or {}).items()
    ]
    relations.append(f'<Relationship Id="styles" Type="{_R}/styles" Target="styles.xml"/>')
    relations.append(f'<Relationship Id="numbers" Type="{_R}/numbering" Target="numbering.xml"/>')
    files: dict[str, str | bytes] = {
        "word/styles.xml": _styles(styles),
        "word/numbering.xml": _numbering(numbering),
        "_rels/.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="d" Type="{_R}/officeDocument" '
            f'Target="{main}"/></Relationships>'
        ),
        main: f"<w:document {_NAMES}><w:body>{''.join(body)}</w:body></w:document>",
    }
    for number, (name, (kind, text)) in enumerate((related or {}).items()):
        relations.append(f'<Relationship Id="more{number}" Type="{_R}/{kind}" Target="{name}"/>')
        if text:
            files[f"word/{name}"] = text
    if comments:
        relations.append(f'<Relationship Id="comments" Type="{_R}/comments" Target="comments.xml"/>')
        said = "".join(
            f'<w:comment w:id="{number}" w:author="Ana">{paragraph(run(words))}</w:comment>'
            for number, words in enumerate(comments)
        )
        files["word/comments.xml"] = f'<w:comments xmlns:w="{_W}">{said}</w:comments>'
    if image:
        relations.append(f'<Relationship Id="image" Type="{_R}/image" Target="media/image1.png"/>')
        files["word/media/image1.png"] = image
    files[f"word/_rels/{main.rpartition('/')[2]}.rels"] = (
        f'<Relationships xmlns="{_PACKAGE}/relationships">{"".join(relations)}</Relationships>'
    )
    files["[Content_Types].xml"] = (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="png" ContentType="image/png"/></Types>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _styles(more: str) -> str:
    named = {"Title": "Title", "Heading1": "heading 1", "Heading2": "heading 2"}
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/></w:style>'
        for key, name in named.items()
    )
    return f'<w:styles xmlns:w="{_W}">{styles}{more}</w:styles>'


def level(number: int, form: str, text: str, *, start: int = 1) -> str:
    """A level of a list: how it counts, and what is shown."""
    shown = f'<w:start w:val="{start}"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/>'
    return f'<w:lvl w:ilvl="{number}">{shown}</w:lvl>'


def counted(number: int, *levels: str) -> tuple[str, str]:
    """A list of these levels: its definition, and the list."""
    return (
        f'<w:abstractNum w:abstractNumId="{number}">{"".join(levels)}</w:abstractNum>',
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="{number}"/></w:num>',
    )


def part(kind: str, *paragraphs: str) -> str:
    """A part of the package, such as a page's header."""
    return f"<w:{kind} {_NAMES}>{''.join(paragraphs)}</w:{kind}>"


def _numbering(more: str) -> str:
    kinds = {1: "bullet", 2: "decimal"}
    lists = "".join(
        f'<w:abstractNum w:abstractNumId="{n}"><w:lvl w:ilvl="0"><w:numFmt w:val="{kind}"/></w:lvl></w:abstractNum>'
        for n, kind in kinds.items()
    )
    numbers = "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/></w:num>' for n in kinds)
    return f'<w:numbering xmlns:w="{_W}">{more}{lists}{numbers}</w:numbering>'


#: As Google Docs saves a web page: classes for bold and italic, wrapped links, a comment at the end.
GOOGLE = """<html><head><meta content="text/html; charset=UTF-8" http-equiv="content-type"><style type="text/css">
@import url('https://themes.googleusercontent.com/fonts/css?kit=x');
ol{margin:0;padding:0}.c1{font-weight:700}.c2{font-style:italic}.c3{color:#000000;font-size:11pt}
.lst-kix_a-0>li:before{content:"\\0025cf "}</style></head><body class="c3 doc-content">
<p class="c3 title" id="h.1"><span>November news</span></p>
<h1 class="c3" id="h.2"><span class="c1">Policy wins</span></h1>
<p class="c3"><span class="c3">Eight cities were </span><span class="c1">heard</span><span class="c3"> in court.</span>
<sup><a href="#cmnt1" id="cmnt_ref1">[a]</a></sup></p>
<p class="c3"><span><a class="c4" href="https://www.google.com/url?q=https://example.org/hb1%3Futm_source%3Dx&amp;sa=D">
Heard at last</a></span><span>: the whole story of the day.</span></p>
<ul class="lst-kix_a-0 start"><li class="c3"><span>One &amp; only</span></li></ul>
<ul class="lst-kix_a-1 start"><li class="c3"><span class="c2">within</span></li></ul>
<ul class="lst-kix_a-0"><li class="c3"><span>Two</span></li></ul>
<h2 class="c3"><span>The small print</span></h2>
<p class="c3"><span><img alt="" src="images/image1.png" title=""></span></p>
<div class="c5"><p class="c3"><a href="#cmnt_ref1" id="cmnt1">[a]</a>
<span>please check the number of cities</span></p></div>
</body></html>"""

#: As Outlook and Word save a page: conditional comments, lists of paragraphs, a layout table, a tracking picture.
OUTLOOK = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head>
<meta http-equiv=Content-Type content="text/html; charset=windows-1252">
<style><!-- p.MsoNormal {margin:0in; font-size:11.0pt} --></style>
<!--[if gte mso 9]><xml><o:shapedefaults v:ext="edit"/></xml><![endif]--></head><body lang=EN-US>
<table border=0 cellspacing=0><tr><td><p class=MsoNormal>Dear all,<o:p></o:p></p></td></tr></table>
<p class=MsoNormal><b>Jos\xe9</b> wrote:&nbsp;\x93the vote is 9\x967\x94.<o:p></o:p></p>
<p class=MsoListParagraph style='text-indent:-.25in;mso-list:l0 level1 lfo1'><![if !supportLists]><span
style='font-family:Symbol'><span style='mso-list:Ignore'>\xb7<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;
</span></span></span><![endif]>First point<o:p></o:p></p>
<p class=MsoListParagraph style='mso-list:l0 level2 lfo1'><span style='mso-list:Ignore'>o&nbsp;</span>a detail</p>
<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'>
<span style='mso-list:Ignore'>\xb7&nbsp;</span>Second point</p>
<p class=MsoNormal><a
href="https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fexample.org%2Fstory&amp;data=05">
read it</a></p>
<table border=1><tr><th>State</th><th>Cities</th></tr><tr><td>FL</td><td>8</td></tr></table>
<img width=1 height=1 src="https://track.example.org/open.gif"><p style="display:none">hidden words</p>
<p class=MsoNormal><img src="cid:image001.png@01D8" alt="our logo"></p></body></html>""".encode("latin-1")
