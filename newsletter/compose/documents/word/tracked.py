"""What was changed, moved, hidden or said beside the text of a Word document: out of it, and into the notes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from newsletter.compose.documents.excerpt import short
from newsletter.compose.documents.word.package import W14, A, Package, V, W, is_on, unwrap, words
from newsletter.compose.documents.word.styles import Styles, text_run

#: Of a hidden run, what only says where a field begins and ends is needed.
_OF_FIELDS = (f"{W}rPr", f"{W}fldChar", f"{W}instrText")


def beside_the_text(package: Package) -> Iterator[str]:
    """Notes on comments, and on page headers and footers."""
    comments = package.tree("comments")
    for comment in comments.iter(f"{W}comment") if comments is not None else ():
        yield f"a comment is left out: “{short(words(comment))}”"
    said = set()
    for kind, called in (("header", "head"), ("footer", "foot")):
        for name in package.main.related(kind):
            root = package.part(name).root if name in package.files else None
            text = words(root) if root is not None else ""
            if any(letter.isalpha() for letter in text):
                said.add(f"what stands at the {called} of each page is left out: “{short(text)}”")
            elif root is not None and next(root.iter(f"{A}blip", f"{V}imagedata"), None) is not None:
                said.add(f"a picture at the {called} of each page is left out")
    yield from sorted(said)


def changes(root: Any) -> Iterator[str]:
    """Notes on tracked changes; what mammoth wouldn't take or leave by itself is taken out."""
    for name, told in (("del", "what was deleted is left out"), ("ins", "what was inserted is taken")):
        for change in root.iter(f"{W}{name}"):
            if text := words(change):
                yield f"a tracked change: {told}: “{short(text)}”"
    for moved in list(root.iter(f"{W}moveFrom")):
        if len(moved):
            moved.getparent().remove(moved)
    for moved in root.iter(f"{W}moveTo"):
        if text := words(moved):
            yield f"a tracked change: what was moved is taken at its new place: “{short(text)}”"


def without_hidden(root: Any, styles: Styles) -> Iterator[str]:
    """Take out what Word doesn't show; a note on each."""
    for row in list(root.iter(f"{W}tr")):
        if is_on(row.find(f"{W}trPr/{W}hidden")):
            yield f"a table's hidden row is left out: “{short(words(row))}”"
            row.getparent().remove(row)
    runs = ((run, next(run.iterancestors(f"{W}p"), None)) for run in list(root.iter(f"{W}r")))
    for _, group in groupby(runs, key=lambda one: id(one[1])):
        hidden = [run for run, paragraph in group if styles.is_hidden(run, paragraph)]
        if text := " ".join(" ".join(words(run) for run in hidden).split()):
            yield f"hidden text is left out: “{short(text)}”"
        elif any(run.find(f".//{A}blip") is not None for run in hidden):
            yield "a hidden picture is left out"
        for run in hidden:
            for child in list(run):
                if child.tag not in _OF_FIELDS:
                    run.remove(child)


def without_placeholders(root: Any) -> Iterator[str]:
    """Take out the words of content controls that nobody has filled in."""
    for control in list(root.iter(f"{W}sdt")):
        if is_on(control.find(f"{W}sdtPr/{W}showingPlcHdr")):
            yield f"a field that nobody has filled in is left out: “{short(words(control))}”"
            content = control.find(f"{W}sdtContent")
            for run in list(content.iter(f"{W}r")) if content is not None else ():
                run.getparent().remove(run)


def unfolded(root: Any) -> None:
    """Check boxes as their signs, and content controls as what is in them."""
    for control in list(root.iter(f"{W}sdt")):
        box = control.find(f"{W}sdtPr/{W14}checkbox")
        content = control.find(f"{W}sdtContent")
        if box is not None and content is not None and not words(content) and content.find(f".//{W}sym") is None:
            checked = box.find(f"{W14}checked")
            on = checked is not None and checked.get(f"{W14}val") not in ("0", "false", "off")
            inside = content.find(f".//{W}p")
            (content if inside is None else inside).append(text_run("☒" if on else "☐"))
        if content is None:
            control.getparent().remove(control)
        else:
            control.getparent().replace(control, content)
            unwrap(content)
