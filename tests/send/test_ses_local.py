"""Whole campaigns through the SES provider and boto3, to an emulator of SES by others (tests/ses_local.py)."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.conftest import needed
from tests.desk import ISSUE, Desk
from tests.ses_local import SesLocal, missing, serve_ses_local

NAME = "network-download-2022-10"
FEW = {"ana@example.org", "ben@example.org", "chi@example.org"}
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture
def ses(desk: Desk) -> Iterator[SesLocal]:
    """The emulator, as provider "ses" of the workspace."""
    if why := missing():
        needed(why)
    with serve_ses_local() as server:
        configure(desk, server.url)
        yield server


def configure(desk: Desk, url: str) -> None:
    """Let the workspace's first publication be carried by SES at an address; the others are left out."""
    path = desk.folder / "config.toml"
    text = path.read_text(encoding="utf-8").replace('provider = "files"', 'provider = "ses"')
    path.write_text(f'{text}\n[providers.ses]\nregion = "us-east-1"\nbase_url = "{url}"\n', encoding="utf-8")


def send(desk: Desk) -> subprocess.CompletedProcess[str]:
    return desk.run("send", NAME, "--confirm", NAME, "--provider", "ses", **KEYS)


def received(ses: SesLocal) -> Counter[str]:
    return Counter(address for message in ses.emails() for address in message["destination"]["to"])


def test_everybody_gets_one_message_with_their_own_words_and_links(desk: Desk, ses: SesLocal) -> None:
    desk.space.approve(NAME, by="Ada")
    done = send(desk)
    assert done.returncode == 0, done.stderr
    assert received(ses) == Counter(dict.fromkeys(FEW, 1))
    messages = {message["destination"]["to"][0]: message for message in ses.emails()}
    assert "Hi Ana," in messages["ana@example.org"]["body"]["text"]
    assert "Hi friend," in messages["ben@example.org"]["body"]["text"]
    links = set()
    for message in messages.values():
        headers = {header["name"]: header["value"] for header in message["headers"]}
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert headers["List-Id"] == '"Network Download" <network-download.example.org>'
        links.add(headers["List-Unsubscribe"])
        assert headers["List-Unsubscribe"].strip("<>") in message["body"]["text"]
        assert "{{" not in message["subject"] + message["body"]["text"] + message["body"]["html"]
    assert len(links) == len(FEW)


def test_more_readers_than_fit_one_call_get_one_message_each_however_often_it_is_sent(
    desk: Desk, ses: SesLocal
) -> None:
    readers = [f"reader{n}@example.org" for n in range(60)]
    desk.import_people("Email,Lists\n" + "".join(f"{reader},Network Download\n" for reader in readers), "more.csv")
    desk.space.approve(NAME, by="Ada")
    assert [send(desk).returncode for _ in range(2)] == [0, 0]
    assert received(ses) == Counter(dict.fromkeys([*FEW, *readers], 1))


def test_what_looks_like_a_template_in_a_name_or_a_text_arrives_as_it_was_written(desk: Desk, ses: SesLocal) -> None:
    people = 'Email,First Name,Lists\nodd@example.org,"{{t0}} & <b>{{#if}}",Network Download\n'
    desk.import_people(people, "odd.csv")
    text = ISSUE.replace("This month", "With { { }} and {x}, this month")
    waived = (
        f'{{ rule = "{rule}", about = "{about}", by = "Ada", reason = "it is what is tried" }}'
        for rule, about in (("content/leftover-marks", "mailed as it stands"), ("merge/foreign-field", "merge field"))
    )
    desk.write_issue(NAME, text.replace("\npreheader", f"\nwaivers = [{', '.join(waived)}]\npreheader", 1))
    desk.space.approve(NAME, by="Ada")
    done = send(desk)
    assert done.returncode == 0, done.stderr
    odd = next(message for message in ses.emails() if message["destination"]["to"] == ["odd@example.org"])
    assert "Hi {{t0}} & <b>{{#if}}," in odd["body"]["text"]
    assert "Hi {{t0}} &amp; &lt;b&gt;{{#if}}," in odd["body"]["html"]
    assert "With { { }} and {x}, this month" in odd["body"]["text"].replace("\n", " ")


def test_a_backslash_before_a_merge_field_does_not_escape_it(desk: Desk, ses: SesLocal) -> None:
    # Handlebars, which SES fills templates with, takes \{{name}} for the literal text {{name}}.
    desk.write_issue(NAME, ISSUE.replace("This month", "See C:\\\\{{ first_name | friend }} this month"))
    desk.space.approve(NAME, by="Ada")
    done = send(desk)
    assert done.returncode == 0, done.stderr
    ana = next(message for message in ses.emails() if message["destination"]["to"] == ["ana@example.org"])
    assert "See C:\\Ana this month" in ana["body"]["text"].replace("\n", " ")


@pytest.mark.parametrize(("production", "verdict"), [(True, "fine"), (False, "wrong")])
def test_config_check_tells_an_account_in_the_sandbox(desk: Desk, production: bool, verdict: str) -> None:
    if why := missing():
        needed(why)
    with serve_ses_local(production=production) as server:
        configure(desk, server.url)
        done = desk.run("config", "check", "--online", "--json", **KEYS)
    found = {(proof["about"], proof["verdict"]) for proof in json.loads(done.stdout)["verified"]}
    assert ("account", verdict) in found
