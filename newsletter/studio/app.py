"""The studio's pages, for one person at this machine.

Whoever asks must have reached us by a name of this machine (or a page elsewhere could, by DNS rebinding), and
what changes a file must come from our own pages. Mail and archive pages are shown in frames that run no script.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, abort, redirect, render_template, request, send_file, url_for
from jinja2 import FileSystemLoader
from werkzeug.exceptions import HTTPException

from newsletter.check.opening import opening
from newsletter.compose import editing, rearrange
from newsletter.errors import InputError, IssueError, NewsletterError, NotFound
from newsletter.merge import reader_links
from newsletter.model import Issue, Prose, Rendered
from newsletter.resources import TEMPLATES
from newsletter.studio.outline import outline, size_of
from newsletter.studio.preview import Scheme, in_scheme, inbox_rows
from newsletter.studio.state import Studio

_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: Mail and archive pages: their own styles and our pictures, and nothing that runs.
_FRAME = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"
_VIEWS = ("phone", "desktop", "text", "source", "page")
#: Seconds that a page waits for a change before it asks again.
_PATIENCE = 20.0


def create_app(studio: Studio, port: int) -> Flask:
    """The WSGI application, reached at 127.0.0.1 or localhost on `port`."""
    app = Flask(__name__, static_folder=None)
    app.jinja_options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    app.jinja_loader = FileSystemLoader(TEMPLATES / "studio")
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    guard = _Guard(port)
    app.before_request(guard.admit)
    app.after_request(guard.seal)
    app.jinja_env.globals["token"] = guard.token
    pages = _Pages(studio)
    app.register_error_handler(NewsletterError, pages.fault)
    app.register_error_handler(HTTPException, pages.refusal)
    routes: dict[str, Callable[..., Any]] = {
        "/": pages.home,
        "/changes": pages.changes,
        "/issues/<slug>/": pages.issue,
        "/issues/<slug>/panel": pages.panel,
        "/issues/<slug>/frame": pages.frame,
        "/archive/<slug>/": pages.archive_page,
        "/archive/style.css": pages.archive_style,
        "/archive/media/<name>": pages.picture,
        "/templates/": pages.templates,
        "/templates/<name>/<publication>": pages.specimen,
        "/<any('studio.css', 'studio.js'):name>": pages.asset,
    }
    for rule, view in routes.items():
        app.add_url_rule(rule, rule, view)
    for name, act in {
        "move": pages.move,
        "drop": pages.drop,
        "write": pages.write,
        "head": pages.head,
        "insert": pages.insert,
        "undo": pages.undo,
        "links": pages.ask_links,
    }.items():
        app.add_url_rule(f"/issues/<slug>/{name}", name, act, methods=["POST"])
    return app


class _Guard:
    """Lets in only what came by this machine's own names, and to write only what came from our own pages."""

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(16)
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    def admit(self) -> None:
        if request.host not in self._hosts:
            abort(403, "The studio answers only at 127.0.0.1 and localhost.")
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return
        origin = request.headers.get("Origin")
        sent = request.form.get("token", "")
        if (origin and origin != f"http://{request.host}") or not secrets.compare_digest(sent, self.token):
            abort(403, "That didn't come from a page of this studio. Load the page again.")

    def seal(self, response: Response) -> Response:
        framed = request.endpoint in ("/issues/<slug>/frame", "/archive/<slug>/", "/templates/<name>/<publication>")
        response.headers["Content-Security-Policy"] = _FRAME if framed else _PAGE
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        if request.endpoint != "/archive/media/<name>":
            response.headers["Cache-Control"] = "no-store"
        return response


class _Look:
    """How the issue is looked at: what the address says after the question mark, made sure of."""

    def __init__(self) -> None:
        self.view = request.args.get("view", "desktop")
        if self.view not in _VIEWS:
            self.view = "desktop"
        self.scheme: Scheme = "dark" if request.args.get("scheme") == "dark" else "light"
        self.variant = request.args.get("variant", "default")
        self.reader = request.args.get("reader", "").strip().lower()
        #: Why the reader can't be shown.
        self.fault = ""

    @property
    def query(self) -> str:
        said = {"view": self.view, "scheme": self.scheme, "variant": self.variant, "reader": self.reader}
        return urlencode({key: value for key, value in said.items() if value})


