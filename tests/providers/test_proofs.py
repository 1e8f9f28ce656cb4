"""What a provider can be asked without mailing anybody: the key, the sender, and if its webhooks can be believed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import Refused
from newsletter.providers.files import Files
from tests.desk import Desk
from tests.providers.fakes import KEY, MailgunFake, serve
from tests.providers.test_apis import FAKES, Line, connected
from tests.providers.test_webhooks import KEYS, SECRETS, made

SENDER = "news@example.org"


@pytest.fixture(params=list(FAKES))
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    with connected(request.param) as opened:
        yield opened


def verdicts(line: Line, sender: str = SENDER) -> dict[str, bool | None]:
    return {proof.about: proof.fine for proof in line.provider.prove(sender)}


def test_a_right_key_and_a_verified_sender_are_told_apart_from_others(line: Line) -> None:
    told = verdicts(line)
    assert set(told.values()) <= {True, None}
    assert True in told.values()
    assert line.fake.taken == []


def test_what_is_not_verified_is_wrong(line: Line) -> None:
    line.fake.verified = False
    assert False in verdicts(line).values()


def test_a_subdomain_may_use_its_parents_verification_and_a_stranger_may_not() -> None:
    with connected("resend") as line:
        assert verdicts(line, "news@mail.example.org")["sender"] is True
        assert verdicts(line, "news@badexample.org")["sender"] is False


def test_a_wrong_key_is_refused(line: Line) -> None:
    with connected(line.provider.name, key="wrong") as other, pytest.raises(Refused, match="doesn't accept the key"):
        other.provider.prove(SENDER)


@pytest.mark.parametrize("name", list(FAKES))
def test_a_webhooks_secret_is_there_or_not_or_none_of_the_vendors(name: str) -> None:
    def fine(environment: dict[str, str]) -> list[bool | None]:
        return [proof.fine for proof in made(name, environment).prove_webhooks()]

    assert fine({**KEYS, **SECRETS}) == [True]
    assert fine(KEYS) == [None]
    if name in ("resend", "sendgrid"):
        assert fine({**KEYS, **dict.fromkeys(SECRETS, "nonsense")}) == [False]


def test_a_folder_is_looked_at(tmp_path: Path) -> None:
    assert [proof.fine for proof in Files(tmp_path / "outbox").prove(SENDER)] == [True]
    (tmp_path / "file").touch()
    assert [proof.fine for proof in Files(tmp_path / "file").prove(SENDER)] == [False]


def test_config_check_asks_and_ends_in_one_line_for_what_is_wrong(desk: Desk) -> None:
    config = desk.folder / "config.toml"
    with serve(MailgunFake()) as fake:
        text = config.read_text(encoding="utf-8").replace('provider = "files"', 'provider = "mailgun"', 1)
        table = f'[providers.mailgun]\ndomain = "mg.example.org"\nbase_url = "{fake.url}"\n'
        config.write_text(f"{text}\n{table}", encoding="utf-8")
        done = desk.run("config", "check", "--online", MAILGUN_API_KEY=KEY)
        assert done.returncode == 0, done.stderr
        assert re.search(r"network-download +mailgun +sender +fine +mg.example.org is verified", done.stdout)
        fake.verified = False
        wrong = desk.run("config", "check", "--online", MAILGUN_API_KEY=KEY)
    assert wrong.returncode == 1
    assert "mailgun: mg.example.org is not verified" in wrong.stderr


def test_a_provider_without_an_unsubscribe_link_of_each_reader_is_an_error(desk: Desk) -> None:
    (desk.folder / "bare_provider.py").write_text(
        "from newsletter.providers.memory import Memory\n\nclass Bare(Memory):\n    list_unsubscribe = False\n"
    )
    config = desk.folder / "config.toml"
    config.write_text(f'{config.read_text(encoding="utf-8")}\n[providers.bare]\ntype = "bare_provider:Bare"\n')
    done = desk.run("config", "check", PYTHONPATH=str(desk.folder))
    assert done.returncode == 1
    assert "each reader their own List-Unsubscribe" in done.stderr
