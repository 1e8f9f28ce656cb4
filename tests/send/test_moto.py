"""moto (https://docs.getmoto.org), AWS emulated by others, on loopback: a sender's identity at SES, a bucket of S3.

Of SES's operations that the provider calls, moto has GetEmailIdentity alone. GetAccount is answered here, in front of
it; for SendBulkEmail tests/send/test_ses_local.py has another emulator. moto checks neither keys nor signatures, and
verifies no identity by itself.
"""

from __future__ import annotations

import json
import logging
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests
from werkzeug.serving import make_server

from tests.conftest import needed
from tests.desk import Desk
from tests.ses_local import account

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NAME = "network-download-2022-10"
REGION = "us-east-1"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@contextmanager
def serve_moto(*, with_account: bool) -> Iterator[str]:
    """The address of an empty moto, until the block ends; `with_account` answers GetAccount, which moto lacks."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if with_account and environ["PATH_INFO"] == "/v2/email/account":
            start("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(account(production=True)).encode()]
        answer: Iterable[bytes] = moto(environ, start)
        return answer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        requests.post(f"{url}/moto-api/reset", timeout=10).raise_for_status()
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def _moto_is_there() -> None:
    try:
        import moto  # noqa: F401 (whether it's there)
    except ImportError:
        needed("moto is not installed")


def client(service: str, url: str) -> Any:
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    return boto3.client(service, endpoint_url=url, region_name=REGION, **keys)


def config_check(desk: Desk, url: str) -> subprocess.CompletedProcess[str]:
    """Ask SES at an address about all publications' senders, who share a domain."""
    path = desk.folder / "config.toml"
    text = path.read_text(encoding="utf-8").replace('provider = "files"', 'provider = "ses"')
    path.write_text(f'{text}\n[providers.ses]\nregion = "{REGION}"\nbase_url = "{url}"\n', encoding="utf-8")
    return desk.run("config", "check", "--online", **KEYS)


@pytest.mark.parametrize(
    ("identity", "said"),
    [("verified", ""), ("unverified", "example.org is not verified"), ("unknown", "example.org: ")],
)
def test_config_check_passes_only_for_a_sender_whose_domain_is_verified(desk: Desk, identity: str, said: str) -> None:
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.ses.models import ses_backends

    with serve_moto(with_account=True) as url:
        if identity != "unknown":
            client("sesv2", url).create_email_identity(EmailIdentity="example.org")
            found = ses_backends[DEFAULT_ACCOUNT_ID][REGION].email_identities["example.org"]
            found.verified_for_sending_status = identity == "verified"
        done = config_check(desk, url)
    assert done.returncode == (0 if identity == "verified" else 1), done.stderr
    assert said in done.stderr


def test_a_server_that_is_not_ses_is_an_error_of_one_line_without_markup(desk: Desk) -> None:
    with serve_moto(with_account=False) as url:
        done = config_check(desk, url)
    assert done.returncode == 1
    assert "404" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "<" not in done.stderr


def test_the_archive_is_published_to_a_bucket_and_only_changes_are_uploaded(desk: Desk) -> None:
    desk.space.approve(NAME, by="Ada")
    with serve_moto(with_account=False) as url:
        bucket = client("s3", url)
        bucket.create_bucket(Bucket="news")
        first = desk.run("publish", "--to", "s3://news/site", AWS_ENDPOINT_URL_S3=url, **KEYS)
        assert first.returncode == 0, first.stderr
        page = bucket.get_object(Bucket="news", Key=f"site/{NAME}/index.html")
        assert page["ContentType"] == "text/html; charset=utf-8"
        assert b"HB 1 in court and more" in page["Body"].read()
        again = desk.run("publish", "--to", "s3://news/site", AWS_ENDPOINT_URL_S3=url, **KEYS)
    assert again.returncode == 0, again.stderr
    assert " 0 files written" in again.stderr
