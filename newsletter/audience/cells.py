"""What a cell of an export says of a person: nothing, yes or no, a moment, or a word for where they stand.

The words are those that the systems in `newsletter.audience.systems` use, and their like. A word that isn't here means
nothing to us: nobody is taken to have agreed by it.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache

from newsletter.audience.standing import Reason, Standing

Verdict = tuple[Standing, Reason | None]

ACTIVE: Verdict = (Standing.ACTIVE, None)
PENDING: Verdict = (Standing.PENDING, None)
LEFT: Verdict = (Standing.UNSUBSCRIBED, None)
BOUNCED: Verdict = (Standing.UNSUBSCRIBED, Reason.HARD_BOUNCE)
SOFT: Verdict = (Standing.UNSUBSCRIBED, Reason.SOFT_BOUNCES)
COMPLAINED: Verdict = (Standing.UNSUBSCRIBED, Reason.COMPLAINT)
BLOCKED: Verdict = (Standing.UNSUBSCRIBED, Reason.MANUAL)

#: How many different cells are remembered: most columns hold few.
_MEMORY = 10_000
_BLANK = frozenset(
    ("", "null", "none", "nil", "na", "n/a", "#n/a", "nan", "undefined", "not set", "(blank)", "(none)", "\\n", "never")
) | {"[]", "[ ]", "{}", "[null]", '""', "''"}
#: What databases and spreadsheets write for a day that there is none of.
_NO_DAY = re.compile(
    r"[-–—_./\s:]+|0{4}-0{2}-0{2}.*|0{1,2}/0{1,2}/0{2,4}.*|(1970-01-01|0001-01-01|1899-12-3[01]|1900-01-0[01])\b.*"
)
_YES = frozenset(
    ("true", "t", "yes", "y", "1", "1.0", "1,0", "x", "on", "checked", "si", "oui", "ja", "sim", "tak", "ano", "evet")
) | {"kylla", "✓", "✔", "✅", "☑", "🗹"}
_NO = frozenset(
    ("false", "f", "no", "n", "0", "0.0", "0,0", "off", "unchecked", "non", "nein", "nao", "nee", "nie", "nej", "nei")
) | {"ne", "hayir", "ei", "❌", "✗", "✘", "☐"}
#: What a preference says of somebody who wants none.
NOTHING = frozenset(("none", "never", "nothing"))


def _words(verdict: Verdict, text: str) -> dict[str, Verdict]:
    return dict.fromkeys(text.split(), verdict)


#: Words that nobody writes of anything but mail.
_CERTAIN: Mapping[str, Verdict] = {
    **_words(
        LEFT,
        "unsubscribed unsubscribe unsub unsubbed optedout optout optedoutofemail donotemail donotmail donotcontact"
        " donotsend noemail noemails nomoreemail nomoreemails removeme pleaseremove takemeoff deceased globalunsub"
        " globalunsubscribe unsubscriber desuscrito desuscrita desuscripto desuscripta desinscrito desabonne desabonnee"
        " desinscrit desinscrite abgemeldet abbestellt ausgetragen descadastrado descadastrada dadodebaja onholdoptout"
        " uitgeschreven afgemeld disiscritto disiscritta avregistrerad wypisany byuser",
    ),
    **_words(
        BOUNCED,
        "bounced bouncing hardbounce hardbounced hardbounces previousbounce previouslybounced onholdbounce"
        " undeliverable unreachable rebotado bybounces npai",
    ),
    **_words(SOFT, "softbounces softbounce softbounced"),
    **_words(
        COMPLAINED,
        "complained complaint spamcomplaint spamcomplaints spamreport reportedspam reportedasspam markedasspam"
        " markedspam previousspamcomplaint abusecomplaint",
    ),
    **_words(BLOCKED, "blocklisted blacklisted suppressed bymoderator"),
}
#: Every word, as a column of standings has it.
_STANDINGS: Mapping[str, Verdict] = {
    **_words(
        ACTIVE,
        "subscribed subscriber active enabled confirmed optedin optin doubleoptin doubleoptedin singleoptin explicit"
        " express regular premium gifted trialed pastdue churning marketingcontact verified added activo alta"
        " activa suscrito suscrita suscripto suscripta inscrito inscrita actif abonne abonnee inscrit inscrite aktiv"
        " angemeldet abonniert ativo ativa iscritto iscritta ingeschreven aangemeld given granted accepted agreed"
        " eachemail allemail dailysummary email",
    ),
    **_words(
        PENDING,
        "pending unconfirmed notconfirmed unactivated nonsubscribed notsubscribed neversubscribed transactional"
        " awaitingconfirmation awaiting nopermissionsset nopermissionset nopermission nopermissions implicit implied"
        " neutral unverified validating needsattention unpaid churned nonmarketingcontact notoptedin invited requested"
        " pendiente enattente ausstehend pendente unknown inattesa nonconfermato nonconfermata inafwachting"
        " nietbevestigd nichtbestatigt unbestatigt enattentedeconfirmation nonconfirme naoconfirmado noconfirmado"
        " unconfirmedoptin optinpending",
    ),
    **_words(
        LEFT,
        "inactive disabled archived removed deleted cancelled canceled left stopped stop quit resigned withdrawn"
        " revoked deactivated banned excluded declined refused rejected denied suspended deceased hold onhold"
        " temporaryhold temphold trash trashed lapsed"
        " inactivo inactiva cancelado cancelada eliminado baja inactif supprime inaktiv inativo"
        " optedoutofall dnc dne nomail unengaged",
    ),
    **_words(BOUNCED, "cleaned bounce bounces invalid bad badaddress bademail nonexistent held returned quarantined"),
    **_words(COMPLAINED, "spam abuse junk"),
    **_words(BLOCKED, "blocked manual spammy"),
    **_CERTAIN,
}


def squeezed(text: str) -> str:
    """The letters and digits of a text in lower case, without accents: how headers and words are compared."""
    plain = text if text.isascii() else unicodedata.normalize("NFKD", text)
    return re.sub(r"[^a-z0-9]", "", plain.lower())


def words_of(text: str) -> str:
    """A header or a cell in lower case, without accents, its words apart: `HasOptedOut_of` as `has opted out of`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    plain = unicodedata.normalize("NFKD", apart).encode("ascii", "ignore").decode().lower()
    return " ".join(re.split(r"[^a-z0-9]+", plain)).strip()


