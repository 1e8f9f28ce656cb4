"""The floor of `million`: what a plain script would do, with sqlite3, json and requests, and no code of the product's.

    python -m benchmarks.floor FOLDER     one run by itself, for the benchmark to start; prints JSON

FOLDER holds `ledger.db`, with the people and a row for each delivery, and `template.json`: the call's fields as they
are the same for everybody, the merge fields as [variable, escaped, column, fallback], the address and the keys. The
rows are made before the clock starts: the floor has no plan, doesn't look at who left, and doesn't keep what it sent.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import requests

_CALL = 1_000


def run(folder: Path) -> dict[str, float]:
    """Submit everybody, a thousand a call: rows to submitting, the call, rows to submitted."""
    template = json.loads((folder / "template.json").read_text(encoding="utf-8"))
    start = time.perf_counter()
    database = sqlite3.connect(folder / "ledger.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    session = requests.Session()
    session.auth = ("api", "key")
    last = 0
    while page := database.execute(
        "SELECT id, address, first_name, last_name, state, locality FROM deliveries"
        " WHERE id > ? AND status = 'pending' ORDER BY id LIMIT ?",
        (last, _CALL),
    ).fetchall():
        last = page[-1][0]
        numbers = [(row[0],) for row in page]
        _commit(database, "UPDATE deliveries SET status = 'submitting' WHERE id = ?", numbers)
        with session.post(template["url"], files=_form(template, page), timeout=60) as answer:
            message = answer.json()["id"]
        named = [(message, number) for (number,) in numbers]
        _commit(database, "UPDATE deliveries SET status = 'submitted', message_id = ? WHERE id = ?", named)
    database.close()
    return {"seconds": time.perf_counter() - start}


def _commit(database: sqlite3.Connection, statement: str, rows: list[Any]) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.executemany(statement, rows)
    database.execute("COMMIT")


def _form(template: dict[str, Any], page: list[Any]) -> list[tuple[str, tuple[None, str]]]:
    variables = {}
    key, columns = template["key"].encode(), ("first_name", "last_name", "state", "locality")
    for number, address, *values in page:
        known = dict(zip(columns, values, strict=True))
        body = number.to_bytes(8) + template["list"].encode()
        token = (body + hmac.digest(key, body, "sha256")[:16]).hex()
        known["unsubscribe_url"] = url = f"{template['service']}/u/{token}"
        known["preferences_url"] = f"{template['service']}/p/{token}"
        entry = {"mark": f"d{number}-{hmac.digest(key, b'%d' % number, hashlib.sha256).hex()[:20]}"}
        entry |= {"unsubscribe": url, "percent": "%"}
        for variable, escaped, name, fallback in template["merge"]:
            value = known[name] or fallback
            entry[variable] = html.escape(value) if escaped else value
        variables[address] = entry
    fields = [*template["fields"], ["to", ",".join(row[1] for row in page)]]
    fields.append(["recipient-variables", json.dumps(variables)])
    return [(name, (None, value)) for name, value in fields]


def main() -> None:
    """One run."""
    told = run(Path(sys.argv[1]))
    assert not any(name.partition(".")[0] == "newsletter" for name in sys.modules)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    told["peak"] = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps(told))


if __name__ == "__main__":
    main()
