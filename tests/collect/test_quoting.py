"""A sender's own words are told from what programs put around them, in the time that their length takes."""

from __future__ import annotations

import pytest

from newsletter.collect import quoting
from newsletter.collect.heads import plain_words
from tests.timing import is_linear


@pytest.mark.parametrize(
    "quoted",
    [
        "On Tue, Jun 4, 2024 at 9:00 AM Ben <b@b.example> wrote:",
        "El mar, 4 jun 2024 a las 9:00, Ben (<b@b.example>) escribió:",
        "Le mar. 4 juin 2024 à 09:00, Ben a écrit :",
        "Am Di., 4. Juni 2024 um 09:00 Uhr schrieb Ben:",
        "-----Original Message-----",
        "-----Mensaje original-----",
        "---------- Forwarded message ---------",
        "-------- Weitergeleitete Nachricht --------",
        "Begin forwarded message:",
        "Début du message réexpédié :",
        "From: Ben <b@b.example>\nSent: Tuesday, June 4, 2024 9:00 AM",
        "*From:* Ben\n*Sent:* Tuesday",
        "Von: Ben\nGesendet: Dienstag, 4. Juni 2024",
        "De : Ben\nEnvoyé : mardi 4 juin 2024",
        "________________________________",
        "-- ",
        "> hello",
    ],
)
def test_own_words_end_where_others_begin(quoted: str) -> None:
    assert list(quoting.own_lines(f"Mine.\n{quoted}\nTheirs.")) == ["Mine."]


@pytest.mark.parametrize(
    "line", ["On Tuesday the board wrote a letter.", "From: noon on", "- one - two -", "--flag", "El que escribió: yo"]
)
def test_own_words_that_look_like_a_quotation_stay(line: str) -> None:
    assert list(quoting.own_lines(f"Mine.\n{line}\nMine, too.")) == ["Mine.", line, "Mine, too."]


@pytest.mark.parametrize("prefix", ["Re: ", "FWD: Fw: ", "[EXTERNAL] RV: ", "AW: [list] ", "TR : ", "Re：", "EXT: "])
def test_a_subject_is_known_without_its_prefixes(prefix: str) -> None:
    assert quoting.subject(f"{prefix}A story") == "A story"


@pytest.mark.parametrize("subject", ["Rent: a story", "Restored", "Extended hours", "Ana: yes"])
def test_a_subject_that_begins_like_a_prefix_stays(subject: str) -> None:
    assert quoting.subject(subject) == subject


@pytest.mark.parametrize(
    "piece", ["BannerStart ", "_" * 20 + "\n", "On x wrote ", "caution ", "-", "> ", "[", "re:", "\n", "From: a\n"]
)
def test_a_long_letter_takes_no_more_than_its_share_of_time(piece: str) -> None:
    def read(size: int) -> None:
        text = piece * (size // len(piece))
        quoting.subject(text)
        list(quoting.own_lines(quoting.body(quoting.unflowed(text, delsp=True))))

    assert is_linear(read)


@pytest.mark.parametrize("piece", ["<a", "&amp;", "&", "<b>", "a - ", " | "])
def test_a_long_value_of_a_page_takes_no_more_than_its_share_of_time(piece: str) -> None:
    assert is_linear(lambda size: plain_words(piece * (size // len(piece))))
