"""What is wrong with us is never a reader's: quotas, credits, senders, sandboxes; and what a vendor keeps to itself."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from dataclasses import replace

import pytest

from newsletter.errors import Later, Ours, OutcomeUnknown, ProviderError
from newsletter.model import Outcome
from newsletter.providers.faults import vendor_words
from newsletter.providers.http import accepted, deferred, refused
from tests.providers.fakes import KEY, Interference, MailgunFake, MailjetFake, ResendFake, Said, SendgridFake
from tests.providers.lines import ALL, FAKES, Line, call, connected, gathered, made, outcomes

TROUBLES = [(name, trouble) for name, fake in FAKES.items() for trouble in sorted({*fake.troubles, *fake.entries})]
#: Those that pass by themselves.
PASSING = {("postmark", "maintenance")}
#: What a person reads, beside the vendor's own words.
WORDS = {
    "quota": "quota|limit",
    "month": "quota",
    "day": "quota",
    "credits": "credits|Payment|402",
    "sender": "sender|verif",
    "sandbox": "verify|domain|pending|validat|sandbox",
    "suspended": "suspended|state|account|paused",
}


def test_every_vendor_knows_at_least_the_troubles_that_stop_a_campaign() -> None:
    for name, fake in FAKES.items():
        known = {*fake.troubles, *fake.entries}
        assert known & {"quota", "credits"}, name
        assert "sender" in known, name
        assert "suspended" in known, name


@pytest.mark.parametrize(("name", "trouble"), TROUBLES)
def test_a_trouble_of_ours_refuses_nobody_and_says_what_to_do(name: str, trouble: str) -> None:
    with connected(name) as line:
        line.fake.trouble = trouble
        receipts, fault = gathered(lambda: line.provider.send(call()))
        assert isinstance(fault, Later if (name, trouble) in PASSING else Ours)
        assert (receipts, line.addresses) == ([], [])
        assert "example.com" not in str(fault)
        if isinstance(fault, Ours):
            assert fault.hint, "it says what to do"
            assert re.search(WORDS.get(trouble, "."), str(fault), re.IGNORECASE)
        line.fake.trouble = ""  # it's put right
        assert outcomes(line.provider.send(call())) == [Outcome.ACCEPTED] * 3


@pytest.mark.parametrize(("name", "trouble"), [(name, t) for name, fake in FAKES.items() for t in sorted(fake.entries)])
def test_what_was_taken_before_the_trouble_stays_taken(name: str, trouble: str) -> None:
    with connected(name) as line:
        line.fake.trouble, line.fake.spare = trouble, 2
        receipts, fault = gathered(lambda: line.provider.send(call(*ALL, "d@example.org", "e@example.org")))
        assert isinstance(fault, Ours)
        assert [(one.delivery, one.outcome) for one in receipts] == [(1, Outcome.ACCEPTED), (2, Outcome.ACCEPTED)]
        assert line.addresses == ALL[:2]


@pytest.mark.parametrize("trouble", ["quota", "sandbox", "sender"])
def test_a_bad_recipient_beside_a_trouble_of_ours_is_told_apart(trouble: str) -> None:
    with connected("ses") as line:
        line.fake.trouble = trouble
        receipts, fault = gathered(lambda: line.provider.send(call("a@example.org", "no@example.org")))
        assert isinstance(fault, Ours)
        assert [(one.delivery, one.outcome) for one in receipts] == [(2, Outcome.REFUSED)]


def test_one_message_without_a_known_reason_does_not_stop_the_others_and_refuses_nobody() -> None:
    with connected("postmark") as line:
        line.fake.entries = {"odd": (987, "Something new")}  # type: ignore[misc]
        line.fake.trouble, line.fake.spare = "odd", 2
        receipts, fault = gathered(lambda: line.provider.send(call()))
        assert fault is None
        assert outcomes(receipts) == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.DEFERRED]
        line.fake.spare = 0
        receipts, fault = gathered(lambda: line.provider.send(call()))
        assert isinstance(fault, Ours)
        assert receipts == []


def test_a_probationers_batch_is_ours_and_names_the_time() -> None:
    """Mailgun's probation: at most ten a call."""
    with connected("mailgun") as line:
        assert isinstance(line.fake, MailgunFake)
        line.fake.probation = True
        _, fault = gathered(lambda: line.provider.send(call(*(f"p{n}@example.org" for n in range(11)))))
        assert isinstance(fault, Ours)
        assert "try again after Wed, 12 Oct 2022 01:00:00 UTC" in str(fault)
        assert outcomes(line.provider.send(call())) == [Outcome.ACCEPTED] * 3


