"""Request bodies held against the vendors' own descriptions of their APIs, where those are at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import botocore.session
import botocore.validate
import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from newsletter.providers.brevo import Brevo
from newsletter.providers.mailgun import Mailgun
from newsletter.providers.postmark import Postmark
from newsletter.providers.resend import Resend
from newsletter.providers.sendgrid import Sendgrid
from newsletter.providers.ses import Ses
from tests.providers.lines import CALLED, call, made


def spec(name: str) -> dict[str, Any]:
    """A vendor's description; skipped where $NEWSLETTER_VENDOR_SPECS names no folder that has it."""
    path = Path(os.environ.get("NEWSLETTER_VENDOR_SPECS", "")) / name
    if not os.environ.get("NEWSLETTER_VENDOR_SPECS") or not path.is_file():
        pytest.skip("the vendors' descriptions aren't here: set NEWSLETTER_VENDOR_SPECS to their folder")
    text = path.read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    return found


def faults(whole: dict[str, Any], pointer: str, body: Any) -> list[str]:
    """What a schema within a description has against a body."""
    registry: Registry[Any] = Registry().with_resource("urn:spec", DRAFT202012.create_resource(whole))
    validator = Draft202012Validator({"$ref": f"urn:spec#{pointer}"}, registry=registry)
    return [f"{'/'.join(map(str, fault.path))}: {fault.message[:200]}" for fault in validator.iter_errors(body)]


def test_resends_description_fits() -> None:
    provider = made("resend", "http://127.0.0.1:1", lambda: CALLED)
    assert isinstance(provider, Resend)
    pointer = "/paths/~1emails~1batch/post/requestBody/content/application~1json/schema"
    assert faults(spec("resend.yaml"), pointer, json.loads(provider.body(call()))) == []


def test_mailguns_description_fits() -> None:
    provider = made("mailgun", "http://127.0.0.1:1", lambda: CALLED)
    assert isinstance(provider, Mailgun)
    form = {name: value for name, (_, value) in provider.form(call())}
    flat: dict[str, Any] = {**form, "to": form["to"].split(",")}
    media = "multipart~1form-data"
    pointer = f"/paths/~1v3~1{{domain_name}}~1messages/post/requestBody/content/{media}/schema"
    assert faults(spec("mailgun.patched-for-prism.yaml"), pointer, flat) == []


def test_postmarks_description_fits() -> None:
    provider = made("postmark", "http://127.0.0.1:1", lambda: CALLED)
    assert isinstance(provider, Postmark)
    told = faults(spec("postmark.swagger2.json"), "/definitions/SendEmailBatchRequest", provider.body(call()))
    assert [fault for fault in told if "MessageStream" not in fault and "Metadata" not in fault] == []


def test_sendgrids_description_fits() -> None:
    provider = made("sendgrid", "http://127.0.0.1:1", lambda: CALLED)
    assert isinstance(provider, Sendgrid)
    pointer = "/components/requestBodies/PostMailSend/content/application~1json/schema"
    assert faults(spec("sendgrid.mail_v3.yaml"), pointer, provider.body(call())) == []


def test_brevos_description_fits() -> None:
    provider = made("brevo", "http://127.0.0.1:1", lambda: CALLED)
    assert isinstance(provider, Brevo)
    assert faults(spec("brevo.derived-sdk5.1.0.schema.json"), "", provider.body(call())) == []


def test_sess_description_fits() -> None:
    """botocore holds AWS's own description of the call; it's here wherever boto3 is."""
    provider = made("ses", "http://127.0.0.1:1", lambda: CALLED)
    assert isinstance(provider, Ses)
    model = botocore.session.get_session().get_service_model("sesv2").operation_model("SendBulkEmail")
    validator = botocore.validate.ParamValidator()
    assert validator.validate(provider.body(call()), model.input_shape).generate_report() == ""
    assert "FromEmailAddress" in validator.validate({"FromEmailAddress": 3}, model.input_shape).generate_report()


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("resend.yaml", "/paths/~1emails~1batch/post/requestBody/content/application~1json/schema"),
        ("postmark.swagger2.json", "/definitions/SendEmailBatchRequest"),
        ("sendgrid.mail_v3.yaml", "/components/requestBodies/PostMailSend/content/application~1json/schema"),
        ("brevo.derived-sdk5.1.0.schema.json", ""),
    ],
)
def test_a_description_does_find_faults(name: str, pointer: str) -> None:
    assert faults(spec(name), pointer, [{"from": 3, "to": {}, "From": 3, "To": {}, "subject": []}]) != []
