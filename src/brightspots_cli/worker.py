"""`brightspots worker`: does the jobs that the web application queues."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brightspots_cli import platform


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

    Schedule.objects.update_or_create(
        name="find jobs whose worker died",
        defaults={
            "func": "brightspots_web.shared.jobs.recover",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
            "repeats": -1,
        },
    )
    call_command("qcluster", verbosity=0)


if __name__ == "__main__":
    platform.start()
    work()
