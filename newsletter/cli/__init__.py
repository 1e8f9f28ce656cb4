"""The command line: parse, call, print.

Data goes to standard output, talk to standard error. Exit codes: 0 done, 1 error, 2 usage, 3 the check
failed, 4 delivery incomplete or unknown. Each group is imported when it's called, so that help is quick.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import click

from newsletter.errors import NewsletterError
from newsletter.model.text import shown

#: Command, the module that holds it, and what help says of it; the parts of the help in order.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Begin": {
        "init": ("begin", "Make a new workspace in a folder."),
        "demo": ("begin", "Build a sample workspace: two newsletters, mailed and archived."),
        "status": ("begin", "What is due, what is drafted, what waits for approval."),
    },
    "An issue, from draft to archive": {
        "draft": ("issues", "Write a new issue's file."),
        "studio": ("begin", "Look at an issue in the browser while you write it."),
        "compose": ("issues", "Show what an issue is made of."),
        "render": ("issues", "Make the mail: HTML and plain text."),
        "variants": ("issues", "Who gets which part of an issue."),
        "explain": ("issues", "Why somebody gets an issue, and which variant."),
        "check": ("issues", "Say what is wrong with an issue."),
        "approve": ("issues", "Freeze an issue: what goes out and what is archived."),
        "diff": ("issues", "What has changed since it was approved."),
        "send": ("sending", "Send an approved issue, or go on sending it."),
        "courtesy": ("members", "Letters to those whom an issue speaks of, as drafts."),
        "publish": ("publishing", "Build the archive website, and put it where it's served from."),
        "report": ("sending", "What became of an issue's messages."),
    },
    "What is out already": {
        "correct": ("amending", "Correct an issue that is out: on its page, in the next one, by mail."),
        "history": ("amending", "An issue's approvals and corrections."),
        "corrections": ("amending", "Corrections: list, remove."),
        "links": ("links", "Where issues and policies link to: check, list, show, accept, replace, restore."),
        "pages": ("amending", "Pages of the archive: list, move, withdraw, restore."),
    },
    "What issues are made of": {
        "items": ("items", "Stored stories: add, list, gaps, show, edit, import, export, remove."),
        "policies": ("policies", "Policies followed over time: add, status, list, show, report, import, export."),
        "members": ("members", "People whom issues speak of: add, list, show, edit, import, export, remove."),
    },
    "How issues look": {
        "templates": ("templates", "Email templates: list, copy, check."),
    },
    "People": {
        "subscribers": (
            "subscribers",
            "People: import, export, list, search, show, add, edit, tag, unsubscribe, data, forget.",
        ),
        "lists": ("lists", "The lists, with their counts."),
        "segments": ("lists", "Saved filters: list, show, count, preview."),
        "suppressions": ("suppressions", "Addresses that are never mailed: list, add, import, remove."),
    },
    "Running it": {
        "campaigns": ("campaigns", "Sendings: list, show, pause, resume, move, retry, cancel, pick, settle."),
        "run-due": ("delivering", "Send what is scheduled for now, and go on with what was left."),
        "worker": ("begin", "Submit campaigns together with other machines."),
        "serve": ("begin", "Run the public service: joining, choosing, leaving, webhooks, the API."),
        "keys": (
            "keys",
            "Keys to the API: make, list, revoke; and of readers' links: rotate.",
        ),
        "config": ("admin", "Check config.toml."),
        "db": ("admin", "Upgrade, back up or prune the database."),
    },
}


class LazyGroup(click.Group):
    """Knows its commands by name and imports their modules only to run them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the help."""
        del ctx
        return [name for part in COMMANDS.values() for name in part]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        for part in COMMANDS.values():
            if cmd_name in part:
                command = getattr(import_module(f"newsletter.cli.{part[cmd_name][0]}"), cmd_name.replace("-", "_"))
                return command if isinstance(command, click.Command) else None
        return None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find a command, or say which is meant."""
        from newsletter.errors import nearest

        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            hint = nearest(args[0], self.list_commands(ctx))
            ctx.fail(f'no command "{args[0]}"' + (f" ({hint})" if hint else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by part, from the table above."""
        del ctx
        for title, part in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in part.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_path",
    envvar="NEWSLETTER_CONFIG",
    default="config.toml",
    show_default=True,
    help="The workspace's config file.",
)
@click.version_option(package_name="newsletter-desk", prog_name="newsletter")
@click.pass_context
def cli(ctx: click.Context, config_path: str) -> None:
    """Put newsletters together from stored items, send them, and keep their archive.

    A day's work: items add, draft, check, approve, send, publish. Each command ends by naming the next.
    """
    from pathlib import Path

    ctx.obj = Path(config_path).resolve()


def main(arguments: list[str] | None = None, *, run: Callable[..., Any] = cli) -> None:
    """The console script: every error that a person can act on ends in one line."""
    try:
        code = run(args=arguments, prog_name="newsletter", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        click.echo("Stopped; nothing more was done.", err=True)
        sys.exit(1)
    except click.ClickException as fault:
        said = io.StringIO()
        fault.show(said)
        click.echo(shown(said.getvalue()), nl=False, err=True)
        sys.exit(fault.exit_code)
    except NewsletterError as fault:
        for line in str(fault).splitlines():
            click.secho(f"Error: {shown(line)}", fg="red", err=True)
        sys.exit(fault.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as fault:
        place = f"{fault.filename}: " if fault.filename else ""
        click.secho(shown(f"Error: {place}{fault.strerror or fault}"), fg="red", err=True)
        sys.exit(1)
