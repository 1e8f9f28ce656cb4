"""Fields of a Word document: their results stay, and what stands in their instructions isn't the document's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from newsletter.compose.documents.excerpt import short
from newsletter.compose.documents.word.package import W, is_on
from newsletter.compose.documents.word.styles import element, text_run

#: Fields that show nothing where they stand (ECMA-376, part 1, 17.16.5), and check boxes, which mammoth knows.
_SHOW_NOTHING = ("XE", "TC", "TA", "RD", "SET", "ASK", "SEQ", "PRIVATE", "FORMCHECKBOX", "FORMDROPDOWN", "PAGE")
_CONTENT = tuple(f"{W}{name}" for name in ("t", "tab", "br", "cr", "sym", "drawing", "pict", "object", "noBreakHyphen"))


@dataclass
class _Field:
    begin: Any
    instructions: list[Any] = field(default_factory=list)
    has_result: bool = False
    #: Words in its instructions, which are nobody's to read.
    dropped: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        return " ".join("".join(one.text or "" for one in self.instructions).split())


def with_results(root: Any) -> Iterator[str]:
    """Only the results of fields, with links where mammoth finds them; notes on fields that have none."""
    for simple in list(root.iter(f"{W}fldSimple")):
        _as_complex(simple)
    _without_halves(root)
    open_fields: list[_Field] = []
    for one in list(root.iter(f"{W}fldChar", f"{W}instrText", *_CONTENT)):
        kind = one.get(f"{W}fldCharType") if one.tag == f"{W}fldChar" else ""
        in_code = any(not known.has_result for known in open_fields)
        if kind == "begin":
            open_fields.append(_Field(one))
        elif one.tag == f"{W}instrText":
            if open_fields:
                open_fields[-1].instructions.append(one)
        elif kind == "separate" and open_fields:
            open_fields[-1].has_result = True
            in_code = any(not known.has_result for known in open_fields)
        elif kind == "end" and open_fields:
            yield from _ended(open_fields.pop())
            in_code = any(not known.has_result for known in open_fields)
        if in_code and open_fields and one.tag == f"{W}t":
            open_fields[0].dropped.append(one.text or "")
        if in_code and (one.tag in _CONTENT or (kind and len(open_fields) > (kind == "begin"))):
            one.getparent().remove(one)


def _without_halves(root: Any) -> None:
    """Take out the marks of fields that don't end, or don't begin: the words behind them belong to none."""
    begun: list[list[Any]] = []
    halves: list[Any] = []
    for mark in root.iter(f"{W}fldChar"):
        kind = mark.get(f"{W}fldCharType")
        if kind == "begin":
            begun.append([mark])
        elif not begun:
            halves.append(mark)
        elif kind == "end":
            begun.pop()
        else:
            begun[-1].append(mark)
    for mark in (*halves, *(mark for marks in begun for mark in marks)):
        mark.getparent().remove(mark)


def _ended(known: _Field) -> Iterator[str]:
    code = known.code
    name = code.partition(" ")[0].upper()
    if name == "HYPERLINK" and known.instructions:
        for one in known.instructions[1:]:
            one.text = ""
        known.instructions[0].text = _link(code)
    chosen = _chosen(known.begin) if name == "FORMDROPDOWN" else ""
    if chosen:
        known.begin.getparent().addnext(text_run(chosen))
    elif not known.has_result:
        words = " ".join("".join(known.dropped).split())
        if words or (code and name not in _SHOW_NOTHING):
            yield f"a field without a result is left out: “{short(words or code)}”"


def _link(code: str) -> str:
    """A link's instruction in the form that mammoth reads: the address in quotes, with its place in the page."""
    place = re.search(r'\\l\s+(?:"([^"]*)"|(\S+))', code)
    rest = re.sub(r'\\[a-z]\s+(?:"[^"]*"|[^\s"\\]+)|\\[a-z]\b', " ", code[len("HYPERLINK") :])
    address = re.search(r'"([^"]*)"|(\S+)', rest)
    url = (address[1] or address[2] or "") if address else ""
    anchor = (place[1] or place[2] or "") if place else ""
    if not url:
        return f' HYPERLINK \\l "{anchor}" '
    return f' HYPERLINK "{url}{"#" + anchor if anchor else ""}" '


def _chosen(begin: Any) -> str:
    """What is chosen in a form's old drop-down list."""
    choices = begin.find(f"{W}ffData/{W}ddList")
    if choices is None:
        return ""
    entries = [str(one.get(f"{W}val")) for one in choices.iter(f"{W}listEntry")]
    result = choices.find(f"{W}result")
    number = int(result.get(f"{W}val") or 0) if is_on(result) and result is not None else 0
    return entries[number] if number < len(entries) else ""


def _as_complex(simple: Any) -> None:
    """A simple field in the form that mammoth reads."""
    instruction = element("instrText")
    instruction.text = simple.get(f"{W}instr")
    runs = [_run(_mark("begin")), _run(instruction), _run(_mark("separate")), *simple, _run(_mark("end"))]
    parent = simple.getparent()
    place = parent.index(simple)
    parent[place : place + 1] = runs


def _mark(kind: str) -> Any:
    made = element("fldChar")
    made.set(f"{W}fldCharType", kind)
    return made


def _run(child: Any) -> Any:
    made = element("r")
    made.append(child)
    return made
