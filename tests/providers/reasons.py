"""What vendors tell after submission, by their own reasons, and what each means for a reader.

The sources: resend.com/docs/dashboard/webhooks/event-types and emails/bounced; mailgun OpenAPI 2026-07 with
symfony's MailgunPayloadConverter for the codes 605 to 607; twilio.com/docs/sendgrid, tracking-events/event and
glossary/drops; postmarkapp.com/developer/api/bounce-api and webhooks/subscription-change-webhook; mailjet
api-documentation, guides/_event-api.md; developers.brevo.com, getTransacEmailContent ("Event names"); AWS,
event-publishing-retrieving-sns-contents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from newsletter.model import EventType
from tests.providers.signatures import (
    Call,
    brevo_call,
    mailgun_call,
    mailjet_call,
    postmark_call,
    resend_call,
    sendgrid_call,
    ses_call,
)

HARD, SOFT, DROPPED = EventType.HARD_BOUNCE, EventType.SOFT_BOUNCE, EventType.DROPPED
COMPLAINT, LEFT = EventType.COMPLAINT, EventType.UNSUBSCRIBED
DELIVERED, OPENED, CLICKED = EventType.DELIVERED, EventType.OPENED, EventType.CLICKED
#: One reason: what it means, in order, and the call that tells it.
Reason = tuple[tuple[EventType, ...], Callable[[int], Call]]


#: Gmail of a mailbox that is there (https://support.google.com/a/answer/3726730).
RATE = "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages"


def _bounced(kind: str, sub: str, **more: Any) -> Callable[[int], Call]:
    return resend_call("email.bounced", bounce={"type": kind, "subType": sub, "message": "said", **more})


_RESEND: tuple[Reason, ...] = (
    ((), resend_call("email.sent")),
    ((), resend_call("email.scheduled")),
    ((), resend_call("contact.updated")),
    ((DELIVERED,), resend_call("email.delivered")),
    ((SOFT,), resend_call("email.delivery_delayed")),
    ((HARD,), _bounced("Permanent", "General")),
    ((HARD,), _bounced("Permanent", "NoEmail")),
    ((HARD,), _bounced("Permanent", "General", diagnosticCode=["smtp; 550 5.1.1 user unknown"])),
    ((SOFT,), _bounced("Permanent", "General", diagnosticCode=["smtp; 550 5.7.1 spam"])),
    ((SOFT,), _bounced("Permanent", "General", diagnosticCode="smtp; 550 something new")),
    ((SOFT,), _bounced("Permanent", "General", message="5.7.1 spam")),
    ((SOFT,), _bounced("Permanent", "NoEmail", diagnosticCode=[RATE])),
    ((DROPPED,), _bounced("Permanent", "Suppressed")),
    ((DROPPED,), _bounced("Permanent", "OnAccountSuppressionList")),
    ((SOFT,), _bounced("Permanent", "SomethingNew")),
    ((SOFT,), resend_call("email.bounced", bounce={"type": "Permanent"})),
    ((SOFT,), resend_call("email.bounced")),
    *(
        ((SOFT,), _bounced("Transient", sub))
        for sub in ("General", "MailboxFull", "MessageTooLarge", "ContentRejected", "AttachmentRejected")
    ),
    ((SOFT,), _bounced("Undetermined", "Undetermined")),
    ((DROPPED,), resend_call("email.suppressed", suppressed={"type": "OnAccountSuppressionList", "message": "x"})),
    ((DROPPED,), resend_call("email.failed", failed={"reason": "reached_daily_quota"})),
    ((COMPLAINT,), resend_call("email.complained")),
    ((OPENED,), resend_call("email.opened")),
    ((CLICKED,), resend_call("email.clicked", click={"link": "https://example.org/"})),
)


def _failed(severity: str, reason: str, **status: Any) -> Callable[[int], Call]:
    return mailgun_call("failed", severity=severity, reason=reason, **{"delivery-status": status})


_MAILGUN: tuple[Reason, ...] = (
    ((), mailgun_call("accepted")),
    ((), mailgun_call("stored")),
    ((), mailgun_call("list_member_uploaded")),
    ((DELIVERED,), mailgun_call("delivered")),
    ((HARD,), _failed("permanent", "bounce", code=550, message="5.1.1 The email account does not exist")),
    ((HARD,), _failed("permanent", "bounce", code=550, **{"enhanced-code": "5.1.1"})),
    ((HARD,), _failed("permanent", "bounce", code=550, **{"bounce-type": "hard"})),
    ((HARD,), _failed("permanent", "generic", code=550, message="550 5.1.1 user unknown")),
    ((HARD,), _failed("permanent", "bounce", code=556, message="5.1.10 null MX")),
    ((SOFT,), _failed("permanent", "bounce", code=552, **{"bounce-type": "soft"})),
    ((SOFT,), _failed("permanent", "bounce", code=552, message="5.2.2 mailbox full", **{"bounce-type": "hard"})),
    ((SOFT,), _failed("permanent", "bounce", code=550, message=RATE)),
    ((SOFT,), _failed("permanent", "bounce", code=550, message=RATE, **{"bounce-type": "hard"})),
    ((SOFT,), _failed("permanent", "bounce", code=550, message="Client host [159.5.1.1] blocked")),
    ((SOFT,), _failed("permanent", "bounce", code=550, message="host 5.1.1.7 said no", **{"bounce-type": "hard"})),
    ((HARD,), _failed("permanent", "bounce", code=550, message="host 159.5.1.2 said: 550 5.1.1 no such user")),
    (
        (SOFT,),
        _failed("permanent", "bounce", code=550, message="Administrative prohibition", **{"bounce-type": "hard"}),
    ),
    ((SOFT,), _failed("permanent", "bounce", code=550, message="5.1.2 unable to get mx info")),
    ((SOFT,), _failed("permanent", "bounce")),
    ((SOFT,), _failed("permanent", "generic", code=554, message="5.7.1 spam")),
    ((SOFT,), _failed("permanent", "generic", code=498, message="No MX for example.org")),
    ((DROPPED, HARD), _failed("permanent", "suppress-bounce", code=605)),
    ((DROPPED, LEFT), _failed("permanent", "suppress-unsubscribe", code=606)),
    ((DROPPED, COMPLAINT), _failed("permanent", "suppress-complaint", code=607)),
    *(
        ((SOFT,), _failed("permanent", reason))
        for reason in ("old", "espblock", "webhook", "optimized", "something-new", "")
    ),
    *(
        ((SOFT,), _failed("temporary", reason, message="5.1.1 said"))
        for reason in ("generic", "greylisted", "espblock", "rate_limit", "old", "bounce")
    ),
    ((DROPPED,), mailgun_call("rejected", reject={"reason": "Sandbox subdomains are for test purposes only."})),
    ((COMPLAINT,), mailgun_call("complained")),
    ((LEFT,), mailgun_call("unsubscribed")),
    ((OPENED,), mailgun_call("opened")),
    ((CLICKED,), mailgun_call("clicked", url="https://example.org/")),
)


def _bounce(kind: str, **more: Any) -> Callable[[int], Call]:
    return postmark_call("Bounce", "BouncedAt", Type=kind, ID=4, **more)


def _listed(reason: str, origin: str, suppress: bool = True) -> Callable[[int], Call]:
    more = {"SuppressSending": suppress, "SuppressionReason": reason, "Origin": origin}
    return postmark_call("SubscriptionChange", "ChangedAt", **more)


_POSTMARK: tuple[Reason, ...] = (
    ((DELIVERED,), postmark_call("Delivery", "DeliveredAt")),
    *(((HARD,), _bounce(kind)) for kind in ("HardBounce", "BadEmailAddress")),
    *(
        ((SOFT,), _bounce(kind))
        for kind in ("Transient", "DnsError", "SoftBounce", "Unknown", "Blocked", "DMARCPolicy", "SpamNotification")
    ),
    ((SOFT,), _bounce("SoftBounce", Inactive=True)),
    ((HARD,), _bounce("HardBounce", Details="smtp;550 5.1.1 user unknown", Description="said")),
    ((HARD,), _bounce("HardBounce", Description="The server was unable to deliver your message (ex: unknown user).")),
    *(
        ((SOFT,), _bounce(kind, Details=f"smtp;{details}"))
        for kind in ("HardBounce", "BadEmailAddress")
        for details in (RATE, "550 5.7.1 spam", "550 sender address rejected")
    ),
    ((SOFT,), _bounce("HardBounce", Details="550 something new")),
    ((SOFT,), _bounce("SomethingNew")),
    *(((DROPPED,), _bounce(kind)) for kind in ("ManuallyDeactivated", "SMTPApiError", "TemplateRenderingFailed")),
    *(
        ((), _bounce(kind))
        for kind in (
            *("Subscribe", "AutoResponder", "AddressChange", "ChallengeVerification", "OpenRelayTest"),
            *("VirusNotification", "Unconfirmed", "InboundError"),
        )
    ),
    ((COMPLAINT,), _bounce("SpamComplaint")),
    ((COMPLAINT,), postmark_call("SpamComplaint", "BouncedAt", Type="SpamComplaint")),
    ((LEFT,), _bounce("Unsubscribe")),
    ((LEFT,), _listed("ManualSuppression", "Recipient")),
    ((LEFT,), _listed("ManualSuppression", "Customer")),
    ((HARD,), _listed("HardBounce", "Recipient")),
    ((COMPLAINT,), _listed("SpamComplaint", "Recipient")),
    ((), _listed("ManualSuppression", "Recipient", suppress=False)),
    ((OPENED,), postmark_call("Open", "ReceivedAt")),
    ((CLICKED,), postmark_call("Click", "ReceivedAt", OriginalLink="https://example.org/")),
    ((), postmark_call("Inbound", "Date")),
)


def _mailjet(event: str, related: str, error: str, **more: Any) -> Callable[[int], Call]:
    return mailjet_call(event, error_related_to=related, error=error, **more)


_MAILJET: tuple[Reason, ...] = (
    ((DELIVERED,), mailjet_call("sent")),
    ((HARD,), _mailjet("bounce", "recipient", "user unknown", hard_bounce=True)),
    ((HARD,), _mailjet("bounce", "recipient", "mailbox inactive", hard_bounce=True)),
    ((HARD,), _mailjet("bounce", "domain", "invalid domain", hard_bounce=True)),
    ((HARD,), _mailjet("bounce", "domain", "typofix", hard_bounce=True)),
    ((SOFT,), _mailjet("bounce", "recipient", "user unknown", hard_bounce=False)),
    ((SOFT,), _mailjet("bounce", "recipient", "mailbox inactive", hard_bounce=True, comment=RATE)),
    *(
        ((SOFT,), _mailjet("bounce", related, error, hard_bounce=True))
        for related, error in (
            *(("recipient", "quota exceeded"), ("domain", "no mail host"), ("domain", "relay/access denied")),
            *(("domain", "greylisted"), ("content", "bad or empty template"), ("spam", "sender blocked")),
            *(("spam", "content blocked"), ("spam", "policy issue"), ("system", "system issue"), ("", "")),
            ("recipient", "something new"),
        )
    ),
    ((DROPPED,), _mailjet("blocked", "recipient", "blacklisted")),
    ((DROPPED, COMPLAINT), _mailjet("blocked", "recipient", "spam reporter")),
    ((DROPPED, HARD), _mailjet("blocked", "mailjet", "preblocked")),
    ((DROPPED, HARD), _mailjet("blocked", "recipient", "user unknown")),
    ((DROPPED,), _mailjet("blocked", "content", "error in template language")),
    ((DROPPED,), _mailjet("blocked", "mailjet", "something new")),
    ((), _mailjet("blocked", "mailjet", "duplicate in campaign")),
    ((COMPLAINT,), mailjet_call("spam", source="JMRPP")),
    ((LEFT,), mailjet_call("unsub")),
    ((OPENED,), mailjet_call("open")),
    ((CLICKED,), mailjet_call("click", url="https://example.org/")),
    ((), mailjet_call("new")),
)


def _classed(classification: str, **more: Any) -> Callable[[int], Call]:
    return sendgrid_call("bounce", **{"type": "bounce", "bounce_classification": classification, **more})


_SENDGRID: tuple[Reason, ...] = (
    *(((), sendgrid_call(kind)) for kind in ("processed", "group_resubscribe", "account_status_change", "new")),
    ((DELIVERED,), sendgrid_call("delivered")),
    ((SOFT,), sendgrid_call("deferred", response="400 try again later", attempt="5")),
    ((HARD,), _classed("Invalid Address", status="5.1.1")),
    ((HARD,), _classed("Invalid Address")),
    ((HARD,), _classed("Unclassified", status="5.1.1")),
    ((HARD,), _classed("", status="5.1.10")),
    ((HARD,), _classed("", reason="550 5.1.1 The email account does not exist")),
    *(
        ((SOFT,), _classed(name, status="5.1.1"))
        for name in (
            *("Technical Failure", "Content", "Reputation", "Frequency or Volume Too High", "Mailbox Unavailable"),
            "Something New",
        )
    ),
    ((HARD,), _classed("Invalid Address", reason="550 5.5.0 Requested action not taken: mailbox unavailable")),
    *(
        ((SOFT,), _classed(name, reason=reason))
        for name in ("Invalid Address", "Unclassified", "")
        for reason in (
            *(RATE, "550 5.1.3 The sender address is invalid", "550 5.1.2 unable to get mx info"),
            *("550 5.1.1 blocked for spam", "550 5.1.1 your account is closed", "452 5.1.1 not now"),
        )
    ),
    ((SOFT,), _classed("Unclassified")),
    ((SOFT,), _classed("", status="5.7.1")),
    ((SOFT,), _classed("Invalid Address", type="blocked")),
    ((SOFT,), sendgrid_call("bounce", type="expired", status="5.1.1")),
    ((SOFT,), sendgrid_call("bounce")),
    ((DROPPED, HARD), sendgrid_call("dropped", reason="Bounced Address")),
    ((DROPPED, HARD), sendgrid_call("dropped", reason="bounced address", status="5.0.0")),
    ((DROPPED, COMPLAINT), sendgrid_call("dropped", reason="Spam Reporting Address")),
    ((DROPPED, LEFT), sendgrid_call("dropped", reason="Unsubscribed Address")),
    ((DROPPED, LEFT), sendgrid_call("dropped", type="Unsubscribed Address")),
    *(
        ((DROPPED,), sendgrid_call("dropped", reason=reason))
        for reason in (
            *("Invalid", "Spam Content", "Invalid SMTPAPI header", "Recipient List over Package Quota"),
            *("Duplicate message", "Something new", ""),
        )
    ),
    ((COMPLAINT,), sendgrid_call("spamreport")),
    ((LEFT,), sendgrid_call("unsubscribe")),
    ((LEFT,), sendgrid_call("group_unsubscribe", asm_group_id=1)),
    ((OPENED,), sendgrid_call("open")),
    ((CLICKED,), sendgrid_call("click", url="https://example.org/")),
)
_BREVO: tuple[Reason, ...] = (
    *(((), brevo_call(kind)) for kind in ("request", "sent", "list_addition", "contact_updated", "new")),
    ((DELIVERED,), brevo_call("delivered")),
    ((HARD,), brevo_call("hard_bounce", reason="550 5.1.1 user unknown")),
    ((HARD,), brevo_call("hard_bounce", reason="550 user unknown")),
    *(
        ((SOFT,), brevo_call("hard_bounce", reason=reason))
        for reason in (
            *("550 Sender verify failed", "554 relay access denied", "550 SPF check failed", "Access denied", ""),
            *("Daily sending quota exceeded", "552 5.2.2 mailbox full", "something new", RATE),
            "550 5.1.2 Host or domain name not found",
        )
    ),
    ((SOFT,), brevo_call("hard_bounce", reason="550 5.7.1 blocked by policy")),
    ((SOFT,), brevo_call("soft_bounce", reason="mailbox full")),
    ((SOFT,), brevo_call("deferred")),
    ((DROPPED,), brevo_call("blocked", reason="blocked : due to blacklist user")),
    ((DROPPED, LEFT), brevo_call("blocked", reason="blocked : due to unsubscribed user")),
    ((DROPPED, HARD), brevo_call("blocked", reason="blocked : due to hard bounce")),
    ((DROPPED, COMPLAINT), brevo_call("blocked", reason="blocked : the contact complained")),
    ((DROPPED,), brevo_call("blocked")),
    ((DROPPED,), brevo_call("invalid_email")),
    ((DROPPED,), brevo_call("invalid")),
    ((DROPPED,), brevo_call("error", reason="temporarily")),
    ((COMPLAINT,), brevo_call("spam")),
    ((COMPLAINT,), brevo_call("complaint")),
    ((LEFT,), brevo_call("unsubscribed")),
    ((LEFT,), brevo_call("unsubscribe")),
    *(((OPENED,), brevo_call(kind)) for kind in ("opened", "unique_opened", "proxy_open", "unique_proxy_open")),
    ((CLICKED,), brevo_call("click", link="https://example.org/")),
)


def _ses(kind: str, sub: str, **more: str) -> Callable[[int], Call]:
    people = [{"emailAddress": "a@example.org", **more}]
    return ses_call("Bounce", bounceType=kind, bounceSubType=sub, bouncedRecipients=people)


_SES: tuple[Reason, ...] = (
    ((), ses_call("Send")),
    ((), ses_call("Something New")),
    ((DELIVERED,), ses_call("Delivery")),
    ((HARD,), _ses("Permanent", "General")),
    ((HARD,), _ses("Permanent", "NoEmail")),
    ((HARD,), _ses("Permanent", "General", status="5.1.1", diagnosticCode="smtp; 550 5.1.1 user unknown")),
    ((HARD,), _ses("Permanent", "General", status="5.1.1")),
    ((SOFT,), _ses("Permanent", "General", status="5.7.1")),
    ((SOFT,), _ses("Permanent", "General", status="5.7.1", diagnosticCode="smtp; 550 5.7.1 spam")),
    ((SOFT,), _ses("Permanent", "General", diagnosticCode="smtp; 550 something new")),
    ((SOFT,), _ses("Permanent", "NoEmail", diagnosticCode=f"smtp; {RATE}")),
    ((DROPPED, HARD), _ses("Permanent", "Suppressed")),
    ((DROPPED,), _ses("Permanent", "OnAccountSuppressionList")),
    ((DROPPED,), _ses("Permanent", "OnTenantSuppressionList")),
    ((DROPPED,), _ses("Permanent", "EmailValidationSuppressed")),
    ((LEFT,), _ses("Permanent", "UnsubscribedRecipient")),
    ((SOFT,), _ses("Permanent", "SomethingNew")),
    *(
        ((SOFT,), _ses("Transient", sub))
        for sub in (
            *("General", "MailboxFull", "CustomTimeoutExceeded", "MessageTooLarge", "ContentRejected"),
            "AttachmentRejected",
        )
    ),
    ((SOFT,), ses_call("Bounce", bounceType="Undetermined", bounceSubType="Undetermined", bouncedRecipients=[])),
    ((COMPLAINT,), ses_call("Complaint", complaintSubType=None, complaintFeedbackType="abuse")),
    ((COMPLAINT,), ses_call("Complaint")),
    ((DROPPED, COMPLAINT), ses_call("Complaint", complaintSubType="OnAccountSuppressionList")),
    ((), ses_call("Complaint", complaintFeedbackType="not-spam")),
    ((DROPPED,), ses_call("Reject", reason="Bad content")),
    ((DROPPED,), ses_call("Rendering Failure", errorMessage="Attribute 'x' is not present")),
    ((SOFT,), ses_call("DeliveryDelay", delayType="MailboxFull")),
    ((LEFT,), ses_call("Subscription")),
    ((OPENED,), ses_call("Open")),
    ((CLICKED,), ses_call("Click", link="https://example.org/")),
)
REASONS: Mapping[str, tuple[Reason, ...]] = {
    "resend": _RESEND,
    "mailgun": _MAILGUN,
    "postmark": _POSTMARK,
    "mailjet": _MAILJET,
    "sendgrid": _SENDGRID,
    "brevo": _BREVO,
    "ses": _SES,
}