def test_a_sandbox_that_rejects_afterwards_is_an_event_and_no_bounce() -> None:
    with connected("mailgun") as line:
        assert isinstance(line.fake, MailgunFake)
        line.fake.late = True
        assert outcomes(line.provider.send(call())) == [Outcome.ACCEPTED] * 3
        assert {event["event"] for event in line.fake.events} == {"rejected"}  # test_webhooks.py reads it


def test_sendgrids_sandbox_is_never_a_success() -> None:
    with connected("sendgrid") as line:
        assert isinstance(line.fake, SendgridFake)
        line.fake.sandboxed = True
        with pytest.raises(OutcomeUnknown, match="sandbox mode"):
            list(line.provider.send(call()))


def test_postmarks_test_token_is_never_a_success() -> None:
    with connected("postmark", key="POSTMARK_API_TEST") as line:
        receipts, fault = gathered(lambda: line.provider.send(call()))
        assert isinstance(fault, Ours)
        assert "POSTMARK_API_TEST" in fault.hint
        assert (receipts, line.addresses) == ([], [])


# The vendors' own lists.


def test_postmark_refuses_whoever_is_on_its_list_and_knows_not_why() -> None:
    with connected("postmark") as line:
        line.fake.suppressed["b@example.org"] = "ManualSuppression"
        receipts = list(line.provider.send(call()))
        assert outcomes(receipts) == [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ACCEPTED]
        assert not receipts[1].gone, "it may have been an unsubscribe"
        assert "b@example.org" not in receipts[1].detail


@pytest.mark.parametrize("name", ["resend", "mailgun", "mailjet", "sendgrid", "brevo", "ses"])
def test_the_others_accept_whoever_is_on_their_list_and_tell_later(name: str) -> None:
    with connected(name) as line:
        line.fake.suppressed["b@example.org"] = "suppress-bounce"
        assert outcomes(line.provider.send(call())) == [Outcome.ACCEPTED] * 3
        assert line.addresses == ["a@example.org", "c@example.org"]
        assert len(line.fake.events) == 1


# Replays.


def test_a_call_that_is_still_under_way_is_unknown_and_asked_again_with_its_key() -> None:
    """Resend: 409 concurrent_idempotent_requests."""
    with connected("resend") as line:
        assert isinstance(line.fake, ResendFake)
        line.fake.busy = True
        with pytest.raises(OutcomeUnknown):
            list(line.provider.send(call()))
        line.fake.busy = False
        assert outcomes(line.provider.settle(call())) == [Outcome.ACCEPTED] * 3


def test_a_key_that_had_other_bytes_proves_nothing() -> None:
    """Resend: 409 invalid_idempotent_request."""
    with connected("resend") as line:
        list(line.provider.send(call("a@example.org")))
        receipts, fault = gathered(lambda: line.provider.settle(call()))
        assert isinstance(fault, OutcomeUnknown)
        assert receipts == []


@pytest.mark.parametrize(("name", "window"), [("resend", dt.timedelta(hours=24)), ("brevo", dt.timedelta(minutes=15))])
def test_within_the_window_that_is_declared_a_replay_takes_nobody_twice(name: str, window: dt.timedelta) -> None:
    with connected(name) as line:
        list(line.provider.send(call()))
        assert line.provider.recovery.within == window
        line.time.at += window - dt.timedelta(seconds=1)
        assert outcomes(line.provider.settle(call())) == [Outcome.ACCEPTED] * 3
        assert line.addresses == ALL
        line.later(seconds=2)
        list(line.provider.settle(call()))
        assert len(line.addresses) == 6, "past the window a replay would mail everybody again: the ledger forbids it"


