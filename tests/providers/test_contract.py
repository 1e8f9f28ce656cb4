"""The contract that every provider keeps, over all ten; each is driven against something real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter import providers
from newsletter.config import ProviderConfig
from newsletter.errors import BadRecipient, ConfigError, Later, Ours, OutcomeUnknown
from newsletter.merge import MergeField, MergeText
from newsletter.model import Mailbox, Outcome
from newsletter.providers import How, Recovery, provider_class
from newsletter.providers.files import Files
from newsletter.providers.files import Options as FilesOptions
from newsletter.providers.memory import Memory
from newsletter.tables import Document
from tests.providers.lines import ALL, ALL_NAMES, FAKES, Line, call, connected, content, gathered, outcomes

#: What can't happen at a provider, and why; `test_what_does_not_apply_…` holds each to it.
EXEMPT: dict[str, dict[str, str]] = {
    "refuses": {"files": "a folder takes every address"},
    "key": {"files": "a folder has no account", "memory": "memory has no account"},
    "answers": {"files": "a folder gives no answer that could be lost", "memory": "nor does memory"},
}
#: Those that refuse a whole call for one bad address.
WHOLE = ("mailgun", "sendgrid", "brevo")
#: Vendors that say how long to wait.
WAITS = ("resend", "mailgun", "sendgrid", "brevo")


@pytest.fixture(params=ALL_NAMES)
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    with connected(request.param, folder=tmp_path / "outbox") as opened:
        yield opened


def exempt(case: str, line: Line) -> bool:
    return line.provider.name in EXEMPT[case]


def test_the_contract_runs_over_every_provider_that_there_is() -> None:
    assert set(ALL_NAMES) == set(providers.REGISTRY)


def test_what_does_not_apply_to_a_provider_really_does_not(tmp_path: Path) -> None:
    with connected("files", folder=tmp_path / "outbox") as line:
        assert outcomes(line.provider.send(call("no@example.org", "not an address"))) == [Outcome.ACCEPTED] * 2
        assert line.provider.route().settings.keys() == {"folder"}
    assert set(FilesOptions.__dataclass_fields__) == {"folder"}
    assert Memory().route().settings == {}
    for name in EXEMPT["answers"]:
        config = ProviderConfig(slug=name, type=name, table=Document.parse("", "config.toml").root())
        assert provider_class(config).keeps, "nothing goes over a wire"


# What is taken.


def test_a_call_gives_one_receipt_for_each_recipient(line: Line) -> None:
    receipts = list(line.provider.send(call()))
    assert sorted(receipt.delivery for receipt in receipts) == [1, 2, 3]
    assert outcomes(receipts) == [Outcome.ACCEPTED] * 3
    assert all(receipt.message_id for receipt in receipts)
    assert line.addresses == ALL


def test_every_reader_has_their_own_words_and_their_own_way_to_leave(line: Line) -> None:
    list(line.provider.send(call()))
    for address, letter in line.letters():
        number = ALL.index(address) + 1
        assert letter.subject == f"Hi N{number}"
        assert letter.text.replace("\r\n", "\n") == f"Hi N{number}\n.\n.. dots\n"
        assert letter.html.replace("\r\n", "\n") == f"<p>Hi N{number}</p>\n.\n"
        assert letter.headers["List-Unsubscribe"] == f"<https://example.org/u/{number}>"
        assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert letter.headers["Precedence"] == "bulk"
        assert "reply@example.org" in json.dumps([letter.headers, *map(str, line.fake.bodies)])


def test_the_mark_travels_with_each_message(line: Line) -> None:
    if line.provider.name in ("smtp", "files", "memory"):
        # Whole mail carries the delivery in its Message-ID; nothing comes back of it by webhook.
        assert line.provider.parse_webhook(b"{}", {}) == ()
        return
    list(line.provider.send(call()))
    marks = {address: line.fake.delivery_of(message) for address, message in line.fake.taken}
    assert marks == {address: f"mark-{number}-Ab_9" for number, address in enumerate(ALL, 1)}


def test_a_message_that_nobody_can_leave_has_no_way_to_leave(line: Line) -> None:
    made = call()
    quiet = tuple(replace(r, values={"first_name": "N"}) for r in made.recipients)
    assert outcomes(line.provider.send(replace(made, recipients=quiet))) == [Outcome.ACCEPTED] * 3
    assert all("List-Unsubscribe" not in letter.headers for _, letter in line.letters())


@pytest.mark.parametrize("name", ["Doña Ana, Oficina", 'The "Desk"; News', "Ørsted & Søn: 日本語", "", "Plain Desk"])
@pytest.mark.parametrize("domain", ["example.org", "xn--bcher-kva.example"])
def test_every_senders_name_and_domain_goes_out_right(line: Line, name: str, domain: str) -> None:
    assert (
        outcomes(line.provider.send(call(sender=Mailbox(name=name, address=f"news@{domain}"))))
        == [Outcome.ACCEPTED] * 3
    )
    for _, letter in line.letters():
        assert (letter.name, letter.sender) == (name, f"news@{domain}")


HOSTILE = (
    'x"<b>%recipient.t0% %recipient.mark% {{ first_name }} {{t0}} {{{brace}}} [[var:y]] {{params.x}} \u202e\u0001\\ -kk'
)


@pytest.mark.parametrize(
    "text", ["%recipient.mark% ", "{{t0}} {{{ ", "{", "[[data:t0]] ", "-kkkkkkkkkkkkkkkkt0-", "{{#if x}} "]
)
def test_hostile_values_and_texts_stay_what_they_are(line: Line, text: str) -> None:
    rendered = content(
        html=MergeText((f"<p>{text}", MergeField(name="first_name"), "</p>\n")),
        text=MergeText((text, MergeField(name="first_name"), "\n")),
    )
    made = call("a@example.org", rendered=rendered)
    (reader,) = made.recipients
    hostile = replace(reader, values={**reader.values, "first_name": HOSTILE})
    assert outcomes(line.provider.send(replace(made, recipients=(hostile,)))) == [Outcome.ACCEPTED]
    ((_, letter),) = line.letters()
    if text.startswith("-kkkk") and line.provider.name == "sendgrid":
        return  # the mark is made of the call's key, which nobody can have written
    assert letter.text.replace("\r\n", "\n") == f"{text}{HOSTILE}\n"
    import html

    assert html.unescape(letter.html.replace("\r\n", "\n")) == f"<p>{text}{HOSTILE}</p>\n"
    assert "<b>" not in letter.html


# Who is not.


def test_a_bad_recipient_among_others_is_refused_alone_or_named_for_the_ledger_to_part(line: Line) -> None:
    if exempt("refuses", line):
        return
    made = call("a@example.org", "no@example.org", "c@example.org")
    receipts, fault = gathered(lambda: line.provider.send(made))
    if line.provider.name in WHOLE:
        assert isinstance(fault, BadRecipient)
        assert receipts == []
        assert line.addresses == []
        assert fault.suspects == ((2,) if line.provider.name == "sendgrid" else ())
    else:
        assert fault is None
        assert outcomes(receipts) == [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ACCEPTED]
        assert line.addresses == ["a@example.org", "c@example.org"]
    assert "no@example.org" not in f"{fault} {[receipt.detail for receipt in receipts]}"


def test_a_bad_recipient_alone_is_refused(line: Line) -> None:
    if exempt("refuses", line):
        return
    (receipt,) = line.provider.send(call("no@example.org"))
    assert receipt.outcome is Outcome.REFUSED
    assert receipt.detail
    assert "no@example.org" not in receipt.detail
    assert receipt.gone is (line.provider.name == "smtp"), "only a mail server says that the mailbox isn't there"
    assert line.addresses == []


# Whose fault it is.


def test_a_wrong_key_is_ours_and_refuses_nobody(line: Line, tmp_path: Path) -> None:
    name = line.provider.name
    if exempt("key", line):
        return
    with connected(name, key="wrong-key", folder=tmp_path) as other:
        if name == "smtp":
            other.fake.answers["AUTH"] = ["535 5.7.8 bad credentials"]  # type: ignore[attr-defined]
            other.fake.offers = ("AUTH PLAIN",)  # type: ignore[attr-defined]
            other.provider._options = replace(other.provider._options, username="me")  # type: ignore[attr-defined]
            other.provider._environment = {"NEWSLETTER_SMTP_PASSWORD": "wrong-key"}  # type: ignore[attr-defined]
        receipts, fault = gathered(lambda: other.provider.send(call()))
        assert isinstance(fault, Ours)
        assert fault.hint, "it says what to do"
        assert (receipts, other.addresses) == ([], [])
        assert "wrong-key" not in str(fault)


def test_too_fast_is_later_with_the_time_to_wait_where_the_vendor_gives_one(line: Line) -> None:
    if exempt("answers", line):
        return
    if line.provider.name == "smtp":
        line.fake.answers["MAIL"] = ["421 4.7.0 too many messages"]  # type: ignore[attr-defined]
    line.fake.faults.append("429")
    receipts, fault = gathered(lambda: line.provider.send(call()))
    assert isinstance(fault, Later)
    assert (receipts, line.addresses) == ([], [])
    assert fault.retry_after == (7 if line.provider.name in WAITS else None)


# What nobody knows.

#: What each provider can prove, and for how long; a change of these is a change of what the ledger relies on.
RECOVERY: dict[str, tuple[How, float, float | None]] = {
    "resend": (How.REPLAY, 0, 24 * 60),
    "mailgun": (How.LOOKUP, 30, 24 * 60),
    "postmark": (How.LOOKUP, 15, 7 * 24 * 60),
    "mailjet": (How.DEDUPLICATE, 0, 24 * 60),
    "sendgrid": (How.NONE, 0, None),
    "brevo": (How.REPLAY, 0, 15),
    "ses": (How.NONE, 0, None),
    "smtp": (How.NONE, 0, None),
    "files": (How.LOOKUP, 0, None),
    "memory": (How.LOOKUP, 0, None),
}


def minutes(recovery: Recovery) -> tuple[How, float, float | None]:
    within = recovery.within
    return recovery.how, recovery.after.total_seconds() / 60, within.total_seconds() / 60 if within else None


def test_what_can_be_proved_is_declared_with_the_shortest_time_that_documents_give(line: Line) -> None:
    assert minutes(line.provider.recovery) == RECOVERY[line.provider.name]
    assert line.provider.recovery.complete is (line.provider.name in ("files", "memory"))


@pytest.mark.parametrize("fault", ["drop", "half", "500"])
def test_a_lost_answer_is_unknown_and_settled_without_taking_anybody_twice(line: Line, fault: str) -> None:
    if exempt("answers", line):
        return
    if line.provider.name == "smtp":
        pytest.skip("test_smtp.py loses answers at every stage")
    line.fake.faults.append(fault)
    receipts, raised = gathered(lambda: line.provider.send(call()))
    assert receipts == []
    assert isinstance(raised, OutcomeUnknown)
    line.later(minutes=10)
    settled = list(line.provider.settle(call()))
    assert outcomes(settled) == [Outcome.ACCEPTED] * (0 if line.provider.recovery.how is How.NONE else 3)
    assert line.addresses == ALL


def test_a_call_that_never_arrived_is_taken_by_a_replay_and_not_found_by_a_lookup(line: Line) -> None:
    if exempt("answers", line):
        return
    if line.provider.name == "smtp":
        assert list(line.provider.settle(call())) == []
        return
    line.fake.faults.append("lose")
    _, raised = gathered(lambda: line.provider.send(call()))
    assert isinstance(raised, OutcomeUnknown)
    settled = list(line.provider.settle(call()))
    expected = ALL if line.provider.recovery.submits else []
    assert outcomes(settled) == [Outcome.ACCEPTED] * len(expected)
    assert line.addresses == expected


def test_a_call_that_was_taken_by_half_is_settled_person_by_person(line: Line) -> None:
    whole = call()
    part = replace(whole, recipients=whole.recipients[:2])
    list(line.provider.send(part))
    if line.provider.recovery.how is not How.LOOKUP:
        assert line.provider.recovery.submits or list(line.provider.settle(whole)) == []
        return
    assert [receipt.delivery for receipt in line.provider.settle(whole)] == [1, 2]


def test_the_same_call_makes_the_same_bytes(line: Line) -> None:
    list(line.provider.send(call()))
    before = sorted(str(letter) for _, letter in line.letters())
    for _ in range(2):
        gathered(lambda: line.provider.send(call()))
    if line.provider.name in FAKES:
        first, *others = line.fake.bodies
        assert all(body == first for body in others)
    else:
        assert sorted({str(letter) for _, letter in line.letters()}) == before


# Loading.


def test_an_unknown_type_names_the_nearest() -> None:
    document = Document.parse("[providers.x]\ntype = 'smpt'\n", "config.toml")
    config = ProviderConfig(slug="x", type="smpt", table=document.root().table("providers").table("x"))
    with pytest.raises(ConfigError, match=r'config.toml:2: no provider of type "smpt" \(did you mean "smtp"'):
        providers.load(config, Path())


def test_another_persons_provider_is_loaded_by_its_dotted_path(tmp_path: Path) -> None:
    table = Document.parse("[providers.x]\n", "config.toml").root().table("providers").table("x")
    config = ProviderConfig(slug="x", type="newsletter.providers.memory:Memory", table=table)
    assert isinstance(providers.load(config, tmp_path), Memory)
    with pytest.raises(ConfigError, match="can't be loaded"):
        providers.load(replace(config, type="no.such.module:Thing"), tmp_path)
    with pytest.raises(ConfigError, match=r"is not a newsletter\.providers\.Provider"):
        providers.load(replace(config, type="newsletter.merge:MergeText"), tmp_path)


def test_limits_are_known_without_an_instance() -> None:
    for name in ALL_NAMES:
        config = ProviderConfig(slug=name, type=name, table=Document.parse("", "config.toml").root())
        limits = provider_class(config).limits
        assert 1 <= limits.batch_size(50_000) <= limits.recipients
        assert limits.batch_size(50_000, 1) == 1


# A folder.


def test_a_folder_that_cannot_be_written_took_nobody(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")
    with pytest.raises(Ours, match="can't write"):
        list(Files(tmp_path / "outbox").send(call()))


def test_files_that_break_off_are_settled_by_looking(tmp_path: Path) -> None:
    (tmp_path / "issue" / "0000002.eml").mkdir(parents=True)  # in the way of the second message
    provider = Files(tmp_path)
    receipts, fault = gathered(lambda: provider.send(call()))
    assert isinstance(fault, OutcomeUnknown)
    assert [receipt.delivery for receipt in receipts] == [1]
    assert [receipt.delivery for receipt in provider.settle(call())] == [1]
