"""The vendors on loopback, with a memory: they keep whom they took, and fail as the real ones do.

One module a vendor; beside each behaviour stands where it was read. `faults` are done to the next calls that send:
"drop" takes the batch and hangs up, "half" takes it and hangs up in the middle of its answer, "lose" hangs up before,
"stall" takes it and answers too late, "500" takes it and answers 500, "429" doesn't take it and says how long to wait
as the vendor does; an `Interference` answers in the vendor's place. `refuse` are addresses that aren't any.
"""

from tests.providers.fakes.base import KEY, STALL, Fake, Interference, Letter, Said
from tests.providers.fakes.brevo import BrevoFake
from tests.providers.fakes.mailgun import MailgunFake
from tests.providers.fakes.mailjet import MailjetFake
from tests.providers.fakes.postmark import PostmarkFake
from tests.providers.fakes.resend import ResendFake
from tests.providers.fakes.sendgrid import SendgridFake
from tests.providers.fakes.server import serve
from tests.providers.fakes.ses import SesFake
from tests.providers.fakes.smtp import SmtpFake

__all__ = [
    "KEY",
    "STALL",
    "BrevoFake",
    "Fake",
    "Interference",
    "Letter",
    "MailgunFake",
    "MailjetFake",
    "PostmarkFake",
    "ResendFake",
    "Said",
    "SendgridFake",
    "SesFake",
    "SmtpFake",
    "serve",
]
