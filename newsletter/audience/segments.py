"""Segments: a saved filter, written as an expression and compiled to SQL, never run as a program.

    state = "FL" and role in ("elected", "staff")
    not (state = "") and language != "es"
    tag = "donor" and joined since "2026-01-01"
    received = "network-download-2026-11" and not clicked = "network-download-2026-11"

Texts compare without regard to case; states may be written out. Beside the fields of a person there are the attributes
of config.toml, `tag`, `joined` (since or before a day: their consent or, where that isn't known, their first
appearance), and `received`, `opened`, `clicked` with an issue; what a machine opened or clicked counts for nothing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select

from newsletter.config import Config, Segment
from newsletter.errors import ConfigError, NotFound, nearest
from newsletter.model import DeliveryState, EventType
from newsletter.places import state_code
from newsletter.store.records import CampaignRecord, DeliveryRecord, EventRecord, SubscriberRecord, TagRecord

PROFILE_FIELDS = ("email", "first_name", "last_name", "state", "locality", "role", "chapter", "language")
_ACTS = {"opened": EventType.OPENED, "clicked": EventType.CLICKED}
FIELDS = (*PROFILE_FIELDS, "tag", "joined", "received", *_ACTS)
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


def saved(config: Config, slug: str) -> Condition:
    """The SQL condition of a saved segment, or NotFound with the nearest."""
    return condition(segment(config, slug).where, slug, config)


def condition(expression: str, name: str, config: Config, *, saved: bool = False) -> Condition:
    """The SQL condition on subscribers that an expression means; ConfigError says where it goes wrong.

    Where `saved` segments may be named, `segment = "florida"` stands for the expression of one.
    """
    return _Parser(expression, name, config, saved=saved).parse()


class _Parser:
    """Recursive descent: or < and < not < comparison."""

    def __init__(self, expression: str, name: str, config: Config, *, saved: bool) -> None:
        self._name = name
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
        if name in PROFILE_FIELDS:
            return func.lower(getattr(SubscriberRecord, name)).in_(values)
        if name == "tag":
            return exists().where(TagRecord.subscriber_id == SubscriberRecord.id, func.lower(TagRecord.tag).in_(values))
        if name == "received" or name in _ACTS:
            return _had(name, values)
        attribute = SubscriberRecord.attributes[name].as_string()
        return func.lower(func.coalesce(attribute, "")).in_(values)

    def _joined_when(self) -> Condition:
        since = self._accept("since")
        if not since:
            self._expect("before")
        at = self._tokens[0]
        text = self._value("joined")
        try:
            day = dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), self._config.timezone)
        except ValueError:
            raise self._error(f'"{text}" is no day', 'joined since "2026-01-31"', column=at.column) from None
        joined = func.coalesce(SubscriberRecord.consented_at, SubscriberRecord.created_at)
        return joined >= day if since else joined < day

    def _saved(self) -> Condition:
        """`segment = "florida"`; a saved expression can't name another, so that there are no circles."""
        self._tokens.pop(0)
        self._expect("=")
        at = self._tokens[0]
        slug = self._value("segment")
        if slug not in self._segments:
            hint = nearest(slug, self._segments) or f"known: {', '.join(self._segments)}"
            raise self._error(f'no segment "{slug}"', hint, column=at.column)
        return condition(self._segments[slug].where, slug, self._config)

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
            return code.lower()
        return text.lower()

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


def _had(what: str, issues: Sequence[str]) -> Condition:
    """Whether somebody was mailed one of the issues, or opened or clicked it themselves."""
    query = (
        select(DeliveryRecord.id)
        .join(CampaignRecord, CampaignRecord.id == DeliveryRecord.campaign_id)
        .where(DeliveryRecord.subscriber_id == SubscriberRecord.id, CampaignRecord.issue.in_(issues))
    )
    if what in _ACTS:
        query = query.join(EventRecord, EventRecord.delivery_id == DeliveryRecord.id)
        query = query.where(EventRecord.type == _ACTS[what], ~EventRecord.machine)
    else:
        query = query.where(DeliveryRecord.state == DeliveryState.SUBMITTED)
    return exists(query.correlate(SubscriberRecord))
