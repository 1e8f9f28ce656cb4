"""Which column of an export is what: known by the system it comes from, by its header, by its cells, or given."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from newsletter.audience.cells import squeezed, words_of
from newsletter.audience.systems import System
from newsletter.config import Config
from newsletter.errors import InputError, nearest
from newsletter.store.records import MappingRecord

#: Fields that say where a person stands. A file may have several columns of each; the strictest holds.
SENSES = ("status", "stopped", "bounced", "complained", "consented")
#: Fields of which several columns add up, or whose first that isn't blank holds.
_SEVERAL = (*SENSES, "confirmed", "ip", "tags", "lists")
#: Headers by the field that they mean, squeezed to letters and digits.
_HEADERS = """
email: email emailaddress mail subscriberemail emailaddr email1 primaryemail preferredemail correo
    correoelectronico courriel adresseemail emailadresse youremail youremailaddress indirizzoemail recipient
    subscriber address
first_name: firstname first givenname fname forename yourfirstname nombre prenom vorname nome voornaam imie fornamn
last_name: lastname last surname familyname lname yourlastname apellido apellidos nachname cognome achternaam nazwisko
    efternamn sobrenome
name: name fullname contactname displayname yourname yourfullname nombrecompleto
state: state region province stateregion canspamstate can2stateabbreviated stateprovince estado
locality: citycounty city county locality town place can2usercity can2county ciudad municipio
role: role type membertype
chapter: chapter statechapter
language: language lang locale languagespoken preferredlanguage idioma langue sprache
lists: lists list newsletters groups group listname emaillists maillist maillists mailinglist mailinglists
pending_lists: pendinglists
left_lists: leftlists unsubscribedlists
status: status subscriptionstatus substatus memberstatus subscribertype can2subscriptionstatus emailstatus
    emailpermissionstatus contactstatus subscriberstatus emailsubscriptionstatus emailsubscriberstatus
    emailmarketingconsent emailmarketingstatus emailmarketing liststatus mailstatus optinstatus estatus statut
    subscription globalstatus emailoptinstatus stato statoiscrizione
stopped: unsubscribed isunsubscribed unsubscribe unsub unsubtime unsubdate unsubscribedat unsubscribeddate
    unsubscribedon unsubscribetime unsubscribedate unsubscribeat dateunsubscribed unsubscriptiondate
    unsubscriptiontime unsubscribedfromallemail optout optedout isoptout isoptedout optouttime optoutdate
    optedoutat optedoutdate dateoptedout emailoptout emailoptedout hasoptedoutofemail optedoutofemail
    optedoutemail donotemail donotcontact donotsend donotemailme donotmailings noemail noemails nobulkemail
    nobulkemails blacklisted isblacklisted emailblacklisted blocklisted isblocklisted emailblocklisted
    emaildisabled globalunsubscribe globallyunsubscribed stoptime deactivated deactivatedat desuscrito desinscrit
    desabonne abgemeldet abmeldedatum abgemeldetam fechadebaja datedesabonnement datededesabonnement
    datedesinscription datededesinscription datadisiscrizione datacancellazione uitschrijfdatum afgemeldop
bounced: cleantime cleanedat cleaned bounced isbounced hasbounced bouncedat bouncedate bouncedon datebounced
    hardbounce hardbounced hardbouncedat hardbouncedate emailbouncedate emailbounceddate emailbounced
    email1isbad emailisbad isemailbounced bouncereason emailbouncedreason undeliverable npai
complained: complained complaint complainedat complaintdate spamcomplaint spamcomplaintdate markedasspam
    markedspam reportedspam abusereport spamreport plainte isspamcomplaining