@lru_cache(_MEMORY)
def blank(cell: str) -> bool:
    """Whether a cell says nothing, in any of the ways in which programs write that."""
    plain = cell.strip().lower()
    return plain in _BLANK or _NO_DAY.fullmatch(plain) is not None


@lru_cache(_MEMORY)
def flag(cell: str) -> bool | None:
    """Yes or no; None for anything else."""
    plain = cell.strip().lower()
    plain = (
        plain if plain.isascii() else unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode() or plain
    )
    return True if plain in _YES else False if plain in _NO else None


def word(cell: str, own: Mapping[str, Verdict]) -> Verdict | None:
    """Where a word says that somebody stands, by a system's own words before the usual ones; None for an unknown."""
    plain = squeezed(cell)
    return own.get(plain) or _STANDINGS.get(plain)


@lru_cache(_MEMORY)
def certain(cell: str) -> Verdict | None:
    """The stop that a cell is a word for wherever it stands, such as `unsubscribed` among the tags, or that somebody
    asks for in it, such as `please remove me from your list` in a note; None for others.
    """
    if 3 < len(cell) < 40 and (found := _CERTAIN.get(squeezed(cell))):
        return found
    if cell.count(" ") < 2 or len(cell) > _LONGEST_NOTE:
        return None
    of_mail = _OF_MAIL.search(cell) or not _NOT_OF_MAIL.search(cell)
    return LEFT if of_mail and _ASKED.search(cell) else None


