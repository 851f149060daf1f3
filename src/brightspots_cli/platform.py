"""Starts the platform for commands that work on the imported system rather than on a file."""

from __future__ import annotations

import os
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
