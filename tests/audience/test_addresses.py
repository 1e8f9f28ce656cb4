"""Which mailbox an address leads to, and which addresses a damaged text holds."""

from __future__ import annotations

import pytest

from newsletter.audience.addresses import found_in, mailbox_of, normalize, same_service
from newsletter.errors import InputError


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("ada.l+news@googlemail.com", "adal@gmail.com"),
        ("a.d-a_l@protonmail.com", "adal@proton.me"),
        ("adal+x@pm.me", "adal@proton.me"),
        ("ada@me.com", "ada@icloud.com"),
        ("ada-l@ya.ru", "adal@yandex.ru"),
        ("ada.l@yandex.com", "adal@yandex.ru"),
        ("x1@ada.fastmail.com", "ada@fastmail.com"),
        ("ada+x2@fastmail.com", "ada@fastmail.com"),
        ("a.d-a_l+x@example.org", "a.d-a_l@example.org"),
        ("+x@example.org", "+x@example.org"),
    ],
)
def test_other_names_of_a_mailbox_lead_to_it(address: str, mailbox: str) -> None:
    assert mailbox_of(address) == mailbox
    assert mailbox.partition("@")[2] in same_service(mailbox.partition("@")[2])


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("a@example.org; b@example.org", ["a@example.org", "b@example.org"]),
        ("mailto:a@example.org", ["a@example.org"]),
        ("a @ example.org", ["a@example.org"]),
        ("a@@example..org", ["a@example.org"]),
        ("a＠example.org", ["a@example.org"]),
        ('"a"@example.org', ["a@example.org"]),
        ("nobody at example.org", []),
    ],
)
def test_addresses_are_found_in_damaged_texts(text: str, addresses: list[str]) -> None:
    assert found_in(text) == addresses


def test_a_name_before_the_at_has_at_most_64_characters() -> None:
    assert normalize(f"{'a' * 64}@example.org")
    with pytest.raises(InputError, match="64 characters"):
        normalize(f"{'a' * 65}@example.org")
