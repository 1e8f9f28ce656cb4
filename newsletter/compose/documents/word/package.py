"""The parts of a Word document (ECMA-376, part 2), and how they lead to each other."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
PIC = "{http://schemas.openxmlformats.org/drawingml/2006/picture}"
WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
V = "{urn:schemas-microsoft-com:vml}"
OFFICE = "{urn:schemas-microsoft-com:office:office}"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_NAMESPACES: Any = {None: _RELATIONS}  # which lxml allows, and its stubs don't
#: Strict Open XML has other names for the same.
_STRICT = (
    (b"http://purl.oclc.org/ooxml/wordprocessingml/main", W.strip("{}").encode()),
    (b"http://purl.oclc.org/ooxml/officeDocument/relationships", R.strip("{}").encode()),
    (b"http://purl.oclc.org/ooxml/officeDocument/math", M.strip("{}").encode()),
    (b"http://purl.oclc.org/ooxml/drawingml/", b"http://schemas.openxmlformats.org/drawingml/2006/"),
)


@dataclass
class Relation:
    """Where an id of a part leads: a part's name, or an address outside."""

    kind: str
    target: str
    external: bool = False


@dataclass
class Part:
    """A part that holds text: its tree, and what its ids lead to."""

    name: str
    root: Any
    relations: dict[str, Relation] = field(default_factory=dict)

    def related(self, kind: str) -> Iterator[str]:
        """The names of the parts of a kind."""
        return (one.target for one in self.relations.values() if one.kind == kind and not one.external)

    def relate(self, kind: str, target: str, *, external: bool = False) -> str:
        """A new id that leads to a part, or to an address outside."""
        name = f"made{len(self.relations)}"
        self.relations[name] = Relation(kind, target, external)
        return name


class Package:
    """A Word document's parts by their names; ValueError or KeyError where it has no main part."""

    def __init__(self, data: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = {one.filename: archive.read(one) for one in archive.infolist() if not one.is_dir()}
        self.files = {name.replace("\\", "/").lstrip("/"): _transitional(name, held) for name, held in entries.items()}
        self._lower = {name.lower(): name for name in self.files}
        self._parts: dict[str, Part] = {}
        main = next((one.target for one in self._relations("").values() if one.kind == "officeDocument"), "")
        self.main = self.part(main if main in self.files else "word/document.xml")

    def part(self, name: str) -> Part:
        """A part, parsed."""
        if name not in self._parts:
            self._parts[name] = Part(name, parse(self.files[name]), self._relations(name))
        return self._parts[name]

    def stories(self) -> list[Part]:
        """The parts whose words are the document's: the text itself, footnotes and endnotes."""
        notes = (self._first(kind) for kind in ("footnotes", "endnotes"))
        return [self.main, *(one for one in notes if one is not None)]

    def tree(self, kind: str) -> Any:
        """The tree of the one part of a kind: styles, numbering, comments; None where there's none."""
        found = self._first(kind)
        return None if found is None else found.root

    def put(self, name: str, data: bytes) -> str:
        """A new file; its name."""
        self.files[name] = data
        return name

    def replace(self, name: str, data: bytes) -> None:
        """Another text for a part that is there."""
        self.part(name).root = parse(data)

    def _first(self, kind: str) -> Part | None:
        folder = posixpath.dirname(self.main.name)
        names = [*self.main.related(kind), posixpath.join(folder, f"{kind}.xml")]
        return next((self.part(name) for name in names if name in self.files), None)

    def _relations(self, name: str) -> dict[str, Relation]:
        folder, file = posixpath.split(name)
        held = self.files.get(posixpath.join(folder, "_rels", f"{file}.rels"))
        found: dict[str, Relation] = {}
        for one in parse(held) if held else ():
            target, external = str(one.get("Target", "")), one.get("TargetMode") == "External"
            if not external:
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                target = self._lower.get(target.lower()) or self._lower.get(unquote(target).lower()) or target
            found[str(one.get("Id"))] = Relation(str(one.get("Type", "")).rpartition("/")[2], target, external)
        return found

    def packed(self) -> bytes:
        """The document as a file, with what was changed in its parts."""
        for part in self._parts.values():
            self.files[part.name] = etree.tostring(part.root, encoding="utf-8", xml_declaration=True)
            root = etree.Element(f"{{{_RELATIONS}}}Relationships", nsmap=_NAMESPACES)
            for key, one in part.relations.items():
                made = etree.SubElement(
                    root, f"{{{_RELATIONS}}}Relationship", Id=key, Type=R.strip("{}") + f"/{one.kind}"
                )
                made.set("Target", one.target if one.external else f"/{one.target}")
                if one.external:
                    made.set("TargetMode", "External")
            folder, file = posixpath.split(part.name)
            self.files[posixpath.join(folder, "_rels", f"{file}.rels")] = etree.tostring(root)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, data in self.files.items():
                archive.writestr(name, data)
        return out.getvalue()


def parse(data: bytes) -> Any:
    """A part's tree; nothing outside of it is read."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(data, parser)


def words(element: Any) -> str:
    """The words of an element on one line, with a blank between paragraphs."""
    found = []
    for one in element.iter(f"{W}t", f"{W}delText", f"{M}t", f"{W}tab", f"{W}br", f"{W}cr", f"{W}p", f"{V}textpath"):
        if one.tag == f"{V}textpath":
            found.append(one.get("string", ""))
        else:
            found.append(one.text or "" if one.tag in (f"{W}t", f"{W}delText", f"{M}t") else " ")
    return " ".join("".join(found).split())


def is_on(element: Any) -> bool:
    """Whether a property that is there or not is on."""
    return element is not None and element.get(f"{W}val") not in ("0", "false", "off", "none")


def unwrap(element: Any) -> None:
    """Put an element's children in its place."""
    parent = element.getparent()
    place = parent.index(element)
    parent[place : place + 1] = list(element)


def _transitional(name: str, data: bytes) -> bytes:
    if name.endswith((".xml", ".rels")):
        for strict, usual in _STRICT:
            data = data.replace(strict, usual)
    return data
