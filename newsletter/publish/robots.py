"""robots.txt (RFC 9309), as the settings say: who may read the archive."""

from __future__ import annotations

#: Programs that read pages to train models, by the name that they look for in robots.txt, as their owners say it:
#: platform.openai.com/docs/bots, support.anthropic.com, developers.google.com/crawling, support.apple.com/119829,
#: commoncrawl.org/ccbot, developers.facebook.com/docs/sharing/webmasters/web-crawlers, developer.amazon.com/amazonbot.
TRAINING = (
    *("GPTBot", "ClaudeBot", "anthropic-ai", "Google-Extended", "Applebot-Extended", "CCBot", "meta-externalagent"),
    *("Amazonbot", "Bytespider", "cohere-training-data-crawler", "Diffbot", "omgili"),
)


def robots_txt(who: str, base: str) -> str:
    """The file: for "all", for all but those that train models ("no-training"), or for "none"."""
    if who == "none":
        return "User-agent: *\nDisallow: /\n"
    barred = "".join(f"User-agent: {name}\n" for name in TRAINING) + "Disallow: /\n\n" if who == "no-training" else ""
    return f"{barred}User-agent: *\nAllow: /\nSitemap: {base}/sitemap.xml\n"
