"""The API's own description (OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.0): served to programs, and what requests
are held against.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from newsletter import VERSION
from newsletter.audience import Standing
from newsletter.audience.fields import ATTRIBUTE, EMAIL, PROFILE, TAG, Field
from newsletter.places import states

#: One line of text.
_LINE = r"^[^\u0000-\u001f\u007f]*$"
_TEXT = {"type": "string", "maxLength": 200, "pattern": _LINE}
_MOMENT = {"type": "string", "format": "date-time"}
_PROBLEM = {
    "type": "object",
    "required": ["title", "status"],
    "properties": {"title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}},
}
_FAULTS = {
    400: "The request isn't as described.",
    401: "No key, or one that isn't good.",
    403: "The key isn't good for this.",
    404: "There is nobody.",
    409: "It can't be done as things stand; the detail says why.",
    413: "The request is too large.",
    415: "The request isn't JSON.",
    429: "Too many letters to confirm were asked for.",
    503: "It can't be done now; try again later.",
}


def describe(url: str, lists: Collection[str], attributes: Collection[str]) -> dict[str, Any]:
    """The description for a workspace's lists and attributes."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Newsletter desk",
            "version": VERSION,
            "description": "Add, find, update and unsubscribe people.",
        },
        "servers": [{"url": f"{url.rstrip('/')}/api/v1"}],
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(sorted(lists), sorted(attributes)),
        },
    }


def _paths() -> dict[str, Any]:
    number = {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "integer", "minimum": 1, "maximum": 2**53},
    }
    email = {
        "name": "email",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "format": "email", "maxLength": EMAIL.longest},
    }
    return {
        "/lists": {"get": _operation("lists", "The lists there are.", "Lists", 200)},
        "/subscribers": {
            "get": _operation("find", "Whoever has an address.", "Subscribers", 200, parameters=[email]),
            "post": _operation(
                "add",
                "Add somebody. They are mailed to confirm, unless you give the consent that you have of them.",
                "Subscriber",
                200,
                body="NewSubscriber",
                also={202: "They are mailed to confirm."},
                faults=(409, 429),
            ),
        },
        "/subscribers/{id}": {
            "parameters": [number],
            "get": _operation("show", "Somebody.", "Subscriber", 200, faults=(404,)),
            "patch": _operation(
                "update", "Change what is known of somebody.", "Subscriber", 200, body="Changes", faults=(404,)
            ),
        },
        "/subscribers/{id}/unsubscribe": {
            "parameters": [number],
            "post": _operation(
                "unsubscribe",
                "Take somebody off a list, or off all. Doing it twice is as once.",
                "Subscriber",
                200,
                body="Unsubscription",
                faults=(404,),
            ),
        },
    }


def _operation(
    name: str,
    summary: str,
    answer: str,
    status: int,
    *,
    body: str = "",
    parameters: list[Any] | None = None,
    also: dict[int, str] | None = None,
    faults: tuple[int, ...] = (),
) -> dict[str, Any]:
    faults = (400, 401, 403, *faults, *((413, 415) if body else ()), 503)
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "responses": {
            str(status): {"description": summary, "content": _content(answer)},
            **{str(code): {"description": words, "content": _content(answer)} for code, words in (also or {}).items()},
            **{
                str(code): {"description": _FAULTS[code], "content": {"application/problem+json": {"schema": _PROBLEM}}}
                for code in faults
            },
        },
    }
    if body:
        operation["requestBody"] = {"required": True, "content": _content(body)}
    if parameters:
        operation["parameters"] = parameters
    return operation


def _content(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _schemas(lists: list[str], attributes: list[str]) -> dict[str, Any]:
    on = {"type": "string", "enum": lists}
    profile: dict[str, Any] = {name: _text(field) for name, field in PROFILE.items()}
    profile["state"] = {"type": "string", "title": PROFILE["state"].label, "enum": ["", *states()]}
    profile["attributes"] = _object(dict.fromkeys(attributes, _text(ATTRIBUTE)))
    # Exports put semicolons between tags, and other tools commas or bars.
    tag = {**_text(TAG), "pattern": r"^[^;,|\u0000-\u001f\u007f]*$", "minLength": 1}
    profile["tags"] = {"type": "array", "items": tag, "maxItems": 100, "uniqueItems": True}
    consent = _object({"at": _MOMENT, "source": {**_TEXT, "minLength": 1}}, required=["at", "source"])
    return {
        "Lists": _object(
            {"lists": {"type": "array", "items": _object({"list": on, "name": _TEXT}, required=["list"])}}
        ),
        "NewSubscriber": _object(
            {
                "email": {"type": "string", "format": "email", "maxLength": EMAIL.longest},
                "lists": {"type": "array", "items": on, "minItems": 1, "uniqueItems": True},
                "consent": consent,
                **profile,
            },
            required=["email", "lists"],
        ),
        "Changes": {**_object(profile), "minProperties": 1},
        "Unsubscription": _object({"list": on}),
        "Subscriber": {
            "type": "object",
            "required": ["id", "email", "lists"],
            "properties": {
                "id": {"type": ["integer", "null"]},
                "email": {"type": "string"},
                "lists": {"type": "object", "additionalProperties": {"enum": [str(one) for one in Standing]}},
                "suppressed": {"type": "string"},
                "paused_until": {"type": ["string", "null"], "format": "date-time"},
                **{name: {"type": "string"} for name in PROFILE},
                "attributes": {"type": "object"},
                "tags": {"type": "array", "items": {"type": "string"}},
            },
        },
        "Subscribers": _object(
            {"subscribers": {"type": "array", "items": {"$ref": "#/components/schemas/Subscriber"}}},
            required=["subscribers"],
        ),
    }


def _text(field: Field) -> dict[str, Any]:
    return {"type": "string", "title": field.label, "maxLength": field.longest, "pattern": _LINE}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    made = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made
