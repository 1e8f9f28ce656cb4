"""Collecting into the inbox: a page, a feed, a folder of letters, a table of contributions.

The web is asked before the store is written to, so that nobody waits for a slow host; what one source brought
is stored in one transaction, together with what has to be said to it the next time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from sqlalchemy import select

from newsletter.collect import captures, feeds, forms, taken, transfer
from newsletter.collect.inbox import Known, Standing, put
from newsletter.collect.letters import Letter, letters_in, read_letter
from newsletter.collect.plain import names_only
from newsletter.collect.unfurl import refreshed, unfurl
from newsletter.config import CollectConfig, Feed
from newsletter.errors import InputError, NewsletterError
from newsletter.fetch import PHOTO_BYTES, fetch
from newsletter.links import Address
from newsletter.model import OTHERS, Item
from newsletter.photos import keep_photo_data
from newsletter.store import Store
from newsletter.store.records import FeedEntryRecord, FeedRecord

#: What a person would call an entry, and its form.
Entry = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Where collected items go, and by which rules."""

    store: Store
    workspace: Path
    rules: CollectConfig
    own_host: str
    now: dt.datetime
    today: dt.date
    zone: dt.tzinfo = dt.UTC


@dataclass(slots=True)
class Pulled:
    """What became of the entries of one source: each is added, known or rejected; `notes` speak of pictures."""

    source: str
    added: list[str] = field(default_factory=list)
    known: int = 0
    rejected: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unchanged: bool = False
    rejects_file: Path | None = None


def look_up(intake: Intake, url: str, notes: list[str] | None = None) -> dict[str, Any]:
    """What the page at an address says of itself, as the form of an item; InputError when it's stored already. `notes`
    takes what was read with doubt.
    """
    try:
        Address.parse(url)
    except ValueError as fault:
        raise InputError(f"not the address of a page: it {fault}", hint="https://www.example.org/page") from None
    with intake.store.read() as session:
        known = Known.of(session, intake.rules.tracking)
    _refuse_known(known, url)
    page = fetch(url, private_hosts=intake.rules.private_hosts)
    if target := refreshed(page):
        page = fetch(target, private_hosts=intake.rules.private_hosts)
    form = unfurl(page, intake.rules.tracking, own_host=intake.own_host, zone=intake.zone, notes=notes)
    _refuse_known(known, form["url"])
    with intake.store.write() as session:
        captures.capture(session, form["url"], page, intake.now)
    return {"date": intake.today, **form}


def _refuse_known(known: Known, url: str) -> None:
    if slug := known.same(url):
        raise InputError(f"that page is stored already: {slug}", where=url, hint=f"newsletter items show {slug}")


def add(intake: Intake, form: Mapping[str, Any], source: str, standing: Standing) -> tuple[Item, list[str]]:
    """Store the item of a form; also what a person should know: items with its address or almost its title, and
    a picture that was left out.
    """
    with intake.store.read() as session:
        known = Known.of(session, intake.rules.tracking)
        names = taken(session)
    item, note = _item(intake, form, names, None)
    with intake.store.write() as session:
        put(session, item, source, intake.now, standing=standing)
    notes = [note] if note else []
    if same := known.same(item.url):
        notes.append(f"{same} has the same address")
    notes += [f"{slug} has almost the same title" for slug in known.alike(item.title) if slug != same]
    return item, notes


def pull_feed(intake: Intake, name: str, feed: Feed) -> Pulled:
    """Bring the entries of a feed that aren't known yet; InputError when the feed itself can't be had."""
    with intake.store.read() as session:
        record = session.get(FeedRecord, feed.url)
        etag, last_modified = (record.etag, record.last_modified) if record else ("", "")
    page = feeds.ask(feed, etag=etag, last_modified=last_modified, private_hosts=intake.rules.private_hosts)
    answer = feeds.read(feed, page, intake.rules.tracking, intake.today, intake.zone)
    pulled = Pulled(f"feed {name}", unchanged=page.status == 304)
    items, guids = _new_of_feed(intake, pulled, feed, answer.entries)
    with intake.store.write() as session:
        for item in items:
            put(session, item, pulled.source, intake.now)
        for guid, slug in guids.items():
            session.merge(FeedEntryRecord(feed=feed.url, guid=guid, slug=slug))
        said = {"etag": answer.etag or etag, "last_modified": answer.last_modified or last_modified}
        session.merge(FeedRecord(url=feed.url, pulled_at=intake.now, **said))
    return pulled


