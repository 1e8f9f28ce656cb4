"""Messages as RFC 5322 and its neighbours want them, the same after merging as before."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter import merge
from newsletter.merge import MergeField, MergeText
from newsletter.model import Call, Mailbox, Recipient, Rendered
from newsletter.providers.mime import Composer

URL = "https://mail.example.org/u/" + "aB3-_" * 30


def call(
    *,
    text: MergeText | None = None,
    html: MergeText | None = None,
    subject: str = "Hi",
    name: str = "Desk",
) -> Call:
    return Call(
        batch=1,
        campaign="issue",
        key="0123456789abcdef" * 4,
        tag="t",
        date=dt.datetime(2022, 10, 12, 9, tzinfo=dt.UTC),
        sender=Mailbox(name=name, address="a@example.org"),
        reply_to="reply@example.org",
        content=Rendered(
            issue="issue",
            variant="default",
            subject=merge.parse(subject),
            preheader=merge.parse(""),
            html=html or MergeText(("<p>Hi</p>\n",)),
            text=text or MergeText(("Hi\n",)),
        ),
        headers=(("List-Id", '"News" <news.example.org>'), ("Precedence", "bulk")),
        recipients=(
            Recipient(delivery=7, address="ana@example.org", values={"unsubscribe_url": URL, "first_name": "Ana"}),
        ),
    )


def message(made: Call) -> tuple[bytes, EmailMessage]:
    raw = Composer(made).message(made.recipients[0])
    return raw, email.message_from_bytes(raw, policy=email.policy.default)


def part(parsed: EmailMessage, kind: str) -> str:
    body = parsed.get_body((kind,))
    assert body
    return str(body.get_content())


def test_a_message_has_both_parts_and_the_headers_of_a_list() -> None:
    _, parsed = message(call())
    assert parsed.get_content_type() == "multipart/alternative"
    assert [p.get_content_type() for p in parsed.iter_parts()] == ["text/plain", "text/html"]
    assert parsed["To"] == "ana@example.org"
    assert parsed["From"] == "Desk <a@example.org>"
    assert parsed["Reply-To"] == "reply@example.org"
    assert parsed["Message-ID"] == "<7.0123456789abcdef@example.org>"
    assert parsed["Date"].datetime == dt.datetime(2022, 10, 12, 9, tzinfo=dt.UTC)
    assert parsed.defects == []


def test_the_unsubscribe_headers_are_never_folded_or_encoded() -> None:
    raw, _ = message(call())
    assert f"\r\nList-Unsubscribe: <{URL}>\r\n".encode() in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


def test_line_ends_are_crlf_and_lines_keep_their_limits() -> None:
    long = MergeText(("word " * 400 + "é" * 300 + "\n", MergeField(name="first_name"), "x" * 5_000 + " \n"))
    raw, _ = message(call(text=long, html=long, subject="📬 " + "a long subject " * 12))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    head, _, rest = raw.partition(b"\r\n\r\n")
    assert all(len(line) <= 76 for line in rest.split(b"\r\n"))
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))


def test_the_subject_is_merged_and_cannot_start_another_header() -> None:
    made = call(subject="Hi {{ first_name | friend }}")
    person = Recipient(delivery=1, address="x@example.org", values={"first_name": "A\r\nBcc: evil@example.org"})
    parsed = email.message_from_bytes(Composer(made).message(person), policy=email.policy.default)
    assert parsed["Subject"] == "Hi A Bcc: evil@example.org"
    assert parsed["Bcc"] is None


def test_a_sender_with_an_accent_is_encoded() -> None:
    raw, parsed = message(call(name="Oficina, Doña Ana"))
    assert raw.isascii()
    assert parsed["From"].addresses[0].display_name == "Oficina, Doña Ana"


@given(
    literals=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=200), min_size=2, max_size=4
    ),
    value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=120),
)
def test_splicing_gives_the_same_text_as_merging(literals: list[str], value: str) -> None:
    parts: list[str | MergeField] = []
    for literal in literals:
        parts += [literal, MergeField(name="first_name", fallback="you")]
    text = MergeText(tuple(parts))
    made = call(text=text)
    values = {"first_name": value, "unsubscribe_url": URL}
    raw = Composer(made).message(Recipient(delivery=1, address="a@example.org", values=values))
    plain = raw.split(b"quoted-printable\r\n\r\n", 1)[1].split(b"\r\n--=_", 1)[0]
    import quopri

    assert quopri.decodestring(plain).decode().replace("\r\n", "\n") == text.merge(values)
    assert all(len(line) <= 76 for line in plain.split(b"\r\n"))


def test_the_boundary_stands_in_no_body() -> None:
    made = call(text=MergeText((f"--=_{'0123456789abcdef' * 2}\n",)))
    _, parsed = message(made)
    assert len(list(parsed.iter_parts())) == 2
    assert "0123456789abcdef" in part(parsed, "plain")


def test_a_replay_has_the_same_bytes() -> None:
    assert message(call())[0] == message(call())[0]


@pytest.mark.parametrize("value", ["<b>", '"', "&amp;"])
def test_a_value_is_escaped_in_html_only(value: str) -> None:
    field = MergeText(("<p>", MergeField(name="first_name"), "</p>\n"))
    made = call(text=field, html=field)
    person = Recipient(delivery=1, address="a@example.org", values={"first_name": value})
    parsed = email.message_from_bytes(Composer(made).message(person), policy=email.policy.default)
    assert value in part(parsed, "plain")
    assert not re.search(r"<b>|<p>\"", part(parsed, "html"))
