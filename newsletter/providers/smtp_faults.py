"""What a mail server's answers mean: by the stage of the dialogue, the enhanced status code, and the words.

RFC 5321 leaves 550 to mailboxes and to policy alike, and large services use codes for other than what RFC 3463 says, so
that words come first where the codes are known to mislead. The words are those that the services were seen to use
(https://github.com/sisimai/p5-sisimai, lib/Sisimai/Rhost and lib/Sisimai/SMTP/Status.pm; Google Workspace's
https://support.google.com/a/answer/3726730; Microsoft's list of non-delivery reports in Exchange Online).
"""

from __future__ import annotations

import re
from enum import StrEnum

from newsletter.providers.faults import Fault, Meaning, fault_of, without_addresses

_SEEN = "sisimai, lib/Sisimai/Rhost/*.pm and SMTP/Status.pm"
_GOOGLE = "https://support.google.com/a/answer/3726730"
_REGISTRY = "https://www.iana.org/assignments/smtp-enhanced-status-codes"


class Stage(StrEnum):
    """Where in the dialogue an answer came. Only after RCPT can one be about a mailbox."""

    CONNECT = "connecting"
    LOGIN = "logging in"
    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    DATA = "DATA"
    END = "the end of the message"


#: About us or about the reader, whatever the code says.
_WORDS = (
    Fault(
        meaning=Meaning.OURS,
        words=r"^(?!.*receiv).*(over ?quota for (today|the (day|hour|month))|"
        r"\b(sender|sending|daily|hourly|monthly|outbound)\b[ a-z]{0,30}(quota|limit)|"
        r"(quota|limit)[ a-z]{0,30}\b(today|sending|sender|per (day|hour|month)))",
        hint="the account's quota is used up: wait until it's refilled, or raise it",
        source=f"{_GOOGLE}; a mailbox has a size, and only a sender a number a day",
    ),
    Fault(
        meaning=Meaning.MAILBOX_LATER,
        words=r"mailbox (is )?full|over ?quota|out of storage|email quota exceeded|mailbox.{0,30}(size|quota)|"
        r"receiving mail (at a rate|too quickly)|user is receiving mail",
        source=f"{_SEEN}: a full mailbox, and one that is sent too much at the moment",
    ),
    Fault(
        meaning=Meaning.OURS,
        words=r"(sending|submission|relay|message|user|daily|hourly|recipients?)[ a-z]{0,20}(quota|limit)\b.{0,20}"
        r"(exceeded|reached)|(quota|limit) (was |is )?(exceeded|reached)|limit for message recipients|credits exceeded",
        hint="the account's quota is used up: wait until it's refilled, or raise it",
        source=f"{_GOOGLE}; {_SEEN}",
    ),
    Fault(
        meaning=Meaning.OURS,
        words=r"relay(ing)? (access )?(is )?(denied|not (allowed|permitted))|unable to relay|authentication required|"
        r"not authenticated|must (authenticate|issue a starttls)|need to authenticate|sender address rejected|"
        r"not verified|not authorized to send|bad outbound sender",
        hint="check the login, the sender and the domain at the mail server",
        source=_SEEN,
    ),
)
_PERMANENT = (
    Fault(
        meaning=Meaning.OURS,
        words=r"\byour\b[ a-z]{0,30}\b(account|plan|subscription|trial|quota|limit|credits?)\b|"
        r"\b(plan|subscription|trial) (has |is )?(expired|ended)|\bfor sending\b|"
        r"\bsending (is |was |has been )?(disabled|suspended|blocked|paused|not allowed)",
        hint="look at the account's state at the mail server",
        source='whoever is asked to take mail speaks to its sender: "your" is ours, and readers have no plan there',
    ),
    Fault(
        meaning=Meaning.OURS,
        code=r"|5\.[0124]\.\d+",
        words=r"(?<![\w/?&=.-])sender(?![\w/=-])|mail from\b|return[ -]path|\b(envelope[ -])?from address|"
        r"\boutbound\b|\bsending (user|account|domain|address|mailbox)|\bauthenticated (user|account)|credentials|"
        r"\byour\b[ a-z]{0,30}\b(address|domain|mailbox)\b (is|was|has)",
        hint="check the sender and the account at the mail server",
        source="https://github.com/jstedfast/MailKit/issues/968: GMX's \"mailbox unavailable\" is the sender's; "
        "with 5.7.z a reader may have blocked the sender, which is nobody else's",
    ),
    Fault(
        meaning=Meaning.MAILBOX_LATER,
        words=r"name service error|dns (error|failure|lookup)|"
        r"\b(unable to|failed to|could not|cannot) (get|find|resolve|look ?up)[ a-z]{0,20} (mx|dns|host)",
        source="Postfix, smtp_addr.c: it's the relay's DNS that found nothing",
    ),
    Fault(meaning=Meaning.MAILBOX_LATER, code=r"5\.4\.4", source=f"{_REGISTRY}: the relay's routing, or its DNS"),
    Fault(meaning=Meaning.GONE, code=r"5\.1\.(1|10)", source=f"{_REGISTRY}; RFC 7505"),
    Fault(
        meaning=Meaning.OURS,
        code=r"5\.1\.90|5\.4\.5",
        hint="the account's quota is used up: wait until it's refilled, or raise it",
        source=f"{_GOOGLE}: 5.4.5 is the sender's quota; Exchange: 5.1.90",
    ),
    Fault(
        meaning=Meaning.GONE,
        code=r"5\.2\.1",
        words=r"disabled|inactive|no longer|deactivated|closed|not active|does(n't| not) exist|mailbox unavailable",
        source=f"{_REGISTRY}: mailbox disabled, not accepting messages; Gmail also says so of a rate",
    ),
    Fault(meaning=Meaning.MAILBOX, code=r"5\.2\.1", source=_REGISTRY),
    Fault(meaning=Meaning.MAILBOX, code=r"5\.1\.(2|3|6)|5\.7\.1[78]", source=_REGISTRY),
    Fault(meaning=Meaning.MAILBOX_LATER, code=r"5\.2\.(2|12[12])", source=f"{_REGISTRY}; Exchange"),
    Fault(
        meaning=Meaning.MAILBOX,
        code=r"5\.7\.(50[457]|124|13[3-6])|5\.4\.1",
        words=r"recipient|address rejected",
        source="Exchange Online: the recipient's own server refuses; 5.4.1 is directory-based blocking",
    ),
    Fault(
        meaning=Meaning.OURS,
        code=r"5\.7\.(8|9|2\d|30|515|57|64)",
        hint="the server wants the login, SPF, DKIM or DMARC to be right",
        source="RFC 7372; RFC 4954; Outlook.com's 550 5.7.515",
    ),
    Fault(
        meaning=Meaning.GONE,
        status=(550, 551, 553, 554, 552),
        words=r"user (is )?unknown|unknown (user|recipient|mailbox)|no such (user|recipient|mailbox|address)|"
        r"(mailbox|user|account|address|recipient) (was )?(not found|does(n't| not) exist)|"
        r"(mailbox|user|address|recipient) is (no longer valid|disabled)|"
        r"doesn't have an? [\w.]+ account|invalid (mailbox|recipient)|is nobody",
        source=f"{_SEEN}: without an enhanced code, and Yahoo's 552 and 554 after the message",
    ),
    Fault(
        meaning=Meaning.MAILBOX,
        status=(550,),
        words=r"^(?!.*(policy|spam|block|reject|denied|reputation|https?:|sending|later)).*mailbox unavailable",
        source="RFC 5321, 4.2.3: 550 is a mailbox unavailable, or refused for policy, which the words tell",
    ),
    Fault(
        meaning=Meaning.OURS,
        code=r"5\.5\.1",
        hint="the server found the dialogue out of order: please report it",
        source="RFC 3463, 3.6: X.5.1, invalid command",
    ),
    Fault(
        meaning=Meaning.OURS,
        status=(500, 502, 503, 504),
        hint="the server found the dialogue out of order: please report it",
        source="RFC 5321, 4.2.2: syntax error, not implemented, bad sequence",
    ),
)


