"""How a file will be read: what the survey found, what was decided, and what was decided the last time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from newsletter.audience import cells, columns
from newsletter.audience.cells import Verdict, squeezed
from newsletter.audience.columns import Mapped
from newsletter.audience.importing import Rules
from newsletter.audience.survey import Survey
from newsletter.config import Config
from newsletter.errors import InputError

#: What a word may be said to mean, or where everybody in a file may be said to stand.
MEANINGS: Mapping[str, Verdict] = {
    "active": cells.ACTIVE,
    "pending": cells.PENDING,
    "unsubscribed": cells.LEFT,
    "bounced": cells.BOUNCED,
    "complained": cells.COMPLAINED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What somebody decided about a file: `pairs` are FIELD=COLUMN, `skipped` the columns that say nothing, `words`
    what its words mean, `everybody` where all in it stand.
    """

    pairs: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    words: Mapping[str, Verdict] = field(default_factory=dict)
    everybody: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """The survey with all decisions made. `known` where the columns were decided for an earlier file."""

    survey: Survey
    mapping: Mapped
    skipped: tuple[str, ...]
    known: bool
    rules: Rules

    @property
    def not_taken(self) -> list[str]:
        """The columns that nothing is read from."""
        taken = {column for names in self.mapping.values() for column in names}
        return [column.strip() for column in self.survey.header if column.strip() and column not in taken]


def plan_import(
    session: Session,
    found: Survey,
    choices: Choices,
    config: Config,
    *,
    default_lists: tuple[str, ...],
    hash_address: Callable[[str], str],
) -> ImportPlan:
    """Decide how to read a file; InputError for what somebody has to decide first."""
    saved = columns.remembered(session, found.header)
    named = columns.named_by(config)
    mapping, skipped = saved or (found.mapping(named), ())
    skipped = tuple(column for column in skipped if not found.speaks_of_leaving(column))  # that's asked again
    skipped = (*skipped, *(columns.column_named(name, found.header) for name in choices.skipped))
    mapping = columns.merged(mapping, {**columns.given(choices.pairs, found.header, named)})
    mapping = {name: kept for name, held in mapping.items() if (kept := tuple(c for c in held if c not in skipped))}
    words = {**found.words, **{squeezed(word): verdict for word, verdict in choices.words.items()}}
    found.decide(mapping, skipped)
    found.decide_words(mapping, skipped, words)
    on_lists = ("lists", "pending_lists", "left_lists")
    if not default_lists and not any(name in on_lists or name.startswith("lists.") for name in mapping):
        hint = f"--list {next(iter(config.lists), 'SLUG')}, or --map lists=COLUMN"
        raise InputError("no column names the lists that people are on", where=found.path, hint=hint)
    if choices.everybody is None and found.everybody() is None:
        found.decide_everybody(mapping, words)
    return ImportPlan(
        survey=found,
        mapping=mapping,
        skipped=tuple(dict.fromkeys(skipped)),
        known=saved is not None,
        rules=Rules(
            layout=found.layout(mapping, skipped),
            words=words,
            everybody=choices.everybody or found.everybody(),
            lists=config.lists,
            default_lists=default_lists,
            attributes=config.attributes,
            hash_address=hash_address,
        ),
    )