consented: subscribed issubscribed subscribedtoemails optedin isoptedin optin emailoptin emailoptedin
    hasoptedin acceptsmarketing acceptsemailmarketing acceptsemail emailconsent marketingconsent consent
    newsletteroptin newslettersubscribed emailmarketingoptin marketingoptin canemail oktoemail okaytoemail mayemail
    wantsnewsletter receivenewsletter receivesnewsletter mailable emailable marketingpermission emailmarketingpermission
    emailconsentstatus consentstatus wantsemails wantstoreceiveemails
    consented consentgiven wantsemail receivesemail receiveemails receiveemail permission emailpermission
    permissiontomail gdprconsent emailsubscribed newsletterconsent agreedtoemail
suppressed: suppressed
suppressed_lists: suppressedlists
confirmed: confirmed isconfirmed confirmedat confirmtime confirmeddate confirmationdate confirmationtime
    activated activatedat activationdate emailverified emailverifiedat doubleoptindate doubleoptintime doubleoptinat
    optintime subscribedat subscribeddate subscribedate subscribedon datesubscribed subscriptiondate optindate
    optedinat optedindate consentdate consentedat joined joinedat joindate datejoined dateadded addedat
    createdat creationdate createdon datecreated signupdate signedupat signedup signuptime
ip: signupip optinip ip ipaddress confirmip ipsignup consentip
tags: tags tag labels can2usertags usertags taglist etiquetas
attributes: attributes metadata
frequency: frequency
paused_until: pauseduntil
note: notes note comments
"""
Mapped = dict[str, tuple[str, ...]]

#: Headers that speak of leaving, word by word.
_LEAVING = re.compile(
    r"\b(un-?subs?\w*|opt(ed|s)? ?out\w*|\w*optouts?|bounc\w*|black ?list\w*|block\w*|do ?not\w*|don ?t|dont|dnc|dne"
    r"|no ?e? ?mails?|no bulk\w*|hold|held|complain\w*|disabled?|suppress\w*|spam\w*|abuse\w*|cancel\w*|clean(ed)?"
    r"|remov\w*|delet\w*|archived?|trash\w*|end(ed)? (date|on|at)|ended|date ended|terminat\w*|lapsed"
    r"|leav\w*|left|exclu\w*|bann\w*|revok\w*|withdr\w*|undeliver\w*|invalid\w*|bad|deceased|inactiv\w*|deactiv\w*"
    r"|stop\w*|quit|object\w*|erased?|quarantin\w*|unreachable|desuscri\w*|desinscri\w*|desabon\w*|baja"
    r"|abgemeld\w*|abmeld\w*|austrag\w*|ausgetrag\w*|descadast\w*|gesperrt|sperr\w*|bloque\w*|rebot\w*|resili\w*"
    r"|suspend\w*|forg[eo]t\w*|erasures?|erasing|olvid\w*|oubli\w*|geloscht|loschung|losch\w*|keine?|sin|zonder|geen"
    r"|dnm|nm|kill|dead|died|dod|death|resign\w*|off ?lists?|no contact|return(ed)? to sender|rts|closed|nixies?|gone"
    r"|refus\w*|reject\w*|declin\w*|discard\w*|purged?|unwanted|opposition|opposed"
    r"|disiscri\w*|cancella\w*|cancelad\w*|uitschr\w*|uitgeschr\w*|afmeld\w*|afgemeld\w*|avmeld\w*|avregistr\w*"
    r"|avprenum\w*|avslut\w*|wypis\w*|rezygn\w*|odhlas\w*|odjav\w*|leiratkoz\w*|dezabon\w*|peruut\w*"
    r"|npai|plaintes?|klacht\w*|beschwerde\w*|quejas?|reclam\w*)\b"
)
#: The same where the words of a header run into one another.
_RUN = re.compile(
    r"optout|optedout|unsub|donotemail|donotmail|donotcontact|blacklist|blocklist|bounce|complain|suppress"
)
#: Headers that speak of what somebody wants or allows, or whether an address is any good.
_WANTING = re.compile(
    r"\b(opt(ed|s)? ?in\w*|consent\w*|permi(t|tted|ssion)s?|allow\w*|agree\w*|accept\w*|wants?|receiv\w*|subscri\w*"
    r"|news ?letters?|e? ?mails?|mailings?|mailable|e? ?mailable|contactable|marketing|gdpr|dsgvo|rgpd|lgpd|casl"
    r"|zgoda|zgody|samtykke|samtycke|souhlas|toestemming|einwilligung|zustimmung|erwunscht|consentement|consenso"
    r"|consentimiento|desea|desean|quiere|boletin|boletines|recibir|recevoir|souhaite|ricevere|iscri\w*|suscri\w*"
    r"|inscri\w*|abonn\w*|aanmeld\w*|actief|aktywn\w*|aktivni"
    r"|privacy|preferences?|frequency|digest|active|activo|activa|aktiv|actif|ativo|attivo|enabled|valid|deliverab\w*"
    r"|can|may|ok|lists?|reachable|solicit\w*|communicat\w*)\b"
)
#: Headers of what was counted or done, where 0 is a number and no refusal.
_COUNTED = re.compile(
    r"\b(counts?|numbers?|num|total|rates?|scores?|rating|stars?|opens?|opened|clicks?|clicked|sent|delivered|seen)\b"
)
#: What organizations keep of people that has nothing to do with mail: a header with such a word is understood.
_WORDS = """
volunteer volunteers volunteered donor donors donation donations donated gave gift gifts vip member members
membership attended attending attendance rsvp voter voters vote votes voted union veteran veterans citizen citizens
parent parents student students staff board leader leaders employer employed employment retired married marital
gender sex male female pronouns race ethnicity child children kids pet pets vegetarian vegan diet dietary
wheelchair accessibility waiver petition petitions signed canvass canvassed paid invoice invoices tax exempt
homeowner renter driver car candidate elected incumbent official officials speaks bilingual id ids uuid guid
euid leid key line reason web
prefix suffix title salutation greeting honorific company organization organisation org employees industry job
occupation profession position department address street city town county state zip zipcode postal postcode
country region district precinct ward latitude longitude website url linkedin twitter facebook instagram birthday
birth birthdate age language locale source origin referrer referral campaign utm medium content term created
updated modified added imported changed timezone amount price plan tier level product order orders currency
description interest interests topic topics issue issues chapter role type category group groups segment segments
audience party college university school grade year month season color colour favorite favourite size shirt
browser client device platform os ip location venue event events committee council office caucus team
ciudad pais telefono direccion empresa cargo fecha fuente genero idioma capitulo provincia codigo cumpleanos
ville pays adresse entreprise sexe naissance ort land plz firma strasse anrede geburtstag geschlecht quelle
"""
_ORDINARY = frozenset(_WORDS.split())
_IS_STATUS = re.compile(r"\b(status|statut|stato|estatus|stav|standing|durum|situacao|zustand)\b")
_CONFIRMING = re.compile(r"\b(confirm\w*|activat\w*|verif\w*|double ?opt ?in\w*)\b")
#: What a column of leaving says, by words of its header; the first that's found holds.
_SENSES = (
    ("pending", re.compile(r"\b(pending|unconfirmed|awaiting)\b")),
    ("complained", re.compile(r"\b(complain\w*|spam\w*|abuse\w*|plaintes?|quejas?)\b")),
    ("bounced", re.compile(r"^(?!.*\bsoft\b).*\b(bounc\w*|undeliver\w*|invalid\w*|unreachable|bad|rebot\w*|npai)\b")),
)
_STATUS = re.compile(r"\b(status|state|standing|type|subscription|subscriber|confirmed|estado|statut)\b")
#: Other ways to reach somebody than by mail.
_ELSEWHERE = re.compile(r"\b(sms|phones?|calls?|mobile|text|texting|postal|post|fax|whatsapp|push|walk|landline)\b")


def _fields(table: str) -> dict[str, tuple[str, ...]]:
    """A table of `field: headers`, whose longer lines go on indented."""
    lines = re.sub(r"\n +", " ", table.strip()).splitlines()
    return {field: tuple(headers.split()) for field, _, headers in (line.partition(":") for line in lines)}


#: Every field an export can fill, with the headers that mean it. Beside them, each attribute in config.toml is the
#: field `attributes.NAME`.
FIELDS: Mapping[str, tuple[str, ...]] = _fields(_HEADERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where each field is in a row. In the `watched` columns a word such as `unsubscribed` stops somebody, whatever
    else the column is for; who is blank in the `confirming` ones hasn't confirmed. `day_first` where the file writes
    31/12 rather than 12/31.
    """

    width: int
    places: Mapping[str, tuple[int, ...]]
    watched: tuple[int, ...] = ()
    confirming: tuple[int, ...] = ()
    day_first: bool = False


