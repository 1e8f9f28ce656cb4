"""Links that other people's gateways and sites wrapped."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from newsletter.config import CollectConfig
from newsletter.links import canonical

TRACKING = CollectConfig().tracking
TARGET = "https://example.org/story?id=7"
ENCODED = quote(TARGET, safe="")
BASE64 = base64.urlsafe_b64encode(TARGET.encode()).decode().rstrip("=")
V2 = TARGET.replace(":", "-3A").replace("/", "_").replace("?", "-3F").replace("=", "-3D")


@pytest.mark.parametrize(
    "wrapped",
    [
        f"https://urldefense.proofpoint.com/v1/url?u={ENCODED}&k=abc&r=def",
        f"https://urldefense.proofpoint.com/v2/url?u={V2}&d=DwMFaQ&c=abc&r=def&m=ghi&s=jkl&e=",
        "https://urldefense.com/v3/__https://example.org/story?id=7__;!!Abc123!TOKEN$",
        "https://urldefense.com/v3/__https:/example.org/story*id=7__;Pw!!Abc123!TOKEN$",
        "https://urldefense.us/v3/__https://example.org/story?id=7__;!!Abc!T$ ",
        *(
            f"https://{host}/?url={ENCODED}&data=05%7C01%7Cjane%40example.org&sdata=x&reserved=0"
            for host in (
                "nam02.safelinks.protection.outlook.com",
                "usg01.safelinks.protection.office365.us",
                "gcc02.safelinks.protection.outlook.us",
                "chn.safelinks.protection.partner.outlook.cn",
                "aus01.safelinks.protection.outlook.com",
            )
        ),
        f"https://statics.teams.cdn.office.net/evergreen-assets/safelinks/2/atp-safelinks.html?url={ENCODED}&x=1",
        f"https://www.google.com/url?q={ENCODED}&sa=D&ust=1",
        f"https://www.google.co.uk/url?sa=t&url={ENCODED}",
        "https://www.google.com/amp/s/example.org/story?id=7",
        f"https://l.facebook.com/l.php?u={ENCODED}%26fbclid%3Dabc&h=AT0",
        f"https://lm.facebook.com/l.php?u={ENCODED}",
        f"https://l.instagram.com/?u={ENCODED}&e=AT0",
        f"https://l.threads.net/?u={ENCODED}",
        f"https://www.linkedin.com/redir/redirect?url={ENCODED}&urlhash=x",
        f"https://www.linkedin.com/safety/go?url={ENCODED}&trk=x",
        f"https://www.youtube.com/redirect?event=video&q={ENCODED}",
        f"https://linkprotect.cudasvc.com/url?a={ENCODED}&c=E,1,x&typo=1",
        f"https://secure-web.cisco.com/1AbC_d-e/{ENCODED}",
        f"https://us-west-2.protection.sophos.com/?d=example.org&u={BASE64}&i=x&t=y&h=z",
        f"https://smex-ctp.trendmicro.com:443/wis/clicktime/v1/query?url={ENCODED}&umid=x&auth=y",
        f"https://protect2.fireeye.com/v1/url?k=a&q=1&e=b&u={ENCODED}",
        f"https://clicktime.symantec.com/3AbC?u={ENCODED}",
        f"https://protect.checkpoint.com/v2/___{TARGET}___.YXBz",
        f"https://url.avanan.click/v2/___{TARGET}___.YXBz",
        f"https://protect-us.mimecast.com/s/abc?url={ENCODED}",
        f"https://link.edgepilot.com/s/1/x?u={ENCODED}",
        f"https://www.bing.com/ck/a?!&&p=x&u=a1{BASE64}&ntb=1",
        f"https://duckduckgo.com/l/?uddg={ENCODED}&rut=x",
        f"https://r.search.yahoo.com/_ylt=x/RV=2/RO=10/RU={ENCODED}/RK=2/RS=x-",
        f"https://vk.com/away.php?to={ENCODED}",
        f"https://href.li/?{TARGET}",
    ],
)
def test_a_wrapped_link_is_unwrapped(wrapped: str) -> None:
    assert canonical(wrapped, TRACKING) == TARGET


def test_proofpoints_runs_of_characters_are_filled_in() -> None:
    wrapped = "https://urldefense.com/v3/__https://example.org/a*b**Ac__;P8O8w6Q!!Abc!T$"
    assert canonical(wrapped, ()) == "https://example.org/a?b%C3%BC%C3%A4c"


def test_a_link_that_was_wrapped_twelve_times_is_unwrapped() -> None:
    wrapped = TARGET
    for number in range(12):
        service = ("https://www.google.com/url?q=", "https://nam02.safelinks.protection.outlook.com/?url=")[number % 2]
        wrapped = service + quote(wrapped, safe="")
    assert canonical(wrapped, TRACKING) == TARGET


@pytest.mark.parametrize(
    "inner",
    ["javascript:alert(1)", "data:text/html,x", "https://[tbd].org/", "https://u:p@example.org/", "//example.org", ""],
)
def test_what_a_wrapper_holds_is_judged_as_any_other_address(inner: str) -> None:
    wrapped = f"https://www.google.com/url?q={quote(inner, safe='')}"
    assert canonical(wrapped, TRACKING) == wrapped


def test_an_unwrapped_link_holds_no_markup() -> None:
    wrapped = "https://www.google.com/url?q=https%3A%2F%2Fx.example%2F%23%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"
    assert canonical(wrapped, TRACKING) == "https://x.example/#%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
