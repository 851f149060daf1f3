"""The `brightspots` command."""

from __future__ import annotations

import importlib
import sys

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
    "import": "brightspots_cli.import_",
    "undo": "brightspots_cli.undo",
    "serve": "brightspots_cli.serve",
    "worker": "brightspots_cli.worker",
    "analyse": "brightspots_cli.analyse",
    "value-added": "brightspots_cli.value_added",
    "partnerships": "brightspots_cli.partnerships",
    "twin": "brightspots_cli.twin",
}
"""Command name -> module whose function `command` does it; one file a command."""


def _register() -> None:
    for name, module in COMMANDS.items():
        app.command(name)(importlib.import_module(module).command)


def run() -> None:
    """Run the command line; what a person got wrong ends with one clear line and exit code 2."""
    _register()
    try:
        app()
    except InputError as error:
        Console(stderr=True, soft_wrap=True).print(
            f"brightspots: {error}", style="bold", markup=False, highlight=False
        )
        sys.exit(2)


if __name__ == "__main__":
    run()
