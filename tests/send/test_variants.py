"""Each reader gets the variant that was approved for them, and nobody's guarded part reaches another."""

from __future__ import annotations

import email
import email.policy
import json
from pathlib import Path

import pytest

from newsletter import audience
from newsletter.audience.variants import reach, variant_named
from newsletter.model import DeliveryState, Variant
from tests.desk import ISSUE, Desk

NAME = "network-download-2022-10"
GUARDED = (
    ISSUE.replace(
        "## 🏛️ Policy wins",
        """::: only segment = "florida"
A word for Florida.
:::

::: only state = "TX"
A word for Texas.
:::

## Elsewhere

::: your state first
[[organizer-job]]

[[denver-convening]]

[[sf-public-health-leave]]
:::

## 🏛️ Policy wins

Text.

<!--""",
    )
    + "-->\n"
)


@pytest.fixture
def guarded(desk: Desk) -> Desk:
    desk.write_issue(NAME, GUARDED)
    desk.import_people(
        "Email,First Name,State,Lists,Role\n"
        "gus@example.org,Gus,CA,Network Download,press\n"
        "hal@example.org,Hal,CA,Network Download,press\n"
        "ida@example.org,Ida,CO,Network Download,staff\n"
        "jon@example.org,Jon,,Network Download,staff\n"
    )
    return desk


def send(desk: Desk, *more: str) -> None:
    for command in (("approve", NAME), ("send", NAME, "--confirm", NAME, *more)):
        done = desk.run(*command)
        assert done.returncode == 0, done.stderr


