"""Vendors' answers as they're documented, or as somebody met them, and what each means for us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Documented:
    """One answer: its status, body and headers; what it `means`; `entry` says that it's one message's, within an
    answer to the call.
    """

    means: str
    status: int
    body: Any
    source: str
    headers: tuple[tuple[str, str], ...] = ()
    entry: bool = False


OURS, LATER, BAD, UNKNOWN = "ours", "later", "bad recipient", "unknown"
TAKEN, REFUSED, DEFERRED = "accepted", "refused", "deferred"
#: One answer for every row: means, status, the vendor's code, its words, where that was read.
Row = tuple[str, int, Any, str, str]

_RESEND = "resend.com/docs/api-reference/errors"
_RESEND_ROWS: tuple[Row, ...] = (
    (OURS, 400, "invalid_idempotency_key", "The key must be between 1-256 chars.", _RESEND),
    (OURS, 401, "missing_api_key", "Missing API key in the authorization header.", _RESEND),
    (OURS, 401, "restricted_api_key", "This API key is restricted to only send emails", _RESEND),
    (OURS, 401, "validation_error", "API key is invalid", f"{_RESEND}, newer wording"),
    (OURS, 403, "invalid_api_key", "API key is invalid.", _RESEND),
    (OURS, 403, "suspended_api_key", "This API key is suspended.", "resend-node src/interfaces.ts"),
    (OURS, 403, "validation_error", "You can only send testing emails to your own email address (…).", _RESEND),
    (OURS, 403, "validation_error", "The example.org domain is not verified. Please, add it.", _RESEND),
    (OURS, 404, "not_found", "The requested endpoint does not exist.", _RESEND),
    (OURS, 405, "method_not_allowed", "Method is not allowed for the requested path.", _RESEND),
    (UNKNOWN, 409, "invalid_idempotent_request", "Same idempotency key used with a different payload.", _RESEND),
    (UNKNOWN, 409, "concurrent_idempotent_requests", "Same key used while original request in progress.", _RESEND),
    (OURS, 413, "payload_too_large", "Too large.", "unverified"),
    (OURS, 422, "invalid_attachment", "Attachment must have either a content or path.", _RESEND),
    (OURS, 422, "invalid_from_address", "Invalid from field.", _RESEND),
    (
        OURS,
        422,
        "invalid_to_address",
        "You can only send testing emails to your own email address.",
        "older errors page",
    ),
    (OURS, 422, "missing_required_field", "The request body is missing one or more required fields.", _RESEND),
    (OURS, 422, "invalid_access", "Access must be 'full_access' | 'sending_access'.", _RESEND),
    (
        BAD,
        422,
        "validation_error",
        "Invalid `to` field. The email address needs to follow…",
        "resend-python exceptions.py",
    ),
    (OURS, 422, "validation_error", "Invalid `from` field. The email address needs to follow…", "resend-python"),
    (LATER, 429, "rate_limit_exceeded", "Too many requests. Please limit the number of requests.", _RESEND),
    (OURS, 429, "daily_quota_exceeded", "You have reached your daily email sending quota.", _RESEND),
    (OURS, 429, "monthly_quota_exceeded", "You have reached your monthly email sending quota.", _RESEND),
    (OURS, 451, "security_error", "We may have found a security issue with the request.", _RESEND),
    (UNKNOWN, 500, "application_error", "An unexpected error occurred.", _RESEND),
    (UNKNOWN, 500, "internal_server_error", "An unexpected error occurred.", _RESEND),
)
_MAILGUN = "mailgun OpenAPI 2026-07; documentation.mailgun.com quickstart responses"
_NOT_ALLOWED = "Domain mg.example.org is not allowed to send: "
_MAILGUN_ROWS: tuple[Row, ...] = (
    (BAD, 400, None, "'to' parameter is not a valid address. please check documentation", _MAILGUN),
    (BAD, 400, None, "to parameter is not a valid address: x y", "mailgun-js-boland#199"),
    (OURS, 400, None, "'from' parameter is not a valid address. please check documentation", _MAILGUN),
    (OURS, 400, None, "from parameter is missing", "recursecenter/community#66"),
    (OURS, 400, None, "to parameter is missing", _MAILGUN),
    (OURS, 400, None, "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified", _MAILGUN),
    (OURS, 400, None, "Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total", _MAILGUN),
    (OURS, 400, None, "Too many recipients; max is 1000", "error library"),
    (OURS, 400, None, "Header name must be pure ASCII: x", "error library"),
    (OURS, 400, None, "Sandbox subdomains are for test purposes only. Please add your own domain.", "3rd 66728719887"),
    (OURS, 403, None, "Free accounts are for test purposes only. Please upgrade.", "unverified"),
    (OURS, 403, None, "Please activate your Mailgun account. Check your inbox or log in.", "unverified"),
    (OURS, 402, None, "Payment required", "documentation api-intro"),
    (
        OURS,
        403,
        None,
        f"{_NOT_ALLOWED}The domain is unverified and requires DNS configuration.",
        "kyriossystems 13613564",
    ),
    (OURS, 403, None, f"{_NOT_ALLOWED}Account Terminated", "kyriossystems"),
    (OURS, 403, None, "Business verification is required", "help.mailgun.com 202850080"),
    (OURS, 404, None, "Domain not found: mg.example.org", _MAILGUN),
    (OURS, 413, None, "Request entity too large", "documentation"),
    (
        OURS,
        420,
        None,
        f"{_NOT_ALLOWED}recipient limit exceeded, try again after Mon, 25 Aug 2025 07:00:31 UTC",
        "java#50",
    ),
    (LATER, 429, None, f"{_NOT_ALLOWED}account-requests-per-sec limit exceeded, try again after 120 seconds", _MAILGUN),
    (
        OURS,
        429,
        None,
        f"{_NOT_ALLOWED}custom message limit exceeded, try again after 3600 seconds",
        "OpenAPI custom limit",
    ),
    (LATER, 429, None, "slow down", _MAILGUN),
    (UNKNOWN, 500, None, "Internal Server Error", "providers.md: mail went out"),
    (UNKNOWN, 503, None, "Service unavailable", _MAILGUN),
)
_POSTMARK = "postmarkapp.com/developer/api/overview#error-codes"
_POSTMARK_ROWS: tuple[Row, ...] = (
    (OURS, 401, 10, "Request does not contain a valid Server token.", _POSTMARK),
    (OURS, 413, None, "", _POSTMARK),
    (OURS, 415, 0, "Unsupported media type", _POSTMARK),
    (OURS, 422, 402, "Invalid JSON", _POSTMARK),
    (OURS, 422, 403, "Incompatible JSON", _POSTMARK),
    (OURS, 422, 410, "Too many batch messages.", _POSTMARK),
    (OURS, 422, 422, "Invalid Server or Account", "P3"),
    (OURS, 422, 1235, "The message stream provided doesn't exist.", "P3"),
    (OURS, 422, 1236, "Sending to this message stream isn't supported.", "P3"),
    (OURS, 422, 1480, "Sending from this IP isn't allowed.", "P3"),
    (LATER, 429, 429, "Rate limit exceeded.", _POSTMARK),
    (UNKNOWN, 500, 0, "Internal server error", _POSTMARK),
    (LATER, 503, 100, "Planned maintenance", _POSTMARK),
    (UNKNOWN, 503, None, "", "without Postmark's own word"),
)
_POSTMARK_ENTRIES: tuple[Row, ...] = (
    (REFUSED, 0, 300, "Invalid 'To' address: 'x y'.", "django-anymail postmark.py"),
    (REFUSED, 0, 300, "Error parsing 'To': Illegal email domain 'x' in address.", "django-anymail postmark.py"),
    (OURS, 0, 300, "Invalid 'From' address: 'x'.", "support article 1180"),
    (OURS, 0, 300, "Error parsing 'Reply-To': Illegal email address 'x'.", "django-anymail postmark.py"),
    (OURS, 0, 300, "Zero recipients specified", "support article 1180"),
    (REFUSED, 0, 406, "You tried to send to recipient(s) that have been marked as inactive.", _POSTMARK),
    (OURS, 0, 400, "The 'From' address you supplied is not a Sender Signature on your account.", "table of 2022"),
    (OURS, 0, 401, "The Sender Signature that you tried to send with is not confirmed.", "table of 2022"),
    (OURS, 0, 405, "You are not allowed to send.", "table of 2022"),
    (OURS, 0, 411, "Forbidden attachment type", "P3"),
    (OURS, 0, 412, "While your account is pending approval, all recipient addresses must share a domain.", "sendlayer"),
    (OURS, 0, 413, "Your account may not send.", "P3"),
    (REFUSED, 0, 0, "Message OK, but will not deliver to these inactive addresses: x@example.org", "django-anymail"),
    (TAKEN, 0, 0, "Message accepted, but delivery may be delayed", "django-anymail #392"),
    (OURS, 0, 0, "Test job accepted", "support article 1213"),
    (TAKEN, 0, 0, "OK", _POSTMARK),
    (OURS, 0, 11, "Several errors", "P3, /email/bulk"),
    (OURS, 0, 1101, "Template not found", "P3"),
    (OURS, 0, 99999, "Something new", "an unknown code is never a reader's"),
)
_MAILJET = "dev.mailjet.com send-api-v31 errors"
_MAILJET_ROWS: tuple[Row, ...] = (
    (OURS, 401, "mj-0001", "The API key is suspended.", _MAILJET),
    (OURS, 401, "mj-0015", "API key authentication/authorization failure.", _MAILJET),
    (OURS, 401, None, "API key may be inactive", "status codes"),
    (OURS, 403, None, "Access denied", "status codes"),
    (OURS, 400, "mj-0002", "Malformed JSON, please review the syntax and properties types.", _MAILJET),
    (OURS, 400, "mj-0008", "Array exceeds 50 items.", _MAILJET),
    (OURS, 400, "mj-0011", "The payload is too large.", _MAILJET),
    (LATER, 429, None, "Too many requests", "rate-limits"),
    (UNKNOWN, 500, None, "Internal error", _MAILJET),
)
_MAILJET_ENTRIES: tuple[Row, ...] = (
    (REFUSED, 400, "mj-0013", '"x y" is an invalid email address.|To[0].Email', "mailjet-apiv3-go test"),
    (OURS, 400, "mj-0013", '"x y" is an invalid email address.|From.Email', _MAILJET),
    (OURS, 400, "mj-0013", '"x y" is an invalid email address.|ReplyTo.Email', _MAILJET),
    (REFUSED, 400, "mj-0012", "Empty string.|To[0].Email", _MAILJET),
    (REFUSED, 400, "mj-0003", "Mandatory property missing.|To[0].Email", _MAILJET),
    (OURS, 400, "mj-0003", "Mandatory property missing.|From", _MAILJET),
    (OURS, 400, "mj-0006", "Too long.|Subject", _MAILJET),
    (OURS, 400, "mj-0013", "Invalid email address in Reply-To.|", _MAILJET),
    (OURS, 400, "mj-0012", "Recipient limit of the account.|", "a limit is ours"),
    (OURS, 400, "send-0003", "At least HTMLPart, TextPart or TemplateID must be provided.|HTMLPart", _MAILJET),
    (OURS, 400, "send-0004", "Duplicate content.|HTMLPart", _MAILJET),
    (OURS, 403, "send-0006", "Sender is not permitted.|From", _MAILJET),
    (OURS, 403, "send-0007", "SenderID is not validated.|SenderID", _MAILJET),
    (OURS, 403, "send-0008", "From is not authorized, it isn't validated.|From", _MAILJET),
    (OURS, 400, "send-0010", "Template is not yours.|TemplateID", _MAILJET),
    (OURS, 400, "send-0011", "Header cannot be customized using the Headers collection.|Headers", _MAILJET),
    (OURS, 400, "send-0099", "Something new|", "an unknown code is never a reader's"),
    (TAKEN, 400, "send-0012", "duplicate in campaign|", "guides/_event-api.md"),
)
_SENDGRID = "support.sendgrid.com 18322114821403"
_SENDGRID_ROWS: tuple[Row, ...] = (
    (BAD, 400, "personalizations.0.to.0.email", "Does not contain a valid address.", "3rd 19620283329"),
    (
        BAD,
        400,
        "personalizations.1.to",
        "Each email address in the personalization block should be unique…",
        "unverified",
    ),
    (OURS, 400, "personalizations.0.to", "The recipient limit of your account is reached.", "a limit is ours"),
    (OURS, 400, "from.email", "The from email does not contain a valid address.", _SENDGRID),
    (OURS, 400, "personalizations.0.headers", "The header is reserved.", _SENDGRID),
    (OURS, 400, "subject", "The subject is required.", _SENDGRID),
    (OURS, 400, None, "Bad Request", _SENDGRID),
    (OURS, 401, None, "The provided authorization grant is invalid, expired, or revoked", _SENDGRID),
    (OURS, 401, None, "Maximum credits exceeded", "twilio 60603"),
    (OURS, 401, None, "Authenticated user is not authorized to send mail", _SENDGRID),
    (OURS, 403, "from", "The from address does not match a verified Sender Identity.", "sendgrid/docs"),
    (OURS, 403, None, "access forbidden", "unverified"),
    (LATER, 403, None, "Too many bad requests. Temporary block", "v3-api/errors"),
    (OURS, 404, None, "not found", "rapidapi copy"),
    (OURS, 406, None, "Missing Accept header", "v3-api/errors"),
    (OURS, 413, None, "Payload too large", "rapidapi copy"),
    (LATER, 429, None, "too many requests", "rate-limits"),
    (UNKNOWN, 500, None, "internal server error", "v3-api/errors"),
)
_BREVO = "Brevo Node SDK, ErrorModel.CodeEnum"
_BREVO_ROWS: tuple[Row, ...] = (
    (BAD, 400, "invalid_parameter", "email is not valid in to", "docs/how-it-works"),
    (BAD, 400, "invalid_parameter", "messageVersions[0].to: email is not valid", "docs/how-it-works"),
    (
        OURS,
        400,
        "invalid_parameter",
        "Sending has been rejected because the sender you used x is not valid.",
        "3rd 69154212021",
    ),
    (OURS, 400, "invalid_parameter", "subject is too long", _BREVO),
    (OURS, 400, "missing_parameter", "subject is missing", _BREVO),
    (OURS, 400, "out_of_range", "limit exceeds max value", _BREVO),
    (UNKNOWN, 400, "duplicate_parameter", "idempotencyKey was already used", "the first call; settle believes it"),
    (UNKNOWN, 400, "duplicate_parameter", "email already exists in to of messageVersions", "another parameter"),
    (OURS, 400, "invalid_parameter", "email is not valid in replyTo", "docs/how-it-works"),
    (OURS, 400, "invalid_parameter", "recipient limit of your plan is reached", "a limit is ours"),
    (UNKNOWN, 400, "duplicate_parameter", "tags are not unique", "another parameter proves nothing"),
    (UNKNOWN, 400, "duplicate_request", "Duplicate request", _BREVO),
    (OURS, 402, "not_enough_credits", "You do not have enough credits", _BREVO),
    (OURS, 400, "not_enough_credits", "You do not have enough credits", _BREVO),
    (OURS, 403, "account_under_validation", "Your account is under validation", "60492810650"),
    (OURS, 401, "unauthorized", "Key not found", _BREVO),
    (OURS, 401, "unauthorized", "We have detected you are using an unrecognised IP address", "unverified"),
    (OURS, 403, "permission_denied", "Your account is suspended", _BREVO),
    (OURS, 403, "reseller_permission_denied", "Not allowed", _BREVO),
    (OURS, 404, "document_not_found", "Template not found", _BREVO),
    (OURS, 405, "method_not_allowed", "Method not allowed", _BREVO),
    (OURS, 406, "not_acceptable", "Not acceptable", _BREVO),
    (LATER, 429, "too_many_requests", "Too many requests", "docs/limit-headers"),
    (UNKNOWN, 500, "internal_error", "Sender service is down", "a 5xx is never a refusal"),
)
_SES = "botocore sesv2 service-2.json"
_SES_ROWS: tuple[Row, ...] = (
    (LATER, 429, "TooManyRequestsException", "Too many requests.", _SES),
    (LATER, 400, "Throttling", "Maximum sending rate exceeded.", "manage-sending-quotas-errors"),
    (LATER, 400, "ThrottlingException", "Rate exceeded", "manage-sending-quotas-errors"),
    (OURS, 400, "Throttling", "Daily message quota exceeded.", "manage-sending-quotas-errors"),
    (OURS, 400, "LimitExceededException", "Too many instances.", _SES),
    (OURS, 400, "AccountSuspendedException", "Suspended.", _SES),
    (OURS, 400, "SendingPausedException", "Paused.", _SES),
    (OURS, 400, "MailFromDomainNotVerifiedException", "The MAIL FROM domain is wrong.", _SES),
    (OURS, 400, "MessageRejected", "Email address is not verified. The following identities failed …", "troubleshoot"),
    (OURS, 400, "MessageRejected", "Virus found", _SES),
    (OURS, 404, "NotFoundException", "Configuration set <x> does not exist.", _SES),
    (OURS, 400, "BadRequestException", "1 validation error", _SES),
    (BAD, 400, "BadRequestException", "Local address contains control or whitespace", "django-anymail amazon_ses"),
    (OURS, 400, "BadRequestException", "Illegal address in ReplyToAddresses", _SES),
    (OURS, 400, "BadRequestException", "Invalid email address in FromEmailAddress", _SES),
    (OURS, 403, "AccessDeniedException", "User is not authorized", "CommonErrors"),
    (OURS, 403, "UnrecognizedClientException", "The security token is invalid.", "CommonErrors"),
    (OURS, 403, "SignatureDoesNotMatch", "The signature does not match.", "CommonErrors"),
    (OURS, 400, "ExpiredTokenException", "The token expired.", "CommonErrors"),
    (UNKNOWN, 500, "InternalFailure", "The request processing has failed: identity not verified", "CommonErrors"),
    (UNKNOWN, 503, "ServiceUnavailable", "Unavailable", "CommonErrors"),
)
_SES_ENTRIES: tuple[Row, ...] = (
    (OURS, 0, "MESSAGE_REJECTED", "The message contains a virus.", _SES),
    (OURS, 0, "MESSAGE_REJECTED", "Email address is not verified. The following identities failed …", "troubleshoot"),
    (OURS, 0, "MAIL_FROM_DOMAIN_NOT_VERIFIED", "", _SES),
    (OURS, 0, "CONFIGURATION_SET_NOT_FOUND", "", _SES),
    (OURS, 0, "TEMPLATE_NOT_FOUND", "", _SES),
    (OURS, 0, "INVALID_SENDING_POOL_NAME", "", _SES),
    (OURS, 0, "ACCOUNT_SUSPENDED", "", _SES),
    (OURS, 0, "ACCOUNT_SENDING_PAUSED", "", _SES),
    (OURS, 0, "CONFIGURATION_SET_SENDING_PAUSED", "", _SES),
    (OURS, 0, "ACCOUNT_DAILY_QUOTA_EXCEEDED", "", _SES),
    (LATER, 0, "ACCOUNT_THROTTLED", "", _SES),
    (REFUSED, 0, "INVALID_PARAMETER", "Illegal address", _SES),
    (REFUSED, 0, "INVALID_PARAMETER", "Illegal address <reply-to.limit@example..org>", "an address decides nothing"),
    (OURS, 0, "INVALID_PARAMETER", "Invalid domain in From address", _SES),
    (OURS, 0, "INVALID_PARAMETER", "Illegal address in ReplyToAddresses", _SES),
    (OURS, 0, "INVALID_PARAMETER", "Recipient limit exceeded for the account", "a limit is ours"),
    (OURS, 0, "INVALID_PARAMETER", "Attributes are invalid", _SES),
    (DEFERRED, 0, "TRANSIENT_FAILURE", "", _SES),
    (OURS, 0, "FAILED", "", _SES),
    (UNKNOWN, 0, "QUEUED_SOMEHOW", "", "a status that isn't documented says nothing"),
)


def _whole(vendor: str, row: Row) -> Documented:
    means, status, code, words, source = row
    headers: tuple[tuple[str, str], ...] = ()
    match vendor:
        case "resend":
            body: Any = {"statusCode": status, "name": code, "message": words}
        case "postmark":
            body = {"ErrorCode": code, "Message": words} if code is not None else ""
        case "mailjet":
            body = {"ErrorCode": code, "StatusCode": status, "ErrorMessage": words, "ErrorIdentifier": "e"}
        case "sendgrid":
            body = {"errors": [{"message": words, "field": code, "help": None}]}
        case "brevo":
            body = {"code": code, "message": words}
        case "ses":
            body, headers = {"message": words}, (("x-amzn-ErrorType", code),)
        case _:
            body = {"message": words}
    return Documented(means, status, body, source, headers)


def _entry(vendor: str, row: Row) -> Documented:
    means, status, code, words, source = row
    match vendor:
        case "postmark":
            one = {"ErrorCode": code, "Message": words}
            body: Any = [{**one, "MessageID": "m", "To": "a@example.org"} if code == 0 else one]
        case "mailjet":
            told, _, related = words.partition("|")
            error = {"ErrorCode": code, "StatusCode": status, "ErrorMessage": told, "ErrorRelatedTo": [related]}
            body = {"Messages": [{"Status": "error", "Errors": [error]}]}
        case _:
            body = {"BulkEmailEntryResults": [{"Status": code, "Error": words}]}
    return Documented(means, status or 200, body, source, entry=True)


def _resend_entry(means: str, words: str) -> Documented:
    body = {"data": [], "errors": [{"index": 0, "message": words}]}
    return Documented(means, 200, body, "resend.com/changelog/batch-validation-modes", entry=True)


ANSWERS: Mapping[str, tuple[Documented, ...]] = {
    "resend": (
        *(_whole("resend", row) for row in _RESEND_ROWS),
        _resend_entry(REFUSED, "Invalid `to` field. The email address needs to follow the `email@example.com` format."),
        _resend_entry(OURS, "Invalid `from` field. The email address needs to follow the `email@example.com` format."),
        _resend_entry(OURS, "The example.org domain is not verified."),
        _resend_entry(OURS, "Daily recipient limit reached for this account"),
        _resend_entry(OURS, "Invalid email address in `reply_to`"),
        _resend_entry(OURS, "You have reached your recipient quota"),
        _resend_entry(OURS, "Tags should only contain ASCII letters, numbers, underscores, or dashes."),
    ),
    "mailgun": (
        *(_whole("mailgun", row) for row in _MAILGUN_ROWS),
        Documented(OURS, 401, "Forbidden", _MAILGUN, (("Content-Type", "text/plain"),)),
        Documented(OURS, 200, "Mailgun Magnificent API", "providers.md", (("Content-Type", "text/html"),)),
    ),
    "postmark": (
        *(_whole("postmark", row) for row in _POSTMARK_ROWS),
        *(_entry("postmark", row) for row in _POSTMARK_ENTRIES),
        Documented(OURS, 403, "<html>blocked</html>", "support: a 403 that doesn't look like a Postmark error"),
    ),
    "mailjet": (
        *(_whole("mailjet", row) for row in _MAILJET_ROWS),
        *(_entry("mailjet", row) for row in _MAILJET_ENTRIES),
    ),
    "sendgrid": (
        *(_whole("sendgrid", row) for row in _SENDGRID_ROWS),
        Documented(UNKNOWN, 200, "", "sandbox-mode: 200 instead of 202"),
    ),
    "brevo": tuple(_whole("brevo", row) for row in _BREVO_ROWS),
    "ses": (*(_whole("ses", row) for row in _SES_ROWS), *(_entry("ses", row) for row in _SES_ENTRIES)),
}
