"""What providers' requests have in common: merge languages, and the headers by which a reader leaves."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Mapping

from newsletter.merge import SYSTEM_FIELDS, MergeField, MergeText
from newsletter.model import Inline, Rendered

_MARKUP = re.compile("[&<>\"']")


def leaving(values: Mapping[str, str]) -> dict[str, str]:
    """The two headers of one-click unsubscribing (RFC 8058); none for a message that nobody can leave."""
    url = values.get("unsubscribe_url", "")
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if url else {}


def encoded(picture: Inline) -> str:
    """A picture in base64, as vendors want it."""
    return base64.b64encode(picture.data).decode()


class Template:
    """A content in a vendor's merge language. `field` writes a field's name as the vendor wants it, `literal` keeps
    what somebody wrote from being one. Vendors escape nothing, and HTML wants its values escaped, so a field is one
    variable in text, `t…`, and another one in HTML, `h…`; the program's own links are the same in both.

    `variables` are those that the content uses: name, whether its value is escaped, and the field.
    """

    def __init__(
        self, content: Rendered, field: Callable[[str], str], literal: Callable[[str, str], str] = lambda text, _: text
    ) -> None:
        self._field, self._literal = field, literal
        self._numbers: dict[MergeField, int] = {}
        variables: dict[str, tuple[bool, MergeField]] = {}
        self.subject = self._compiled(content.subject, "t", variables)
        self.text = self._compiled(content.text, "t", variables)
        self.html = self._compiled(content.html, "h", variables)
        self.variables = [(name, escaped, field) for name, (escaped, field) in variables.items()]

    def _compiled(self, text: MergeText, kind: str, variables: dict[str, tuple[bool, MergeField]]) -> str:
        parts = []
        for part in text:
            if isinstance(part, str):
                parts.append(self._literal(part, kind))
                continue
            escaped = kind == "h" and part.name not in SYSTEM_FIELDS
            name = f"{'h' if escaped else 't'}{self._numbers.setdefault(part, len(self._numbers))}"
            variables[name] = escaped, part
            parts.append(self._field(name))
        return "".join(parts)

    def values(self, values: Mapping[str, str]) -> dict[str, str]:
        """One reader's values by the variables' names."""
        return {
            name: _escape(field.value(values)) if escaped else field.value(values)
            for name, escaped, field in self.variables
        }


def _escape(value: str) -> str:
    """As `html.escape`, which replaces five times, whether or not there's something to replace: a million values."""
    return html.escape(value) if _MARKUP.search(value) else value
