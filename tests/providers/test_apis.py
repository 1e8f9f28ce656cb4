"""The contract over every provider with an HTTP API, each against a fake that remembers whom it took."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from newsletter import merge, providers
from newsletter.config import ProviderConfig
from newsletter.errors import ConfigError, OutcomeUnknown, Refused, Unavailable
from newsletter.model import Batch, Outcome
from newsletter.providers import How, Provider
from newsletter.providers.brevo import Brevo
from newsletter.providers.brevo import Options as BrevoOptions
from newsletter.providers.http import Answer
from newsletter.providers.mailgun import Mailgun
from newsletter.providers.mailgun import Options as MailgunOptions
from newsletter.providers.mailjet import Mailjet
from newsletter.providers.mailjet import Options as MailjetOptions
from newsletter.providers.postmark import Options as PostmarkOptions
from newsletter.providers.postmark import Postmark
from newsletter.providers.resend import Options as ResendOptions
from newsletter.providers.resend import Resend
from newsletter.providers.sendgrid import Options as SendgridOptions
from newsletter.providers.sendgrid import Sendgrid
from newsletter.providers.ses import Options as SesOptions
from newsletter.providers.ses import Ses
from newsletter.tables import Document
from tests.providers.fakes import (
    KEY,
    BrevoFake,
    Fake,
    MailgunFake,
    MailjetFake,
    PostmarkFake,
    ResendFake,
    SendgridFake,
    SesFake,
    serve,
)
from tests.providers.test_contract import batch

CALLED = dt.datetime(2022, 10, 12, tzinfo=dt.UTC)
NAMES: tuple[str, ...] = (
    "RESEND_API_KEY",
    "MAILGUN_API_KEY",
    "POSTMARK_SERVER_TOKEN",
    "MAILJET_API_KEY",
    "MAILJET_SECRET_KEY",
    "SENDGRID_API_KEY",
    "BREVO_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)


@dataclass
class Time:
    """A clock that stands still."""

    at: dt.datetime = CALLED

    def now(self) -> dt.datetime:
        return self.at


@dataclass
class Line:
    """A provider, the fake at its other end, and the provider's clock."""

    provider: Provider
    fake: Fake
    time: Time

    @property
    def addresses(self) -> list[str]:
        return sorted(address for address, _ in self.fake.taken)

    def later(self, **span: float) -> None:
        self.time.at += dt.timedelta(**span)


@contextmanager
def connected(name: str, key: str = KEY) -> Iterator[Line]:
    time = Time()
    with serve(FAKES[name]()) as fake:
        provider = made(name, fake.url, time.now, key)
        yield Line(provider, fake, time)
        provider.close()


def made(name: str, url: str, now: Callable[[], dt.datetime], key: str = KEY) -> Provider:
    environment = dict.fromkeys(NAMES, key)
    match name:
        case "resend":
            return Resend(ResendOptions(base_url=url, timeout=0.4), environment, now)
        case "mailgun":
            options = MailgunOptions(domain="mg.example.org", base_url=url, timeout=0.4)
            return Mailgun(options, environment, now)
        case "sendgrid":
            return Sendgrid(SendgridOptions(base_url=url, timeout=0.4), environment, now)
        case "brevo":
            return Brevo(BrevoOptions(base_url=url, timeout=0.4), environment, now)
        case "ses":
            return Ses(SesOptions(region="us-east-1", base_url=url, timeout=0.4), environment, now)
        case "postmark":
            return Postmark(PostmarkOptions(base_url=url, timeout=0.4), environment, now)
        case _:
            return Mailjet(MailjetOptions(base_url=url, timeout=0.4), environment, now)


FAKES: dict[str, type[Fake]] = {
    "resend": ResendFake,
    "mailgun": MailgunFake,
    "postmark": PostmarkFake,
    "mailjet": MailjetFake,
    "sendgrid": SendgridFake,
    "brevo": BrevoFake,
    "ses": SesFake,
}


@pytest.fixture(params=list(FAKES))
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    with connected(request.param) as opened:
        yield opened


#: When a batch is settled; Brevo remembers a call for half an hour.
AFTER = {"brevo": {"minutes": 20}}


