"""Rules whose findings are asked of the network or of another program, and only where somebody wants it."""

from __future__ import annotations

from newsletter.check.rules import asked_rule
from newsletter.model import Severity

GONE = asked_rule("links/gone", Severity.ERROR, "A link that is gone, or whose server can't be reached.")
UNSURE = asked_rule("links/unsure", Severity.WARNING, "A link whose server gave an odd answer, or none to programs.")
MOVED = asked_rule("links/moved", Severity.WARNING, "A link whose page has moved permanently.")
NUMBER_NOT_ON_PAGE = asked_rule(
    "policy/number-not-on-page", Severity.WARNING, "A policy's page that doesn't name the policy's number."
)
SPAM_SCORE = asked_rule("deliverability/spam-score", Severity.ERROR, "SpamAssassin's score of the message is high.")
