"""The systems that people come from: by which headers each one's export is known, and what its columns and words mean
there.

Headers and words are squeezed to letters and digits (see `newsletter.audience.cells.squeezed`). A header that ends with
`*` stands for all that begin so. A column whose field is empty is left out: it speaks of something else than mail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from newsletter.audience.cells import ACTIVE, BLOCKED, BOUNCED, COMPLAINED, LEFT, PENDING, Verdict, squeezed

_NUMBERS = {"0": PENDING, "1": ACTIVE, "2": LEFT, "3": BOUNCED}


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """An export's origin. It's recognised where all headers of one of the `signatures` are there; `source` says where
    its columns and words are described.
    """

    name: str
    signatures: tuple[frozenset[str], ...]
    columns: Mapping[str, str]
    words: Mapping[str, Verdict] = field(default_factory=dict)
    source: str

    def meaning(self, header: str) -> str | None:
        """The field that a header means here, empty for none; None where the usual meaning holds."""
        plain = squeezed(header)
        if plain in self.columns:
            return self.columns[plain]
        return next((to for name, to in self.columns.items() if name[-1] == "*" and plain.startswith(name[:-1])), None)


def _system(
    name: str, source: str, signatures: str, columns: str, words: Mapping[str, Verdict] | None = None
) -> System:
    """`signatures` are sets of headers with bars between; `columns` are `field: headers`, one field a line."""
    fields = [line.partition(":") for line in columns.strip().splitlines()]
    return System(
        name=name,
        source=source,
        signatures=tuple(frozenset(part.split()) for part in signatures.split("|")),
        columns={
            header: to.strip().removeprefix("(not taken)") for to, _, headers in fields for header in headers.split()
        },
        words=words or {},
    )


SYSTEMS: Sequence[System] = (
    _system(
        "Mailchimp",
        "https://mailchimp.com/help/view-export-contacts/",
        "leid euid | memberrating confirmtime",
        """
        confirmed: confirmtime optintime
        ip: confirmip optinip
        stopped: unsubtime
        bounced: cleantime
        (not taken): unsubcampaigntitle unsubcampaignid unsubreason unsubreasonother cleancampaigntitle cleancampaignid
        (not taken): cc lastchanged memberrating
        """,
    ),
    _system(
        "Constant Contact",
        "https://knowledgebase.constantcontact.com/email-digital-marketing/articles/KnowledgeBase/5873",
        "emailaddress emailstatus | emailpermissionstatus | confirmedoptoutdate | emailupdatesource",
        """
        status: emailstatus emailpermissionstatus
        stopped: confirmedoptoutdate
        confirmed: confirmedoptindate createdat
        lists: emaillists
        (not taken): confirmedoptoutsource confirmedoptoutreason confirmedoptinsource emailupdatesource emailupdatedat
        (not taken): smsstatus smspermissionstatus smsoptoutdate
        """,
        {"deleted": LEFT, "temporaryhold": LEFT, "implicit": ACTIVE, "explicit": ACTIVE},
    ),
    _system(
        "Campaign Monitor",
        "https://www.campaignmonitor.com/api/v3-3/subscribers/",
        "emailaddress state listjoineddate | email state consenttotrack | emailaddress consenttotrack"
        " | email name datesubscribed | emailaddress name state date",
        """
        status: state
        confirmed: listjoineddate datesubscribed date
        (not taken): consenttotrack consenttosendsms readsemailwith
        """,
    ),
    _system(
        "Kit",
        "https://developers.kit.com/api-reference/subscribers/list-subscribers",
        "id firstname emailaddress state createdat | firstname emailaddress status createdat id",
        """
        status: state status
        stopped: cancelledat canceledat
        confirmed: createdat
        """,
        {"inactive": PENDING},
    ),
    _system(
        "Buttondown",
        "https://docs.buttondown.com/api-subscribers-type",
        "email type metadata | email subscribertype | emailaddress type creationdate | emailaddress subscribertype",
        """
        status: type subscribertype
        stopped: unsubscriptiondate
        attributes: metadata
        confirmed: creationdate
        (not taken): unsubscriptionreason churndate undeliverabilitydate undeliverabilityreason
        """,
        {"paused": ACTIVE, "unpaid": PENDING, "churned": PENDING, "blocked": BLOCKED, "upcoming": PENDING},
    ),
    _system(
        "Substack",
        "https://support.substack.com/hc/en-us/articles/360037830671",
        "email activesubscription | email emaildisabled expiry | email emaildisabled firstpaymentat",
        """
        stopped: emaildisabled emailsdisabled
        confirmed: createdat
        (not taken): activesubscription expiry plan firstpaymentat cancelledat canceledat
        """,
    ),
    _system(
        "beehiiv",
        "https://developers.beehiiv.com/api-reference/subscriptions/index",
        "email status subscriptiontier | email status utmsource | email status referralcode"
        " | email status acquisitionsource",
        """
        status: status
        confirmed: createdat created subscribedat
        stopped: unsubscribedat
        (not taken): subscriptiontier stripecustomerid
        """,
        {"inactive": LEFT, "paused": PENDING},
    ),
    _system(
        "Ghost",
        "https://ghost.org/help/exports/#members",
        "email subscribedtoemails | email complimentaryplan",
        """
        consented: subscribedtoemails
        stopped: emaildisabled deletedat
        tags: labels
        (not taken): complimentaryplan stripecustomerid tiers
        """,
    ),
    _system(
        "listmonk",
        "https://listmonk.app/docs/concepts/#subscriber",
        "uuid email name status",
        """
        status: status
        """,
        {"enabled": ACTIVE, "disabled": LEFT, "blocklisted": BLOCKED},
    ),
    _system(
        "Keila",
        "https://www.keila.io/docs/contacts",
        "email firstname lastname data | email externalid data | email status data",
        """
        attributes: data
        confirmed: doubleoptinat insertedat
        """,
        {"unreachable": BOUNCED},
    ),
    _system(
        "phpList",
        "https://www.phplist.org/manual/books/phplist-manual/page/exporting-subscribers",
        "email confirmed blacklisted | email isthisuserblacklisted | email htmlemail confirmed",
        """
        confirmed: confirmed istheemailofthisuserconfirmed
        stopped: blacklisted disabled isthisuserblacklisted isthisaccountdisabled blacklistedstatus
        lists: listmembership
        (not taken): bouncecount numberofbouncesonthisuser optedin didthisusermanuallyconfirm htmlemail
        """,
    ),
    _system(
        "Mailtrain",
        "https://github.com/Mailtrain-org/mailtrain/wiki/API-docs",
        "cid email status | hash email status | email status subscribercid",
        """
        status: status
        """,
        {"1": ACTIVE, "2": LEFT, "3": BOUNCED, "4": COMPLAINED},
    ),
    _system(
        "Action Network",
        "https://help.actionnetwork.org/hc/en-us/articles/203113215",
        "can2subscriptionstatus | can2usertags | can2stateabbreviated",
        """
        status: can2subscriptionstatus
        (not taken): can2smsstatus can2smssubscriptionstatus can2phone
        """,
    ),
    _system(
        "EveryAction",
        "https://docs.ngpvan.com/reference/common-models",
        "vanid",
        """
        email: email preferredemail emailaddress
        status: emailsubscriptionstatus subscriptionstatus emailstatus
        stopped: noemail optedout isoptedout donotemail
        (not taken): donotcall donotmail donotwalk nocall nomail nowalk optintext smsoptinstatus phoneoptinstatus
        """,
        {"i": ACTIVE, "o": LEFT, "u": PENDING, "n": PENDING, "s": ACTIVE, "b": BOUNCED},
    ),
    _system(
        "NationBuilder",
        "https://support.nationbuilder.com/en/articles/2331170-export-file-columns",
        "nationbuilderid | nbecguid | emailoptin email1 | emailoptin signuptype",
        """
        email: email email1
        consented: emailoptin
        stopped: donotcontact unsubscribedat isdeceased
        bounced: email1isbad isbad emailisbad
        tags: taglist
        state: primarystate homestate
        locality: primarycity homecity
        (not taken): donotcall federaldonotcall mobileoptin ismobilebad email2isbad email3isbad email4isbad supportlevel
        (not taken): membershipstatus iscallable
        """,
    ),
    _system(
        "CiviCRM",
        "https://docs.civicrm.org/user/en/latest/common-workflows/importing-data-into-civicrm/",
        "contactid donotemail | internalcontactid donotemail | email nobulkemailsuseroptout | contactid isoptout"
        " | contactid onhold",
        """
        stopped: donotemail nobulkemailsuseroptout nobulkemails isoptout onhold emailonhold
        stopped: isdeceased deceased isdeleted contactisintrash
        bounced: holddate
        status: groupstatus
        (not taken): donotphone donotmail donotsms donottrade resetdate deceaseddate privacynote
        """,
        {"added": ACTIVE, "removed": LEFT, "onholdbounce": BOUNCED, "onholdoptout": LEFT},
    ),
    _system(
        "Mautic",
        "https://docs.mautic.org/en/latest/contacts/manage_contacts.html",
        "email dateidentified | email donotcontact points | email dnc points",
        """
        stopped: donotcontact dnc
        language: preferredlocale preferredlanguage
        (not taken): ispublished points stage
        """,
        {"2": BOUNCED, "3": BLOCKED},
    ),
    _system(
        "ActiveCampaign",
        "https://developers.activecampaign.com/reference/contact",
        "email subscribeddate | email unsubscribeddate status | email ip4 hash | email bouncedhard"
        " | email sdate udate status",
        """
        status: status
        confirmed: subscribeddate sdate
        stopped: unsubscribeddate unsubscribedate udate
        bounced: bouncedhard
        (not taken): bouncedsoft bounceddate unsubscribereason unsubscribedreason unsubreason
        """,
        _NUMBERS,
    ),
    _system(
        "HubSpot",
        "https://knowledge.hubspot.com/properties/hubspots-default-contact-properties",
        "unsubscribedfromallemail | marketingcontactstatus | recordid email | recordid lifecyclestage",
        """
        stopped: unsubscribedfromallemail optedoutofemail*
        bounced: emailhardbouncereason invalidemailaddress emailaddressquarantined sendsbouncedreason
        status: marketingcontactstatus emailconfirmationstatus
        (not taken): leadstatus lifecyclestage marketingemailsbounced globalbounces legalbasis*
        """,
    ),
)


def recognise(header: Sequence[str]) -> System | None:
    """The system that an export with this header comes from; of several, the one that more headers speak for."""
    there = {squeezed(column) for column in header}
    found = [(len(one), system) for system in SYSTEMS for one in system.signatures if one <= there]
    return max(found, key=lambda pair: pair[0])[1] if found else None
