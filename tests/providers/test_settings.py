"""Settings, keys and roads that can't work: told before anything is sent, and nothing is unknown."""

from __future__ import annotations

import datetime as dt
import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from newsletter.config import ProviderConfig
from newsletter.errors import ConfigError, NotSent, OutcomeUnknown
from newsletter.model import Outcome
from newsletter.providers import Provider, load, provider_class
from newsletter.providers.files import Files
from newsletter.providers.mailjet import Mailjet, Options
from newsletter.providers.memory import Memory
from newsletter.providers.smtp import Security
from newsletter.tables import Document
from tests.providers.fakes import KEY, SmtpFake, serve
from tests.providers.lines import ALL_NAMES, CALLED, FAKES, NAMES, call, connected, gathered, made, outcomes, smtp

#: Vendors with one HTTP base; SES goes through boto3.
OWN = [name for name in FAKES if name != "ses"]
NEEDED = {
    "mailgun": 'domain = "mg.example.org"\n',
    "ses": 'region = "us-east-1"\n',
    "smtp": 'host = "mail.example.org"\n',
}


def at(name: str, url: str, key: str = KEY, **more: Any) -> Provider:
    return smtp(url, **more) if name == "smtp" else made(name, url, lambda: CALLED, key, **more)


def configured(name: str, text: str = "") -> ProviderConfig:
    table = Document.parse(NEEDED.get(name, "") + text, "config.toml").root()
    return ProviderConfig(slug=name, type=name, table=table)


# Nothing was sent.


def not_sent(provider: Provider) -> str:
    receipts, fault = gathered(lambda: provider.send(call()))
    provider.close()
    assert receipts == []
    assert isinstance(fault, NotSent), repr(fault)
    return str(fault)


@pytest.mark.parametrize("name", [*FAKES, "smtp"])
def test_where_nothing_listens_nothing_was_sent(name: str) -> None:
    assert "127.0.0.1:1/" not in not_sent(at(name, "http://127.0.0.1:1"))


@pytest.mark.parametrize("name", [*FAKES, "smtp"])
def test_an_unknown_host_was_sent_nothing(name: str) -> None:
    not_sent(at(name, "https://nowhere.invalid:25"))


@pytest.mark.parametrize("name", list(FAKES))
def test_a_proxy_that_is_away_was_sent_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    not_sent(at(name, "https://api.example.invalid"))


def certificate(folder: Path) -> Path:
    """A certificate that nobody has reason to trust, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    now = dt.datetime.now(dt.UTC)
    made = made.serial_number(1).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(1))
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    made = made.add_extension(names, critical=False)
    path = folder / "cert.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    return path


class _Breaking(http.server.BaseHTTPRequestHandler):
    """Reads a request and ends the connection without a word, not even TLS's own goodbye."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.connection.unwrap = lambda: None
        self.server.heard += 1  # type: ignore[attr-defined]
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


class _Secure(http.server.ThreadingHTTPServer):
    heard = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """A handshake that fails is what these tests are about."""


@contextmanager
def secure(folder: Path) -> Iterator[_Secure]:
    server = _Secure(("127.0.0.1", 0), _Breaking)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(folder))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("name", list(FAKES))
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_certificate_that_nobody_vouches_for_was_sent_nothing(name: str, tmp_path: Path) -> None:
    with secure(tmp_path) as server:
        said = not_sent(at(name, f"https://127.0.0.1:{server.server_address[1]}"))
        assert "certificate" in said
        assert server.heard == 0


@pytest.mark.parametrize("name", list(FAKES))
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_secure_connection_that_breaks_after_the_request_is_unknown(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secure(tmp_path) as server:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert.pem"))
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "cert.pem"))
        provider = at(name, f"https://127.0.0.1:{server.server_address[1]}")
        _, fault = gathered(lambda: provider.send(call()))
        provider.close()
        assert server.heard == 1
        assert isinstance(fault, OutcomeUnknown), repr(fault)


def test_a_mail_server_with_a_certificate_of_its_own_was_sent_nothing(tmp_path: Path) -> None:
    with secure(tmp_path) as server:
        assert "certificate" in not_sent(smtp(f"smtps://127.0.0.1:{server.server_address[1]}", security=Security.TLS))


# Keys.


@pytest.mark.parametrize("name", list(FAKES))
@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}\r\n", f" {KEY} ", f"\t{KEY}"])
def test_a_key_from_a_mounted_file_works(name: str, key: str) -> None:
    with connected(name, key=key) as line:
        assert outcomes(line.provider.send(call())) == [Outcome.ACCEPTED] * 3


@pytest.mark.parametrize("name", list(FAKES))
@pytest.mark.parametrize("key", ["two words", "two\nlines", "ключ", "a\x00b", "“quoted”"])
def test_a_key_that_no_vendor_gives_is_a_fault_of_the_settings(name: str, key: str) -> None:
    with connected(name, key=key) as line:
        for ask in (lambda: line.provider.route(), lambda: list(line.provider.send(call()))):
            with pytest.raises(ConfigError) as caught:
                ask()
            assert key not in str(caught.value)
            assert "$" in str(caught.value)
        assert line.addresses == []


@pytest.mark.parametrize("name", OWN)
def test_without_a_key_one_line_says_which_variable_to_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in NAMES:
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ConfigError, match=r"set \$[A-Z_]+"):
        load(configured(name), Path()).route()


def test_without_credentials_ses_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*NAMES, "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(ConfigError, match=r"set \$AWS_ACCESS_KEY_ID"):
        load(configured("ses"), Path()).route()


