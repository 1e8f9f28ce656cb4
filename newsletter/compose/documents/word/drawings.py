"""Pictures, text boxes and other drawings of a Word document, each in the form in which mammoth takes it."""

from __future__ import annotations

import html
import re
from collections.abc import Generator, Iterator
from typing import Any

from lxml import etree

from newsletter.compose.documents.cropping import Shown, as_shown
from newsletter.compose.documents.excerpt import at, short
from newsletter.compose.documents.word.package import MC, OFFICE, PIC, WP, A, Package, Part, R, V, W, words
from newsletter.compose.documents.word.styles import element, text_run

_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
#: What can't be taken, and what people call it.
_LOST = {
    f"{{{_DRAWING}/chart}}chart": "a chart",
    f"{{{_DRAWING}/diagram}}relIds": "a diagram",
    "{http://schemas.microsoft.com/office/drawing/2014/chartex}chart": "a chart",
    f"{W}contentPart": "a drawing by hand",
    "{http://schemas.microsoft.com/office/word/2010/wordprocessingInk}contentPart": "a drawing by hand",
    f"{W}control": "a control",
}
_WHOLE = 100_000
#: Outlines of pictures that cut nothing off.
_PLAIN = ("", "rect", "roundRect")
#: What Word writes for an alternative text that nobody wrote, by its languages.
_MACHINE = re.compile(
    r"automatically generated|generad\w+ automáticamente|automatisch (?:generiert|erstellt|gegenereerd)"
    r"|générée? automatiquement|gerad\w+ automaticamente|generat\w+ automaticamente"
    r"|AI[- ]generated content|KI-generierte|generado por IA|généré par l.IA|gerado por IA",
    re.IGNORECASE,
)


def taken(package: Package, part: Part) -> Iterator[str]:
    """Each drawing as mammoth takes it, with its pictures as they're shown; notes on what isn't taken."""
    for choice in list(part.root.iter(f"{MC}AlternateContent")):
        _chosen(choice)
    for drawing in list(part.root.iter(f"{W}drawing")):
        yield from _drawing(package, part, drawing)
    for picture in list(part.root.iter(f"{V}imagedata")):
        yield from _old_picture(package, part, picture)
    for text in list(part.root.iter(f"{V}textpath")):
        run = next(text.iterancestors(f"{W}r"), None)
        if run is not None and text.get("string"):
            run.append(text_run(str(text.get("string")))[0])


def rules(root: Any) -> None:
    """Rules for those that somebody drew, and for the lines that Word draws below, or above, a paragraph in which
    somebody typed three hyphens.
    """
    for rule in list(root.iter(f"{V}rect")):
        paragraph = next(rule.iterancestors(f"{W}p"), None)
        if rule.get(f"{OFFICE}hr") in ("t", "true", "1") and paragraph is not None:
            _rule_after(paragraph)
    for paragraph in list(root.iter(f"{W}p")):
        _border(paragraph)


def _chosen(choice: Any) -> None:
    """The newer form of a drawing in its place, where it has what can be taken, or is said; else the older one."""
    newer, older = choice.find(f"{MC}Choice"), choice.find(f"{MC}Fallback")
    picked = next((one for one in (newer, older) if one is not None and _holds_something(one)), newer)
    parent = choice.getparent()
    place = parent.index(choice)
    parent[place : place + 1] = list(picked) if picked is not None else []


def _holds_something(drawing: Any) -> bool:
    charts = (name for name, called in _LOST.items() if called in ("a chart", "a diagram"))
    return next(drawing.iter(f"{W}t", f"{A}blip", f"{V}imagedata", f"{V}textpath", *charts), None) is not None


