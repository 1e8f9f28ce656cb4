"""`config check` says what would stop `send` later."""

from __future__ import annotations

import pytest

from newsletter.errors import NewsletterError
from newsletter.workspace import Workspace
from newsletter.workspace.settings_check import check_settings
from tests.desk import Desk

TEMPLATE = 'template = "network-download"'
DATABASE = 'database = "sqlite:///newsletter.db"'


def checked(desk: Desk, old: str, new: str) -> str:
    """What is wrong with changed settings."""
    path = desk.folder / "config.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(NewsletterError) as caught:
        check_settings(Workspace.open(path, desk.space.clock))
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[test_lists]\n", '[test_lists]\nfriends = ["ana@example.org", "ben"]\n', "[test_lists] friends"),
        (TEMPLATE, 'template = "no-such"', 'no template "no-such"'),
        (TEMPLATE, 'template = "../../elsewhere"', 'no template "../../elsewhere"'),
        (DATABASE, 'database = "nonsense"', "can't use the database address"),
        (DATABASE, 'database = "mysql://localhost/x"', "database"),
        ("[test_lists]\n", "[cluster]\ndead_after = 20\n[test_lists]\n", '"dead_after" must be longer than'),
    ],
)
def test_a_setting_that_would_stop_a_campaign_is_one_line(desk: Desk, old: str, new: str, said: str) -> None:
    assert said in checked(desk, old, new)


def test_the_settings_that_come_with_the_product_are_fine(desk: Desk) -> None:
    check_settings(desk.space)
    assert not (desk.folder / "secret.key").exists() or desk.space.keyring()