def test_half_of_mailjets_key_is_no_key() -> None:
    provider = Mailjet(Options(base_url="http://127.0.0.1:1"), {"MAILJET_API_KEY": "x"})
    with pytest.raises(ConfigError, match="MAILJET_SECRET_KEY"):
        provider.route()


@pytest.mark.parametrize("name", OWN)
def test_receiving_needs_no_key_for_sending(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.providers.reasons import REASONS
    from tests.providers.signatures import SECRETS, made_for_webhooks

    provider = made_for_webhooks(name, SECRETS)
    for kinds, tells in REASONS[name]:
        assert bool(list(provider.parse_webhook(*tells(1)))) is bool(kinds)


# Addresses.

WRONG_URLS = (
    *("api.example.org", "http://api.example.org", "ftp://api.example.org", "https://", "https://api.example.org/?a=b"),
    *("https://me:word@api.example.org", "https://api.example.org/#x", "https://api example.org", "https://ä.example"),
    *("https://[", "https://api.example.org:port", ""),
)


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("url", WRONG_URLS)
def test_an_address_that_cannot_be_right_is_a_fault_of_the_settings(name: str, url: str) -> None:
    with pytest.raises(ConfigError, match=r"config\.toml.*base_url"):
        provider_class(configured(name)).from_config(configured(name, f'base_url = "{url}"\n').table, Path())


@pytest.mark.parametrize("url", [url for url in WRONG_URLS if url])
def test_an_address_of_sess_that_cannot_be_right_is_a_fault_of_the_settings(url: str) -> None:
    with pytest.raises(ConfigError, match=r"config\.toml.*base_url"):
        load(configured("ses", f'base_url = "{url}"\n'), Path())


@pytest.mark.parametrize(
    ("name", "text", "about"),
    [
        ("mailgun", "lookup_delay = 0.5\n", "lookup_delay"),
        ("postmark", "lookup_delay = 0.9\ntimeout = 60\n", "lookup_delay"),
        ("postmark", 'stream = "a b"\n', "stream"),
        ("resend", "timeout = 0.5\n", "timeout"),
        ("brevo", "timeout = 601\n", "timeout"),
        ("ses", 'topic_arn = "arn:aws:sns:us-east-1:1:x"\n', "topic_arn"),
        ("smtp", "port = 0\n", "port"),
        ("smtp", "timeout = 0\n", "timeout"),
        ("smtp", 'dkim_selector = "x"\n', "DKIM"),
        ("sendgrid", 'sanbox = "x"\n', "sanbox"),
    ],
)
def test_a_setting_that_cannot_be_right_is_told_with_its_line(name: str, text: str, about: str) -> None:
    with pytest.raises(ConfigError, match=rf"config\.toml.*{about}"):
        load(configured(name, text), Path())


@pytest.mark.parametrize(("name", "wrong"), [("mailgun", "bücher.example"), ("ses", "us east"), ("smtp", "mail host")])
def test_a_place_that_cannot_be_right_is_told(name: str, wrong: str) -> None:
    key = {"mailgun": "domain", "ses": "region", "smtp": "host"}[name]
    table = Document.parse(f'{key} = "{wrong}"\n', "config.toml").root()
    with pytest.raises(ConfigError, match=key):
        load(ProviderConfig(slug=name, type=name, table=table), Path())


# Routes.

ELSEWHERE: dict[str, dict[str, Any]] = {
    "mailgun": {"domain": "other.example.org"},
    "postmark": {"stream": "news"},
    "ses": {"region": "eu-west-1"},
}


@pytest.mark.parametrize("name", list(FAKES))
def test_a_route_tells_accounts_and_places_apart_and_holds_no_key(name: str) -> None:
    here = at(name, "https://a.example.org").route()
    assert here.type == name
    assert here == at(name, "https://a.example.org").route()
    assert here.difference(at(name, "https://b.example.org").route()) == "base_url"
    assert here.difference(at(name, "https://a.example.org", key="another-key").route()) == "key"
    assert here.difference(at(name, "https://a.example.org", timeout=9.0).route()) == ""
    for setting, value in ELSEWHERE.get(name, {}).items():
        assert here.difference(at(name, "https://a.example.org", **{setting: value}).route()) == setting
    if name != "ses":  # an access key's id is no secret
        assert KEY not in str(here)
    assert here.difference(replace(here, type="other")) == "type"


def test_the_routes_of_the_others(tmp_path: Path) -> None:
    with serve(SmtpFake()) as fake:
        here = smtp(fake.url).route()
        assert here.difference(smtp("smtp://127.0.0.2:25").route()) == "host, port"
        login = smtp(fake.url, {"NEWSLETTER_SMTP_PASSWORD": "hush"}, username="me").route()
        assert here.difference(login) == "username"
        assert "hush" not in str(login)
    assert Files(tmp_path / "a").route().difference(Files(tmp_path / "b").route()) == "folder"
    assert Memory().route().difference(Memory().route()) == ""


def test_every_provider_has_a_route() -> None:
    assert {*FAKES, "smtp", "files", "memory"} == set(ALL_NAMES)


# A login.


def test_a_login_without_a_password_is_a_fault_of_the_settings() -> None:
    with pytest.raises(ConfigError, match="NEWSLETTER_SMTP_PASSWORD"):
        smtp("smtp://127.0.0.1:1", username="me").route()


@pytest.mark.parametrize("word", ["пароль", "é"])
def test_a_password_that_smtp_cannot_carry_is_a_fault_of_the_settings(word: str) -> None:
    provider = smtp("smtp://127.0.0.1:1", {"NEWSLETTER_SMTP_PASSWORD": word}, username="me")
    with pytest.raises(ConfigError) as caught:
        provider.route()
    assert word not in str(caught.value)
