"""Templates for designers: listed, copied, tried."""

from __future__ import annotations

import json

import pytest

from tests.desk import Desk


def test_every_template_is_listed_with_who_uses_it(desk: Desk) -> None:
    rows = json.loads(desk.run("templates", "list", "--json").stdout)
    found = {row["name"]: (row["of"], row["used_by"]) for row in rows}
    for name in ("network-download", "workers-rights"):
        assert found[name] == ("product", [name])


def test_every_template_of_the_product_is_in_order_for_every_publication(desk: Desk) -> None:
    done = desk.run("templates", "check")
    assert done.returncode == 0, done.stderr
    assert "network-download: " in done.stdout


def test_a_copy_is_the_workspaces_own_and_can_be_changed(desk: Desk) -> None:
    done = desk.run("templates", "copy", "network-download", "florida")
    assert done.returncode == 0, done.stderr
    path = desk.folder / "templates" / "email" / "florida" / "mail.mjml.j2"
    assert path.exists()
    assert desk.run("templates", "check", "florida").returncode == 0
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("{% endblock", "<mj-marquee />{% endblock", 1)
        if "{% endblock" in text
        else f"{text}<mj-marquee />"
    )
    broken = desk.run("templates", "check", "florida")
    assert broken.returncode == 1
    assert "florida/mail.mjml.j2:" in broken.stderr
    again = desk.run("templates", "copy", "network-download", "florida")
    assert "exists already" in again.stderr


@pytest.mark.parametrize("command", ["copy", "check"])
def test_a_wrong_name_says_the_nearest(desk: Desk, command: str) -> None:
    done = desk.run("templates", command, "network-downlod")
    assert done.returncode == 1
    assert 'did you mean "network-download"' in done.stderr
