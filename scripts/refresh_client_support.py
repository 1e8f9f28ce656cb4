"""Make newsletter/check/client_support.json anew from npm's caniemail package (MIT; data of caniemail.com).

    python scripts/refresh_client_support.py            fetch the package with npm, in a temporary folder
    python scripts/refresh_client_support.py DATA.json  use a data file that is here already

The table holds what a client that matters doesn't support at all, in the terms in which
`newsletter.check.clients` looks at a mail. The same data gives the same file.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "newsletter" / "check" / "client_support.json"
#: Family and platform as the data names them, and what people call the client.
CLIENTS = {
    ("gmail", "desktop-webmail"): "Gmail",
    ("gmail", "ios"): "Gmail on iOS",
    ("gmail", "android"): "Gmail on Android",
    ("apple-mail", "macos"): "Apple Mail",
    ("apple-mail", "ios"): "Apple Mail on iOS",
    ("outlook", "windows"): "Outlook on Windows",
    ("outlook", "outlook-com"): "Outlook.com",
    ("outlook", "ios"): "Outlook on iOS",
    ("yahoo", "desktop-webmail"): "Yahoo",
    ("yahoo", "ios"): "Yahoo on iOS",
    ("yahoo", "android"): "Yahoo on Android",
    ("protonmail", "desktop-webmail"): "Proton Mail",
    ("protonmail", "ios"): "Proton Mail on iOS",
    ("protonmail", "android"): "Proton Mail on Android",
}
#: How a feature's title is written, and what it means in a mail.
_TITLES = (
    (r'<input type="([a-z]+)"> element', "input {}"),
    (r"Embedded <([a-z]+)> image", "element {}"),
    (r"<([a-z0-9-]+)> element", "element {}"),
    (r"([a-z-]+) attribute", "attribute {}"),
    (r"@([a-z-]+)(?: rule)?", "at-rule {}"),
    (r"@media \(([a-z-]+)\)", "media {}"),
    (r"(:{1,2}[a-z-]+)(?:\(\))?(?: pseudo-(?:class|element))?", "pseudo {}"),
    (r"([a-z-]+)\(\)(?: function)?", "function {}"),
    (r"([a-z-]+):\s*([a-z-]+)", "declaration {}:{}"),
    (r"([a-z]+) unit", "unit {}"),
    (r"([a-z-]+)(?: property)?", "property {}"),
)


def main() -> None:
    """Read, sort, write."""
    data = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8") if sys.argv[1:] else fetched())
    TARGET.write_text(table(data), encoding="utf-8")
    print(f"{TARGET.name}: {len(list(features(data)))} features, as of {data['last_update_date'][:10]}")


def fetched() -> str:
    """The data file of the newest package."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", "caniemail"], cwd=folder, check=True, capture_output=True)  # noqa: S607
        (package,) = Path(folder).glob("*.tgz")
        with tarfile.open(package) as archive:
            member = archive.extractfile("package/data/caniemail.json")
            if member is None:
                raise SystemExit("the package has no data/caniemail.json any more; look at its new layout")
            return member.read().decode("utf-8")


def table(data: dict[str, Any]) -> str:
    """The text of the table."""
    rows = sorted(features(data), key=lambda row: row["feature"])
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    updated = data["last_update_date"][:10]
    return f'{{"updated": "{updated}", "source": "https://www.caniemail.com", "features": [\n{lines}\n]}}\n'


def features(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What at least one of the clients doesn't support, each feature once."""
    seen: set[str] = set()
    for entry in data["data"]:
        lacking = [name for (family, platform), name in CLIENTS.items() if lacks(entry, family, platform)]
        for feature in named(entry["title"], entry["category"]) if lacking else ():
            if feature not in seen:
                seen.add(feature)
                yield {"feature": feature, "page": entry["url"], "clients": lacking}


def lacks(entry: dict[str, Any], family: str, platform: str) -> bool:
    """Whether a client's newest tested version supports nothing of a feature."""
    versions = entry["stats"].get(family, {}).get(platform, {})
    return bool(versions) and str(list(versions.values())[-1]).startswith("n")


def named(title: str, category: str) -> Iterator[str]:
    """The terms of a feature's title; none for what can't be seen in a mail, such as prose or image formats."""
    if category not in ("html", "css"):
        return
    for part in re.split(r",\s*|\s+and\s+", title):
        for pattern, form in _TITLES:
            found = re.fullmatch(pattern, part.strip(), re.IGNORECASE)
            if found and not (form == "property {}" and category == "html"):
                yield form.format(*found.groups()).lower()
                break


if __name__ == "__main__":
    main()
