"""The command that builds the archive and puts it where it's served from: publish."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.output import next_step, say, workspace


@click.command()
@click.option("--to", type=click.Path(path_type=Path), help="Folder to build in (default: from config.toml).")
@click.pass_context
def publish(ctx: click.Context, to: Path | None) -> None:
    """Build the archive website of all approved issues; only what changed is written."""
    with workspace(ctx) as space:
        folder = to or space.folder / space.config.archive.folder
        report = space.publish(to)
        click.echo(folder / "index.html")
        say(f"{report.written} pages written, {report.unchanged} unchanged, {report.removed} removed.")
        next_step(f"put {folder.name}/ on the web at {space.config.archive.url}")