def _drawing(package: Package, part: Part, drawing: Any) -> Iterator[str]:
    """A drawing as its pictures, and its text boxes after the paragraph."""
    properties = drawing.find(f".//{WP}docPr")
    beside = words(next(drawing.iterancestors(f"{W}p"), drawing))
    known = properties.attrib if properties is not None else {}
    alt = str(known.get("descr") or known.get("title") or "")
    if known.get("hidden") in ("1", "true"):
        yield "a hidden picture is left out" + at(alt or beside)
        drawing.getparent().remove(drawing)
        return
    lost = [called for name, called in _LOST.items() if next(drawing.iter(name), None) is not None]
    yield from (f"{called} can't be taken" + at(alt or beside) for called in lost)
    if _MACHINE.search(alt):
        yield f"a program's own description of a picture is left out: “{short(alt)}”"
        alt = ""
    link = next((str(one.get(f"{R}id")) for one in drawing.iter(f"{A}hlinkClick")), "")
    made = []
    blips = [blip for blip in drawing.iter(f"{A}blip") if next(blip.iterancestors(f"{W}drawing"), None) is drawing]
    for blip in blips:
        relation, note = yield from _picture(package, part, blip, alt or beside)
        if relation:
            made.append(_inline(part, relation, alt, _video(part, blip) or link))
        elif note:
            yield note
    boxes = [box for box in drawing.iter(f"{W}txbxContent") if next(box.iterancestors(f"{W}txbxContent"), None) is None]
    if not blips and not boxes and not lost and alt:
        yield "a drawing can't be taken" + at(alt)
    if boxes:
        made.append(element("pict"))
        etree.SubElement(made[-1], f"{V}textbox").extend(boxes)
    parent = drawing.getparent()
    place = parent.index(drawing)
    parent[place : place + 1] = made


def _picture(package: Package, part: Part, blip: Any, beside: str) -> Generator[str, None, tuple[str, str]]:
    """The relation under which a picture is found as it's shown, and a note; a generator of further notes."""
    relation = part.relations.get(str(blip.get(f"{R}embed")))
    if relation is None or relation.external or relation.target not in package.files:
        outside = part.relations.get(str(blip.get(f"{R}link")))
        away = f" ({outside.target})" if outside is not None and outside.target.startswith("http") else ""
        return "", f"a picture isn't taken, it isn't in the document{away}" + at(beside)
    shape = next((one for one in blip.iterancestors() if one.tag.endswith(("}pic", "}wsp"))), None)
    if shape is not None:
        outline = shape.find(f".//{A}prstGeom")
        form = str(outline.get("prst") or "") if outline is not None else ""
        if form not in _PLAIN or shape.find(f".//{A}custGeom") is not None:
            yield "a picture was cut to a shape in the document, and is taken with what was cut off" + at(beside)
    shown = _shown(blip, shape)
    if shown.is_whole:
        return str(blip.get(f"{R}embed")), ""
    return _kept(package, part, relation.target, shown), ""


def _kept(package: Package, part: Part, name: str, shown: Shown) -> str:
    """A file with the picture as it's shown; its relation."""
    made = as_shown(package.files[name], shown)
    ending = (
        "png" if made.startswith(b"\x89PNG") else "jpg" if made.startswith(b"\xff\xd8") else name.rpartition(".")[2]
    )
    target = package.put(f"word/media/shown{len(package.files)}.{ending}", made)
    return part.relate("image", target)


def _shown(blip: Any, shape: Any) -> Shown:
    cut = blip.getparent().find(f"{A}srcRect")
    sides = {key: _part(cut.get(key)) if cut is not None else 0.0 for key in ("l", "t", "r", "b")}
    turn = shape.find(f".//{A}xfrm") if shape is not None else None
    rotation = str(turn.get("rot") or "0") if turn is not None else "0"
    return Shown(
        left=sides["l"],
        top=sides["t"],
        right=sides["r"],
        bottom=sides["b"],
        degrees=int(rotation) / 60_000 if re.fullmatch(r"-?\d+", rotation) else 0,
        mirrored=turn is not None and turn.get("flipH") in ("1", "true"),
        upended=turn is not None and turn.get("flipV") in ("1", "true"),
    )


def _part(written: str | None) -> float:
    """A part of a side, as DrawingML writes it: in thousandths of a percent, or with a percent sign."""
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)(%?)", written or "0")
    return float(found[1]) / (100 if found[2] else _WHOLE) if found else 0.0