#: What a server says for other reasons than that a mailbox doesn't exist, and what may pass.
_DOUBT = re.compile(
    r"again later|temporar(y|ily)|suspended|spam|policy|black ?list|block ?list|blocked|reputation|denied|prohibit|"
    r"\b(spf|dkim|dmarc|virus|abuse|contents?|rate|payments?|invoice|paid|overdue|trial)\b|too many|not allowed|"
    r"(?<![\w/?&=.-])sender(?![\w/=-])|"
    r"\bfrom (address|domain)|\bmail ?from\b|permitted to relay|authorized recipients|\bauth\b|"
    r"verif(y|ication) (failed|error)|customer account",
    re.IGNORECASE,
)
#: What a server says that put a message off, or refused it for now, for what it thinks of the sender.
_OF_THE_SENDER = re.compile(
    r"spam|policy|black ?list|block ?list|blocked (using|by)|client host|reputation|unsolicited|unexpected volume|"
    r"\b(spf|dkim|dmarc|virus|abuse|authentication|sending (domain|limit))\b|"
    r"too many (messages|connections)|rate limit",
    re.IGNORECASE,
)


def fault(stage: Stage, basic: int, enhanced: str, words: str) -> Fault | None:
    """What an answer of 4yz or 5yz means; None where nothing is known of it but its stage, or a mailbox and another
    reason are told of at once.
    """
    line = " ".join(words.split())
    if stage in (Stage.RECIPIENT, Stage.END):
        found = fault_of(_WORDS, code=enhanced, status=basic, words=line)
        if found is None and basic >= 500 and not enhanced.startswith("4"):
            found = fault_of(_PERMANENT, code=enhanced, status=basic, words=line)
        # Exchange's 5.4.1 and 5.7.z are of a recipient whose server has a policy.
        about = (Meaning.GONE,) if enhanced.startswith(("5.4", "5.7")) else (Meaning.GONE, Meaning.MAILBOX)
        doubtful = found is not None and found.meaning in about and _DOUBT.search(without_addresses(line))
        return None if doubtful else found
    return fault_of((row for row in _WORDS if row.meaning is Meaning.OURS), code=enhanced, status=basic, words=line)


