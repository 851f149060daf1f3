"""Starts the platform for commands that work on the imported system rather than on a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = "brightspots_web.config.settings"


def start(home: Path | None = None, *, settings: str = "local", system_name: str = "") -> None:
    """Make the platform ready in this process.

    The home folder holds database and data; `BRIGHTSPOTS_HOME` (default `var`) names it where
    `home` does not. Brings a database that is behind up to date, and names the system the first
    time.
    """
    if home is not None:
        os.environ["BRIGHTSPOTS_HOME"] = str(home.resolve())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"{SETTINGS}.{settings}")

    import django
    from django.db.utils import OperationalError

    from brightspots.core.errors import InputError

    django.setup()
    try:
        _migrate()
    except OperationalError as error:
        raise InputError(
            f"the database cannot be reached: {str(error).strip()}",
            mend="Check DATABASE_URL, or leave it empty to use the file in the home folder.",
        ) from error
    from brightspots_web.directory import actions, queries

    present = queries.system()
    if present is None or (system_name and system_name != present.name):
        name = system_name or "School system"
        actions.name_system(name, is_sample=present.is_sample if present else False)


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[float, str], None]]:
    """A bar on standard error; yields the function a job tells its fraction and stage."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[stage]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=1.0, stage="")

        def tell(fraction: float, stage: str) -> None:
            progress.update(task, completed=fraction, stage=stage)

        yield tell
        progress.update(task, completed=1.0, stage="")
