"""What Amazon SES tells after submission
(https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from newsletter.model import Event, EventType
from newsletter.providers import webhooks
from newsletter.providers.smtp_faults import stands

_KINDS = {
    "Delivery": EventType.DELIVERED,
    "DeliveryDelay": EventType.SOFT_BOUNCE,
    "Complaint": EventType.COMPLAINT,
    "Subscription": EventType.UNSUBSCRIBED,
    "Open": EventType.OPENED,
    "Click": EventType.CLICKED,
    "Reject": EventType.DROPPED,
    "Rendering Failure": EventType.DROPPED,
}
#: Permanent bounces by subtype
#: (https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html): a mailbox that is gone.
#: The others are lists: AWS's own ("Suppressed", after bounces), the account's or a tenant's (bounces or complaints),
#: and addresses that AWS's validation takes for wrong.
_GONE = ("General", "NoEmail")
_LISTED = ("Suppressed", "OnAccountSuppressionList", "OnTenantSuppressionList", "EmailValidationSuppressed")


def events_of(message: Mapping[str, Any], identity: str, now: dt.datetime) -> list[Event]:
    """The events of a notification: a bounce or a complaint may be of several recipients, ours has one."""
    name = str(message.get("eventType") or message.get("notificationType"))
    about = webhooks.part(message, "failure" if name == "Rendering Failure" else name[:1].lower() + name[1:])
    kind, known = _KINDS.get(name), None
    if name == "Bounce":
        kind, known = _bounce(about)
    if name == "Complaint":
        kind, known = _complaint(about)
    if kind is None:
        return []
    marks = webhooks.part(message, "mail", "tags", "delivery")
    reasons = ("bounceSubType", "reason", "link", "errorMessage", "delayType")
    at = webhooks.part(about, "timestamp") or webhooks.part(message, "mail", "timestamp")
    return webhooks.events(
        kind,
        id=identity,
        at=webhooks.moment(at, now),
        mark=marks[0] if isinstance(marks, list) and marks else None,
        address=_address(message, about),
        detail=next((told for key in reasons if (told := webhooks.part(about, key))), ""),
        agent=webhooks.part(about, "userAgent"),
        known=known,
    )


def _bounce(about: Any) -> tuple[EventType, EventType | None]:
    """What a bounce is, and what AWS had known before."""
    subtype = webhooks.part(about, "bounceSubType")
    if subtype in _LISTED:
        return EventType.DROPPED, EventType.HARD_BOUNCE if subtype == "Suppressed" else None
    if subtype == "UnsubscribedRecipient":
        return EventType.UNSUBSCRIBED, None
    people = webhooks.rows(webhooks.part(about, "bouncedRecipients")) or [{}]
    words, code = (str(people[0].get(key) or "") for key in ("diagnosticCode", "status"))
    gone = webhooks.part(about, "bounceType") == "Permanent" and subtype in _GONE
    gone = gone and stands(words, enhanced=code, certain=subtype == "NoEmail")
    return EventType.HARD_BOUNCE if gone else EventType.SOFT_BOUNCE, None


def _complaint(about: Any) -> tuple[EventType | None, EventType | None]:
    """A complaint, one that AWS had known before, or none: "not-spam" says the contrary (RFC 6430)."""
    if webhooks.part(about, "complaintFeedbackType") == "not-spam":
        return None, None
    if webhooks.part(about, "complaintSubType") == "OnAccountSuppressionList":
        return EventType.DROPPED, EventType.COMPLAINT
    return EventType.COMPLAINT, None


def _address(message: Mapping[str, Any], about: Any) -> str:
    """Whom it's about, where that's one."""
    for key in ("bouncedRecipients", "complainedRecipients", "delayedRecipients"):
        people = [str(row.get("emailAddress") or "") for row in webhooks.rows(webhooks.part(about, key))]
        if len(people) == 1:
            return people[0]
    to = webhooks.part(message, "mail", "destination")
    return str(to[0]) if isinstance(to, list) and len(to) == 1 else ""
