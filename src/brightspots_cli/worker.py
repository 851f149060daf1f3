"""`brightspots worker`: does the jobs that the web application queues."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brightspots_cli import platform

EVERY_MINUTE, HOURLY, DAILY = "I", "H", "D"
"""How often, as django-q writes it."""

SCHEDULES = (
    ("find jobs whose worker died", "shared.jobs.recover", EVERY_MINUTE),
    ("send what people have not seen", "notices.actions.send_digests", HOURLY),
    # Hourly, so that today's count follows what changed today; a day has one count, its last.
    (
        "count isolated schools and tell their leaders",
        "connectedness.contact_actions.count_and_tell",
        HOURLY,
    ),
    ("look after leaders' terms", "leaders.designation_life_actions.look_after", DAILY),
    (
        "tell people of the calendar of the priorities",
        "alignment.agreement_reminder_actions.tell_of_calendar",
        HOURLY,
    ),
    (
        "remind leaders of learning, and delete what is kept no longer",
        "leaders.development_jobs.every_day",
        DAILY,
    ),
    (
        "remind of what was decided and of cycles to study",
        "devolution.decision_follow_actions.remind",
        HOURLY,
    ),
    # Hourly: a ballot ends with its day, and is counted before anybody asks.
    (
        "keep the list of voters, remind, close and count ballots",
        "alignment.ballot_actions.keep_time",
        HOURLY,
    ),
    # Hourly: a consultation ends with its day, and its key should not outlive it for long.
    (
        "remind of consultations, close and count them, destroy their keys",
        "accountability.voice_time_actions.keep_time",
        HOURLY,
    ),
    # Hourly, for the same reason: a pulse opens and ends with its days.
    (
        "open the two questions of a term, remind of them, count them",
        "pace.pulse_time_actions.keep_time",
        HOURLY,
    ),
    # Hourly: what support was chosen on is written down close to the day it begins.
    (
        "write down what was chosen on what, draw lotteries that are due",
        "evidence.choice_time_actions.look_after",
        HOURLY,
    ),
    ("remind of meetings two days before", "devolution.meeting_actions.remind", HOURLY),
    (
        "look after challenge visits, their follow-ups and challengers who left",
        "accountability.challenge_reminder_actions.look_after",
        DAILY,
    ),
    (
        "look after dialogues, promises that are due and owners who left",
        "accountability.dialogue_time_actions.look_after",
        DAILY,
    ),
    (
        "look after promises: witnesses who left, check-ins, days that have come",
        "accountability.pledge_time_actions.look_after",
        DAILY,
    ),
    (
        "look after scores of promises: peers who left",
        "accountability.ceremony_time_actions.look_after",
        DAILY,
    ),
    (
        "look after peer reviews: peers who left, visits that are soon",
        "accountability.review_team_actions.look_after",
        DAILY,
    ),
    (
        "look after findings of peer reviews, their steps and days to check back",
        "accountability.visit_time_actions.look_after",
        DAILY,
    ),
    (
        "release suggestions, remind of answers that are owed, forget what was withheld",
        "accountability.response_time_actions.look_after",
        DAILY,
    ),
    (
        "look after rounds of stages: days that come, ratings to close, stages to agree",
        "pace.stage_time_actions.look_after",
        DAILY,
    ),
    (
        "look after readiness and powers: questions and offers that wait, places held back",
        "pace.power_time_actions.look_after",
        DAILY,
    ),
)
"""What is done again and again: its name in the queue, what does it in the platform, how often."""


def command(
    home: Annotated[Path | None, typer.Option(help="Folder of the installation.")] = None,
) -> None:
    """Do the jobs that the web application queues, until stopped.

    Several workers may share one database. A job whose worker died is found within two minutes
    and done again from its beginning; what it had not published yet never shows.
    """
    platform.start(home)
    work()


def work() -> None:
    """Run the queue's workers in this process until it is told to end."""
    from django.core.management import call_command
    from django_q.models import Schedule

    from brightspots_web.shared import jobs

    jobs.recover()  # what the last worker here may have left

    for name, function, how_often in SCHEDULES:
        Schedule.objects.update_or_create(
            name=name,
            defaults={
                "func": f"brightspots_web.{function}",
                "schedule_type": how_often,
                "minutes": 1,
                "repeats": -1,
            },
        )
    call_command("qcluster", verbosity=0)


if __name__ == "__main__":
    platform.start()
    work()
