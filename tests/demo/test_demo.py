"""The sample: the whole path in one command, again and again, and a wheel that can do the same."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import hashlib
import json
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from sqlalchemy import func, select

from newsletter import audience
from newsletter.demo import build
from newsletter.demo.draw import draw
from newsletter.demo.people import people_csv
from newsletter.errors import InputError
from newsletter.model import KINDS
from newsletter.send import Clock
from newsletter.store.records import DeliveryRecord
from newsletter.workspace import Workspace
from tests.desk import Desk, StillTime

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "newsletter" / "demo"
ISSUES = ("network-download-2022-10", "workers-rights-2022-09", "workers-rights-2022-10")


def after_the_last_issue() -> Clock:
    """A day on which all of the sample's issues are public."""
    time = StillTime()
    time.at += dt.timedelta(days=3)
    return time.clock


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "demo"
    build(folder, after_the_last_issue(), lambda _: None)
    return folder


def test_the_sample_has_items_of_all_kinds_and_policies_with_histories() -> None:
    items = tomllib.loads((SAMPLE / "items.toml").read_text(encoding="utf-8"))["items"]
    policies = tomllib.loads((SAMPLE / "policies.toml").read_text(encoding="utf-8"))["policies"]
    assert len(items) >= 24
    assert {item["kind"] for item in items} == set(KINDS)
    assert len(policies) >= 10
    assert all(policy["history"] for policy in policies)


def test_there_is_one_message_for_each_mailable_person_and_campaign(demo: Path) -> None:
    space = Workspace.open((demo / "config.toml").resolve(), StillTime().clock)
    with space.store.read() as session:
        for name in ISSUES:
            publication = space.config.publication(name.rsplit("-", 2)[0])
            mailable = {row.email for row in session.execute(audience.mailable(publication.list, space.clock.now()))}
            messages = list((demo / "outbox" / name).glob("*.eml"))
            to = {email.message_from_bytes(m.read_bytes(), policy=email.policy.default)["To"] for m in messages}
            assert to == mailable
            assert len(messages) == len(mailable) > 100
        assert session.scalar(select(func.count()).select_from(DeliveryRecord)) == sum(
            len(list((demo / "outbox" / name).glob("*.eml"))) for name in ISSUES
        )
    space.close()


def test_the_sample_issues_have_no_findings(demo: Path) -> None:
    space = Workspace.open((demo / "config.toml").resolve(), StillTime().clock)
    for name in ISSUES:
        issue = space.compose(name)
        assert space.check(issue, space.render(issue)) == []
    space.close()


def test_the_archive_opens_and_says_that_it_is_a_sample(demo: Path) -> None:
    index = (demo / "archive" / "index.html").read_text(encoding="utf-8")
    assert "(sample)" in index
    for name in ISSUES:
        assert (demo / "archive" / name / "index.html").exists()


def test_building_again_starts_over_cleanly(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    build(folder, after_the_last_issue(), lambda _: None)
    (folder / "outbox" / "left-over.txt").write_text("x")
    build(folder, after_the_last_issue(), lambda _: None)
    assert not (folder / "outbox" / "left-over.txt").exists()


def test_a_folder_that_is_no_sample_is_never_deleted(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("x")
    with pytest.raises(InputError, match="not a sample workspace"):
        build(tmp_path, StillTime().clock, lambda _: None)
    assert (tmp_path / "precious.txt").exists()


def test_the_pictures_are_those_that_the_drawing_draws(tmp_path: Path) -> None:
    draw(tmp_path, tmp_path / "hero.jpg")
    shipped = {path.name for path in (SAMPLE / "media").iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == {*shipped, "hero.jpg"}


def test_the_demo_command_names_what_it_made_and_what_is_next(tmp_path: Path, desk: Desk) -> None:
    done = desk.run("demo", str(tmp_path / "shown"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("index.html")
    assert "Next: cd" in done.stderr
    rows = json.loads(
        desk.run("--config", str(tmp_path / "shown" / "config.toml"), "campaigns", "list", "--json").stdout
    )
    assert [row["issue"] for row in rows] == ["workers-rights-2022-09", *ISSUES[:1], "workers-rights-2022-10"]


def test_the_wheel_carries_templates_sample_and_example(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in (
        "newsletter/templates/email/base/layout.mjml.j2",
        "newsletter/templates/archive/issue.html.j2",
        "newsletter/templates/web/unsubscribe.html.j2",
        "newsletter/demo/issues/network-download-2022-10/issue.md",
        "newsletter/demo/media/station.jpg",
        "newsletter/demo/items.toml",
        "newsletter/config.example.toml",
        "newsletter/store/migrations/env.py",
        "newsletter/py.typed",
    ):
        assert wanted in names, wanted


def test_the_synthetic_people_are_the_same_every_time() -> None:
    assert people_csv().count("@example.") == 320
    assert hashlib.sha256(people_csv().encode()).hexdigest()[:12] == "27374ae1201f"
