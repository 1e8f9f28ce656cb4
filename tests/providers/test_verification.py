"""What a provider can be asked without mailing anybody: the key, the sender, and whether its webhooks can work."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import NotSent, Ours, ProviderError
from newsletter.providers.files import Files
from newsletter.providers.memory import Memory
from tests.desk import Desk
from tests.providers import hostile
from tests.providers.fakes import KEY, MailgunFake, ResendFake, SmtpFake, serve
from tests.providers.lines import FAKES, Line, connected, gathered, smtp
from tests.providers.signatures import KEYS, SECRETS, made_for_webhooks

SENDER = "news@example.org"


@pytest.fixture(params=list(FAKES))
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    with connected(request.param) as opened:
        yield opened


def verdicts(line: Line, sender: str = SENDER) -> dict[str, bool | None]:
    return {one.about: one.fine for one in line.provider.verify(sender)}


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
    with connected(line.provider.name, key="wrong") as other, pytest.raises(Ours):
        other.provider.verify(SENDER)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # botocore leaves sockets open
def test_a_provider_that_cannot_be_asked_ends_in_an_error_of_ours(line: Line) -> None:
    """Whatever stands between: a verification is either about what was found, or a ProviderError."""
    for interference in (*hostile.statuses(), *hostile.moved()):
        if not interference.reaches:
            line.fake.faults[:] = [interference]
            found, fault = gathered(lambda: iter(line.provider.verify(SENDER)))  # type: ignore[arg-type]
            assert isinstance(fault, ProviderError | None), interference
            assert all(one.about for one in found)  # type: ignore[attr-defined]
            assert KEY not in f"{fault} {found}"
    gc.collect()


def test_a_key_of_resends_that_may_only_send_is_fine_and_cannot_tell_of_senders() -> None:
    with connected("resend") as line:
        assert isinstance(line.fake, ResendFake)
        line.fake.restricted = True
        assert verdicts(line) == {"key": True, "sender": None}


@pytest.mark.parametrize("name", list(FAKES))
def test_a_webhooks_secret_is_there_or_not_or_none_of_the_vendors(name: str) -> None:
    def fine(environment: dict[str, str]) -> list[bool | None]:
        return [one.fine for one in made_for_webhooks(name, environment).verify_webhooks()]

    assert fine({**KEYS, **SECRETS}) == [True]
    assert fine(KEYS) == [None]
    if name in ("resend", "sendgrid"):
        assert fine({**KEYS, **dict.fromkeys(SECRETS, "nonsense")}) == [False]


def test_a_folder_is_looked_at(tmp_path: Path) -> None:
    assert [one.fine for one in Files(tmp_path / "outbox").verify(SENDER)] == [True]
    (tmp_path / "file").touch()
    assert [one.fine for one in Files(tmp_path / "file").verify(SENDER)] == [False]


def test_memory_has_nothing_to_look_at() -> None:
    assert Memory().verify(SENDER) == Memory().verify_webhooks() == ()


def test_a_mail_server_is_asked_whether_it_takes_the_sender_and_gets_no_mail() -> None:
    with serve(SmtpFake()) as fake:
        provider = smtp(fake.url)
        assert [(one.about, one.fine) for one in provider.verify(SENDER)] == [("login", True), ("sender", True)]
        assert isinstance(fake, SmtpFake)
        fake.answers["MAIL"] = [f"553 5.1.8 <{SENDER}>: sender address rejected"]
        login, sender = provider.verify(SENDER)
        assert (login.fine, sender.fine) == (True, False)
        assert SENDER not in sender.found
        assert "RSET" in fake.said
        provider.close()
        assert fake.taken == []
    with pytest.raises(NotSent):
        smtp("smtp://127.0.0.1:1").verify(SENDER)


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
