"""What is kept of a person, one line a field: what it's called, how long it may be, and where it may be used. The API,
the forms and segments take it from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from newsletter.audience.cells import squeezed
from newsletter.model.text import clean
from newsletter.places import state_code

#: The words that a role is stored as, by those that people write, squeezed to letters.
ROLES: Mapping[str, str] = {
    **dict.fromkeys(("elected", "electedofficial", "official"), "elected"),
    "staff": "staff",
    **dict.fromkeys(("ally", "partner"), "ally"),
    **dict.fromkeys(("press", "reporter", "media", "journalist"), "press"),
    **dict.fromkeys(("funder", "foundation"), "funder"),
}


def role_of(text: str) -> str:
    """The word that a role is stored as: `Elected Official` is `elected`; one that isn't known stays as it is."""
    return ROLES.get(squeezed(text), text)


def _state_of(text: str) -> str:
    return state_code(text) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A text that is kept of a person. `longest` is in characters; `form` brings a clean text into the form that it's
    stored in. Some can be asked for in `segments`, readers see some on their `page`.
    """

    name: str
    label: str
    longest: int = 200
    form: Callable[[str], str] = str
    segments: bool = True
    page: bool = False

    def fit(self, text: str) -> str:
        """A text from outside as it may be stored."""
        return self.form(clean(text))[: self.longest].rstrip()


EMAIL = Field(name="email", label="Email address", longest=320)
TAG = Field(name="tag", label="Tag", longest=100)
#: One of those that config.toml names.
ATTRIBUTE = Field(name="attribute", label="Attribute")
PROFILE: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field(name="first_name", label="First name", page=True),
        Field(name="last_name", label="Last name", page=True),
        Field(name="state", label="State", longest=2, form=_state_of, page=True),
        Field(name="locality", label="Town, city or county"),
        Field(name="role", label="Role", form=role_of),
        Field(name="chapter", label="Chapter"),
        Field(name="language", label="Language", longest=35, page=True),
        Field(name="note", label="Note", longest=2_000, segments=False),
    )
}
