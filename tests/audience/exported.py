# ruff: noqa: E501 (rows of tables)
"""Exports as nineteen systems write them, with a person in every standing that each knows.

Each address says where its person must end: `active`, `pending`, `left`, `bounced`, `complained` or `blocked`, and a
number. What the columns and words are is described at the `source` of each system in `newsletter.audience.systems`.
"""

from __future__ import annotations

#: System, file name, text.
EXPORTS: tuple[tuple[str, str, str], ...] = (
    (
        "Mailchimp",
        "subscribed_email_audience_export_1.csv",
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,CC,REGION,LEID,EUID,NOTES,TAGS\n"
        'active1@example.org,Ada,Lee,2,"2021-03-04 10:00:00",203.0.113.4,"2021-03-04 10:05:00",203.0.113.4,us,fl,1,ab,,"donor"\n'
        "active2@example.org,Ann,,2,,,2021-03-04 10:05:00,,us,tx,2,ac,,\n",
    ),
    (
        "Mailchimp",
        "unsubscribed_email_audience_export_1.csv",
        "Email Address,First Name,CONFIRM_TIME,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,LEID,EUID\n"
        "left1@example.org,Leo,2021-03-04 10:05:00,2022-01-01 00:00:00,September,NORMAL,1,ab\n"
        "left2@example.org,Lea,2021-03-04 10:05:00,2022-02-01 00:00:00,,,2,ac\n",
    ),
    (
        "Mailchimp",
        "nonsubscribed_email_audience_export_1.csv",
        "Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,LEID,EUID\npending1@example.org,Pia,,,1,ab\n"
        "pending2@example.org,Pio,2021-03-04 10:05:00,2021-03-04 10:05:00,2,ac\n",
    ),
    (
        "Mailchimp",
        "cleaned_email_audience_export_1.csv",
        "Email Address,First Name,CONFIRM_TIME,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID,EUID\n"
        "bounced1@example.org,Bo,2021-03-04 10:05:00,2022-01-01 00:00:00,September,1,ab\n",
    ),
    (
        "Constant Contact",
        "contacts.csv",
        "Email address,First name,Last name,Email status,Email update source,Confirmed Opt-Out Date,Confirmed Opt-Out Reason,SMS Status,Created At\n"
        "active1@example.org,Ada,Lee,Active,Added by you,,,Unsubscribed,2021-02-03 10:00 AM\n"
        "left1@example.org,Leo,,Unsubscribed,,02/03/2022 10:00 AM EST,Too many,,\n"
        "left2@example.org,Lea,,Active,,02/03/2022 10:00 AM EST,,,\n"
        "pending1@example.org,Pia,,No Permissions Set,,,,,\npending2@example.org,Pio,,Awaiting Confirmation,,,,,\n"
        "pending3@example.org,Pam,,,,,,,\nleft3@example.org,Lis,,Temporary hold,,,,,\n"
        "left4@example.org,Lou,,Deleted,,,,,\n",
    ),
    (
        "Campaign Monitor",
        "subscribers.csv",
        "Email Address,Name,State,Date,Consent to track\n"
        "active1@example.org,Ada Lee,Active,2021-02-03,No\nleft1@example.org,Leo,Unsubscribed,2021-02-03,Yes\n"
        "bounced1@example.org,Bo,Bounced,2021-02-03,Unchanged\nleft2@example.org,Lea,Deleted,2021-02-03,Yes\n"
        "pending1@example.org,Pia,Unconfirmed,2021-02-03,Yes\n",
    ),
    (
        "Kit",
        "subscribers.csv",
        "id,first_name,email_address,state,created_at\n1,Ada,active1@example.org,active,2021-02-03T10:00:00Z\n"
        "2,Leo,left1@example.org,cancelled,2021-02-03T10:00:00Z\n3,Bo,bounced1@example.org,bounced,2021-02-03T10:00:00Z\n"
        "4,Cy,complained1@example.org,complained,2021-02-03T10:00:00Z\n5,Pia,pending1@example.org,inactive,\n",
    ),
    (
        "Buttondown",
        "subscribers.csv",
        "email,notes,tags,metadata,type,creation_date,unsubscription_date\n"
        + "".join(
            f"active{number}@example.org,,,{{}},{word},2021-02-03T10:00:00Z,\n"
            for number, word in enumerate(("regular", "premium", "gifted", "trialed", "churning", "past_due", "paused"))
        )
        + "pending1@example.org,,,{},unactivated,,\npending2@example.org,,,{},unpaid,,\n"
        "left1@example.org,,,{},unsubscribed,,2022-01-01\nleft2@example.org,,,{},removed,,\n"
        "blocked1@example.org,,,{},spammy,,\nblocked2@example.org,,,{},blocked,,\n"
        "bounced1@example.org,,,{},undeliverable,,\ncomplained1@example.org,,,{},complained,,\n",
    ),
    (
        "Substack",
        "email_list.news.csv",
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
        "active1@example.org,false,,other,false,2021-02-03T10:00:00.000Z,\n"
        "active2@example.org,true,2023-02-03T10:00:00.000Z,monthly,false,2021-02-03T10:00:00.000Z,\n"
        "left1@example.org,true,,monthly,true,2021-02-03T10:00:00.000Z,\nleft2@example.org,false,,other,true,,\n",
    ),
    (
        "beehiiv",
        "subscribers.csv",
        "email,status,subscription_tier,created_at,utm_source,acquisition_source\n"
        "active1@example.org,active,free,2021-02-03,,\nleft1@example.org,inactive,free,,,\n"
        "left2@example.org,unsubscribed,free,,,\npending1@example.org,validating,free,,,\n"
        "pending2@example.org,pending,free,,,\nbounced1@example.org,invalid,free,,,\n"
        "pending3@example.org,needs_attention,free,,,\npending4@example.org,paused,free,,,\n",
    ),
    (
        "Ghost",
        "members.csv",
        "id,email,name,note,subscribed_to_emails,email_disabled,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n"
        "1,active1@example.org,Ada Lee,,true,false,false,,2021-02-03T10:00:00.000Z,,press,\n"
        "2,left1@example.org,Leo,,true,true,false,,2021-02-03T10:00:00.000Z,,,\n"
        "3,left2@example.org,Lea,,false,false,true,,2021-02-03T10:00:00.000Z,,,\n"
        "4,left3@example.org,Lis,,true,false,true,,2021-02-03T10:00:00.000Z,2022-01-01T10:00:00.000Z,,\n",
    ),
    (
        "listmonk",
        "subscribers.csv",
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        '1,active1@example.org,Ada Lee,"{""ward"": 7}",enabled,2021-02-03T10:00:00Z,x\n'
        "2,left1@example.org,Leo,{},disabled,,\n3,blocked1@example.org,Bea,{},blocklisted,,\n",
    ),
    (
        "Keila",
        "contacts.csv",
        "Email,First name,Last name,Data,Status,Double opt-in at\n"
        "active1@example.org,Ada,Lee,{},active,2021-02-03T10:00:00Z\nleft1@example.org,Leo,,{},unsubscribed,\n"
        "bounced1@example.org,Bo,,{},unreachable,\n",
    ),
    (
        "phpList",
        "export.csv",
        "email,confirmed,blacklisted,disabled,bouncecount,optedin,htmlemail,entered\n"
        "active1@example.org,1,0,0,0,0,1,2021-02-03 10:00:00\nactive2@example.org,1,0,0,2,1,1,2021-02-03 10:00:00\n"
        "pending1@example.org,0,0,0,0,0,1,\nleft1@example.org,1,1,0,0,1,1,\nleft2@example.org,1,0,1,0,1,1,\n",
    ),
    (
        "phpList",
        "export-with-titles.csv",
        "email,Is the email of this user confirmed,Is this user blacklisted,Number of bounces on this user,Did this user manually confirm,Is this account disabled?\n"
        "active1@example.org,1,0,0,0,0\npending1@example.org,0,0,0,0,0\nleft1@example.org,1,1,0,0,0\n"
        "left2@example.org,1,0,3,1,1\n",
    ),
    (
        "Mailtrain",
        "list.csv",
        "cid,email,status,FIRST_NAME\n1,active1@example.org,1,Ada\n2,left1@example.org,2,Leo\n"
        "3,bounced1@example.org,3,Bo\n4,complained1@example.org,4,Cy\n",
    ),
    (
        "Action Network",
        "report.csv",
        "email,first_name,can2_user_city,can2_state_abbreviated,can2_user_tags,can2_subscription_status,can2_sms_status\n"
        'active1@example.org,Ada,Durham,NC,"rally, petition",subscribed,unsubscribed\n'
        "left1@example.org,Leo,,,,unsubscribed,\nbounced1@example.org,Bo,,,,bouncing,\n"
        "bounced2@example.org,Bea,,,,previous bounce,\ncomplained1@example.org,Cy,,,,spam complaint,\n"
        "complained2@example.org,Che,,,,previous spam complaint,\n",
    ),
    (
        "EveryAction",
        "export.txt",
        "VANID\tPreferredEmail\tFirst Name\tState\tEmail Subscription Status\tNo Call\n"
        "1\tactive1@example.org\tAda\tFL\tSubscribed\tYes\n2\tleft1@example.org\tLeo\t\tUnsubscribed\t\n"
        "3\tpending1@example.org\tPia\t\tNot Subscribed\t\n4\tpending2@example.org\tPio\t\tNeutral\t\n"
        "5\tleft2@example.org\tLea\t\tOpted Out\t\n6\tactive2@example.org\tAnn\t\tOpted In\t\n",
    ),
    (
        "NationBuilder",
        "people.csv",
        "nationbuilder_id,first_name,email1,email1_is_bad,email_opt_in,do_not_contact,do_not_call,is_mobile_bad,unsubscribed_at,tag_list,primary_state\n"
        "1,Ada,active1@example.org,false,true,false,true,true,,donor,FL\n"
        "2,Leo,left1@example.org,false,false,false,false,,,,\n3,Bo,bounced1@example.org,true,true,false,,,,,\n"
        "4,Lea,left2@example.org,false,true,true,,,,,\n5,Lis,left3@example.org,false,true,false,,,2022-01-01,,\n",
    ),
    (
        "CiviCRM",
        "contacts.csv",
        '"Contact ID","First Name","Email","Do Not Phone","Do Not Email","Do Not Mail","No Bulk Emails (User Opt Out)","On Hold","Is Deceased"\n'
        "1,Ada,active1@example.org,1,0,1,0,No,0\n2,Leo,left1@example.org,0,1,0,0,No,0\n"
        '3,Lea,left2@example.org,0,0,0,1,No,0\n4,Bo,bounced1@example.org,,,,,"On Hold Bounce",\n'
        '5,Lou,left3@example.org,,,,,"On Hold Opt Out",\n6,Lis,left4@example.org,,,,,,1\n',
    ),
    (
        "Mautic",
        "contacts.csv",
        "email,firstname,points,date_identified,doNotContact,preferred_locale\n"
        "active1@example.org,Ada,7,2021-02-03,0,es_MX\nleft1@example.org,Leo,0,2021-02-03,1,\n"
        "bounced1@example.org,Bo,0,,2,\nblocked1@example.org,Bea,0,,3,\nactive2@example.org,Ann,0,,,\n",
    ),
    (
        "ActiveCampaign",
        "contacts.csv",
        "Email,First Name,Status,Subscribed Date,Unsubscribed Date,Unsubscribe Reason,Bounced Hard,Bounced Soft\n"
        "active1@example.org,Ada,Active,2021-02-03 10:00:00,,,0,2\n"
        "left1@example.org,Leo,Unsubscribed,2021-02-03,2022-01-01 00:00:00,Too many,0,0\n"
        "bounced1@example.org,Bo,Bounced,,,,1,0\npending1@example.org,Pia,Unconfirmed,,0000-00-00 00:00:00,,0,0\n"
        "bounced2@example.org,Bea,3,,,,0,0\nleft2@example.org,Lea,2,,,,0,0\nactive2@example.org,Ann,1,,,,,\n"
        "pending2@example.org,Pio,0,,,,,\n",
    ),
    (
        "HubSpot",
        "hubspot-crm-exports-all-contacts.csv",
        "Record ID,First Name,Email,Lead Status,Marketing contact status,Unsubscribed from all email,Opted out of email: Newsletter,Email Hard Bounce Reason,Invalid email address\n"
        "1,Ada,active1@example.org,Unqualified,Marketing contact,false,,,false\n"
        "2,Leo,left1@example.org,,Marketing contact,true,,,false\n3,Lea,left2@example.org,,Marketing contact,,true,,\n"
        "4,Bo,bounced1@example.org,,Marketing contact,,,Unknown user,\n"
        "5,Pia,pending1@example.org,Bad Timing,Non-marketing contact,false,,,\n"
        "6,Bea,bounced2@example.org,,Marketing contact,false,,,true\n",
    ),
)