@pytest.mark.parametrize("tells", [True, False])
def test_mailjet_takes_nobody_twice_in_a_campaign(tells: bool) -> None:
    with connected("mailjet") as line:
        assert isinstance(line.fake, MailjetFake)
        line.fake.tells_duplicates = tells
        part = call("a@example.org")
        list(line.provider.send(part))
        assert outcomes(line.provider.settle(call())) == [Outcome.ACCEPTED] * 3
        assert line.addresses == ALL


# Lookups.


@pytest.mark.parametrize("name", ["mailgun", "postmark"])
def test_a_lookup_shows_a_message_after_its_lag_and_until_the_vendor_forgets(name: str) -> None:
    with connected(name) as line:
        line.fake.lag = dt.timedelta(minutes=10)
        list(line.provider.send(call()))
        assert list(line.provider.settle(call())) == [], "whoever isn't found has no receipt: absence is the ledger's"
        line.later(minutes=10)
        assert outcomes(line.provider.settle(call())) == [Outcome.ACCEPTED] * 3
        line.time.at += line.fake.retention
        assert list(line.provider.settle(call())) == []
        assert line.provider.recovery.within is not None
        assert line.provider.recovery.within <= line.fake.retention


def test_postmark_looks_in_the_stream_that_the_call_went_to() -> None:
    with connected("postmark", stream="news") as line:
        list(line.provider.send(call()))
        assert {message["MessageStream"] for _, message in line.fake.taken} == {"news"}
        assert outcomes(line.provider.settle(call())) == [Outcome.ACCEPTED] * 3
        elsewhere = made("postmark", line.fake.url, line.time.now)
        assert list(elsewhere.settle(call())) == []
        elsewhere.close()


def test_an_unknown_stream_is_ours() -> None:
    with connected("postmark", stream="nowhere") as line, pytest.raises(Ours, match="stream"):
        list(line.provider.send(call()))


@pytest.mark.parametrize(("name", "people"), [("mailgun", 12), ("postmark", 500)])
def test_lookups_are_read_page_by_page(name: str, people: int) -> None:
    whole = call(*(f"p{number}@example.org" for number in range(people)))
    with connected(name) as line:
        list(line.provider.send(whole))
        assert outcomes(line.provider.settle(whole)) == [Outcome.ACCEPTED] * people


def test_a_lookup_of_another_call_shows_nobody() -> None:
    for name in ("mailgun", "postmark"):
        with connected(name) as line:
            list(line.provider.send(call()))
            assert list(line.provider.settle(replace(call(), tag="other-1"))) == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("postmark", {}),
        ("postmark", {"Messages": []}),
        ("postmark", {"TotalCount": 3, "Messages": [{"MessageID": "x"}]}),
        ("postmark", {"TotalCount": 1, "Messages": [{"MessageID": "x", "Metadata": {"delivery": "mark-1-Ab_9"}}]}),
        ("postmark", {"TotalCount": 3, "Messages": []}),
        ("mailgun", {}),
        ("mailgun", {"items": [{"recipient": "x"}]}),
        ("mailgun", {"items": [{"recipient": "x"}], "paging": {"next": "{url}/v3/mg.example.org/events?page=0"}}),
        ("mailgun", {"items": [], "paging": None}),
        ("mailgun", {"items": [{"recipient": "x"}], "paging": {"next": "https://evil.example.invalid/"}}),
    ],
)
def test_a_lookup_without_what_it_must_have_or_without_an_end_proves_nothing(
    name: str, body: dict[str, object]
) -> None:
    with connected(name) as line:
        shown = json.loads(json.dumps(body).replace("{url}", line.fake.url))
        line.fake.look = lambda path, query: Said(200, shown)  # type: ignore[method-assign]
        receipts, fault = gathered(lambda: line.provider.settle(call()))
        if body == {"items": [], "paging": None}:
            assert (receipts, fault) == ([], None)  # an empty page is the end
        else:
            assert isinstance(fault, ProviderError)