def worth_a_look(cell: str) -> bool:
    """Whether a cell may hold a piece that is a stop, or doubtful. Most cells do not, and this is quick."""
    return _PERHAPS.search(cell) is not None


def pieces(cell: str) -> list[str]:
    """A cell's parts, such as tags, with commas, semicolons or bars between."""
    return [piece.strip() for piece in re.split(r"[;,|]", cell) if piece.strip()]


@lru_cache(_MEMORY)
def doubtful(piece: str) -> bool:
    """Whether a few words, such as a tag or the name of a list, speak of leaving without being a word for it:
    `opted-out 2023`, `zz_unsub`, `DNC`.
    """
    if len(piece) > _LONGEST_TAG or "@" in piece or not worth_a_look(piece) or certain(piece):
        return False
    of_mail = _OF_MAIL.search(piece) or not _NOT_OF_MAIL.search(piece)
    return bool(of_mail and _LEAVING.search(words_of(piece)))


def refuses(cell: str) -> bool:
    """Whether a cell of a column that asks what somebody wants says that they want nothing."""
    found = word(cell, {})
    return (
        cell.strip().lower() in NOTHING
        or flag(cell) is False
        or _REFUSED.match(cell.strip()) is not None
        or bool(found and found[0] is Standing.UNSUBSCRIBED)
    )


def agrees(cell: str) -> bool:
    """Whether a cell says for certain that somebody wants mail."""
    return word(cell, {}) == ACTIVE or flag(cell) is True


def tell_standings(texts: Iterable[str]) -> bool:
    """Whether all cells are words for standings, and by one of them somebody has left, or some haven't confirmed as
    others have: a status by another name.
    """
    verdicts = [word(text, {}) for text in texts if not blank(text)]
    said = {verdict[0] for verdict in verdicts if verdict}
    return all(verdicts) and (Standing.UNSUBSCRIBED in said or said >= {Standing.ACTIVE, Standing.PENDING})


