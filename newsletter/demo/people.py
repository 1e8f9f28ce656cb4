"""Synthetic readers for the sample: made-up names at addresses that can't exist (RFC 2606)."""

from __future__ import annotations

import csv
import io
import random

_FIRST = (
    *("Amara", "Bao", "Carmen", "Dmitri", "Élise", "Farah", "Gil", "Hyun", "Ingrid", "Jamal", "Keahi", "Lucía"),
    *("Marisol", "Noor", "Odalys", "Priscilla", "Quinn", "Renée", "Samir", "Tessa", "Umi", "Víctor", "Wren", "Yara"),
)
_LAST = (
    *("Abara", "Bright", "Castañeda", "Dorsey", "Eze", "Fontaine", "Grant", "Haddad", "Ibarra", "Joseph", "Kealoha"),
    *(
        "Lindqvist",
        "Moreau",
        "Nakai",
        "Ortiz",
        "Park",
        "Quispe",
        "Reyes",
        "Sato",
        "Tran",
        "Usher",
        "Vance",
        "Yellowhorse",
    ),
)
_PLACES = (
    *(("FL", "Gainesville"), ("FL", "Tallahassee"), ("TX", "Austin"), ("TX", "El Paso County"), ("CO", "Denver")),
    *(("NC", "Durham"), ("MN", "Saint Paul"), ("WA", "Seattle"), ("NY", "Albany County"), ("PA", "Philadelphia")),
)
_LISTS = ("Network Download", "Workers' Rights Round Up", "Federal Advocacy")
_ROLES = ("elected", "elected", "staff", "ally", "press", "funder")


def people_csv(count: int = 320) -> str:
    """A CSV export of `count` people, always the same; a few have left, bounced or never confirmed."""
    chance = random.Random(2022)  # noqa: S311 (the same sample every time)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ("Email Address", "First Name", "Last Name", "State", "City/County", "Role", "Lists", "Status", "Confirmed")
    )
    for number in range(count):
        first, last = chance.choice(_FIRST), chance.choice(_LAST)
        state, locality = chance.choice(_PLACES)
        lists = chance.sample(_LISTS, chance.choice((1, 1, 2, 3)))
        status = chance.choices(("subscribed", "unsubscribed", "pending", "cleaned"), (92, 4, 2, 2))[0]
        address = f"reader{number:03}@{chance.choice(('example.org', 'example.com', 'example.net'))}"
        named = first if chance.random() > 0.12 else ""
        confirmed = f"2022-{chance.randint(1, 8):02}-{chance.randint(1, 28):02}"
        writer.writerow(
            (address, named, last, state, locality, chance.choice(_ROLES), "; ".join(lists), status, confirmed)
        )
    return out.getvalue()
