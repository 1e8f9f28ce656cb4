"""Newsletters from stored items: composed, mailed, archived.

    collect -> compose -> render -> check -> send -> publish -> feedback
    items      issue.md   html+text findings ledger   website    events, reports

`collect` stores items and policies; `compose` reads an issue's file and sets them into it; `render` makes
mail of the issue; `check` says what is wrong with it; `send` freezes what was approved and who gets it, and
keeps the ledger; `publish` writes the archive website; `feedback` tells what became of it. `audience` knows
who may be mailed, `providers` carry the mail, `store` keeps what has happened, and `workspace` is the folder
in which all of it comes together.
"""

#: The release. An approval names it: another release may make other bytes of the same issue.
VERSION = "0.6.0"
