"""From an issue's file to HTML and text, in process, warm."""

from __future__ import annotations

import itertools
import statistics
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import mjml
from PIL import Image

from benchmarks.measure import Result, in_turn, seconds
from newsletter import collect
from newsletter.collect import transfer
from newsletter.compose import compose
from newsletter.compose.variants import pick
from newsletter.demo import begin
from newsletter.model import Variant
from newsletter.places import states
from newsletter.render import render as render_issue
from newsletter.workspace import Workspace, system_clock

_LIMIT_MS = 40.0
_VARIANTS, _VARIANTS_LIMIT = 52, 1.5
_SUMMARY = "Two sentences that say what happened and to whom. They are about as long as such sentences are."


def render() -> Result:
    """Compose and render a 16-item issue, each time with other words, because texts that were rendered once are kept;
    the floor is one bare MJML compilation of as many cards.
    """
    with tempfile.TemporaryDirectory() as name:
        space = sixteen_items(Path(name))
        path = space.issues / "sixteen" / "issue.md"
        libraries = map(_other_words, itertools.repeat(_library(space)), itertools.count())

        def product() -> None:
            issue = compose(path, space.config, next(libraries))
            rendered = render_issue(issue, space.config, folders=space.template_folders("email"))
            assert len(str(rendered.html)) > 20_000

        value, floor = in_turn(product, _bare_mjml, runs=15)
        space.close()
    milliseconds = value * 1000
    return Result(
        name="render",
        value=milliseconds,
        unit="ms",
        floor=floor * 1000,
        ratio=value / floor,
        want=f"at most {_LIMIT_MS:g} ms",
        ok=milliseconds <= _LIMIT_MS,
    )


def sixteen_items(folder: Path) -> Workspace:
    """A workspace with one issue of sixteen items."""
    begin(folder)
    Image.new("RGB", (1200, 675), "#335577").save(folder / "photo.png")
    items = folder / "items.toml"
    items.write_text("\n".join(map(_item, range(16))), encoding="utf-8")
    issue = folder / "issues" / "sixteen" / "issue.md"
    issue.parent.mkdir()
    issue.write_text(_issue(), encoding="utf-8")
    space = Workspace.open(folder / "config.toml", system_clock())
    with space.store.write() as session:
        report = transfer.import_file(session, items, "items", workspace=folder, now=space.clock.now())
    assert report.added == 16
    return space


def _item(number: int) -> str:
    return (
        f'[[items]]\nslug = "story-{number}"\nkind = "post"\ntitle = "A story about what happened, number {number}"\n'
        f'url = "https://example.org/{number}"\ndate = 2022-10-01\nsummary = "{_SUMMARY}"\nphoto = "photo.png"\n'
        'photo_alt = "A blue field"\nphoto_credit = "sample"\nplaces = ["Durham, NC"]\n'
    )


def _issue() -> str:
    references = "\n\n".join(f"[[story-{number}]]" for number in range(16))
    return (
        '+++\npublication = "network-download"\ntitle = "The Network Download: Sixteen items | Oct 2022"\n'
        'date = 2022-10-12\nsubject = "Sixteen items"\npreheader = "Sixteen items, with photos and summaries"\n+++\n\n'
        f"Hi {{{{ first_name | friend }}}},\n\nWelcome.\n\n## From the cities\n\n{references}\n"
    )


def _sixteen_cards() -> str:
    card = (
        '<mj-section><mj-column><mj-image src="https://example.org/a.jpg" alt="a" /></mj-column>'
        f"<mj-column><mj-text><h3>A title</h3><p>{_SUMMARY}</p></mj-text></mj-column></mj-section>"
    )
    return f"<mjml><mj-body>{card * 16}</mj-body></mjml>"


def _bare_mjml() -> None:
    mjml.mjml2html(_sixteen_cards())


def _official() -> str:
    """How long the official mjml's command line takes for sixteen cards; npm fetches it once."""
    folder = Path.home() / ".cache" / "newsletter-benchmarks"
    program = folder / "node_modules" / ".bin" / "mjml"
    try:
        if not program.exists():
            folder.mkdir(parents=True, exist_ok=True)
            command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), "mjml@5"]
            subprocess.run(command, check=True, capture_output=True, timeout=300)
        source = folder / "cards.mjml"
        source.write_text(_sixteen_cards(), encoding="utf-8")
        once = [str(program), str(source), "-o", str(folder / "cards.html")]
        taken = statistics.median(
            seconds(lambda: subprocess.run(once, check=True, capture_output=True, timeout=60)) for _ in range(3)
        )
    except (OSError, subprocess.SubprocessError) as fault:
        return f"the official mjml could not be had: {type(fault).__name__}"
    return f"the official mjml takes {taken:.2f} s for one"


def variants() -> Result:
    """All renderings of a 16-item issue for 52 variants; the floor is 52 bare MJML compilations of as many cards."""
    with tempfile.TemporaryDirectory() as name:
        space = sixteen_items(Path(name))
        codes = states()[:_VARIANTS]
        issue = compose(space.issues / "sixteen" / "issue.md", space.config, _library(space))
        folders = space.template_folders("email")

        def product() -> None:
            made = [
                render_issue(pick(issue, Variant(name=code, state=code)), space.config, folders=folders, variant=code)
                for code in codes
            ]
            assert len({rendered.variant for rendered in made}) == _VARIANTS

        def floor() -> None:
            for _ in codes:
                _bare_mjml()

        value, bare = in_turn(product, floor, runs=3)
        space.close()
    return Result(
        name="variants",
        value=value,
        unit="s",
        floor=bare,
        ratio=value / bare,
        want=f"{_VARIANTS} variants in at most {_VARIANTS_LIMIT:g} s",
        ok=value <= _VARIANTS_LIMIT,
        beside=_official(),
    )


def _other_words(library: collect.Library, number: int) -> collect.Library:
    return {
        slug: replace(item, title=f"{item.title} ({number})", summary=f"{number}: {item.summary}")
        for slug, item in library.items()
    }


def _library(space: Workspace) -> collect.Library:
    with space.store.read() as session:
        return collect.library(session)
