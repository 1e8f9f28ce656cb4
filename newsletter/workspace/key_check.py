"""Whether the keys are those that the database was written with.

Under another key, hashes match nobody (people who were erased could be imported again) and no link in mail that is out
works. A key is never made beside a database that has one somewhere.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.config.secrets import VARIABLE, Keyring
from newsletter.errors import ConfigError
from newsletter.store import Store
from newsletter.store.records import CampaignRecord, SuppressionRecord
from newsletter.tokens import AddressHash

#: How many suppressions are looked at, the oldest first; one that matches proves the key.
_LOOKED_AT = 10


def require_keys_of(store: Store, keyring: Keyring) -> None:
    """ConfigError where the database was written with a key and there's none, or another. A new workspace passes, and
    makes its key at first use.
    """
    with store.read() as session:
        pairs = _hashes(session)
        written = bool(pairs) or _is_written(session)
    if written and keyring.is_missing:
        what = "the key file is missing, and the database was written with a key"
        hint = f"restore {keyring.path.name} from your backup, or set ${VARIABLE}"
        raise ConfigError(what, where=keyring.path, hint=hint)
    if pairs:
        hashed = AddressHash(*keyring())
        if not any(hashed(email) == known for email, known in pairs):
            what = "this is not the key that the database was written with"
            hint = f"restore the {keyring.path.name} that belongs to the database, from your backup"
            raise ConfigError(what, where=keyring.where, hint=hint)


def _hashes(session: Session) -> list[tuple[str, str]]:
    """Addresses with the hashes they were suppressed under."""
    columns = select(SuppressionRecord.email, SuppressionRecord.address_hash)
    query = columns.where(SuppressionRecord.email.is_not(None)).order_by(SuppressionRecord.id).limit(_LOOKED_AT)
    return [(email, known) for email, known in session.execute(query) if email]


def _is_written(session: Session) -> bool:
    """Whether there is something that only a key makes: a hash, or links in mail."""
    return any(session.scalar(select(record.id).limit(1)) for record in (SuppressionRecord, CampaignRecord))
