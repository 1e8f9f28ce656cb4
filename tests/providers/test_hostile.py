"""Whatever stands between us and a vendor: who was taken is never taken for not taken, nor the other way round."""

from __future__ import annotations

import gc
import re
import time as clock
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from newsletter.errors import BadRecipient, ConfigError, Later, NotSent, Ours, OutcomeUnknown, ProviderError
from newsletter.model import Call, Outcome, Receipt
from newsletter.providers import How
from tests.providers import hostile
from tests.providers.fakes import KEY, Interference
from tests.providers.lines import FAKES, Line, call, connected, gathered

#: botocore leaves a socket to the garbage collector when an answer breaks off.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
#: What says of everybody without a receipt that nobody took them.
NOT_TAKEN = (NotSent, Later, Ours, BadRecipient, ConfigError)
PEOPLE = ("taken@example.org", "user@example.org")


@pytest.fixture(scope="module", params=list(FAKES))
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    with connected(request.param) as opened:
        yield opened
    gc.collect()


def judged(line: Line, made: Call, ask: Callable[[], Iterator[Receipt]]) -> list[str]:
    """What is wrong with an answer's reading, given whom the fake took."""
    receipts, fault = gathered(ask)
    taken = {address for address, _ in line.fake.taken}
    problems = []
    if fault is not None and not isinstance(fault, ProviderError | ConfigError):
        problems.append(f"raises {fault!r}")
    said = {receipt.delivery: receipt.outcome for receipt in receipts}
    for recipient in made.recipients:
        outcome = said.get(recipient.delivery)
        if recipient.address in taken:
            if outcome in (Outcome.REFUSED, Outcome.DEFERRED):
                problems.append(f"{recipient.address} was taken, and is {outcome}")
            if outcome is None and (fault is None or isinstance(fault, NOT_TAKEN)):
                problems.append(f"{recipient.address} was taken, and {fault!r} says not")
        elif outcome is Outcome.ACCEPTED:
            problems.append(f"{recipient.address} was not taken, and is {outcome}")
    told = " ".join([str(fault), *(receipt.detail for receipt in receipts)])
    problems += [f"shows {secret}" for secret in (*PEOPLE, KEY) if secret in told]
    if re.search(r"<[a-z!/]|[\n\x1b]", told):
        problems.append(f"shows markup: {told}")
    return problems


def submitted(line: Line, interference: Interference, number: int) -> list[str]:
    # Each is a campaign of its own: a vendor that takes nobody twice of one would take nobody.
    made = replace(call(*PEOPLE, key=f"{number:064}"[-64:]), tag=f"{number}-1-1")
    line.fake.taken.clear()
    line.fake.times.clear()
    line.fake.faults[:] = [interference]
    return judged(line, made, lambda: line.provider.send(made))


def anew(line: Line) -> None:
    """Nobody is taken yet, and no connection is left that the answer before has broken."""
    line.fake.taken.clear()
    line.fake.times.clear()
    line.provider.close()


def test_whoever_was_taken_is_never_reported_as_not_taken(line: Line) -> None:
    wrong = {}
    for number, interference in enumerate(hostile.EVERY):
        if problems := submitted(line, interference, number):
            wrong[str(interference)] = problems
    assert wrong == {}


def test_an_answer_out_of_shape_is_never_a_refusal(line: Line) -> None:
    """Each value of the vendor's own answer in turn is of another kind, missing, doubled or elsewhere."""
    if line.provider.name == "sendgrid":
        line.fake.bodies.clear()
        assert line.fake.accept({}, b'{"personalizations": []}').status == 400  # its success has no body to be put so
        return
    said = answer_of(line)
    wrong = {}
    for number, (name, body) in enumerate(hostile.mutations(said), 10_000):
        if problems := submitted(line, hostile.mutated(name, body), number):
            wrong[name] = problems
    assert wrong == {}


def answer_of(line: Line) -> object:
    """The vendor's own answer to a call."""
    kept: list[object] = []

    def answer(said: object) -> bytes:
        kept.append(said.body)  # type: ignore[attr-defined]
        return said.raw  # type: ignore[attr-defined, no-any-return]

    anew(line)
    submitted(line, Interference("as it is", reaches=True, answer=answer), 9_999)
    return kept[0]


