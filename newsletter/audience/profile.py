"""Changing what is known of a person, apart from where they stand on lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from newsletter.audience.fields import ATTRIBUTE, PROFILE, TAG
from newsletter.store import insert_new
from newsletter.store.records import SubscriberRecord, TagRecord


def change(session: Session, person: SubscriberRecord, fields: Mapping[str, Any], now: dt.datetime) -> None:
    """Set the fields that are given: those of the profile, `attributes` (one that is empty goes) and `tags` (all)."""
    for name, field in PROFILE.items():
        if name in fields:
            setattr(person, name, field.fit(fields[name]))
    if "attributes" in fields:
        merged = {**person.attributes, **{name: ATTRIBUTE.fit(text) for name, text in fields["attributes"].items()}}
        person.attributes = {name: value for name, value in merged.items() if value}
    if "tags" in fields:
        session.execute(delete(TagRecord).where(TagRecord.subscriber_id == person.id))
        tags = dict.fromkeys(filter(None, map(TAG.fit, fields["tags"])))
        if tags:
            rows = [{"subscriber_id": person.id, "tag": tag} for tag in tags]
            session.execute(insert_new(session, TagRecord), rows)
    person.updated_at = now