def _video(part: Part, blip: Any) -> str:
    """The relation to the video for which a picture stands."""
    video = next((one for one in blip.iter() if str(one.tag).endswith("}webVideoPr")), None)
    address = re.search(r"src=[\"']?([^\"'\s>]+)", str(video.get("embeddedHtml"))) if video is not None else None
    return part.relate("hyperlink", html.unescape(address[1]), external=True) if address else ""


def _inline(part: Part, relation: str, alt: str, link: str) -> Any:
    """A picture in the one form that mammoth reads, with the relation to what it leads to."""
    drawing = element("drawing")
    inline = etree.SubElement(drawing, f"{WP}inline")
    known = etree.SubElement(inline, f"{WP}docPr", descr=alt)
    if link in part.relations:
        etree.SubElement(known, f"{A}hlinkClick", {f"{R}id": link})
    fill = inline
    for name in (f"{A}graphic", f"{A}graphicData", f"{PIC}pic", f"{PIC}blipFill"):
        fill = etree.SubElement(fill, name)
    etree.SubElement(fill, f"{A}blip", {f"{R}embed": relation})
    return drawing


def _old_picture(package: Package, part: Part, picture: Any) -> Iterator[str]:
    """A picture in VML, the form of before Word 2007."""
    shape = picture.getparent()
    alt = str(shape.get("alt") or picture.get(f"{OFFICE}title") or "")
    relation = part.relations.get(str(picture.get(f"{R}id")))
    if relation is None or relation.external or relation.target not in package.files:
        beside = words(next(picture.iterancestors(f"{W}p"), shape))
        yield "a picture isn't taken, it isn't in the document" + at(alt or beside)
        shape.remove(picture)
        return
    around = next(picture.iterancestors(f"{W}pict", f"{W}object"), None)
    style = str(shape.get("style") or "").replace(" ", "")
    turned = re.search(r"rotation:(-?\d+(?:\.\d+)?)(fd)?", style)
    flipped = re.search(r"flip:([xy]+)", style)
    shown = Shown(
        left=_fraction(picture.get("cropleft")),
        top=_fraction(picture.get("croptop")),
        right=_fraction(picture.get("cropright")),
        bottom=_fraction(picture.get("cropbottom")),
        degrees=float(turned[1]) / (65_536 if turned[2] else 1) if turned else 0,
        mirrored=bool(flipped and "x" in flipped[1]),
        upended=bool(flipped and "y" in flipped[1]),
    )
    key = str(picture.get(f"{R}id")) if shown.is_whole else _kept(package, part, relation.target, shown)
    link = part.relate("hyperlink", str(shape.get("href")), external=True) if shape.get("href") else ""
    if around is not None:
        around.addprevious(_inline(part, key, "" if _MACHINE.search(alt) else alt, link))
        shape.remove(picture)


def _fraction(written: str | None) -> float:
    """A part of a side, as VML writes it: 0.5, or 32768f."""
    found = re.fullmatch(r"(-?\d*\.?\d+)(f?)", written or "0")
    return float(found[1]) / (65_536 if found[2] else 1) if found else 0.0


def _rule_after(paragraph: Any) -> None:
    made = element("p")
    made.append(element("pPr"))
    made[0].append(element("pStyle", "Rule"))
    paragraph.addnext(made)


def _border(paragraph: Any) -> None:
    border, style = (paragraph.find(f"{W}pPr/{W}{name}") for name in ("pBdr", "pStyle"))
    following = paragraph.getnext()
    goes_on = following is not None and following.find(f"{W}pPr/{W}pBdr/{W}bottom") is not None
    if border is None or style is not None or goes_on:
        return
    sides = {side.tag for side in border if side.get(f"{W}val") not in ("nil", "none")}
    if sides == {f"{W}bottom"} or (sides == {f"{W}top"} and not words(paragraph)):
        _rule_after(paragraph)
