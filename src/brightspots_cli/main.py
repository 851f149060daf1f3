"""The `brightspots` command."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import traceback

import typer
from rich.console import Console

from brightspots.core.errors import InputError

app = typer.Typer(
    name="brightspots",
    help="Find bright spots honestly, and connect every school to help.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

COMMANDS = {
    "sample": "brightspots_cli.sample",
    "import": "brightspots_cli.import_",
    "undo": "brightspots_cli.undo",
    "appoint": "brightspots_cli.appoint",
    "forget-second-factor": "brightspots_cli.forget_second_factor",
    "serve": "brightspots_cli.serve",
    "worker": "brightspots_cli.worker",
    "digest": "brightspots_cli.digest",
    "rebuild-search": "brightspots_cli.rebuild_search",
    "analyse": "brightspots_cli.analyse",
    "value-added": "brightspots_cli.value_added",
    "bright-spots": "brightspots_cli.bright_spots",
    "needs": "brightspots_cli.needs",
    "families": "brightspots_cli.families",
    "calibrate": "brightspots_cli.calibrate",
    "partnerships": "brightspots_cli.partnerships",
    "broker": "brightspots_cli.broker",
    "spread": "brightspots_cli.spread",
    "evaluate": "brightspots_cli.evaluate",
    "power": "brightspots_cli.power",
    "pace": "brightspots_cli.pace",
    "count-ballot": "brightspots_cli.count_ballot",
    "lottery": "brightspots_cli.lottery",
    "twin": "brightspots_cli.twin",
    "loop": "brightspots_cli.loop",
    "audit": "brightspots_cli.audit",
}
"""Command name -> module whose function `command` does it; one file a command."""


def _register() -> None:
    for name, module in COMMANDS.items():
        app.command(name)(importlib.import_module(module).command)


def _say(words: str) -> None:
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"brightspots: {words}", style="bold", markup=False, highlight=False)


def run() -> None:
    """Run the command line; what a person got wrong ends with one clear line and exit code 2."""
    # Our matrices are small: threads that wait for each other cost more than they give, and their
    # number changes the last digits. To be said before numpy is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _register()
    try:
        app()
    except InputError as error:
        _say(str(error))
        sys.exit(2)
    except Exception as error:
        with tempfile.NamedTemporaryFile(
            "w", prefix="brightspots-", suffix=".log", delete=False
        ) as log:
            traceback.print_exc(file=log)
        _say(f"something went wrong that we did not foresee ({error}). Details: {log.name}")
        sys.exit(1)


if __name__ == "__main__":
    run()
