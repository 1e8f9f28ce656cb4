"""The words of a Word document in the elements that mammoth knows."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from newsletter.compose.documents.excerpt import at, short
from newsletter.compose.documents.symbols import as_seen, font_of_symbols, seen
from newsletter.compose.documents.word.package import M, Package, Part, R, W, unwrap, words
from newsletter.compose.documents.word.styles import element, text_run
from newsletter.readable import page_text

#: Elements around words that mammoth reads; it passes over any other with all that is in it.
_NAMES = """
document body footnotes endnotes footnote endnote p r t tbl tr tc hyperlink ins del moveTo pict drawing object
txbxContent delText instrText fldChar pPr rPr tblPr trPr tcPr tblGrid sectPr sym br tab noBreakHyphen softHyphen
footnoteReference endnoteReference commentReference bookmarkStart footnoteRef endnoteRef
"""
_READ = frozenset(_NAMES.split())


def readable(package: Package, part: Part) -> Iterator[str]:
    """Everything that holds words as mammoth reads it; notes on what can't be taken."""
    root = part.root
    yield from _without_formulas(root)
    for chunk in list(root.iter(f"{W}altChunk")):
        yield from _chunk(package, part, chunk)
    for ruby in list(root.iter(f"{W}ruby")):
        _ruby(ruby)
    for name in ("cr", "ptab"):
        for one in root.iter(f"{W}{name}"):
            one.tag = f"{W}{'br' if name == 'cr' else 'tab'}"
    for run in root.iter(f"{W}r"):
        yield from _symbols(run)
    _breaks(root)
    yield from _dangling(package, part)
    for row in root.iter(f"{W}tr"):
        _empty_cells(row)
    for one in list(root.iter(f"{W}*")):
        name = one.tag.removeprefix(W)
        if name not in _READ and next(one.iter(f"{W}t"), None) is not None:
            unwrap(one)


def _without_formulas(root: Any) -> Iterator[str]:
    for formula in list(root.iter(f"{M}oMath")):
        beside = words(formula) or words(next(formula.iterancestors(f"{W}p"), formula))
        yield "a formula can't be taken" + at(beside)
        formula.getparent().remove(formula)
    for embedded in root.iter(f"{W}object"):
        paragraph = next(embedded.iterancestors(f"{W}p"), embedded)
        yield "an embedded object can't be taken" + at(words(paragraph))


def _chunk(package: Package, part: Part, chunk: Any) -> Iterator[str]:
    """Another document within this one: its words, by paragraphs, where it's a page or plain text."""
    from bs4 import BeautifulSoup

    relation = part.relations.get(str(chunk.get(f"{R}id")))
    data = package.files.get(relation.target) if relation is not None else None
    if relation is None or data is None or not relation.target.lower().endswith((".htm", ".html", ".xhtml", ".txt")):
        yield "a document within this one can't be taken" + at(_words_of_docx(data or b""))
        chunk.getparent().remove(chunk)
        return
    text = page_text(data, "")
    if not relation.target.lower().endswith(".txt"):
        text = BeautifulSoup(text, "lxml").get_text("\n")
    yield f"a document within this one is taken as plain words: “{short(text)}”"
    for line in [line.strip() for line in text.splitlines() if line.strip()][::-1]:
        paragraph = element("p")
        paragraph.append(text_run(" ".join(line.split())))
        chunk.addnext(paragraph)
    chunk.getparent().remove(chunk)


def _words_of_docx(data: bytes) -> str:
    if not data.startswith(b"PK"):
        return ""
    try:
        return words(Package(data).main.root)
    except Exception:  # of any kind: what isn't taken anyway need not be readable
        return ""


def _ruby(ruby: Any) -> None:
    """Characters with their reading in brackets behind them."""
    base, reading = ruby.find(f"{W}rubyBase"), words(ruby.find(f"{W}rt")) if ruby.find(f"{W}rt") is not None else ""
    text = words(base) if base is not None else ""
    made = text_run(f"{text} ({reading})" if reading else text)[0]
    ruby.getparent().replace(ruby, made)


