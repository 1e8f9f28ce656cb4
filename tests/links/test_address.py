"""Addresses are judged once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.links import Address


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("HTTPS://Example.ORG", "https://example.org/"),
        ("https://exämple.org/ä?ö=ü#ß", "https://xn--exmple-cua.org/%C3%A4?%C3%B6=%C3%BC#%C3%9F"),
        ("https://例え.jp/", "https://xn--r8jz45g.jp/"),
        ("https://example.org./a", "https://example.org/a"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org:443/a", "http://example.org:443/a"),
        ("https://[2001:DB8:0::1]:8443/a", "https://[2001:db8::1]:8443/a"),
        ("https://192.0.2.7/a", "https://192.0.2.7/a"),
        ("https://exa\u200bmple.org/a\x00b", "https://example.org/ab"),
        ("https:\\\\example.org\\a", "https://example.org/a"),
        ("https://example.org/a b?c d", "https://example.org/a%20b?c%20d"),
        ("https://example.org/a/../b/./c", "https://example.org/b/c"),
        ("https://example.org/Lane_(2014)", "https://example.org/Lane_(2014)"),
        ("https://example.org/a？b", "https://example.org/a%EF%BC%9Fb"),
        ("https://example.org/?a=\"><script>'", "https://example.org/?a=%22%3E%3Cscript%3E%27"),
        ("https://example.org/\ud83d", "https://example.org/"),
    ],
)
def test_an_address_is_read_as_browsers_read_it_and_written_in_ascii(written: str, kept: str) -> None:
    assert str(Address.parse(written)) == kept


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("https://[tbd].org", "host"),
        ("https://[::1", "host"),
        ("https://t.example.org？", "host"),
        ("https://exa mple.org/", "host"),
        ("https://-a.example.org", "host"),
        ("https://example", "without a dot"),
        ("https://", "no host"),
        ("https:///a", "no host"),
        ("https://1.2.3", "host"),
        ("https://999.1.1.1/", "host"),
        ("https://example.org:99999/", "port"),
        ("https://example.org:0/", "port"),
        ("https://example.org:http/", "port"),
        ("https://jane:secret@example.org/", "user name or password"),
        ("javascript:alert(1)", "https://"),
        ("data:text/html,x", "https://"),
        ("//example.org/a", "https://"),
        ("example.org", "https://"),
        ("https://example.org/a https://example.org/b", "more than one"),
        ("https://example.org/" + "a" * 9_000, "longer"),
        ("https://" + "a." * 200 + "org", "host"),
    ],
)
def test_what_is_no_address_never_becomes_one(written: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Address.parse(written)


@given(st.text(), st.text())
def test_an_address_holds_nothing_that_ends_a_line_an_attribute_or_a_tag(host: str, rest: str) -> None:
    for text in (f"https://example.org/{rest}", f"https://{host}/{rest}", f"https://{host}"):
        try:
            written = str(Address.parse(text))
        except ValueError:
            continue
        assert written.isascii()
        assert written.isprintable()
        assert not set(written) & set(" \"'<>\\`")
        assert str(Address.parse(written)) == written