def _new_of_feed(
    intake: Intake, pulled: Pulled, feed: Feed, entries: Iterable[feeds.Found]
) -> tuple[list[Item], dict[str, str]]:
    """The items of a feed's entries that aren't known, and the slug by the digest of each entry's own id.

    An entry is known by its id. One with another id and the address of an earlier entry is another entry, where their
    titles differ: a page of changes has one address and many entries.
    """
    with intake.store.read() as session:
        seen = session.scalars(select(FeedEntryRecord).where(FeedEntryRecord.feed == feed.url))
        guids = {row.guid: row.slug for row in seen}
        gate = _Gate(intake, Known.of(session, intake.rules.tracking), taken(session))
    ours, items = set(guids.values()), []
    for entry in entries:
        url, title = str(entry.form.get("url", "")), str(entry.form.get("title", ""))
        same = guids.get(entry.guid) or gate.known.same_place(url)
        if same and entry.guid not in guids and same in ours and entry.guid and not gate.known.has_title(title, same):
            same = ""
        if entry.fault:
            pulled.rejected.append((entry.name, entry.fault))
        elif same:
            pulled.known += 1
            guids.update({entry.guid: same} if entry.guid else {})
        elif item := gate.item(pulled, entry.name, entry.form, intake.workspace):
            items.append(item)
            pulled.notes += [f"{item.slug}: {note}" for note in entry.notes]
            guids.update({entry.guid: item.slug} if entry.guid else {})
            ours.add(item.slug)
    return items, guids


def pull_letters(intake: Intake, folder: Path) -> Pulled:
    """Bring the contributions in a folder of .eml files that aren't known yet; the files stay where they are."""
    pulled = Pulled(str(folder))
    for path in letters_in(folder):
        try:
            letter = read_letter(path, intake.rules.tracking, intake.today, intake.zone)
        except NewsletterError as fault:
            pulled.rejected.append((path.name, fault.what + (f" ({fault.hint})" if fault.hint else "")))
            continue
        for item in _new_items(intake, pulled, [(path.name, letter.form)], folder):
            found = _with_picture(intake, pulled, item, letter)
            with intake.store.write() as session:
                put(session, found, f"letter from {letter.source}", intake.now)
    return pulled


def _with_picture(intake: Intake, pulled: Pulled, item: Item, letter: Letter) -> Item:
    if not letter.photo:
        return item
    name = names_only(parseaddr(letter.source)[0])  # a credit is public, and an address isn't
    try:
        photo = keep_photo_data(letter.photo, intake.workspace, credit=name, named=letter.photo_name)
    except InputError as fault:
        pulled.notes.append(f"{item.slug}: its picture was left out: {fault.what}")
        return item
    return replace(item, photo=photo)


def pull_file(intake: Intake, path: Path, sender: str) -> Pulled:
    """Bring the contributions in a CSV, TOML or JSON file (keys of `forms.ITEM_KEYS`) that aren't known yet.

    Rows that can't be taken are written beside the file with line and reason.
    """
    pulled = Pulled(str(path))
    rows = {f"{path}:{row.line}": row for row in transfer.read_file(path, "items")}
    dated = ((name, {"date": intake.today, "kind": OTHERS, **_filled(row.form)}) for name, row in rows.items())
    items = _new_items(intake, pulled, dated, path.parent)
    with intake.store.write() as session:
        for item in items:
            put(session, item, sender or path.name, intake.now)
    if pulled.rejected:
        pulled.rejects_file = transfer.write_rejects(path, "items", [(rows[n], why) for n, why in pulled.rejected])
    return pulled


def _filled(form: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in form.items() if value not in ("", None)}


def _new_items(intake: Intake, pulled: Pulled, entries: Iterable[Entry], base: Path) -> list[Item]:
    """The items of the entries that aren't known; pictures named by a path lie in `base`."""
    with intake.store.read() as session:
        gate = _Gate(intake, Known.of(session, intake.rules.tracking), taken(session))
    items = []
    for name, form in entries:
        if gate.known.same(str(form.get("url", ""))):
            pulled.known += 1
        elif item := gate.item(pulled, name, form, base):
            items.append(item)
    return items


@dataclass(frozen=True, slots=True)
class _Gate:
    """Lets entries in, each by itself, and knows those that it let in."""

    intake: Intake
    known: Known
    names: set[str]

    def item(self, pulled: Pulled, name: str, form: Mapping[str, Any], base: Path) -> Item | None:
        """The item of an entry; None when it's rejected, which `pulled` is told."""
        try:
            item, note = _item(self.intake, form, self.names, base)
        except NewsletterError as fault:
            pulled.rejected.append((name, str(fault)))
            return None
        if note:
            pulled.notes.append(f"{item.slug}: {note}")
        self.names.add(item.slug)
        self.known.add(item.slug, item.url, item.title)
        pulled.added.append(item.slug)
        return item


def _item(intake: Intake, form: Mapping[str, Any], names: set[str], base: Path | None) -> tuple[Item, str]:
    """The item of a form whose `photo` may be an address; a picture that can't be had is left out, with a note."""
    address = str(form.get("photo", ""))
    remote = "://" in address
    bare = {key: value for key, value in form.items() if not (remote and key.startswith("photo"))}
    item = forms.read_item(bare, base=base, workspace=intake.workspace, taken=names, tracking=intake.rules.tracking)
    if item.slug in names:
        raise InputError(f'"{item.slug}" is taken by another item or policy', hint="give another --slug")
    if not remote:
        return item, ""
    alt, credit = str(form.get("photo_alt", "")), str(form.get("photo_credit", ""))
    try:
        data = fetch(address, private_hosts=intake.rules.private_hosts, limit=PHOTO_BYTES).body
        return replace(item, photo=keep_photo_data(data, intake.workspace, alt=alt, credit=credit, named=address)), ""
    except InputError as fault:
        return item, f"its picture was left out: {fault}"
