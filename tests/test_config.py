"""config.toml: read once, every fault with its line and the nearest known name."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.config import Config, load, parse
from newsletter.errors import ConfigError, NotFound
from newsletter.providers import Provider
from newsletter.providers import load as load_provider
from newsletter.resources import EXAMPLE_CONFIG

EXAMPLE = EXAMPLE_CONFIG.read_text(encoding="utf-8")


def changed(old: str, new: str) -> Config:
    assert old in EXAMPLE
    return parse(EXAMPLE.replace(old, new, 1), Path("config.toml"))


def test_the_example_loads_as_it_is() -> None:
    config = load(EXAMPLE_CONFIG)
    assert list(config.publications) == ["network-download", "workers-rights"]
    assert config.publications["workers-rights"].partner is not None


@pytest.mark.parametrize(
    ("old", "new", "said", "hint"),
    [
        ('timezone = "A', 'timezoen = "A', 'unknown key "timezoen"', 'did you mean "timezone"?'),
        ('tagline = "News', 'taglien = "News', 'unknown key "taglien"', 'did you mean "tagline"?'),
        ("America/New_York", "America/Newyork", "unknown timezone", "America/New_York"),
        ('sender = "desk"', 'sender = "dekc"', 'no sender "dekc" is configured', 'did you mean "desk"?'),
        ('list = "network-download"', 'list = "network"', 'no list "network"', "network-download"),
        ('provider = "files"', 'provider = "fils"', 'no provider "fils"', 'did you mean "files"?'),
        ('url = "https://mail.example.org"', 'url = "http://mail.example.org"', "must start with https://", ""),
        ('accent = "#0f5f8c"', 'accent = "blue"', '"accent" must be a colour', ""),
        ("cadence_days = 30", 'cadence_days = "30"', '"cadence_days" must be a whole number, not a text', ""),
        ('address = "news@example.org"', 'address = "news"', '"address" is not an e-mail address', ""),
        ("{headlines} | {month}", "{headline} | {month}", '"title" knows', ""),
        ('kinds = ["news"]', 'kinds = ["gossip"]', '"gossip" is no kind of item', ""),
        ('name = "Network Download"', 'name = "Network', "not valid TOML", ""),
        ("[lists.workers-rights]", "[lists.Workers]", '"Workers" is no slug', ""),
        ('postal_address = "100', 'postal_addres = "100', 'unknown key "postal_addres"', '"postal_address"'),
        ("100 Example Street, Suite 5, Denver, CO 80202", " ", '"postal_address" is empty', ""),
    ],
)
def test_a_fault_is_one_line_with_its_place(old: str, new: str, said: str, hint: str) -> None:
    line = EXAMPLE[: EXAMPLE.index(old)].count("\n") + 1
    with pytest.raises(ConfigError) as caught:
        changed(old, new)
    assert said in str(caught.value)
    assert hint in caught.value.hint
    found = int(caught.value.where.rpartition(":")[2])
    assert line - 12 <= found <= line + 12
    assert "\n" not in str(caught.value)


def test_a_provider_refuses_a_key_of_its_own_that_it_does_not_know() -> None:
    config = changed("port = 587\n", "port = 587\nprot = 1\n")
    with pytest.raises(ConfigError, match=r'unknown key "prot".*did you mean "port"') as caught:
        load_provider(config.providers["smtp"], Path())
    line = EXAMPLE[: EXAMPLE.index("port = 587")].count("\n") + 2
    assert caught.value.where == f"config.toml:{line}"


def test_a_missing_file_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="newsletter init"):
        load(tmp_path / "config.toml")


def test_a_file_in_another_encoding_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes("name = 'é'".encode("cp1252"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "config.toml")


def test_a_publication_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(NotFound, match='did you mean "workers-rights"'):
        load(EXAMPLE_CONFIG).publication("worker-right")


def test_the_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(EXAMPLE, encoding="utf-8")
    config = load(path)
    first = config.keyring({})()[-1]
    assert config.keyring({})()[-1] == first
    assert len(first) >= 32
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0


def test_the_environment_wins_over_the_secret_file(tmp_path: Path) -> None:
    config = parse(EXAMPLE, tmp_path / "config.toml")
    assert config.keyring({"NEWSLETTER_SECRET": "given" * 8})()[-1] == b"given" * 8
    assert not (tmp_path / "secret.key").exists()


SERVICE = 'url = "https://mail.example.org"'
ADDRESSES = [
    ("https://", "a host"),
    ("https:///u", "a host"),
    ("https://:443", "a host"),
    ("https://mail example.org", "without blanks"),
    ("https://mail.example.org\\r\\nBcc: x@example.org", "without blanks"),
    ("https://mail.example.org:99999", "host or port is not valid"),
    ("https://mail.example.org:0", "a host"),
    ("https://mail..example.org", "a host that is not valid"),
    (f"https://{'m' * 70}.example.org", "a host that is not valid"),
    ("https://999.1.1.1", "a host that is not valid"),
    ("https://[::1", "host or port is not valid"),
    ("https://user:password@mail.example.org", "without a user or password"),
    ("https://mäil.example.org", "in ASCII: https://xn--mil-qla.example.org"),
    ("https://mail.example.org/ü", "in ASCII: https://mail.example.org/%C3%BC"),
]
BASES = [
    ("https://mail.example.org/x?y=1", "query"),
    ("https://mail.example.org/#x", "fragment"),
    ("https://mail.example.org/>", "without >"),
]


@pytest.mark.parametrize(("url", "said"), [*ADDRESSES, *BASES])
@pytest.mark.parametrize("old", [SERVICE, 'url = "https://news.example.org/"'], ids=["service", "archive"])
def test_an_address_that_links_are_made_of_is_checked_when_the_settings_are_read(old: str, url: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        changed(old, f'url = "{url}"')
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(("url", "said"), ADDRESSES)
def test_every_web_address_in_the_settings_is_checked_in_the_same_way(url: str, said: str) -> None:
    texts = [f'{EXAMPLE}\n[{table}]\nurl = "{url}"\n' for table in ("hooks.crm", "collect.feeds.city")]
    for text in (*texts, EXAMPLE.replace('url = "https://example.org/"', f'url = "{url}"', 1)):
        with pytest.raises(ConfigError) as caught:
            parse(text, Path("config.toml"))
        assert said in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        provider(f'[providers.resend]\nbase_url = "{url}"\n', "resend")
    assert said in str(caught.value)


def test_addresses_that_work_are_taken() -> None:
    for url in ("https://mail.example.org/", "https://mail.example.org:8443/news", "https://xn--mil-qla.example.org"):
        assert changed(SERVICE, f'url = "{url}"').service.url == url
    hook = 'url = "http://crm_hook:8000/in?source=news"'
    assert parse(f"{EXAMPLE}\n[hooks.crm]\n{hook}\n", Path("config.toml")).hooks["crm"].url
    provider('[providers.resend]\nbase_url = "http://127.0.0.1:9"\n', "resend")
    with pytest.raises(ConfigError, match="starting with https://"):
        provider('[providers.resend]\nbase_url = "http://resend.example.org"\n', "resend")


def provider(text: str, slug: str, workspace: Path = Path()) -> Provider:
    return load_provider(parse(f"{EXAMPLE}\n{text}", Path("config.toml")).providers[slug], workspace)


NUMBERS = [
    ("[cluster]", "dead_after = {}", ("nan", "inf", "-1.0", "0", "1e9")),
    ("[feedback]", "machine_seconds = {}", ("nan", "-1.0", "1e300")),
    ("[feedback]", "soft_bounces = {}", ("0", "-3", "99999999999999999999999")),
    ("[links]", "pause_seconds = {}", ("nan", "-0.1", "inf")),
    ("[retention]", "webhooks_days = {}", ("-1", "999999999999")),
    ("[s3]", "cache_seconds = {}", ("-1", "9" * 30)),
    ("[service]", "trusted_proxies = {}", ("-1", "1000")),
    ("[service]", 'rate_limit = "{} per minute"', ("0", "9" * 30)),
    ("[publications.network-download]", "largest_change = {}", ("nan", "-0.1", "inf")),
    ("[publications.network-download]", "cadence_days = {}", ("0", "-30", "999999999")),
    ("[providers.smtp]", "calls_per_second = {}", ("nan", "inf", "0.0", "-1.0", "1e-9", "1e12")),
    ("[providers.smtp]", "batch_size = {}", ("0", "-1", "9" * 20)),
    ("[providers.smtp]", "parallel = {}", ("0", "100000")),
    ("[providers.smtp]", "per_day = {}", ("0", "9" * 5_000)),
    ("[providers.smtp]", "timeout = {}", ("nan", "0", "1e9")),
]


@pytest.mark.parametrize(
    ("table", "line", "value"), [(table, line, value) for table, line, values in NUMBERS for value in values]
)
def test_a_number_that_makes_no_sense_is_refused_with_its_line(table: str, line: str, value: str) -> None:
    key = line.partition(" ")[0]
    text = "\n".join(row for row in EXAMPLE.splitlines() if not row.startswith(f"{key} ="))
    section = f"\n{table}\n"
    text = text if section in text else text + section
    text = text.replace(section, f"{section}{line.format(value)}\n", 1)
    with pytest.raises(ConfigError) as caught:
        load_provider(parse(text, Path("config.toml")).providers["smtp"], Path())
    assert "config.toml" in caught.value.where
    assert key in str(caught.value) or "a number is too long" in str(caught.value)


def test_how_long_a_lookup_waits_is_a_number_within_what_the_vendor_keeps() -> None:
    for slug, own in (("mailgun", 'domain = "mg.example.org"\n'), ("postmark", "")):
        for value in ("nan", "inf", "1e9", "-1.0"):
            with pytest.raises(ConfigError, match="lookup_delay"):
                provider(f"[providers.{slug}]\n{own}lookup_delay = {value}\n", slug)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('host = "mail..example.org"', '"host" must be the name of a mail server'),
        (f'host = "{"m" * 70}.example.org"', '"host" must be the name of a mail server'),
        ('host = "mail.example.org"\nusername = "me"\nsecurity = "none"', "sends the password in the clear"),
        ('host = "mail.example.org"\npassword_env = ""', '"password_env" must be the name of an environment'),
    ],
)
def test_a_mail_server_that_cannot_be_used_is_refused_when_the_settings_are_checked(settings: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        provider(f'[providers.own]\ntype = "smtp"\n{settings}\n', "own")


def test_a_key_without_the_name_of_a_variable_is_refused() -> None:
    for name in ("", "A B", "1KEY"):
        with pytest.raises(ConfigError, match='"api_key_env" must be the name of an environment variable'):
            provider(f'[providers.resend]\napi_key_env = "{name}"\n', "resend")
        with pytest.raises(ConfigError, match='"api_secret_env" must be the name of an environment variable'):
            provider(f'[providers.mailjet]\napi_secret_env = "{name}"\n', "mailjet")
        hook = f'[hooks.crm]\nurl = "https://crm.example.org"\nsecret_env = "{name}"\n'
        with pytest.raises(ConfigError, match='"secret_env" must be the name of an environment variable'):
            parse(f"{EXAMPLE}\n{hook}", Path("config.toml"))
