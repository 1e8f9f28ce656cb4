"""Segments: a saved filter, written as an expression and compiled to SQL, never run as a program.

    state = "FL" and role in ("elected", "staff")
    not (state = "") and language != "es"
    tag = "donor" and joined since "2026-01-01"
    received = "network-download-2026-11" and not clicked = "network-download-2026-11"

Texts compare without regard to case, in all alphabets; states and roles may be written as people write them. Beside the
fields of a person there are the attributes of config.toml, `tag`, `joined` (since or before a day: their consent or,
where that isn't known, their first appearance), and `received`, `opened`, `clicked` with an issue; what a machine
opened or clicked counts for nothing.

A tag or an issue that there isn't is an error, wherever there's a store to ask: `not received = "…"` of a name with a
slip in it would be everybody.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, exists, func, not_, or_, select
from sqlalchemy.orm import Session

from newsletter.audience import fields
from newsletter.config import Config, Segment
from newsletter.errors import ConfigError, NotFound, nearest
from newsletter.model import DeliveryState, EventType
from newsletter.places import state_code
from newsletter.store.folding import folded
from newsletter.store.records import CampaignRecord, DeliveryRecord, EventRecord, SubscriberRecord, TagRecord

PROFILE_FIELDS = ("email", *(field.name for field in fields.PROFILE.values() if field.segments))
_ACTS = {"opened": EventType.OPENED, "clicked": EventType.CLICKED}
FIELDS = (*PROFILE_FIELDS, "tag", "joined", "received", *_ACTS)
#: Fields whose values are names of what's in the store; among so many the nearest is looked for.
_STORED, _MOST_NAMES = ("tag", "received", *_ACTS), 10_000
Condition = ColumnElement[bool]

_TOKEN = re.compile(r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<sign>!=|[=(),])|(?P<word>\w+)|(?P<other>\S))""")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: str
    column: int


def segment(config: Config, slug: str) -> Segment:
    """The segment of that slug, or NotFound with the nearest."""
    try:
        return config.segments[slug]
    except KeyError:
        hint = nearest(slug, config.segments) or f"known: {', '.join(config.segments)}"
        raise NotFound(f'no segment "{slug}"', where=config.path.name, hint=hint) from None


def saved(config: Config, slug: str, session: Session | None = None) -> Condition:
    """The SQL condition of a saved segment, or NotFound with the nearest."""
    return condition(segment(config, slug).where, slug, config, session=session)


def condition(
    expression: str, name: str, config: Config, *, saved: bool = False, session: Session | None = None
) -> Condition:
    """The SQL condition on subscribers that an expression means; ConfigError says where it goes wrong. With a session,
    tags and issues that aren't there are wrong, too.

    Where `saved` segments may be named, `segment = "florida"` stands for the expression of one.
    """
    return _Parser(expression, name, config, saved=saved, session=session).parse()


