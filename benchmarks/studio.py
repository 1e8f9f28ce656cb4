"""From saving issue.md to the new words on the screen of a real browser."""

from __future__ import annotations

import logging
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from waitress import create_server

from benchmarks.measure import Result
from benchmarks.rendering import sixteen_items
from newsletter.studio import Studio, create_app
from newsletter.workspace import system_clock

_LIMIT_MS = 200.0
_RUNS = 15
#: Resolves with the time, in milliseconds since 1970, of the frame after the one in which the words are there.
_PAINTED = """(words) => new Promise((resolve) => {
  const look = () => document.getElementById("frame").contentDocument.body?.textContent.includes(words)
    ? requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now())) : requestAnimationFrame(look);
  look();
})"""
#: The same mail put into the frame and painted, when it's there already.
_BARE = """(html) => new Promise((resolve) => {
  const begun = performance.now();
  document.getElementById("frame").contentDocument.documentElement.innerHTML = html;
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - begun)));
})"""


def studio() -> Result:
    """Save a 16-item issue and wait for the repaint; the floor is the browser's own time for the same mail."""
    with tempfile.TemporaryDirectory() as name:
        space = sixteen_items(Path(name))
        path = space.issues / "sixteen" / "issue.md"
        space.close()
        application: list[object] = []
        server = create_server(lambda *a: application[0](*a), host="127.0.0.1", port=0, threads=8)  # type: ignore[operator]
        application.append(create_app(Studio(Path(name) / "config.toml", system_clock()), server.effective_port))
        # The page's last question is still open when the server goes; that's no fault worth a log.
        logging.getLogger("waitress").setLevel(logging.CRITICAL)
        threading.Thread(target=server.run, daemon=True).start()
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(f"http://127.0.0.1:{server.effective_port}/issues/sixteen/")
            page.wait_for_timeout(1_000)
            saved = [_save(page, path, number) for number in range(_RUNS)]
            html = page.evaluate("document.getElementById('frame').contentDocument.documentElement.innerHTML")
            bare = [float(page.evaluate(_BARE, html)) for _ in range(_RUNS)]
            browser.close()
        server.close()
    value, floor = statistics.median(saved), statistics.median(bare)
    return Result(
        name="studio",
        value=value,
        unit="ms",
        floor=floor,
        ratio=value / floor,
        want=f"a median of at most {_LIMIT_MS:g} ms from save to repaint",
        ok=value <= _LIMIT_MS,
    )


def _save(page: Page, path: Path, number: int) -> float:
    """Milliseconds from a save to its words on the screen."""
    words = f"Written in run {number}."
    text = path.read_text(encoding="utf-8").partition("\n\nWritten in run")[0]
    handle = page.evaluate_handle(f"window.waiting = ({_PAINTED})({words!r}); 0")
    begun = time.time()
    path.write_text(f"{text}\n\n{words}\n", encoding="utf-8")
    painted = float(page.evaluate("window.waiting"))
    handle.dispose()
    page.wait_for_timeout(150)
    return painted - begun * 1000
