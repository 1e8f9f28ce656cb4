"""Whether a page is about a bill: its number, however it's written."""

from __future__ import annotations

import re

#: What the letters of a bill's number stand for, where a page may spell them out.
_SPELLED = {
    "hb": ("House Bill",),
    "sb": ("Senate Bill",),
    "hr": ("House Resolution", "House Bill"),
    "ab": ("Assembly Bill",),
    "cb": ("Council Bill",),
    "lb": ("Legislative Bill",),
    "ld": ("Legislative Document",),
    "hf": ("House File",),
    "sf": ("Senate File",),
    "cf": ("Council File",),
    "prop": ("Proposition",),
    "res": ("Resolution",),
    "ord": ("Ordinance",),
    "int": ("Introduction", "Int"),
}


def names_bill(text: str, number: str) -> bool:
    """Whether a page names a bill, however it's written: `H.B. 1234`, `HB1234`, `House Bill 1234` for HB 1234.

    Letters may be spelled out where they're usual ones, digits have to stand as they are; leading zeros don't count.
    """
    letters = re.sub(r"[^a-z]", "", number.lower())
    digits = [piece.lstrip("0") or "0" for piece in re.findall(r"\d+", number)]
    if not digits:
        return letters in re.sub(r"[^a-z]", "", text.lower())
    # Bounded, since a page may hold a million blanks.
    between = r"[\s.\u00a0:#-]{0,9}(?:no|number|num)?[\s.\u00a0:#-]{0,9}"
    tail = r"[\s\u00a0./-]{0,9}".join(rf"0{{0,9}}{piece}" for piece in digits) + r"(?!\d)"
    spelled = [r"[\s.\u00a0]{0,9}".join(letters), *map(re.escape, _SPELLED.get(letters, ()))]
    heads = "|".join(rf"(?<![a-z]){head}{between}" for head in spelled) if letters else r"(?<!\d)"
    return re.search(rf"(?:{heads}){tail}", text, re.IGNORECASE) is not None