class _Parser:
    """Recursive descent: or < and < not < comparison."""

    def __init__(self, expression: str, name: str, config: Config, *, saved: bool, session: Session | None) -> None:
        self._name = name
        self._session = session
        self._config = config
        self._segments = config.segments if saved else {}
        self._fields = (*FIELDS, *config.attributes)
        self._tokens = [
            _Token(match.lastgroup or "", match.group(match.lastgroup or 0), match.start(match.lastgroup or 0))
            for match in _TOKEN.finditer(expression)
        ]
        self._tokens.append(_Token("end", "", len(expression)))
        self._depth = 0

    def parse(self) -> Condition:
        found = self._any()
        if self._tokens[0].kind != "end":
            raise self._error(f'"{self._tokens[0].value}" is not expected here')
        return found

    def _any(self) -> Condition:
        return self._joined("or", self._all, or_)

    def _all(self) -> Condition:
        return self._joined("and", self._one, and_)

    def _joined(self, word: str, read: Callable[[], Condition], join: Callable[..., Condition]) -> Condition:
        parts = [read()]
        while self._accept(word):
            parts.append(read())
        return join(*parts) if len(parts) > 1 else parts[0]

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > 50:
            raise self._error("nested too deep")
        if self._accept("not"):
            found = not_(self._one())
        elif self._accept("("):
            found = self._any()
            self._expect(")")
        else:
            found = self._comparison()
        self._depth -= 1
        return found

    def _comparison(self) -> Condition:
        field = self._tokens[0]
        if self._segments and field.value.lower() == "segment":
            return self._saved()
        if field.kind != "word" or field.value.lower() not in self._fields:
            hint = nearest(field.value, self._fields) or f"fields: {', '.join(self._fields)}"
            raise self._error(f'"{field.value}" is no field' if field.value else "it ends too early", hint)
        self._tokens.pop(0)
        name = field.value.lower()
        if name == "joined":
            return self._joined_when()
        if self._accept("="):
            return self._is_one_of(name, [self._value(name)])
        if self._accept("!="):
            return not_(self._is_one_of(name, [self._value(name)]))
        negated = self._accept("not")
        self._expect("in")
        self._expect("(")
        values = [self._value(name)]
        while self._accept(","):
            values.append(self._value(name))
        self._expect(")")
        found = self._is_one_of(name, values)
        return not_(found) if negated else found

    def _is_one_of(self, name: str, values: Sequence[str]) -> Condition:
        if name in ("email", "state"):
            return func.lower(getattr(SubscriberRecord, name)).in_([value.lower() for value in values])
        if name == "role":
            values = [word for value in values for word in (fields.role_of(value), value)]
        if name in PROFILE_FIELDS:
            return _any_of(getattr(SubscriberRecord, name), values)
        if name == "tag":
            return exists().where(TagRecord.subscriber_id == SubscriberRecord.id, _any_of(TagRecord.tag, values))
        if name == "received" or name in _ACTS:
            return _had(name, values)
        return _any_of(func.coalesce(SubscriberRecord.attributes[name].as_string(), ""), values)

    def _joined_when(self) -> Condition:
        since = self._accept("since")
        if not since:
            self._expect("before")
        at = self._tokens[0]
        text = self._value("joined")
        try:
            # A timezone can carry the calendar's first and last day out of it.
            day = dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), self._config.timezone).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise self._error(f'"{text}" is no day', 'joined since "2026-01-31"', column=at.column) from None
        joined = func.coalesce(SubscriberRecord.consented_at, SubscriberRecord.created_at)
        return joined >= day if since else joined < day

    def _saved(self) -> Condition:
        """`segment = "florida"`; a saved expression can't name another, so that there are no circles."""
        self._tokens.pop(0)
        self._expect("=")
        at = self._tokens[0]
        slug = self._value("segment").lower()
        if slug not in self._segments:
            hint = nearest(slug, self._segments) or f"known: {', '.join(self._segments)}"
            raise self._error(f'no segment "{slug}"', hint, column=at.column)
        return condition(self._segments[slug].where, slug, self._config, session=self._session)

    def _value(self, field: str) -> str:
        token = self._tokens[0]
        if token.kind != "text":
            raise self._error("a text in quotes is expected", f'{field} = "…"')
        self._tokens.pop(0)
        text = token.value[1:-1]
        if field == "state":
            code = state_code(text)
            if code is None:
                raise self._error(f'"{text}" is no state', column=token.column)
            return code
        if self._session is not None and field in _STORED:
            self._look_up(self._session, field, text, token.column)
        return text

    def _look_up(self, session: Session, field: str, text: str, column: int) -> None:
        """Refuse a name that nothing has; as long as there's no tag at all, any may come yet."""
        wanted, known = folded(text), TagRecord.tag if field == "tag" else CampaignRecord.issue
        if session.scalar(select(known).where((known == text) | (folded(known) == wanted)).limit(1)):
            return
        names = set(session.scalars(select(known).distinct().limit(_MOST_NAMES)))
        if field != "tag":
            names |= {path.parent.name for path in (self._config.folder / "issues").glob("*/issue.md")}
        if text.casefold() in map(str.casefold, names) or (field == "tag" and not names):
            return
        what = "tag" if field == "tag" else "issue"
        raise self._error(f'no {what} "{text}"', nearest(text, names), column=column)

    def _accept(self, what: str) -> bool:
        token = self._tokens[0]
        if token.kind in ("word", "sign") and token.value.lower() == what:
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, what: str) -> None:
        if not self._accept(what):
            raise self._error(f'"{what}" is expected')

    def _error(self, what: str, hint: str = "", *, column: int | None = None) -> ConfigError:
        at = self._tokens[0].column if column is None else column
        return ConfigError(f'segment "{self._name}": {what}, at character {at + 1}', hint=hint)


def _any_of(column: SQLColumnExpression[str], values: Sequence[str]) -> Condition:
    """Whether a text is one of some, without regard to case."""
    return folded(column).in_([folded(value) for value in values])


def _had(what: str, issues: Sequence[str]) -> Condition:
    """Whether somebody was mailed one of the issues, or opened or clicked it themselves."""
    query = (
        select(DeliveryRecord.id)
        .join(CampaignRecord, CampaignRecord.id == DeliveryRecord.campaign_id)
        .where(DeliveryRecord.subscriber_id == SubscriberRecord.id, _any_of(CampaignRecord.issue, issues))
    )
    if what in _ACTS:
        query = query.join(EventRecord, EventRecord.delivery_id == DeliveryRecord.id)
        query = query.where(EventRecord.type == _ACTS[what], ~EventRecord.machine)
    else:
        query = query.where(DeliveryRecord.state == DeliveryState.SUBMITTED)
    return exists(query.correlate(SubscriberRecord))
