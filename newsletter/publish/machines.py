"""What pages tell machines: schema.org's words as JSON-LD, and links that share a page without a tracker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from newsletter.model import Issue, Policy, Status
from newsletter.publish.catalog import Catalog
from newsletter.publish.prose import lead_photo, legal
from newsletter.render.markdown import plain
from newsletter.render.words import place_words

#: schema.org's LegalForceStatus, for the statuses that say it.
_FORCE = {
    **dict.fromkeys((Status.IN_EFFECT, Status.ENFORCED), "InForce"),
    Status.UPHELD: "InForce",
    **dict.fromkeys((Status.VETOED, Status.REPEALED, Status.STRUCK_DOWN, Status.PREEMPTED), "NotInForce"),
    **dict.fromkeys((Status.PROPOSED, Status.INTRODUCED, Status.IN_COMMITTEE, Status.PASSED), "NotInForce"),
}


@dataclass(frozen=True)
class JsonLd:
    """The JSON-LD of pages, safe inside a script element (https://schema.org)."""

    catalog: Catalog
    base: str

    def issue(self, issue: Issue) -> Markup:
        """A NewsArticle, with its corrections."""
        config = self.catalog.config
        publication, organization = config.publications[issue.publication], config.organization
        publisher = {"@type": "Organization", "name": organization.name, "url": organization.url}
        corrections = self.catalog.corrections.get(issue.slug, [])
        photo = lead_photo(issue)
        return _script(
            {
                "@context": "https://schema.org",
                "@type": "NewsArticle",
                "headline": issue.title[:110],
                "description": issue.teaser,
                "datePublished": issue.date.isoformat(),
                "dateModified": max([issue.date, *(c.date for c in corrections)]).isoformat(),
                "inLanguage": config.language(config.publications[issue.publication]),
                "mainEntityOfPage": f"{self.base}/{issue.slug}/",
                "isPartOf": {
                    "@type": "Periodical",
                    "name": publication.name,
                    "url": f"{self.base}/{publication.slug}/",
                },
                "publisher": publisher,
                "author": publisher,
                "image": [f"{self.base}/media/{photo.name}"] if photo else [f"{self.base}/{issue.slug}/card.jpg"],
                "correction": [
                    {"@type": "CorrectionComment", "text": plain(c.note), "datePublished": c.date.isoformat()}
                    for c in corrections
                ],
            }
        )

    def policy(self, policy: Policy) -> Markup:
        """A Legislation."""
        latest = policy.latest(self.catalog.today)
        passed = next((c for c in policy.history if c.status in (Status.PASSED, Status.ENACTED)), None)
        return _script(
            {
                "@context": "https://schema.org",
                "@type": "Legislation",
                "name": policy.title,
                "description": plain(policy.summary),
                "legislationIdentifier": policy.number,
                "legislationJurisdiction": {
                    "@type": "AdministrativeArea",
                    "name": place_words(policy.place, self.catalog.config.archive.language),
                },
                "legislationDate": passed.date.isoformat() if passed and passed.date <= self.catalog.today else "",
                "legislationLegalForce": f"https://schema.org/{_FORCE[latest.status]}"
                if latest and latest.status in _FORCE
                else "",
                "sponsor": [{"@type": "Person", "name": name} for name in policy.sponsors],
                "keywords": list(policy.topics),
                "sameAs": policy.url,
                "url": f"{self.base}/policies/{policy.slug}/",
            }
        )


def _script(data: Mapping[str, Any]) -> Markup:
    text = legal(json.dumps({k: v for k, v in data.items() if v}, ensure_ascii=False, sort_keys=True))
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))  # noqa: S704 (escaped just here)


def share_links(title: str, url: str, email: str) -> tuple[tuple[str, str], ...]:
    """Where a page can be shared, by name: plain addresses of the services' own forms. `email` is the word for it."""
    title = legal(title)
    text = quote(f"{title} {url}", safe="")
    return (
        (email, f"mailto:?subject={quote(title, safe='')}&body={quote(url, safe='')}"),
        ("Bluesky", f"https://bsky.app/intent/compose?text={text}"),
        ("Mastodon", f"https://share.joinmastodon.org/#text={text}"),
    )
