"""The public service as tests use it: its pages over a client or a real server, and the mails that it sends."""

from __future__ import annotations

import email
import email.policy
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import urlsplit

from sqlalchemy import select
from werkzeug.serving import make_server

from newsletter import audience
from newsletter.store.records import ConsentRecord, SubscriberRecord
from newsletter.web import create_app
from newsletter.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail of the service, as somebody reads it."""

    subject: str
    text: str
    html: str

    @property
    def path(self) -> str:
        """Where its link leads, within the service."""
        links = re.findall(r"https://\S+", self.text)
        return str(next(urlsplit(link).path for link in links if re.search(r"/(p|confirm|data|forget|address)/", link)))


def mailed(space: Workspace) -> list[Letter]:
    """Deal with what is due; gives the mails that came of it, in order."""
    before = set(space.folder.glob("outbox/notice-*/*.eml"))
    space.transactional_mail().deliver()
    fresh = set(space.folder.glob("outbox/notice-*/*.eml")) - before
    return [_read(path.read_bytes()) for path in sorted(fresh, key=lambda path: -int(path.stem))]


def _read(raw: bytes) -> Letter:
    message = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
    parts = {part.get_content_type(): str(part.get_content()) for part in message.walk() if not part.is_multipart()}
    return Letter(str(message["Subject"]), parts["text/plain"], parts["text/html"])


def person(space: Workspace, address: str) -> SubscriberRecord | None:
    """Who has an address."""
    with space.store.read() as session:
        return audience.find(session, address)


def standing(space: Workspace, address: str) -> dict[str, str]:
    """Where somebody stands on each list."""
    with space.store.read() as session:
        found = audience.find(session, address)
        return {row.list: row.status for row in audience.subscriptions(session, found.id)} if found else {}


def history(space: Workspace, address: str) -> list[ConsentRecord]:
    """How they came to stand there."""
    with space.store.read() as session:
        found = audience.find(session, address)
        assert found
        query = select(ConsentRecord).where(ConsentRecord.subscriber_id == found.id)
        return list(session.scalars(query.order_by(ConsentRecord.id)))


@contextmanager
def served(space: Workspace) -> Iterator[str]:
    """The service on a real port; gives its address."""
    server = make_server("127.0.0.1", 0, create_app(space), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
