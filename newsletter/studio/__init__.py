"""The studio: the issue as its readers will see it, in a browser on this machine, while it's being written.

state     what is shown: composed, rendered and checked when a file has changed, and not before
preview   a mail or page made to look as in the dark, on a phone, in an inbox
app       the pages; GET changes nothing, POST writes issue.md
"""

from newsletter.studio.app import create_app
from newsletter.studio.state import Studio

__all__ = ["Studio", "create_app"]
