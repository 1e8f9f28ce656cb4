"""A built archive in a browser, as a web server would serve it."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Dialog, Page, Route

ORIGIN = "https://archive.test"


def serve(page: Page, folder: Path, *, under: str = "/") -> list[str]:
    """Answer the page's requests to ORIGIN with the files of a folder, under a path; 404.html for what there isn't.

    Gives the list in which violations of the pages' Content Security Policy and requests to elsewhere will stand.
    """
    complaints: list[str] = []

    def answer(route: Route) -> None:
        parts = urlsplit(route.request.url)
        if f"{parts.scheme}://{parts.netloc}" != ORIGIN:
            complaints.append(f"asked {route.request.url}")
            route.abort()
            return
        path = folder / unquote(parts.path.removeprefix(under))
        path = path / "index.html" if path.is_dir() else path
        status = 200 if path.is_file() else 404
        path = path if status == 200 else folder / "404.html"
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        route.fulfill(status=status, body=path.read_bytes(), content_type=kind)

    def told(dialog: Dialog) -> None:
        complaints.append(f"dialog {dialog.message}")
        dialog.dismiss()

    page.route("**/*", answer)
    page.on("console", lambda told: complaints.append(told.text) if "Content Security Policy" in told.text else None)
    page.on("dialog", told)
    return complaints