def speaks_of_leaving(header: str) -> bool:
    """Whether a header is of leaving, bouncing or complaining, as far as mail goes."""
    words = words_of(header)
    if _ELSEWHERE.search(words) and "mail" not in words.replace("direct mail", ""):
        return False
    return bool(_LEAVING.search(words) or _RUN.search(squeezed(header)))


def speaks_of_standing(header: str) -> bool:
    """Whether a header may be that of a status."""
    return bool(_STATUS.search(words_of(header)))


def speaks_of_wanting(header: str) -> bool:
    """Whether a header is of what somebody wants, has allowed, or can get."""
    words = words_of(header)
    return bool(_WANTING.search(words)) and not _COUNTED.search(words)


def speaks_of_confirming(header: str) -> bool:
    """Whether a header says when or that people confirmed; there, a blank cell is one who hasn't."""
    return bool(_CONFIRMING.search(words_of(header)))


def speaks_of_something_else(header: str) -> bool:
    """Whether a header is of what was counted, or asks something that has nothing to do with mail."""
    words = words_of(header)
    ordinary = not _ORDINARY.isdisjoint(words.split()) and not _WANTING.search(words)
    return bool(ordinary or _COUNTED.search(words))


def is_status(header: str) -> bool:
    """Whether a header is that of a status for certain, though perhaps not of one of mail."""
    words = words_of(header)
    return bool(_IS_STATUS.search(words)) and _ORDINARY.isdisjoint(words.split())