class _Pages:
    """The pages; only those under POST change anything."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def home(self) -> str:
        return render_template("home.html.j2", stages=self._studio.space.status(), space=self._studio.space)

    def changes(self) -> dict[str, str]:
        """The stamp of the files, as soon as it isn't the one the page has seen."""
        return {"stamp": self._studio.wait(request.args.get("seen", ""), _PATIENCE)}

    def issue(self, slug: str) -> str:
        """The whole workbench of an issue."""
        self._studio.space.issue_path(slug)
        look = _Look()
        return render_template(
            "issue.html.j2", slug=slug, look=look, views=_VIEWS, stamp=self._studio.stamp(), panel=self.panel(slug)
        )

    def panel(self, slug: str) -> str:
        """Everything beside the preview: inbox rows, parts with findings, size, links."""
        look = _Look()
        try:
            issue, mail, values = self._seen(slug, look)
            findings = self._studio.findings(slug)
            reach = self._studio.reach(slug)
        except NewsletterError as fault:
            return render_template("problems.html.j2", problems=_problems(fault))
        subject, preheader = mail.subject.merge(values), mail.preheader.merge(values)
        return render_template(
            "panel.html.j2",
            slug=slug,
            look=look,
            issue=issue,
            seen=self._studio.digest(slug),
            sender=self._studio.space.config.senders[self._publication(issue).sender].name,
            rows=inbox_rows(subject, preheader),
            quoted=opening(next((b.markdown for b in issue.blocks if isinstance(b, Prose)), "")),
            reach=reach,
            outline=outline(issue, findings, self._studio.movable(slug), self._studio.words(slug)),
            fields=self._studio.fields(slug),
            offers=self._studio.offers(slug),
            size=size_of(mail, values),
            can_undo=self._studio.can_undo(slug),
            asked=self._studio.asked(slug),
        )

    def frame(self, slug: str) -> Any:
        """The issue in one view, as the document of a frame."""
        look = _Look()
        try:
            if look.view == "page":
                return redirect(url_for("/archive/<slug>/", slug=slug, scheme=look.scheme))
            _, mail, values = self._seen(slug, look)
        except NewsletterError as fault:
            return render_template("broken.html.j2", problems=_problems(fault), scheme=look.scheme)
        if look.view in ("text", "source"):
            text = (mail.text if look.view == "text" else mail.html).merge(values)
            return render_template("text.html.j2", text=text, view=look.view, scheme=look.scheme)
        return self._framed(mail.html.merge_html(values), look.scheme)

    def _seen(self, slug: str, look: _Look) -> tuple[Issue, Rendered, dict[str, str]]:
        """The issue, the variant that is looked at, and the reader's values."""
        issue = self._studio.issue(slug)
        values: dict[str, str] = {}
        if look.reader:
            try:
                look.variant, values = self._studio.space.reader(issue, look.reader)
            except (InputError, NotFound) as fault:
                look.fault = fault.what
        service = self._studio.space.config.service.url.rstrip("/")
        return issue, self._studio.mail(slug, look.variant), {**values, **reader_links(f"{service}/u/")}

    def _framed(self, html: str, scheme: Scheme) -> str:
        """A mail whose pictures come from here, whose links open beside it."""
        archive = self._studio.space.config.archive.url.rstrip("/")
        html = html.replace(f"{archive}/media/", "/archive/media/").replace("<head>", '<head><base target="_blank">', 1)
        return in_scheme(html, scheme)

    def archive_page(self, slug: str) -> str:
        """The page that the archive would have for the issue."""
        look = _Look()
        try:
            html = self._studio.page(slug)[f"{slug}/index.html"].decode()
        except NewsletterError as fault:
            return render_template("broken.html.j2", problems=_problems(fault), scheme=look.scheme)
        style = f'href="../style.css?{urlencode({"issue": slug, "scheme": look.scheme})}"'
        html = html.replace('href="../style.css"', style).replace("<head>", '<head><base target="_blank">', 1)
        return in_scheme(html, look.scheme)

    def archive_style(self) -> Response:
        css = self._studio.page(request.args.get("issue", ""))["style.css"].decode()
        return Response(in_scheme(css, _Look().scheme), content_type="text/css; charset=utf-8")

    def picture(self, name: str) -> Response:
        data, kind = self._studio.photo(name)
        return send_file(io.BytesIO(data), mimetype=kind, max_age=3600)

    def templates(self) -> str:
        """Every template with every component, in light and dark."""
        space = self._studio.space
        every = list(space.config.publications.values())
        users = {name: [p.slug for p in every if (p.template or p.slug) == name] for name in space.templates()}
        shown = {name: (slugs or [every[0].slug])[0] for name, slugs in users.items()}
        return render_template("templates.html.j2", templates=space.templates(), shown=shown)

    def specimen(self, name: str, publication: str) -> Any:
        try:
            mails = self._studio.specimens(name)
        except NewsletterError as fault:
            return render_template("broken.html.j2", problems=_problems(fault), scheme=_Look().scheme)
        if publication not in mails:
            abort(404)
        return self._framed(mails[publication].html.merge_html(reader_links("#")), _Look().scheme)

    def asset(self, name: str) -> Response:
        kind = "text/css" if Path(name).suffix == ".css" else "text/javascript"
        return Response((TEMPLATES / "studio" / name).read_bytes(), content_type=f"{kind}; charset=utf-8")

    def move(self, slug: str) -> Any:
        direction: rearrange.Direction = "up" if request.form.get("direction") == "up" else "down"
        return self._changed(slug, partial(rearrange.move, line=_line(), direction=direction))

    def drop(self, slug: str) -> Any:
        return self._changed(slug, partial(rearrange.drop, line=_line()))

    def _changed(self, slug: str, change: Callable[[str], str]) -> Any:
        self._studio.rewrite(slug, request.form.get("seen", ""), change)
        return self._back(slug)

    def write(self, slug: str) -> Any:
        """Other words of a part, or of a section's heading."""
        form, line = request.form, _line()
        if "heading" in form:
            return self._changed(slug, partial(editing.set_heading, line=line, heading=form["heading"]))
        if "markdown" in form:
            return self._changed(slug, partial(editing.set_markdown, line=line, markdown=form["markdown"]))
        words = {"headline": form.get("headline", ""), "blurb": form.get("blurb", "")}
        return self._changed(slug, partial(editing.set_entry, line=line, **words))

    def head(self, slug: str) -> Any:
        """Subject, preheader, title, teaser: those that the form has."""

        def change(text: str) -> str:
            for key in editing.FIELDS:
                if key in request.form and request.form[key] != request.form.get(f"was_{key}"):
                    text = editing.set_field(text, key, request.form[key])
            return text

        return self._changed(slug, change)

    def insert(self, slug: str) -> Any:
        """An item or a policy at the end of a section; one from the inbox is kept."""
        name = request.form.get("entry", "").strip()
        self._studio.keep(name)
        return self._changed(slug, partial(editing.insert, line=_line(), slug=name))

    def undo(self, slug: str) -> Any:
        self._studio.undo(slug)
        return self._back(slug)

    def ask_links(self, slug: str) -> Any:
        self._studio.ask_links(slug)
        return self._back(slug)

    def _back(self, slug: str) -> Any:
        """To the page that was looked at (303, so that loading it again does nothing again)."""
        return redirect(f"{url_for('/issues/<slug>/', slug=slug)}?{_Look().query}", 303)

    def fault(self, fault: NewsletterError) -> tuple[str, int]:
        """What a person can act on, as a page."""
        return render_template("fault.html.j2", problems=_problems(fault)), 409 if request.method == "POST" else 404

    def refusal(self, fault: HTTPException) -> tuple[str, int]:
        problems = [{"what": fault.description or fault.name, "where": "", "hint": ""}]
        return render_template("fault.html.j2", problems=problems), fault.code or 500

    def _publication(self, issue: Issue) -> Any:
        return self._studio.space.config.publications[issue.publication]


def _line() -> int:
    line = request.form.get("line", "")
    return int(line) if line.isdecimal() else 0


def _problems(fault: NewsletterError) -> list[dict[str, str]]:
    """Every problem in a fault, with its place and what to do."""
    parts = fault.problems if isinstance(fault, IssueError) and fault.problems else (fault,)
    return [{"what": part.what, "where": part.where, "hint": part.hint} for part in parts]