def outcomes(receipts: list[Any]) -> list[Outcome]:
    return [receipt.outcome for receipt in receipts]


ALL = ["a@example.org", "b@example.org", "c@example.org"]


def test_a_batch_is_taken_whole_and_answered_in_order(line: Line) -> None:
    receipts = line.provider.send(batch())
    assert [receipt.delivery for receipt in receipts] == [1, 2, 3]
    assert outcomes(receipts) == [Outcome.ACCEPTED] * 3
    assert all(receipt.message_id for receipt in receipts)
    assert line.addresses == ALL


def test_every_reader_has_their_own_name_and_their_own_way_to_leave(line: Line) -> None:
    line.provider.send(batch())
    for address, message in line.fake.taken:
        number = ALL.index(address) + 1
        told = json.dumps(message)
        assert f"Hi N{number}" in told
        assert f"<https://example.org/u/{number}>" in told
        assert "List-Unsubscribe=One-Click" in told
        assert "{{" not in told
        assert "%recipient" not in json.dumps({k: v for k, v in message.items() if k != "recipient-variables"})
        assert line.fake.delivery_of(message) == str(number)


def test_one_who_is_refused_does_not_keep_the_others_back(line: Line) -> None:
    line.fake.refuse.add("b@example.org")
    receipts = line.provider.send(batch())
    assert outcomes(receipts) == [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ACCEPTED]
    assert "b@example.org" not in receipts[1].detail
    assert line.addresses == ["a@example.org", "c@example.org"]


def test_everybody_can_be_refused(line: Line) -> None:
    line.fake.refuse.update(ALL)
    assert outcomes(line.provider.send(batch())) == [Outcome.REFUSED] * 3


@pytest.mark.parametrize("name", list(FAKES))
def test_a_wrong_key_is_refused_for_good(name: str) -> None:
    with connected(name, key="wrong") as line, pytest.raises(Refused, match="doesn't accept the key"):
        line.provider.send(batch())


def test_too_fast_is_told_with_the_time_to_wait_where_the_vendor_gives_one(line: Line) -> None:
    line.fake.faults.append("429")
    with pytest.raises(Unavailable) as caught:
        line.provider.send(batch())
    assert caught.value.retry_after == (None if line.provider.name in ("mailjet", "postmark", "ses") else 7)
    assert line.fake.taken == []


@pytest.mark.parametrize("fault", ["drop", "half", "stall", "500"])
def test_a_batch_whose_answer_is_lost_is_settled_and_never_taken_twice(line: Line, fault: str) -> None:
    line.fake.faults.append(fault)
    with pytest.raises(OutcomeUnknown):
        line.provider.send(batch())
    line.later(**AFTER.get(line.provider.name, {"hours": 2}))
    certain = line.provider.recovery.how is not How.NONE
    assert outcomes(line.provider.settle(batch())) == [Outcome.ACCEPTED if certain else Outcome.UNKNOWN] * 3
    assert line.addresses == ALL


def test_a_batch_that_never_arrived_is_taken_by_a_replay_or_proved_absent_by_a_lookup(line: Line) -> None:
    line.fake.faults.append("lose")
    with pytest.raises(OutcomeUnknown):
        line.provider.send(batch())
    line.later(**AFTER.get(line.provider.name, {"hours": 2}))
    settled = outcomes(line.provider.settle(batch()))
    proved = {How.LOOKUP: Outcome.DEFERRED, How.NONE: Outcome.UNKNOWN}.get(line.provider.recovery.how)
    assert settled == [proved or Outcome.ACCEPTED] * 3
    assert line.addresses == ([] if proved else ALL)


def test_a_lookup_right_after_the_call_proves_nothing(line: Line) -> None:
    if line.provider.recovery.how is not How.LOOKUP:
        return
    line.later(minutes=1)
    assert outcomes(line.provider.settle(batch())) == [Outcome.UNKNOWN] * 3