def likely_sense(header: str) -> str | None:
    """What a column that may stop people would most likely be mapped to, `pending` for one of who hasn't confirmed;
    None where its question isn't known.
    """
    words = words_of(header)
    if found := next((sense for sense, pattern in _SENSES if pattern.search(words)), None):
        return found
    if speaks_of_leaving(header):
        return "stopped"
    if is_status(header):
        return "status"
    return "consented" if speaks_of_wanting(header) else None


def cannot_be_read(header: str) -> bool:
    """Whether a header is in letters that none of our words are in."""
    return not words_of(header) and any(character.isalpha() for character in header)


def speaks_of_mail(header: str) -> bool:
    """False for a header of telephone, post and the like."""
    words = words_of(header)
    return not _ELSEWHERE.search(words) or "mail" in words


@dataclass(frozen=True, slots=True)
class Named:
    """What config.toml names that a column may be of: attributes, and lists with all names that each has."""

    attributes: tuple[str, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def named_by(config: Config) -> Named:
    """What a config names."""
    lists = {slug: (slug, each.name, *each.aliases) for slug, each in config.lists.items()}
    return Named(tuple(config.attributes), lists)


def fields(named: Named) -> dict[str, tuple[str, ...]]:
    """Every field there is, with the headers that mean it: `attributes.NAME` of an attribute, `lists.SLUG` of what
    somebody said of one list.
    """
    own: dict[str, tuple[str, ...]] = {
        f"attributes.{name}": (squeezed(name), f"attributes{squeezed(name)}") for name in named.attributes
    }
    for slug, names in named.lists.items():
        plain = [squeezed(name) for name in names if squeezed(name)]
        own[f"lists.{slug}"] = tuple(f"{name}{end}" for name in plain for end in ("", "status", "subscribed"))
    return {**FIELDS, **own}


def guess(header: Sequence[str], named: Named = Named(), system: System | None = None) -> Mapped:
    """Field to columns, for those whose headers we know; of texts, the first of several wins."""
    plain = {column: squeezed(re.sub(r" \(\d+\)$", "", column)) for column in header}
    meant = {column: system.meaning(column) if system else None for column in header}
    found: Mapped = {}
    for name, names in fields(named).items():
        of_system = [column for column in header if meant[column] == name]
        usual = [column for column in header if meant[column] is None and plain[column] in names]
        columns = of_system + sorted(usual, key=lambda column: names.index(plain[column]))
        if columns:
            found[name] = tuple(columns) if name in _SEVERAL else (columns[0],)
    return found


def given(pairs: Sequence[str], header: Sequence[str], named: Named = Named()) -> Mapped:
    """A mapping from `field=Column` pairs; an empty column leaves the field out."""
    found: Mapped = {}
    known = fields(named)
    for pair in pairs:
        field, sign, column = (part.strip() for part in pair.partition("="))
        if not sign or field not in known:
            hint = nearest(field, known) or f"fields: {', '.join(known)}"
            raise InputError(f'"{pair}" is not FIELD=COLUMN', hint=hint)
        columns = (column_named(column, header),) if column else ()
        found[field] = found.get(field, ()) + columns if field in _SEVERAL else columns
    return found


def column_named(name: str, header: Sequence[str]) -> str:
    """The column of that name, blanks around it aside; InputError with the nearest."""
    match = [column for column in header if column.strip() == name.strip()]
    if not match:
        raise InputError(f'the file has no column "{name}"', hint=nearest(name, header))
    return match[0]


def merged(guessed: Mapping[str, tuple[str, ...]], by_hand: Mapping[str, tuple[str, ...]]) -> Mapped:
    """What was given on top of what was guessed: a column that was given a field serves no other."""
    taken = {column for columns in by_hand.values() for column in columns}
    kept = {field: tuple(c for c in columns if c not in taken) for field, columns in guessed.items()}
    together = {**kept, **by_hand}
    return {field: columns for field, columns in together.items() if columns}


def layout(
    header: Sequence[str],
    mapping: Mapping[str, tuple[str, ...]],
    *,
    watched: Iterable[str] = (),
    confirming: Iterable[str] = (),
    day_first: bool = False,
) -> Layout:
    """A mapping as places in a row."""
    places = {name: index for index, name in enumerate(header)}
    return Layout(
        width=len(header),
        places={field: tuple(places[column] for column in columns) for field, columns in mapping.items() if columns},
        watched=tuple(places[column] for column in watched),
        confirming=tuple(places[column] for column in confirming),
        day_first=day_first,
    )


def remember(
    session: Session,
    header: Sequence[str],
    mapping: Mapping[str, tuple[str, ...]],
    skipped: Sequence[str],
    now: dt.datetime,
) -> None:
    """Keep a mapping, and what was set aside, for the next export with this header."""
    kept = {"fields": {field: list(columns) for field, columns in mapping.items()}, "skipped": list(skipped)}
    session.merge(MappingRecord(header_digest=_digest(header), mapping=kept, saved_at=now))


def remembered(session: Session, header: Sequence[str]) -> tuple[Mapped, tuple[str, ...]] | None:
    """The mapping that was used for this header the last time, and what was set aside."""
    record = session.get(MappingRecord, _digest(header))
    if record is None:
        return None
    kept = record.mapping
    return {field: tuple(columns) for field, columns in kept["fields"].items()}, tuple(kept["skipped"])


def _digest(header: Sequence[str]) -> str:
    # Rejected rows that were put right are read as the file that they come from.
    own = header[:-2] if list(header[-2:]) == ["line", "reason"] else header
    return hashlib.sha256("\0".join(("2", *own)).encode("utf-8", "replace")).hexdigest()
