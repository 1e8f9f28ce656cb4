"""What providers' requests have in common: merge languages, and the headers by which a reader leaves."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping

from newsletter.merge import MergeField, MergeText
from newsletter.model import Inline, Rendered


def leaving(values: Mapping[str, str]) -> dict[str, str]:
    """The two headers of one-click unsubscribing (RFC 8058); none for a message that nobody can leave."""
    url = values.get("unsubscribe_url", "")
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if url else {}


def encoded(picture: Inline) -> str:
    """A picture in base64, as vendors want it."""
    return base64.b64encode(picture.data).decode()


class Template:
    """A content in a vendor's merge language. Every field travels twice, as `t…` and as `h…`: vendors escape nothing,
    and HTML wants its values escaped. `field` writes a field's name as the vendor wants it, `literal` keeps what
    somebody wrote from being one.
    """

    def __init__(
        self, content: Rendered, field: Callable[[str], str], literal: Callable[[str, str], str] = lambda text, _: text
    ) -> None:
        self._field, self._literal = field, literal
        self._numbers: dict[MergeField, int] = {}
        self.subject = self._compiled(content.subject, "t")
        self.text = self._compiled(content.text, "t")
        self.html = self._compiled(content.html, "h")
        self._names = [(f"t{number}", f"h{number}", field) for field, number in self._numbers.items()]

    def _compiled(self, text: MergeText, kind: str) -> str:
        return "".join(
            self._literal(part, kind)
            if isinstance(part, str)
            else self._field(f"{kind}{self._numbers.setdefault(part, len(self._numbers))}")
            for part in text
        )

    def values(self, values: Mapping[str, str]) -> dict[str, str]:
        """One reader's values by the fields' names."""
        data: dict[str, str] = {}
        for plain, escaped, field in self._names:
            data[plain] = value = field.value(values)
            data[escaped] = html.escape(value)
        return data
