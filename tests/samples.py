"""Issues and a config to test with, built from the model alone. Everything in them is a sample."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

from newsletter import merge
from newsletter.config import Config, load
from newsletter.model import (
    Issue,
    Item,
    Level,
    Link,
    Photo,
    Picture,
    Place,
    Policy,
    PolicyEntry,
    Prose,
    Section,
    Status,
    StatusChange,
    Story,
)
from newsletter.resources import EXAMPLE_CONFIG, TEMPLATES

#: Where render finds the product's own templates.
FOLDERS = (TEMPLATES / "email",)

DAY = dt.date(2022, 10, 12)
SINCE = dt.date(2022, 9, 14)


def sample_config(path: Path = EXAMPLE_CONFIG) -> Config:
    """The example config."""
    return load(path)


def sample_photo(name: str, *, alt: str = "", credit: str = "", width: int = 1200, height: int = 800) -> Photo:
    """A picture that does not exist as a file."""
    public = f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.jpg"
    return Photo(name=public, file=f"media/{name}.jpg", width=width, height=height, alt=alt or name, credit=credit)


def sample_item(slug: str, kind: str, title: str, summary: str, *, photo: bool = False, **more: object) -> Item:
    """An item with an address of its own."""
    values = {
        "slug": slug,
        "kind": kind,
        "title": title,
        "summary": summary,
        "url": f"https://example.org/{slug}",
        "date": dt.date(2022, 10, 3),
        "photo": sample_photo(slug, alt=f"Sample picture: {title}", credit="Sample Photographer") if photo else None,
    }
    return Item(**{**values, **more})  # type: ignore[arg-type]


def sample_items() -> dict[str, Item]:
    """Twelve items of every kind, by slug."""
    texas = (Place(state="TX", locality="Denton"), Place(state="TX", locality="Austin"))
    items = (
        sample_item(
            "arriving-migrants",
            "post",
            "How cities are welcoming people arriving by bus",
            "Shelter, legal help and a meal at midnight: four members tell what their cities put together in days, "
            "and what they would ask of Washington.",
            photo=True,
            places=(Place(state="NY", locality="New York"), Place(state="DC", locality="Washington")),
        ),
        sample_item(
            "texas-resolutions",
            "post",
            "Five Texas localities put their budgets behind abortion care",
            "Denton was first. Now **five councils and courts** have resolved that no local money will go to enforcing "
            "the state's trigger law.",
            photo=True,
            places=texas,
        ),
        sample_item(
            "hb1-hearing",
            "press",
            "Eight Florida cities have their day in court over HB 1",
            "After more than a year of organizing, judges heard the cities' challenge to the 2021 act for the first "
            "time.",
            photo=True,
            places=(Place(state="FL"),),
        ),
        sample_item(
            "convening-report",
            "report",
            "What 360 local officials took home from Denver",
            "Notes from the national convening: the sessions, the slides, and what people promised each other to do.",
        ),
        sample_item(
            "responders-video",
            "video",
            "Who comes when you call? Community responders in three cities",
            "Durham, Oakland and Albuquerque show their programs in nine minutes.",
            places=(Place(state="NC", locality="Durham"), Place(state="CA", locality="Oakland")),
        ),
        sample_item(
            "minnesota-sixty",
            "news",
            "More than sixty groups in Minnesota name their priorities",
            "Our state chapter is among them.",
            outlet="Example Star",
            author="A. Writer",
        ),
        sample_item(
            "algorithm-rents",
            "news",
            "Cities take on rents that are set by an algorithm",
            "",
            outlet="The Sample Times",
        ),
        sample_item(
            "fayetteville-stops",
            "news",
            "Fayetteville looks at its traffic stops again",
            "",
            outlet="Example Public Radio",
        ),
        sample_item(
            "future-cities",
            "event",
            "Future Cities summit: two of our members on stage",
            "Join us for the panel on preemption, and stay for the reception.",
            starts=dt.date(2022, 11, 3),
            ends=dt.date(2022, 11, 5),
            venue="Atlanta, GA, and online",
        ),
        sample_item(
            "monthly-call",
            "event",
            "Monthly members' call",
            "Bring one win and one worry.",
            starts=dt.date(2022, 10, 20),
            time="4 pm ET",
            venue="Online",
        ),
        sample_item(
            "press-officer",
            "job",
            "Press Officer",
            "Half time, in Denver.",
        ),
        sample_item(
            "membership-organizer",
            "job",
            "Membership Organizer",
            "Build the network in states where we have no staff yet. Remote, full time, with travel.",
            closes=dt.date(2022, 11, 15),
            venue="Remote",
        ),
    )
    return {item.slug: item for item in items}


def sample_policies() -> dict[str, Policy]:
    """Eight policies, followed over time, by slug."""

    def policy(
        slug: str,
        title: str,
        place: Place,
        level: Level,
        number: str,
        summary: str,
        *history: tuple[Status, dt.date],
        **more: object,
    ) -> Policy:
        changes = tuple(StatusChange(status=status, date=date) for status, date in history)
        url = f"https://example.org/text/{slug}"
        values = {"slug": slug, "title": title, "place": place, "level": level, "number": number, "summary": summary}
        return Policy(**{**values, "url": url, "history": changes, **more})  # type: ignore[arg-type]

    policies = (
        policy(
            "sf-health-leave",
            "Paid leave in a public health emergency",
            Place(state="CA", locality="San Francisco"),
            Level.CITY,
            "Prop G",
            "People who work for larger employers can now take up to two weeks of paid leave when air or illness makes "
            "work unsafe. Voters passed it in June.",
            (Status.PASSED, dt.date(2022, 6, 7)),
            (Status.IN_EFFECT, dt.date(2022, 10, 1)),
            links=(
                Link(label="Coverage in the Sample Times", url="https://example.org/coverage/prop-g"),
                Link(label="Press release", url="https://example.org/press/prop-g"),
            ),
            photo=sample_photo("sf", alt="Nurses in front of a city hall", credit="Sample Photographer"),
        ),
        policy(
            "seattle-app-pay",
            "A pay floor for app-based delivery work",
            Place(state="WA", locality="Seattle"),
            Level.CITY,
            "CB 120294",
            "Platforms will owe drivers a minimum for each minute and mile of an offer.",
            (Status.PASSED, dt.date(2022, 5, 31)),
            (Status.IN_EFFECT, dt.date(2024, 1, 13)),
        ),
        policy(
            "nyc-salaries",
            "Salary ranges in every job advertisement",
            Place(state="NY", locality="New York City"),
            Level.CITY,
            "Local Law 32 of 2022",
            "Employers of four or more must say what a job pays.",
            (Status.ENACTED, dt.date(2022, 1, 15)),
            (Status.IN_EFFECT, dt.date(2022, 11, 1)),
        ),
        policy(
            "la-fair-work-week",
            "Two weeks' notice of schedules in large shops",
            Place(state="CA", locality="Los Angeles"),
            Level.CITY,
            "CF 19-0229",
            "The council's committee sent it on after three years of hearings.",
            (Status.INTRODUCED, dt.date(2019, 3, 1)),
            (Status.IN_COMMITTEE, dt.date(2022, 9, 28)),
        ),
        policy(
            "chicago-one-wage",
            "One fair wage for people who get tips",
            Place(state="IL", locality="Chicago"),
            Level.CITY,
            "",
            "The proposal would end the lower minimum over five years.",
            (Status.PROPOSED, dt.date(2022, 9, 21)),
            url="",
        ),
        policy(
            "denver-wage-theft",
            "Interest and penalties for stolen wages",
            Place(state="CO", locality="Denver"),
            Level.COUNTY,
            "22-1614",
            "The auditor gets the power to look into whole industries.",
            (Status.PASSED, dt.date(2022, 10, 10)),
        ),
        policy(
            "texas-preemption",
            "A state law against local labor standards",
            Place(state="TX"),
            Level.STATE,
            "HB 2127",
            "It would void local rules on breaks, leave and scheduling.",
            (Status.ENACTED, dt.date(2022, 7, 1)),
            (Status.CHALLENGED, dt.date(2022, 9, 30)),
        ),
        policy(
            "minneapolis-board",
            "A Labor Standards Board for Minneapolis",
            Place(state="MN", locality="Minneapolis"),
            Level.CITY,
            "2022-00841",
            "Workers and employers would sit at one table and propose rules for their trade.",
            (Status.PROPOSED, dt.date(2022, 8, 1)),
            (Status.VETOED, dt.date(2022, 10, 6)),
        ),
    )
    return {policy.slug: policy for policy in policies}


def _story(item: Item, line: int, *, headline: str = "", blurb: str = "", compact: bool = False) -> Story:
    return Story(item=item, headline=headline or item.title, blurb=blurb or item.summary, compact=compact, line=line)


def _entry(policy: Policy, line: int, *, blurb: str = "", compact: bool = False) -> PolicyEntry:
    return PolicyEntry(
        policy=policy,
        headline=policy.title,
        blurb=blurb or policy.summary,
        status=policy.latest(DAY),
        moved=policy.moved(SINCE, DAY),
        compact=compact,
        line=line,
    )


def sample_issue() -> Issue:
    """A Network Download of 16 entries: cards and rows of every kind, policies, prose, a picture, fields."""
    items, policies = sample_items(), sample_policies()
    welcome = Prose(
        markdown="Hi {{ first_name | friend }},\n\nIt has been a month of **firsts**: a first day in court, a first "
        "convening in Denver, and a [resolution in Denton](https://example.org/denton) that four more followed.\n\n"
        "Here is what the network did, and what comes next.",
        line=12,
    )
    sections = (
        Section(heading="", blocks=(welcome,), line=12),
        Section(
            heading="🏛️ Policy wins",
            line=20,
            blocks=(
                _story(items["arriving-migrants"], 22),
                _story(
                    items["texas-resolutions"],
                    24,
                    blurb="Neighbors of {{ locality | yours }} were watching: **five localities** now refuse to spend "
                    "on the trigger law.",
                ),
                _entry(policies["sf-health-leave"], 26),
                _entry(policies["denver-wage-theft"], 28, compact=True),
                _entry(policies["nyc-salaries"], 29, compact=True),
            ),
        ),
        Section(
            heading="📣 From the network",
            line=32,
            blocks=(
                _story(items["hb1-hearing"], 34),
                _story(items["convening-report"], 36),
                Picture(
                    photo=sample_photo("denver", alt="A full hall in Denver", credit="Sample Photographer"), line=38
                ),
                _story(items["responders-video"], 40),
            ),
        ),
        Section(
            heading="📰 In the news",
            line=44,
            blocks=tuple(
                _story(items[slug], 46 + n, compact=True)
                for n, slug in enumerate(("minnesota-sixty", "algorithm-rents", "fayetteville-stops"))
            ),
        ),
        Section(
            heading="📅 Coming up",
            line=50,
            blocks=(
                _story(items["monthly-call"], 52),
                _story(items["future-cities"], 54),
                _entry(policies["la-fair-work-week"], 56, compact=True),
            ),
        ),
        Section(
            heading="💼 Jobs",
            line=58,
            blocks=(_story(items["membership-organizer"], 60), _story(items["press-officer"], 62, compact=True)),
        ),
    )
    return Issue(
        slug="network-download-2022-10",
        publication="network-download",
        title="The Network Download: Migrant response, HB 1 in court and more | Oct 2022",
        date=DAY,
        since=SINCE,
        subject=merge.parse("📬 Network Download | migrant response, HB 1 & more!"),
        preheader=merge.parse("{{ first_name | Friend }}, eight Florida cities had their day in court."),
        teaser="What the network did in October.",
        hero=sample_photo("convening", alt="Officials at the Denver convening", credit="Sample Photographer"),
        sections=sections,
        path="issues/network-download-2022-10/issue.md",
    )


def sample_round_up() -> Issue:
    """A Workers' Rights Round Up with eight policies, of which six moved, and some stories as rows."""
    items, policies = sample_items(), sample_policies()
    entries = {slug: _entry(policy, 30 + n) for n, policy in enumerate(policies.values()) for slug in (policy.slug,)}
    greeting = Prose(
        markdown="Dear {{ first_name | colleague }},\n\nThis month a leave law that voters passed in June came into "
        "force, and two cities took first steps. As ever, every policy comes with its own text where there is one.",
        line=12,
    )

    def section(heading: str, line: int, *slugs: str) -> Section:
        return Section(heading=heading, line=line, blocks=tuple(entries[slug] for slug in slugs))

    return Issue(
        slug="workers-rights-2022-10",
        publication="workers-rights",
        title="Workers' Rights Round Up: Emergency leave in force, tips and schedules | Oct 2022",
        date=DAY,
        since=SINCE,
        subject=merge.parse("✊ Round Up | emergency leave is in force"),
        preheader=merge.parse("What moved since September, {{ first_name | friend }}, with the text of each policy."),
        teaser="What moved since September.",
        partner_logo=sample_photo("partner-logo", alt="Example University Labor Program", width=480, height=160),
        sections=(
            Section(heading="", blocks=(greeting,), line=12),
            section("✊ Wages", 14, "seattle-app-pay", "nyc-salaries", "chicago-one-wage"),
            section("🕰️ Scheduling and leave", 16, "sf-health-leave", "la-fair-work-week"),
            section("🏗️ Standards and enforcement", 18, "denver-wage-theft", "minneapolis-board"),
            section("⚖️ Preemption watch", 20, "texas-preemption"),
            Section(
                heading="📣 More on workers' rights",
                line=50,
                blocks=(
                    _story(items["convening-report"], 52, compact=True),
                    _story(items["minnesota-sixty"], 53, compact=True),
                    _story(items["responders-video"], 54, compact=True),
                ),
            ),
        ),
        path="issues/workers-rights-2022-10/issue.md",
    )