_ENHANCED = re.compile(r"^\W{0,3}([245]\.\d{1,3}\.\d{1,3})\b")


def enhanced_code(answer: str) -> str:
    """The enhanced status code at the head of an answer (RFC 2034); empty where there's none."""
    found = _ENHANCED.match(answer)
    return found[1] if found else ""


#: An answer's codes as vendors repeat it: at its head, or after a server's name. What is longer is an IP address.
_CODES = re.compile(
    r"(?:^\W{0,3}|\bsmtp; ?|(?<![\d.])(?P<basic>[245]\d\d)[ -]+#?)(?P<enhanced>[245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)",
    re.IGNORECASE,
)
_BASIC = re.compile(r"(?:^|\bsmtp; ?|\bsaid: ?)([245]\d\d)\b", re.IGNORECASE)


def says_gone(words: str, *, enhanced: str = "", basic: int = 0) -> bool | None:
    """Whether a mail server's final answer, as a vendor repeats it, says for certain that the mailbox doesn't exist;
    None where it says nothing that speaks against it. `enhanced` and `basic` are the codes where the vendor gives them
    apart.
    """
    found, head = _CODES.search(words), _BASIC.search(words)
    code = found["enhanced"] if found else enhanced
    status = int((found and found["basic"]) or (head and head[1]) or basic or 550)
    row = fault(Stage.RECIPIENT, status, code, words)
    if row is not None and row.meaning is Meaning.MAILBOX and not code.startswith("5.7"):
        return None
    if row is not None:
        return row.meaning is Meaning.GONE
    telling = (code and not code.endswith(".0.0")) or status < 500 or _DOUBT.search(without_addresses(words))
    return False if telling else None


def speaks_of_sender(words: str) -> bool:
    """Whether a bounce that may pass, as a vendor repeats it, was made for what a server thinks of us: a policy, a list
    of blocked addresses, a rate. X.7.z are a security policy's (RFC 3463, 3.8).
    """
    found = _CODES.search(words)
    code = found["enhanced"] if found else ""
    row = fault(Stage.RECIPIENT, 550, code, words)
    ours = row is not None and row.meaning is Meaning.OURS
    return ours or code[1:].startswith(".7.") or _OF_THE_SENDER.search(without_addresses(words)) is not None


def stands(words: str, *, enhanced: str = "", basic: int = 0, certain: bool = False) -> bool:
    """Whether a vendor's own class of a hard bounce holds against the answer that it was made from. A class that names
    the mailbox (`certain`) holds unless the answer says otherwise; one for whatever is permanent holds where
    the answer says the same, or where there's none.
    """
    told = says_gone(words, enhanced=enhanced, basic=basic)
    return told if told is not None else certain or not words.strip()
