"""What of a letter its sender wrote: without what gateways put before it, lists behind it, and what is quoted in it.

Mail programs say in their own language that they forward or quote; the words are those of the programs' translations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PREFIX = re.compile(
    r"^(?:(?:re|fwd?|aw|wg|rv|tr|sv|vs|vb|enc|res|rif|antw|doorst|ext|external)\s*[:：]\s*|\[[^\]]{0,60}\]\s*)+",
    re.IGNORECASE,
)
#: Between these Proofpoint puts its banner.
_BANNER_START, _BANNER_END = "BannerStart", "BannerEnd"
#: One line in which a gateway says that a letter came from outside.
_WARNING = re.compile(
    r"^\W{0,9}(?:caution|warning|attention|external|precaución|this (?:e-?mail|message))\b.{0,200}"
    r"\b(?:outside|external|externo|fuera)\b",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----\s*(?:Hash: .{1,80}\n)*", re.IGNORECASE)
_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"
#: Where a mailing list's own words begin: Mailman and its like under a bar, Google Groups, most others.
_FOOTER = re.compile(
    r"^(?:[_-]{20,}\n(?=(?:.{0,120}\n){0,2}.{0,120}mailing list)|You received this message because you are subscribed)",
    re.MULTILINE | re.IGNORECASE,
)
#: Where a letter's own words end: a signature (RFC 3676, section 4.3), a reply, a forwarded letter.
_END = re.compile(
    r"^(?:--\s*$|>|_{10,}$|-{2,} ?[^\W\d_][^-]{3,60}-{2,}$"
    r"|(?:Begin forwarded message|Inicio del mensaje reenviado|Début du message (?:réexpédié|transféré)"
    r"|Anfang der weitergeleiteten (?:Nachricht|E-Mail)|Início da mensagem reencaminhada) ?:"
    r"|(?:On|El|Le|Am|Em|Il|Op|Den) .{5,300}\b(?:wrote|escribió|a écrit|schrieb|escreveu|ha scritto|schreef|skrev)\b"
    r".{0,120}:$)",
    re.IGNORECASE,
)
#: The first lines of a letter that is quoted with its head, as Outlook does it.
_FROM = re.compile(r"^\W{0,3}(?:From|De|Von|Da|Van|Från|Fra|Expéditeur) ?:\W{0,3} \S", re.IGNORECASE)
_SENT = re.compile(
    r"^\W{0,3}(?:Sent|Date|To|Cc|Subject|Enviado(?: el)?|Fecha|Para|Asunto|Gesendet|Datum|An|Betreff|Envoyé(?: le)?|À|"
    r"Inviato|Data|Verzonden|Aan|Skickat|Till) ?:",
    re.IGNORECASE,
)


def subject(text: str) -> str:
    """A subject without what programs and gateways put before it."""
    return _PREFIX.sub("", text)


def body(text: str) -> str:
    """A letter's text without gateways' banners, a list's footer, and the frame of a PGP signature."""
    before, start, rest = text.partition(_BANNER_START)
    _, end, after = rest.partition(_BANNER_END)
    if start and end:
        text = before.rpartition("\n")[0] + after
    text = _SIGNED.sub("", text).partition(_SIGNATURE)[0]
    footer = _FOOTER.search(text)
    kept = text[: footer.start()] if footer else text
    return "\n".join(line for line in kept.splitlines() if not _WARNING.match(line[:400]))


def own_lines(text: str) -> Iterator[str]:
    """The lines that the sender wrote, before the signature and before what is quoted."""
    lines = [" ".join(line[:2_000].split()) for line in text.splitlines()]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if _END.match(line) or _END.match(f"{line} {following}"[:600]):
            return
        if _FROM.match(line) and _SENT.match(following):
            return
        yield line


def unflowed(text: str, *, delsp: bool) -> str:
    """A text of format=flowed with its paragraphs whole (RFC 3676, section 4.2). With `delsp`, the blank at the end of
    a line is only its mark.
    """
    paragraphs: list[str] = []
    goes_on = False
    for line in text.replace("\r\n", "\n").split("\n"):
        whole = line.removeprefix(" ")  # space-stuffed, section 4.4
        flows = whole.endswith(" ") and whole != "-- "
        kept = whole[:-1] if flows and delsp else whole
        if goes_on and not whole.startswith(">") and whole != "-- ":
            paragraphs[-1] += kept
        else:
            paragraphs.append(kept)
        goes_on = flows
    return "\n".join(paragraphs)