def test_receipts_in_another_order_are_never_somebody_elses_refusal(line: Line) -> None:
    """The vendor refused the second; whoever turns its answer around must not make that the first."""
    if line.provider.name not in ("postmark", "mailjet", "ses"):
        assert line.provider.name in ("resend", "mailgun", "sendgrid", "brevo"), (
            "no verdict of its own for each message"
        )
        return
    made = call("taken@example.org", "no@example.org")

    def turned(body: object) -> object:
        if isinstance(body, dict):
            return {key: value[::-1] for key, value in body.items()}
        return body[::-1] if isinstance(body, list) else body

    kept: list[object] = []
    anew(line)

    def answer(said: object) -> bytes:
        kept.append(turned(said.body))  # type: ignore[attr-defined]
        return hostile.mutated("", kept[0]).answer(said)  # type: ignore[arg-type]

    line.fake.faults[:] = [Interference("turned around", reaches=True, answer=answer)]
    problems = judged(line, made, lambda: line.provider.send(made))
    if line.provider.name == "ses":  # its answer names nobody: nothing could tell
        assert problems != []
    else:
        assert problems == []


@pytest.mark.parametrize("interference", list(hostile.slow()), ids=str)
def test_no_answer_takes_longer_than_a_call_may(line: Line, interference: Interference) -> None:
    if line.provider.name == "ses" and "slow" in interference.name:
        pytest.skip("botocore bounds every read by itself, and not all of them together")
    begun = clock.monotonic()
    assert submitted(line, interference, 20_000) == []
    assert clock.monotonic() - begun < 2.0


@pytest.mark.parametrize("kind", ["statuses", "moved", "half", "changed"])
def test_a_lookup_that_is_not_answered_proves_nothing(line: Line, kind: str) -> None:
    """Nobody is proved absent by an answer that isn't one: a lookup ends in an error, or shows whom it shows."""
    if line.provider.recovery.how is not How.LOOKUP:
        assert line.provider.recovery.how in (How.REPLAY, How.DEDUPLICATE, How.NONE)
        return
    made = call(*PEOPLE)
    line.fake.faults.clear()
    anew(line)
    list(line.provider.send(made))
    wrong = []
    for interference in getattr(hostile, kind)():
        line.fake.faults[:] = [interference]
        receipts, fault = gathered(lambda: line.provider.settle(made))
        if not isinstance(fault, ProviderError) and len(receipts) != len(made.recipients):
            wrong.append(f"{interference}: {fault!r} {receipts}")
        if "example.org" in str(fault) or KEY in str(fault):
            wrong.append(f"{interference} shows {fault}")
    assert wrong == []


WAITS = (
    *(
        "7",
        "7.5",
        "60s",
        "2 minutes",
        "-5",
        "1000000000",
        "1e9",
        "99999999999999999999",
        "inf",
        "nan",
        "soon",
        "12 Oct",
    ),
    *("Wed, 12 Oct 2022 00:01:00 GMT", "Wed, 12 Oct 1999 00:01:00 GMT", "Wed, 12 Oct 9999 00:01:00 GMT"),
    *("2022-10-12T00:01:00Z", "\xff\xfe", "7" * 5_000, ""),
)


@pytest.mark.parametrize("name", list(FAKES))
def test_a_wish_to_wait_is_understood_or_passed_over_in_every_form(name: str) -> None:
    header = {"sendgrid": "X-RateLimit-Reset", "brevo": "x-sib-ratelimit-reset"}.get(name, "Retry-After")
    with connected(name) as line:
        for wish in WAITS:
            said = line.fake.slow_down()
            said.headers = {key: value for key, value in said.headers.items() if key.startswith("x-amzn")}
            said.headers[header] = wish
            said.body = {"message": "too many"}
            line.fake.faults[:] = [Interference("429", reaches=False, answer=lambda _, raw=said.raw: raw)]  # type: ignore[misc]
            line.fake.quiet()
            _, fault = gathered(lambda: line.provider.send(call(*PEOPLE, key="w")))
            assert isinstance(fault, Later), wish
            assert fault.retry_after is None or 0 <= fault.retry_after <= 86_400
            if name != "ses":  # boto3 keeps the headers to itself
                assert fault.retry_after == UNDERSTOOD.get(wish), wish


UNDERSTOOD = {
    "7": 7,
    "7.5": 7.5,
    "60s": 60,
    "2 minutes": 120,
    "Wed, 12 Oct 2022 00:01:00 GMT": 60,
    "Wed, 12 Oct 1999 00:01:00 GMT": 0,
    "Wed, 12 Oct 9999 00:01:00 GMT": None,
    "2022-10-12T00:01:00Z": 60,
}


def test_a_taken_call_may_be_unknown_and_is_never_nothing(line: Line) -> None:
    """The hostile wire is hostile: it does make calls whose outcome nobody knows."""
    broken = Interference("a reset", reaches=True, answer=lambda _said: b"", resets=True)
    made = call(*PEOPLE, key="u")
    line.fake.faults[:] = [broken]
    _, fault = gathered(lambda: line.provider.send(made))
    assert isinstance(fault, OutcomeUnknown)
