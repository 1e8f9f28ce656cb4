"""The store: the same on SQLite and PostgreSQL; migrations, backups, and faults in one line."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text
from sqlalchemy.exc import StatementError

from newsletter.errors import StoreError
from newsletter.store import HEAD, Store, backup, connect, open_store, revision, upgrade
from newsletter.store.records import (
    ApprovalRecord,
    Base,
    BatchRecord,
    CampaignRecord,
    CorrectionRecord,
    ItemRecord,
    SnapshotRecord,
    SubscriberRecord,
)

NOW = dt.datetime(2022, 10, 1, 9, tzinfo=dt.UTC)


def item(slug: str = "a", at: dt.datetime = NOW) -> ItemRecord:
    day = dt.date(2022, 10, 1)
    return ItemRecord(slug=slug, kind="post", title="T", url="u", date=day, created_at=at, updated_at=at)


def test_the_head_is_the_newest_migration() -> None:
    scripts = Path(__file__).parents[2] / "newsletter" / "store" / "migrations"
    assert ScriptDirectory(str(scripts)).get_current_head() == HEAD


def test_the_migrations_make_the_tables_that_the_records_describe(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []
        assert revision(connection) == HEAD


def test_upgrading_twice_changes_nothing(store: Store) -> None:
    with store.write() as session:
        session.add(item())
    upgrade(store)
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(ItemRecord)) == 1


def test_upgrading_the_first_release_keeps_its_items_and_approvals(empty_store: Store) -> None:
    upgrade(empty_store, "0001")
    with empty_store.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO items (slug, kind, title, url, summary, date, topics, places, people, outlet, author, time,"
            " venue, created_at, updated_at) VALUES ('a', 'post', 'T', 'https://a.example', '', '2022-10-01', '[]',"
            " '[]', '[]', '', '', '', '', '2022-10-01 09:00:00', '2022-10-01 09:00:00')"
        )
        connection.exec_driver_sql(
            "INSERT INTO snapshots (issue, digest, document, approved_by, approved_at)"
            " VALUES ('i', 'd', '{}', 'Dana Reyes', '2022-10-01 09:00:00')"
        )
    upgrade(empty_store)
    with empty_store.read() as session:
        assert session.scalars(select(ItemRecord)).one().standing == "kept"
        assert session.scalars(select(ApprovalRecord)).one().by == "Dana Reyes"


def test_upgrading_the_second_release_lets_campaigns_under_way_go_on(empty_store: Store) -> None:
    upgrade(empty_store, "0002")
    with empty_store.engine.begin() as connection:
        for statement in (
            "INSERT INTO snapshots (id, issue, digest, document, approved_by, approved_at)"
            " VALUES (1, 'i', 'd', '{}', 'Dana Reyes', '2022-10-01 09:00:00')",
            "INSERT INTO campaigns (id, name, issue, snapshot_id, list, segment, provider, nonce, created_at)"
            " VALUES (1, 'i', 'i', 1, 'l', '', 'files', 'n', '2022-10-01 09:00:00')",
            "INSERT INTO batches (campaign_id, number, variant, key, tag, request, attempts, error) VALUES"
            " (1, 1, 'default', 'k', 't', '{}', 1, ''), (1, 2, 'default', '', '', '', 0, '')",
            "INSERT INTO deliveries (campaign_id, address, variant, batch, state, message_id, error, changed_at) VALUES"
            " (1, 'a@example.org', 'default', 1, 'submitted', '', '', '2022-10-01 09:00:00'),"
            " (1, 'b@example.org', 'default', 2, 'pending', '', '', '2022-10-01 09:00:00')",
        ):
            connection.exec_driver_sql(statement)
    upgrade(empty_store)
    with empty_store.read() as session:
        ready = dict(session.execute(select(BatchRecord.number, BatchRecord.ready_at)).all())
        assert ready == {1: None, 2: dt.datetime(2022, 10, 1, 9, tzinfo=dt.UTC)}
        campaign = session.scalars(select(CampaignRecord)).one()
        assert (campaign.paused_at, campaign.winner, campaign.pick_at) == (None, "", None)


def test_upgrading_the_third_release_keeps_people_and_never_gives_a_number_twice(empty_store: Store) -> None:
    store = empty_store
    upgrade(store, "0003")
    at = "2022-01-01 00:00:00.000000+00:00" if not store.is_sqlite else "2022-01-01 00:00:00.000000"
    names = "first_name, last_name, state, locality, role, chapter, language, note"
    add = text(
        f"INSERT INTO subscribers (email, {names}, created_at, updated_at)"
        f" VALUES (:email, '', '', '', '', '', '', '', '', '{at}', '{at}')"
    )
    with store.write() as session:
        session.execute(add, [{"email": "ana@example.org"}, {"email": "ben@example.org"}])
        session.execute(text(f"INSERT INTO subscriptions VALUES (1, 'news', 'active', NULL, '{at}')"))
        session.execute(
            text(
                "INSERT INTO suppressions (address_hash, email, reason, source, at)"
                f" VALUES ('h', 'ben@example.org', 'manual', 'by hand', '{at}')"
            )
        )
    upgrade(store)
    with store.write() as session:
        assert session.execute(text("SELECT subscriber_id, status FROM subscriptions")).all() == [(1, "active")]
        assert session.execute(text("SELECT address_hash, list FROM suppressions")).all() == [("h", "")]
        session.execute(text("DELETE FROM subscribers WHERE id = 2"))
        chi = SubscriberRecord(email="chi@example.org", created_at=NOW, updated_at=NOW)
        session.add(chi)
        session.flush()
        assert chi.id == 3
        if store.is_sqlite:
            assert session.scalar(text("PRAGMA foreign_keys")) == 1


def test_upgrading_the_fourth_release_keeps_its_approvals_and_has_room_for_corrections(empty_store: Store) -> None:
    upgrade(empty_store, "0004")
    with empty_store.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO snapshots (issue, digest, document, approved_by, approved_at)"
            " VALUES ('i', 'd', '{}', 'Dana Reyes', '2022-10-01 09:00:00')"
        )
    upgrade(empty_store)
    with empty_store.write() as session:
        assert session.scalar(select(func.count()).select_from(SnapshotRecord)) == 1
        day = NOW.date()
        session.add(CorrectionRecord(issue="i", publication="p", date=day, note="N", by="Dana Reyes", at=NOW))
        session.flush()
        assert session.scalars(select(CorrectionRecord.told_in)).all() == [""]


def test_a_write_is_all_or_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as session:
            session.add(item())
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(ItemRecord)) == 0


def test_times_come_back_aware_and_in_utc(store: Store) -> None:
    eastern = dt.timezone(dt.timedelta(hours=-4))
    with store.write() as session:
        session.add(item(at=NOW.astimezone(eastern)))
    with store.read() as session:
        found = session.scalars(select(ItemRecord)).one()
    assert found.created_at == NOW
    assert found.created_at.tzinfo is dt.UTC


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="without a timezone"), store.write() as session:
        session.add(item(at=dt.datetime(2022, 10, 1)))  # noqa: DTZ001


def test_a_backup_holds_every_row_and_opens(store: Store, tmp_path: Path) -> None:
    with store.write() as session:
        session.add(item())
        session.add(SubscriberRecord(email="a@example.org", created_at=NOW, updated_at=NOW))
    target = tmp_path / "backup.db"
    assert backup(store, target) == target.stat().st_size
    copy = open_store(f"sqlite:///{target}", tmp_path)
    with copy.read() as session:
        assert session.scalars(select(ItemRecord.slug)).all() == ["a"]
        assert session.scalars(select(SubscriberRecord)).one().created_at == NOW
    copy.close()


def test_a_backup_never_replaces_a_file(store: Store, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(StoreError, match="exists already"):
        backup(store, tmp_path / "kept")
    assert (tmp_path / "kept").read_text() == "mine"


def test_a_new_sqlite_file_needs_no_set_up(tmp_path: Path) -> None:
    store = open_store("sqlite:///new.db", tmp_path)
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    store.close()


def test_a_database_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    store = open_store("sqlite:///new.db", tmp_path)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(StoreError, match="newer version"):
        open_store("sqlite:///new.db", tmp_path)


def test_a_database_without_tables_says_what_to_run(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "empty.db").execute("CREATE TABLE x (y)").connection.close()
    with pytest.raises(StoreError, match="newsletter db upgrade"):
        open_store("sqlite:///empty.db", tmp_path)


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(StoreError, match="not a database"):
        open_store("sqlite:///no.db", tmp_path)


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "oracle://a"])
def test_another_kind_of_database_is_refused_in_one_line(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        connect(url, tmp_path)


def test_a_server_that_does_not_answer_is_one_line_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="can't be used") as caught:
        open_store("postgresql+psycopg://me:hunter2@127.0.0.1:1/none", tmp_path)
    assert "hunter2" not in str(caught.value)
