"""What all commands share: opening the workspace, tables, JSON, and naming the next command."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click

from newsletter import private
from newsletter.errors import InputError
from newsletter.model.text import shown
from newsletter.workspace import Workspace, system_clock

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON value.")


@contextmanager
def workspace(ctx: click.Context) -> Iterator[Workspace]:
    """The workspace of --config, closed afterwards."""
    opened = Workspace.open(Path(ctx.obj), system_clock())
    try:
        yield opened
    finally:
        opened.close()


def on_a_terminal() -> bool:
    """Whether a person is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def say(text: str, *, nl: bool = True, **style: Any) -> None:
    """Talk: to standard error, in colour where that's wanted. What would act on the terminal is written out."""
    click.echo(_styled(text, style), err=True, nl=nl)


def emit(text: object = "", **style: Any) -> None:
    """Data, as a line. What would act on the terminal is written out."""
    click.echo(_styled(str(text), style))


def emit_document(text: str) -> None:
    """Data that is a document of its own, such as a page: as it is, unless it goes to a terminal."""
    click.echo(shown(text) if sys.stdout.isatty() else text, nl=False)


def _styled(text: str, style: dict[str, Any]) -> str:
    plain = not style or os.environ.get("NO_COLOR")
    return shown(text) if plain else click.style(shown(text), **style)


def many(number: int, one: str, more: str = "") -> str:
    """`1 batch`, `2 batches`: the number and the word for so many."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def next_step(command: str) -> None:
    """Name the next useful command."""
    say(f"Next: {command}", fg="cyan")


def print_json(value: Any) -> None:
    """Data, as one JSON value; in ASCII where it would act on a terminal."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    plain = shown(text) == text
    click.echo(text if plain else json.dumps(value, ensure_ascii=True, indent=2, default=str))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Data, in columns; numbers to the right."""
    if not rows:
        return
    cells = [[shown(str(cell)).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(header), *cells]) for i in range(len(header))]
    numeric = [all(isinstance(row[i], int | float) for row in rows) for i in range(len(header))]
    for row in [list(header), *cells]:
        columns = zip(row, widths, numeric, strict=True)
        click.echo("  ".join(c.rjust(w) if right else c.ljust(w) for c, w, right in columns).rstrip())


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, when that is a terminal; the function given takes how much more is done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """How much gets done in a second."""

        def render(self, task: Any) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total)
        yield lambda more: bar.advance(task, more)


@contextmanager
def private_output(target: str) -> Iterator[TextIO]:
    """Standard output for `-`, else a file that only its owner may read, and that is there when it's whole."""
    if target == "-":
        yield sys.stdout
        return
    path = Path(target)
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        private.touch(partial)
        # With a mark at the beginning, without which Excel takes UTF-8 for something else.
        with partial.open("w", encoding="utf-8-sig", newline="") as file:
            yield file
        partial.replace(path)
    except OSError as fault:
        raise InputError(f"can't be written: {fault.strerror}", where=path) from None
    finally:
        partial.unlink(missing_ok=True)
