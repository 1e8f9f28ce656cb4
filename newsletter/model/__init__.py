"""The values that flow through the pipeline, all frozen.

    Item, Policy      stored things that issues are made of         collect ->
    Issue             one edition, composed: sections of blocks     compose ->
    Rendered          one variant of it as mail                     render  ->
    Finding           something a check has to say                  check   ->
    Recipient, Call  who gets it, in one provider call             send    ->
    Receipt           what the provider answered, one a recipient   providers

Dates are calendar days; datetimes are aware and in UTC. Texts named `blurb`, `summary`, `markdown` and
`note` are Markdown; every other text is plain.
"""

from newsletter.model.archive import Amendments, Correction, Gone, Moved, Replacement, is_site_folder
from newsletter.model.entries import (
    Item,
    Level,
    Link,
    Member,
    Photo,
    Place,
    Policy,
    Status,
    StatusChange,
    address_of,
)
from newsletter.model.issue import (
    Block,
    Corrects,
    Coverage,
    Definition,
    Guard,
    Issue,
    Picture,
    PolicyEntry,
    Prose,
    Reach,
    Section,
    Story,
    SubjectTest,
    Variant,
    Waiver,
    states_of,
)
from newsletter.model.kinds import KINDS, OTHERS, OWN, POLICY, ArchiveSection, Kind, kind_of, kind_said
from newsletter.model.mail import (
    Call,
    DeliveryState,
    Event,
    EventType,
    Finding,
    Inline,
    Mailbox,
    Outcome,
    Receipt,
    Recipient,
    Rendered,
    Route,
    Severity,
    Snapshot,
    Use,
    ascii_address,
)
from newsletter.model.provisions import Provision, Unit

__all__ = [
    "KINDS",
    "OTHERS",
    "OWN",
    "POLICY",
    "Amendments",
    "ArchiveSection",
    "Block",
    "Call",
    "Correction",
    "Corrects",
    "Coverage",
    "Definition",
    "DeliveryState",
    "Event",
    "EventType",
    "Finding",
    "Gone",
    "Guard",
    "Inline",
    "Issue",
    "Item",
    "Kind",
    "Level",
    "Link",
    "Mailbox",
    "Member",
    "Moved",
    "Outcome",
    "Photo",
    "Picture",
    "Place",
    "Policy",
    "PolicyEntry",
    "Prose",
    "Provision",
    "Reach",
    "Receipt",
    "Recipient",
    "Rendered",
    "Replacement",
    "Route",
    "Section",
    "Severity",
    "Snapshot",
    "Status",
    "StatusChange",
    "Story",
    "SubjectTest",
    "Unit",
    "Use",
    "Variant",
    "Waiver",
    "address_of",
    "ascii_address",
    "is_site_folder",
    "kind_of",
    "kind_said",
    "states_of",
]