def test_a_key_that_may_only_send_leaves_a_lookup_open_and_says_so() -> None:
    with connected("mailgun") as line:
        assert isinstance(line.fake, MailgunFake)
        line.fake.sending_only = True
        list(line.provider.send(call()))
        with pytest.raises(Ours, match="key"):
            list(line.provider.settle(call()))


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        ("idempotencyKey was already used", True),
        ("email already exists in to of messageVersions", False),
        ("already sent", False),
    ],
)
def test_brevo_had_a_call_before_where_it_was_repeated_and_its_key_is_named(words: str, taken: bool) -> None:
    """developers.brevo.com/changelog/email-api-now-supports-idempotency."""
    with connected("brevo") as line:
        said = Said(400, {"code": "duplicate_parameter", "message": words}).raw
        line.fake.faults[:] = [Interference("d", reaches=False, answer=lambda _: said, closes=False)] * 2
        receipts, raised = gathered(lambda: line.provider.send(call()))
        assert (receipts, type(raised)) == ([], OutcomeUnknown)
        receipts, raised = gathered(lambda: line.provider.settle(call()))
        assert outcomes(receipts) == ([Outcome.ACCEPTED] * 3 if taken else [])
        assert type(raised) is (type(None) if taken else OutcomeUnknown)


def _answer_once(line: Line, said: Said) -> None:
    line.fake.faults[:] = [Interference("told", reaches=False, answer=lambda _: said.raw, closes=False)]


def _entries_with(name: str, words: str) -> Said:
    """An answer whose verdict on the one recipient has these words."""
    match name:
        case "resend":
            return Said(200, {"data": [], "errors": [{"index": 0, "message": words}]})
        case "postmark":
            return Said(200, [{"ErrorCode": 300, "Message": words}])
        case _:
            error = {"ErrorCode": "mj-0013", "StatusCode": 400, "ErrorMessage": words}
            return Said(400, {"Messages": [{"Status": "error", "Errors": [error]}]})


@pytest.mark.parametrize("refusal", ["", "Invalid 'To' address: "])
@pytest.mark.parametrize("name", ["resend", "postmark", "mailjet"])
def test_what_a_vendor_says_of_one_recipient_shows_no_key_and_nobody(name: str, refusal: str) -> None:
    logins = (f"api:{KEY}", f"{KEY}:{KEY}", f"{KEY}:")
    encoded = [base64.b64encode(login.encode()).decode() for login in logins]
    hidden = (KEY, *encoded, "reader002%40example.org", "reader003@example.org")
    for secret in hidden:
        with connected(name) as line:
            _answer_once(line, _entries_with(name, f"{refusal}{secret} it says"))
            receipts, raised = gathered(lambda: line.provider.send(call("a@example.org")))
            told = f"{raised} {receipts}"
            assert "it says" in told
            assert secret.rstrip("=") not in told


def test_a_login_in_anybodys_words_is_not_shown() -> None:
    for login in ("Basic YXBpOmtleS0xMjM0NTY=", "Bearer re_123456789", "basic dXNlcjpwYXNzd29yZA=="):
        assert vendor_words(f"Authorization: {login} is wrong") == "Authorization: … is wrong"
    assert vendor_words("Basic authentication required") == "Basic authentication required"


@pytest.mark.parametrize("odd", ["\ud800", "<m\udfff\ud800>", "\x00", "é" * 600, "\ud83d\ude00"])
def test_an_id_or_words_that_no_database_takes_are_made_fit_for_one(odd: str) -> None:
    (person,) = call("a@example.org").recipients
    for receipt in (accepted(person, odd), refused(person, odd), deferred(person, odd)):
        for text in (receipt.message_id, receipt.detail):
            text.encode()
            assert "\0" not in text
            assert len(text) <= 500
    with connected("resend") as line:
        said = Said(200, {"data": [{"id": odd}], "errors": []}).raw
        line.fake.faults[:] = [Interference("d", reaches=False, answer=lambda _: said, closes=False)]
        (receipt,) = line.provider.send(call("a@example.org"))
        assert receipt.outcome is Outcome.ACCEPTED
        receipt.message_id.encode()