def received(desk: Desk) -> dict[str, str]:
    """The plain text that each reader got, by first name of the address."""
    found = {}
    for path in sorted((desk.folder / "outbox" / NAME).glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        part = message.get_body(("plain",))
        assert part
        found[str(message["To"]).partition("@")[0]] = str(part.get_content())
    return found


def test_a_guarded_part_reaches_those_it_names_and_nobody_else(guarded: Desk) -> None:
    send(guarded)
    texts = received(guarded)
    assert set(texts) == {"ana", "ben", "chi", "gus", "hal", "ida", "jon"}
    assert {name for name, text in texts.items() if "A word for Florida." in text} == {"ana", "ben"}
    assert {name for name, text in texts.items() if "A word for Texas." in text} == {"chi"}


def test_each_readers_state_comes_first(guarded: Desk) -> None:
    send(guarded)
    texts = received(guarded)

    def order(name: str) -> list[str]:
        titles = ("We are hiring", "National convening", "Public Health Emergency Leave")
        return sorted(titles, key=lambda title: texts[name].index(title))

    assert order("gus")[0] == "Public Health Emergency Leave"
    assert order("ida")[0] == "National convening"
    assert order("jon")[0] == "We are hiring"


def test_only_the_renderings_that_the_audience_needs_are_made(guarded: Desk) -> None:
    issue = guarded.space.compose(NAME)
    with guarded.space.store.read() as session:
        found = reach(session, issue, "network-download", guarded.space.config, guarded.space.clock.now())
    counts = {variant.name: count for variant, count in found.variants.items()}
    assert counts == {"default": 1, "ca": 2, "co": 1, "g1": 2, "g2": 1}
    assert found.readers == 7
    assert [guard.readers for guard in found.guards] == [2, 1]
    assert [variant.variant for variant in guarded.space.render(issue)] == list(counts)


def test_a_name_says_what_the_variant_holds(guarded: Desk) -> None:
    issue = guarded.space.compose(NAME)
    assert variant_named(issue, "default") == Variant()
    expected = Variant(name="g1-g2-ca", guards=frozenset(issue.guards), state="CA")
    assert variant_named(issue, "g1-g2-ca") == expected


def test_a_batch_holds_one_variant(guarded: Desk) -> None:
    send(guarded)
    campaigns = json.loads(guarded.run("campaigns", "list", "--json").stdout)
    assert campaigns[0][str(DeliveryState.SUBMITTED)] == 7
    from sqlalchemy import text

    with guarded.space.store.read() as session:
        rows = session.execute(text("SELECT batch, count(DISTINCT variant) FROM deliveries GROUP BY batch")).all()
    assert len(rows) == 5
    assert {row[1] for row in rows} == {1}


def test_a_reader_whose_variant_is_newer_than_the_approval_gets_the_default(guarded: Desk) -> None:
    assert guarded.run("approve", NAME).returncode == 0
    with guarded.space.store.write() as session:
        for name, state in (("jon", "AZ"), ("ida", "TX"), ("chi", "CO")):
            person = audience.find(session, f"{name}@example.org")
            assert person
            person.state = state
            person.role = "press"
    done = guarded.run("send", NAME, "--confirm", NAME)
    assert done.returncode == 0, done.stderr
    texts = received(guarded)
    assert "A word for Texas." in texts["ida"]
    assert "A word for" not in texts["jon"]


def test_somebody_who_joins_after_the_approval_does_not_void_it(guarded: Desk) -> None:
    guarded.write_issue(NAME, GUARDED.replace('state = "TX"', 'role = "funder"'))
    assert guarded.run("check", NAME).returncode == 0
    assert guarded.run("approve", NAME).returncode == 0
    guarded.import_people("Email,State,Lists,Role\nnew@example.org,AZ,Network Download,funder\n", "late.csv")
    plan = guarded.run("send", NAME, "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert "1 reader gets the default: their variant is newer than the approval" in plan.stderr
    assert guarded.run("send", NAME, "--confirm", NAME).returncode == 0
    assert "A word for" not in received(guarded)["new"]


def test_a_guard_that_cannot_be_evaluated_is_closed_and_blocks_sending(guarded: Desk) -> None:
    guarded.write_issue(NAME, GUARDED.replace('state = "TX"', 'sate = "TX"'))
    issue = guarded.space.compose(NAME)
    assert all("Texas" not in str(variant.text) for variant in guarded.space.render(issue))
    done = guarded.run("check", NAME)
    assert done.returncode == 3
    assert "audience/unknown-guard" in done.stdout


def test_the_archive_shows_what_is_for_everybody(guarded: Desk) -> None:
    guarded.space.approve(NAME, by="Ada")
    guarded.space.publish()
    for path in (guarded.folder / "archive").rglob("*"):
        if path.is_file():
            assert b"A word for" not in path.read_bytes(), path


def test_the_matrix_and_the_plan_name_every_variant(guarded: Desk) -> None:
    shown = json.loads(guarded.run("variants", NAME, "--json").stdout)
    assert shown["readers"] == 7
    assert [(guard["expression"], guard["readers"]) for guard in shown["guards"]] == [
        ('segment = "florida"', 2),
        ('state = "TX"', 1),
    ]
    assert [line.split()[:2] for line in guarded.run("variants", NAME).stdout.splitlines()][-2:] == [
        ["g1", "2"],
        ["g2", "1"],
    ]
    assert guarded.run("approve", NAME).returncode == 0
    plan = guarded.run("send", NAME, "--dry-run").stderr
    assert "Variants   2 ca, 1 co, 1 default, 2 g1, 1 g2" in plan


def test_it_is_explained_who_gets_what_and_why(guarded: Desk) -> None:
    told = json.loads(guarded.run("explain", NAME, "ana@example.org", "--json").stdout)
    assert told["mailed"] == "yes"
    assert told["segments"] == ["florida"]
    assert told["variant"] == "g1"
    assert told["opens"] == ['segment = "florida"']
    told = json.loads(guarded.run("explain", NAME, "dee@example.org", "--json").stdout)
    assert told["mailed"] == "no"
    assert told["list"] == "network-download: unsubscribed"


def test_each_variant_is_sent_as_a_test(guarded: Desk, tmp_path: Path) -> None:
    assert guarded.run("send", NAME, "--test", "me@example.org", "--variant", "all").returncode == 0
    files = list((guarded.folder / "outbox" / f"{NAME}-test").glob("*.eml"))
    subjects = {str(email.message_from_bytes(f.read_bytes(), policy=email.policy.default)["Subject"]) for f in files}
    assert len(files) == len(subjects) == 5
    assert any(subject.startswith("[Test, g1]") for subject in subjects)