@pytest.mark.parametrize(("name", "hours"), [("resend", 24), ("brevo", 0.5)])
def test_a_key_past_its_time_proves_nothing(name: str, hours: float) -> None:
    with connected(name) as line:
        line.later(hours=hours)
        assert outcomes(line.provider.settle(batch())) == [Outcome.UNKNOWN] * 3
        assert line.fake.taken == []


def test_when_nobody_answers_the_call_nothing_was_taken(line: Line) -> None:
    name = line.provider.name
    gone = made(name, "http://127.0.0.1:1", line.time.now)
    with pytest.raises(Unavailable, match="no connection"):
        gone.send(batch())
    gone.close()


def test_the_same_batch_makes_the_same_bytes(line: Line) -> None:
    for provider in (line.provider, line.provider):
        provider.send(batch())
    first, *others = line.fake.bodies
    assert all(body == first for body in others)


HOSTILE = 'x"<b>%recipient.delivery% {{ first_name }} [[var:y]] \u202e\u0001'


def test_hostile_values_and_texts_stay_what_they_are(line: Line) -> None:
    sent = batch("a@example.org")
    content = replace(
        sent.content,
        html=merge.MergeText(("<p>%recipient.delivery% ", merge.MergeField(name="first_name"))),
        text=merge.MergeText(("%recipient.delivery% ", merge.MergeField(name="first_name"))),
    )
    (reader,) = sent.recipients
    hostile = replace(reader, values={**reader.values, "first_name": HOSTILE})
    assert outcomes(line.provider.send(replace(sent, content=content, recipients=(hostile,)))) == [Outcome.ACCEPTED]
    ((_, message),) = line.fake.taken
    html = next(message[key] for key in ("html", "HtmlBody", "HTMLPart") if key in message)
    text = next(message[key] for key in ("text", "TextBody", "TextPart") if key in message)
    assert "<b>" not in html
    assert "<b>" in text
    assert text.startswith("%recipient.delivery% ")


@pytest.mark.parametrize("name", [name for name in FAKES if name != "ses"])
def test_without_a_key_one_line_says_which_variable_to_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in NAMES:
        monkeypatch.delenv(variable, raising=False)
    domain = 'domain = "mg.example.org"\n' if name == "mailgun" else ""
    table = Document.parse(domain, "config.toml").root()
    with pytest.raises(ConfigError, match=r"set \$[A-Z_]+"):
        providers.load(ProviderConfig(slug=name, type=name, table=table), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "text", "seconds"),
    [
        ({"retry-after": "7"}, "", 7.0),
        ({"retry-after": "Wed, 12 Oct 2022 00:01:00 GMT"}, "", 60.0),
        ({"x-sib-ratelimit-reset": "12"}, "", 12.0),
        ({"x-ratelimit-reset": str(int(CALLED.timestamp()) + 9)}, "", 9.0),
        ({}, '{"message": "Too many. Please try again after 33 seconds"}', 33.0),
        ({}, "try again in 2 minutes", 120.0),
        ({}, "slow down", None),
    ],
)
def test_the_time_to_wait_is_read_in_every_vendors_form(
    headers: dict[str, str], text: str, seconds: float | None
) -> None:
    assert Answer(429, headers, text).wait(CALLED) == seconds


def test_a_wrong_address_of_mailguns_is_told() -> None:
    with connected("mailgun") as line:
        options = MailgunOptions(domain="elsewhere.example.org", base_url=line.fake.url)
        other = Mailgun(options, {"MAILGUN_API_KEY": KEY}, line.time.now)
        with pytest.raises(Refused, match="isn't Mailgun's address"):
            other.send(batch())
        other.close()


def test_mailguns_events_are_read_page_by_page() -> None:
    people = [f"p{number}@example.org" for number in range(7)]
    with connected("mailgun") as line:
        line.provider.send(batch(*people))
        assert outcomes(line.provider.settle(batch(*people))) == [Outcome.ACCEPTED] * 7


def test_a_batch_that_was_taken_by_half_is_settled_person_by_person() -> None:
    with connected("mailgun") as line:
        line.later(hours=2)
        whole: Batch = batch()
        line.provider.send(replace(whole, recipients=whole.recipients[:2]))
        assert outcomes(line.provider.settle(whole)) == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.DEFERRED]
