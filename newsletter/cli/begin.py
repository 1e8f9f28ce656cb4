"""Commands to begin with: init, demo, status, and the two that serve pages: studio, serve."""

from __future__ import annotations

import datetime as dt
import signal
from pathlib import Path

import click

from newsletter.cli.arguments import PORT, THREADS
from newsletter.cli.output import as_json, emit, many, next_step, print_json, print_table, say, workspace
from newsletter.workspace import system_clock


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
def init(folder: Path) -> None:
    """Make a new workspace in FOLDER: config.toml, issues/, media/ and the database."""
    from newsletter.demo import begin

    begin(folder)
    emit(folder / "config.toml")
    say("A new workspace with the example settings.")
    next_step(f"edit {folder / 'config.toml'}, then: newsletter config check")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default="demo")
def demo(folder: Path) -> None:
    """Build a sample workspace in FOLDER: compose, check, approve, send to files, publish."""
    from newsletter.demo import build

    build(folder, system_clock(), lambda line: say(line))
    emit(folder / "archive" / "index.html")
    say(f"Open it in a browser; the mails are in {folder / 'outbox'}.")
    next_step(f"cd {folder} && newsletter status, and newsletter check network-download-2022-10")


@click.command()
@as_json
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """For each publication: its last issue, what is due, and what each issue waits for."""
    with workspace(ctx) as space:
        rows = space.status()
        today = space.today()
        inbox = space.inbox_count()
    if as_json:
        print_json([row.plain() for row in rows])
        return
    print_table(
        ("publication", "issue", "date", "stands at"),
        [(r.publication or "-", r.issue or "-", r.date or "-", r.stage) for r in rows],
    )
    for row in rows:
        if row.missing:
            say(f"{row.issue}: {row.missing}", fg="yellow")
    if inbox:
        say(f"{many(inbox, 'item')} in the inbox: newsletter items inbox")
    due = {row.publication: row.due for row in rows if row.due and row.due <= today}
    for publication, day in due.items():
        late = (today - day) // dt.timedelta(days=1)
        say(f"{publication} has been due for {late} days.", fg="yellow")
    waiting = next((row for row in rows if row.issue and row.next), None)
    next_step(f"newsletter {waiting.next} {waiting.issue}" if waiting else "newsletter draft PUBLICATION")


@click.command()
@click.argument("issue", default="")
@click.option("--port", default=8765, show_default=True, type=PORT)
@click.option("--no-browser", is_flag=True, help="Don't open a browser.")
@click.pass_context
def studio(ctx: click.Context, issue: str, port: int, no_browser: bool) -> None:
    """Look at an issue in the browser while you write it; it follows every save.

    Only this machine reaches it.
    """
    from waitress import serve as run

    from newsletter.studio import Studio, create_app

    with workspace(ctx) as space:
        name = space.issue_path(issue).parent.name if issue else ""
    watched = Studio(Path(ctx.obj), system_clock())
    app = create_app(watched, port)

    def stop(*_: object) -> None:
        watched.stop()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    address = f"http://127.0.0.1:{port}/" + (f"issues/{name}/" if name else "")
    emit(address)
    say("The studio follows your files. End with Ctrl-C.")
    if not no_browser:
        click.launch(address)
    run(app, host="127.0.0.1", port=port, threads=12, ident=None, max_request_body_size=64 * 1024)


@click.command()
@click.option("--concurrency", default=4, show_default=True, type=THREADS, help="Provider calls at a time.")
@click.pass_context
def worker(ctx: click.Context, concurrency: int) -> None:
    """Submit campaigns together with the workers on other machines; needs PostgreSQL.

    `newsletter send` hands a campaign to the workers as soon as one runs.
    """
    from newsletter.send.worker import work

    with workspace(ctx) as space:
        work(space.campaigns(), concurrency, say)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=PORT)
@click.option("--threads", default=16, show_default=True, type=THREADS, help="Requests that are answered at a time.")
@click.pass_context
def serve(ctx: click.Context, host: str, port: int, threads: int) -> None:
    """Run the public service, where readers join, choose and leave, and providers tell what became of messages.

    Put an HTTPS proxy in front of it. It also mails what people ask for, tells other programs, and drops what is too
    old by the settings.
    """
    from waitress import serve as run

    from newsletter.background import BackgroundJobs
    from newsletter.web import LARGEST, create_app

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    with workspace(ctx) as space:
        app = create_app(space)
        jobs = BackgroundJobs(space, lambda fault: say(f"Error: {fault}", fg="red"))
        jobs.start()
        say(f"Serving {space.config.service.url} on http://{host}:{port}; end with Ctrl-C.")
        try:
            run(
                app,
                host=host,
                port=port,
                threads=threads,
                ident=None,
                max_request_body_size=LARGEST,
                # What a proxy says is judged in the application, by the number of them that are trusted.
                clear_untrusted_proxy_headers=False,
            )
        finally:
            jobs.stop()
