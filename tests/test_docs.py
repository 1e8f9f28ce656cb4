"""The words are held against the code: whatever README, ARCHITECTURE and docs/ name has to exist."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from newsletter.check import RULES
from newsletter.cli import COMMANDS, cli

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
CONTEXT = click.Context(cli)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name: `check`, `items add`."""
    for name in (name for part in COMMANDS.values() for name in part):
        command = cli.get_command(CONTEXT, name)
        assert command, name
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {verb}", inner) for verb, inner in command.commands.items())


KNOWN = dict(commands())


def shown(page: Path) -> Iterator[list[str]]:
    """The arguments of every `$ newsletter …` line in the page's console blocks."""
    for block in re.findall(r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        for line in re.findall(r"^\$ newsletter\b(.*)$", block, re.MULTILINE):
            yield shlex.split(re.split(r" [|>&]", line)[0], comments=True)


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_command_that_is_shown_exists_with_its_options(page: Path) -> None:
    for arguments in shown(page):
        words = [word for word in arguments if not word.startswith("-")]
        command = KNOWN.get(" ".join(words[:2])) or KNOWN.get(words[0] if words else "", cli)
        assert not words or command is not cli, f"newsletter {' '.join(arguments)}"
        assert not isinstance(command, click.Group) or command is cli, f"{words[0]} needs a verb"
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        for word in arguments:
            if word.startswith("-") and word != "-":
                assert word.partition("=")[0] in {*options, "--help", "-h"}, f"newsletter {' '.join(arguments)}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_relative_link_or_picture_leads_to_a_file(page: Path) -> None:
    text = without_code(page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text):
        if not re.match(r"https?:|mailto:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_names_no_place_on_somebodys_machine(page: Path) -> None:
    assert not re.search(r"(?<![\w.])/(?:home|root|tmp|work|Users)/", page.read_text(encoding="utf-8"))


def test_every_page_is_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        path = page.relative_to(ROOT / "docs").as_posix()
        assert path == "index.md" or f"]({path})" in index, path


def test_every_command_is_explained() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for name, command in KNOWN.items():
        if not isinstance(command, click.Group):
            assert f"`newsletter {name}" in text, name


def test_every_rule_of_the_check_is_explained_with_its_severity() -> None:
    text = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([a-z]+/[a-z-]+)` \| (\w+) \|", text, re.MULTILINE))
    assert listed == {rule.id: str(rule.severity) for rule in RULES.values()}


def settings(table: dict[str, Any]) -> Iterator[str]:
    """The keys that hold values, however deep; tables in a list count as one."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from settings(value)
        else:
            yield key


def test_every_setting_of_the_example_is_explained() -> None:
    example = tomllib.loads((ROOT / "config.example.toml").read_text(encoding="utf-8"))
    text = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    assert {key for key in settings(example) if f"`{key}`" not in text} == set()


def test_every_dependency_is_justified_and_no_other() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [names for extra, names in project["optional-dependencies"].items() if extra != "dev"]
    wanted = [*project["dependencies"], *(name for names in extras for name in names)]
    names = {re.split(r"[^\w.-]", requirement)[0] for requirement in wanted}
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    runtime = text.partition("## While developing")[0]
    assert set(re.findall(r"^\| `([\w.-]+)` \|", runtime, re.MULTILINE)) == names


def test_the_map_names_every_module_and_every_test_that_it_speaks_of() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\btest_\w+", re.sub(r"\btest_\w+\.py", "", text))) <= all_tests()
    modules = {
        path.name.removesuffix(".py")
        for path in (ROOT / "newsletter").iterdir()
        if (path.suffix == ".py" and not path.name.startswith("_")) or (path / "__init__.py").exists()
    }
    assert {module for module in modules if f"`{module}`" not in text} == set()


def test_the_layers_are_told_as_they_are_enforced() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    block = re.search(r"^```layers\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert block
    assert block.group(1).split("\n")[:-1] == layers


#: How many requirements of level 2 each section of OWASP's ASVS 4.0.3 has, as in its own table; a section's numbers
#: run from 1, but for those named after it.
_ASVS = """1.1 7, 1.2 4, 1.4 1 4 5, 1.5 4, 1.6 4, 1.7 2, 1.8 2, 1.9 2, 1.10 1, 1.11 2, 1.12 0 2, 1.14 6,
2.1 12, 2.2 3, 2.3 3, 2.4 5, 2.5 7, 2.6 3, 2.7 6, 2.8 7, 2.9 3, 2.10 4, 3.1 1, 3.2 4, 3.3 4, 3.4 5, 3.5 3, 3.7 1,
4.1 3 5, 4.2 2, 4.3 3, 5.1 5, 5.2 8, 5.3 10, 5.4 3, 5.5 4, 6.1 3, 6.2 6, 6.3 2, 6.4 2, 7.1 4, 7.2 2, 7.3 1 3 4, 7.4 3,
8.1 4, 8.2 3, 8.3 8, 9.1 3, 9.2 4, 10.2 2, 10.3 3, 11.1 8, 12.1 3, 12.2 1, 12.3 6, 12.4 2, 12.5 2, 12.6 1,
13.1 1 3 4 5, 13.2 3 5 6, 13.3 2, 13.4 2, 14.1 4, 14.2 6, 14.3 0 2 3, 14.4 7, 14.5 4"""


def requirements() -> Iterator[str]:
    for entry in _ASVS.replace("\n", " ").split(", "):
        section, many, *more = entry.split()
        yield from (f"{section}.{number}" for number in [*range(1, int(many) + 1), *map(int, more)])


def test_every_requirement_of_asvs_has_an_answer_and_every_test_that_it_names_exists() -> None:
    text = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    answered = []
    for cell in re.findall(r"^\| ([\d., –]+) \|", text, re.MULTILINE):
        for name in cell.split(", "):
            first, _, last = name.partition("–")
            section, number = first.rsplit(".", 1)
            answered += [f"{section}.{n}" for n in range(int(number), int((last or first).rsplit(".", 1)[1]) + 1)]
    wanted = list(requirements())
    assert len(wanted) == 259
    assert sorted(answered) == sorted(wanted)
    assert set(re.findall(r"`(test_\w+)`", text)) <= all_tests()


def all_tests() -> set[str]:
    return {
        node.name
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
