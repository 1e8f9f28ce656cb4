"""A letter made into mail: HTML in the publication's look, and plain text."""

from __future__ import annotations

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from newsletter.config import Config, Publication
from newsletter.languages import translations
from newsletter.merge import MergeText
from newsletter.model import Rendered
from newsletter.render.inline import inline
from newsletter.render.mjml import compile_mjml
from newsletter.resources import TEMPLATES
from newsletter.transactional.letters import Letter


def compose(letter: Letter, config: Config, publication: Publication, language: str) -> Rendered:
    """The letter as a message, by the template `templates/notice/letter.mjml.j2` of the workspace or our own."""
    folders = [config.folder / "templates" / "notice", TEMPLATES / "notice"]
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    why = translations(language).gettext("You get this mail because of a request on our website.")
    values = {"organization": config.organization, "publication": publication, "language": language, "why": why}
    mjml = environment.get_template("letter.mjml.j2").render(letter=letter, **values)
    foot = f"-- \n{config.organization.name}\n{config.organization.postal_address}\n{why}"
    return Rendered(
        issue="",
        variant="notice",
        subject=MergeText((letter.subject,)),
        preheader=MergeText((letter.preheader,)),
        html=MergeText((inline(compile_mjml(mjml)),)),
        text=MergeText((f"{letter.text}\n\n{foot}\n",)),
    )
