"""The command line: data to stdout, talk to stderr, one line for every fault, the next command named."""

from __future__ import annotations

import email
import email.policy
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.cli import COMMANDS
from tests.desk import ISSUE, Desk

NAME = "network-download-2022-10"
NEW = ("items", "add", "--kind", "post", "--title", "A new story", "--url", "https://example.org/new")


def test_help_names_every_command(desk: Desk) -> None:
    done = desk.run("--help")
    assert done.returncode == 0
    for part in COMMANDS.values():
        for name in part:
            assert f"  {name} " in done.stdout


@pytest.mark.parametrize("name", [name for part in COMMANDS.values() for name in part])
def test_every_command_has_help(desk: Desk, name: str) -> None:
    done = desk.run(name, "--help")
    assert done.returncode == 0
    assert "Usage: newsletter" in done.stdout


def test_the_daily_work_from_an_empty_folder_to_an_archive(tmp_path: Path, desk: Desk) -> None:
    fresh = tmp_path / "fresh"
    assert desk.run("init", str(fresh)).returncode == 0
    config = str(fresh / "config.toml")

    def run(*arguments: str) -> str:
        done = desk.run("--config", config, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("config", "check")
    run(*NEW, "--date", "2022-12-01", "--summary", "Something happened, and it matters.")
    (fresh / "p.csv").write_text("Email,Lists\na@example.org,Network Download\n", encoding="utf-8")
    run("subscribers", "import", str(fresh / "p.csv"), "--yes")
    name = "network-download-2022-12"
    path = fresh / run("draft", "network-download", "--date", "2022-12-02").strip()
    text = path.read_text(encoding="utf-8")
    assert "[[a-new-story]]" in text
    text = text.replace("TK: two or three sentences that say why this issue matters.", "It matters.")
    text = text.replace('preheader = ""', 'preheader = "What happened this month, and why it matters to you"')
    path.write_text(text, encoding="utf-8")
    run("check", name)
    run("approve", name)
    run("send", name, "--confirm", name)
    run("publish")
    assert len(list((fresh / "outbox" / name).glob("*.eml"))) == 1
    assert (fresh / "archive" / "index.html").exists()
    assert (fresh / "archive" / name / "index.html").exists()


def test_sending_asks_for_the_name_of_the_issue(desk: Desk) -> None:
    assert desk.run("approve", NAME).returncode == 0
    assert "add --confirm" in desk.run("send", NAME).stderr
    wrong = desk.run("send", NAME, "--confirm", "workers-rights")
    assert (wrong.returncode, "is not its name" in wrong.stderr) == (1, True)
    assert not (desk.folder / "outbox").exists()


def test_a_dry_run_says_the_plan_and_writes_nothing(desk: Desk) -> None:
    assert desk.run("approve", NAME).returncode == 0
    done = desk.run("send", NAME, "--dry-run")
    assert done.stdout.strip() == f"{NAME} 3"
    for line in ("To         list network-download", "Messages   3 in 1 batch", "1 not confirmed, 2 unsubscribed"):
        assert line in done.stderr
    assert json.loads(desk.run("campaigns", "list", "--json").stdout) == []


def test_a_test_goes_to_the_given_address_only_and_is_marked(desk: Desk) -> None:
    done = desk.run("send", NAME, "--test", "Me@Example.org")
    assert done.returncode == 0, done.stderr
    (file,) = (desk.folder / "outbox" / f"{NAME}-test").glob("*.eml")
    raw = file.read_bytes()
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert parsed["To"] == "me@example.org"
    assert parsed["Subject"].startswith("[Test] ")
    assert json.loads(desk.run("campaigns", "list", "--json").stdout) == []


def test_an_import_prints_one_json_object_that_adds_up(desk: Desk) -> None:
    (desk.folder / "p.csv").write_text("Email,Lists\nx@example.org,Network Download\nnope,Network Download\n")
    done = desk.run("subscribers", "import", "p.csv", "--yes", "--json")
    data = json.loads(done.stdout)
    assert data["rows"] == data["imported"] + data["merged"] + data["rejected"] == 2
    assert [Path(path).name for path in data["rejects_files"]] == ["p.rejects.csv"]


def test_a_guessed_mapping_is_asked_about_and_then_remembered(desk: Desk) -> None:
    (desk.folder / "p.csv").write_text("Mail,Group\nx@example.org,Network Download\n")
    asked = desk.run("subscribers", "import", "p.csv")
    assert asked.returncode == 1
    assert "add --yes, or --map" in asked.stderr
    first = desk.run("subscribers", "import", "p.csv", "--map", "email=Mail", "--map", "lists=Group", "--yes")
    assert first.returncode == 0, first.stderr
    assert desk.run("subscribers", "import", "p.csv").returncode == 0


def test_a_dry_run_of_an_import_changes_nothing(desk: Desk) -> None:
    (desk.folder / "p.csv").write_text("Email,Lists\nx@example.org,Network Download\n")
    assert desk.run("subscribers", "import", "p.csv", "--yes", "--dry-run").returncode == 0
    assert desk.run("subscribers", "show", "x@example.org").returncode == 1


def test_items_are_added_edited_listed_and_removed(desk: Desk) -> None:
    assert desk.run(*NEW, "--topic", "rent", "--place", "Durham, NC").stdout.strip() == "a-new-story"
    assert "slug" in desk.run(*NEW, "--slug", "a-new-story").stderr
    assert desk.run("items", "edit", "a-new-story", "--title", "Another title").returncode == 0
    shown = json.loads(desk.run("items", "show", "a-new-story", "--json").stdout)
    assert (shown["title"], shown["places"]) == ("Another title", ["Durham, NC"])
    listed = json.loads(desk.run("items", "list", "--topic", "rent", "--json").stdout)
    assert [item["slug"] for item in listed] == ["a-new-story"]
    assert desk.run("items", "remove", "a-new-story").returncode == 0
    assert desk.run("items", "show", "a-new-story").returncode == 1


def test_what_was_used_and_what_was_forgotten_is_told(desk: Desk) -> None:
    assert desk.run(*NEW, "--place", "Durham, NC", "--topic", "rent").returncode == 0
    assert desk.run("approve", NAME).returncode == 0

    def slugs(*more: str) -> set[str]:
        return {item["slug"] for item in json.loads(desk.run("items", "list", "--json", *more).stdout)}

    assert slugs("--used-in", NAME) == {"hb1-hearing", "organizer-job", "denver-convening"}
    assert slugs("--unused") == {"a-new-story"}
    assert json.loads(desk.run("items", "gaps", "--json").stdout) == {"NC": ["a-new-story"]}
    assert json.loads(desk.run("items", "gaps", "--by", "topic", "--json").stdout) == {"rent": ["a-new-story"]}
    assert "1 item could still be told" in desk.run("items", "gaps", "--by", "kind").stderr


def test_a_policy_is_followed(desk: Desk) -> None:
    added = desk.run("policies", "add", "--title", "Fair Work Week", "--level", "city", "--place", "Los Angeles, CA")
    assert added.stdout.strip() == "fair-work-week"
    assert desk.run("policies", "status", "fair-work-week", "passed", "--on", "2022-11-22").returncode == 0
    assert "already" in desk.run("policies", "status", "fair-work-week", "passed", "--on", "2022-11-22").stderr
    shown = json.loads(desk.run("policies", "show", "fair-work-week", "--json").stdout)
    assert shown["history"] == [{"status": "passed", "date": "2022-11-22"}]
    rows = json.loads(desk.run("policies", "list", "--since", "2022-11-01", "--json").stdout)
    assert [row["slug"] for row in rows] == ["fair-work-week"]


def test_what_changed_since_the_approval_is_shown_as_readers_would_see_it(desk: Desk) -> None:
    assert desk.run("diff", NAME).returncode == 3
    assert desk.run("approve", NAME).returncode == 0
    same = desk.run("diff", NAME)
    assert (same.returncode, same.stdout) == (0, "")
    assert "Nothing has changed" in same.stderr
    desk.write_issue(NAME, ISSUE.replace("This month", "This long month"))
    changed = desk.run("diff", NAME)
    assert "-This month eight cities were heard." in changed.stdout
    assert "+This long month eight cities were heard." in changed.stdout
    assert "changed since" in changed.stderr


def test_status_says_what_each_issue_waits_for(desk: Desk) -> None:
    def stage() -> str:
        rows = json.loads(desk.run("status", "--json").stdout)
        return str(next(row["stage"] for row in rows if row["issue"] == NAME))

    desk.write_issue(NAME, ISSUE.replace("The whole story", " "))
    assert stage() == "draft"
    assert "a link to" in desk.run("status").stderr
    desk.write_issue(NAME, ISSUE + "\n[[nowhere]]\n")
    assert "no stored item" in desk.run("status").stderr
    desk.write_issue(NAME, ISSUE)
    assert stage() == "draft, waits for approval"
    desk.run("approve", NAME)
    assert stage() == "approved"
    desk.run("send", NAME, "--confirm", NAME)
    assert stage() == "submitted to 3"


def write(name: str, text: str | bytes) -> Callable[[Desk], None]:
    def spoil(desk: Desk) -> None:
        path = desk.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return spoil


def edit(name: str, old: str, new: str) -> Callable[[Desk], None]:
    def spoil(desk: Desk) -> None:
        path = desk.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return spoil


def remove_config(desk: Desk) -> None:
    (desk.folder / "config.toml").unlink()


def lock(desk: Desk) -> None:
    """Hold the write lock for as long as the test runs."""
    holder = sqlite3.connect(desk.folder / "newsletter.db")
    holder.execute("BEGIN IMMEDIATE")
    LOCKS.append(holder)


def outbox_is_a_file(desk: Desk) -> None:
    assert desk.run("approve", NAME).returncode == 0
    (desk.folder / "outbox").write_text("in the way")


def archive_is_a_file(desk: Desk) -> None:
    assert desk.run("approve", NAME).returncode == 0
    (desk.folder / "archive").write_text("in the way")


LOCKS: list[sqlite3.Connection] = []
FILE = f"issues/{NAME}/issue.md"
TEMPLATE = "templates/email/network-download/mail.mjml.j2"
BAD_INPUT: list[tuple[str, Callable[[Desk], None] | None, tuple[str, ...], int, str]] = [
    ("no config", remove_config, ("status",), 1, "newsletter init"),
    ("unknown key", edit("config.toml", "tagline", "taglin"), ("status",), 1, 'did you mean "tagline"'),
    ("broken config", edit("config.toml", "[archive]", "[archive"), ("status",), 1, "not valid TOML"),
    (
        "missing item",
        write(FILE, ISSUE.replace("[[hb1-hearing]]", "[[hb1-hear]]")),
        ("compose", NAME),
        1,
        "issue.md:16",
    ),
    ("broken front matter", write(FILE, ISSUE.replace("date =", "date")), ("check", NAME), 1, "issue.md:4"),
    ("front matter never ends", write(FILE, "+++\n"), ("check", NAME), 1, "closing"),
    ("empty issue", write(FILE, ""), ("check", NAME), 1, "no front matter"),
    ("issue in another encoding", write(FILE, ISSUE.encode("utf-16")), ("check", NAME), 1, "not UTF-8"),
    ("broken template", write(TEMPLATE, "<mjml>{{ nope"), ("render", NAME), 1, "mail.mjml.j2:1"),
    ("unknown name in a template", write(TEMPLATE, "<mjml>\n{{ nope }}</mjml>"), ("render", NAME), 1, "mail.mjml.j2:2"),
    (
        "unknown tag in a template",
        write(TEMPLATE, "<mjml><mj-body><mj-x/></mj-body></mjml>"),
        ("render", NAME),
        1,
        "mj-x",
    ),
    ("no such issue", None, ("check", "network-download-2022-1"), 1, f'did you mean "{NAME}"'),
    ("no such publication", None, ("draft", "network"), 1, "network-download"),
    ("a draft that exists", None, ("draft", "network-download", "--date", "2022-10-12"), 1, "exists already"),
    ("no such item", None, ("items", "show", "hb1"), 1, 'no item "hb1"'),
    ("an item without a link", None, ("items", "add", "--kind", "post", "--title", "T"), 1, '"url" is missing'),
    ("an unknown kind", None, ("items", "add", "--kind", "pots"), 2, "is not one of"),
    ("no such command", None, ("chekc",), 2, 'did you mean "check"'),
    ("no such option", None, ("check", NAME, "--jsno"), 2, "No such option"),
    ("no such file", None, ("subscribers", "import", "none.csv"), 1, "none.csv: can't be read"),
    ("an unreadable CSV", write("x.csv", b"\x00\x01\x02"), ("subscribers", "import", "x.csv"), 1, "not a text file"),
    ("a workbook", write("x.csv", b"PK\x03\x04..."), ("subscribers", "import", "x.csv"), 1, "save it as CSV"),
    ("an empty CSV", write("x.csv", b""), ("subscribers", "import", "x.csv", "--yes"), 1, "the file is empty"),
    ("no address column", write("x.csv", b"A,B\n1,2\n"), ("subscribers", "import", "x.csv", "--yes"), 1, "--map email"),
    (
        "no such list",
        write("x.csv", b"Email\n"),
        ("subscribers", "import", "x.csv", "--list", "news"),
        1,
        'no list "news"',
    ),
    ("broken JSON", write("x.json", b"[{"), ("items", "import", "x.json"), 1, "x.json:1: not valid JSON"),
    ("not approved", None, ("send", NAME, "--confirm", NAME), 3, "newsletter approve"),
    ("an unwritable outbox", outbox_is_a_file, ("send", NAME, "--confirm", NAME), 1, "can't write to the folder"),
    ("an unwritable archive", archive_is_a_file, ("publish",), 1, "archive"),
    ("an unwritable preview", write("preview", "in the way"), ("render", NAME), 1, "preview"),
    ("a locked database", lock, ("approve", NAME), 1, "the database is locked"),
    ("not a database", write("newsletter.db", b"no database " * 500), ("items", "list"), 1, "not a database"),
    ("a backup in the way", None, ("db", "backup", "config.toml"), 1, "exists already"),
    ("no such segment", None, ("send", NAME, "--segment", "floridas", "--dry-run"), 3, "not approved"),
    ("a broken segment", edit("config.toml", "'state = ", "'sate = "), ("segments", "list"), 1, 'did you mean "state"'),
    ("no such campaign", None, ("campaigns", "show", "nope"), 1, 'no campaign "nope"'),
    ("no address", None, ("send", NAME, "--test", "nobody"), 1, "not an address"),
    ("nobody of that address", None, ("subscribers", "show", "no@example.org"), 1, "nobody has that address"),
    ("a name for an address", None, ("subscribers", "show", "Ann Lee"), 1, "newsletter subscribers search 'Ann Lee'"),
    ("a whole domain", None, ("suppressions", "add", "*@example.org"), 1, "name each address"),
    ("a workspace in the way", None, ("init", "."), 1, "there is a workspace already"),
    ("a demo in the way", None, ("demo", "."), 1, "not a sample workspace"),
]


@pytest.mark.parametrize(("what", "spoil", "command", "code", "said"), BAD_INPUT, ids=[row[0] for row in BAD_INPUT])
def test_bad_input_ends_in_one_clear_line(
    desk: Desk, what: str, spoil: Callable[[Desk], None] | None, command: tuple[str, ...], code: int, said: str
) -> None:
    desk.space.store.close()
    if spoil:
        spoil(desk)
    try:
        done = desk.run(*command)
    finally:
        while LOCKS:
            LOCKS.pop().close()
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
    assert len(errors) == 1


def test_colour_is_left_out_where_it_is_not_wanted(desk: Desk) -> None:
    assert "\x1b[" not in desk.run("status", NO_COLOR="1").stderr


def test_two_imports_at_once_both_end_well(desk: Desk) -> None:
    import subprocess
    import sys

    for n in range(2):
        rows = "".join(f"p{n}-{i}@example.org,Network Download\n" for i in range(400))
        (desk.folder / f"p{n}.csv").write_text("Email,Lists\n" + rows)
    desk.space.store.close()
    command = [sys.executable, "-m", "newsletter", "subscribers", "import", "--yes"]
    running = [subprocess.Popen([*command, f"p{n}.csv"], cwd=desk.folder, stderr=subprocess.PIPE) for n in range(2)]
    for process in running:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    rows = json.loads(desk.run("lists", "list", "--json").stdout)
    assert rows[0]["mailable"] == 803
