"""aws-ses-v2-local (npm), an emulator of Amazon SES by others, on loopback.

It answers SendBulkEmail, filling templates by Handlebars as SES does, and GetAccount with what it's given. It checks
no signature, no identity and no quota, takes any number of entries in a call, and knows no suppression list,
configuration set or event; nothing is mailed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

_NODE = shutil.which("node") or ""
#: Where `.ci/run` installs it: outside of the repository.
_INSTALLED = Path(os.environ.get("NEWSLETTER_NODE_TOOLS") or Path.home() / ".cache" / "newsletter-desk" / "node")
_PROGRAM = _INSTALLED / "node_modules" / "aws-ses-v2-local" / "dist" / "cli.js"
_ANSWERS = re.compile(r"server running at \S+:(\d+)")


def missing() -> str:
    """Why it can't be run here; empty when it can."""
    if not _NODE:
        return "node is not installed"
    return "" if _PROGRAM.exists() else "npm's aws-ses-v2-local is not installed (see .ci/run)"


@dataclass(frozen=True)
class SesLocal:
    """The running emulator."""

    url: str

    def emails(self) -> list[dict[str, Any]]:
        """The messages that it made, one a recipient: destination, subject, body, headers."""
        with requests.get(f"{self.url}/store", timeout=10) as answer:
            emails: list[dict[str, Any]] = answer.json()["emails"]
        return emails


def account(*, production: bool) -> dict[str, Any]:
    """What GetAccount answers, for an account in the sandbox or out of it."""
    details = {
        "AdditionalContactEmailAddresses": [],
        "ContactLanguage": "EN",
        "MailType": "MARKETING",
        "ReviewDetails": {"CaseId": "1", "Status": "GRANTED" if production else "PENDING"},
        "UseCaseDescription": "A newsletter",
        "WebsiteURL": "https://example.org/",
    }
    return {
        "DedicatedIpAutoWarmupEnabled": False,
        "Details": details,
        "EnforcementStatus": "HEALTHY",
        "ProductionAccessEnabled": production,
        "SendingEnabled": True,
        "SendQuota": {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 0.0},
        "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
    }


@contextmanager
def serve_ses_local(*, production: bool = True) -> Iterator[SesLocal]:
    """A server on a free port of 127.0.0.1 until the block ends."""
    environment = {**os.environ, "AWS_SES_ACCOUNT": json.dumps(account(production=production))}
    command = [_NODE, str(_PROGRAM), "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout
        try:
            said = ""
            for line in process.stdout:
                said += line
                if found := _ANSWERS.search(line):
                    yield SesLocal(f"http://127.0.0.1:{found[1]}")
                    break
            else:
                raise RuntimeError(f"aws-ses-v2-local ended: {said}")
        finally:
            process.kill()
