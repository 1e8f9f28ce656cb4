"""States and localities, however people write them."""

from __future__ import annotations

import re
from functools import cache

from newsletter.model import Place


@cache
def _states() -> dict[str, str]:
    """Every accepted spelling of a state or territory, squeezed, with its two-letter code."""
    import us

    spellings = {}
    for state in us.states.STATES_AND_TERRITORIES:
        for spelling in (state.name, state.abbr, state.ap_abbr or ""):
            spellings[_squeeze(spelling)] = state.abbr
    spellings |= {"dc": "DC", "districtofcolumbia": "DC", "washingtondc": "DC", "virginislands": "VI"}
    spellings.pop("", None)
    return spellings


def _squeeze(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())


def state_code(text: str) -> str | None:
    """`Florida`, `fla.`, ` FL ` as `FL`; empty for empty; None for what is no state or territory."""
    squeezed = _squeeze(text)
    return "" if not text.strip() else _states().get(squeezed)


def states() -> tuple[str, ...]:
    """All two-letter codes, sorted."""
    return tuple(sorted(set(_states().values())))


@cache
def _names() -> dict[str, str]:
    import us

    return {state.abbr: state.name for state in us.states.STATES_AND_TERRITORIES} | {"DC": "District of Columbia"}


def state_names() -> dict[str, str]:
    """Every two-letter code with its name, by the name."""
    return dict(sorted(_names().items(), key=lambda pair: pair[1]))


def state_name(code: str) -> str:
    """`FL` as `Florida`; `Nationwide` for none."""
    return _names().get(code, code) or "Nationwide"


def parse_place(text: str) -> Place:
    """`Durham, NC` or `Florida` or `Doña Ana County, N.M.` as a Place; ValueError when the state is none."""
    locality, _, state = text.rpartition(",")
    code = state_code(state)
    if code is None or not text.strip():
        raise ValueError(f'"{text.strip()}" names no state; write "Durham, NC" or "NC"')
    return Place(state=code, locality=locality.strip())