def _symbols(run: Any) -> Iterator[str]:
    """Characters of symbol fonts as what they look like."""
    fonts = run.find(f"{W}rPr/{W}rFonts")
    names = (fonts.get(f"{W}ascii"), fonts.get(f"{W}hAnsi")) if fonts is not None else ()
    font = next((known for name in names if (known := font_of_symbols(str(name or "")))), "")
    if font:
        for text in run.iter(f"{W}t"):
            text.text = as_seen(text.text or "", font)
    for symbol in list(run.iter(f"{W}sym")):
        written, named = str(symbol.get(f"{W}char") or ""), str(symbol.get(f"{W}font") or "")
        try:
            code = int(written, 16)
        except ValueError:
            code = 0
        known = font_of_symbols(named)
        shown = seen(code, known) if known else (chr(code) if 0x20 <= code < 0xE000 else "")
        if not shown:
            yield f"a sign of the font {named or 'without a name'} can't be taken" + at(words(run.getparent()))
        made = element("t")
        made.text = shown
        symbol.getparent().replace(symbol, made)


def _breaks(root: Any) -> None:
    """A new paragraph where a page or column ends within one."""
    for one in list(root.iter(f"{W}br")):
        if one.get(f"{W}type") in ("page", "column"):
            run, paragraph = one.getparent(), next(one.iterancestors(f"{W}p"), None)
            if paragraph is not None and run.getparent() is paragraph:
                _split(paragraph, run, one)
            else:
                one.attrib.clear()


def _split(paragraph: Any, run: Any, at_break: Any) -> None:
    rest = element("p")
    properties = paragraph.find(f"{W}pPr")
    if properties is not None:
        rest.append(deepcopy(properties))
        for numbered in rest.findall(f"{W}pPr/{W}numPr"):
            rest[0].remove(numbered)
    tail = element("r")
    if run.find(f"{W}rPr") is not None:
        tail.append(deepcopy(run.find(f"{W}rPr")))
    tail.extend(list(at_break.itersiblings()))
    rest.append(tail)
    rest.extend(list(run.itersiblings()))
    run.remove(at_break)
    paragraph.addnext(rest)


def _dangling(package: Package, part: Part) -> Iterator[str]:
    """What leads nowhere, so that mammoth doesn't stumble over it."""
    for link in list(part.root.iter(f"{W}hyperlink")):
        key = link.get(f"{R}id")
        if key is not None and key not in part.relations:
            yield "a link has no address in the document" + at(words(link))
            unwrap(link)
    for kind in ("footnote", "endnote"):
        notes = package.tree(f"{kind}s")
        known = {note.get(f"{W}id") for note in notes.iter(f"{W}{kind}")} if notes is not None else set()
        marks = list(part.root.iter(f"{W}{kind}Reference"))
        if part is package.main and notes is not None:
            told = {mark.get(f"{W}id") for mark in marks}
            for note in notes.iter(f"{W}{kind}"):
                if note.get(f"{W}id") not in told and (text := words(note)):
                    yield f"a {kind} that nothing refers to is left out: “{short(text)}”"
        for mark in marks:
            if mark.get(f"{W}id") not in known:
                yield f"a {kind}'s words aren't in the document" + at(words(next(mark.iterancestors(f"{W}p"), mark)))
                mark.getparent().remove(mark)


def _empty_cells(row: Any) -> None:
    """Cells for the columns that a row leaves out at its beginning."""
    before = row.find(f"{W}trPr/{W}gridBefore")
    number = str(before.get(f"{W}val") or "") if before is not None else ""
    first = row.find(f"{W}tc")
    if number.isdecimal() and 0 < int(number) < 64 and first is not None:
        for _ in range(int(number)):
            cell = element("tc")
            cell.append(element("p"))
            first.addprevious(cell)
