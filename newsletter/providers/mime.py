"""Whole messages (RFC 5322, 2045–2047): encoded once a call, spliced for each recipient.

Literal text is quoted-printable once; a merged value is encoded by itself and set in between soft line
breaks, which vanish on decoding (RFC 2045, section 6.7). So a message costs a join, not a rendering.
"""

from __future__ import annotations

import base64
import html
import quopri
from collections.abc import Callable
from email.header import Header
from email.utils import format_datetime, formataddr

from newsletter.merge import MergeText
from newsletter.model import Call, Inline, Recipient
from newsletter.providers.merging import leaving

_SOFT_BREAK = b"=\r\n"
_LINE = 76


class Composer:
    """Builds the messages of one call."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._domain = call.sender.address.rpartition("@")[2]
        # "=_" can't stand in quoted-printable text, so no body can hold the boundary (RFC 2045, section 6.7).
        boundary = f"=_{call.key[:24]}"
        encoding = "Content-Transfer-Encoding: quoted-printable"
        part = f"--{boundary}\r\nContent-Type: text/%s; charset=utf-8\r\n{encoding}\r\n\r\n"
        self._text_head = (part % "plain").encode()
        self._html_head = ("\r\n" + part % "html").encode()
        self._end = f"\r\n--{boundary}--\r\n".encode()
        self._text = _encoded(call.content.text, str)
        self._html = _encoded(call.content.html, html.escape)
        headers = [("From", formataddr((call.sender.name, call.sender.address)))]
        headers += [("Reply-To", call.reply_to)] if call.reply_to else []
        headers += [("Date", format_datetime(call.date)), *call.headers]
        both = f'multipart/alternative; boundary="{boundary}"'
        if call.pictures:
            self._text_head, self._end, both = self._related(call.pictures, both, f"{boundary}.")
        headers += [("MIME-Version", "1.0"), ("Content-Type", both)]
        self._headers = b"".join(f"{name}: {value}\r\n".encode("ascii") for name, value in headers)

    def _related(self, pictures: tuple[Inline, ...], both: str, boundary: str) -> tuple[bytes, bytes, str]:
        """The head and the end of a message whose parts have pictures beside them, and its type (RFC 2387)."""
        head = f"--{boundary}\r\nContent-Type: {both}\r\n\r\n".encode()
        end = self._end
        for picture in pictures:
            end += f"--{boundary}\r\nContent-Type: {picture.type}\r\nContent-ID: <{picture.name}>\r\n".encode()
            end += b"Content-Disposition: inline\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            end += base64.encodebytes(picture.data).replace(b"\n", b"\r\n")
        end += f"--{boundary}--\r\n".encode()
        return head + self._text_head, end, f'multipart/related; type="multipart/alternative"; boundary="{boundary}"'

    def message(self, recipient: Recipient) -> bytes:
        """The whole message for one recipient, with CRLF line ends."""
        values = recipient.values
        headers = [
            ("To", recipient.address),
            ("Subject", _subject(self._call.content.subject.merge(values))),
            ("Message-ID", self.message_id(recipient)),
        ]
        headers += leaving(values).items()
        own = "".join(f"{name}: {value}\r\n" for name, value in headers).encode("ascii")
        return b"".join(
            (
                *(own, self._headers, b"\r\n"),
                *(self._text_head, self._text(values)),
                *(self._html_head, self._html(values), self._end),
            )
        )

    def message_id(self, recipient: Recipient) -> str:
        """The Message-ID: the same for the same call and delivery."""
        return f"<{recipient.delivery}.{self._call.key[:16]}@{self._domain}>"


def _encoded(text: MergeText, escape: Callable[[str], str]) -> Callable[[dict[str, str]], bytes]:
    parts = [(_quoted(part) if isinstance(part, str) else part) for part in text]

    def merged(values: dict[str, str]) -> bytes:
        return _SOFT_BREAK.join(
            part if isinstance(part, bytes) else _quoted(escape(part.value(values))) for part in parts
        )

    return merged


def _quoted(text: str) -> bytes:
    """Quoted-printable, with room left on the last line for the `=` of a soft break."""
    lines = quopri.encodestring(text.encode()).split(b"\n")
    last = lines[-1]
    if len(last) >= _LINE:
        cut = _LINE - 4
        while b"=" in last[cut - 2 : cut]:  # not inside an =XX
            cut -= 1
        lines[-1:] = [last[:cut] + b"=", last[cut:]]
    return b"\r\n".join(lines)


def _subject(text: str) -> str:
    line = " ".join(text.split())
    charset = "us-ascii" if line.isascii() else "utf-8"
    return Header(line, charset, maxlinelen=_LINE, header_name="Subject").encode(linesep="\r\n")
