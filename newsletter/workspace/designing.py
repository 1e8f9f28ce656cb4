"""Templates, and what they look like with everything in them."""

from __future__ import annotations

from dataclasses import replace

from newsletter.errors import NotFound, nearest
from newsletter.model import Rendered
from newsletter.workspace.opened import Opened


class Designing(Opened):
    """What designers do."""

    def templates(self) -> dict[str, str]:
        """Every email template and whose it is, "workspace" or "product"; the workspace's own win."""
        from newsletter.render.templates import TemplateSet

        own, product = self.template_folders("email")
        names = TemplateSet((own, product), self.folder).names()
        return {name: "workspace" if (own / name).is_dir() else "product" for name in names}

    def render_specimens(self, template: str) -> dict[str, Rendered]:
        """An issue with every kind of block in a template, in each publication's look, by publication."""
        from newsletter.render import render
        from newsletter.render.specimen import specimen

        if template not in self.templates():
            known = self.templates()
            hint = nearest(template, known) or f"there are {', '.join(known)}"
            raise NotFound(f'no template "{template}"', hint=hint)
        found = {}
        for publication in self.config.publications.values():
            tried = replace(publication, template=template)
            config = replace(self.config, publications={**self.config.publications, tried.slug: tried})
            found[tried.slug] = render(specimen(tried), config, folders=self.template_folders("email"))
        return found