#: How an answer begins that says no, with whatever thanks.
_REFUSED = re.compile(
    r"(no|not|nope|never|nein|kein\w*|non|pas|nee|niet|nej|nie|nao|não|nunca|don['’]?t|(i|we) (do not|don['’]?t))\b",
    re.IGNORECASE,
)
_LONGEST_NOTE, _LONGEST_TAG = 1_000, 80
#: What a piece holds that is a stop or may be one: a part of each word in `_CERTAIN`, and of each in `_LEAVING`.
_PERHAPS = re.compile(
    r"uns|opt|bounc|bl[ao]ck|spam|complain|supp?res|d.?n.?[ce]|r.?i.?p|no.?(more.?)?e?.?mail|not.?(e?.?mail|contact|send)|deceas|leav|left|scri"
    r"|abon|abgem|abbest|ausge|austr|uitges|afgem|avreg|wypis|odhl|baja|cancel|remov|take|descad"
    r"|by.?(user|moderator)|undeliv|unreach|rebot|npai",
    re.IGNORECASE,
)
_LEAVING = re.compile(
    r"\b(\w*unsub\w*|opt(ed|s)? ?outs?|\w*optouts?|(hard|soft|email|mail)? ?bounc(ed|es|ing|er)s?|(hard|soft) ?bounces?"
    r"|black ?list\w*|block ?list\w*|spam ?(complain\w*|report\w*|trap\w*)|complain(ed|ts?|ers?)|suppress\w*"
    r"|d ?n ?[ce]|r ?i ?p|do ?not ?(e ?)?(mail|contact|send)\w*|deceased|(has|have) left|left (the )?list"
    r"|cancel+ed|desuscri\w*|desinscri\w*|desabon\w*|disiscri\w*|abgemeldet"
    r"|ausgetragen|uitgeschreven|afgemeld|avregistr\w*|wypis\w*|odhlas\w*|(dad[oa] )?de baja)\b"
)
#: How people ask, or staff note that they did.
_ASKED = re.compile(
    r"""\b(
        remove\ (me|us|him|her|them|this\ (address|person|contact))
      | (remov|tak|drop)\w*\ ((me|us|him|her|them)\ )?(off|from)\ (of\ )?((the|your|our|all|any|this)\ )*
        (((e-?)?mail(ing)?|news\ ?letter)\ )?(lists?|mailings?|news\ ?letters?)
      | asked\ to\ be\ (taken\ off|removed|unsubscribed)
      | take\ (me|us|him|her|them|this\ (address|person))\ off
      | wants?\ to\ (stop|quit)\ (getting|receiving)
      | e-?mails?\ (is\ |are\ )?bounc(es|ed|ing)
      | (do\ not|don.?t|never|stop|quit)\ (e-?mail|send|contact|mail)(ing)?
      | no\ (more|further)\ (e-?mails?|mails?|news\ ?letters?)
      | no\ e-?mails?,?\ (please|thanks?|at\ all)
      | wants?\ (no|to\ stop)\ e-?mails?
      | wants?\ (off|out)
      | unsubscribe\ (me|us|him|her|them)
      | has\ (unsubscribed|opted\ out)
      | opted\ out\ (of|from)\ (all\ )?(e-?mails?|mailings?)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_OF_MAIL = re.compile(r"mail|\blists?\b|news ?letter", re.IGNORECASE)
_NOT_OF_MAIL = re.compile(r"\b(sms|texts?|texting|calls?|phone|mobile|postal|fax|whatsapp)\b", re.IGNORECASE)
_DOTTED = re.compile(r"\d{1,2}\.\d{1,2}\.\d{2,4}\b")
_SECONDS = re.compile(r"1\d{9}(\.\d+)?|1\d{12}")
#: Days since 1899-12-30, as spreadsheets count, from 1995 to 2064.
_SERIAL = re.compile(r"(3[5-9]|[45]\d)\d{3}(\.\d+)?")
_EPOCH = dt.datetime(1899, 12, 30, tzinfo=dt.UTC)
_HOURS = {
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "AKST": -9,
    "HST": -10,
}
_ZONES = {name: hours * 3_600 for name, hours in _HOURS.items()} | {"UTC": 0, "GMT": 0, "Z": 0}


@lru_cache(_MEMORY)
def moment(cell: str, *, day_first: bool = False) -> dt.datetime | None:
    """A day with or without a time, however it's written; without a zone it's UTC. None for what isn't a whole day."""
    text = " ".join(cell.split())
    if blank(text):
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        parsed = _counted(text) or _parsed(text, day_first=day_first or _DOTTED.match(text) is not None)
        if parsed is None:
            return None
        found = parsed
    try:
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except OverflowError:
        return None


def _counted(text: str) -> dt.datetime | None:
    """A moment that is counted in seconds, in thousandths of them, or in a spreadsheet's days."""
    if _SECONDS.fullmatch(text):
        seconds = float(text)
        return dt.datetime.fromtimestamp(seconds / 1000 if seconds > 1e12 else seconds, dt.UTC)
    return _EPOCH + dt.timedelta(days=float(text)) if _SERIAL.fullmatch(text) else None


def _parsed(text: str, *, day_first: bool) -> dt.datetime | None:
    """What `dateutil` reads, unless it had to guess the day, the month or the year."""
    from dateutil import parser

    if not any(character.isdigit() for character in text) or len(text) > 60:
        return None
    found = []
    for default in (dt.datetime(2000, 1, 1), dt.datetime(2001, 2, 2)):  # noqa: DTZ001 (held against each other only)
        try:
            with warnings.catch_warnings(action="ignore"):
                found.append(parser.parse(text, default=default, dayfirst=day_first, tzinfos=_ZONES))
        except (ValueError, OverflowError, TypeError):
            return None
    return found[0] if found[0] == found[1] else None
