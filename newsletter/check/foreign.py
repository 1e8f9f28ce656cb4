"""What looks like a merge field in the writing of any tool for mail or letters."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Words that tools use for fields of a reader, joined by nothing, a blank, a dot, a hyphen or a low line.
_WORD = r"""(?:
    (?:(?:first|last|full|given|middle|sur|family|nick|user|contact|subscriber|recipient|member|customer|client|person)
       [\s_.:-]*)+ (?:names?|e?-?mail|city|state|greeting|salutation)?
    | [fl]_?name | names? | e-?mail(?:[\s_-]*address)? | salutation | greeting | (?:merge|sub)tag | prenom | prénom
    | nombre | apellido | vorname | nachname | anrede | unsubscribe(?:[\s_-]*(?:url|link))? | city | county | state
)"""
_FIELDS = re.compile(
    rf"""
      [\#$!%@]? \{{+ [^{{}}\n]{{0,80}} \}}* | \}}+         # {{x|y}} ${{x}} {{!x}} {{% x %}}, and half of one
    | \*\| [^|\n*]{{1,60}} (?:\|\*?)? | \|\*               # *|FNAME|* (Mailchimp, Mandrill)
    | %%=? [^%\n]{{1,60}} %?%? | <% [^%\n]{{0,80}} %>?     # %%FirstName%% (Salesforce, Pardot), <%= x %>
    | \[% [^%\n]{{0,80}} %?\]                              # [% member:first_name %] (Emma)
    | (?<![\w%]) % [A-Za-z] [\w.:-]* % (?!\w)              # %recipient.name% (Mailgun), %FIRSTNAME% (ActiveCampaign)
    | \[\[ [^\[\]\n]{{0,80}} \]?\]?                        # [[first_name]], [[data:name]] (Mailjet)
    | << \s* [\w][^<>\n]{{0,60}} >>? | <\s*{_WORD}\s*>     # <<First Name>> (mail merge)
    | « \s* {_WORD} \s* »                                  # «First_Name» (Word)
    | (?<!\]) \[ \s* (?:contact|subscriber|recipient|member|user|lead)? [\s:._]* (?! (?:city|county|state)\b ) {_WORD}
      (?: \s* (?:,|\|) [^\[\]\n]{{0,60}} )? \s* \] (?![(\[])   # [First Name], [firstname,fallback=friend]
    | (?<![\w~-]) (@{{1,2}}|\#{{1,2}}|\$|~|-|\^) {_WORD} \1 (?![\w~-])   # @FIRSTNAME@, \#\#name\#\#, -name- (SendGrid)
    | \b MERGEFIELD \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
#: Fallbacks that are another tool's way to write one: `| default: "friend"`, `| "friend"`.
_FILTER = re.compile(
    r"\s*(?:default|fallback|capitali[sz]e|upcase|downcase|upper|lower|title|titleize|strip|trim|escape|safe)\b\s*(?:[:=(|]|$)"
    r"|\s*([\"'“”‘’„«]).*[\"'“”‘’»]\s*$",
    re.IGNORECASE | re.DOTALL,
)


def foreign_fields(text: str) -> Iterator[tuple[int, str]]:
    """Where in a text something looks like a field that isn't one of ours, and what; our own have to be blanked."""
    for found in _FIELDS.finditer(text):
        yield found.start(), found[0].strip()


def is_filter(fallback: str) -> bool:
    """Whether a fallback is written as another tool wants it."""
    return _FILTER.match(fallback) is not None
